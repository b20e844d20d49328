/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Parts of output_text() that are of no use by themselves.
 */
#ifndef OUTPUT_TEXT_H
#define OUTPUT_TEXT_H

#include "output.h"

/** The table of what a mode measures besides: nothing where that is nothing. */
void output_text_besides(FILE *out, const struct result *result);

#endif /* OUTPUT_TEXT_H */
