/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long a load of each area takes. A PCI BAR is mapped uncached by the kernel,
 * and it is up to processor and hypervisor whether that counts: nothing but the
 * time of a load tells.
 */

#include "nahanni.h"

#define REMEDY                                                                                     \
	"map it write-back: in a guest take a device-dax node of an nvdimm on the same file in "   \
	"place of the BAR (guides/net_nahanni, Uncached memory)"

/** Static between two starts of the area's owner: nobody's stores are held up. */
#define LOAD_OFFSET offsetof(struct nhn_control, header)

/** @return what the load takes; 0: there is no such area yet */
static uint32_t
area_measure(const struct nahanni_port *port, const void *area, const char *whose,
	     uint64_t (*now_ns)(void *context), void *context)
{
	uint32_t load_ns;

	if (area == NULL)
		return 0;
	load_ns = nhn_region_load_ns((const uint8_t *)area + LOAD_OFFSET, now_ns, context);
	if (load_ns >= NHN_REGION_LOAD_UNCACHED_NS)
		NAHANNI_LOG(WARNING,
			    "%s: a load of the %s area takes %u ns, expected below %u: THE MEMORY "
			    "IS MAPPED UNCACHED, and each poll is an access of the bus; " REMEDY,
			    port->data->name, whose, load_ns, NHN_REGION_LOAD_UNCACHED_NS);
	return load_ns;
}

void
nahanni_load_measure(struct nahanni_port *port, uint64_t (*now_ns)(void *context), void *context)
{
	port->own_load_ns = area_measure(port, port->own_area, "own", now_ns, context);
	port->peer_load_ns = area_measure(port, port->peer_area, "peer's", now_ns, context);
}
