/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A channel: its cells, its data ring, its cursors, and the FIFO that specifies
 * it.  What lib/channel is to the code; an inline is named as its function.
 */

/* Commit word: 0 cleared, else as the tag; DESC: the body names lines of the data ring. */
#define TAG(w, r, i)	(1 + ((i) / N) % LAPS + LAPS * (((w) + (r)) / 2 % STAGS))
#define DESC	128
#define MATCHES(word, i)	(((word) & 127) == TAG(rx_peer[me], my, i))
#define HELD(ch)	(head[ch] != released[ch])
#define VIEW(ch, i)	((ch) * HOLD + (i) % HOLD)

/* ---- ghosts: one FIFO a channel and direction ---- */
#define Q(d, ch)	((d) * C + (ch))
byte begun[DIRS];		/* messages begun: the number is the payload */
byte owed[DIRS * C * N];
byte owing[DIRS * C];
byte lost[DIRS];		/* committed, never to be delivered (COUNT) */
byte heard[DIRS * C];		/* writer's session last delivered, 0 once -ESTALE was told */

inline lose(d, n)
{
#ifdef COUNT
	lost[d] = lost[d] + n
#else
	skip
#endif
}

inline pop(q)
{
	owing[q]--;
	i = 0;
	do
	:: i < owing[q] -> owed[(q) * N + i] = owed[(q) * N + i + 1]; i++
	:: else -> owed[(q) * N + i] = 0; break
	od;
	i = 0
}

inline append(ch)
{
	printf("side %d: commits message %d\n", me, a);
	printf("side %d:         in cell %d\n", me, tail[ch] % N);
	if
	:: tx_peer[me] == live[PEER] ->
		CHECK(READS_NOW(PEER) && rx_peer[PEER] == my);
#ifdef LOSSY
		if
		:: owing[Q(me, ch)] == N -> pop(Q(me, ch))
		:: else
		fi;
#else
		assert(owing[Q(me, ch)] < N);
#endif
		owed[Q(me, ch) * N + owing[Q(me, ch)]] = a;
		owing[Q(me, ch)]++
	:: else -> lose(me, 1)
	fi
}

inline deliver(ch)
{
	printf("side %d: delivers message %d\n", me, a);
	assert(a == c);				/* not torn */
#ifdef LOSSY
	do
	:: owing[Q(RX, ch)] > 0 && owed[Q(RX, ch) * N] != a -> pop(Q(RX, ch))
	:: else -> break
	od;
#endif
	assert(owing[Q(RX, ch)] > 0);		/* not invented, not twice */
	assert(owed[Q(RX, ch) * N] == a);	/* in order, none lost */
	/* The program was told of the boundary between two sessions. */
	assert(heard[Q(RX, ch)] == 0 || heard[Q(RX, ch)] == rx_peer[me]);
	heard[Q(RX, ch)] = rx_peer[me];
	pop(Q(RX, ch))
}

/* ---- writer ---- */

/* A cursor between the last one and the tail is one the reader can have reached. */
#define CURSOR_POSSIBLE(cursor, last, t)	(SUB(cursor, last) <= SUB(t, last))
#define DATA_POSSIBLE(cursor, last, t)	(SUBD(cursor, last) <= SUBD(t, last))

/* Control calls any other cursor a lie, while its session stands: no polite peer's. */
inline cursor_check()
{
#ifndef LOSSY
	assert(possible || AT(PEER, SESSION) != tx_peer[me])
#else
	skip
#endif
}

inline nhn_tx_refresh(ch)
{
	LOAD(b = AT(PEER, CURSOR_CELLS(ch));
		possible = CURSOR_POSSIBLE(b, SUB(limit[ch], N), tail[ch]);
		cursor_check();
		if
		:: possible -> limit[ch] = (b + N) % MOD
		:: else
		fi;
		b = 0;
		possible = 0)
}

#if D > 0
/* Lines that n lines take from offset b on: with those skipped at the wrap. */
#define NEEDED(b, n)	((n) + ((b) % D + (n) > D -> D - (b) % D : 0))
#ifdef M_SKIP_UNCOUNTED
#define ROOM_FOR(b, n)	(n)
#else
#define ROOM_FOR(b, n)	NEEDED(b, n)
#endif

inline tx_refresh_data(ch)
{
	LOAD(b = AT(PEER, CURSOR_DATA(ch));
		possible = DATA_POSSIBLE(b, SUBD(data_limit[ch], D), data_tail[ch]);
		cursor_check();
		if
		:: possible -> data_limit[ch] = (b + D) % MODD
		:: else
		fi;
		b = 0;
		possible = 0)
}
#endif

/* Room for a message of n lines, 0 one that fits its cell. ok: there is. */
inline nhn_tx_reserve(ch)
{
	if
	:: limit[ch] == tail[ch] -> nhn_tx_refresh(ch)
	:: else
	fi;
#if D > 0 && !defined(M_DATA_UNASKED)
	if
	:: limit[ch] != tail[ch] && n > 0 &&
	   SUBD(data_limit[ch], data_tail[ch]) < ROOM_FOR(data_tail[ch], n) ->
		tx_refresh_data(ch)
	:: else
	fi;
	ok = (limit[ch] != tail[ch] && (n == 0 ||
		SUBD(data_limit[ch], data_tail[ch]) >= ROOM_FOR(data_tail[ch], n)))
#else
	ok = (limit[ch] != tail[ch])
#endif
}

inline commit_word(ch, r)
{
	STORE(ST(COMMIT(ch, tail[ch]), TAG(my, tx_peer[me], tail[ch]) + (m > 0 -> DESC : 0), r);
		append(ch))
}

/* m lines of the n reserved were written; 0: the message is in its cell. */
inline nhn_tx_commit(ch)
{
#ifdef M_COMMIT_FIRST
	commit_word(ch, REL);
#endif
	if
	:: m == 0 ->
		STORE(ST(BODY0(ch, tail[ch]), a, PLAIN));
		STORE(ST(BODY1(ch, tail[ch]), a, PLAIN))
#if D > 0
	:: m > 0 ->
		b = (data_tail[ch] + NEEDED(data_tail[ch], n) - n) % MODD;
		STORE(ST(LINE(ch, b), a, PLAIN));
		if
		:: m > 1 -> STORE(ST(LINE(ch, b + m - 1), a, PLAIN))
		:: else
		fi;
		STORE(ST(BODY0(ch, tail[ch]), b, PLAIN));
		STORE(ST(BODY1(ch, tail[ch]), m, PLAIN));
		data_tail[ch] = (b + m) % MODD
#endif
	fi;
#ifndef M_COMMIT_FIRST
	commit_word(ch, REL_COMMIT);
#endif
	atomic { tail[ch] = (tail[ch] + 1) % MOD; a = 0; b = 0 }
}

inline send(ch)
{
	atomic {
		n = 0;
		m = 0;
#if D > 0
		do
		:: n < D / 2 -> n++
		:: break
		od;
		if
		:: n > 0 -> m = 1; do :: m < n -> m++ :: break od
		:: else
		fi
#endif
	};
	nhn_tx_reserve(ch);
	if
	:: ok ->
		LOAD(begun[me] = AFTER(begun[me]); a = begun[me]);
		nhn_tx_commit(ch)
	:: else
	fi;
	atomic { n = 0; m = 0; ok = 0 }
}

inline nhn_tx_stop()
{
	for (ch : 0 .. C - 1) {
		limit[ch] = tail[ch]
	};
	ch = 0
}

#ifdef M_OPEN_ONE_CHANNEL
#define CLEARS(ch)	((ch) == 0)
#else
#define CLEARS(ch)	(true)
#endif

/* Take the reader's cursors as the base, clear the cells. */
inline nhn_tx_open(ch)
{
#ifndef LOSSY
	/* No cell owed to a living reader may be wiped, none that its program holds. */
	assert(owing[Q(me, ch)] == 0);
	assert(holds[PEER] == 0);
#endif
#if defined(M_RESTART_AT_0) || defined(M_OLD_CURSOR)
	LOAD(tail[ch] = 0; limit[ch] = 0);
#elif !defined(M_CURSOR_BEFORE_SEEN)
	LOAD(tail[ch] = AT(PEER, CURSOR_CELLS(ch)); limit[ch] = tail[ch]);
#endif
#if D > 0
#ifndef M_OLD_DATA_BASE
	LOAD(data_tail[ch] = AT(PEER, CURSOR_DATA(ch)));
#endif
	data_limit[ch] = (data_tail[ch] + D) % MODD;
#endif
#ifndef M_NO_FORMAT
	i = 0;
	do
	:: i < N && CLEARS(ch) ->
		STORE(ST(COMMIT(ch, i), 0, PLAIN); i++;
			printf("side %d: clears cell %d\n", me, i - 1);
			CHECK(!READS_NOW(PEER)))
	:: else -> break
	od;
	i = 0
#else
	skip
#endif
}

/* ---- reader ---- */

/* Data first: a writer that sees the cells given back sees their lines too. */
inline publish_data(ch)
{
#if D > 0
	if
	:: data_published[ch] != data_released[ch] ->
		STORE(ST(CURSOR_DATA(ch), data_released[ch], REL_DATA);
			data_published[ch] = data_released[ch])
	:: else
	fi
#else
	skip
#endif
}

inline nhn_rx_publish(ch)
{
#ifndef M_DATA_AFTER_CELLS
	publish_data(ch);
#endif
	if
	:: published[ch] != released[ch] ->
		STORE(ST(CURSOR_CELLS(ch), released[ch], REL_CELLS);
			published[ch] = released[ch];
			printf("side %d: cursor = %d\n", me, released[ch]))
	:: else
	fi;
#ifdef M_DATA_AFTER_CELLS
	publish_data(ch)
#else
	skip
#endif
}

/* nhn_descriptor_valid: what no polite peer writes breaks the channel. */
#if D > 0
#define VALID_RANGE(ch, position, length) \
	(length != 0 && length <= D / 2 && position % D + length <= D && \
	SUBD(position, data_head[ch]) < D / 2 && \
	SUBD(data_head[ch], data_released[ch]) + SUBD(position, data_head[ch]) + length <= D)
#endif

inline nhn_rx_peek(ch)
{
#ifdef M_NO_ACQUIRE
	LOAD(early = AT(PEER, BODY0(ch, head[ch])));
#endif
#ifdef M_POLL_BEFORE_OPEN
	LOAD(if :: ahead -> t = ahead; ahead = 0 :: else -> t = AT(PEER, COMMIT(ch, head[ch])) fi);
#else
	LOAD(t = AT(PEER, COMMIT(ch, head[ch])));
#endif
	if
	:: MATCHES(t, head[ch]) ->
#if D > 0
		if
		:: t & DESC ->
			LOAD(a = AT(PEER, BODY0(ch, head[ch])));
			LOAD(c = AT(PEER, BODY1(ch, head[ch]));
				possible = VALID_RANGE(ch, a, c);
				assert(possible);
				possible = 0;
				position[VIEW(ch, head[ch])] = a;
				length[VIEW(ch, head[ch])] = c;
#ifdef M_SKIP_UNFREED
				data_head[ch] = (data_head[ch] + c) % MODD);
#else
				data_head[ch] = (a + c) % MODD);
#endif
#ifdef M_DATA_EARLY
			STORE(ST(CURSOR_DATA(ch), data_head[ch], REL); data_published[ch] = data_head[ch]);
#endif
		:: else -> length[VIEW(ch, head[ch])] = 0
		fi;
#endif
		atomic { head[ch] = (head[ch] + 1) % MOD; holds[me]++; t = 0; a = 0; c = 0 };
#ifdef M_CURSOR_EARLY
		STORE(ST(CURSOR_CELLS(ch), head[ch], REL); published[ch] = head[ch])
#endif
	:: else ->
		t = 0;
		nhn_rx_publish(ch)	/* nhn_rx_empty */
	fi
}

/* nhn_rx_empty, where nothing is read: the boundary is told. */
inline tell_stale(ch)
{
	atomic { stale[ch] = 0; heard[Q(RX, ch)] = 0; printf("side %d: told -ESTALE\n", me) }
}

/* Read the oldest message held, in place. */
inline read(ch)
{
#if D > 0
	if
	:: length[VIEW(ch, released[ch])] > 0 ->
		LOAD(a = AT(PEER, LINE(ch, position[VIEW(ch, released[ch])])); c = a);
		if
		:: length[VIEW(ch, released[ch])] > 1 ->
			LOAD(c = AT(PEER, LINE(ch, position[VIEW(ch, released[ch])] +
				length[VIEW(ch, released[ch])] - 1)))
		:: else
		fi
	:: else ->
#endif
#ifdef M_NO_ACQUIRE
		LOAD(a = early; early = 0);
#else
		LOAD(a = AT(PEER, BODY0(ch, released[ch])));
#endif
		LOAD(c = AT(PEER, BODY1(ch, released[ch])))
#if D > 0
	fi
#endif
}

/* Read and give back all that was peeked. */
inline nhn_rx_release(ch)
{
	do
	:: HELD(ch) ->
		read(ch);
		atomic {
#ifdef RECHECK
			t = AT(PEER, COMMIT(ch, released[ch]));
			if
			:: !MATCHES(t, released[ch]) ->
				CHECK(false);	/* no polite peer causes it */
				printf("side %d: -ESTALE instead of %d\n", me, a)
			:: else -> deliver(ch)
			fi;
			t = 0;
#else
			deliver(ch);
#endif
#if D > 0
			position[VIEW(ch, released[ch])] = 0;
			length[VIEW(ch, released[ch])] = 0;
#endif
			released[ch] = (released[ch] + 1) % MOD;
			holds[me]--;
			a = 0;
			c = 0
		}
	:: else -> break
	od;
#if D > 0
	data_released[ch] = data_head[ch];
#endif
	if
	:: nhn_rx_publish(ch)	/* every quarter ring in life: any time here */
	:: true
	fi
}
