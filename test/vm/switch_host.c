/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One worker on one lcore, and the links of several guests: a message goes on to the guest
 * that its head.id names, with one copy, and arrives there with the id of the guest it is
 * from. Guest 0 is the worker itself, which sends back what it gets.
 *
 *     switch_host [EAL option]... -l MAIN,WORKER -- busy|rest FILE...
 *
 * The first file is the memory of guest 1. rest: the lcore sleeps where there is nothing to
 * do for a while. Ends by ^C.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_lcore.h>

#include <nhn_link_text.h>
#include <nhn_region.h>
#include <nhn_relay.h>
#include <nhn_worker.h>

#define GUESTS_MAX 8u
#define CELLS 1024u
#define DATA_BYTES (1u << 20)
/** A guest is taken for dead after 3 s: vCPUs that share cores stand still for long. */
#define BEAT_MISSES 300u
/** So is a message that does not go on, looked at so often: see look(). */
#define LOOK_US 100000u
#define LOOKS_STILL_MAX 30u

struct guest {
	struct nhn_region region;
	struct nhn_link link;
	struct nhn_endpoint endpoint;
	uint32_t id;
	/* of its lcore */
	struct nhn_msg_tx *to; /**< where the message goes that is being relayed; NULL: none */
	bool begun;	       /**< a part of it has gone there */
	uint64_t steps;	       /**< of such parts */
	uint64_t steps_seen;
	uint32_t looks_still; /**< since it last went on */
	uint64_t relayed;
	uint64_t dropped; /**< nobody reads them */
	uint64_t cut;	  /**< messages without an end, and those whose reader restarted */
};

static struct guest guests[GUESTS_MAX];
static uint32_t count;
static volatile sig_atomic_t stopped;

static void
on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static void
sentence_print(void *context, const char *sentence)
{
	(void)context;
	fprintf(stderr, "switch_host: %s\n", sentence);
}

/* ---- on the lcore ---- */

/** The guest that a message is for. @return NULL: there is no such guest, or it is gone */
static struct guest *
destination(struct guest *from, uint32_t id)
{
	struct guest *to;

	if (id > count)
		return NULL;
	to = id == 0 ? from : &guests[id - 1];
	return nhn_link_state(&to->link) == NHN_LINK_UP ? to : NULL;
}

/** The message that comes next gets a way. @return whether it has one now */
static bool
message_begin(struct guest *from, struct nhn_msg_rx *rx)
{
	struct nhn_message_head head;
	struct guest *to;

	if (nhn_msg_front(rx, &head) != 0)
		return false;
	to = destination(from, head.id);
	if (to == NULL) {
		nhn_msg_skip(rx);
		from->dropped++;
		return false;
	}
	from->to = &to->endpoint.tx[0];
	from->begun = false;
	return true;
}

/** The message that is being relayed has no end, or no reader. */
static void
message_cut(struct guest *from, struct nhn_msg_rx *rx)
{
	nhn_msg_relay_cancel(rx, from->to);
	from->to = NULL;
	from->cut++;
}

static bool
message(void *context, struct nhn_endpoint *endpoint, uint32_t channel)
{
	struct guest *from = context;
	struct nhn_msg_rx *rx = &endpoint->rx[channel];
	uint32_t id;
	int ret;

	/* -ESTALE or a step of skipping: something was done. */
	if (from->to == NULL && !message_begin(from, rx))
		return true;
	id = from->to == &endpoint->tx[0] ? 0 : from->id;
	ret = nhn_msg_relay(rx, from->to, id);
	switch (ret) {
	case 0:
		from->relayed++;
		from->to = NULL;
		return true;
	case -EINPROGRESS:
		from->begun = true;
		from->steps++;
		return true;
	case -EAGAIN:
	case -ENOTCONN:
		if (nhn_link_state(from->to->link) == NHN_LINK_UP)
			return false;
		message_cut(from, rx);
		return true;
	default:
		from->to = NULL;
		from->cut++;
		return true;
	}
}

/**
 * A guest that stands still in the middle of a message, dead or not, keeps all others from
 * its destination.
 */
static void
look(void *context, struct nhn_endpoint *endpoint)
{
	struct guest *from = context;

	if (from->to == NULL || !from->begun || from->steps != from->steps_seen)
		from->looks_still = 0;
	else if (++from->looks_still == LOOKS_STILL_MAX)
		message_cut(from, &endpoint->rx[0]);
	from->steps_seen = from->steps;
}

static void
state_told(void *context, struct nhn_endpoint *endpoint, enum nhn_link_state state)
{
	const struct guest *guest = context;

	(void)endpoint;
	printf("guest %u: %s\n", guest->id, nhn_link_state_text(state));
}

/* ---- control ---- */

static int
guest_open(struct guest *guest, uint32_t id, const char *path)
{
	struct nhn_region_config place;
	struct nhn_link_config config;
	struct nhn_refusal refusal;
	char text[256];
	int ret;

	guest->id = id;
	nhn_region_config_init(&place);
	place.path = path;
	place.create = true;
	place.lock_byte = 0;
	place.log = sentence_print;
	ret = nhn_region_open(&guest->region, &place);
	if (ret != 0)
		return ret;
	memset(&config, 0, sizeof(config));
	nhn_link_joint(&config, NHN_ROLE_HOST, guest->region.base, guest->region.length);
	config.use = NHN_USE_MSG;
	config.link_id = id;
	config.beat_misses = BEAT_MISSES;
	config.random = (uint32_t)nhn_worker_now_ns(NULL);
	nhn_layout_uniform(&config.layout, 1, NHN_USE_MSG, CELLS, DATA_BYTES);
	ret = nhn_link_init(&guest->link, &config, &refusal);
	if (ret != 0)
		sentence_print(NULL, nhn_refusal_text(&refusal, text, sizeof(text)));
	else
		nhn_endpoint_init(&guest->endpoint, &guest->link, nhn_worker_now_ns, NULL);
	return ret;
}

static int
guests_add(struct nhn_worker *worker, int files, char **path)
{
	int ret = 0;

	for (count = 0; count < (uint32_t)files && ret == 0; count++) {
		struct guest *guest = &guests[count];
		const struct nhn_worker_link link = {
			.id = count + 1,
			.name = path[count],
			.endpoint = &guest->endpoint,
			.lcore = NHN_WORKER_ANY_LCORE,
			.message = message,
			.state = state_told,
			.context = guest,
		};

		ret = guest_open(guest, count + 1, path[count]);
		if (ret == 0)
			ret = nhn_worker_add(worker, &link);
	}
	return ret;
}

static void
report(const struct nhn_worker *worker)
{
	struct nhn_worker_lcore_stats stats;
	uint32_t i;

	for (i = 0; i < count; i++)
		printf("guest %u: relayed %" PRIu64 ", dropped %" PRIu64 ", cut %" PRIu64
		       ", sessions %" PRIu64 "\n",
		       guests[i].id, guests[i].relayed, guests[i].dropped, guests[i].cut,
		       guests[i].link.sessions);
	if (nhn_worker_lcore_stats_get((struct nhn_worker *)(uintptr_t)worker, 0, &stats) == 0)
		printf("worker: rounds %" PRIu64 ", of which worked %" PRIu64 ", p50 %" PRIu64
		       " p99 %" PRIu64 " ns, sleeps %" PRIu64 "\n",
		       stats.rounds, stats.rounds_worked, stats.round_p50_ns, stats.round_p99_ns,
		       stats.sleeps);
}

static int
serve(bool rests, int files, char **path)
{
	unsigned int lcore = rte_get_next_lcore(UINT32_MAX, 1, 0);
	const struct nhn_worker_config config = {
		.name = "switch",
		.links_max = GUESTS_MAX,
		.lcores = &lcore,
		.lcore_count = 1,
		.idle = rests ? NHN_WORKER_IDLE_ADAPTIVE : NHN_WORKER_IDLE_PAUSE,
		.idle_after_us = 50,
		.idle_sleep_us = 20,
	};
	struct nhn_worker *worker = nhn_worker_create(&config);
	uint32_t i;
	int ret;

	if (worker == NULL)
		return 2;
	ret = guests_add(worker, files, path);
	if (ret == 0)
		ret = nhn_worker_start(worker);
	if (ret == 0)
		printf("serving %u guests\n", count);
	while (ret == 0 && !stopped) {
		usleep(LOOK_US);
		for (i = 0; i < count; i++)
			nhn_worker_run(worker, guests[i].id, look, &guests[i]);
	}
	nhn_worker_stop(worker);
	report(worker);
	nhn_worker_destroy(worker);
	for (i = 0; i < count; i++) {
		nhn_link_finish(&guests[i].link);
		nhn_region_close(&guests[i].region);
	}
	return ret == 0 ? 0 : 2;
}

int
main(int argc, char **argv)
{
	int taken = rte_eal_init(argc, argv);
	int ret = 2;

	if (taken < 0)
		return 2;
	argc -= taken;
	argv += taken;
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	if (argc < 3 || (uint32_t)argc - 2 > GUESTS_MAX || rte_lcore_count() < 2)
		fprintf(stderr, "usage: switch_host [EAL option]... -l MAIN,WORKER -- busy|rest"
				" FILE...\n");
	else
		ret = serve(strcmp(argv[1], "rest") == 0, argc - 2, argv + 2);
	rte_eal_cleanup();
	return ret;
}
