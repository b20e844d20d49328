/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NHN_CAUSE_H
#define NHN_CAUSE_H

/**
 * @file
 * What made the largest gaps of a measured loop: the kernel's counts are read around
 * them, and each gap gets the cause that they bear out, or "unknown".
 *
 * Use, on the thread that measures, pinned to one CPU:
 *
 *     nhn_observer_open(&observer, cpu, "");
 *     nhn_gaps_init(&gaps, 10000);
 *     for each round:
 *             nhn_gaps_round_begin(&gaps, &observer);
 *             the loop: if (sample_ns > gaps.threshold_ns) {
 *                     nhn_gaps_note(&gaps, &observer, when_ns, sample_ns, may_look);
 *                     and the next sample begins after this
 *             }
 *             nhn_gaps_round_end(&gaps, &observer, NULL);
 *     for each of gaps.count: nhn_gap_text(&gaps.gap[i], text, sizeof(text));
 *     nhn_observer_close(&observer);
 *
 * How a cause is chosen, why so, and what it cannot tell: doc/guides/causes.rst.
 *
 * No function allocates. struct nhn_observer takes about 60 KiB, struct nhn_gaps 100 KiB.
 * Fields called private are not for the user.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nhn_interrupts.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Sources that can be read here: bits of nhn_observer::sees and nhn_look_delta::sees. */
#define NHN_SEES_USAGE 0x1u	 /**< getrusage(RUSAGE_THREAD): switches and faults */
#define NHN_SEES_DELAY 0x2u	 /**< /proc/thread-self/schedstat: waiting for a CPU */
#define NHN_SEES_STEAL 0x4u	 /**< /proc/stat: taken by the hypervisor */
#define NHN_SEES_INTERRUPTS 0x8u /**< /proc/interrupts */
#define NHN_SEES_LIGHT (NHN_SEES_USAGE | NHN_SEES_DELAY)
#define NHN_SEES_ALL 0xfu

/** Lines of interrupts in a delta, those that came most often. */
#define NHN_LOOK_LINES 16
/** Gaps that are kept, the largest. */
#define NHN_GAPS 16
/** Lines of interrupts whose usual rate is kept. */
#define NHN_USUAL_LINES 64

/** The thread's counts, as they stand. */
struct nhn_counts {
	uint64_t now_ns; /**< CLOCK_MONOTONIC */
	uint32_t sees;	 /**< NHN_SEES_USAGE, NHN_SEES_DELAY: read this time */
	uint64_t voluntary;
	uint64_t involuntary;
	uint64_t minor_faults;
	uint64_t major_faults;
	uint64_t run_delay_ns;
};

/** All counts, as they stand: those of the thread and those of its CPU. */
struct nhn_look {
	struct nhn_counts counts;
	uint32_t sees; /**< NHN_SEES_STEAL, NHN_SEES_INTERRUPTS: read this time */
	uint64_t steal_ns;
	struct nhn_interrupts interrupts;
};

/** What came between two looks. */
struct nhn_look_delta {
	uint64_t window_ns;    /**< between the looks */
	uint64_t voluntary;    /**< switches of the thread: it slept, or was stopped */
	uint64_t involuntary;  /**< switches of the thread: another one got the CPU */
	uint64_t minor_faults; /**< of the thread, without input */
	uint64_t major_faults; /**< of the thread, that waited for input */
	uint64_t run_delay_ns; /**< the thread was ready and waited for the CPU */
	uint64_t steal_ns;     /**< taken from the CPU, in steps of nhn_look_delta::tick_ns */
	uint64_t tick_ns;      /**< resolution of steal_ns */
	uint32_t sees;	       /**< NHN_SEES_*: of these sources; all other fields are 0 */
	uint32_t lines;	       /**< of line[] */
	struct nhn_interrupt line[NHN_LOOK_LINES]; /**< came on the CPU, most often first */
};

/** Sources of a thread and its CPU. */
struct nhn_observer {
	uint32_t sees; /**< NHN_SEES_* */
	int cpu;

	/* private */
	int schedstat_fd;
	int stat_fd;
	int interrupts_fd;
	uint64_t tick_ns;
	struct nhn_look now;  /**< scratch */
	struct nhn_look last; /**< of nhn_observer_look() */
};

/**
 * Open the sources of the calling thread, and of the CPU that it is pinned to. Only this
 * thread may use the observer. A source that is not there or cannot be read, as in some
 * containers, is not an error: see nhn_observer::sees. The first nhn_observer_look()
 * counts from here.
 *
 * @param root  put before "/proc/...": "", or a folder that a test made.
 * @return 0, or -EINVAL for a negative *cpu* or a *root* too long.
 */
int nhn_observer_open(struct nhn_observer *observer, int cpu, const char *root);

/** Close it. One of zeros, or closed already, is accepted. */
void nhn_observer_close(struct nhn_observer *observer);

/**
 * What cannot be seen here: "waiting for the CPU, steal", or nothing.
 *
 * @return as snprintf(); 0 when all sources are there.
 */
int nhn_observer_missing(const struct nhn_observer *observer, char *text, size_t bytes);

/**
 * All that came since the last call, or since nhn_observer_open(). Independent of the
 * looks of nhn_gaps. Takes some system calls and about a tenth of a millisecond.
 */
void nhn_observer_look(struct nhn_observer *observer, struct nhn_look_delta *delta);

enum nhn_cause {
	NHN_CAUSE_UNKNOWN,
	NHN_CAUSE_SWITCH,      /**< another thread had the CPU */
	NHN_CAUSE_STOP,	       /**< SIGSTOP, a debugger, the freezer; or it slept */
	NHN_CAUSE_MAJOR_FAULT, /**< waited for a page to be read */
	NHN_CAUSE_MINOR_FAULT, /**< a page was mapped */
	NHN_CAUSE_STEAL,       /**< the hypervisor ran something else */
	NHN_CAUSE_INTERRUPT,
	NHN_CAUSES
};

/** A gap. */
struct nhn_gap {
	uint64_t when_ns; /**< as given to nhn_gaps_note() */
	uint64_t gap_ns;
	enum nhn_cause cause;
	bool far;	 /**< the cause was seen at the far end */
	char detail[96]; /**< how long, which line and how often; of unknown ones what was seen */
};

/** Private: a gap with what was seen around it. */
struct nhn_gap_seen {
	uint64_t when_ns;
	uint64_t gap_ns;
	uint64_t missed_ns;	    /**< gaps since the look before that were not kept */
	uint64_t gaps_ns;	    /**< all gaps noted between the full looks around it */
	bool open;		    /**< the full look after it is still to come */
	bool far_known;		    /**< far is filled in */
	bool sleeps;		    /**< nhn_gaps::sleeps of its round */
	bool far_sleeps;	    /**< nhn_gaps::far_sleeps of its round */
	uint64_t full_ns;	    /**< between the full looks */
	struct nhn_look_delta near; /**< thread: light looks; steal, lines: full looks */
	struct nhn_look_delta far;  /**< of the round, less what larger gaps were given */
};

/** Private: how often a line comes in rounds that have no large gaps. */
struct nhn_usual {
	uint64_t quiet_ns;
	uint64_t steal_ns; /**< in quiet_ns */
	uint32_t lines;
	struct {
		char name[sizeof(((struct nhn_interrupt *)0)->name)];
		uint64_t count; /**< in quiet_ns */
	} line[NHN_USUAL_LINES];
};

/** The largest gaps of a run. */
struct nhn_gaps {
	/** A gap over this is to be noted. Rises while the run goes on. */
	uint64_t threshold_ns;
	uint32_t count;		      /**< of gap[], as of the last nhn_gaps_round_end() */
	struct nhn_gap gap[NHN_GAPS]; /**< largest first */
	/**
	 * Set by the user, before a round begins: the loop sleeps by itself, or the far end's
	 * does. Voluntary switches are no sign of a stop then. Both false after init.
	 */
	bool sleeps;
	bool far_sleeps;

	/* private */
	bool in_round;
	bool noted;			     /**< this round has had gaps over the threshold */
	uint32_t round_count;		     /**< of round[] */
	uint64_t begin_threshold_ns;	     /**< when the round began */
	uint64_t missed_ns;		     /**< noted, but not kept, since the last look */
	uint64_t gaps_ns;		     /**< noted since the last full look */
	uint64_t full_cost_ns;		     /**< how long the last full look took */
	struct nhn_counts light;	     /**< the last look of either kind */
	struct nhn_look full;		     /**< the last full look */
	struct nhn_gap_seen seen[NHN_GAPS];  /**< of gap[] */
	struct nhn_gap_seen round[NHN_GAPS]; /**< of this round, in no order */
	struct nhn_usual usual;
	struct nhn_usual far_usual;
};

/** Begin a run: no gaps. */
void nhn_gaps_init(struct nhn_gaps *gaps, uint64_t threshold_ns);

/**
 * Begin a round: take a full look. Call it right before the measured loop, for what comes
 * between this and the first gap is taken to be that gap's.
 */
void nhn_gaps_round_begin(struct nhn_gaps *gaps, struct nhn_observer *observer);

/**
 * Note a gap over nhn_gaps::threshold_ns, right when it is seen: the round's 16 largest
 * are kept. For each one kept this takes two short system calls, so that each has its own
 * counts of switches and faults. Once 16 are kept the threshold rises to the smallest of
 * them, so that this is rare. Start the clock of the next sample after it returns.
 *
 * Out of a round it does nothing, so that loops may be run for warm-up.
 *
 * @param when_ns   of the user's clock: told, not used.
 * @param may_look  the loop has time for a full look, of about a tenth of a millisecond:
 *   taken when such looks cost less than 1 % of the time.
 */
void nhn_gaps_note(struct nhn_gaps *gaps, struct nhn_observer *observer, uint64_t when_ns,
		   uint64_t gap_ns, bool may_look);

/**
 * End a round: take a full look, name the causes, and merge into the 16 largest of the
 * run. All names are found anew, as the usual rates of interrupts are known better.
 *
 * @param far  what came at the far end in this round; NULL: not known.
 */
void nhn_gaps_round_end(struct nhn_gaps *gaps, struct nhn_observer *observer,
			const struct nhn_look_delta *far);

/** End a round that does not count: its gaps are forgotten, the threshold goes back. */
void nhn_gaps_round_drop(struct nhn_gaps *gaps);

/** "involuntary switch", "stopped", "interrupt", ... */
const char *nhn_cause_name(enum nhn_cause cause);

/**
 * A gap in one line: "1.234 ms at 3.200 s: involuntary switch, waited 1.2 ms for the CPU".
 *
 * @return as snprintf().
 */
int nhn_gap_text(const struct nhn_gap *gap, char *text, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif /* NHN_CAUSE_H */
