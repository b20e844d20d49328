/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A contest: two processes, each on a core of its own, and everything that can carry a
 * message between them, open at once. The near process reads orders, one JSON object a line,
 * and measures; the far one does its part of each order. They meet in shared memory, which
 * is no contestant's.
 *
 * A contestant is a file peer_NAME.c: functions of struct peer that send and receive, from
 * which contest_loops.h makes the loops, compiled in with them, so that all contestants are
 * driven by the same code and none pays for a call.
 *
 * All contestants do the same work: a message begins in the sender's private memory and is
 * copied out of it; it ends, copied whole, in the receiver's private memory.
 */
#ifndef CONTEST_H
#define CONTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <nhn_clock.h>
#include <nhn_histogram.h>

#define CONTEST_SIZE_MIN 8u
#define CONTEST_SIZE_MAX (1u << 20)
#define CONTEST_LINKS_MAX 256u
#define CONTEST_BURST_MAX 256u

/** What a loop does for each burst: compiled into the loop, with its count where that is 1. */
#define CONTEST_INLINE static inline __attribute__((always_inline))

/** Empty polls after which a loop does what is due now and then. */
#define CONTEST_POLLS 256u

enum contest_side {
	CONTEST_NEAR,
	CONTEST_FAR,
};

struct contestant;

/** What a contestant is opened with, at both sides at the same time. */
struct contest_place {
	const struct contestant *contestant;
	enum contest_side side;
	uint32_t links;	    /**< 1..links_max of the contestant */
	uint32_t ring;	    /**< entries of each ring (cells, slots, descriptors) in each direction,
			       a power of two; 0: the contestant's own default */
	uint32_t opening;   /**< number of it, the same at both sides; no two have the same */
	int core;	    /**< this process is pinned to it */
	uint8_t *shared;    /**< both sides', zeroed, of contestant::shared_bytes() */
	const char *folder; /**< both sides', for sockets and files; only near's where far is in a
			       guest */
	/**
	 * "" at both sides, or, where the far side is in a guest, at both sides what the
	 * contestants have there: see contest_device().
	 */
	const char *device;
	uint64_t run; /**< differs from run to run: for names in name spaces of the whole system */
};

/** One round's work, private to a side. The loops and contest_write() etc. keep it. */
struct contest_work {
	uint32_t size;	     /**< bytes of a message */
	uint32_t burst;	     /**< messages at a time, at most */
	uint32_t links;	     /**< first ones used of the contestant's */
	uint64_t messages;   /**< to send, or to answer */
	uint64_t interval;   /**< paced: between messages; wake: of silence; mixed: between control
				messages; cycles */
	uint32_t at;	     /**< where in a message its number lies */
	uint8_t *source;     /**< size bytes to send */
	uint8_t *sink;	     /**< what was received ends here */
	uint64_t written;    /**< messages written; the next one's number */
	uint64_t taken;	     /**< messages read */
	uint64_t next;	     /**< number expected of the next one */
	uint64_t misordered; /**< read with another number than the next one's, or not whole */
	uint64_t idle_from;  /**< when nothing came for the first time; 0: something came */
	struct nhn_histogram *latency;
	const struct nhn_clock *clock;
	const uint32_t *finish;	   /**< near has finished the round that it names ... */
	uint32_t round;		   /**< ... when it is this one */
	struct contest_work *bulk; /**< mixed: the other lane's work */
};

/** What contest_loops.h makes of a contestant. All return when their messages are done, or lost. */
struct contest_loops {
	/** Send one, wait for the answer; each trip into latency. Links in turn. */
	void (*trips)(void *peer, struct contest_work *work);
	/** Answer each message by one of the same size, on its link. */
	void (*echo)(void *peer, struct contest_work *work);
	/** Send all in bursts, on link 0. */
	void (*send)(void *peer, struct contest_work *work);
	/** Receive all, on link 0. */
	void (*receive)(void *peer, struct contest_work *work);
	/** One every interval by the clock, answers in between; latency from the time meant. Far:
	 * echo. */
	void (*paced)(void *peer, struct contest_work *work);
	/** A trip after each interval of silence. */
	void (*wake)(void *peer, struct contest_work *work);
	/** Answer, and sleep where nothing comes. NULL: this contestant can only poll. */
	void (*echo_waiting)(void *peer, struct contest_work *work);
	/** Trips on link 0 at intervals, bulk of work->bulk on link 1 all the time. */
	void (*mixed)(void *peer, struct contest_work *work);
	/** Answer link 0, receive link 1; until the near side has finished. */
	void (*echo_mixed)(void *peer, struct contest_work *work);
};

struct contestant {
	const char *name;  /**< as --only names it: a-z, 0-9, - */
	const char *what;  /**< a line for the report: what it is, how configured, whose advice that
			      is */
	uint32_t size_min; /**< messages it carries, bytes */
	uint32_t size_max;
	uint32_t links_max; /**< 1, or up to CONTEST_LINKS_MAX; mixed needs 2 */
	uint32_t ring_min;  /**< of contest_place::ring; both 0: it has no ring size to choose */
	uint32_t ring_max;
	bool queues;	     /**< its links are queues of one port */
	uint32_t at;	     /**< contest_work::at: 0, or behind the head of a frame */
	bool wordless;	     /**< carries no bytes: the limit */
	const void *variant; /**< its file's own: what tells its contestants apart */
	/** Of contest_place::shared, with place->links and place->ring; NULL: none. */
	size_t (*shared_bytes)(const struct contest_place *place);
	/**
	 * Meet the other side, which opens too; wait at most 10 s for it.
	 * @return the peer for the loops, or NULL with the reason in @p why
	 */
	void *(*open)(const struct contest_place *place, char *why, size_t why_bytes);
	/**
	 * Near, once, before a guest is booted: get that going in place->folder without which its
	 * devices could not be made. It ends with the process. NULL: nothing to do.
	 * @return 0, or -1 with the reason in @p why
	 */
	int (*offer)(const struct contest_place *place, char *why, size_t why_bytes);
	/** Leave nothing behind. The other side closes too, maybe later, maybe earlier. */
	void (*close)(void *peer);
	/**
	 * Get the rings between the sides empty and to the size that suits messages of @p size
	 * bytes; both sides call it before each round, in no order. NULL: nothing to do.
	 */
	int (*prepare)(void *peer, uint32_t size);
	const struct contest_loops *loops;
};

/**
 * What the contestant has in a guest. place->device is "NAME=WHAT;NAME=WHAT;...", and WHAT
 * is the address of its PCI device, "0000:00:11.0", or, of a split link, that of the memory
 * which far writes and that of near's: "0000:00:12.0,peer=0000:00:13.0". On the host the same
 * memories are the files place->folder/NAME and, of near's own where split, NAME-near.
 * @return @p text, or NULL where it has nothing
 */
const char *contest_device(const struct contest_place *place, char *text, size_t bytes);

/**
 * End an opening: @p peer where @p failed is NULL, else it is closed, NULL too.
 * @return the peer, or NULL with the reason in @p why
 */
void *contest_opened(const struct contest_place *place, void *peer, const char *failed, char *why,
		     size_t why_bytes);

/** All contestants of this build, NULL at the end: on one host, or with a guest. */
const struct contestant *const *contestants_here(void);

/** Whether far is in a guest; before the first use of them. */
void contestants_choose(bool guest);

/** A contestant that this build lacks. */
struct contestant_missing {
	const char *name;
	const char *package; /**< Debian's, that brings it */
};

/** NULL name at the end. */
extern const struct contestant_missing contestants_missing[];

/** Something lost: nothing came for so long. */
#define CONTEST_LOST_NS UINT64_C(1000000000)

/** Far waits so long for the first message and between two of them. */
#define CONTEST_SILENCE_NS UINT64_C(10000000000)

static inline void
contest_pause(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

/**
 * After a poll for a burst that found nothing: a receiver at the sender's heels takes each
 * line away before it is full (doc/performance, "What a burst taught").
 */
static inline void
contest_rest(void)
{
	int i;

	for (i = 0; i < 8; i++)
		contest_pause();
}

/**
 * Copy @p size bytes, known when compiled. In a guest by words: an emulator (TCG) moves a vector
 * through its own memory, in halves and then whole, which no processor forwards, and so waits for
 * all stores before; that would be a cost of the contest's own, the same for every contestant.
 */
CONTEST_INLINE void
contest_copy_short(uint8_t *to, const uint8_t *from, uint32_t size)
{
#ifdef CONTEST_GUEST
	uint64_t word;
	uint32_t at;

#pragma GCC unroll 8
	for (at = 0; at + sizeof(word) <= size; at += sizeof(word)) {
		__builtin_memcpy(&word, from + at, sizeof(word));
		__builtin_memcpy(to + at, &word, sizeof(word));
	}
	__builtin_memcpy(to + at, from + at, size % sizeof(word));
#else
	__builtin_memcpy(to, from, size);
#endif
}

/** Copy a message, inline where it is small: the sizes of the contest are known. */
static inline void
contest_copy(void *to, const void *from, uint32_t size)
{
	switch (size) {
	case 8:
		contest_copy_short(to, from, 8);
		return;
	case 48:
		contest_copy_short(to, from, 48);
		return;
	case 56:
		contest_copy_short(to, from, 56);
		return;
	case 60:
		contest_copy_short(to, from, 60);
		return;
	case 64:
		contest_copy_short(to, from, 64);
		return;
	default:
		memcpy(to, from, size);
	}
}

/** Write the next message to @p body, work->size bytes. */
static inline void
contest_write(struct contest_work *work, void *body)
{
	contest_copy(body, work->source, work->size);
	memcpy((uint8_t *)body + work->at, &work->written, sizeof(work->written));
	work->written++;
}

/** The next message, written into work->source: for transports that take a pointer. */
static inline const void *
contest_written(struct contest_work *work)
{
	memcpy(work->source + work->at, &work->written, sizeof(work->written));
	work->written++;
	return work->source;
}

/** Take back the last message of contest_written(): the transport did not want it. */
static inline void
contest_unwrite(struct contest_work *work)
{
	work->written--;
}

/** Look at the number of the message that came, whole, at @p body. */
static inline void
contest_number(struct contest_work *work, const void *body)
{
	uint64_t number;

	memcpy(&number, (const uint8_t *)body + work->at, sizeof(number));
	work->misordered += number != work->next;
	work->next = number + 1;
	work->taken++;
}

/** Read the message at @p body, work->size bytes, into the private sink. */
static inline void
contest_read(struct contest_work *work, const void *body)
{
	contest_copy(work->sink, body, work->size);
	contest_number(work, body);
}

/** A transport put the next message into work->sink itself. */
static inline void
contest_took(struct contest_work *work)
{
	contest_number(work, work->sink);
}

/** End a burst that was sent with @p own, a copy of the work in registers. */
static inline void
contest_sent(struct contest_work *work, const struct contest_work *own)
{
	work->written = own->written;
}

/** End a burst that was received with @p own, a copy of the work in registers. */
static inline void
contest_got(struct contest_work *work, const struct contest_work *own)
{
	work->taken = own->taken;
	work->next = own->next;
	work->misordered = own->misordered;
}

/** The limit's median right before this round, rounded: how far apart the cores are now. */
uint32_t contest_limit_ns(void);

/**
 * Whether to give up waiting. Near: nothing came for CONTEST_LOST_NS. Far: nothing came for
 * 0.2 s after near has finished, or for CONTEST_SILENCE_NS before. Called once in CONTEST_POLLS
 * empty polls.
 */
bool contest_over(struct contest_work *work);

#endif /* CONTEST_H */
