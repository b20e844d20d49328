/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_H
#define PORT_H

#include <stdint.h>

/** Before EAL starts: see that a PCI device is there and bound to a driver that EAL can use.
 *  @return 0, or -errno with a sentence said */
int port_pci_check(const char *bdf);

/** After EAL started: the port of a device. @return 0, or -ENODEV with a sentence said */
int port_find(const char *device, uint16_t *port);

#endif /* PORT_H */
