/* SPDX-License-Identifier: BSD-3-Clause */
/* What systemd is told. Without it, or where the program was built without, nothing is done. */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdint.h>

/** The daemon serves @p links, of which @p up are up and @p damaged have damaged files. */
void notify_ready(uint32_t links, uint32_t up, uint32_t damaged);
void notify_status(uint32_t links, uint32_t up, uint32_t damaged);
void notify_reloading(void);
void notify_stopping(void);

#endif /* NOTIFY_H */
