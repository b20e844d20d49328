/* SPDX-License-Identifier: BSD-3-Clause */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "kill_arm.h"
#include "process.h"

#ifdef NHN_POINTS
#include <fiu-control.h>

static struct {
	uint32_t armed; /* as in the order */
	uint32_t passes_left;
	int signal;
	struct kill_status *status;
	uint64_t epoch_ns;
} arm;

static int
passed(const char *name, int *failnum, void **failinfo, unsigned int *flags)
{
	(void)name;
	(void)failnum;
	(void)failinfo;
	(void)flags;
	if (arm.passes_left == 0 || --arm.passes_left != 0)
		return 0;
	nhn_store_relaxed(&arm.status->hit_us,
			  (uint32_t)((process_now_ns() - arm.epoch_ns) / 1000));
	nhn_store_release(&arm.status->hit, 1);
	raise(arm.signal);
	return 0;
}

static void
name_of(uint32_t armed, char *name, size_t bytes)
{
	snprintf(name, bytes, "nhn/%s", kill_points[armed - 1].name);
}

void
kill_arm_look(const struct kill_order *order, struct kill_status *status, uint64_t epoch_ns)
{
	uint32_t armed = nhn_load_acquire(&order->armed);
	char name[64];

	if (armed == arm.armed)
		return;
	if (arm.armed != 0) {
		name_of(arm.armed, name, sizeof(name));
		fiu_disable(name);
	}
	arm.armed = armed;
	if (armed == 0)
		return;
	arm.passes_left = order->passes;
	arm.signal = order->action == KILL_DEAD ? SIGKILL : SIGSTOP;
	arm.status = status;
	arm.epoch_ns = epoch_ns;
	name_of(armed, name, sizeof(name));
	if (fiu_init(0) != 0 || fiu_enable_external(name, 1, NULL, 0, passed) != 0)
		abort();
}

#else

void
kill_arm_look(const struct kill_order *order, struct kill_status *status, uint64_t epoch_ns)
{
	(void)order;
	(void)status;
	(void)epoch_ns;
}

#endif
