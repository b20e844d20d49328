/* SPDX-License-Identifier: BSD-3-Clause */
/* The files of a port, as the driver and as the hostile side map them. */
#ifndef NHN_TEST_PORT_FILES_H
#define NHN_TEST_PORT_FILES_H

#include "hostile_port.h"

#define PORT_PATH_BYTES 64

/** @param which "own", or "peer" where the port is split */
void port_file_path(char *path, const char *which);
/** New files, and where the hostile side rewrites them. */
void port_files_new(struct port_victim *victim);
void port_files_remove(struct port_victim *victim);

#endif /* NHN_TEST_PORT_FILES_H */
