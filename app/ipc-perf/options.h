/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The command line: settings of the first run, and what is of the program.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <rte_pci.h>

#include <nhn_wire.h>

#include "settings.h"

struct nhn_check_result;

/** Results of others shown in a report beside these. */
#define COMPARE_MAX 8u

enum via {
	VIA_CHANNEL,
	VIA_MSG,
	VIA_ETHDEV,
};

/** The value of --link. */
struct link_option {
	char *text;		    /**< all of it: net_nahanni takes the same keys of files */
	bool pci;		    /**< a device of net_nahanni; else files, or a port */
	enum nhn_role role;	    /**< pci: the guest, unless two guests share the device */
	char *path;		    /**< files: the one of both areas, or split: of the own area */
	char *peer;		    /**< split: file, or device by its full address; else NULL */
	uint64_t bytes;		    /**< files of the host; 0: what exists, or the default */
	uint64_t offset;	    /**< where the memory begins in each file */
	mode_t mode;		    /**< files of the host; 0: the default */
	gid_t group;		    /**< files of the host; (gid_t)-1: as it comes */
	char bdf[PCI_PRI_STR_SIZE]; /**< pci: address in full, the device's name in EAL */
	char *port;		    /**< any ethdev port by its name in EAL; else NULL */
	char *limit; /**< port: a file that both ends share for the limit's words, or NULL */
};

/** Files to write when the runs are over; NULL: none. */
struct outputs {
	const char *json;
	const char *csv;
	const char *hgrm;
	const char *hlog;
	const char *report;
};

struct options {
	struct settings settings; /**< engine NULL: this is the far end */
	uint64_t given;		  /**< bit i: row i of settings_table */
	enum via via;
	struct link_option link; /**< text NULL: none, for engines that have no far end */
	struct outputs outputs;
	const char *scenario;	  /**< file of runs, or NULL */
	const char *cmdline_file; /**< commands for the prompt, or NULL */
	bool interactive;
	const char *cores;     /**< numbers or auto; NULL: EAL's own options say */
	bool strict;	       /**< refuse cores of which a check fails */
	const char *core_list; /**< what came of cores: a CPU's number; or NULL */
	/** What the checker says of the cores in use; 0 of them: it was not asked. */
	const struct nhn_check_result *checks;
	unsigned int check_count;
	const char *compare[COMPARE_MAX];
	unsigned int compares;
	char **argv;  /**< the whole command line, ends with NULL */
	int eal_argc; /**< of it the program's name and EAL's options */
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
const char *options_via_name(enum via via);
const char *options_role_name(enum nhn_role role);

/** Parse a decimal number that is all of @p text. @return 0, -EINVAL or -ERANGE */
int number_parse(const char *text, uint64_t *value);
/** The same with k, M or G (powers of 1000) behind it: 250k. @return 0, -EINVAL or -ERANGE */
int count_parse(const char *text, uint64_t *value);
/** A time with its unit, ns, us, ms, s or m, in ns: 20us, 1.5s. @return 0, -EINVAL or -ERANGE */
int time_parse(const char *text, uint64_t *ns);

/** As the two parse it, in the largest unit that is exact. */
void count_print(uint64_t value, char *text, size_t bytes);
void time_print(uint64_t ns, char *text, size_t bytes);

/** Whether there is a link where these settings need one. @return 0, or -EINVAL, said */
int options_link_check(const struct options *options, const struct settings *settings);

/** Parse the value of --link. @return 0, or -EINVAL with a sentence said */
int link_option_parse(struct link_option *link, const char *text);
void link_option_free(struct link_option *link);

/** Print the manual. */
void help_print(void);
/** Rows of settings_table and of engines[] as the manual has them. */
void help_settings_print(FILE *out);
void help_engines_print(FILE *out);

#endif /* OPTIONS_H */
