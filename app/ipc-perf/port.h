/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_H
#define PORT_H

#include <stdbool.h>
#include <stdint.h>

/** Before EAL starts: see that a PCI device is there and bound to a driver that EAL can use.
 *  @return 0, or -errno with a sentence said */
int port_pci_check(const char *bdf);

/** After EAL started: the port of a device. @return 0, or -ENODEV with a sentence said */
int port_find(const char *device, uint16_t *port);

/** The same of any driver. @param ours whether it is net_nahanni's */
int port_find_any(const char *device, uint16_t *port, bool *ours);

#endif /* PORT_H */
