/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What a run does. One table of names serves the command line (--NAME VALUE),
 * the prompt (set NAME VALUE), scenario files (NAME = VALUE) and show config.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** Smallest message that is not a frame: its header. */
#define MESSAGE_BYTES_MIN 8u
/** Smallest frame, without its checksum, as in Ethernet. */
#define FRAME_BYTES_MIN 64u
/** Largest number of samples of a run. */
#define SAMPLES_MAX UINT64_C(1000000000)
/** Samples of a run that has neither --samples nor --duration. */
#define SAMPLES_DEFAULT UINT64_C(1000000)
/** Longest run: a week. */
#define DURATION_NS_MAX UINT64_C(604800000000000)
#define RATE_MAX UINT64_C(1000000000)
#define BURST_MAX 256u
#define DEPTH_MAX 1024u
/** Longest idle time or workload. */
#define PAUSE_NS_MAX UINT64_C(10000000000)
/** Values of a sweep. */
#define SWEEP_MAX 64u
/** Thresholds of a run. */
#define EXPECTS_MAX 16u
/** Bytes that hold the text of any setting, and what is accepted for it. */
#define SETTING_TEXT_MAX 2048u
/** The value of --mode of the far end. */
#define MODE_PONG "pong"

struct engine;

/** How the far end waits for a message. */
enum wait {
	WAIT_POLL,  /**< without a pause */
	WAIT_PAUSE, /**< with the processor's pause instruction between polls */
	WAIT_SLEEP, /**< sleeps for as long as an empty poll found nothing, 50 us at most */
};

/** What a sweep varies. */
enum sweep_over {
	SWEEP_NONE,
	SWEEP_SIZE,
	SWEEP_BURST,
	SWEEP_RATE,
};

struct sweep {
	enum sweep_over over;
	uint32_t count;
	uint64_t values[SWEEP_MAX]; /**< ascending or not: as given */
};

/** A threshold: metric < value, or > value. */
struct expect {
	char text[64];	 /**< as given */
	char metric[24]; /**< of result_metric() */
	bool below;	 /**< met when the metric is below value; else when above */
	double value;	 /**< ns for times, else the plain number */
};

/** A copy is a run's own: no pointers but to constant tables. */
struct settings {
	char name[48];		     /**< of the run, in its reports; empty: the engine's */
	const struct engine *engine; /**< mode; NULL: pong, the far end */
	uint32_t size;		     /**< bytes of a message, or of a frame */
	uint32_t reply_size;	     /**< rpc: of a reply; 0: as the request */
	uint32_t bulk_size;	     /**< mixed: bytes of a bulk message; 0: as size */
	uint32_t burst;		     /**< messages sent at once: flood, duplex, mixed */
	uint64_t rate;		     /**< paced: messages a second */
	uint32_t depth;		     /**< rpc: requests open at once */
	uint64_t samples;	     /**< to record; 0: until duration ends */
	uint64_t duration_ns;	     /**< of the run's rounds; 0: until samples are there */
	uint64_t idle_ns;	     /**< idle-wake: silence before each message */
	uint64_t work_ns;	     /**< workload: between two polls of the far end */
	enum wait wait;		     /**< idle-wake: of the far end */
	bool floor;		     /**< measure the noise floor between rounds */
	bool gaps;		     /**< name the largest gaps by their causes */
	uint64_t seed;		     /**< of the bytes of all messages */
	struct sweep sweep;
	uint32_t expects;
	struct expect expect[EXPECTS_MAX];
};

/** The defaults: mode ping, and what help says. */
void settings_init(struct settings *settings);
/**
 * Fill in what was left open, of a copy that is to be run: SAMPLES_DEFAULT where neither
 * samples nor duration end it, the engine's name where it has none.
 */
void settings_resolve(struct settings *settings);

/** A row of the table. */
struct setting {
	const char *name;     /**< "reply-size" */
	const char *value;    /**< of help: "BYTES" */
	const char *help;     /**< a sentence or two */
	const char *expected; /**< what is accepted, for errors; NULL: see setting_expected() */
	uint32_t bit;	      /**< of engine.uses; 0: of every engine */
	/** @return 0 or -EINVAL; nothing is said and nothing changed on error */
	int (*parse)(struct settings *settings, const char *text);
	/** As parse() would take it. */
	void (*print)(const struct settings *settings, char *text, size_t bytes);
};

extern const struct setting settings_table[];
extern const size_t settings_count;

/** @return NULL: no such name */
const struct setting *setting_find(const char *name);

/**
 * Set one by its words.
 * @param where what the words came from, for the sentence: "--", "set", "config/x.cfg, [a]"
 * @return 0, or -EINVAL with a sentence said: the word, the place and what is accepted
 */
int setting_set(struct settings *settings, const char *where, const char *name, const char *text);

/**
 * Whether the settings fit together and the engine: what is missing or not used is named.
 * @param given bit i: row i of the table was given by the user; rows that the engine does not
 *        use are then refused
 * @param ethdev frames, which have a larger smallest size
 * @return 0, or -EINVAL with a sentence said
 */
int settings_check(const struct settings *settings, const char *where, uint64_t given, bool ethdev);

/** What a row accepts, in words: "a number from 1 to 256". @return @p text */
const char *setting_expected(const struct setting *setting, char *text, size_t bytes);
/** The words of mode one after the other, pong last. @return NULL: no more */
const char *mode_word(size_t index);

/** Parse "size=8,60,1500", or none. @return 0 or -EINVAL; nothing changed on error */
int sweep_parse(struct sweep *sweep, const char *text);
void sweep_print(const struct sweep *sweep, char *text, size_t bytes);
/** A value of the sweep by its text: "10k". */
void sweep_value_print(const struct sweep *sweep, uint32_t index, char *text, size_t bytes);
/** Make settings those of the sweep's value @p index: no sweep any more, name with the value. */
void sweep_apply(struct settings *settings, uint32_t index);

/** Add thresholds, "p99.99<20us,lost<1", or forget all: none. @return 0 or -EINVAL */
int expect_parse(struct settings *settings, const char *text);
void expect_print(const struct settings *settings, char *text, size_t bytes);

/** Text names of the enums. */
const char *wait_name(enum wait wait);
const char *sweep_over_name(enum sweep_over over);

#endif /* SETTINGS_H */
