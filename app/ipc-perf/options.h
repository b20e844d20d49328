/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <rte_pci.h>

#include <nhn_wire.h>

/** Smallest channel message: its header. */
#define CHANNEL_BYTES_MIN 8u
/** Smallest frame, without its checksum, as in Ethernet. */
#define FRAME_BYTES_MIN 64u
/** Largest number of samples: 100 times what p99.99 needs for a headline. */
#define SAMPLES_MAX UINT64_C(1000000000)

enum mode {
	MODE_PING,
	MODE_PONG,
};

enum via {
	VIA_CHANNEL,
	VIA_ETHDEV,
};

/** The value of --link. */
struct link_option {
	char *text;		    /**< all of it: net_nahanni takes the same keys of files */
	bool pci;		    /**< else files */
	enum nhn_role role;	    /**< pci: the guest, unless two guests share the device */
	char *path;		    /**< files: the one of both areas, or split: of the own area */
	char *peer;		    /**< split: file, or device by its full address; else NULL */
	uint64_t bytes;		    /**< files of the host; 0: what exists, or the default */
	mode_t mode;		    /**< files of the host; 0: the default */
	gid_t group;		    /**< files of the host; (gid_t)-1: as it comes */
	char bdf[PCI_PRI_STR_SIZE]; /**< pci: address in full, the device's name in EAL */
};

struct options {
	enum mode mode;
	enum via via;
	struct link_option link;
	uint32_t bytes;	  /**< of a message or frame; 0 in a pong */
	uint64_t samples; /**< 0 in a pong */
	const char *json; /**< file to write, or NULL */
	char **argv;	  /**< the whole command line, ends with NULL */
	int eal_argc;	  /**< of it the program's name and EAL's options */
};

/** What becomes of a command line. */
enum options_end {
	OPTIONS_RUN,
	OPTIONS_SHOWN, /**< help or version was printed */
	OPTIONS_WRONG, /**< one sentence says what */
};

enum options_end options_parse(struct options *options, int argc, char **argv);
void options_free(struct options *options);

/** Text names of the enums, as on the command line. */
const char *options_mode_name(enum mode mode);
const char *options_via_name(enum via via);
const char *options_role_name(enum nhn_role role);

/** Parse a decimal number that is all of @p text. @return 0, -EINVAL or -ERANGE */
int number_parse(const char *text, uint64_t *value);

/** Parse the value of --link. @return 0, or -EINVAL with a sentence said */
int link_option_parse(struct link_option *link, const char *text);
void link_option_free(struct link_option *link);

/** Print the manual. */
void help_print(void);

#endif /* OPTIONS_H */
