/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of lib/msg: in one piece, in many by each policy of copying, packed; calls. */

#include <stdlib.h>

#include <nhn_msg_run.h>
#include <nhn_rpc.h>
#include "../../test/unit/pattern.h"

#include "primitive.h"

#define INLINE_BYTES 48u
#define DATA_BYTES (256u << 10)
#define PACK_BYTES 8u
#define PACKED 896u /* messages of a run: 128 cells of seven */
#define CALL_BYTES 40u
#define LONGEST (3 * DATA_BYTES)
#define NEVER UINT32_MAX
#define STEPS_MAX 100000u /* of a message: more than any takes */

struct message {
	struct primitive_link link; /* first */
	struct nhn_endpoint host;
	struct nhn_endpoint guest;
	struct nhn_rpc_client client;
	struct nhn_rpc_slot slot[2];
	struct nhn_rpc_call call;
	struct nhn_rpc_server server;
	struct iovec answer;
	uint8_t reply[CALL_BYTES];
	uint8_t memory[CALL_BYTES]; /* of the server, for a request */
	uint8_t out[LONGEST];
	uint8_t in[LONGEST];
};

static uint64_t
now_ns(void *context)
{
	return ((struct primitive_link *)context)->now_ns;
}

static void *
message_open(const struct primitive *p)
{
	struct message *m =
		primitive_link_open(sizeof(*m), NHN_USE_MSG, PRIMITIVE_CELLS, DATA_BYTES);

	if (nhn_endpoint_init(&m->host, &m->link.host, now_ns, &m->link) != 0 ||
	    nhn_endpoint_init(&m->guest, &m->link.guest, now_ns, &m->link) != 0)
		abort();
	if (p->parameter != NULL)
		m->host.tx[0].policy = p->parameter;
	pattern_fill(m->out, sizeof(m->out), PRIMITIVE_SEED, 0);
	return m;
}

static void
drain(const struct primitive *p, void *state)
{
	struct nhn_msg_rx *rx = &((struct message *)state)->guest.rx[0];
	struct nhn_msg_piece pieces[32];

	(void)p;
	while (nhn_msg_peek(rx, pieces, 32) > 0)
		nhn_msg_release(rx);
}

/* ---- one piece ---- */

static void
send_run(const struct primitive *p, void *state)
{
	const struct nhn_message_head head = {.length = p->bytes};
	const uint32_t operations = p->operations;
	struct message *m = state;
	uint32_t i;

	for (i = 0; i < operations; i++) {
		primitive_keep((uint64_t)nhn_msg_send(&m->host.tx[0], &head, m->out));
		primitive_apart();
	}
}

static void
receive_run(const struct primitive *p, void *state)
{
	const uint32_t operations = p->operations;
	struct message *m = state;
	struct nhn_msg_piece piece;
	uint32_t i;

	for (i = 0; i < operations; i++) {
		primitive_keep((uint64_t)nhn_msg_peek(&m->guest.rx[0], &piece, 1));
		primitive_keep((uint64_t)nhn_msg_release(&m->guest.rx[0]));
		primitive_apart();
	}
}

/* ---- of any length: sent and received ---- */

/* @return false: a step said what it should not */
static bool
pass(struct message *m, const struct nhn_message_head *head)
{
	const struct iovec from = {m->out, head->length};
	const struct iovec to = {m->in, sizeof(m->in)};
	struct nhn_msg_buffer buffer;
	uint32_t steps = 0;
	int sent, received;

	nhn_msg_buffer_init(&buffer, &to, 1);
	sent = nhn_msg_sendv(&m->host.tx[0], head, &from, 1);
	do {
		if (sent == -EINPROGRESS || sent == -EAGAIN)
			sent = nhn_msg_send_step(&m->host.tx[0]);
		received = nhn_msg_receive(&m->guest.rx[0], &buffer);
	} while ((received == -EAGAIN || received == -EINPROGRESS) &&
		 (sent == 0 || sent == -EINPROGRESS || sent == -EAGAIN) && ++steps < STEPS_MAX);
	return sent == 0 && received == 0 && buffer.head.length == head->length &&
	       buffer.head.id == head->id && buffer.head.type == head->type &&
	       buffer.head.flags == head->flags;
}

static void
pass_run(const struct primitive *p, void *state)
{
	const struct nhn_message_head head = {.length = p->bytes};
	const uint32_t operations = p->operations;
	uint32_t i;

	for (i = 0; i < operations; i++) {
		primitive_keep(pass(state, &head));
		primitive_apart();
	}
}

static bool
pass_is_right(const struct primitive *p, struct message *m, uint32_t number, uint32_t length)
{
	const struct nhn_message_head head = {.id = number,
					      .length = length,
					      .type = (uint16_t)~number,
					      .flags = number % 2 ? NHN_MESSAGE_REPLY : 0};

	pattern_fill(m->out, length, PRIMITIVE_SEED, number);
	memset(m->in, 0xee, length < sizeof(m->in) ? length + 1 : length);
	if (!pass(m, &head))
		return primitive_differs(p, "message %u of %u bytes did not come with its head",
					 number, length);
	if (!pattern_matches(m->in, length, PRIMITIVE_SEED, number))
		return primitive_differs(p, "message %u of %u bytes has other content", number,
					 length);
	return length == sizeof(m->in) || m->in[length] == 0xee ||
	       primitive_differs(p, "message %u of %u bytes: a byte beyond was written", number,
				 length);
}

static bool
pass_validate(const struct primitive *p, void *state)
{
	uint32_t number;

	drain(p, state);
	for (number = 0; number < 3 * PRIMITIVE_CELLS; number++)
		if (!pass_is_right(p, state, number,
				   pattern_length(PRIMITIVE_SEED, number, INLINE_BYTES)))
			return false;
	for (; number < 3 * PRIMITIVE_CELLS + 300; number++)
		if (!pass_is_right(p, state, number,
				   pattern_length(PRIMITIVE_SEED, number, 2 * p->bytes)))
			return false;
	return pass_is_right(p, state, number, p->bytes) &&
	       pass_is_right(p, state, number + 1, LONGEST);
}

/* ---- packed ---- */

static void
pack_fill(const struct primitive *p, void *state)
{
	struct message *m = state;

	nhn_msg_send_packed(&m->host.tx[0], 0, m->out, p->bytes, p->operations);
}

static void
pack_run(const struct primitive *p, void *state)
{
	primitive_keep(nhn_msg_send_packed(&((struct message *)state)->host.tx[0], 0,
					   ((struct message *)state)->out, p->bytes,
					   p->operations));
}

/* Unpacked into m->in. @return bytes */
static uint32_t
unpack(struct message *m, uint16_t *type)
{
	struct nhn_msg_run run = nhn_msg_run_begin(&m->guest.rx[0]);
	struct nhn_msg_piece piece;
	uint32_t bytes = 0;

	while (nhn_msg_run_next(&run, &piece)) {
		nhn_foreign_copy(m->in + bytes, piece.data, piece.length);
		bytes += piece.length;
		*type = piece.head.type;
		nhn_msg_run_read(&run);
	}
	return nhn_msg_run_end(&run) == 0 ? bytes : 0;
}

static void
unpack_run(const struct primitive *p, void *state)
{
	uint16_t type;

	(void)p;
	primitive_keep(unpack(state, &type));
}

/* Each size, more of them than whole cells hold, and one message too long for a cell. */
static bool
pack_validate(const struct primitive *p, void *state)
{
	struct message *m = state;
	uint32_t size, turn;

	drain(p, state);
	for (size = 1; size <= NHN_PACK_MESSAGE_BYTES_MAX; size++)
		for (turn = 0; turn < 8; turn++) {
			const uint32_t count = 1 + 97 * turn;
			const uint16_t type_sent = (uint16_t)(size * 256 + turn);
			uint16_t type = 0;
			uint32_t sent, bytes;

			pattern_fill(m->out, count * size, PRIMITIVE_SEED, type_sent);
			sent = nhn_msg_send_packed(&m->host.tx[0], type_sent, m->out, size, count);
			bytes = unpack(m, &type);
			if (sent != count || bytes != count * size || type != type_sent)
				return primitive_differs(p,
							 "%u messages of %u bytes: %u sent, %u "
							 "bytes came, of type %u, expected %u",
							 count, size, sent, bytes, type, type_sent);
			if (!pattern_matches(m->in, bytes, PRIMITIVE_SEED, type_sent))
				return primitive_differs(
					p, "%u messages of %u bytes: other content", count, size);
		}
	return nhn_msg_send_packed(&m->host.tx[0], 0, m->out, size, 1) == 0 ||
	       primitive_differs(p, "took a message of %u bytes, expected 0", size);
}

/* ---- calls ---- */

/* Answers the request's bytes turned round, with its type for a status. */
static int
serve(void *context, const struct nhn_rpc_request *request, struct nhn_rpc_reply *reply)
{
	const uint8_t *data = request->data;
	struct message *m = context;
	uint32_t i;

	for (i = 0; i < request->length; i++)
		m->reply[i] = (uint8_t)~data[i];
	m->answer.iov_base = m->reply;
	m->answer.iov_len = request->length;
	reply->vector = &m->answer;
	reply->vectors = 1;
	reply->status = request->type;
	return 0;
}

static void *
call_open(const struct primitive *p)
{
	struct message *m = message_open(p);

	if (nhn_rpc_client_init(&m->client, &m->host, 0, m->slot, 2) != 0)
		abort();
	nhn_rpc_server_init(&m->server, &m->guest, 0, serve, m, m->memory, sizeof(m->memory));
	return m;
}

/* @return the polls that it took */
static uint32_t
call(struct message *m, uint16_t type, uint32_t bytes)
{
	uint32_t polls = 0;

	nhn_rpc_call_init(&m->call, type, m->out, bytes, m->in, CALL_BYTES, NHN_NEVER_NS);
	if (nhn_rpc_client_call(&m->client, &m->call) != 0)
		return 0;
	while (m->call.result == -EINPROGRESS && ++polls < 1000) {
		nhn_endpoint_poll(&m->guest);
		nhn_endpoint_poll(&m->host);
	}
	return polls;
}

static void
call_run(const struct primitive *p, void *state)
{
	const uint32_t operations = p->operations;
	uint32_t i;

	for (i = 0; i < operations; i++) {
		primitive_keep(call(state, 0, p->bytes));
		primitive_apart();
	}
}

static bool
call_validate(const struct primitive *p, void *state)
{
	struct message *m = state;
	uint32_t number, i;

	for (number = 0; number < 3 * PRIMITIVE_CELLS; number++) {
		const uint32_t length = number % (CALL_BYTES + 1);

		pattern_fill(m->out, length, PRIMITIVE_SEED, number);
		memset(m->in, 0xee, CALL_BYTES + 1);
		call(m, (uint16_t)number, length);
		if (m->call.result != 0 || m->call.status != number || m->call.length != length)
			return primitive_differs(p,
						 "call %u of %u bytes ended with %d, status %u, "
						 "%u bytes",
						 number, length, m->call.result, m->call.status,
						 m->call.length);
		for (i = 0; i <= length; i++)
			if (m->in[i] != (i < length ? (uint8_t)~m->out[i] : 0xee))
				return primitive_differs(p, "call %u: byte %u of %u is 0x%02x",
							 number, i, length, m->in[i]);
	}
	return true;
}

/* ---- table ---- */

static const struct nhn_msg_policy plain = {16384, 0, NEVER, 0};
static const struct nhn_msg_policy fetch = {16384, 2048, NEVER, 0};
static const struct nhn_msg_policy stream = {16384, 0, 0, NEVER};

#define ROW(name_, bytes_, operations_, policy_, open_, before_, run_, after_, validate_)          \
	{                                                                                          \
		.name = name_, .bytes = bytes_, .operations = operations_, .parameter = policy_,   \
		.open = open_, .before = before_, .run = run_, .after = after_,                    \
		.validate = validate_,                                                             \
	}
#define PASS(name_, bytes_, operations_, policy_)                                                  \
	ROW(name_, bytes_, operations_, policy_, message_open, NULL, pass_run, NULL, pass_validate)

/* send_run()'s messages, for who reads them. */
static void
send_before(const struct primitive *p, void *state)
{
	send_run(p, state);
}

const struct primitive primitives_message[] = {
	ROW("message-send-48", INLINE_BYTES, 1024, NULL, message_open, NULL, send_run, drain,
	    pass_validate),
	ROW("message-receive-48", INLINE_BYTES, 1024, NULL, message_open, send_before, receive_run,
	    drain, pass_validate),
	PASS("message-pass-48", INLINE_BYTES, 1024, NULL),
	PASS("message-pass-1500", 1500, 256, NULL),
	PASS("message-pass-4096", 4096, 64, NULL),
	PASS("message-pass-65536", 65536, 8, NULL),
	PASS("message-plain-65536", 65536, 8, &plain),
	PASS("message-fetch-65536", 65536, 8, &fetch),
	PASS("message-stream-65536", 65536, 8, &stream),
	ROW("pack-8", PACK_BYTES, PACKED, NULL, message_open, NULL, pack_run, drain, pack_validate),
	ROW("unpack-8", PACK_BYTES, PACKED, NULL, message_open, pack_fill, unpack_run, drain,
	    pack_validate),
	ROW("call-40", CALL_BYTES, 1024, NULL, call_open, NULL, call_run, NULL, call_validate),
	{.name = NULL},
};
