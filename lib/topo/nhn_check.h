/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NHN_CHECK_H
#define NHN_CHECK_H

/**
 * @file
 * What of a host or guest stands in the way of a known worst case, and how to
 * mend it: a table of checks, each of which reads some files of /proc, /sys and
 * /dev and judges them for the cores in use.
 *
 *     nhn_check_open(&check, &config);
 *     for (i = 0; i < nhn_check_count(); i++)
 *             nhn_check_run(check, i, &result);
 *     nhn_check_close(check);
 *
 * All calls are control work: a run takes milliseconds, and the first run of a
 * check that compares two moments sleeps `sample_ms`. Nothing is written
 * anywhere, no thread's affinity is changed, and nothing runs on the cores that
 * are judged. One `struct nhn_check` belongs to one thread at a time; different
 * ones are independent. There is no state outside of them.
 *
 * doc/guides/nahanni-check.rst has each check, its reason and its remedy.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes that hold each text of this header; longer ones are cut off. */
#define NHN_CHECK_TEXT_MAX 768

/** Bytes of a list of cores; longer ones are cut off and end in "...". */
#define NHN_CHECK_LIST_MAX 256

/** CPUs that are known: those of higher numbers are left out. */
#define NHN_CHECK_CPUS_MAX 4096

/** Between two moments that are compared, unless the config tells. */
#define NHN_CHECK_SAMPLE_MS 1000

/** Writes that a result holds. */
#define NHN_CHECK_WRITES_MAX 64

enum nhn_check_status {
	NHN_CHECK_PASS,
	NHN_CHECK_WARN, /**< It costs little, or may. */
	NHN_CHECK_FAIL, /**< It decides the worst case. */
	NHN_CHECK_SKIP, /**< It cannot be seen here: `found` says why. */
};

/** What the machine is. */
enum nhn_check_role {
	NHN_CHECK_ROLE_UNKNOWN, /**< In a config: find out. */
	NHN_CHECK_ROLE_HOST,	/**< No hypervisor below it. */
	NHN_CHECK_ROLE_GUEST,
};

/** A mapped BAR whose loads were measured, see `bars` of the config. */
struct nhn_check_bar {
	const char *name; /**< Such as "0000:00:03.0". */
	double load_ns;	  /**< Median of loads that depend on each other. */
	/** Why it could not be measured; NULL: it was. */
	const char *why_not;
};

/**
 * What to look at. Zeroed, or NULL instead: this machine, as it is. It and what
 * it points to must stay as they are until nhn_check_close().
 */
struct nhn_check_config {
	/**
	 * The folder below which all files are read; NULL: "/". If it has a
	 * folder `after`, that is the second of two moments, and nobody sleeps.
	 */
	const char *root;
	/**
	 * The cores in use, a list such as "2-5,8". NULL: the isolated ones; if
	 * there are none, all that this process may use.
	 */
	const char *cores;
	enum nhn_check_role role;
	unsigned int sample_ms; /**< 0: NHN_CHECK_SAMPLE_MS. */
	/** The backing files of links, `file_count` of them. */
	const char *const *files;
	unsigned int file_count;
	/** What the caller measured, `bar_count` of them: this library maps nothing. */
	const struct nhn_check_bar *bars;
	unsigned int bar_count;
	/** A failed call's sentence, valid during the call. NULL: silent. */
	void (*log)(void *context, const char *sentence);
	void *log_context;
};

/** A file, and what to write into it, that is a remedy until the next boot. */
struct nhn_check_write {
	char path[128]; /**< Without the root. */
	char value[128];
};

/** What a check says. Texts are of one line. */
struct nhn_check_result {
	const char *id;
	const char *title;
	enum nhn_check_status status;
	char found[NHN_CHECK_TEXT_MAX];
	char wanted[NHN_CHECK_TEXT_MAX];
	const char *why; /**< One sentence. */
	/** A command or a kernel parameter to type; "" unless warn or fail. */
	char remedy[NHN_CHECK_TEXT_MAX];
	/** The part of the remedy that is a plain write; 0: it has none. */
	unsigned int write_count;
	/** There are more of them, or longer ones, than found room. */
	bool write_more;
	struct nhn_check_write write[NHN_CHECK_WRITES_MAX];
};

/** An entry of the table. */
struct nhn_check_item {
	const char *id;	   /**< The kernel's own name where there is one. */
	const char *title; /**< What it looks at. */
	const char *why;
	bool compares; /**< Two moments: its first run takes `sample_ms`. */
};

/** The machine, in words. */
struct nhn_check_machine {
	enum nhn_check_role role;
	char kernel[NHN_CHECK_TEXT_MAX];    /**< Release; "": not known. */
	char processor[NHN_CHECK_TEXT_MAX]; /**< Model; "": not known. */
	char cores[NHN_CHECK_LIST_MAX];	    /**< Those in use. */
	const char *cores_from;		    /**< "given", "isolated" or "allowed". */
	char online[NHN_CHECK_LIST_MAX];
	char isolated[NHN_CHECK_LIST_MAX];
	char nohz_full[NHN_CHECK_LIST_MAX];
};

struct nhn_check;

/**
 * Begin: find the cores in use and the role.
 *
 * @return
 *   0, or with *check NULL, after a sentence, one of
 *   -EINVAL: `cores` is no list, or an empty one;
 *   -ENOENT: `root` is no folder, or nothing tells which cores there are;
 *   -ENOMEM.
 */
int nhn_check_open(struct nhn_check **check, const struct nhn_check_config *config);

/** Accepts NULL. */
void nhn_check_close(struct nhn_check *check);

/** How many checks there are. */
unsigned int nhn_check_count(void);

/** An entry, in the order of doc/guides/nahanni-check.rst; NULL: none. */
const struct nhn_check_item *nhn_check_item_at(unsigned int index);

/** The index of the check of that id; -ENOENT: none. */
int nhn_check_find(const char *id);

/**
 * Look. What cannot be seen is no error but a result: NHN_CHECK_SKIP.
 *
 * @return 0, or -EINVAL: no such check; -ENOMEM.
 */
int nhn_check_run(struct nhn_check *check, unsigned int index, struct nhn_check_result *result);

/** Valid until close. */
const struct nhn_check_machine *nhn_check_machine_of(const struct nhn_check *check);

/** "pass", "warn", "fail", "skip"; "unknown" for what is none. */
const char *nhn_check_status_name(enum nhn_check_status status);

/** "host", "guest"; "unknown". */
const char *nhn_check_role_name(enum nhn_check_role role);

#ifdef __cplusplus
}
#endif

#endif /* NHN_CHECK_H */
