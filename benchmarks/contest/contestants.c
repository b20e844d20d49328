/* SPDX-License-Identifier: BSD-3-Clause */
/* Who takes part, as far as this build has what it needs. */

#include <stddef.h>

#include "contest.h"

#define CONTESTANT(name) extern const struct contestant contestant_##name;
#include "contestants.def"
#undef CONTESTANT

#define CONTESTANT(name) extern const struct contestant contestant_##name;
#include "contestants_guest.def"
#undef CONTESTANT

#define CONTESTANT(name) &contestant_##name,
static const struct contestant *const on_host[] = {
#include "contestants.def"
	NULL,
};

static const struct contestant *const with_guest[] = {
#include "contestants_guest.def"
	NULL,
};
#undef CONTESTANT

static const struct contestant *const *here = on_host;

const struct contestant *const *
contestants_here(void)
{
	return here;
}

void
contestants_choose(bool guest)
{
	if (guest)
		here = with_guest;
}

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
