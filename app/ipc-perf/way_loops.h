/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * All loops but those of calls, loop_rpc.h or another one: included once by each way's .c file,
 * behind the functions that loop.h and loop_serve.h name.
 */
#ifndef WAY_LOOPS_H
#define WAY_LOOPS_H

#include "loop.h"

#include "loop_order.h"

#include "loop_trips.h"

#include "loop_paced.h"

#include "loop_flood.h"

#include "loop_mixed.h"

#include "loop_serve.h"

#endif /* WAY_LOOPS_H */
