/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Surviving SIGBUS. A handler cannot take a lock, so it reads the table below
 * while other threads open and close regions. That is safe, since:
 *
 * 1. A region is one word, so that no mixture of two of them can be read.
 * 2. A region's word is stored before nhn_region_open() returns and cleared by
 *    nhn_region_close() before the unmapping. Whoever may touch the bytes at
 *    an address knows of the mapping there by way of the thread that made it.
 *    So it sees that mapping's word if it is one of ours, and sees no word of
 *    an earlier mapping at that address, however late it sees the words of
 *    mappings elsewhere; and those do not contain the address.
 * 3. `lost` is set by the handler in the thread that touches, and cleared only
 *    before the word is stored.
 */

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "region_internal.h"

/*
 * A word holds, from its highest bit, the page-aligned base, 6 bits of the
 * length's logarithm, 5 bits of the page size's above PAGE_SHIFT_MIN, and
 * whether the region is writable. A region's word is not 0, for its base is not.
 */
#define PAGE_SHIFT_MIN 12
#define LENGTH_BITS_AT 6
#define PAGE_BITS_AT 1
#define BASE_MASK (~(((uintptr_t)1 << PAGE_SHIFT_MIN) - 1))
static_assert(LENGTH_BITS_AT + 6 == PAGE_SHIFT_MIN, "the fields fill what the base leaves");

static uintptr_t words[NHN_REGION_SURVIVORS_MAX];
static volatile sig_atomic_t lost[NHN_REGION_SURVIVORS_MAX];

/* Held to change the table and the handler, never by the handler. */
static pthread_mutex_t change = PTHREAD_MUTEX_INITIALIZER;
static size_t watched;
static bool installed;
/* Whose SIGBUS it was; written before ours is installed, read by ours. */
static struct sigaction previous;

/* Read once: what is derived from the word then stays of one region. */
static uintptr_t
word_load(size_t i)
{
	uintptr_t word = words[i];

	__asm__ volatile("" : "+r"(word));
	return word;
}

static uintptr_t
word_base(uintptr_t word)
{
	return word & BASE_MASK;
}

static uintptr_t
word_length(uintptr_t word)
{
	return (uintptr_t)1 << (word >> LENGTH_BITS_AT & 63);
}

static uintptr_t
word_page(uintptr_t word)
{
	return (uintptr_t)1 << ((word >> PAGE_BITS_AT & 31) + PAGE_SHIFT_MIN);
}

static uintptr_t
word_make(const struct nhn_region *region, uint64_t page)
{
	uintptr_t length_bits = (uintptr_t)__builtin_ctzll(region->length);
	uintptr_t page_bits = (uintptr_t)__builtin_ctzll(page) - PAGE_SHIFT_MIN;

	return (uintptr_t)region->base | length_bits << LENGTH_BITS_AT | page_bits << PAGE_BITS_AT |
	       (region->access == NHN_REGION_READ_WRITE);
}

/* The region's entry, or NHN_REGION_SURVIVORS_MAX; `change` is held. */
static size_t
entry_of(const struct nhn_region *region)
{
	size_t i;

	for (i = 0; i < NHN_REGION_SURVIVORS_MAX; i++)
		if (words[i] != 0 && word_base(words[i]) == (uintptr_t)region->base)
			break;
	return i;
}

/*
 * Zeros from the page of `address` to the region's end, so that a region costs
 * few signals, however large. The kernel exchanges the pages under its own
 * lock: another thread in this region meets the old ones or the new ones.
 * mmap() is not in POSIX's list for handlers, but on Linux a system call only.
 */
static bool
replace_tail(uintptr_t word, uintptr_t address)
{
	uintptr_t begin = address & ~(word_page(word) - 1);
	uintptr_t end = word_base(word) + word_length(word);
	int prot = PROT_READ | ((word & 1) != 0 ? PROT_WRITE : 0);

	return mmap((void *)begin, end - begin, prot,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != MAP_FAILED;
}

static bool
survive(uintptr_t address)
{
	uintptr_t word;
	size_t i;

	for (i = 0; i < NHN_REGION_SURVIVORS_MAX; i++) {
		word = word_load(i);
		if (word != 0 && address - word_base(word) < word_length(word)) {
			lost[i] = 1;
			return replace_tail(word, address);
		}
	}
	return false;
}

/* As if this handler were not there. */
static void
hand_on(int number, siginfo_t *info, void *context)
{
	/* Sent, not caused by the instruction to which a return goes back. */
	bool sent = info->si_code <= 0 || info->si_code == BUS_MCEERR_AO;

	if ((previous.sa_flags & SA_SIGINFO) != 0) {
		previous.sa_sigaction(number, info, context);
	} else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
		previous.sa_handler(number);
	} else if (previous.sa_handler == SIG_DFL || !sent) {
		/* The instruction causes it again, and the kernel ignores no such one. */
		signal(number, SIG_DFL);
		if (sent)
			raise(number);
	}
}

static void
on_sigbus(int number, siginfo_t *info, void *context)
{
	int error = errno;

	/* Other codes tell of bad alignment or bad memory, which zeros do not mend. */
	if (info->si_code != BUS_ADRERR || !survive((uintptr_t)info->si_addr))
		hand_on(number, info, context);
	errno = error;
}

static bool
is_ours(const struct sigaction *action)
{
	return (action->sa_flags & SA_SIGINFO) != 0 && action->sa_sigaction == on_sigbus;
}

/* `change` is held. */
static int
install(bool *covered)
{
	/* On the stack that the previous handler may count on. */
	struct sigaction ours = {
		.sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO | SA_ONSTACK,
	};
	struct sigaction now;

	if (sigaction(SIGBUS, NULL, &now) != 0)
		return -errno;
	*covered = installed && !is_ours(&now);
	/* Not again on top: the one that covers ours may call it, and would be called by it. */
	if (installed)
		return 0;
	previous = now;
	sigemptyset(&ours.sa_mask);
	if (sigaction(SIGBUS, &ours, NULL) != 0)
		return -errno;
	installed = true;
	return 0;
}

/* `change` is held. A handler on top of ours may call it: then it stays. */
static void
uninstall(void)
{
	struct sigaction now;

	if (sigaction(SIGBUS, NULL, &now) == 0 && is_ours(&now) &&
	    sigaction(SIGBUS, &previous, NULL) == 0)
		installed = false;
}

static int
enter(uintptr_t word, bool *covered)
{
	size_t i = 0;
	int rc;

	while (i < NHN_REGION_SURVIVORS_MAX && words[i] != 0)
		i++;
	if (i == NHN_REGION_SURVIVORS_MAX)
		return -EMFILE;
	rc = install(covered);
	if (rc != 0)
		return rc;
	lost[i] = 0;
	words[i] = word;
	watched++;
	return 0;
}

int
nhn_region_sigbus_watch(const struct nhn_region *region, const struct nhn_region_config *config)
{
	int64_t page = nhn_region_huge_page(region->fd);
	bool covered = false;
	int rc = 0;

	if (page == 0)
		page = sysconf(_SC_PAGESIZE);
	if (page <= 0)
		rc = page < 0 ? (int)page : -EIO;
	if (rc == 0) {
		pthread_mutex_lock(&change);
		rc = enter(word_make(region, (uint64_t)page), &covered);
		pthread_mutex_unlock(&change);
	}
	if (rc == -EMFILE)
		return nhn_region_refuse(
			config, EMFILE,
			"%s: %d regions that survive truncation are open, and no more were"
			" expected in a process; open this one without survive_truncation, or in"
			" another process.",
			nhn_region_name(config), NHN_REGION_SURVIVORS_MAX);
	if (rc != 0)
		return nhn_region_refuse(
			config, -rc,
			"%s: SIGBUS cannot be handled (%m), and that was expected to work; open it"
			" without survive_truncation.",
			nhn_region_name(config));
	/* Told, and not refused: the other handler may hand on what it does not know. */
	if (covered)
		nhn_region_refuse(
			config, 0,
			"%s: a handler of SIGBUS was installed over the one that makes regions"
			" survive truncation, which was expected to be the last, and it may end"
			" the process; install it before the first such region is opened.",
			nhn_region_name(config));
	return 0;
}

void
nhn_region_sigbus_unwatch(const struct nhn_region *region)
{
	size_t i;

	pthread_mutex_lock(&change);
	i = entry_of(region);
	if (i < NHN_REGION_SURVIVORS_MAX) {
		words[i] = 0;
		if (--watched == 0)
			uninstall();
	}
	pthread_mutex_unlock(&change);
}

bool
nhn_region_sigbus_survived(const struct nhn_region *region)
{
	bool survived;
	size_t i;

	pthread_mutex_lock(&change);
	i = entry_of(region);
	survived = i < NHN_REGION_SURVIVORS_MAX && lost[i] != 0;
	pthread_mutex_unlock(&change);
	return survived;
}
