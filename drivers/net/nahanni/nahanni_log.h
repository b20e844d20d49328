/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NAHANNI_LOG_H
#define NAHANNI_LOG_H

#include <rte_log.h>

extern int nahanni_logtype;

#define NAHANNI_LOG(level, format, ...)                                                            \
	rte_log(RTE_LOG_##level, (uint32_t)nahanni_logtype, "net_nahanni: " format "\n",           \
		##__VA_ARGS__)

#endif /* NAHANNI_LOG_H */
