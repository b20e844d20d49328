/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The cores that a program of DPDK polls on, as its user names them: chosen before EAL pins
 * any thread, and judged by the checks of nahanni-check that concern cores.
 */
#ifndef CORES_H
#define CORES_H

#include <stdbool.h>

#include <nhn_check.h>
#include <nhn_topo.h>

/** Most cores of a program. */
#define CORES_MAX 128u
/** Bytes of their list, its 0 included. */
#define CORES_LIST_BYTES (CORES_MAX * 6)

/** Says a sentence: each program has its own. */
typedef void cores_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** What the user wants. */
struct cores_wish {
	const char *name;   /**< where the text stands, for sentences: --cores */
	const char *text;   /**< numbers such as 2 or 2-5,8, or auto */
	unsigned int count; /**< that the program polls on, 1 to CORES_MAX */
	const char *device; /**< PCI address whose node is preferred; else NULL, or no address */
	cores_say *say;
	const struct nhn_topo_config *machine; /**< NULL: this one */
};

/** Zeroed before the first call. */
struct cores {
	int cpu[CORES_MAX];
	unsigned int count;
	char list[CORES_LIST_BYTES];	  /**< "2,5"; auto: near ones adjoin */
	char sentence[NHN_TOPO_TEXT_MAX]; /**< where they are; auto: also what was relaxed */
	struct nhn_check_result *checks;  /**< NULL: not judged */
	unsigned int check_count;
};

/** Whether EAL's own options leave the cores to @p name. @return 0 or -EINVAL, said */
int cores_eal_check(const char *name, int eal_argc, char **argv, cores_say *say);

/** Take those of the list, or choose. Changes no affinity. @return 0 or -errno, said */
int cores_choose(struct cores *cores, const struct cores_wish *wish);

/**
 * Run the checks of cores->list, and say the worst with their remedies. Takes milliseconds.
 *
 * @param root as nhn_check_config has it
 * @param strict refuse cores of which a check fails
 * @return 0, -EPERM: refused; or another error; all said
 */
int cores_judge(struct cores *cores, const char *root, bool strict, cores_say *say);

/** Add a core to a list that is given by other means. */
void cores_add(struct cores *cores, int cpu);

/** Accepts a zeroed one. */
void cores_free(struct cores *cores);

#endif /* CORES_H */
