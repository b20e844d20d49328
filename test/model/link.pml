/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Nahanni link: the restart handshake of lib/link over channels as
 * lib/channel has them, each side writing only its own area.  doc/wire-format
 * says it in words, doc/memory-ordering has the results.
 *
 * A side may be killed at any step (KILL) and started again, may find a fault
 * and start anew of its own will (break_off, revive), and may stand still for
 * any time between two steps (the scheduler: this is SIGSTOP).  Each load and
 * each store of a shared word is a step of its own.  What a killed process held
 * privately is gone; the areas stay as they are.
 *
 * The specification is one FIFO a channel and direction, owed[]: a commit
 * appends to it, a delivery must find its message at the head, a restart of the
 * reader empties it.  One assertion thus finds duplicate, invention, disorder
 * and loss.  Two more: no message is torn, none comes over the boundary of a
 * session that the program was not told of.
 *
 * In step with the code: an inline is named as its function, a word, row or
 * state as the code names it.  in_step.sh compares this table with lib/.
 *
 *   session seen open discarded beat probe cells data		lib/wire/nhn_wire.h
 *   nhn_store_relaxed nhn_store_release nhn_store_words	lib/wire/nhn_word.h
 *   nhn_foreign_copy_words					lib/wire/nhn_foreign.h
 *   nhn_descriptor_valid					lib/wire/nhn_peer.h
 *   nhn_peer_header_copy					lib/wire/peer.c
 *   tail limit data_tail data_limit position			lib/channel/nhn_channel_tx.h
 *   head released published stale				lib/channel/nhn_channel_rx.h
 *   data_head data_released data_published length		lib/channel/nhn_channel_rx.h
 *   nhn_tx_reserve nhn_tx_commit				lib/channel/nhn_channel_tx.h
 *   nhn_rx_peek nhn_rx_empty nhn_rx_release			lib/channel/nhn_channel_rx.h
 *   nhn_tx_refresh tx_refresh_data nhn_tx_open nhn_tx_stop	lib/channel/channel.c
 *   nhn_rx_init nhn_rx_publish nhn_rx_drained nhn_rx_stop	lib/channel/channel.c
 *   tx_state tx_peer rx_state rx_peer				lib/link/nhn_link.h
 *   broken broken_session late paused				lib/link/nhn_link.h
 *   NHN_TX_WAIT_DRAIN NHN_TX_WAIT_READER NHN_TX_UP		lib/link/nhn_link.h
 *   NHN_RX_IDLE NHN_RX_WAIT_OPEN NHN_RX_READING		lib/link/nhn_link.h
 *   NHN_RX_DRAINING						lib/link/nhn_link.h
 *   ROW_TX_END ROW_TX_OPEN ROW_TX_UP ROW_TX_PAUSE		lib/link/link.c
 *   ROW_RX_ACKNOWLEDGE ROW_RX_CONFIRM ROW_RX_FORGET		lib/link/link.c
 *   ROW_RX_DRAIN tx_step rx_step tx_open count_discarded	lib/link/link.c
 *   rx_acknowledge rx_confirm stale_untold rx_drain		lib/link/link.c
 *   break_off revive beat first_step				lib/link/link.c
 *   link_start session_next header_write link_guest_start	lib/link/link_start.c
 *
 * What the code stores with release:
 *
 *   channel/nhn_channel_tx.h: commit_word
 *   channel/channel.c: data cells
 *   link/link.c: open seen seen session
 *   link/link_start.c: shared magic session session session
 *
 * Options, set by run.sh:
 *   C channels, N cells and D lines of data ring of each, HOLD messages held at most
 *   M messages, K0 and K1 kills of each side, F0 and F1 faults; ENDLESS any number of messages
 *   TWOWAY      both directions, each side writer and reader; else side 0 to side 1
 *   GUEST=x     side x is the guest, which begins once it has seen a host's session
 *   FOLLOW      times that the guest starts anew in place of an acknowledgement, as if the
 *               host had come with another layout
 *   HEADER      the header is two words, copied between two loads of session
 *   WEAK        store buffers: an ARM-like memory, with TSO an x86-like one
 *   GARBAGE     the region was never formatted
 *   COUNT       discarded messages are counted
 *   FAIR, LIVENESS, BEAT   a fixed loop, LTL formulae, the heartbeat
 *   RECHECK, STAGS, LOSSY  a reader that looks twice, against a writer that does not wait
 *   INVARIANTS  assertions stronger than the specification
 *   M_x         mutants
 */
#ifdef M_FINITE_TAG		/* no format, but one bit of session in the tag */
#define M_NO_FORMAT
#define STAGS	2
#endif
#ifndef C
#define C	1
#endif
#ifndef N
#define N	2		/* cells of a ring */
#endif
#ifndef D
#define D	0		/* lines of a data ring; a message takes half of it at most */
#endif
#ifndef HOLD
#define HOLD	1
#endif
#ifndef M
#define M	4		/* messages begun, one direction */
#endif
#ifdef ENDLESS			/* numbers 1..ENDLESS used again and again */
#define MORE(d)		(true)
#define AFTER(n)	((n) % ENDLESS + 1)
#else
#define MORE(d)		(begun[d] < M)
#define AFTER(n)	((n) + 1)
#endif
#ifndef K0
#define K0	2		/* kills of side 0, the writer when one way */
#endif
#ifndef K1
#define K1	2		/* kills of side 1, the reader when one way */
#endif
#ifndef F0
#define F0	0
#endif
#ifndef F1
#define F1	0
#endif
#ifndef LAPS
#define LAPS	2		/* laps a tag tells apart: 2 is a one-bit lap */
#endif
#ifndef STAGS
#define STAGS	1		/* sessions a tag tells apart: 1 is none */
#endif
#ifdef TWOWAY
#define DIRS	2
#define SENDS(x)	(true)
#define READS(x)	(true)
#else
#define DIRS	1
#define SENDS(x)	((x) == 0)
#define READS(x)	((x) == 1)
#endif
#define MOD	(2 * N * LAPS)	/* indices wrap here (2^32 in life) */
#define MODD	(4 * D)		/* lines wrap here */
#ifndef START
#define START	(MOD - 1)	/* and start one before it */
#endif
#define START_DATA	(D == 0 -> 0 : MODD - 1)

#define PEER	(1 - me)
#define RX	(DIRS - 1 - me * (DIRS - 1))	/* direction read: 0 one way */
#define SUB(a, b)	(((a) + MOD - (b)) % MOD)
#define SUBD(a, b)	(((a) + MODD - (b)) % MODD)
#define EVEN(s)		((s) % 2 == 0)

/* Stronger than the specification asks; left out where a mutant shall show harm. */
#ifdef INVARIANTS
#define CHECK(x)	assert(x)
#else
#define CHECK(x)	skip
#endif

#include "word.pml"

/* ---- private to a side; global so that LTL can name them ---- */
#define NHN_TX_WAIT_DRAIN	0
#define NHN_TX_WAIT_READER	1
#define NHN_TX_UP		2
#define NHN_RX_IDLE		0
#define NHN_RX_WAIT_OPEN	1
#define NHN_RX_READING		2
#define NHN_RX_DRAINING		3
byte tx_state[2];
byte tx_peer[2];	/* peer session my ring is open for */
byte rx_state[2];
byte rx_peer[2];	/* peer session last acknowledged */
byte broken_session[2];	/* peer session that broke the rules */
bit late[2];		/* heartbeat missed for too long */
bit paused[2];		/* sending stands still because of it */
#define READS_NOW(x)	(rx_state[x] >= NHN_RX_READING)
#define MAY_SEND(x)	(tx_state[x] == NHN_TX_UP && !paused[x])

/* ---- ghosts ---- */
byte live[2];		/* session of the living instance, 0 when dead */
byte kills[2];
byte faults[2];
byte liar[2];		/* peer session whose words were read when a fault was found */
byte holds[2];		/* messages its program holds */
byte follows;		/* layouts followed (FOLLOW) */
bit moved[2];		/* BEAT: beat moved since the peer last looked */

#include "channel.pml"

#include "control.pml"

/* ---- a side ---- */

#define PEEKS(ch)	(SUB(head[ch], released[ch]) < HOLD)
#define MAY_FAULT	(!broken && faults[me] < (me == 0 -> F0 : F1) && \
	(READS_NOW(me) || tx_state[me] == NHN_TX_UP))

proctype side(bit me)
{
	byte my, p, s, b, i, ch;	/* own session; loaded words; scratch */
	byte t, a, c, n, m;
	bit ok, possible, broken;
	byte tail[C], limit[C];		/* as writer */
	byte head[C], released[C], published[C];	/* as reader */
	bit stale[C];
#if D > 0
	byte data_tail[C], data_limit[C];
	byte data_head[C], data_released[C], data_published[C];
	byte position[C * HOLD], length[C * HOLD];
#endif
#ifdef M_POLL_BEFORE_OPEN
	byte ahead;
#endif
#ifdef M_NO_ACQUIRE
	byte early;
#endif

born:	first_step();
reborn:	link_start();
#ifdef FAIR
	do
	:: if
	   :: KILL
	   :: MAY_FAULT -> break_off()
	   :: true
	   fi;
#ifdef BEAT
	   beat();
#endif
	   if :: SENDS(me) && !broken -> tx_step() :: else fi;
	   if :: READS(me) && !broken -> rx_step() :: else fi;
	   do
	   :: ch < C ->
		if :: READS(me) && READS_NOW(me) && PEEKS(ch) -> nhn_rx_peek(ch) :: else fi;
		if :: HELD(ch) -> nhn_rx_release(ch) :: else fi;
		if :: stale[ch] && !READS_NOW(me) -> tell_stale(ch) :: else fi;
		ch++
	   :: else -> break
	   od;
	   ch = 0;
	   if
	   :: SENDS(me) && MAY_SEND(me) && MORE(me) ->
		if :: ch = 0 :: C > 1 -> ch = C - 1 fi;
		send(ch);
		ch = 0
	   :: else
	   fi;
	   if :: broken && MAY_REVIVE -> revive() :: else fi
	od;
#else
	do
	:: SENDS(me) && !broken -> tx_step()
	:: READS(me) && !broken -> rx_step()
	:: atomic { READS(me) && READS_NOW(me) && (PEEKS(0) || PEEKS(C - 1)) ->
		if :: PEEKS(0) -> ch = 0 :: C > 1 && PEEKS(C - 1) -> ch = C - 1 fi };
		nhn_rx_peek(ch);
		ch = 0
	:: atomic { READS(me) && (HELD(0) || HELD(C - 1)) ->
		if :: HELD(0) -> ch = 0 :: C > 1 && HELD(C - 1) -> ch = C - 1 fi };
		nhn_rx_release(ch);
		ch = 0
	:: READS(me) && !READS_NOW(me) && stale[0] -> tell_stale(0)
#if C > 1
	:: READS(me) && !READS_NOW(me) && stale[1] -> tell_stale(1)
#endif
	:: atomic { SENDS(me) && MAY_SEND(me) && MORE(me) ->
		if :: ch = 0 :: C > 1 -> ch = C - 1 fi };
		send(ch);
		ch = 0
#if F0 + F1 > 0
	:: MAY_FAULT -> break_off()
	:: broken && MAY_REVIVE -> revive()
#endif
	:: KILL
	od;
#endif
killed:	atomic {
		printf("side %d: killed, session %d\n", me, my);
		a = 0; c = 0;
		forget();
		broken_session[me] = 0; liar[me] = 0; late[me] = 0; holds[me] = 0;
		for (ch : 0 .. C - 1) {
			head[ch] = 0; released[ch] = 0; published[ch] = 0;
			stale[ch] = 0;
			if :: READS(me) -> heard[Q(RX, ch)] = 0 :: else fi;
#if D > 0
			data_head[ch] = 0; data_released[ch] = 0; data_published[ch] = 0;
#endif
		};
#if D > 0
		for (i : 0 .. C * HOLD - 1) {
			position[i] = 0; length[i] = 0
		};
#endif
		my = 0; p = 0; s = 0; b = 0; i = 0; ch = 0;
		t = 0; n = 0; m = 0; ok = 0; broken = 0;
#ifdef M_POLL_BEFORE_OPEN
		ahead = 0;
#endif
#ifdef M_NO_ACQUIRE
		early = 0;
#endif
		goto born
	}
}

init
{
	atomic {
		byte g;
		for (g : 0 .. C - 1) {
			AT(0, CURSOR_CELLS(g)) = START;
			AT(1, CURSOR_CELLS(g)) = START;
			AT(0, CURSOR_DATA(g)) = START_DATA;
			AT(1, CURSOR_DATA(g)) = START_DATA
		};
#ifdef GARBAGE
		/* A region never formatted: any word may hold anything small. */
		for (g : 0 .. N - 1) {
			if :: AT(0, COMMIT(0, g)) = 0 :: AT(0, COMMIT(0, g)) = 1 :: AT(0, COMMIT(0, g)) = 2 fi;
			if :: AT(0, BODY0(0, g)) = 0 :: AT(0, BODY0(0, g)) = 1 fi;
			AT(0, BODY1(0, g)) = AT(0, BODY0(0, g))
		};
		if :: AT(0, SESSION) = 0 :: AT(0, SESSION) = 2 fi;
		if :: AT(1, SESSION) = 0 :: AT(1, SESSION) = 2 fi;
		if :: AT(0, OPEN) = 0 :: AT(0, OPEN) = 2 fi;
		if :: AT(1, SEEN) = 0 :: AT(1, SEEN) = 2 :: AT(1, SEEN) = 3 fi;
		if :: AT(1, CURSOR_CELLS(0)) = 0 :: true fi;
#endif
		g = 0;
		run side(0);
		run side(1);
#ifdef M_TWO_WRITERS
		run side(0);
#endif
#ifdef WEAK
		run memory(0);
		run memory(1)
#endif
	}
}

/* ---- liveness ---- */
#define linked01 (tx_state[0] == NHN_TX_UP && READS_NOW(1) && tx_peer[0] == live[1] && \
	rx_peer[1] == live[0] && live[0] != 0 && live[1] != 0)
#define linked10 (tx_state[1] == NHN_TX_UP && READS_NOW(0) && tx_peer[1] == live[0] && \
	rx_peer[0] == live[1] && live[0] != 0 && live[1] != 0)
/* A session that broke the rules is not acknowledged again: its side must start anew. */
#define refused ((liar[0] != 0 && liar[0] == live[1]) || (liar[1] != 0 && liar[1] == live[0]))
#ifdef LIVENESS
#ifdef TWOWAY
ltl reconnect { <>[] ((linked01 && linked10) || refused) }
ltl delivered { <>[] (begun[0] == M && begun[1] == M && owing[0] == 0 && owing[1] == 0) }
#else
ltl reconnect { <>[] (linked01 || refused) }
ltl delivered { <>[] (begun[0] == M && owing[0] == 0 && owing[C - 1] == 0) }
ltl trusted { ([]<> (linked01 && !paused[0])) && ([]<> (linked01 && !late[1])) }
#endif
#endif
