/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Links in words, for logs and error messages. Needs a C library's snprintf.
 */
#ifndef NHN_LINK_TEXT_H
#define NHN_LINK_TEXT_H

#include <stddef.h>

#include <nhn_link.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Name of a state: "up", "waiting for the host", ... */
const char *nhn_link_state_text(enum nhn_link_state state);

/** Name of a channel's fault. */
const char *nhn_fault_text(enum nhn_fault fault);

/**
 * A sentence: what was found, what was expected, the remedy.
 * @return @p text, always terminated
 */
const char *nhn_refusal_text(const struct nhn_refusal *refusal, char *text, size_t bytes);

/** A sentence about an event. @return @p text, always terminated */
const char *nhn_link_event_text(const struct nhn_link *link, const struct nhn_link_event *event,
				char *text, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif /* NHN_LINK_TEXT_H */
