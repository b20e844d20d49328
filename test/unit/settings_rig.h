/* SPDX-License-Identifier: BSD-3-Clause */
/* For tests of ipc-perf's words: engines that need no link, and what was said. */
#ifndef SETTINGS_RIG_H
#define SETTINGS_RIG_H

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_common.h>

#include <engine.h>
#include <settings.h>

/* Engines that only use something: the real ones need a link. */

#define ENGINE(id, text, of, bits)                                                                 \
	const struct engine id = {.name = (text), .help = "Help.", .latency = (of), .uses = (bits)}
ENGINE(engine_ping, "ping", "round trip", USES_LINK | USES_SIZE);
ENGINE(engine_paced, "paced", "open", USES_LINK | USES_SIZE | USES_RATE);
ENGINE(engine_flood, "flood", NULL, USES_LINK | USES_SIZE | USES_BURST);
ENGINE(engine_rpc, "rpc", "call", USES_LINK | USES_SIZE | USES_REPLY_SIZE | USES_DEPTH);
ENGINE(engine_duplex, "duplex", NULL, USES_LINK | USES_SIZE | USES_BURST);
ENGINE(engine_mixed, "mixed", "round trip", USES_LINK | USES_SIZE | USES_BURST | USES_BULK_SIZE);
ENGINE(engine_idle_wake, "idle-wake", "trip", USES_LINK | USES_SIZE | USES_IDLE | USES_WAIT);
ENGINE(engine_workload, "workload", "trip", USES_LINK | USES_SIZE | USES_WORK);
ENGINE(engine_synthetic, "synthetic", "known", 0);

/* ---- sentences ---- */

static char said[8192];
static int stderr_before, capture;

static inline void
capture_begin(void)
{
	fflush(stderr);
	stderr_before = dup(STDERR_FILENO);
	capture = memfd_create("stderr", 0);
	assert_true(stderr_before >= 0 && capture >= 0);
	dup2(capture, STDERR_FILENO);
}

static inline void
capture_end(void)
{
	ssize_t bytes;

	fflush(stderr);
	dup2(stderr_before, STDERR_FILENO);
	bytes = pread(capture, said, sizeof(said) - 1, 0);
	said[bytes > 0 ? bytes : 0] = '\0';
	close(stderr_before);
	close(capture);
}

/** @p parts, "a|b|c": all must have been said */
static inline void
assert_said(const char *parts)
{
	char copy[512];
	char *part, *left;

	snprintf(copy, sizeof(copy), "%s", parts);
	for (part = strtok_r(copy, "|", &left); part != NULL; part = strtok_r(NULL, "|", &left))
		if (strstr(said, part) == NULL)
			fail_msg("'%s' is not in: %s", part, said);
}

static inline uint64_t
bit_of(const char *name)
{
	return UINT64_C(1) << (setting_find(name) - settings_table);
}

#endif /* SETTINGS_RIG_H */
