/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <nhn_cause.h>

#include "cause_internal.h"

#define DURATION_BYTES 40

int
nhn_duration_text(uint64_t ns, char *text, size_t bytes)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "us"}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ns >= units[i].ns)
			return snprintf(text, bytes, "%" PRIu64 ".%03u %s", ns / units[i].ns,
					(unsigned int)(ns % units[i].ns / (units[i].ns / 1000)),
					units[i].name);
	}
	return snprintf(text, bytes, "%" PRIu64 " ns", ns);
}

/* Put one more item of a list. @return length, also of what found no room */
__attribute__((format(printf, 4, 5))) static size_t
put_item(char *text, size_t bytes, size_t length, const char *format, ...)
{
	const size_t separator = length > 0 ? 2 : 0;
	const size_t at = length < bytes ? length : bytes;
	va_list arguments;
	int wrote;

	if (separator != 0)
		snprintf(text + at, bytes - at, ", ");
	length += separator;
	va_start(arguments, format);
	wrote = vsnprintf(length < bytes ? text + length : NULL,
			  length < bytes ? bytes - length : 0, format, arguments);
	va_end(arguments);
	return length + (wrote > 0 ? (size_t)wrote : 0);
}

static size_t
put_count(char *text, size_t bytes, size_t length, uint64_t count, const char *what,
	  const char *plural)
{
	if (count == 0)
		return length;
	return put_item(text, bytes, length, "%" PRIu64 " %s%s", count, what,
			count > 1 ? plural : "");
}

static size_t
put_duration(char *text, size_t bytes, size_t length, const char *what, uint64_t ns)
{
	char duration[DURATION_BYTES];

	if (ns == 0)
		return length;
	nhn_duration_text(ns, duration, sizeof(duration));
	return put_item(text, bytes, length, "%s %s", what, duration);
}

bool
nhn_seen_text(const struct nhn_look_delta *delta, char *text, size_t bytes)
{
	/* The switch itself is counted as waiting: what is shorter than one says nothing. */
	const uint64_t waited_ns = delta->run_delay_ns >= 1000 ? delta->run_delay_ns : 0;
	size_t length = 0;

	if (bytes > 0)
		text[0] = '\0';
	length = put_count(text, bytes, length, delta->major_faults, "major fault", "s");
	length = put_count(text, bytes, length, delta->minor_faults, "minor fault", "s");
	length = put_count(text, bytes, length, delta->involuntary, "involuntary switch", "es");
	length = put_count(text, bytes, length, delta->voluntary, "voluntary switch", "es");
	length = put_duration(text, bytes, length, "waited", waited_ns);
	length = put_duration(text, bytes, length, "steal", delta->steal_ns);
	return length > 0;
}

void
nhn_waited_text(const struct nhn_look_delta *delta, char *text, size_t bytes)
{
	char waited[DURATION_BYTES];
	size_t length = 0;

	if (bytes > 0)
		text[0] = '\0';
	nhn_duration_text(delta->run_delay_ns, waited, sizeof(waited));
	if ((delta->sees & NHN_SEES_DELAY) != 0)
		length = put_item(text, bytes, length, "waited %s for the CPU", waited);
	if (delta->involuntary > 1 || length == 0)
		put_count(text, bytes, length, delta->involuntary, "switch", "es");
}

int
nhn_line_text(const struct nhn_interrupt *line, uint64_t count, uint64_t window_ns, double usually,
	      char *text, size_t bytes)
{
	char window[DURATION_BYTES];

	nhn_duration_text(window_ns, window, sizeof(window));
	return snprintf(text, bytes, "%s %s, %" PRIu64 " in %s, usually %.0f", line->name,
			line->what, count, window, usually);
}

int
nhn_missing_text(uint32_t sees, char *text, size_t bytes)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} sources[] = {{NHN_SEES_USAGE, "switches and faults"},
		       {NHN_SEES_DELAY, "waiting for the CPU"},
		       {NHN_SEES_STEAL, "steal"},
		       {NHN_SEES_INTERRUPTS, "interrupts"}};
	size_t length = 0;

	if (bytes > 0)
		text[0] = '\0';
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if ((sees & sources[i].bit) == 0)
			length = put_item(text, bytes, length, "%s", sources[i].name);
	}
	return (int)length;
}

const char *
nhn_cause_name(enum nhn_cause cause)
{
	static const char *const names[NHN_CAUSES] = {
		[NHN_CAUSE_UNKNOWN] = "unknown",
		[NHN_CAUSE_SWITCH] = "involuntary switch",
		[NHN_CAUSE_STOP] = "stopped",
		[NHN_CAUSE_MAJOR_FAULT] = "major page fault",
		[NHN_CAUSE_MINOR_FAULT] = "minor page fault",
		[NHN_CAUSE_STEAL] = "steal",
		[NHN_CAUSE_INTERRUPT] = "interrupt",
	};

	return (unsigned int)cause < NHN_CAUSES ? names[cause] : names[NHN_CAUSE_UNKNOWN];
}

int
nhn_gap_text(const struct nhn_gap *gap, char *text, size_t bytes)
{
	char length[DURATION_BYTES], when[DURATION_BYTES];

	nhn_duration_text(gap->gap_ns, length, sizeof(length));
	nhn_duration_text(gap->when_ns, when, sizeof(when));
	return snprintf(text, bytes, "%s at %s: %s%s%s%s", length, when,
			gap->far ? "far end: " : "", nhn_cause_name(gap->cause),
			gap->detail[0] != '\0' ? ", " : "", gap->detail);
}
