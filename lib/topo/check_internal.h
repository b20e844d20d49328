/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NHN_CHECK_INTERNAL_H
#define NHN_CHECK_INTERNAL_H

#include "check_cpus.h"
#include "nhn_check.h"

/* Largest path of a file that is read, with the root. */
#define CHECK_PATH_MAX 4096

/* A thread, as /proc told it at one moment. */
struct check_thread {
	int pid, tid;
	bool kernel;	  /* a thread of the kernel */
	bool interrupted; /* `switches` and `involuntary` are known */
	int last_cpu;	  /* where it ran last; -1: not known */
	char name[32];
	char process[32]; /* the name of its process */
	struct check_cpus affinity;
	uint64_t switches; /* voluntary and not */
	uint64_t involuntary;
};

/* A moment. */
struct check_moment {
	char *interrupts;	    /* /proc/interrupts; NULL: unreadable */
	char *stat;		    /* /proc/stat; NULL: unreadable */
	int interrupts_rc, stat_rc; /* 0, or why */
	struct check_thread *threads;
	unsigned int thread_count;
};

struct nhn_check {
	struct nhn_check_config config;
	struct nhn_check_machine machine;
	struct check_cpus cores;    /* in use */
	struct check_cpus online;   /* all, where nothing tells */
	struct check_cpus isolated; /* by the boot parameter or a cpuset */
	struct check_cpus nohz_full;
	char *cmdline;	    /* "" where there is none */
	bool sampled;	    /* both moments are there */
	double seconds;	    /* between them */
	const char *second; /* "after/" or "": below the root */
	struct check_moment before, after;
};

struct check_entry {
	struct nhn_check_item item;
	int (*run)(struct nhn_check *check, struct nhn_check_result *result);
};

/* The tables, each of the file of its name; ended by an entry without an id. */
extern const struct check_entry nhn_check_cores_table[];
extern const struct check_entry nhn_check_kernel_table[];
extern const struct check_entry nhn_check_timing_table[];
extern const struct check_entry nhn_check_interrupts_table[];
extern const struct check_entry nhn_check_work_table[];
extern const struct check_entry nhn_check_memory_table[];
extern const struct check_entry nhn_check_hugepages_table[];
extern const struct check_entry nhn_check_cache_table[];
extern const struct check_entry nhn_check_power_table[];
extern const struct check_entry nhn_check_idle_table[];
extern const struct check_entry nhn_check_clock_table[];
extern const struct check_entry nhn_check_kvm_table[];
extern const struct check_entry nhn_check_vcpus_table[];
extern const struct check_entry nhn_check_taken_table[];
extern const struct check_entry nhn_check_tuned_table[];
extern const struct check_entry nhn_check_link_table[];

/* Reading: check_read.c. All below the root; only regular files, devices where told. */

/* The whole file in *text, to be freed. -errno; -EFBIG: more than 16 MiB. */
int nhn_check_read_all(const struct nhn_check *check, char **text, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same below the second moment's folder. */
int nhn_check_read_second(const struct nhn_check *check, char **text, const char *path);
/* The first line, without its end. -errno; -ENODATA: empty; -EFBIG: too long. */
int nhn_check_read_line(const struct nhn_check *check, char *text, size_t size, const char *format,
			...) __attribute__((format(printf, 4, 5)));
/* A decimal number and nothing else. -EINVAL: there is another thing. */
int nhn_check_read_number(const struct nhn_check *check, long long *number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Bytes of a device or file, as they are. @return how many, or -errno */
int nhn_check_read_bytes(const struct nhn_check *check, void *bytes, size_t size, const char *path);
int nhn_check_read_cpus(const struct nhn_check *check, struct check_cpus *cpus, const char *format,
			...) __attribute__((format(printf, 3, 4)));
bool nhn_check_exists(const struct nhn_check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* `path` below the root. False: too long. */
bool nhn_check_path(const struct nhn_check *check, char *full, size_t size, const char *path);
/* The value of the last NAME=VALUE of the kernel's command line. False: there is none. */
bool nhn_check_parameter(const struct nhn_check *check, const char *name, char *value, size_t size);

/* Saying: check_say.c. */

/* Append, cut off at the end of `size` bytes. */
void nhn_check_add(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
#define CHECK_ADD(text, ...) nhn_check_add(text, sizeof(text), __VA_ARGS__)

/* Set the status and `found`. Return 0, so that a check can end with it. */
int nhn_check_pass(struct nhn_check_result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int nhn_check_warn(struct nhn_check_result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int nhn_check_fail(struct nhn_check_result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int nhn_check_skip(struct nhn_check_result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Skip for a file that could not be read, by its -errno. */
int nhn_check_skip_file(struct nhn_check_result *result, const char *path, int error);
void nhn_check_want(struct nhn_check_result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void nhn_check_remedy(struct nhn_check_result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A write that mends it. */
void nhn_check_note_write(struct nhn_check_result *result, const char *value, const char *format,
			  ...) __attribute__((format(printf, 3, 4)));

/* The same of a mask of CPUs. */
void nhn_check_note_mask(struct nhn_check_result *result, const struct check_cpus *cpus,
			 const char *path);

/*
 * The CPUs but the cores in use, for what has to leave these. False: there are none, and
 * the remedy is to leave some.
 */
bool nhn_check_others(const struct nhn_check *check, struct nhn_check_result *result,
		      struct check_cpus *others);

/*
 * The list for a kernel parameter: the cores in use but CPU 0's, if that leaves some, and
 * those that the parameter has already, for somebody else may need them.
 */
void nhn_check_isolable(const struct nhn_check *check, const struct check_cpus *already, char *list,
			size_t size);

/* Moments: check_sample.c, check_threads.c. */

/* Have both moments. 0 or -ENOMEM. */
int nhn_check_sample(struct nhn_check *check);
void nhn_check_sample_free(struct check_moment *moment);
int nhn_check_threads_read(const struct nhn_check *check, const char *proc,
			   struct check_moment *moment);
/* The same thread at the moment before; NULL: it is new. */
const struct check_thread *nhn_check_thread_before(const struct nhn_check *check,
						   const struct check_thread *thread);
/* Is it QEMU's process, by its name? */
bool nhn_check_thread_qemu(const struct check_thread *thread);
/* Does a vCPU run in it, by its name? */
bool nhn_check_thread_vcpu(const struct check_thread *thread);

#endif /* NHN_CHECK_INTERNAL_H */
