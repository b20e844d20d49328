/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "victim.h"

struct hostile_call victim_calls[VICTIM_CALLS] = {
	[CALL_RESERVE] = {.name = "reserve", .bound = "inline: 1 word, the cursor of cells"},
	[CALL_RESERVE_LONG] = {.name = "reserve long", .bound = "2 words, both cursors"},
	[CALL_COMMIT] = {.name = "commit", .bound = "none"},
	[CALL_BURST] = {.name = "burst of n",
			.bound = "2 words for each message sent and one more, 2 n at most"},
	[CALL_PEEK] = {.name = "peek of n",
		       .bound = "a commit word for each message found and one "
				"more, n at most; a copy for each DESC"},
	[CALL_RELEASE] = {.name = "release", .bound = "the commit words of the cells held"},
	[CALL_NEXT] = {.name = "next", .bound = "a commit word; a copy for a DESC"},
	[CALL_READ] = {.name = "read", .bound = "a commit word"},
	[CALL_END] = {.name = "end", .bound = "none"},
	[CALL_IDLE] = {.name = "idle",
		       .bound = "a commit word, and one of a long cell's first line"},
	[CALL_METADATA] = {.name = "metadata", .bound = "1 copy"},
};

struct victim_reached victim_reached;

#define LONGEST 65536u /* a header may lie of any ring that fits the area */

/* What a program sends, and where it copies what it receives: its own memory,
 * which a sanitizer guards. */
static uint8_t source[LONGEST];
static uint8_t sink[LONGEST];

static uint32_t
length_any(struct hostile *h, const struct nhn_tx *tx)
{
	switch (hostile_below(h, 8)) {
	case 0:
		return tx->data_bytes / 2 + hostile_below(h, 3) - 1;
	case 1:
	case 2:
		return hostile_below(h, tx->data_bytes / 2 + 1);
	case 3:
		return tx->inline_bytes + hostile_below(h, 3) - 1;
	default:
		return hostile_below(h, tx->inline_bytes + 1u);
	}
}

static void
send_one(struct hostile *h, struct nhn_tx *tx)
{
	uint32_t length = length_any(h, tx);
	bool inlined = length <= tx->inline_bytes;
	uint8_t *body;

	hostile_enter(h);
	body = nhn_tx_reserve(tx, length);
	hostile_leave(h, &victim_calls[inlined ? CALL_RESERVE : CALL_RESERVE_LONG],
		      (struct hostile_bound){.loads = inlined ? 1 : 2});
	if (body == NULL) {
		victim_reached.full++;
		return;
	}
	memset(body, 0x33, length);
	hostile_enter(h);
	nhn_tx_commit(tx, body, length);
	hostile_leave(h, &victim_calls[CALL_COMMIT], (struct hostile_bound){.loads = 0});
	victim_reached.sent++;
}

static void
send_burst(struct hostile *h, struct nhn_tx *tx)
{
	static struct nhn_slice slices[VICTIM_BURST];
	uint32_t count = hostile_chance(h, 16) ? VICTIM_BURST : hostile_below(h, 40);
	uint32_t i, sent;

	for (i = 0; i < count; i++) {
		uint32_t length = length_any(h, tx);

		slices[i].data = source;
		slices[i].length = length <= LONGEST ? length : 0;
	}
	hostile_enter(h);
	sent = nhn_tx_burst(tx, slices, count);
	hostile_leave(h, &victim_calls[CALL_BURST],
		      (struct hostile_bound){.loads = 2 * (sent + (sent < count))});
	hostile_check(h, sent <= count);
	victim_reached.sent += sent;
	victim_reached.full += sent < count;
}

void
victim_send(struct hostile *h, struct nhn_tx *tx)
{
	if (hostile_chance(h, 4))
		send_burst(h, tx);
	else
		send_one(h, tx);
	hostile_check(h, (int32_t)(tx->limit - tx->tail) <= (int32_t)tx->cell_count);
	hostile_check(h, tx->data_limit - tx->data_tail <= tx->data_bytes);
}

/* ---- receive ---- */

/* Copied whole: a byte outside is on a page without access, or not in the ring. */
static void
read_view(struct hostile *h, const struct nhn_rx *rx, const struct nhn_view *view)
{
	const uint8_t *cells = rx->cells;
	const uint8_t *ring = cells + ((size_t)rx->cell_count * rx->cell_bytes);
	const uint8_t *from;

	hostile_check(h, view->length <= LONGEST);
	h->inside = true;
	from = nhn_foreign_lend(view->data);
	h->inside = false;
	if (from < ring) {
		size_t place = (size_t)(from - cells) & (rx->cell_bytes - 1u);

		hostile_check(h, from >= cells && place == 0);
		hostile_check(h, view->length <= rx->inline_bytes);
	} else {
		hostile_check(h, view->length != 0 && view->length <= rx->data_bytes / 2);
		hostile_check(h, (size_t)(from - ring) + view->length <= rx->data_bytes);
		victim_reached.described++;
	}
	memcpy(sink, from, view->length);
	victim_reached.delivered++;
}

static void
read_metadata(struct hostile *h, const struct nhn_rx *rx, const struct nhn_view *view)
{
	struct nhn_frame_metadata copy;

	if (rx->inline_bytes != nhn_inline_bytes(NHN_USE_ETHERNET, 128))
		return;
	hostile_enter(h);
	nhn_foreign_copy(&copy, nhn_rx_metadata(rx, view), sizeof(copy));
	hostile_leave(h, &victim_calls[CALL_METADATA], (struct hostile_bound){.copies = 1});
}

static int
peek(struct hostile *h, struct nhn_rx *rx, struct nhn_view *views, uint32_t count)
{
	uint32_t head = rx->head;
	uint32_t found;
	int answer;

	hostile_enter(h);
	answer = nhn_rx_peek(rx, views, count);
	found = answer > 0 ? (uint32_t)answer : 0;
	hostile_check(h, found <= count && rx->head - head == found);
	hostile_check(h, h->loads == found + (found < count));
	hostile_leave(h, &victim_calls[CALL_PEEK],
		      (struct hostile_bound){.loads = found + (found < count),
					     .copies = found + (found < count)});
	hostile_check(h, rx->data_head - rx->data_released <= rx->data_bytes);
	if (answer < 0) {
		hostile_check(h, answer == -ESTALE);
		victim_reached.stale++;
	}
	if (found > victim_reached.burst_most)
		victim_reached.burst_most = found;
	if (rx->head - rx->released > victim_reached.held_most)
		victim_reached.held_most = rx->head - rx->released;
	return answer;
}

void
victim_release(struct hostile *h, struct nhn_rx *rx)
{
	uint32_t held = rx->head - rx->released;

	hostile_enter(h);
	if (nhn_rx_release(rx) != 0)
		victim_reached.overrun++;
	hostile_check(h, h->loads == held);
	hostile_leave(h, &victim_calls[CALL_RELEASE], (struct hostile_bound){.loads = held});
	hostile_check(h, !nhn_rx_holds(rx) && rx->data_released == rx->data_head);
}

static bool
run_next(struct hostile *h, struct nhn_rx_run *run, struct nhn_view *view)
{
	bool there;

	hostile_enter(h);
	there = nhn_rx_next(run, view);
	hostile_check(h, h->loads == 1);
	hostile_leave(h, &victim_calls[CALL_NEXT], (struct hostile_bound){.loads = 1, .copies = 1});
	hostile_check(h, run->rx->data_head - run->rx->data_released <= run->rx->data_bytes);
	return there;
}

static void
run_read(struct hostile *h, struct nhn_rx_run *run)
{
	hostile_enter(h);
	nhn_rx_read(run);
	hostile_leave(h, &victim_calls[CALL_READ], (struct hostile_bound){.loads = 1});
}

/* Whatever became of the messages, nothing is held afterwards. */
static void
run_end(struct hostile *h, const struct nhn_rx_run *run, bool empty)
{
	const struct nhn_rx *rx = run->rx;
	int answer;

	hostile_enter(h);
	answer = nhn_rx_end(run);
	hostile_leave(h, &victim_calls[CALL_END], (struct hostile_bound){.loads = 0});
	hostile_check(h, answer == 0 || answer == -ESTALE);
	hostile_check(h, !nhn_rx_holds(rx) && rx->data_released == rx->data_head);
	if (answer != 0 && empty)
		victim_reached.stale++;
	else if (answer != 0)
		victim_reached.overrun++;
}

static void
receive_run(struct hostile *h, struct nhn_rx *rx, uint32_t most)
{
	struct nhn_rx_run run = nhn_rx_begin(rx);
	struct nhn_view view;
	uint32_t got;

	for (got = 0; got < most && run_next(h, &run, &view); got++) {
		read_metadata(h, rx, &view);
		read_view(h, rx, &view);
		run_read(h, &run);
	}
	run_end(h, &run, got == 0);
}

static void
poll_idle(struct hostile *h, struct nhn_rx *rx)
{
	hostile_enter(h);
	nhn_rx_idle(rx);
	hostile_leave(h, &victim_calls[CALL_IDLE],
		      (struct hostile_bound){.loads = rx->cell_bytes == NHN_LINE_BYTES ? 1 : 2});
}

void
victim_receive(struct hostile *h, struct nhn_rx *rx)
{
	static struct nhn_view views[VICTIM_BURST];
	uint32_t count = hostile_chance(h, 16) ? VICTIM_BURST : hostile_below(h, 9);
	int found, i;

	if (hostile_chance(h, 4))
		poll_idle(h, rx);
	if (!nhn_rx_holds(rx) && hostile_chance(h, 2)) {
		receive_run(h, rx, count);
		return;
	}
	found = peek(h, rx, views, count);

	for (i = 0; i < found; i++) {
		read_metadata(h, rx, &views[i]);
		read_view(h, rx, &views[i]);
	}
	if (!hostile_chance(h, 4))
		victim_release(h, rx);
}

void
victim_reached_print(void)
{
	printf("  %" PRIu64 " messages sent, %" PRIu64 " reserves without room, %" PRIu64
	       " messages read (%" PRIu64 " by descriptor), %" PRIu64 " in one peek and %" PRIu64
	       " held at most, %" PRIu64 " times -ESTALE, %" PRIu64 " releases refused\n",
	       victim_reached.sent, victim_reached.full, victim_reached.delivered,
	       victim_reached.described, victim_reached.burst_most, victim_reached.held_most,
	       victim_reached.stale, victim_reached.overrun);
}
