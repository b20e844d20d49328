/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <stdio.h>

#include <nhn_link_text.h>

const char *
nhn_link_state_text(enum nhn_link_state state)
{
	static const char *const text[] = {
		[NHN_LINK_CLOSED] = "closed",
		[NHN_LINK_WAIT_HOST] = "waiting for the host",
		[NHN_LINK_WAIT_PEER] = "waiting for the guest",
		[NHN_LINK_WAIT_DRAIN] = "waiting until the last session is read out",
		[NHN_LINK_WAIT_READER] = "waiting for the peer to read",
		[NHN_LINK_UP] = "up",
		[NHN_LINK_STALLED] = "stalled: the peer's heartbeat is late",
		[NHN_LINK_BROKEN] = "broken",
	};

	return text[state];
}

const char *
nhn_fault_text(enum nhn_fault fault)
{
	static const char *const text[] = {
		[NHN_FAULT_NONE] = "none",
		[NHN_FAULT_KIND] = "a cell of a kind the channel does not carry",
		[NHN_FAULT_LENGTH] = "an inline length over the cell's",
		[NHN_FAULT_DESCRIPTOR] = "a descriptor of bytes outside the free data ring",
		[NHN_FAULT_MESSAGE] = "a cell that does not go on with the message begun",
		[NHN_FAULT_OVERRUN] = "a cell rewritten before it was given back",
		[NHN_FAULT_CURSOR] = "a cursor the reader cannot have reached",
	};

	return text[fault];
}

static const char *
use_text(uint64_t use)
{
	static const char *const text[] = {"no", "raw", "message", "ethernet"};

	return use <= NHN_USE_ETHERNET ? text[use] : "unknown";
}

/** A sentence for causes that carry two numbers. */
static const char *
numbers_format(enum nhn_refusal_cause cause)
{
	switch (cause) {
	case NHN_REFUSAL_MAGIC:
		return "magic is 0x%" PRIx64 ", expected 0x%" PRIx64
		       ": not a Nahanni area; check the path or the device";
	case NHN_REFUSAL_VERSION:
		return "format version is %" PRIu64 ", expected %" PRIu64
		       ": run the same major version on both sides";
	case NHN_REFUSAL_CRC:
		return "header has CRC 0x%" PRIx64 ", expected 0x%" PRIx64
		       ": it is damaged; restart the peer";
	case NHN_REFUSAL_ROLE:
		return "peer's role is %" PRIu64 ", expected %" PRIu64
		       " (1 host, 2 guest): start one side in each role";
	case NHN_REFUSAL_AREA_BYTES:
		return "peer's area has %" PRIu64 " bytes, the shared memory %" PRIu64
		       ": give both sides the same memory size, and the same layout, joint or "
		       "split";
	case NHN_REFUSAL_HEARTBEAT:
		return "heartbeat limit is %" PRIu64 " us, expected 1000 to %" PRIu64 " us";
	case NHN_REFUSAL_SPACE:
		return "the area has %" PRIu64 " bytes, the channels need %" PRIu64
		       ": take a larger size or fewer queues";
	case NHN_REFUSAL_CHANNELS:
		return "the layout has %" PRIu64 " channels, expected %" PRIu64
		       ": configure the same number of queues on both sides";
	case NHN_REFUSAL_OWN_AREA:
		return "found magic 0x%" PRIx64 ", expected 0x%" PRIx64
		       " or zeros: the memory holds something else and was left untouched; "
		       "name another file or remove this one";
	default:
		return NULL;
	}
}

/** A sentence for causes that name a channel. */
static const char *
channel_format(enum nhn_refusal_cause cause)
{
	switch (cause) {
	case NHN_REFUSAL_CELL_BYTES:
		return "channel %" PRIu32 " has cells of %" PRIu64 " bytes, expected %" PRIu64;
	case NHN_REFUSAL_CELLS:
		return "channel %" PRIu32 " has %" PRIu64
		       " cells, expected a power of two, limit %" PRIu64;
	case NHN_REFUSAL_DATA_BYTES:
		return "channel %" PRIu32 " has a data ring of %" PRIu64
		       " bytes, expected 0 or a power of two, limit %" PRIu64;
	case NHN_REFUSAL_NOT_FOLLOWED:
		return "channel %" PRIu32 " (use %" PRIu64
		       ") is not as the host laid it out (use %" PRIu64
		       "): the guest follows by itself, or restart it";
	case NHN_REFUSAL_MTU:
		return "channel %" PRIu32 " cannot carry an MTU of %" PRIu64
		       ": half its data ring is %" PRIu64 " bytes";
	default:
		return NULL;
	}
}

const char *
nhn_refusal_text(const struct nhn_refusal *refusal, char *text, size_t bytes)
{
	const char *format = numbers_format(refusal->cause);

	/* The formats are the literals above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (format != NULL) {
		snprintf(text, bytes, format, refusal->found, refusal->expected);
		return text;
	}
	format = channel_format(refusal->cause);
	if (format != NULL) {
		snprintf(text, bytes, format, refusal->channel, refusal->found, refusal->expected);
		return text;
	}
#pragma GCC diagnostic pop
	if (refusal->cause == NHN_REFUSAL_USE)
		snprintf(text, bytes,
			 "channel %" PRIu32 " is of %s use, expected %s: run the same kind of "
			 "program on both sides (messages, or an ethdev port)",
			 refusal->channel, use_text(refusal->found), use_text(refusal->expected));
	else
		snprintf(text, bytes,
			 "the memory is missing, smaller than two control blocks or not aligned");
	return text;
}

const char *
nhn_link_event_text(const struct nhn_link *link, const struct nhn_link_event *event, char *text,
		    size_t bytes)
{
	char why[256];

	switch (event->kind) {
	case NHN_LINK_EVENT_STATE:
		snprintf(text, bytes, "link is %s (was %s)", nhn_link_state_text(link->state),
			 nhn_link_state_text((enum nhn_link_state)event->value));
		break;
	case NHN_LINK_EVENT_REFUSED:
		snprintf(text, bytes, "peer refused: %s",
			 nhn_refusal_text(event->refusal, why, sizeof(why)));
		break;
	case NHN_LINK_EVENT_FAULT:
		snprintf(text, bytes,
			 "channel %" PRIu32 " is broken: the peer wrote %s; restart the peer",
			 event->channel, nhn_fault_text((enum nhn_fault)event->value));
		break;
	case NHN_LINK_EVENT_INTRUDER:
		snprintf(text, bytes,
			 "own session (%" PRIu32 ", expected %" PRIu32
			 ") or heartbeat changed: somebody else writes this side's area; find the "
			 "second process or VM on this memory, then start again",
			 event->value, link->session);
		break;
	}
	return text;
}
