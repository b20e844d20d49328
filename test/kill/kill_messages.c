/* SPDX-License-Identifier: BSD-3-Clause */
/* Kill either side in the middle of long messages, between any two stores, and start it
 * again. What is delivered is whole, each byte of it, in the order of its writer's life; what
 * was begun and cannot end is told: to a reader by -ESTALE, to a writer by -ECONNRESET.
 *
 * usage: kill_messages [SEED [KILLS]] */

#include <errno.h>
#include <sys/wait.h>

#include <fiu-control.h>
#include <nhn_endpoint.h>

#include "pattern.h"
#include "process.h"

#define KILLS 300u
#define KILLS_NIGHTLY 10000u
#define KILLS_A_RUN 10u /* then with another seed, in memory never used */
#define LONGEST 12000u	/* three data rings, or 250 cells */
#define AREA_BYTES (64u << 10)
#define BEAT_US 1000u
#define RANDOM_POINT UINT32_MAX
#define LAST 20u /* messages each way that must come at the end */
#define SECONDS 20u

static const struct {
	const char *name;
	uint32_t passes; /* the n-th pass is meant, n up to this */
} points[] = {
	{"message/step", 200},	 {"message/head", 200},	  {"send/describe", 100},
	{"send/commit", 200},	 {"send/committed", 200}, {"receive/release", 100},
	{"publish/data", 50},	 {"publish/cells", 50},	  {"publish/done", 50},
	{"foreign/copy", 300},	 {"foreign/load", 2000},  {"open/clear", 16},
	{"acknowledge/seen", 1}, {"confirm/seen", 1},	  {"drain/stop", 1},
};
#define POINTS ((uint32_t)(sizeof(points) / sizeof(points[0])))

/* What each life tells, and is told. Words are touched through nhn_word.h. */
struct status {
	uint32_t armed; /* number of a point + 1 */
	uint32_t passes;
	uint32_t finish;
	uint32_t up;
	uint32_t life;
	uint32_t within; /* a message was on its way out or in as it was killed */
	/* over all lives */
	uint32_t received;
	uint32_t stales;
	uint32_t resets;    /* -ECONNRESET in the middle of a message */
	uint32_t lost;	    /* messages begun that -ESTALE ended */
	uint32_t cancelled; /* -ECANCELED told */
};

static struct shared {
	struct status side[2]; /* enum nhn_role - 1 */
	uint64_t seed;
} * shared;
static uint8_t *areas;

/* Of a message, before bytes of a pattern. */
struct begin {
	uint32_t number; /* in its writer's life */
	uint32_t life;
};

struct side {
	struct nhn_link link;
	struct nhn_endpoint endpoint;
	struct status *status;
	const char *name;
	uint64_t random;
	uint64_t out_seed, in_seed;
	uint8_t out[LONGEST], in[LONGEST];
	struct iovec vector;
	struct nhn_msg_buffer buffer;
	uint32_t sent; /* messages of this life */
	bool sending;
	/* of the last one received in this life */
	struct begin last;
	bool told; /* -ESTALE since then, or none received yet */
};

static struct side side;

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "seed %llu: %s, life %u: line %d: expected %s\n",          \
				(unsigned long long)shared->seed, side.name, side.status->life,    \
				__LINE__, #what);                                                  \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* ---- a point ---- */

static int
passed(const char *name, int *failnum, void **failinfo, unsigned int *flags)
{
	(void)name;
	(void)failnum;
	(void)failinfo;
	(void)flags;
	if (--side.status->passes == 0)
		raise(SIGKILL);
	return 0;
}

static void
arm_look(void)
{
	static uint32_t armed;
	uint32_t now = nhn_load_acquire(&side.status->armed);
	char name[64];

	if (now == armed)
		return;
	armed = now;
	if (armed == 0)
		return;
	snprintf(name, sizeof(name), "nhn/%s", points[armed - 1].name);
	CHECK(fiu_init(0) == 0 && fiu_enable_external(name, 1, NULL, 0, passed) == 0);
}

/* ---- messages ---- */

static uint32_t
length_of(uint64_t seed, const struct begin *begin)
{
	uint64_t state = pattern_begin(seed ^ begin->life, begin->number);
	uint32_t limit = pattern_below(&state, 3) == 0 ? 100 : LONGEST - (uint32_t)sizeof(*begin);

	return (uint32_t)sizeof(*begin) + pattern_below(&state, limit);
}

static void
send_next(void)
{
	struct begin begin = {.number = side.sent, .life = side.status->life};
	struct nhn_message_head head = {.id = side.sent, .type = 7};
	int ret;

	head.length = length_of(side.out_seed, &begin);
	memcpy(side.out, &begin, sizeof(begin));
	pattern_fill(side.out + sizeof(begin), head.length - (uint32_t)sizeof(begin),
		     side.out_seed ^ begin.life, begin.number);
	ret = nhn_msg_send(&side.endpoint.tx[0], &head, side.out);
	if (ret == -EAGAIN || ret == -ENOTCONN)
		return;
	CHECK(ret == 0 || ret == -EINPROGRESS);
	side.sending = ret == -EINPROGRESS;
	side.sent++;
}

static void
send_look(void)
{
	struct nhn_msg_tx *tx = &side.endpoint.tx[0];

	if (nhn_msg_busy(tx)) {
		if (pattern_below(&side.random, 5000) == 0)
			nhn_msg_cancel(tx);
		return;
	}
	if (side.sending && tx->result != 0) {
		CHECK(tx->result == -ECONNRESET || tx->result == -ECANCELED);
		side.status->resets += tx->result == -ECONNRESET;
	}
	side.sending = false;
	if (nhn_load_relaxed(&side.status->finish) == 0)
		send_next();
}

/* Whole, of one message; of one life the next, but for those that were cancelled or lost. */
static void
check(void)
{
	const struct nhn_message_head *head = &side.buffer.head;
	struct begin begin;

	CHECK(head->length >= sizeof(begin) && head->type == 7);
	memcpy(&begin, side.in, sizeof(begin));
	CHECK(head->id == begin.number);
	CHECK(head->length == length_of(side.in_seed, &begin));
	CHECK(pattern_matches(side.in + sizeof(begin), head->length - (uint32_t)sizeof(begin),
			      side.in_seed ^ begin.life, begin.number));
	if (!side.told)
		CHECK(begin.life == side.last.life && begin.number == side.last.number + 1);
	side.last = begin;
	side.told = false;
}

static void
receive(void)
{
	int ret = nhn_msg_receive(&side.endpoint.rx[0], &side.buffer);

	CHECK(ret == 0 || ret == -EINPROGRESS || ret == -EAGAIN || ret == -ECANCELED ||
	      ret == -ESTALE);
	if (ret == 0) {
		check();
		side.status->received++;
	} else if (ret == -ECANCELED) {
		side.status->cancelled++;
		side.last.number++;
	} else if (ret == -ESTALE) {
		side.told = true;
		side.status->stales++;
		side.status->lost += (uint32_t)side.endpoint.rx[0].lost;
		side.endpoint.rx[0].lost = 0;
	}
}

/* ---- a side ---- */

static void
event(void *context, const struct nhn_link *link, const struct nhn_link_event *what)
{
	(void)context;
	(void)link;
	if (what->kind == NHN_LINK_EVENT_STATE)
		return;
	CHECK(what->kind == NHN_LINK_EVENT_REFUSED); /* a header seen while it is written */
}

static uint64_t
now_ns(void *context)
{
	(void)context;
	return process_now_ns();
}

static void
side_begin(enum nhn_role role)
{
	struct nhn_link_config config = {.use = NHN_USE_MSG, .beat_period_us = BEAT_US};
	struct nhn_refusal refusal;

	side.status = &shared->side[role - 1];
	side.name = role == NHN_ROLE_HOST ? "host" : "guest";
	side.random = shared->seed << 16 | side.status->life << 1 | (uint32_t)(role - 1);
	side.out_seed = shared->seed * 2 + role;
	side.in_seed = shared->seed * 2 + 3 - role;
	side.told = true;
	nhn_link_joint(&config, role, areas, 2 * AREA_BYTES);
	config.random = (uint32_t)shared->seed;
	config.event = event;
	if (role == NHN_ROLE_HOST)
		nhn_layout_uniform(&config.layout, 1, NHN_USE_MSG, 16u << shared->seed % 2,
				   shared->seed % 3 == 0 ? 0 : 4096);
	CHECK(nhn_link_init(&side.link, &config, &refusal) == 0);
	nhn_endpoint_init(&side.endpoint, &side.link, now_ns, NULL);
	side.vector.iov_base = side.in;
	side.vector.iov_len = sizeof(side.in);
	nhn_msg_buffer_init(&side.buffer, &side.vector, 1);
}

static void
side_main(enum nhn_role role)
{
	uint64_t end_ns = process_now_ns() + SECONDS * UINT64_C(1000000000);
	uint32_t idle = 0;
	uint32_t turn;

	process_pin(role);
	side_begin(role);
	for (turn = 0; nhn_load_relaxed(&side.status->finish) < 2; turn++) {
		int channel;

		if (turn % 16 == 0) {
			arm_look();
			CHECK(process_now_ns() < end_ns);
			nhn_store_relaxed(&side.status->up,
					  nhn_link_state(&side.link) == NHN_LINK_UP);
		}
		send_look();
		channel = nhn_endpoint_poll(&side.endpoint);
		if (channel == 0)
			receive();
		side.status->within = side.sending | side.endpoint.rx[0].begun;
		idle = channel == -EAGAIN ? idle + 1 : 0;
		if (idle % 64 == 63)
			process_rest_us(1);
	}
	_exit(0);
}

/* ---- the driver ---- */

static pid_t pids[2];
static uint64_t driver_random;
static uint32_t within; /* kills in the middle of a message */
static uint32_t hits[POINTS + 1];

static void
side_start(uint32_t who)
{
	struct status *status = &shared->side[who];

	status->armed = 0;
	status->up = 0;
	status->life++;
	pids[who] = process_fork();
	if (pids[who] == 0)
		side_main((enum nhn_role)(who + 1));
}

static int
fail(const char *sentence)
{
	fprintf(stderr, "seed %llu: %s\n", (unsigned long long)shared->seed, sentence);
	return -1;
}

/* Both live, or one of them has said what is wrong. */
static int
lives(void)
{
	uint32_t who;

	for (who = 0; who < 2; who++)
		if (waitpid(pids[who], NULL, WNOHANG) != 0)
			return fail("a side ended of itself");
	return 0;
}

static int
wait_up(void)
{
	uint64_t end_ns = process_now_ns() + SECONDS * UINT64_C(1000000000);

	while (!nhn_load_acquire(&shared->side[0].up) || !nhn_load_acquire(&shared->side[1].up)) {
		if (lives() != 0)
			return -1;
		if (process_now_ns() > end_ns)
			return fail("the link does not come up");
		process_rest_us(200);
	}
	return 0;
}

/* Kill a side at a point, or if it does not pass that in time, where it stands. */
static int
kill_one(void)
{
	uint32_t who = pattern_below(&driver_random, 2);
	uint32_t point = pattern_below(&driver_random, POINTS + 3);
	struct status *status = &shared->side[who];
	uint64_t end_ns;
	int how = 0;

	if (pattern_below(&driver_random, 4) != 0 && wait_up() != 0)
		return -1;
	if (point < POINTS) {
		status->passes = 1 + pattern_below(&driver_random, points[point].passes);
		nhn_store_release(&status->armed, point + 1);
	}
	end_ns = process_now_ns() +
		 1000 * (point < POINTS ? 50000 : pattern_below(&driver_random, 3000));
	while (waitpid(pids[who], &how, WNOHANG) == 0 && process_now_ns() < end_ns)
		process_rest_us(100);
	if (how == 0) {
		point = POINTS;
		kill(pids[who], SIGKILL);
		waitpid(pids[who], &how, 0);
	}
	if (!WIFSIGNALED(how) || WTERMSIG(how) != SIGKILL)
		return fail("a side ended of itself");
	hits[point < POINTS ? point : POINTS]++;
	within += status->within;
	if (pattern_below(&driver_random, 4) == 0)
		process_rest_us(pattern_below(&driver_random, 5000));
	side_start(who);
	return 0;
}

/* Messages flow both ways, and then both end in peace. */
static int
end_well(void)
{
	uint32_t first[2] = {shared->side[0].received, shared->side[1].received};
	uint64_t end_ns = process_now_ns() + SECONDS * UINT64_C(1000000000);
	uint32_t who;
	int how;

	if (wait_up() != 0)
		return -1;
	while (nhn_load_relaxed(&shared->side[0].received) < first[0] + LAST ||
	       nhn_load_relaxed(&shared->side[1].received) < first[1] + LAST) {
		if (lives() != 0)
			return -1;
		if (process_now_ns() > end_ns)
			return fail("messages do not flow at the end");
		process_rest_us(200);
	}
	for (who = 0; who < 2; who++)
		nhn_store_relaxed(&shared->side[who].finish, 2);
	for (who = 0; who < 2; who++)
		if (waitpid(pids[who], &how, 0) != pids[who] || how != 0)
			return fail("a side did not end well");
	return 0;
}

static int
run(uint64_t seed)
{
	uint32_t who, i;

	shared->seed = seed;
	driver_random = seed;
	memset(areas, 0, 2 * AREA_BYTES);
	for (who = 0; who < 2; who++) {
		shared->side[who].finish = 0;
		side_start(who);
	}
	for (i = 0; i < KILLS_A_RUN; i++)
		if (kill_one() != 0)
			return -1;
	return end_well();
}

static uint32_t
report(uint32_t kills)
{
	const struct status *a = &shared->side[0], *b = &shared->side[1];
	uint32_t lost = a->lost + b->lost, resets = a->resets + b->resets;
	uint32_t i;

	for (i = 0; i < POINTS; i++)
		printf("%-18s %u\n", points[i].name, hits[i]);
	printf("%-18s %u\n", "random instants", hits[POINTS]);
	printf("%u kills, %u in the middle of a message; %u messages delivered whole, %u begun "
	       "and ended by -ESTALE (told %u times), %u by -ECONNRESET, %u cancelled\n",
	       kills, within, a->received + b->received, lost, a->stales + b->stales, resets,
	       a->cancelled + b->cancelled);
	/* Else the rest proves nothing. */
	return kills >= KILLS && (within < kills / 4 || lost < kills / 20 || resets < kills / 20);
}

int
main(int argc, char **argv)
{
	const char *nightly = getenv("NHN_NIGHTLY");
	uint32_t kills = nightly != NULL && *nightly != '\0' ? KILLS_NIGHTLY : KILLS;
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	uint32_t i;

	if (argc > 1)
		kills = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : KILLS_A_RUN;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	shared = process_memory(sizeof(*shared));
	areas = process_memory(2 * AREA_BYTES);
	if (shared == NULL || areas == NULL) {
		perror("kill_messages: memory");
		return 1;
	}
	for (i = 0; i * KILLS_A_RUN < kills; i++)
		if (run(seed + i) != 0) {
			fprintf(stderr, "repeat with %s %llu\n", argv[0],
				(unsigned long long)(seed + i));
			return 1; /* what still lives dies with this process */
		}
	if (report(kills) != 0) {
		fprintf(stderr, "too few kills were in the middle of a message\n");
		return 1;
	}
	return 0;
}
