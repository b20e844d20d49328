/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <numa.h>
#include <numaif.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "place_internal.h"

#ifndef MADV_POPULATE_READ /* Linux 5.14, and newer headers than some have */
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

/* Of the kernel's largest set of nodes; its calls count one more, for history's sake. */
#define MASK_BITS 1024
#define MASK_COUNT (MASK_BITS + 1)
#define WORD_BITS (8 * sizeof(unsigned long))

struct mask {
	unsigned long words[MASK_BITS / WORD_BITS];
};

/* What one call works on. */
struct job {
	void *base;
	uint64_t length;
	const struct nhn_place_config *config;
	struct nhn_place_result *result;
	struct nhn_place_mapping mapping;
	struct mask node; /* of config->node alone */
};

int
nhn_place_refuse(const struct nhn_place_config *config, int error, const char *format, ...)
{
	char sentence[512];
	va_list args;

	if (config->log == NULL)
		return -error;
	va_start(args, format);
	errno = error;
	if (vsnprintf(sentence, sizeof(sentence), format, args) >= 0)
		config->log(config->log_context, sentence);
	va_end(args);
	return -error;
}

void
nhn_place_config_init(struct nhn_place_config *config)
{
	*config = (struct nhn_place_config){.node = -1, .populate = true, .lock = true};
}

/* Nodes that this process may have memory of; a kernel without NUMA is one. */
static unsigned int
usable_nodes(void)
{
	return numa_available() < 0 ? 1 : numa_bitmask_weight(numa_all_nodes_ptr);
}

static int
check_node(struct job *job)
{
	const int node = job->config->node;
	const bool numa = numa_available() >= 0;

	if (node < 0)
		return 0;
	if (node >= MASK_BITS || (!numa && node > 0) ||
	    (numa && !numa_bitmask_isbitset(numa_all_nodes_ptr, (unsigned int)node)))
		return nhn_place_refuse(job->config, ENODEV,
					"Memory on node %d was asked for, and this process may use"
					" none there (%u node%s may be used); choose a node of"
					" Mems_allowed in /proc/self/status.",
					node, job->result->nodes,
					job->result->nodes == 1 ? "" : "s");
	job->node.words[(unsigned int)node / WORD_BITS] = 1ul << ((unsigned int)node % WORD_BITS);
	return 0;
}

static int
look_up(struct job *job)
{
	struct nhn_place_result *result = job->result;
	int rc = nhn_place_look_up(job->base, job->length, &job->mapping);

	if (rc != 0)
		return nhn_place_refuse(job->config, -rc,
					"/proc/self/smaps cannot be read (%m), and it tells the"
					" size of a mapping's pages; mount /proc.");
	if (job->mapping.mapped != job->length)
		return nhn_place_refuse(job->config, EFAULT,
					"Of %" PRIu64 " bytes to place at %p %" PRIu64
					" are mapped, and all were expected; place what is mapped.",
					job->length, job->base, job->mapping.mapped);
	result->page_bytes = job->mapping.page_bytes;
	result->hugetlb = job->mapping.hugetlb;
	result->thp_bytes = job->mapping.thp_bytes;
	result->device = job->mapping.device;
	result->locked = job->mapping.locked;
	if ((uintptr_t)job->base % result->page_bytes != 0)
		return nhn_place_refuse(job->config, EINVAL,
					"The memory to place begins at %p, and its pages have"
					" %" PRIu64 " bytes; begin at the start of a page.",
					job->base, result->page_bytes);
	result->pages = (job->length + result->page_bytes - 1) / result->page_bytes;
	return 0;
}

/*
 * A node that is preferred, and no binding: where the node is full, a bound
 * page would call the kernel's OOM killer, or be a SIGBUS for a huge one. What
 * came of it is counted afterwards.
 */
static int
bind_range(struct job *job)
{
	if (job->config->node < 0 || numa_available() < 0)
		return 0;
	if (mbind(job->base, job->length, MPOL_PREFERRED, job->node.words, MASK_COUNT, 0) == 0) {
		job->result->bound = true;
		return 0;
	}
	if (job->result->nodes == 1)
		return 0;
	return nhn_place_refuse(job->config, errno,
				"%" PRIu64 " bytes cannot be placed on node %d (%m: mbind); in a"
				" container allow it by CAP_SYS_NICE.",
				job->length, job->config->node);
}

static int
populate_range(const struct job *job)
{
	const int advice = job->mapping.writable ? MADV_POPULATE_WRITE : MADV_POPULATE_READ;
	int rc;

	do {
		rc = madvise(job->base, job->length, advice) == 0 ? 0 : errno;
	} while (rc == EINTR || rc == EAGAIN);
	if (rc != EINVAL)
		return rc;
	/* Linux before 5.14: locking does it as well. */
	if (mlock(job->base, job->length) != 0)
		return errno;
	if (!job->config->lock)
		munlock(job->base, job->length);
	return 0;
}

/*
 * The policy of a mapping does not hold for a file that is neither on tmpfs nor
 * on hugetlbfs: its pages go where the policy of the thread says.
 */
static int
populate(struct job *job)
{
	struct mask own = {0};
	bool changed = false;
	int mode, rc;

	if (!job->config->populate && !job->config->lock)
		return 0;
	if (job->result->bound && get_mempolicy(&mode, own.words, MASK_BITS, NULL, 0) == 0)
		changed = set_mempolicy(MPOL_PREFERRED, job->node.words, MASK_COUNT) == 0;
	rc = populate_range(job);
	if (changed)
		set_mempolicy(mode, own.words, MASK_COUNT);
	if (rc == 0) {
		job->result->populated = true;
		return 0;
	}
	return nhn_place_refuse(job->config, rc,
				"%" PRIu64 " bytes cannot be brought into memory (%m); %s.",
				job->length,
				job->mapping.hugetlb ? "free huge pages, or raise nr_hugepages"
				: rc == EFAULT ? "look whether the file is shorter than its mapping"
					       : "free memory, or raise the limit of it");
}

/* Pages that were there before. Those of several processes are root's to move. */
static void
move_range(struct job *job)
{
	const struct nhn_place_result *result = job->result;

	if (!result->bound || result->nodes == 1)
		return;
	if (mbind(job->base, job->length, MPOL_PREFERRED, job->node.words, MASK_COUNT,
		  MPOL_MF_MOVE_ALL) != 0 &&
	    errno == EPERM)
		mbind(job->base, job->length, MPOL_PREFERRED, job->node.words, MASK_COUNT,
		      MPOL_MF_MOVE);
	/* What could not be moved is counted by verify(). */
}

static int
lock(struct job *job)
{
	struct rlimit limit = {0};
	int error;

	if (!job->config->lock)
		return 0;
	if (mlock(job->base, job->length) == 0)
		return 0;
	error = errno;
	getrlimit(RLIMIT_MEMLOCK, &limit);
	return nhn_place_refuse(job->config, error,
				"%" PRIu64 " bytes cannot be locked (%m), and %" PRIu64
				" may be by this process in all; raise ulimit -l or systemd's"
				" LimitMEMLOCK=.",
				job->length, (uint64_t)limit.rlim_cur);
}

static int
verify(struct job *job)
{
	struct nhn_place_result *result = job->result;
	const int node = job->config->node;
	uint64_t there = 0;

	result->verified = nhn_place_count(job->base, result) == 0;
	if (result->verified) {
		result->populated = result->pages_absent == 0;
	} else {
		memset(result->pages_on, 0, sizeof(result->pages_on));
		result->pages_elsewhere = result->pages_absent = 0;
	}
	/* What locking and moving made of it. */
	if (nhn_place_look_up(job->base, job->length, &job->mapping) == 0) {
		result->locked = job->mapping.locked;
		result->thp_bytes = job->mapping.thp_bytes;
	}
	if (!job->config->strict || node < 0 || result->nodes == 1)
		return 0;
	if (node < NHN_PLACE_NODES_MAX)
		there = result->pages_on[node];
	if (there + result->pages_absent == result->pages)
		return 0;
	return nhn_place_refuse(job->config, EXDEV,
				"Of %" PRIu64 " pages %" PRIu64 " are on node %d, and all were to"
				" be; free memory there, or stop who else has mapped them.",
				result->pages, there, node);
}

int
nhn_place(void *base, uint64_t length, const struct nhn_place_config *config,
	  struct nhn_place_result *result)
{
	struct job job = {.base = base, .length = length, .config = config, .result = result};
	int rc;

	if (config == NULL || result == NULL)
		return -EINVAL;
	*result = (struct nhn_place_result){
		.node = config->node, .nodes = usable_nodes(), .length = length};
	if (base == NULL || length == 0 || length > UINTPTR_MAX - (uintptr_t)base)
		return nhn_place_refuse(config, EINVAL,
					"%" PRIu64 " bytes at %p were to be placed, and mapped"
					" memory was expected.",
					length, base);
	rc = check_node(&job);
	if (rc == 0)
		rc = look_up(&job);
	if (rc != 0 || result->device)
		return rc;
	rc = bind_range(&job);
	if (rc == 0)
		rc = populate(&job);
	if (rc == 0) {
		move_range(&job);
		rc = lock(&job);
	}
	if (rc == 0)
		rc = verify(&job);
	return rc;
}
