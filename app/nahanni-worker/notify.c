/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <time.h>

#include "notify.h"

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#else
#define sd_notifyf(unset, ...) ((void)0)
#define sd_notify(unset, state) ((void)0)
#endif

#define STATUS_FORMAT "STATUS=%" PRIu32 " links, %" PRIu32 " up, %" PRIu32 " with damaged files"

void
notify_ready(uint32_t links, uint32_t up, uint32_t damaged)
{
	(void)links, (void)up, (void)damaged;
	sd_notifyf(0, "READY=1\n" STATUS_FORMAT, links, up, damaged);
}

void
notify_status(uint32_t links, uint32_t up, uint32_t damaged)
{
	(void)links, (void)up, (void)damaged;
	sd_notifyf(0, STATUS_FORMAT, links, up, damaged);
}

void
notify_reloading(void)
{
	struct timespec now;

	/* systemd tells by it this reload from an earlier one. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		   (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void
notify_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}
