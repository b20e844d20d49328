/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The device arguments of both probes, as text and as values.
 */
#ifndef NAHANNI_ARGS_H
#define NAHANNI_ARGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <rte_kvargs.h>
#include <rte_pci.h>

#include <nhn_wire.h>

#define NAHANNI_VDEV_ARGS                                                                          \
	"role=host|guest,path=FILE[,peer=FILE][,size=BYTES[K|M|G]][,offset=BYTES[K|M|G]][,mode="   \
	"OCTAL][,group=NAME]"                                                                      \
	"[,queues=1..64]"
#define NAHANNI_PCI_ARGS "[role=host|guest][,peer=BDF]"

/** Whose arguments. */
enum nahanni_probe {
	NAHANNI_PROBE_VDEV,
	NAHANNI_PROBE_PCI,
};

/** Arguments that were parsed. */
struct nahanni_args {
	struct rte_kvargs *list; /**< holds the texts */
	enum nhn_role role;
	const char *path;  /**< vdev: the file of both areas; split: that of the own one */
	const char *peer;  /**< vdev, split: the file of the peer's area; else NULL */
	const char *group; /**< vdev: of created files; NULL: as it comes */
	uint64_t size;	   /**< vdev: of each file; 0: what exists, or the default */
	uint64_t offset;   /**< vdev: where the memory begins in each file */
	mode_t mode;	   /**< vdev: of created files; 0: the default */
	uint16_t queues;
	bool peer_device; /**< PCI: split */
	struct rte_pci_addr peer_address;
};

/**
 * Parse and check.
 * @param text "key=value,..."; NULL: none
 * @return 0, or with nothing to be freed -EINVAL or -ENOMEM, logged
 */
int nahanni_args_parse(const char *text, enum nahanni_probe probe, struct nahanni_args *args);

/** Accepts zeroed arguments and those whose parsing failed. */
void nahanni_args_free(struct nahanni_args *args);

/** Whether the arguments of some PCI device, of any driver, name @p address as its peer. */
bool nahanni_args_name_peer(const char *text, const struct rte_pci_addr *address);

#endif /* NAHANNI_ARGS_H */
