/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What bulk costs a control message: round trips of 48 bytes on an urgent channel
 * between two processes, idle and while another channel of the same link is kept
 * full, in rotated rounds of one run. Beside them the time of a step of bulk at
 * either end, which is what a control message may have to wait for, and the raw
 * cache line and the raw channel as limits.
 *
 * Aim: p99 under load at most the idle p99 and two steps.
 */

#include <nhn_clock.h>
#include <nhn_endpoint.h>
#include <nhn_histogram.h>

#include "duel.h"

#define CONTROL 0u
#define BULK 1u
#define CONTROL_BYTES 48u
#define BULK_BYTES (1u << 20)
#define REGION_BYTES (16u << 20)

enum contestant {
	LINE,	/* one word each way: the limit */
	IDLE,	/* control alone */
	LOADED, /* control, bulk to the reader */
	DUPLEX, /* control, bulk both ways */
	STEPS,	/* bulk both ways alone, each step timed at both ends */
	CONTESTANTS,
};

struct meeting {
	uint32_t turn __attribute__((aligned(64)));	/* begun by the writer, from 1 on */
	uint32_t ended __attribute__((aligned(64)));	/* by the writer: nothing more is begun */
	uint32_t quiet __attribute__((aligned(64)));	/* the reader sends nothing more in it */
	uint32_t sent;					/* bulk messages, by the reader */
	uint32_t received __attribute__((aligned(64))); /* bulk messages, by the reader */
	struct nhn_histogram step;			/* the reader's, of this round */
};

struct run {
	struct duel duel;
	struct meeting *meeting;
	struct nhn_link link;
	struct nhn_endpoint endpoint;
	struct nhn_clock clock;
	struct iovec bulk_memory; /* sent */
	struct iovec in_memory;	  /* received */
	struct iovec control_memory;
	struct nhn_msg_buffer bulk;
	struct nhn_msg_buffer control;
	uint8_t control_bytes[CONTROL_BYTES];
	uint32_t sent; /* bulk messages */
	uint32_t received;
	struct nhn_histogram round;
	struct nhn_histogram step; /* of bulk, of this round */
	struct nhn_histogram total[CONTESTANTS];
	struct nhn_histogram sends; /* steps of all rounds */
	struct nhn_histogram receives;
	double p99[CONTESTANTS][DUEL_ROUNDS_MAX];
	double two_steps[DUEL_ROUNDS_MAX];
};

static uint64_t
now_ns(void *context)
{
	const struct nhn_clock *clock = context;

	return nhn_clock_ns(clock, nhn_clock_now());
}

static bool
bulk_from(uint32_t who, enum nhn_role role)
{
	return who == DUPLEX || who == STEPS || (who == LOADED && role == NHN_ROLE_HOST);
}

/* ---- both sides ---- */

/* Keep a bulk message on its way. */
static void
bulk_keep(struct run *run)
{
	const struct nhn_message_head head = {.length = BULK_BYTES};
	struct nhn_msg_tx *tx = &run->endpoint.tx[BULK];

	if (!nhn_msg_busy(tx) && nhn_msg_sendv(tx, &head, &run->bulk_memory, 1) == -EINPROGRESS)
		run->sent++;
}

static void
bulk_receive(struct run *run)
{
	if (nhn_msg_receive(&run->endpoint.rx[BULK], &run->bulk) == 0)
		run->received++;
}

/* One poll and what it asks for; with a histogram its time is kept when bulk was moved. */
static bool
turn_of(struct run *run, struct nhn_histogram *step)
{
	uint64_t begin = step != NULL ? nhn_clock_now() : 0;
	uint32_t moved = run->endpoint.tx[BULK].filled + run->endpoint.tx[BULK].sent;
	int channel = nhn_endpoint_poll(&run->endpoint);

	if (channel == (int)BULK)
		bulk_receive(run);
	if (step != NULL && (channel == (int)BULK ||
			     moved != run->endpoint.tx[BULK].filled + run->endpoint.tx[BULK].sent))
		nhn_histogram_record(step, nhn_clock_ns(&run->clock, nhn_clock_now() - begin));
	return channel == (int)CONTROL;
}

/* ---- the reader answers ---- */

static bool
goes_on(const struct run *run, uint32_t turn)
{
	return nhn_load_acquire(&run->meeting->ended) != turn;
}

static void
line_answer(struct run *run, uint32_t turn)
{
	uint32_t value = nhn_link_probe_load(&run->link);

	nhn_link_probe_store(&run->link, value);
	while (goes_on(run, turn)) {
		uint32_t seen = nhn_link_probe_load(&run->link);

		if (seen != value)
			nhn_link_probe_store(&run->link, value = seen);
	}
}

static void
control_answer(struct run *run)
{
	if (nhn_msg_receive(&run->endpoint.rx[CONTROL], &run->control) == 0)
		while (nhn_msg_send(&run->endpoint.tx[CONTROL], &run->control.head,
				    run->control_bytes) != 0)
			;
}

static void
answer(struct run *run, uint32_t who, uint32_t turn)
{
	struct nhn_histogram *step = who == STEPS ? &run->meeting->step : NULL;

	while (goes_on(run, turn)) {
		if (bulk_from(who, NHN_ROLE_GUEST))
			bulk_keep(run);
		if (turn_of(run, step))
			control_answer(run);
	}
}

/* What is under way ends, so that the next round begins idle. */
static void
reader_rest(struct run *run, uint32_t turn)
{
	while (nhn_load_acquire(&run->meeting->turn) == turn) {
		turn_of(run, NULL);
		nhn_store_relaxed(&run->meeting->received, run->received);
		if (nhn_msg_busy(&run->endpoint.tx[BULK]))
			continue;
		nhn_store_relaxed(&run->meeting->sent, run->sent);
		nhn_store_release(&run->meeting->quiet, turn);
	}
}

static void
reader(struct run *run)
{
	uint32_t turn;

	for (turn = 1; turn <= run->duel.rounds * CONTESTANTS; turn++) {
		uint32_t who = duel_contestant(turn - 1, CONTESTANTS);

		while (nhn_load_acquire(&run->meeting->turn) != turn)
			turn_of(run, NULL);
		if (who == LINE)
			line_answer(run, turn);
		else
			answer(run, who, turn);
		reader_rest(run, turn);
	}
}

/* ---- the writer measures ---- */

static void
line_ask(struct run *run, struct nhn_histogram *rtt)
{
	uint32_t value = nhn_link_probe_load(&run->link);
	uint32_t i;

	for (i = 0; i < run->duel.messages; i++) {
		uint64_t begin = nhn_clock_now();

		nhn_link_probe_store(&run->link, ++value);
		while (nhn_link_probe_load(&run->link) != value)
			;
		nhn_histogram_record(rtt, nhn_clock_ns(&run->clock, nhn_clock_now() - begin));
		if (i % 1024 == 0)
			nhn_link_control(&run->link, now_ns(&run->clock));
	}
}

static void
control_ask(struct run *run, uint32_t who, struct nhn_histogram *rtt)
{
	struct nhn_message_head head = {.length = CONTROL_BYTES};
	uint32_t i;

	for (i = 0; i < run->duel.messages; i++) {
		uint64_t begin = nhn_clock_now();

		head.id = i;
		/* One at a time: there is room, but while the reader has lost its core for long. */
		while (nhn_msg_send(&run->endpoint.tx[CONTROL], &head, run->control_bytes) != 0)
			turn_of(run, NULL);
		do {
			if (bulk_from(who, NHN_ROLE_HOST))
				bulk_keep(run);
		} while (!turn_of(run, NULL) ||
			 nhn_msg_receive(&run->endpoint.rx[CONTROL], &run->control) != 0);
		nhn_histogram_record(rtt, nhn_clock_ns(&run->clock, nhn_clock_now() - begin));
	}
}

static void
steps_take(struct run *run)
{
	while (run->step.total < run->duel.messages) {
		bulk_keep(run);
		turn_of(run, &run->step);
	}
}

static void
writer_rest(struct run *run, uint32_t turn)
{
	nhn_store_release(&run->meeting->ended, turn);
	while (nhn_load_acquire(&run->meeting->quiet) != turn ||
	       nhn_msg_busy(&run->endpoint.tx[BULK]) ||
	       nhn_load_relaxed(&run->meeting->received) != run->sent ||
	       nhn_load_relaxed(&run->meeting->sent) != run->received)
		turn_of(run, NULL);
}

static uint64_t
percentile(const struct nhn_histogram *h, uint32_t numerator, uint32_t denominator)
{
	uint64_t low = 0;
	uint64_t high = 0;

	nhn_histogram_at_rank(h, nhn_histogram_rank(h->total, numerator, denominator), &low, &high);
	return low;
}

static double
percentile_99(const struct nhn_histogram *h)
{
	return (double)percentile(h, 99, 100);
}

static void
writer(struct run *run)
{
	uint32_t turn;

	for (turn = 1; turn <= run->duel.rounds * CONTESTANTS; turn++) {
		uint32_t who = duel_contestant(turn - 1, CONTESTANTS);
		uint32_t round = (turn - 1) / CONTESTANTS;

		nhn_histogram_init(&run->round);
		nhn_histogram_init(&run->step);
		nhn_histogram_init(&run->meeting->step);
		nhn_store_release(&run->meeting->turn, turn);
		if (who == STEPS)
			steps_take(run);
		else if (who == LINE)
			line_ask(run, &run->round);
		else
			control_ask(run, who, &run->round);
		writer_rest(run, turn);
		if (who == STEPS) {
			nhn_histogram_add(&run->sends, &run->step);
			nhn_histogram_add(&run->receives, &run->meeting->step);
			run->two_steps[round] =
				percentile_99(&run->step) + percentile_99(&run->meeting->step);
		} else {
			nhn_histogram_add(&run->total[who], &run->round);
			run->p99[who][round] = percentile_99(&run->round);
		}
	}
	nhn_store_release(&run->meeting->turn, turn);
}

/* ---- report ---- */

static void
row(const char *name, const struct nhn_histogram *h)
{
	printf("%-44s %8llu %8llu %8llu %10llu\n", name, (unsigned long long)percentile(h, 1, 2),
	       (unsigned long long)percentile(h, 99, 100),
	       (unsigned long long)percentile(h, 999, 1000), (unsigned long long)h->total);
}

/* Of a round: by how much the load lifts p99, over what two steps of that round take. */
static void
verdict(struct run *run, uint32_t who, const char *name)
{
	static double part[DUEL_ROUNDS_MAX];
	uint32_t met = 0;
	uint32_t i;

	for (i = 0; i < run->duel.rounds; i++) {
		part[i] = (run->p99[who][i] - run->p99[IDLE][i]) / run->two_steps[i];
		met += part[i] <= 1;
	}
	duel_print(name, part, run->duel.rounds, "x");
	printf("%34s at most 1 in %u of %u rounds\n", "", met, run->duel.rounds);
}

static void
report(struct run *run)
{
	printf("%u rounds, cores %d and %d; bulk: messages of %u bytes\n", run->duel.rounds,
	       run->duel.core[0], run->duel.core[1], BULK_BYTES);
	printf("%-44s %8s %8s %8s %10s\n", "ns", "p50", "p99", "p99.9", "N");
	row("cache line, there and back", &run->total[LINE]);
	row("control round trip, 48 bytes, idle", &run->total[IDLE]);
	row("control round trip, bulk one way", &run->total[LOADED]);
	row("control round trip, bulk both ways", &run->total[DUPLEX]);
	row("a step of bulk at this end", &run->sends);
	row("a step of bulk at the far end", &run->receives);
	printf("(p99 under load - p99 idle) / (p99 of a step here + p99 of a step there), a "
	       "round:\n");
	verdict(run, LOADED, "bulk one way");
	verdict(run, DUPLEX, "bulk both ways");
}

static void
side_begin(struct run *run, enum nhn_role role, void *memory)
{
	struct nhn_layout layout;

	nhn_layout_uniform(&layout, 2, NHN_USE_MSG, 1024, 65536);
	layout.entry[BULK].data_bytes = 1u << 20;
	layout.entry[BULK].priority = 1;
	run->bulk_memory.iov_base = calloc(1, BULK_BYTES);
	run->bulk_memory.iov_len = BULK_BYTES;
	run->in_memory.iov_base = calloc(1, BULK_BYTES);
	run->in_memory.iov_len = BULK_BYTES;
	run->control_memory.iov_base = run->control_bytes;
	run->control_memory.iov_len = CONTROL_BYTES;
	if (run->bulk_memory.iov_base == NULL || run->in_memory.iov_base == NULL)
		abort();
	nhn_msg_buffer_init(&run->bulk, &run->in_memory, 1);
	nhn_msg_buffer_init(&run->control, &run->control_memory, 1);
	duel_pin(&run->duel, role == NHN_ROLE_HOST ? 0 : 1);
	duel_link_up(&run->link, role, &layout, memory, REGION_BYTES);
	nhn_endpoint_init(&run->endpoint, &run->link, now_ns, &run->clock);
}

int
main(int argc, char **argv)
{
	static struct run run = {
		.duel = {.name = "priority", .rounds = 31, .messages = 20000, .core = {0, 1}}};
	void *memory;
	pid_t child;
	uint32_t who;

	duel_options(&run.duel, "Round trips of control messages, idle and under bulk.", argc,
		     argv);
	memory = duel_memory(&run.duel, REGION_BYTES);
	run.meeting = duel_memory(&run.duel, sizeof(*run.meeting));
	if (nhn_clock_init(&run.clock) != 0) {
		fprintf(stderr, "priority: this machine's clock cannot be calibrated\n");
		return 1;
	}
	for (who = 0; who < CONTESTANTS; who++)
		nhn_histogram_init(&run.total[who]);
	nhn_histogram_init(&run.sends);
	nhn_histogram_init(&run.receives);
	child = duel_fork(&run.duel);
	if (child == 0) {
		side_begin(&run, NHN_ROLE_GUEST, memory);
		reader(&run);
		_exit(0);
	}
	side_begin(&run, NHN_ROLE_HOST, memory);
	writer(&run);
	waitpid(child, NULL, 0);
	report(&run);
	return 0;
}
