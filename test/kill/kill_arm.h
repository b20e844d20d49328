/* SPDX-License-Identifier: BSD-3-Clause */
/* A side's own end of an injury at a point. */
#ifndef NHN_TEST_KILL_ARM_H
#define NHN_TEST_KILL_ARM_H

#include "kill_ledger.h"

/* Take up what the driver has armed, if that has changed. At the n-th pass of the point
 * this process then kills or stops itself, having said so in @p status. */
void kill_arm_look(const struct kill_order *order, struct kill_status *status, uint64_t epoch_ns);

#endif /* NHN_TEST_KILL_ARM_H */
