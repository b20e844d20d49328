/* SPDX-License-Identifier: BSD-3-Clause */

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "port_files.h"

#define PAGE 4096u

/* The linker turns the driver's calls of mmap() here: each mapping of a file stands
 * between two pages that nobody may touch. */
void *__real_mmap(void *at, size_t bytes, int access, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t bytes, int access, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t bytes);
int __wrap_munmap(void *at, size_t bytes);

static struct {
	uint8_t *base;
	size_t bytes;
} guarded[8];

void *
__wrap_mmap(void *at, size_t bytes, int access, int flags, int fd, off_t offset)
{
	uint8_t *room;
	size_t i;

	if (at != NULL || fd < 0 || !(flags & MAP_SHARED))
		return __real_mmap(at, bytes, access, flags, fd, offset);
	for (i = 0; guarded[i].base != NULL; i++)
		assert_true(i + 1 < RTE_DIM(guarded));
	room = __real_mmap(NULL, bytes + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(room != MAP_FAILED);
	guarded[i].base = room + PAGE;
	guarded[i].bytes = bytes;
	return __real_mmap(room + PAGE, bytes, access, flags | MAP_FIXED, fd, offset);
}

int
__wrap_munmap(void *at, size_t bytes)
{
	size_t i;

	for (i = 0; i < RTE_DIM(guarded); i++)
		if (guarded[i].base == at && at != NULL) {
			guarded[i].base = NULL;
			return __real_munmap((uint8_t *)at - PAGE, guarded[i].bytes + 2 * PAGE);
		}
	return __real_munmap(at, bytes);
}

void
port_file_path(char *path, const char *which)
{
	snprintf(path, PORT_PATH_BYTES, "/dev/shm/nahanni-hostile.%d.%s", (int)getpid(), which);
}

static uint8_t *
file_new(const char *which, size_t bytes)
{
	char path[PORT_PATH_BYTES];
	void *base;
	int fd;

	port_file_path(path, which);
	unlink(path);
	fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(base != MAP_FAILED);
	close(fd);
	return base;
}

void
port_files_new(struct port_victim *victim)
{
	struct hostile *h = &victim->hostile;
	size_t half = victim->bytes / 2;

	victim->own = file_new("own", victim->bytes);
	if (victim->split) {
		victim->peer = file_new("peer", victim->bytes);
		h->peer = victim->peer;
		h->own = NULL;
		h->bytes = victim->bytes;
		return;
	}
	h->own = h->role == NHN_ROLE_HOST ? victim->own + half : victim->own;
	h->peer = h->role == NHN_ROLE_HOST ? victim->own : victim->own + half;
	h->bytes = half;
}

void
port_files_remove(struct port_victim *victim)
{
	char path[PORT_PATH_BYTES];

	munmap(victim->own, victim->bytes);
	port_file_path(path, "own");
	unlink(path);
	if (!victim->split)
		return;
	munmap(victim->peer, victim->bytes);
	port_file_path(path, "peer");
	unlink(path);
}
