/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest of switch_host: asks other guests, or the worker itself, and answers them.
 *
 *     switch_guest WHERE [rest] COMMAND...
 *
 *     WHERE           a PCI address, through sysfs; or a file, for a process of the host
 *     rest            sleep after some empty polls, so that others get the core
 *     ping ID N SIZE  N round trips of SIZE bytes with guest ID, or with the worker: 0.
 *                     N may be "-": until somebody says stop
 *     stop ID         let that guest's pong, or its ping without a number, end
 *     half ID         send a half of the longest message, and no more until killed
 *     pong            answer until told to stop
 *
 * A message that goes out names the guest it is for in head.id, one that comes in the guest
 * it is from. Whatever else it does, a guest answers what it is asked. The contents of a
 * question follow from its sender's seed and its number, both in its first bytes, so both
 * ends check them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <nhn_clock.h>
#include <nhn_endpoint.h>
#include <nhn_histogram.h>
#include <nhn_region.h>

#include "../unit/pattern.h"

#define SECOND_NS UINT64_C(1000000000)
/** Longest message. Two that ask each other have both in the rings at once. */
#define BYTES_MAX (256u << 10)
/** An answer that takes longer is lost. vCPUs share cores, and a guest that dies holds up
 *  what it has begun until its heartbeat is late. */
#define ANSWER_NS (20 * SECOND_NS)
/** Who is not there yet is asked again and again. */
#define HELLO_NS (SECOND_NS / 5)
#define HELLO_ALL_NS (90 * SECOND_NS)
/** Polls between two looks at the clock. */
#define CLOCK_POLLS 64u
/** Empty polls before a rest, and its length: a busy vCPU keeps its core for milliseconds. */
#define REST_POLLS 500u
#define REST_NS 20000
/** Where the host is to be waited for. */
#define REGION_TRIES 100

enum type {
	TYPE_QUESTION = 1,
	TYPE_ANSWER,
	TYPE_STOP,
};

/** Begin of each message; a pattern of its seed and number follows. */
struct words {
	uint32_t seed;
	uint32_t number;
};

static struct nhn_region region;
static struct nhn_link the_link;
static struct nhn_endpoint endpoint;
static struct nhn_clock the_clock;
static struct nhn_histogram histogram;
static struct nhn_msg_buffer buffer;
static uint8_t question[BYTES_MAX], answer[BYTES_MAX];
static uint32_t seed;
static bool rests;
static bool stop_asked;

static struct {
	bool waiting; /**< for the answer to the question number */
	uint32_t id, bytes, number;
	uint64_t lost, wrong, late;
} ping;

static uint64_t served;	   /**< answers given */
static uint64_t misserved; /**< questions whose bytes were wrong */
static uint64_t given_up;  /**< messages whose sender gave them up */

static uint64_t
now_ns(void *unused)
{
	(void)unused;
	return nhn_clock_ns(&the_clock, nhn_clock_now());
}

static void
sentence_print(void *context, const char *sentence)
{
	(void)context;
	fprintf(stderr, "switch_guest: %s\n", sentence);
}

/* ---- messages ---- */

static bool
contents_right(const uint8_t *bytes, uint32_t length)
{
	struct words words;

	if (length < sizeof(words))
		return false;
	memcpy(&words, bytes, sizeof(words));
	return pattern_matches(bytes + sizeof(words), length - (uint32_t)sizeof(words), words.seed,
			       words.number);
}

static void
answer_take(const struct nhn_message_head *head)
{
	struct words words = {.seed = 0};

	if (head->length >= sizeof(words))
		memcpy(&words, answer, sizeof(words));
	if (!ping.waiting || head->id != ping.id || words.seed != seed ||
	    words.number != ping.number) {
		ping.late++;
		return;
	}
	ping.waiting = false;
	ping.wrong += head->length != ping.bytes || !contents_right(answer, head->length);
}

/** The answer is the question, sent back from where it lies. */
static void
question_take(struct nhn_message_head *head)
{
	if (head->type == TYPE_STOP)
		stop_asked = true;
	misserved += !contents_right(answer, head->length);
	served++;
	head->type = TYPE_ANSWER;
	/* Nothing else is on its way, and a ring has room for what a few guests ask. */
	if (nhn_msg_send(&endpoint.tx[0], head, answer) == -EAGAIN)
		misserved++;
}

/** Where there is nothing to do. The link wants its control step also then. */
static void
rest(void)
{
	static const struct timespec pause = {.tv_nsec = REST_NS};
	static uint32_t polls;

	if (!rests || ++polls < REST_POLLS)
		return;
	polls = 0;
	nanosleep(&pause, NULL);
	nhn_endpoint_control(&endpoint);
}

/** One poll, and what it brings. */
static void
step(void)
{
	int channel = nhn_endpoint_poll(&endpoint);
	int ret;

	if (channel == -EAGAIN)
		rest();
	/* What is being sent may lie where the next message would be received. */
	if (channel < 0 || nhn_msg_busy(&endpoint.tx[0]))
		return;
	ret = nhn_msg_receive(&endpoint.rx[0], &buffer);
	given_up += ret == -ECANCELED;
	if (ret != 0)
		return;
	if (buffer.head.type == TYPE_ANSWER || buffer.head.id == 0)
		answer_take(&buffer.head);
	else
		question_take(&buffer.head);
}

/** Send a question. The link may be down for a while, and an answer on its way. */
static void
ask(uint32_t id, enum type type, uint32_t bytes)
{
	const struct words words = {.seed = seed, .number = ++ping.number};
	const struct nhn_message_head head = {.id = id, .length = bytes, .type = (uint16_t)type};
	const uint64_t deadline = now_ns(NULL) + ANSWER_NS;
	int ret;

	memcpy(question, &words, sizeof(words));
	pattern_fill(question + sizeof(words), bytes - (uint32_t)sizeof(words), words.seed,
		     words.number);
	ping.id = id;
	ping.bytes = bytes;
	ping.waiting = true;
	while ((ret = nhn_msg_send(&endpoint.tx[0], &head, question)) == -EAGAIN ||
	       ret == -ENOTCONN) {
		if (now_ns(NULL) > deadline)
			return;
		step();
	}
	while (nhn_msg_busy(&endpoint.tx[0]))
		step();
}

/** @return whether the answer came in time */
static bool
answered(uint64_t patience_ns)
{
	const uint64_t deadline = now_ns(NULL) + patience_ns;
	uint32_t polls = 0;

	/* A clock read costs more than a poll, above all under TCG. */
	while (ping.waiting && (++polls % CLOCK_POLLS != 0 || now_ns(NULL) < deadline))
		step();
	return !ping.waiting;
}

/* ---- commands ---- */

/** Wait until guest ID answers. @return whether it does */
static bool
hello(uint32_t id, enum type type)
{
	const uint64_t deadline = now_ns(NULL) + HELLO_ALL_NS;

	do {
		ask(id, type, sizeof(struct words));
		if (answered(HELLO_NS))
			return true;
	} while (now_ns(NULL) < deadline);
	printf("ping %u: does not answer\n", id);
	return false;
}

static uint64_t
quantile_ns(uint32_t percent)
{
	uint64_t low = 0, high = 0;

	nhn_histogram_at_rank(&histogram, nhn_histogram_rank(histogram.total, percent, 100), &low,
			      &high);
	return high;
}

static bool
command_ping(uint32_t id, const char *count, uint32_t bytes)
{
	const bool endless = strcmp(count, "-") == 0;
	const uint64_t n = strtoull(count, NULL, 10);
	uint64_t begun, i;

	if (!hello(id, TYPE_QUESTION))
		return false;
	printf("ping %u: begun\n", id);
	nhn_histogram_init(&histogram);
	ping.lost = ping.wrong = ping.late = 0;
	for (i = 0; endless ? !stop_asked : i < n; i++) {
		begun = now_ns(NULL);
		ask(id, TYPE_QUESTION, bytes);
		if (answered(ANSWER_NS))
			nhn_histogram_record(&histogram, now_ns(NULL) - begun);
		else
			ping.lost++;
	}
	printf("ping %u: %" PRIu64 " of %u bytes, lost %" PRIu64 ", wrong %" PRIu64
	       ", late %" PRIu64 "; p50 %" PRIu64 " p99 %" PRIu64 " max %" PRIu64 " ns\n",
	       id, i, bytes, ping.lost, ping.wrong, ping.late, quantile_ns(50), quantile_ns(99),
	       histogram.max_ns);
	return ping.lost == 0 && ping.wrong == 0;
}

/** What is left of it is never sent: nothing polls the endpoint. The link lives on. */
static void
command_half(uint32_t id)
{
	const struct nhn_message_head head = {.id = id, .length = BYTES_MAX, .type = TYPE_QUESTION};
	struct nhn_msg_tx *tx = &endpoint.tx[0];
	int ret = nhn_msg_send(tx, &head, question);

	while (ret == -EINPROGRESS && tx->sent < BYTES_MAX / 2)
		ret = nhn_msg_send_step(tx);
	printf("half %u: %u of %u bytes are sent\n", id, tx->sent, BYTES_MAX);
	for (;;)
		nhn_link_control(&the_link, now_ns(NULL));
}

static void
command_pong(void)
{
	while (!stop_asked)
		step();
}

/** @return words of it, 0: unknown */
static int
command_run(int words, char **word, bool *good)
{
	if (words >= 4 && strcmp(word[0], "ping") == 0) {
		unsigned long bytes = strtoul(word[3], NULL, 10);

		if (bytes < sizeof(struct words) || bytes > BYTES_MAX)
			return 0;
		*good &= command_ping((uint32_t)strtoul(word[1], NULL, 10), word[2],
				      (uint32_t)bytes);
		return 4;
	}
	if (words >= 2 && strcmp(word[0], "stop") == 0) {
		*good &= hello((uint32_t)strtoul(word[1], NULL, 10), TYPE_STOP);
		return 2;
	}
	if (words >= 2 && strcmp(word[0], "half") == 0)
		command_half((uint32_t)strtoul(word[1], NULL, 10));
	if (words >= 1 && strcmp(word[0], "pong") == 0) {
		command_pong();
		return 1;
	}
	return 0;
}

/* ---- the link ---- */

static int
region_open(const char *where)
{
	static const struct timespec pause = {.tv_nsec = 100000000};
	struct nhn_region_config config;
	int tries = REGION_TRIES;
	int ret;

	nhn_region_config_init(&config);
	config.kind = where[0] == '/' ? NHN_REGION_FILE : NHN_REGION_PCI;
	config.path = where;
	config.lock_byte = 1;
	config.log = sentence_print;
	while ((ret = nhn_region_open(&region, &config)) == -EAGAIN && --tries != 0)
		nanosleep(&pause, NULL);
	return ret;
}

static int
open_link(const char *where)
{
	static const struct iovec place = {.iov_base = answer, .iov_len = sizeof(answer)};
	struct nhn_link_config config;
	struct nhn_refusal refusal;
	int ret = region_open(where);

	if (ret != 0)
		return ret;
	memset(&config, 0, sizeof(config));
	nhn_link_joint(&config, NHN_ROLE_GUEST, region.base, region.length);
	config.use = NHN_USE_MSG;
	config.random = seed;
	ret = nhn_link_init(&the_link, &config, &refusal);
	if (ret == 0)
		nhn_endpoint_init(&endpoint, &the_link, now_ns, NULL);
	nhn_msg_buffer_init(&buffer, &place, 1);
	return ret;
}

static int
commands_run(int words, char **word)
{
	bool good = true;

	while (words > 0) {
		int taken = command_run(words, word, &good);

		if (taken == 0) {
			fprintf(stderr, "switch_guest: what is '%s'? See its source.\n", word[0]);
			return 2;
		}
		words -= taken;
		word += taken;
	}
	while (nhn_msg_busy(&endpoint.tx[0])) /* the last answer */
		step();
	printf("answered %" PRIu64 ", wrong %" PRIu64 ", given up by their sender %" PRIu64 "\n",
	       served, misserved, given_up);
	return good && misserved == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	int first = 2;
	int ret;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 3) {
		fprintf(stderr, "usage: switch_guest WHERE [rest] COMMAND...\n");
		return 2;
	}
	if (nhn_clock_init(&the_clock) != 0) {
		fprintf(stderr, "switch_guest: the time counter is no clock\n");
		return 2;
	}
	seed = (uint32_t)nhn_clock_now();
	rests = strcmp(argv[first], "rest") == 0;
	first += rests;
	ret = open_link(argv[1]);
	if (ret != 0) {
		fprintf(stderr, "switch_guest: no link: %s\n", strerror(-ret));
		return 2;
	}
	ret = commands_run(argc - first, argv + first);
	nhn_link_finish(&the_link);
	nhn_region_close(&region);
	return ret;
}
