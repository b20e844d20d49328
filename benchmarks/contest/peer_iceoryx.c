/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iceoryx 2.0 by its C binding: a publisher and a subscriber at each side. Messages are
 * written into loaned chunks and read out of the received ones. A full queue blocks its
 * producer, for nothing else of iceoryx loses nothing.
 *
 * Its daemon is started by the near side at the first opening. A process can attach to a
 * daemon once in its life, so that the daemon lives as long as the process does.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <iceoryx_binding_c/api.h>

#include "peer_aside.h"

#define ICEORYX_SIZE_MAX 65536u
/** Chunks of each size: two full queues, and what is loaned and held. */
#define ICEORYX_CHUNKS 544u
/** Its daemon ends in less. */
#define ICEORYX_END_TRIES 3000u

struct iceoryx_shared {
	struct aside_cores cores;
	uint32_t ready; /**< near writes: the daemon is there */
};

struct peer {
	iox_pub_t publisher;
	iox_sub_t subscriber;
	iox_ws_t waitset; /**< NULL until a side wants to sleep: only then is it told of chunks */
	iox_pub_storage_t publisher_storage;
	iox_sub_storage_t subscriber_storage;
	iox_ws_storage_t waitset_storage;
};

static pid_t iceoryx_daemon;
static bool iceoryx_attached;

CONTEST_INLINE uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	uint32_t sent;
	void *chunk;

	(void)link;
	for (sent = 0; sent < count; sent++) {
		if (iox_pub_loan_chunk(peer->publisher, &chunk, work->size) !=
		    AllocationResult_SUCCESS)
			break;
		contest_write(work, chunk);
		iox_pub_publish_chunk(peer->publisher, chunk);
	}
	return sent;
}

CONTEST_INLINE uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	const void *chunk;
	uint32_t got;

	(void)link;
	for (got = 0; got < count; got++) {
		if (iox_sub_take_chunk(peer->subscriber, &chunk) != ChunkReceiveResult_SUCCESS)
			break;
		contest_read(work, chunk);
		iox_sub_release_chunk(peer->subscriber, chunk);
	}
	return got;
}

#define PEER_WAITS

static inline void
peer_wait(struct peer *peer, struct contest_work *work)
{
	iox_notification_info_t info;
	uint64_t missed;

	(void)work;
	if (peer->waitset == NULL) {
		peer->waitset = iox_ws_init(&peer->waitset_storage);
		iox_ws_attach_subscriber_state(peer->waitset, peer->subscriber,
					       SubscriberState_HAS_DATA, 0, NULL);
	}
	iox_ws_timed_wait(peer->waitset, (struct timespec){.tv_nsec = 50000000}, &info, 1, &missed);
}

#include "contest_loops.h"

static size_t
iceoryx_shared_bytes(const struct contest_place *place)
{
	(void)place;
	return sizeof(struct iceoryx_shared);
}

static void
iceoryx_forget_waitset(struct peer *peer)
{
	if (peer->waitset == NULL)
		return;
	iox_ws_detach_subscriber_state(peer->waitset, peer->subscriber, SubscriberState_HAS_DATA);
	iox_ws_deinit(peer->waitset);
	peer->waitset = NULL;
}

static int
iceoryx_prepare(void *opened, uint32_t size)
{
	struct peer *peer = opened;

	(void)size;
	iceoryx_forget_waitset(peer);
	iox_sub_release_queued_chunks(peer->subscriber);
	return 0;
}

static void
iceoryx_close(void *opened)
{
	struct peer *peer = opened;

	iceoryx_forget_waitset(peer);
	if (peer->subscriber != NULL)
		iox_sub_deinit(peer->subscriber);
	if (peer->publisher != NULL)
		iox_pub_deinit(peer->publisher);
	free(peer);
}

/*
 * At the process's end, when neither side is attached any more, which the ends of their
 * processes by exit() do: the daemon would end who is, and aborts where it is gone.
 */
static void
iceoryx_end_daemon(void)
{
	unsigned int i;

	kill(iceoryx_daemon, SIGTERM);
	for (i = 0; i < ICEORYX_END_TRIES; i++) {
		if (waitpid(iceoryx_daemon, NULL, WNOHANG) != 0)
			return;
		aside_sleep_1ms();
	}
	kill(iceoryx_daemon, SIGKILL);
	waitpid(iceoryx_daemon, NULL, 0);
}

static bool
iceoryx_write_config(const char *path)
{
	FILE *file = fopen(path, "w");
	unsigned int size;

	if (file == NULL)
		return false;
	fputs("[general]\nversion = 1\n\n[[segment]]\n", file);
	for (size = 64; size <= ICEORYX_SIZE_MAX; size *= 4)
		fprintf(file, "\n[[segment.mempool]]\nsize = %u\ncount = %u\n", size,
			ICEORYX_CHUNKS);
	return fclose(file) == 0;
}

static _Noreturn void
iceoryx_become_daemon(const char *config, int log)
{
	char *const line[] = {(char[]){"iox-roudi"},
			      (char[]){"-c"},
			      (char *)(uintptr_t)config,
			      (char[]){"-m"},
			      (char[]){"off"},
			      (char[]){"-k"},
			      (char[]){"1"},
			      NULL};

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	execvp(line[0], line);
	_exit(127);
}

static bool
iceoryx_says_ready(int log)
{
	char text[4096];
	const ssize_t bytes = pread(log, text, sizeof(text) - 1, 0);

	if (bytes <= 0)
		return false;
	text[bytes] = '\0';
	return strstr(text, "ready for clients") != NULL;
}

static const char *
iceoryx_await_daemon(pid_t daemon, int log)
{
	const struct patience patience = patience_begin();

	do {
		if (iceoryx_says_ready(log)) {
			iceoryx_daemon = daemon;
			return atexit(iceoryx_end_daemon) == 0 ? NULL : "no memory";
		}
		if (waitpid(daemon, NULL, WNOHANG) != 0)
			return "iox-roudi ended at once: end the one that runs already, or install "
			       "Debian's package iceoryx";
	} while (patience_lasts(&patience));
	kill(daemon, SIGKILL);
	waitpid(daemon, NULL, 0);
	return "iox-roudi was not ready within 10 s";
}

static const char *
iceoryx_start_daemon(const struct contest_place *place)
{
	char config[256], log_path[256];
	const char *failed = "the configuration of iox-roudi cannot be written in the folder of "
			     "this run";
	pid_t daemon;
	int log;

	if (iceoryx_daemon != 0)
		return NULL;
	snprintf(config, sizeof(config), "%s/roudi.toml", place->folder);
	snprintf(log_path, sizeof(log_path), "%s/roudi.log", place->folder);
	log = open(log_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (log != -1 && iceoryx_write_config(config)) {
		daemon = fork();
		if (daemon == 0)
			iceoryx_become_daemon(config, log);
		failed = daemon == -1 ? "no process for iox-roudi"
				      : iceoryx_await_daemon(daemon, log);
	}
	if (log != -1)
		close(log);
	unlink(log_path);
	unlink(config);
	return failed;
}

static const char *
iceoryx_attach(const struct contest_place *place)
{
	const char *failed = "the near side did not start iox-roudi within 10 s";
	struct iceoryx_shared *shared = (struct iceoryx_shared *)place->shared;
	const struct patience patience = patience_begin();
	char name[64];

	if (place->side == CONTEST_NEAR) {
		failed = iceoryx_start_daemon(place);
		nhn_store_release(&shared->ready, failed == NULL);
	}
	while (nhn_load_acquire(&shared->ready) == 0) {
		if (place->side == CONTEST_NEAR || !patience_lasts(&patience))
			return failed;
	}
	snprintf(name, sizeof(name), "nahanni-%s-%016jx",
		 place->side == CONTEST_NEAR ? "near" : "far", (uintmax_t)place->run);
	iox_set_loglevel(Iceoryx_LogLevel_Off);
	if (!iceoryx_attached)
		iox_runtime_init(name);
	iceoryx_attached = true;
	return NULL;
}

static void
iceoryx_make(struct peer *peer, const struct contest_place *place)
{
	const char *names[] = {"near", "far"};
	const bool near = place->side == CONTEST_NEAR;
	iox_pub_options_t sending;
	iox_sub_options_t receiving;
	char run[32];

	snprintf(run, sizeof(run), "%016jx", (uintmax_t)place->run);
	iox_pub_options_init(&sending);
	sending.subscriberTooSlowPolicy = ConsumerTooSlowPolicy_WAIT_FOR_CONSUMER;
	iox_sub_options_init(&receiving);
	receiving.queueCapacity = iox_cfg_max_subscriber_queue_capacity();
	receiving.queueFullPolicy = QueueFullPolicy_BLOCK_PRODUCER;
	peer->publisher =
		iox_pub_init(&peer->publisher_storage, "nahanni", run, names[!near], &sending);
	peer->subscriber =
		iox_sub_init(&peer->subscriber_storage, "nahanni", run, names[near], &receiving);
}

/* The daemon joins them, in its own time. */
static const char *
iceoryx_join(const struct peer *peer)
{
	const struct patience patience = patience_begin();

	do {
		if (iox_pub_has_subscribers(peer->publisher) &&
		    iox_sub_get_subscription_state(peer->subscriber) == SubscribeState_SUBSCRIBED)
			return NULL;
	} while (patience_lasts(&patience));
	return "the other side did not subscribe within 10 s";
}

static void *
iceoryx_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	const int other = aside_other_core(place);
	const char *failed = NULL;
	cpu_set_t pinned;

	if (peer == NULL)
		failed = "no memory";
	else if (other == -1)
		failed = "the other side did not come within 10 s";
	if (failed == NULL) {
		aside_begin(place, other, &pinned);
		failed = iceoryx_attach(place);
		aside_end(&pinned);
	}
	if (failed == NULL) {
		iceoryx_make(peer, place);
		failed = iceoryx_join(peer);
	}
	return contest_opened(place, peer, failed, why, why_bytes);
}

const struct contestant contestant_iceoryx = {
	.name = "iceoryx",
	.what = "iceoryx 2.0 by its C binding, loaned chunks, queues of 256 that block their "
		"producer, polled; its threads and its daemon have the other cores, where "
		"there are any",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = ICEORYX_SIZE_MAX,
	.links_max = 1,
	.shared_bytes = iceoryx_shared_bytes,
	.open = iceoryx_open,
	.close = iceoryx_close,
	.prepare = iceoryx_prepare,
	.loops = &peer_loops,
};
