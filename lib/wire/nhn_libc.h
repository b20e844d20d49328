/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * All that the core (lib/wire, lib/channel, lib/link, lib/msg) needs of a C
 * library.
 *
 * Where there is one, it is taken from there. A freestanding program, an RTOS
 * guest for one, supplies memcpy and memset, which GCC and clang ask of any
 * program, and gets the rest here. Its own definitions win: include its errno
 * numbers first, and define NHN_HAVE_IOVEC where it has a struct iovec. Numbers
 * never cross the wire, so they need not be the same on both sides.
 *
 * A freestanding compiler calls memcpy even for the 8 bytes of a descriptor.
 * -Dmemcpy=__builtin_memcpy, and the same of memset, makes them moves again;
 * the declarations here then stand back.
 */
#ifndef NHN_LIBC_H
#define NHN_LIBC_H

#if __STDC_HOSTED__

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#else

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef memcpy
void *memcpy(void *__restrict to, const void *__restrict from, size_t bytes);
#endif
#ifndef memset
void *memset(void *to, int byte, size_t bytes);
#endif

#ifndef NHN_HAVE_IOVEC
#define NHN_HAVE_IOVEC
/** A piece of memory, as POSIX names it. */
struct iovec {
	void *iov_base;
	size_t iov_len; /**< bytes */
};
#endif

#ifdef __cplusplus
}
#endif

/* Linux's numbers. */
#ifndef ENOENT
#define ENOENT 2
#endif
#ifndef EAGAIN
#define EAGAIN 11
#endif
#ifndef EBUSY
#define EBUSY 16
#endif
#ifndef EINVAL
#define EINVAL 22
#endif
#ifndef EPROTO
#define EPROTO 71
#endif
#ifndef EMSGSIZE
#define EMSGSIZE 90
#endif
#ifndef EOPNOTSUPP
#define EOPNOTSUPP 95
#endif
#ifndef ECONNRESET
#define ECONNRESET 104
#endif
#ifndef ENOTCONN
#define ENOTCONN 107
#endif
#ifndef ETIMEDOUT
#define ETIMEDOUT 110
#endif
#ifndef EINPROGRESS
#define EINPROGRESS 115
#endif
#ifndef ESTALE
#define ESTALE 116
#endif
#ifndef ECANCELED
#define ECANCELED 125
#endif

#endif /* __STDC_HOSTED__ */

#endif /* NHN_LIBC_H */
