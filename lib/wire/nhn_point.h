/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Named points at which a test may interfere: kill or stop the process, or
 * rewrite the peer's words between two looks at them.
 *
 * A program built with NHN_POINTS links libfiu and enables the points it wants
 * by their names, such as "nhn/open/clear", or "nhn/" and a wildcard
 * (fiu_enable_external()). Everything else is built without, and a point is
 * nothing.
 *
 * A point stands before each store of a word or of bytes that the peer reads,
 * before each load of the peer's memory, and before the fence after streaming
 * stores.
 */
#ifndef NHN_POINT_H
#define NHN_POINT_H

#ifdef NHN_POINTS
#define FIU_ENABLE 1 /* else fiu.h defines fiu_fail() away */
#include <fiu.h>
#define NHN_POINT(name) ((void)fiu_fail("nhn/" name))
#else
#define NHN_POINT(name) ((void)0)
#endif

#endif /* NHN_POINT_H */
