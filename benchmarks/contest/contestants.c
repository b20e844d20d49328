/* SPDX-License-Identifier: BSD-3-Clause */
/* Who takes part, as far as this build has what it needs. */

#include <stddef.h>

#include "contest.h"

#define CONTESTANT(name) extern const struct contestant contestant_##name;
#include "contestants.def"
#undef CONTESTANT

#define CONTESTANT(name) &contestant_##name,
const struct contestant *const contestants[] = {
#include "contestants.def"
	NULL,
};
#undef CONTESTANT

const struct contestant_missing contestants_missing[] = {
#ifndef HAVE_ZMQ
	{"zmq", "libzmq3-dev"},
#endif
#ifndef HAVE_NNG
	{"nng", "libnng-dev"},
#endif
#ifndef HAVE_ICEORYX
	{"iceoryx", "iceoryx libiceoryx-binding-c-dev libiceoryx-posh-dev"},
#endif
	{NULL, NULL},
};
