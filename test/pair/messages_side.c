/* SPDX-License-Identifier: BSD-3-Clause */
/* One side of two that send each other messages of all kinds: it sends whenever it can, and
 * checks that each message is whole, is in order and comes once. */

#include <errno.h>

#include <nhn_rpc.h>

#include "messages_ledger.h"
#include "pattern.h"
#include "process.h"

#define REGION_BYTES (1u << 20)
#define BULK_DATA 16384u
#define BULK_LONGEST (4 * BULK_DATA)
#define CALL_DATA 4096u
#define CALL_LONGEST (3 * CALL_DATA)
#define PACK_BYTES 24u
#define PACK_MOST 40u
#define OPEN_CALLS 8u
#define IDLE_POLLS 64u
#define NONE UINT32_MAX

struct a_call {
	struct nhn_rpc_call call;
	struct iovec request;
	struct iovec reply;
	uint32_t number;
	bool open;
	uint8_t out[CALL_LONGEST + 4];
	uint8_t in[CALL_LONGEST];
};

static struct {
	struct nhn_link link;
	struct nhn_endpoint endpoint;
	struct nhn_rpc_client client;
	struct nhn_rpc_slot slots[OPEN_CALLS];
	struct nhn_rpc_server server;
	struct messages_ledger *ledger;
	struct messages_status *own, *peer;
	uint32_t role;
	uint64_t random;
	uint32_t next[MESSAGES_CHANNELS]; /* that must come, NONE: any that is not older */
	uint32_t idle;
	uint64_t deadline_ns;
	bool failed;
	struct a_call calls[OPEN_CALLS];
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	struct iovec reply;
	uint8_t bulk_out[BULK_LONGEST];
	uint8_t bulk_in[BULK_LONGEST];
	uint8_t request[CALL_LONGEST + 4];
	uint8_t answer[CALL_LONGEST];
} side;

static void
check(bool holds, int line)
{
	if (!holds && !side.failed) {
		side.failed = true; /* the first failure is kept */
		nhn_store_release(&side.own->failed, (uint32_t)line);
	}
}

#define CHECK(what) check(what, __LINE__)

/* ---- what a message is, by its number ---- */

static uint64_t
seed_of(uint32_t role, uint32_t channel)
{
	return 100 * role + channel;
}

/* Take the number before it is used: a life that ends in between uses it up. */
static uint32_t
number_take(uint32_t channel)
{
	uint32_t number = side.own->out[channel];

	nhn_store_release(&side.own->out[channel], number + 1);
	return number;
}

/* Nothing was sent under it. */
static void
number_give(uint32_t channel)
{
	nhn_store_release(&side.own->out[channel], side.own->out[channel] - 1);
}

/* In order, none left out but at a restart, none twice in any life. */
static void
number_came(uint32_t channel, uint32_t number)
{
	CHECK(number >= side.own->in[channel]);
	CHECK(side.next[channel] == NONE || side.next[channel] == number);
	CHECK(number < nhn_load_acquire(&side.peer->out[channel]));
	side.next[channel] = number + 1;
	nhn_store_release(&side.own->in[channel], number + 1);
	nhn_store_release(&side.own->taken[channel], side.own->taken[channel] + 1);
}

/* ---- bulk ---- */

static bool
bulk_send(void)
{
	struct nhn_msg_tx *tx = &side.endpoint.tx[BULK];
	struct nhn_message_head head = {.type = (uint16_t)side.role};
	uint64_t seed = seed_of(side.role, BULK);
	int ret;

	if (nhn_msg_busy(tx))
		return false;
	head.id = number_take(BULK);
	head.length = pattern_length(seed, head.id, BULK_LONGEST);
	pattern_fill(side.bulk_out, head.length, seed, head.id);
	ret = nhn_msg_send(tx, &head, side.bulk_out);
	if (ret == 0 || ret == -EINPROGRESS)
		return true;
	CHECK(ret == -EAGAIN || ret == -ENOTCONN);
	number_give(BULK);
	return false;
}

static void
bulk_check(void)
{
	const struct nhn_message_head *head = &side.buffer.head;
	uint64_t seed = seed_of(3 - side.role, BULK);

	CHECK(head->type == 3 - side.role && head->flags == 0);
	CHECK(head->length == pattern_length(seed, head->id, BULK_LONGEST));
	CHECK(pattern_matches(side.bulk_in, head->length, seed, head->id));
	number_came(BULK, head->id);
}

static void
bulk_receive(void)
{
	int ret = nhn_msg_receive(&side.endpoint.rx[BULK], &side.buffer);

	if (ret == 0)
		bulk_check();
	else if (ret == -ESTALE)
		side.next[BULK] = NONE;
	else
		CHECK(ret == -EINPROGRESS || ret == -EAGAIN);
}

/* ---- packs ---- */

static bool
packs_send(void)
{
	uint8_t run[PACK_MOST * PACK_BYTES];
	uint64_t seed = seed_of(side.role, PACKS);
	uint32_t count = 1 + pattern_below(&side.random, PACK_MOST);
	uint32_t first = side.own->out[PACKS];
	uint32_t sent, i;

	for (i = 0; i < count; i++) {
		uint32_t number = first + i;

		memcpy(run + (size_t)i * PACK_BYTES, &number, 4);
		pattern_fill(run + (size_t)i * PACK_BYTES + 4, PACK_BYTES - 4, seed, number);
	}
	nhn_store_release(&side.own->out[PACKS], first + count);
	sent = nhn_msg_send_packed(&side.endpoint.tx[PACKS], 7, run, PACK_BYTES, count);
	nhn_store_release(&side.own->out[PACKS], first + sent);
	return sent != 0;
}

static void
pack_check(const struct nhn_message_head *head, const uint8_t *bytes)
{
	uint32_t number;

	CHECK(head->length == PACK_BYTES && head->type == 7 && head->flags == 0);
	memcpy(&number, bytes, 4);
	CHECK(pattern_matches(bytes + 4, PACK_BYTES - 4, seed_of(3 - side.role, PACKS), number));
	number_came(PACKS, number);
}

static void
packs_receive(void)
{
	struct nhn_msg_rx *rx = &side.endpoint.rx[PACKS];
	struct nhn_msg_piece pieces[3];
	int count = nhn_msg_peek(rx, pieces, 3);
	int i;

	for (i = 0; i < count; i++)
		for (uint32_t j = 0; j < pieces[i].messages; j++)
			pack_check(&pieces[i].head, pieces[i].data + (size_t)j * PACK_BYTES);
	if (count == -ESTALE)
		side.next[PACKS] = NONE;
	CHECK(count >= 0 || count == -ESTALE);
	CHECK(nhn_msg_release(rx) == 0);
}

/* ---- calls ---- */

static uint32_t
reply_length(uint64_t seed, uint32_t number)
{
	return pattern_length(~seed, number, CALL_LONGEST);
}

static void
call_done(struct nhn_rpc_call *call)
{
	struct a_call *mine = call->context;
	uint64_t seed = seed_of(side.role, side.role - 1);

	mine->open = false;
	if (call->result == -ECONNRESET)
		return;
	CHECK(call->result == 0);
	CHECK(call->status == (uint16_t)mine->number);
	CHECK(call->length == reply_length(seed, mine->number));
	CHECK(pattern_matches(mine->in, call->length, ~seed, mine->number));
	nhn_store_release(&side.own->taken[side.role - 1], side.own->taken[side.role - 1] + 1);
}

static bool
call_begin(struct a_call *mine)
{
	uint32_t channel = side.role - 1;
	uint64_t seed = seed_of(side.role, channel);
	uint32_t length;
	int ret;

	mine->number = number_take(channel);
	length = pattern_length(seed, mine->number, CALL_LONGEST);
	memcpy(mine->out, &mine->number, 4);
	pattern_fill(mine->out + 4, length, seed, mine->number);
	mine->request = (struct iovec){mine->out, length + 4};
	mine->reply = (struct iovec){mine->in, CALL_LONGEST};
	mine->call = (struct nhn_rpc_call){
		.type = 1,
		.request = &mine->request,
		.requests = 1,
		.reply = &mine->reply,
		.replies = 1,
		.deadline_ns = NHN_NEVER_NS,
		.done = call_done,
		.context = mine,
	};
	ret = nhn_rpc_client_call(&side.client, &mine->call);
	mine->open = ret == 0;
	if (mine->open)
		return true;
	CHECK(ret == -EAGAIN || ret == -ENOTCONN);
	number_give(channel);
	return false;
}

static bool
calls_begin(void)
{
	uint32_t i;

	for (i = 0; i < OPEN_CALLS; i++)
		if (!side.calls[i].open)
			return call_begin(&side.calls[i]);
	return false;
}

/* The reader's pairing tells the server of a restart: no -ESTALE comes to a program. */
static int
serve(void *context, const struct nhn_rpc_request *request, struct nhn_rpc_reply *reply)
{
	static uint64_t pairing;
	const uint32_t channel = 2 - side.role;
	const uint64_t seed = seed_of(3 - side.role, channel);
	uint32_t number, length;

	(void)context;
	CHECK(request->length >= 4 && request->type == 1);
	memcpy(&number, request->data, 4);
	length = pattern_length(seed, number, CALL_LONGEST);
	CHECK(request->length == length + 4);
	CHECK(pattern_matches((const uint8_t *)request->data + 4, length, seed, number));
	if (pairing != request->token.pairing)
		side.next[channel] = NONE;
	pairing = request->token.pairing;
	number_came(channel, number);
	side.reply.iov_base = side.answer;
	side.reply.iov_len = reply_length(seed, number);
	pattern_fill(side.answer, (uint32_t)side.reply.iov_len, ~seed, number);
	*reply = (struct nhn_rpc_reply){(uint16_t)number, &side.reply, 1};
	return 0;
}

/* ---- the loop ---- */

static uint64_t
now(void *context)
{
	(void)context;
	return process_now_ns();
}

static bool
begin_something(void)
{
	if (nhn_load_acquire(&side.ledger->stop))
		return false;
	switch (pattern_below(&side.random, 4)) {
	case 0:
		return calls_begin();
	case 1:
		return packs_send();
	default:
		return bulk_send();
	}
}

/* All that the peer sent is here, and nothing of the own is under way. */
static void
settle(void)
{
	uint32_t channel;

	if (!nhn_load_acquire(&side.ledger->stop) || side.client.open != 0 ||
	    nhn_endpoint_pending(&side.endpoint))
		return;
	for (channel = PACKS; channel <= BULK; channel++)
		if (side.own->in[channel] != nhn_load_acquire(&side.peer->out[channel]))
			return;
	nhn_store_release(&side.own->settled, 1);
}

static void
receive(int channel)
{
	if (channel == PACKS)
		packs_receive();
	else if (channel == BULK)
		bulk_receive();
	else
		CHECK(channel == -EAGAIN || channel == -EINPROGRESS);
}

static void
rest(void)
{
	nhn_endpoint_control(&side.endpoint);
	CHECK(nhn_link_state(&side.link) != NHN_LINK_BROKEN);
	CHECK(process_now_ns() < side.deadline_ns);
	settle();
	process_rest_us(1); /* the peer may need this CPU */
}

static void
loop(void)
{
	while (!side.failed &&
	       !(nhn_load_acquire(&side.own->settled) && nhn_load_acquire(&side.peer->settled))) {
		int channel = nhn_endpoint_poll(&side.endpoint);
		bool busy = channel != -EAGAIN;

		receive(channel);
		busy |= begin_something();
		side.idle = busy ? 0 : side.idle + 1;
		if (side.idle > IDLE_POLLS)
			rest();
	}
	CHECK(side.client.late == 0 && side.client.strange == 0 && side.server.strange == 0);
	CHECK(side.client.refused == 0 && side.server.refused == 0);
}

static void
layout(struct nhn_layout *table)
{
	uint32_t i;

	nhn_layout_uniform(table, MESSAGES_CHANNELS, NHN_USE_MSG, 64, CALL_DATA);
	for (i = 0; i < MESSAGES_CHANNELS; i++)
		table->entry[i].priority = (uint8_t)i;
	table->entry[PACKS].data_bytes = 0;
	table->entry[BULK].data_bytes = BULK_DATA;
}

static int
side_begin(const struct nhn_region *region, enum nhn_role role)
{
	struct nhn_link_config config;
	struct nhn_refusal refusal;
	int ret;

	memset(&config, 0, sizeof(config));
	nhn_link_joint(&config, role, region->base, region->length);
	layout(&config.layout);
	config.use = NHN_USE_MSG;
	config.random = (uint32_t)process_now_ns();
	config.beat_period_us = 1000000; /* a loaded machine is no subject here */
	ret = nhn_link_init(&side.link, &config, &refusal);
	if (ret != 0)
		return ret;
	nhn_endpoint_init(&side.endpoint, &side.link, now, NULL);
	nhn_rpc_server_init(&side.server, &side.endpoint, 2 - side.role, serve, NULL, side.request,
			    sizeof(side.request));
	side.vector = (struct iovec){side.bulk_in, BULK_LONGEST};
	nhn_msg_buffer_init(&side.buffer, &side.vector, 1);
	return nhn_rpc_client_init(&side.client, &side.endpoint, side.role - 1, side.slots,
				   OPEN_CALLS);
}

int
messages_side_run(struct messages_ledger *ledger, enum nhn_role role, const char *path)
{
	struct nhn_region region;
	int ret;

	memset(&side, 0, sizeof(side));
	memset(side.next, 0xff, sizeof(side.next));
	side.ledger = ledger;
	side.role = (uint32_t)role;
	side.own = &ledger->status[role - 1];
	side.peer = &ledger->status[2 - role];
	side.random = process_now_ns();
	side.deadline_ns = process_now_ns() + (uint64_t)MESSAGES_SECONDS * 1000000000u;
	process_pin(role);
	do /* -EAGAIN: the peer is just giving the file its size */
		ret = process_region_open(&region, role, path, REGION_BYTES);
	while (ret == -EAGAIN && process_now_ns() < side.deadline_ns);
	CHECK(ret == 0);
	if (ret != 0)
		return 1;
	CHECK(side_begin(&region, role) == 0);
	loop();
	nhn_link_finish(&side.link);
	nhn_region_close(&region);
	return side.failed ? 1 : 0;
}
