/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A run into files of HdrHistogram's. It has latencies.
 */
#ifndef OUTPUT_HDR_H
#define OUTPUT_HDR_H

#include "output.h"

/** The first run into the file itself, a later one into one of its own. @return 0 or -errno */
int output_hgrm_add(struct output_file *file, const struct result *result);
/** The head before the first run, then the run's slices. @return 0 or -errno */
int output_hlog_add(struct output_file *file, const struct options *options,
		    const struct result *result);

#endif /* OUTPUT_HDR_H */
