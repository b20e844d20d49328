/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "program_msg.h"

struct program_reached program_reached;
const int program_results[7] = {0,	   -ETIMEDOUT,	-ECANCELED,  -ECONNRESET,
				-EMSGSIZE, -EOPNOTSUPP, -EINPROGRESS};

static uint8_t source[50000];

static struct hostile *
hostile_of(struct program *program)
{
	return &program->victim->hostile;
}

/* Memory that nobody may write to any more is as it was; nor a byte beside any. One of them
 * a turn, and each before it is laid out anew. */
static void
memory_check(struct program *program)
{
	struct hostile *h = hostile_of(program);
	uint32_t which = hostile_below(h, PROGRAM_CALLS + 2);

	if (which < PROGRAM_CALLS)
		hostile_check(h, guarded_whole(&program->call[which].memory));
	else if (which == PROGRAM_CALLS)
		hostile_check(h, guarded_whole(&program->memory));
	else
		hostile_check(h, guarded_whole(&program->server_memory));
}

/* ---- client ---- */

static void
call_ended(struct program_call *call)
{
	uint32_t i;

	call->open = false;
	guarded_end(&call->memory);
	for (i = 0; i < 7; i++)
		program_reached.ends[i] += call->call.result == program_results[i];
}

static void
call_done(struct nhn_rpc_call *call)
{
	call_ended(call->context);
}

int
program_call(struct program *program, uint32_t index, uint32_t request, uint32_t reply,
	     uint64_t deadline_ns)
{
	struct program_call *call = &program->call[index];
	int ret;

	hostile_check(hostile_of(program), guarded_whole(&call->memory));
	memset(&call->call, 0, sizeof(call->call));
	guarded_init(&call->memory, reply, index);
	call->request.iov_base = source;
	call->request.iov_len = request;
	call->call.type = 1;
	call->call.request = &call->request;
	call->call.requests = 1;
	call->call.reply = call->memory.vector;
	call->call.replies = GUARDED_PARTS;
	call->call.deadline_ns = deadline_ns;
	call->call.done = call_done;
	call->call.context = call;
	ret = msg_rpc_call(hostile_of(program), &program->client, &call->call);
	call->open = ret == 0;
	if (ret != 0)
		guarded_end(&call->memory);
	return ret;
}

static void
client_turn(struct program *program)
{
	struct hostile *h = hostile_of(program);
	uint32_t index = hostile_below(h, PROGRAM_CALLS);
	struct program_call *call = &program->call[index];
	uint64_t deadline = program->victim->now_ns + hostile_below(h, 50000000);

	if (!call->open) {
		program_call(program, index, hostile_below(h, hostile_chance(h, 4) ? 20000 : 60),
			     hostile_below(h, 2000), hostile_below(h, 2) ? NHN_NEVER_NS : deadline);
	} else if (hostile_chance(h, 20)) {
		nhn_rpc_client_cancel(&program->client, &call->call);
		hostile_check(h, call->call.result == -ECANCELED);
		call_ended(call);
	}
}

/* ---- server ---- */

static int
serve(void *context, const struct nhn_rpc_request *request, struct nhn_rpc_reply *reply)
{
	struct program *program = context;
	struct hostile *h = hostile_of(program);

	hostile_check(h, request->length <= program->server.memory.iov_len);
	program->reply.iov_base = source;
	program->reply.iov_len = hostile_below(h, hostile_chance(h, 4) ? 20000 : 60);
	if (program->honest) {
		program->reply.iov_base = program->server.memory.iov_base;
		program->reply.iov_len = request->length;
	} else if (program->laters < PROGRAM_LATER && hostile_chance(h, 4)) {
		program->later[program->laters++] = request->token;
		return -EINPROGRESS;
	}
	reply->status = request->type;
	reply->vector = &program->reply;
	reply->vectors = 1;
	return 0;
}

static void
server_turn(struct program *program)
{
	static struct iovec vector = {.iov_base = source};
	const struct nhn_rpc_reply reply = {.vector = &vector, .vectors = 1};
	int ret;

	if (program->laters == 0 || nhn_msg_busy(&program->endpoint.tx[program->server.channel]))
		return;
	vector.iov_len = hostile_below(hostile_of(program), 3000);
	ret = nhn_rpc_server_reply(&program->server, &program->later[program->laters - 1], &reply);
	if (ret != -EAGAIN)
		program->laters--;
}

/* ---- the program's own channel ---- */

static void
buffer_begin(struct program *program)
{
	guarded_init(&program->memory, 200 + hostile_below(hostile_of(program), 3000), 1);
	nhn_msg_buffer_init(&program->buffer, program->memory.vector, GUARDED_PARTS);
}

static void
receive(struct program *program)
{
	struct nhn_msg_rx *rx = &program->endpoint.rx[0];
	int ret = msg_receive(hostile_of(program), rx, &program->buffer);

	if (ret == -EINPROGRESS || ret == -EAGAIN)
		return;
	program_reached.received += ret == 0;
	program_reached.too_long += ret == -EMSGSIZE;
	program_reached.aborted += ret == -ECANCELED;
	program_reached.stale += ret == -ESTALE;
	if (ret == -EMSGSIZE)
		msg_skip(hostile_of(program), rx);
	hostile_check(hostile_of(program), guarded_whole(&program->memory));
	buffer_begin(program);
}

/* Read where they lie: each byte is in the ring. */
static void
pieces_read(struct program *program, const struct nhn_msg_piece *pieces, int count)
{
	static uint8_t sink[16384];
	struct hostile *h = hostile_of(program);
	int i;

	for (i = 0; i < count; i++) {
		const struct nhn_msg_piece *piece = &pieces[i];
		bool one = piece->messages == 1;

		hostile_check(h, piece->length <= sizeof(sink) && piece->messages != 0);
		hostile_check(h, !one || (uint64_t)piece->offset + piece->length <=
						 piece->head.length);
		hostile_check(h, one || piece->messages * piece->head.length == piece->length);
		hostile_check(h, (piece->head.flags & ~15u) == 0);
		memcpy(sink, nhn_foreign_lend(piece->data), piece->length);
		program_reached.pieces++;
		program_reached.packed += !one;
	}
}

static void
peek(struct program *program)
{
	static struct nhn_msg_piece pieces[40];
	struct nhn_msg_rx *rx = &program->endpoint.rx[0];
	struct hostile *h = hostile_of(program);
	int count = msg_peek(h, rx, pieces, hostile_below(h, 41));

	program_reached.stale += count == -ESTALE;
	pieces_read(program, pieces, count);
	msg_release(h, rx);
	program->peeking = rx->begun;
}

/* Back to where it came from. */
static void
relay(struct program *program)
{
	struct nhn_msg_rx *rx = &program->endpoint.rx[0];
	struct nhn_msg_tx *tx = &program->endpoint.tx[0];
	struct hostile *h = hostile_of(program);
	int ret = msg_relay(h, rx, tx, 5);

	program_reached.relayed += ret == 0;
	program_reached.stale += ret == -ESTALE;
	if ((ret == -EAGAIN || ret == -ENOTCONN) && hostile_chance(h, 10))
		nhn_msg_relay_cancel(rx, tx);
	program->relaying = rx->begun || rx->holding;
}

static void
read_turn(struct program *program)
{
	struct nhn_msg_rx *rx = &program->endpoint.rx[0];
	struct hostile *h = hostile_of(program);
	struct nhn_message_head head;

	if (program->peeking || (!rx->holding && !rx->begun && hostile_chance(h, 2)))
		peek(program);
	else if (program->relaying || (!rx->holding && !rx->begun && hostile_chance(h, 3)))
		relay(program);
	else if (hostile_chance(h, 8) && msg_front(h, rx, &head) == 0)
		msg_skip(h, rx);
	else
		receive(program);
}

static void
send_turn(struct program *program)
{
	struct nhn_msg_tx *tx = &program->endpoint.tx[0];
	struct hostile *h = hostile_of(program);
	struct nhn_message_head head = {.id = 1};
	void *place;

	switch (hostile_below(h, 8)) {
	case 0:
		program_reached.sent += msg_send_packed(h, tx, 1 + hostile_below(h, 60), 40);
		break;
	case 1:
		program_reached.cancelled += nhn_msg_busy(tx) && hostile_chance(h, 4);
		if (hostile_chance(h, 4))
			nhn_msg_cancel(tx);
		break;
	case 2:
		head.length = hostile_below(h, 300);
		place = nhn_msg_reserve(tx, head.length);
		if (place != NULL)
			nhn_msg_commit(tx, &head, memset(place, 1, head.length));
		break;
	case 3:
		nhn_msg_watermarks(tx);
		msg_send_step(h, tx);
		break;
	default:
		head.length = hostile_below(h, hostile_chance(h, 4) ? sizeof(source) : 60);
		program_reached.sent += msg_send(h, tx, &head, source) == 0;
	}
}

/* ---- turns ---- */

static uint64_t
now_ns(void *context)
{
	struct link_victim *victim = context;
	struct hostile *h = &victim->hostile;

	return victim->now_ns +=
	       hostile_chance(h, 200) ? UINT64_C(10000000000) : hostile_below(h, 3000000);
}

static int
poll(struct program *program)
{
	struct link_victim *victim = program->victim;
	struct link_ledger *ledger = &victim->ledger;
	int channel;

	if (hostile_chance(&victim->hostile, 16))
		program->endpoint.polls = 0;
	ledger->most = UINT64_MAX;
	link_ledger_before(ledger, &victim->link);
	channel = msg_poll(&victim->hostile, &program->endpoint, 1);
	ledger->most =
		NHN_LINK_EVENTS_MAX + 1 + (victim->now_ns - victim->begun_ns) / NHN_LINK_EVENTS_NS;
	link_ledger_after(ledger, &victim->hostile);
	return channel;
}

void
program_poll(struct program *program)
{
	struct nhn_msg_rx *rx = &program->endpoint.rx[0];
	struct nhn_message_head head;

	if (poll(program) == 0 && msg_front(hostile_of(program), rx, &head) == 0) {
		msg_skip(hostile_of(program), rx);
		program_reached.skipped++;
	}
	program->peeking = false;
	program->relaying = false;
	memory_check(program);
}

void
program_turn(struct program *program)
{
	switch (hostile_below(hostile_of(program), 8)) {
	case 0:
		client_turn(program);
		break;
	case 1:
		server_turn(program);
		break;
	case 2:
		send_turn(program);
		break;
	case 3:
		read_turn(program);
		break;
	default:
		if (poll(program) == 0)
			read_turn(program);
	}
	memory_check(program);
}

void
program_begin(struct program *program, struct link_victim *victim, uint32_t client)
{
	uint32_t i;

	program->victim = victim;
	program->laters = 0;
	program->peeking = false;
	program->relaying = false;
	nhn_endpoint_init(&program->endpoint, &victim->link, now_ns, victim);
	nhn_rpc_client_init(&program->client, &program->endpoint, client, program->slots,
			    PROGRAM_SLOTS);
	for (i = 0; i < PROGRAM_CALLS; i++) {
		guarded_init(&program->call[i].memory, 100, i);
		program->call[i].open = false;
	}
	/* One part of it is the server's: the canaries are around that. */
	guarded_init(&program->server_memory, 1000, 0);
	program->server_memory.vector[2].iov_base = program->server_memory.memory + 64;
	program->server_memory.vector[2].iov_len = 1000;
	program->server_memory.vector[0] = program->server_memory.vector[2];
	program->server_memory.vector[0].iov_len = 0;
	program->server_memory.vector[1] = program->server_memory.vector[0];
	nhn_rpc_server_init(&program->server, &program->endpoint, 3 - client, serve, program,
			    program->server_memory.memory + 64, 1000);
	buffer_begin(program);
	victim->hostile.messages = program->endpoint.rx;
}

void
program_end(struct program *program)
{
	const struct nhn_endpoint *endpoint = &program->endpoint;
	struct hostile *h = hostile_of(program);
	uint32_t i;

	for (i = 0; i < PROGRAM_CALLS; i++)
		hostile_check(h, guarded_whole(&program->call[i].memory));
	hostile_check(h, guarded_whole(&program->memory));
	hostile_check(h, guarded_whole(&program->server_memory));

	program_reached.lost += endpoint->rx[0].lost + endpoint->tx[0].lost;
	program_reached.skipped += endpoint->rx[0].skipped;
	program_reached.served += program->server.requests;
	program_reached.refused += program->server.refused;
	program_reached.strange += program->server.strange + program->client.strange;
	program_reached.late += program->client.late;
}

void
program_reached_print(void)
{
	const struct program_reached *r = &program_reached;

	printf("  %" PRIu64 " messages received, %" PRIu64 " pieces peeked (%" PRIu64
	       " packs), %" PRIu64 " relayed, %" PRIu64 " too long, %" PRIu64 " aborted, %" PRIu64
	       " skipped, %" PRIu64 " times -ESTALE\n",
	       r->received, r->pieces, r->packed, r->relayed, r->too_long, r->aborted, r->skipped,
	       r->stale);
	printf("  %" PRIu64 " sent, %" PRIu64 " cancelled, %" PRIu64 " lost by a restart; %" PRIu64
	       " requests served, %" PRIu64 " refused, %" PRIu64 " strange, %" PRIu64
	       " replies late\n",
	       r->sent, r->cancelled, r->lost, r->served, r->refused, r->strange, r->late);
	printf("  calls: %" PRIu64 " answered, %" PRIu64 " timed out, %" PRIu64
	       " cancelled, %" PRIu64 " reset, %" PRIu64 " too long, %" PRIu64 " refused\n",
	       r->ends[0], r->ends[1], r->ends[2], r->ends[3], r->ends[4], r->ends[5]);
}
