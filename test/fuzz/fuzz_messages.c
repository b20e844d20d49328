/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stream of cells against the readers of messages: a program on channel 0, an rpc client on
 * channel 1, an rpc server on channel 2. Input: the channels' shape, then steps: write a cell
 * near a reader's place, peek and release, receive, skip, poll, call, cancel, restart.
 *
 * Memory to receive into is exactly as long as it is said to be. What a message may be made
 * of is checked by rules of this file, not by the library's own formulas.
 */

#include <errno.h>

#include "fuzz_messages.h"

static struct nhn_control *
words_of(uint8_t *area)
{
	return (struct nhn_control *)(void *)area;
}

static uint64_t
now_ns(void *context)
{
	(void)context;
	return 0;
}

static void
call_done(struct nhn_rpc_call *call)
{
	struct call *mine = call->context;

	FUZZ_CHECK(call->result != -EINPROGRESS && mine->ended == NULL);
	FUZZ_CHECK(call->result != 0 || call->length <= mine->reply.iov_len);
	mine->ended = fuzz_memory(mine->reply.iov_len + 1);
	memcpy(mine->ended, mine->reply.iov_base, mine->reply.iov_len);
}

static int
serve(void *context, const struct nhn_rpc_request *request, struct nhn_rpc_reply *reply)
{
	static uint8_t bytes[3000];
	static struct iovec vector = {.iov_base = bytes};

	(void)context;
	FUZZ_CHECK(request->length <= SERVER_BYTES);
	vector.iov_len = request->type % sizeof(bytes);
	reply->vector = &vector;
	reply->vectors = 1;
	return request->type % 8 == 7 ? -EINPROGRESS : 0;
}

/* ---- begin and end ---- */

/* As a link begins a pairing. */
static void
channels_begin(void)
{
	struct nhn_link *link = &fuzz.link;
	uint32_t i;

	link->session += 2;
	link->rx_peer = link->session + 1000;
	link->tx_peer = link->rx_peer;
	link->attention = 0;
	for (i = 0; i < CHANNELS; i++) {
		uint8_t stale = link->rx[i].stale;

		words_of(fuzz.peer)->cursor[i] =
			(struct nhn_cursor){.cells = NHN_CURSOR_START, .data = NHN_DATA_START};
		nhn_tx_init(&link->tx[i], &link->layout, i, fuzz.own,
			    &words_of(fuzz.peer)->cursor[i], &link->attention);
		nhn_tx_open(&link->tx[i]);
		nhn_tx_start(&link->tx[i], link->session);
		nhn_rx_init(&link->rx[i], &link->layout, i, fuzz.peer,
			    &words_of(fuzz.own)->cursor[i], &link->attention);
		nhn_rx_start(&link->rx[i], link->session);
		link->rx[i].stale = stale;
	}
}

static void
memory_take(uint32_t bytes)
{
	free(fuzz.memory.iov_base);
	fuzz.memory.iov_base = fuzz_memory(bytes);
	fuzz.memory.iov_len = bytes;
	nhn_msg_buffer_init(&fuzz.buffer, &fuzz.memory, 1);
}

static void
begin(struct fuzz_input *input)
{
	static const uint32_t data[] = {4096, 0, 8192, 16384};
	uint8_t shape = fuzz_u8(input);
	struct nhn_link *link = &fuzz.link;
	size_t bytes;
	uint32_t i;

	memset(&fuzz, 0, sizeof(fuzz));
	nhn_layout_uniform(&link->layout, CHANNELS, NHN_USE_MSG, 16u << (shape & 1),
			   data[shape >> 1 & 3]);
	for (i = 0; shape & 8 && i < CHANNELS; i++)
		link->layout.entry[i].cell_bytes = 128;
	bytes = (size_t)nhn_layout_offset(&link->layout, CHANNELS);
	fuzz.peer = fuzz_memory(bytes);
	fuzz.own = fuzz_memory(bytes);
	fuzz.server_memory = fuzz_memory(SERVER_BYTES);
	for (i = 0; i < CHANNELS; i++)
		words_of(fuzz.own)->cursor[i] =
			(struct nhn_cursor){.cells = NHN_CURSOR_START, .data = NHN_DATA_START};
	link->tx_state = NHN_TX_UP;
	link->rx_state = NHN_RX_READING;
	link->config.role = NHN_ROLE_GUEST;
	link->config.use = NHN_USE_MSG;
	FUZZ_CHECK(nhn_endpoint_init(&fuzz.endpoint, link, now_ns, NULL) == 0);
	FUZZ_CHECK(nhn_rpc_client_init(&fuzz.client, &fuzz.endpoint, 1, fuzz.slots, SLOTS) == 0);
	nhn_rpc_server_init(&fuzz.server, &fuzz.endpoint, 2, serve, NULL, fuzz.server_memory,
			    SERVER_BYTES);
	channels_begin();
	memory_take(64u << (shape >> 4));
}

static void
call_free(struct call *call)
{
	free(call->reply.iov_base);
	free(call->ended);
	memset(call, 0, sizeof(*call));
}

static void
end(void)
{
	uint32_t i;

	for (i = 0; i < CALLS; i++)
		call_free(&fuzz.calls[i]);
	free(fuzz.memory.iov_base);
	free(fuzz.server_memory);
	free(fuzz.peer);
	free(fuzz.own);
}

/* ---- the readers ---- */

static void
use(const struct nhn_msg_piece *piece)
{
	const uint8_t *data = nhn_foreign_lend(piece->data);
	uint32_t sum = 0;
	uint32_t i;

	for (i = 0; i < piece->length; i++)
		sum += data[i];
	__asm__ volatile("" : : "r"(sum));
}

/* Pieces follow each other under one head, and stop where that says. */
static void
check_piece(const struct nhn_msg_piece *piece)
{
	const struct nhn_message_head *head = &piece->head;

	use(piece);
	if (piece->messages != 1) {
		FUZZ_CHECK(!fuzz.peeking && piece->messages != 0);
		FUZZ_CHECK(head->length * piece->messages == piece->length);
		return;
	}
	FUZZ_CHECK((head->flags & ~(NHN_MESSAGE_FLAGS | NHN_MESSAGE_ABORTED)) == 0);
	FUZZ_CHECK(piece->offset == (fuzz.peeking ? fuzz.told : 0));
	if (head->flags & NHN_MESSAGE_ABORTED) {
		FUZZ_CHECK(fuzz.peeking && piece->length == 0);
		fuzz.peeking = false;
		return;
	}
	if (fuzz.peeking)
		FUZZ_CHECK(memcmp(head, &fuzz.begun, sizeof(*head)) == 0);
	fuzz.begun = *head;
	fuzz.told = piece->offset + piece->length;
	FUZZ_CHECK(fuzz.told >= piece->offset && fuzz.told <= head->length);
	FUZZ_CHECK(piece->length != 0 || head->length == 0);
	fuzz.peeking = fuzz.told != head->length;
}

static void
step_peek(uint32_t count)
{
	struct nhn_msg_rx *rx = &fuzz.endpoint.rx[0];
	struct nhn_msg_piece pieces[PIECES_MAX];
	bool broken = rx->rx->tag == NHN_TAG_NONE;
	bool stale = rx->rx->stale;
	int n, i;

	if (fuzz.receiving)
		return;
	n = nhn_msg_peek(rx, pieces, count);
	FUZZ_CHECK(n <= (int)count && (n >= 0 || (n == -ESTALE && stale)));
	FUZZ_CHECK(!broken || n <= 0);
	if (n < 0)
		fuzz.peeking = false;
	for (i = 0; i < n; i++)
		check_piece(&pieces[i]);
	nhn_msg_release(rx);
}

static void
step_receive(void)
{
	struct nhn_msg_rx *rx = &fuzz.endpoint.rx[0];
	int ret;

	if (fuzz.peeking)
		return;
	ret = nhn_msg_receive(rx, &fuzz.buffer);
	FUZZ_CHECK(ret == 0 || ret == -EINPROGRESS || ret == -EAGAIN || ret == -EMSGSIZE ||
		   ret == -ECANCELED || ret == -ESTALE);
	if (ret == 0)
		FUZZ_CHECK(fuzz.buffer.head.length <= fuzz.memory.iov_len);
	if (ret == -EMSGSIZE)
		FUZZ_CHECK(fuzz.buffer.head.length > fuzz.memory.iov_len);
	fuzz.receiving = rx->begun || rx->holding;
	if (ret == 0 || ret == -ESTALE || ret == -ECANCELED) /* another buffer may follow */
		memory_take((uint32_t)fuzz.memory.iov_len);
}

static void
step_skip(void)
{
	struct nhn_msg_rx *rx = &fuzz.endpoint.rx[0];
	struct nhn_message_head head;

	if (fuzz.peeking)
		return;
	if (nhn_msg_front(rx, &head) == 0)
		nhn_msg_skip(rx);
	fuzz.receiving = rx->begun || rx->holding;
}

/* Memory of a call that has ended is as it was then. */
static void
calls_check(void)
{
	uint32_t i;

	for (i = 0; i < CALLS; i++) {
		const struct call *call = &fuzz.calls[i];

		if (call->ended != NULL)
			FUZZ_CHECK(memcmp(call->ended, call->reply.iov_base, call->reply.iov_len) ==
				   0);
	}
}

static void
step_poll(uint32_t turns)
{
	uint32_t i;

	for (i = 0; i < CHANNELS; i++) { /* all is read that was sent, mostly */
		struct nhn_cursor *cursor = &words_of(fuzz.peer)->cursor[i];

		if (turns % 8 == 7)
			break;
		cursor->cells = fuzz.link.tx[i].tail;
		cursor->data = fuzz.link.tx[i].data_tail;
	}
	while (turns-- > 0)
		if (nhn_endpoint_step(&fuzz.endpoint) == 0)
			step_receive();
	calls_check();
}

static void
step_call(struct fuzz_input *input)
{
	struct call *call = &fuzz.calls[fuzz_u8(input) % CALLS];
	static uint8_t bytes[3000];

	if (call->reply.iov_base != NULL && call->ended == NULL) {
		nhn_rpc_client_cancel(&fuzz.client, &call->call);
		FUZZ_CHECK(call->call.result == -ECANCELED);
	}
	call_free(call);
	call->request.iov_base = bytes;
	call->request.iov_len = fuzz_u16(input) % sizeof(bytes);
	call->reply.iov_len = fuzz_u16(input) % 2000;
	call->reply.iov_base = fuzz_memory(call->reply.iov_len);
	call->call.request = &call->request;
	call->call.requests = 1;
	call->call.reply = &call->reply;
	call->call.replies = 1;
	call->call.deadline_ns = NHN_NEVER_NS;
	call->call.done = call_done;
	call->call.context = call;
	if (nhn_rpc_client_call(&fuzz.client, &call->call) != 0)
		call_free(call);
}

static void
step_reply(struct fuzz_input *input)
{
	const struct call *call = &fuzz.calls[fuzz_u8(input) % CALLS];
	uint32_t index = fuzz.link.rx[1].head;
	struct nhn_message_head head = {.id = call->call.id, .flags = NHN_MESSAGE_REPLY};
	uint32_t most = fuzz.link.layout.entry[1].cell_bytes - 16u;

	head.length = fuzz_u16(input);
	put_head(1, index, &head);
	commit(1, index, NHN_KIND_MSG << 8 | (head.length < most ? head.length : most), 0);
}

/* As a link begins anew after a restart or a fault, with all given back. */
static void
step_restart(void)
{
	uint32_t i;

	for (i = 0; i < CHANNELS; i++)
		if (nhn_rx_holds(&fuzz.link.rx[i]))
			return;
	for (i = 0; i < CHANNELS; i++) {
		nhn_rx_stop(&fuzz.link.rx[i]);
		fuzz.link.rx[i].stale = 1;
	}
	for (i = 0; i < CHANNELS; i++) /* the writer clears its ring */
		memset(cell_of(i, 0), 0,
		       (size_t)fuzz.link.layout.entry[i].cells *
			       fuzz.link.layout.entry[i].cell_bytes);
	channels_begin();
	/* Nothing of the new one is read before all were told of it. */
	for (i = 0; i < 128 * CHANNELS; i++) /* a pack that is kept is read out before */
		if (nhn_endpoint_step(&fuzz.endpoint) == 0) {
			if (fuzz.peeking)
				step_peek(1);
			else
				step_receive();
		}
	for (i = 0; i < CHANNELS; i++)
		FUZZ_CHECK(!fuzz.link.rx[i].stale);
	FUZZ_CHECK(!fuzz.peeking && !fuzz.receiving);
	calls_check();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct fuzz_input input = {bytes, count};
	uint32_t step;

	begin(&input);
	for (step = 0; step < STEPS_MAX && input.left != 0; step++) {
		uint8_t what = fuzz_u8(&input);
		uint32_t more = what / STEPS;

		switch ((enum step)(what % STEPS)) {
		case STEP_PEEK:
			step_peek(more % (PIECES_MAX + 1));
			break;
		case STEP_RECEIVE:
			step_receive();
			break;
		case STEP_SKIP:
			step_skip();
			break;
		case STEP_POLL:
			step_poll(more);
			break;
		case STEP_CALL:
			step_call(&input);
			break;
		case STEP_REPLY:
			step_reply(&input);
			break;
		case STEP_RESTART:
			step_restart();
			break;
		default:
			step_write(&input, (enum step)(what % STEPS), more % CHANNELS);
		}
		calls_check();
	}
	end();
	return 0;
}
