/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A start, the control step and what follows a fault: what lib/link is to the
 * code; an inline is named as its function.
 */

/* ---- a start ---- */

#ifdef M_SEEN_KEPT
#define ZERO_SEEN	skip
#else
#define ZERO_SEEN	if :: READS(me) -> STORE(ST(SEEN, 0, PLAIN)) :: else fi
#endif
#ifdef M_OPEN_KEPT
#define ZERO_OPEN	skip
#else
#define ZERO_OPEN	if :: SENDS(me) -> STORE(ST(OPEN, 0, PLAIN)) :: else fi
#endif

/* Next odd number whose even successor neither a former life nor the peer knows. */
inline session_next()
{
	if
	:: my -> my = my + 1	/* this life goes on: never read back */
	:: !my && magic[me] -> my = (AT(me, SESSION) + 1) | 1
	:: else -> my = 1	/* random in life */
	fi;
#ifdef M_SAME_SESSION
	my = 1;
#else
	do
	:: my + 1 == AT(PEER, OPEN) || my + 1 == (AT(PEER, SEEN) & 254) -> my = my + 2
	:: else -> break
	od;
#endif
#ifdef M_SESSION_WRAP
	my = my % 4	/* sessions 2, 4, 2, 4 */
#else
	skip
#endif
}

/* A new life goes on where its cursors are; one that revives knows them. */
inline nhn_rx_init()
{
	for (ch : 0 .. C - 1) {
		head[ch] = AT(me, CURSOR_CELLS(ch));
		released[ch] = head[ch];
		published[ch] = head[ch];
#if D > 0
		data_head[ch] = AT(me, CURSOR_DATA(ch));
		data_released[ch] = data_head[ch];
		data_published[ch] = data_head[ch]
#endif
	};
	ch = 0
}

inline session_even()
{
	STORE(my++;
		ST(SESSION, my, REL_SESSION);
		live[me] = my;
		printf("side %d: session = %d\n", me, my))
}

inline header_write()
{
#ifdef HEADER
	STORE(ST(HEADER0, (my + 1) & 254, REL_HEADER));
	STORE(ST(HEADER1, (my + 1) & 254, REL_HEADER));
#endif
	if
	:: magic[me] != VALID -> STORE(magic[me] = VALID)
	:: else
	fi
}

inline link_start()
{
	atomic {
		(my -> ROOM(me) : LANDED(me));	/* a dead process's stores do land */
		if
		:: !my -> nhn_rx_init()
		:: else
		fi;
		session_next();
#ifndef M_NO_ODD
		ST(SESSION, my, REL);
#endif
		if
		:: !magic[me] -> magic[me] = FORMATTING
		:: else
		fi;
		printf("side %d: starts, session %d\n", me, my)
	};
#ifdef M_SESSION_FIRST
	session_even();
#endif
	ZERO_SEEN;
	ZERO_OPEN;
	header_write();
#ifndef M_SESSION_FIRST
	session_even()
#endif
}

/* The peer's session, 0 while its header is not valid. */
#define PEER_SESSION	(AT(PEER, SESSION) * (magic[PEER] == VALID))

/* A guest writes nothing before it has seen a host's session. */
inline first_step()
{
#ifdef GUEST
	if
	:: me != GUEST -> skip
	:: me == GUEST && PEER_SESSION != 0 && EVEN(PEER_SESSION)
	fi
#else
	skip
#endif
}

/* ---- control step: the heartbeat.  No clock here: "too long" may be any time
 * at all, so a living peer may be suspected wrongly, as a stopped one is in life. ---- */
inline beat()
{
	atomic { moved[me] = 1 };
	LOAD(if
		:: moved[PEER] -> moved[PEER] = 0; late[me] = 0
		:: !moved[PEER] -> late[me] = 1
		:: !moved[PEER]
		fi)
}

/* ---- control step: writer's direction ---- */

/* The own acknowledgement first.  One way there is none: any session but a liar's. */
#ifdef M_OPEN_UNACKNOWLEDGED
#define ACKNOWLEDGED(p)	(true)
#else
#define ACKNOWLEDGED(p)	(READS(me) -> rx_peer[me] == (p) : broken_session[me] != (p))
#endif
#if defined(M_NO_WAIT)
#define LET_GO(s)	(true)
#elif defined(M_TIMEOUT)
#define LET_GO(s)	((s) == my || late[me])
#else
#define LET_GO(s)	((s) == my)
#endif

inline tx_step()
{
	LOAD(p = PEER_SESSION;
		if
		:: tx_state[me] != NHN_TX_WAIT_DRAIN && p != tx_peer[me] ->	/* ROW_TX_END */
			nhn_tx_stop();
			paused[me] = 0;
			tx_state[me] = NHN_TX_WAIT_DRAIN;
			p = 0
		:: else
		fi);
	if
	:: tx_state[me] == NHN_TX_WAIT_DRAIN && p != 0 && EVEN(p) && ACKNOWLEDGED(p) ->
#ifdef M_CURSOR_BEFORE_SEEN
		LOAD(tail[0] = AT(PEER, CURSOR_CELLS(0)); limit[0] = tail[0]);
#endif
		LOAD(s = AT(PEER, SEEN));
		if
		:: LET_GO(s) -> tx_open()					/* ROW_TX_OPEN */
		:: else
		fi
	:: tx_state[me] == NHN_TX_WAIT_READER && p != 0 ->
		LOAD(s = AT(PEER, SEEN);
			if
			:: s == (my | 1) ->					/* ROW_TX_UP */
				tx_state[me] = NHN_TX_UP;
				printf("side %d: may send to %d\n", me, p)
			:: else
			fi)
	:: tx_state[me] == NHN_TX_UP && p != 0 && paused[me] != late[me] ->	/* ROW_TX_PAUSE */
		LOAD(paused[me] = late[me];
			if
			:: paused[me] -> nhn_tx_stop()
			:: else
			fi)
	:: else
	fi;
	atomic { p = 0; s = 0 }
}

/* Count what the reader left, clear the cells, name the reader they are clear for. */
inline tx_open()
{
#if defined(COUNT) && !defined(M_COUNT_LATE)
	count_discarded();
#endif
	do
	:: ch < C -> nhn_tx_open(ch); ch++
	:: else -> break
	od;
	ch = 0;
#ifdef M_COUNT_LATE
	count_discarded();
#endif
	STORE(ST(OPEN, p, REL_OPEN);
		tx_peer[me] = p;
#ifdef M_NO_CONFIRM
		tx_state[me] = NHN_TX_UP;
#else
		tx_state[me] = NHN_TX_WAIT_READER;
#endif
		printf("side %d: open = %d\n", me, p);
		opened())
}

inline count_discarded()
{
	atomic {
		b = 0;
		for (ch : 0 .. C - 1) {
			s = AT(PEER, CURSOR_CELLS(ch));
			i = 0;
			do
			:: i < N && (AT(me, COMMIT(ch, s + i)) & 127) == TAG(0, 0, s + i) -> i++
			:: else -> break
			od;
			b = b + i
		};
		ch = 0;
		i = 0;
		s = 0
	};
	STORE(ST(DISCARDED, AT(me, DISCARDED) + b, PLAIN));
	b = 0
}

inline opened()
{
#ifdef COUNT
	if
	:: p == live[PEER] ->
		assert(AT(me, DISCARDED) >= lost[me]);
		assert(AT(me, DISCARDED) <= lost[me] +
			C * N * (kills[0] + kills[1] + faults[0] + faults[1]))
	:: else
	fi
#else
	skip
#endif
}

/* ---- control step: reader's direction ---- */

#ifdef M_OPEN_ENUM
#define FOR_ME(b)	((b) != 0)
#else
#define FOR_ME(b)	((b) == my)
#endif
#ifdef M_STALE_UNTOLD
#define STALE_UNTOLD	false
#else
#define STALE_UNTOLD	(stale[0] || stale[C - 1])	/* stale_untold */
#endif

inline rx_step()
{
#ifdef M_EMPTY_BEFORE_SESSION
	LOAD(t = AT(PEER, COMMIT(0, head[0])));
#endif
	LOAD(s = PEER_SESSION);
#ifdef M_POLL_BEFORE_OPEN
	LOAD(ahead = 0);
#endif
	if
	:: rx_state[me] == NHN_RX_IDLE && s != 0 && EVEN(s) && s != rx_peer[me] &&
	   s != broken_session[me] ->						/* ROW_RX_ACKNOWLEDGE */
		rx_acknowledge()
#ifndef M_NO_FORGET
	:: rx_state[me] == NHN_RX_WAIT_OPEN && s != rx_peer[me] ->		/* ROW_RX_FORGET */
		LOAD(rx_state[me] = NHN_RX_IDLE)
#endif
	:: rx_state[me] == NHN_RX_WAIT_OPEN && s == rx_peer[me] ->		/* ROW_RX_CONFIRM */
		rx_confirm()
#ifdef M_ACK_BEFORE_DRAIN
	:: READS_NOW(me) && s != rx_peer[me] && s != 0 && EVEN(s) ->
		rx_acknowledge()
#else
	:: (rx_state[me] == NHN_RX_READING && s != rx_peer[me]) ||
	   rx_state[me] == NHN_RX_DRAINING ->					/* ROW_RX_DRAIN */
		rx_drain()
#endif
	:: else
	fi;
	atomic { s = 0; b = 0; t = 0 }
}

inline rx_acknowledge()
{
#ifdef HEADER
	/* nhn_peer_header_copy: nhn_foreign_copy_words, and the same session still */
	LOAD(a = AT(PEER, HEADER0));
	LOAD(c = AT(PEER, HEADER1));
#ifndef M_HEADER_ONE_LOOK
	LOAD(if :: AT(PEER, SESSION) != s -> s = 0 :: else fi);
#endif
	atomic { assert(s == 0 || (a == s && c == s)); a = 0; c = 0 };
#endif
	if
#ifdef FOLLOW
	:: s != 0 && me == GUEST && follows < FOLLOW ->	/* link_guest_start */
		atomic {
			printf("side %d: follows another layout, session %d\n", me, my);
			follows++;
			s = 0;
			forget();
			goto reborn
		}
#endif
	:: s != 0 ->
		STORE(ST(SEEN, s, REL_SEEN);
			rx_peer[me] = s;
			rx_state[me] = NHN_RX_WAIT_OPEN;
			broken_session[me] = 0;
			liar[me] = 0;
			late[me] = 0;
#ifdef M_OLD_CURSOR
			head[0] = 0; released[0] = 0; published[0] = 0;	/* the word keeps its old value */
#endif
			printf("side %d: seen = %d\n", me, s))
	:: else
	fi
}

inline rx_confirm()
{
#ifdef M_POLL_BEFORE_OPEN
	LOAD(ahead = AT(PEER, COMMIT(0, head[0])));
#endif
	LOAD(b = AT(PEER, OPEN));
	if
	:: FOR_ME(b) && !STALE_UNTOLD ->
		STORE(ST(SEEN, s | 1, REL_CONFIRM);
			rx_state[me] = NHN_RX_READING;
			printf("side %d: seen = %d\n", me, s | 1))
	:: else
	fi
}

#ifdef M_SEEN_ONE_CHANNEL
#define DRAINS	1
#else
#define DRAINS	C
#endif
#ifdef M_DRAIN_HELD
#define MAY_LOOK(ch)	(true)
#else
#define MAY_LOOK(ch)	(!HELD(ch))
#endif

/* nhn_rx_drained: nothing is held, and a look after the load of session finds nothing. */
inline rx_drain()
{
	LOAD(rx_state[me] = NHN_RX_DRAINING);
	do
	:: ch < DRAINS && MAY_LOOK(ch) ->
#ifdef M_EMPTY_BEFORE_SESSION
		if
#else
		LOAD(t = AT(PEER, COMMIT(ch, head[ch]));
		if
#endif
		:: MATCHES(t, head[ch]) -> break
		:: else -> ch++
#ifdef M_EMPTY_BEFORE_SESSION
		fi
#else
		fi)
#endif
	:: else -> break
	od;
	if
	:: ch == DRAINS ->
		ch = 0;
		nhn_rx_stop();
		LOAD(rx_state[me] = NHN_RX_IDLE)
	:: else
	fi;
	atomic { ch = 0; t = 0 }
}

inline nhn_rx_stop()
{
	do
	:: ch < C -> nhn_rx_publish(ch); stale[ch] = 1; ch++
	:: else -> break
	od;
	ch = 0
}

/* ---- faults: a word that no polite peer writes, found at any time ---- */

inline break_off()
{
	LOAD(faults[me]++;
		printf("side %d: fault, session %d\n", me, my);
		broken = 1;
		liar[me] = (READS(me) -> rx_peer[me] : tx_peer[me]);
#ifdef M_BROKEN_AHEAD
		broken_session[me] = AT(PEER, SESSION);
#else
		broken_session[me] = liar[me];
#endif
		paused[me] = 0;
		tx_state[me] = NHN_TX_WAIT_DRAIN;
		nhn_tx_stop());
	STORE(ST(SESSION, my | 1, REL))
}

#ifdef M_REVIVE_HELD
#define GAVE_BACK	true
#else
#define GAVE_BACK	(!HELD(0) && !HELD(C - 1))
#endif
#ifdef M_REVIVE_WAITS
#define MAY_REVIVE	(GAVE_BACK && AT(PEER, SESSION) != broken_session[me] && \
	EVEN(AT(PEER, SESSION)))
#else
#define MAY_REVIVE	GAVE_BACK
#endif

/* Start anew at once.  What is not read by then is discarded, as at any restart. */
inline revive()
{
	nhn_rx_stop();
	atomic {
		printf("side %d: revives, session %d\n", me, my);
		broken = 0;
		forget();
		goto reborn
	}
}

inline forget()
{
	live[me] = 0;
	tx_state[me] = NHN_TX_WAIT_DRAIN;
	tx_peer[me] = 0;
	rx_state[me] = NHN_RX_IDLE;
	rx_peer[me] = 0;
	paused[me] = 0;
	for (ch : 0 .. C - 1) {
		if
		:: READS(me) ->
			lose(RX, owing[Q(RX, ch)]);
			do
			:: owing[Q(RX, ch)] > 0 -> pop(Q(RX, ch))
			:: else -> break
			od
		:: else
		fi;
		tail[ch] = 0; limit[ch] = 0;
#if D > 0
		data_tail[ch] = 0; data_limit[ch] = 0;
#endif
		head[ch] = released[ch]
	};
	ch = 0
}
