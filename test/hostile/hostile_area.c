/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory of two sides. Whoever reads or writes beside it dies of it; so does a
 * victim that stores to the peer's. */

#include <sys/mman.h>
#include <unistd.h>

#include "hostile.h"

#define PAGE 4096u

/** Map between two pages without access. */
static uint8_t *
map_guarded(int fd, size_t bytes, int access)
{
	uint8_t *room = mmap(NULL, bytes + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(room != MAP_FAILED);
	assert_ptr_equal(mmap(room + PAGE, bytes, access, MAP_SHARED | MAP_FIXED, fd, 0),
			 room + PAGE);
	return room + PAGE;
}

void
hostile_area_open(struct hostile_area *area, size_t bytes, bool writable)
{
	int fd = memfd_create("hostile", MFD_CLOEXEC);

	assert_true(fd >= 0 && bytes % PAGE == 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	area->victim = map_guarded(fd, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ);
	area->mine = map_guarded(fd, bytes, PROT_READ | PROT_WRITE);
	area->bytes = bytes;
	close(fd);
}

void
hostile_area_close(struct hostile_area *area)
{
	munmap(area->victim - PAGE, area->bytes + 2 * PAGE);
	munmap(area->mine - PAGE, area->bytes + 2 * PAGE);
	area->bytes = 0;
}
