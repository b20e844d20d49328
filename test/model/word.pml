/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The shared words, and how stores reach them: what lib/wire is to the code.
 *
 * Each side owns one area and is the only one to store to it.  A store is one
 * step; with WEAK it goes through a buffer of that many places a side, from
 * which the process memory() lets it land: the oldest first (TSO), else any
 * plain one before older ones to other words, as ARM does.  A store with
 * release overtakes none.  Words that order nothing, as probe, are left out.
 */

/* ---- places in an area (struct nhn_control, then the channels) ---- */
#define SESSION		0	/* 0 never; odd formatting; even a session */
#define SEEN		1	/* peer's session done with; | 1: reading its ring */
#define OPEN		2	/* peer's session my ring is clear for */
#define DISCARDED	3	/* counted by the writer at each opening (COUNT) */
#define HEADER0		4	/* header, two words of it; what it says is whose it is */
#define HEADER1		5
#define CURSOR_CELLS(ch)	(6 + (ch))
#define CURSOR_DATA(ch)		(6 + C + (ch))
#define CONTROL		(6 + 2 * C)
#define CHANNEL		(3 * N + D)	/* words of a channel */
#define COMMIT(ch, i)	(CONTROL + (ch) * CHANNEL + (i) % N)
#define BODY0(ch, i)	(COMMIT(ch, i) + N)	/* a cell's body: a message, twice; */
#define BODY1(ch, i)	(COMMIT(ch, i) + 2 * N)	/* or position and length */
#define LINE(ch, p)	(CONTROL + (ch) * CHANNEL + 3 * N + (p) % D)
#define AREA		(CONTROL + C * CHANNEL)

/* One way, side 1 has a control block only. */
byte area[AREA + CONTROL + (DIRS - 1) * C * CHANNEL];
byte magic[2];		/* header.magic: 0 none, FORMATTING, VALID */
#define FORMATTING	1
#define VALID		2
#define AT(x, word)	area[(x) * AREA + (word)]

/* ---- stores ---- */
#define PLAIN	0	/* nhn_store_relaxed */
#define REL	1	/* nhn_store_release */
#ifdef WEAK
byte bu_word[2 * WEAK], bu_val[2 * WEAK], bu_n[2];
bit bu_rel[2 * WEAK];
#define ROOM(x)		(bu_n[x] < WEAK)
#define LANDED(x)	(bu_n[x] == 0)
#define ST(word, v, r) \
	bu_word[me * WEAK + bu_n[me]] = (word); \
	bu_val[me * WEAK + bu_n[me]] = (v); \
	bu_rel[me * WEAK + bu_n[me]] = (r); \
	bu_n[me]++
#else
#define ROOM(x)		(true)
#define LANDED(x)	(true)
#define ST(word, v, r)	AT(me, word) = (v)
#endif

/* The release stores, each of which a mutant makes plain. */
#ifdef M_PLAIN_COMMIT
#define REL_COMMIT	PLAIN
#else
#define REL_COMMIT	REL
#endif
#ifdef M_PLAIN_CELLS
#define REL_CELLS	PLAIN
#else
#define REL_CELLS	REL
#endif
#ifdef M_PLAIN_DATA
#define REL_DATA	PLAIN
#else
#define REL_DATA	REL
#endif
#ifdef M_PLAIN_SEEN
#define REL_SEEN	PLAIN
#else
#define REL_SEEN	REL
#endif
#if defined(M_PLAIN_SEEN) || defined(M_PLAIN_CONFIRM)
#define REL_CONFIRM	PLAIN
#else
#define REL_CONFIRM	REL
#endif
#ifdef M_PLAIN_OPEN
#define REL_OPEN	PLAIN
#else
#define REL_OPEN	REL
#endif
#ifdef M_PLAIN_HEADER
#define REL_HEADER	PLAIN
#else
#define REL_HEADER	REL	/* nhn_store_words */
#endif
#ifdef M_PLAIN_SESSION
#define REL_SESSION	PLAIN
#else
#define REL_SESSION	REL
#endif

/* A kill may come before each store and at the head of the loop; before a load
 * it would be the same as there, for loads change private words only. */
#define KILL \
	atomic { kills[me] < (me == 0 -> K0 : K1) -> kills[me]++; goto killed }
#define STORE(x)	if :: atomic { ROOM(me) -> x } :: KILL fi
#define LOAD(x)		atomic { x }	/* loads are in order: acquire is what they all have */

#ifdef WEAK
/* Store j of side x reaches memory. */
inline land(x, j)
{
	AT(x, bu_word[(x) * WEAK + j]) = bu_val[(x) * WEAK + j];
	printf("side %d:         word %d = %d lands\n", x, bu_word[(x) * WEAK + j],
		bu_val[(x) * WEAK + j]);
	bu_n[x]--;
	k = j;
	do
	:: k < bu_n[x] ->
		bu_word[(x) * WEAK + k] = bu_word[(x) * WEAK + k + 1];
		bu_val[(x) * WEAK + k] = bu_val[(x) * WEAK + k + 1];
		bu_rel[(x) * WEAK + k] = bu_rel[(x) * WEAK + k + 1];
		k++
	:: else ->
		bu_word[(x) * WEAK + k] = 0;
		bu_val[(x) * WEAK + k] = 0;
		bu_rel[(x) * WEAK + k] = 0;
		break
	od;
	k = 0
}
#define TO(x, j)	bu_word[(x) * WEAK + (j)]
#define FREE(x, j)	(bu_n[x] > (j) && !bu_rel[(x) * WEAK + (j)])

proctype memory(bit x)
{
	byte k;
end:	do
	:: atomic { bu_n[x] > 0 -> land(x, 0) }
#if !defined(TSO) && WEAK > 1
	:: atomic { FREE(x, 1) && TO(x, 1) != TO(x, 0) -> land(x, 1) }
#endif
#if !defined(TSO) && WEAK > 2
	:: atomic { FREE(x, 2) && TO(x, 2) != TO(x, 0) && TO(x, 2) != TO(x, 1)
			-> land(x, 2) }
#endif
#if !defined(TSO) && WEAK > 3
	:: atomic { FREE(x, 3) && TO(x, 3) != TO(x, 0) && TO(x, 3) != TO(x, 1) &&
			TO(x, 3) != TO(x, 2) -> land(x, 3) }
#endif
	od
}
#endif
