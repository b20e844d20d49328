/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COUNTED_H
#define COUNTED_H

/* One function under its own name, for callgrind, with no copy made for one caller. */
#ifdef __clang__
#define COUNTED __attribute__((noinline))
#else
#define COUNTED __attribute__((noipa))
#endif

#endif /* COUNTED_H */
