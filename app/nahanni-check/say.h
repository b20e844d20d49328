/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SAY_H
#define SAY_H

/** Print "nahanni-check: ", a sentence and the end of the line to stderr. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* SAY_H */
