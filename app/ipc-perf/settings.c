/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of settings: each with its words, its parser and its printer. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "engine.h"
#include "options.h"
#include "say.h"
#include "settings.h"

/** Largest --size that may be given; what the link carries is known when it is up. */
#define SIZE_MAX_GIVEN (NHN_DATA_BYTES_MAX / 2)
#define SEED_DEFAULT UINT64_C(0x6e6168616e6e69)

static const char *const wait_names[] = {
	[WAIT_POLL] = "poll",
	[WAIT_PAUSE] = "pause",
	[WAIT_SLEEP] = "sleep",
};

const char *
wait_name(enum wait wait)
{
	return wait_names[wait];
}

const char *
mode_word(size_t index)
{
	if (index < engines_count)
		return engines[index]->name;
	return index == engines_count ? MODE_PONG : NULL;
}

/* ---- values of several rows ---- */

typedef int number_parser(const char *text, uint64_t *value);

static int
bounded(number_parser *parser, const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t parsed;

	if (parser(text, &parsed) != 0 || parsed < min || parsed > max)
		return -EINVAL;
	*value = parsed;
	return 0;
}

static int
bounded32(number_parser *parser, const char *text, uint32_t min, uint32_t max, uint32_t *value)
{
	uint64_t parsed;

	if (bounded(parser, text, min, max, &parsed) != 0)
		return -EINVAL;
	*value = (uint32_t)parsed;
	return 0;
}

/** Bytes, with K or M (powers of 1024) behind them. */
static int
bytes_parse(const char *text, uint64_t *value)
{
	size_t digits = strspn(text, "0123456789");
	unsigned int shift = text[digits] == 'K' ? 10 : text[digits] == 'M' ? 20 : 0;
	char number[16];

	if (digits >= sizeof(number) || text[digits + (shift != 0)] != '\0')
		return -EINVAL;
	snprintf(number, sizeof(number), "%.*s", (int)digits, text);
	if (number_parse(number, value) != 0 || *value > UINT64_MAX >> shift)
		return -EINVAL;
	*value <<= shift;
	return 0;
}

static void
bytes_print(uint64_t value, char *text, size_t bytes)
{
	if (value != 0 && value % (1 << 20) == 0)
		snprintf(text, bytes, "%" PRIu64 "M", value >> 20);
	else if (value != 0 && value % (1 << 10) == 0)
		snprintf(text, bytes, "%" PRIu64 "K", value >> 10);
	else
		snprintf(text, bytes, "%" PRIu64, value);
}

/* ---- rows ---- */

static int
mode_parse(struct settings *settings, const char *text)
{
	const struct engine *engine = engine_find(text);

	if (engine == NULL && strcmp(text, MODE_PONG) != 0)
		return -EINVAL;
	settings->engine = engine;
	return 0;
}

static void
mode_print(const struct settings *settings, char *text, size_t bytes)
{
	snprintf(text, bytes, "%s", settings->engine != NULL ? settings->engine->name : MODE_PONG);
}

static int
size_parse(struct settings *settings, const char *text)
{
	return bounded32(bytes_parse, text, MESSAGE_BYTES_MIN, SIZE_MAX_GIVEN, &settings->size);
}

static void
size_print(const struct settings *settings, char *text, size_t bytes)
{
	bytes_print(settings->size, text, bytes);
}

static int
reply_size_parse(struct settings *settings, const char *text)
{
	if (strcmp(text, "same") == 0) {
		settings->reply_size = 0;
		return 0;
	}
	return bounded32(bytes_parse, text, MESSAGE_BYTES_MIN, SIZE_MAX_GIVEN,
			 &settings->reply_size);
}

static void
reply_size_print(const struct settings *settings, char *text, size_t bytes)
{
	if (settings->reply_size == 0)
		snprintf(text, bytes, "same");
	else
		bytes_print(settings->reply_size, text, bytes);
}

static int
bulk_size_parse(struct settings *settings, const char *text)
{
	if (strcmp(text, "same") == 0) {
		settings->bulk_size = 0;
		return 0;
	}
	return bounded32(bytes_parse, text, MESSAGE_BYTES_MIN, SIZE_MAX_GIVEN,
			 &settings->bulk_size);
}

static void
bulk_size_print(const struct settings *settings, char *text, size_t bytes)
{
	if (settings->bulk_size == 0)
		snprintf(text, bytes, "same");
	else
		bytes_print(settings->bulk_size, text, bytes);
}

static int
burst_parse(struct settings *settings, const char *text)
{
	return bounded32(number_parse, text, 1, BURST_MAX, &settings->burst);
}

static void
burst_print(const struct settings *settings, char *text, size_t bytes)
{
	snprintf(text, bytes, "%" PRIu32, settings->burst);
}

static int
rate_parse(struct settings *settings, const char *text)
{
	return bounded(count_parse, text, 1, RATE_MAX, &settings->rate);
}

static void
rate_print(const struct settings *settings, char *text, size_t bytes)
{
	count_print(settings->rate, text, bytes);
}

static int
depth_parse(struct settings *settings, const char *text)
{
	return bounded32(number_parse, text, 1, DEPTH_MAX, &settings->depth);
}

static void
depth_print(const struct settings *settings, char *text, size_t bytes)
{
	snprintf(text, bytes, "%" PRIu32, settings->depth);
}

static int
samples_parse(struct settings *settings, const char *text)
{
	if (strcmp(text, "none") == 0) {
		settings->samples = 0;
		return 0;
	}
	return bounded(count_parse, text, 1, SAMPLES_MAX, &settings->samples);
}

static void
samples_print(const struct settings *settings, char *text, size_t bytes)
{
	if (settings->samples == 0)
		snprintf(text, bytes, "none");
	else
		count_print(settings->samples, text, bytes);
}

static int
duration_parse(struct settings *settings, const char *text)
{
	if (strcmp(text, "none") == 0) {
		settings->duration_ns = 0;
		return 0;
	}
	return bounded(time_parse, text, 1, DURATION_NS_MAX, &settings->duration_ns);
}

static void
duration_print(const struct settings *settings, char *text, size_t bytes)
{
	if (settings->duration_ns == 0)
		snprintf(text, bytes, "none");
	else
		time_print(settings->duration_ns, text, bytes);
}

static int
idle_parse(struct settings *settings, const char *text)
{
	return bounded(time_parse, text, 1, PAUSE_NS_MAX, &settings->idle_ns);
}

static void
idle_print(const struct settings *settings, char *text, size_t bytes)
{
	time_print(settings->idle_ns, text, bytes);
}

static int
work_parse(struct settings *settings, const char *text)
{
	return bounded(time_parse, text, 1, PAUSE_NS_MAX, &settings->work_ns);
}

static void
work_print(const struct settings *settings, char *text, size_t bytes)
{
	time_print(settings->work_ns, text, bytes);
}

static int
wait_parse(struct settings *settings, const char *text)
{
	uint32_t i;

	for (i = 0; i < RTE_DIM(wait_names); i++) {
		if (strcmp(text, wait_names[i]) != 0)
			continue;
		settings->wait = (enum wait)i;
		return 0;
	}
	return -EINVAL;
}

static void
wait_print(const struct settings *settings, char *text, size_t bytes)
{
	snprintf(text, bytes, "%s", wait_names[settings->wait]);
}

static int
switch_parse(const char *text, bool *on)
{
	if (strcmp(text, "on") != 0 && strcmp(text, "off") != 0)
		return -EINVAL;
	*on = strcmp(text, "on") == 0;
	return 0;
}

static int
floor_parse(struct settings *settings, const char *text)
{
	return switch_parse(text, &settings->floor);
}

static void
floor_print(const struct settings *settings, char *text, size_t bytes)
{
	snprintf(text, bytes, "%s", settings->floor ? "on" : "off");
}

static int
gaps_parse(struct settings *settings, const char *text)
{
	return switch_parse(text, &settings->gaps);
}

static void
gaps_print(const struct settings *settings, char *text, size_t bytes)
{
	snprintf(text, bytes, "%s", settings->gaps ? "on" : "off");
}

static int
seed_parse(struct settings *settings, const char *text)
{
	return bounded(number_parse, text, 0, UINT64_MAX, &settings->seed);
}

static void
seed_print(const struct settings *settings, char *text, size_t bytes)
{
	snprintf(text, bytes, "%" PRIu64, settings->seed);
}

static int
sweep_row_parse(struct settings *settings, const char *text)
{
	return sweep_parse(&settings->sweep, text);
}

static void
sweep_row_print(const struct settings *settings, char *text, size_t bytes)
{
	sweep_print(&settings->sweep, text, bytes);
}

#define EXPECT_TIME "a time with its unit, ns, us, ms, s or m, such as "

/* A line of help is a line of the manual. */
/* clang-format off */

const struct setting settings_table[] = {
	{.name = "mode", .value = "MODE", .parse = mode_parse, .print = mode_print,
	 .help = "What this end does: see MODES. pong is the far end, which obeys."},
	{.name = "size", .value = "BYTES[K|M]", .bit = USES_SIZE,
	 .parse = size_parse, .print = size_print,
	 .help = "Of a message: channel and msg from 8 to half the data ring. Up to 60 travel\n"
		 "in one cache line. Of a frame without its checksum: ethdev from 64 to MTU + 14;\n"
		 "the first 14 are an Ethernet header of EtherType 0x88b5.",
	 .expected = "bytes, from 8 (frames: 64) to what the link carries (half its data ring, or"
		     " its MTU and 14), with K or M (1024) behind them or not, such as 1500 or 64K"},
	{.name = "reply-size", .value = "BYTES[K|M]|same", .bit = USES_REPLY_SIZE,
	 .parse = reply_size_parse, .print = reply_size_print,
	 .help = "Of an answer; same: as the request.",
	 .expected = "bytes, from 8 (frames: 64), with K or M (1024) behind them or not, or same:"
		     " as the request"},
	{.name = "bulk-size", .value = "BYTES[K|M]|same", .bit = USES_BULK_SIZE,
	 .parse = bulk_size_parse, .print = bulk_size_print,
	 .help = "Of a bulk message; same: as those whose round trip is measured.",
	 .expected = "bytes, from 8 (frames: 64), with K or M (1024) behind them or not, or same:"
		     " as size"},
	{.name = "burst", .value = "N", .bit = USES_BURST,
	 .parse = burst_parse, .print = burst_print,
	 .help = "Messages that are sent at once, 1 to 256.",
	 .expected = "a number from 1 to 256"},
	{.name = "rate", .value = "N[k|M|G]", .bit = USES_RATE,
	 .parse = rate_parse, .print = rate_print,
	 .help = "Messages a second, each at its time, whether or not the last was answered.",
	 .expected = "messages a second, from 1 to 1G, with k, M or G (1000) behind them or not,"
		     " such as 250k"},
	{.name = "depth", .value = "N", .bit = USES_DEPTH,
	 .parse = depth_parse, .print = depth_print,
	 .help = "Requests that are open at once, 1 to 1024.",
	 .expected = "a number from 1 to 1024"},
	{.name = "samples", .value = "N[k|M|G]|none",
	 .parse = samples_parse, .print = samples_print,
	 .help = "Messages to record, 1 to 1G. A percentile needs 100 samples on its scarcer\n"
		 "side, else it is not given: p99.99 needs 1M. 1M where there is no duration.",
	 .expected = "a number from 1 to 1G, with k, M or G (1000) behind it or not, such as 1M,"
		     " which p99.99 needs, or none: as many as duration allows"},
	{.name = "duration", .value = "TIME|none",
	 .parse = duration_parse, .print = duration_print,
	 .help = "The run ends after it, 7 days (10080m) at most. With samples too: whichever\n"
		 "is first.",
	 .expected = EXPECT_TIME "90s, 10080m at most, or none: when all samples are there"},
	{.name = "idle", .value = "TIME", .bit = USES_IDLE,
	 .parse = idle_parse, .print = idle_print,
	 .help = "Silence before each message, 10s at most.",
	 .expected = EXPECT_TIME "100us, 10s at most"},
	{.name = "work", .value = "TIME", .bit = USES_WORK,
	 .parse = work_parse, .print = work_print,
	 .help = "Of the far end between two polls, 10s at most.",
	 .expected = EXPECT_TIME "100us, 10s at most"},
	{.name = "wait", .value = "poll|pause|sleep", .bit = USES_WAIT,
	 .parse = wait_parse, .print = wait_print,
	 .help = "How the far end waits: poll without a pause, with the processor's pause\n"
		 "instruction between polls, or by sleeping, 50us at most.",
	 .expected = "poll, pause or sleep"},
	{.name = "floor", .value = "on|off", .parse = floor_parse, .print = floor_print,
	 .help = "Measure the noise of the cores between the rounds.",
	 .expected = "on or off"},
	{.name = "gaps", .value = "on|off", .parse = gaps_parse, .print = gaps_print,
	 .help = "Name the largest gaps by their causes.",
	 .expected = "on or off"},
	{.name = "seed", .value = "N", .parse = seed_parse, .print = seed_print,
	 .help = "Of the bytes of all messages.",
	 .expected = "a number from 0 to 18446744073709551615"},
	{.name = "sweep", .value = "NAME=VALUE,...|none",
	 .parse = sweep_row_parse, .print = sweep_row_print,
	 .help = "A run for each value of size, burst or rate, 64 at most: size=8,60,1500.",
	 .expected = "size=, burst= or rate= and up to 64 values of it, such as size=8,60,1500 or"
		     " rate=10k,1M, or none"},
	{.name = "expect", .value = "METRIC<VALUE,...|none",
	 .parse = expect_parse, .print = expect_print,
	 .help = "Thresholds, < or >, 16 at most; a miss is exit status 3. May be given again,\n"
		 "and adds up. METRIC: min, p50, p90, p99, p99.9, p99.99, p99.999, p99.9999 or max\n"
		 "with a time; lost, duplicates, misordered, corrupt, samples, rate, ratio,\n"
		 "late, restarts or out-of-range with a number. Quote it for the shell.",
	 .expected = "thresholds METRIC<VALUE or METRIC>VALUE, 16 at most in all: min, p50, p90,"
		     " p99, p99.9, p99.99, p99.999, p99.9999 or max with a time such as"
		     " 20us, or lost, duplicates, misordered, corrupt, samples, rate, ratio, late,"
		     " restarts or out-of-range with a number; or none"},
};

/* clang-format on */

const size_t settings_count = RTE_DIM(settings_table);

const struct setting *
setting_find(const char *name)
{
	size_t i;

	for (i = 0; i < settings_count; i++)
		if (strcmp(settings_table[i].name, name) == 0)
			return &settings_table[i];
	return NULL;
}

const char *
setting_expected(const struct setting *setting, char *text, size_t bytes)
{
	size_t length = 0;
	size_t i;

	if (setting->expected != NULL) {
		snprintf(text, bytes, "%s", setting->expected);
		return text;
	}
	for (i = 0; i < engines_count && length < bytes; i++)
		length += (size_t)snprintf(text + length, bytes - length, "%s%s", i > 0 ? ", " : "",
					   engines[i]->name);
	if (length < bytes)
		snprintf(text + length, bytes - length, " (they measure) or %s (the far end)",
			 MODE_PONG);
	return text;
}

void
settings_init(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings->engine = engine_find("ping");
	settings->size = 64;
	settings->burst = 32;
	settings->rate = 10000;
	settings->depth = 1;
	settings->idle_ns = 100000;
	settings->work_ns = 100000;
	settings->wait = WAIT_POLL;
	settings->floor = true;
	settings->gaps = true;
	settings->seed = SEED_DEFAULT;
}

void
settings_resolve(struct settings *settings)
{
	if (settings->samples == 0 && settings->duration_ns == 0)
		settings->samples = SAMPLES_DEFAULT;
	if (settings->name[0] == '\0')
		mode_print(settings, settings->name, sizeof(settings->name));
}
