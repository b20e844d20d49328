/* SPDX-License-Identifier: BSD-3-Clause */
/* What rpc_server and rpc_client agree on: one service, which adds numbers. */
#ifndef SUM_H
#define SUM_H

#include <stdint.h>

/** Type of the request: its bytes are uint32_t numbers, at most SUM_NUMBERS_MAX. */
#define SUM_ADD 1u
#define SUM_NUMBERS_MAX 65536u

/** Status of the reply. */
#define SUM_DONE 0u	 /**< its bytes are a uint64_t */
#define SUM_NO_SUCH 1u	 /**< a request of another type */
#define SUM_NOT_WHOLE 2u /**< bytes that are no numbers */

#endif /* SUM_H */
