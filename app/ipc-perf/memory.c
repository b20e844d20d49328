/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "memory.h"
#include "say.h"

/**
 * Byte of the file that is locked: one process a role. A file of one area has one
 * writer, whatever its role.
 */
#define WRITER_LOCK_BYTE NHN_LOCK_BYTE_HOST
#define JOINT_GUEST_LOCK_BYTE NHN_LOCK_BYTE_GUEST
/** A file that its creator is just giving a size is tried again: 100 times 10 ms. */
#define OPEN_TRIES 100
#define OPEN_PAUSE_NS 10000000

static void
sentence_say(void *context, const char *sentence)
{
	(void)context;
	say("%s", sentence);
}

/** Keep the last sentence: it is said when the last try has failed. */
struct last_sentence {
	char text[1024];
};

static void
sentence_keep(void *context, const char *sentence)
{
	struct last_sentence *last = context;

	strncpy(last->text, sentence, sizeof(last->text) - 1);
}

static int
region_open(struct nhn_region *region, struct nhn_region_config *config)
{
	const struct timespec pause = {.tv_nsec = OPEN_PAUSE_NS};
	struct last_sentence last = {.text = ""};
	int tries = OPEN_TRIES;
	int ret;

	config->log = sentence_keep;
	config->log_context = &last;
	ret = nhn_region_open(region, config);
	while (ret == -EAGAIN && --tries > 0) {
		nanosleep(&pause, NULL);
		ret = nhn_region_open(region, config);
	}
	config->log = sentence_say;
	config->log_context = NULL;
	if (ret != 0)
		say("%s", last.text);
	return ret;
}

static void
config_common(struct nhn_region_config *config, const struct link_option *link, const char *path)
{
	nhn_region_config_init(config);
	config->path = path;
	config->size = link->bytes;
	config->offset = link->offset;
	config->mode = link->mode;
	config->group = link->group;
	config->create = link->role == NHN_ROLE_HOST;
	config->survive_truncation = true;
}

/** Two paths may name one file. */
static int
files_differ(const struct memory *memory)
{
	struct stat own, peer;

	if (fstat(memory->own.fd, &own) != 0 || fstat(memory->peer.fd, &peer) != 0)
		return -errno;
	if (own.st_dev != peer.st_dev || own.st_ino != peer.st_ino)
		return 0;
	say("--link has path %s and peer %s, which are one file, expected two: path is the one this"
	    " side writes, peer the one it reads.",
	    memory->own_config.path, memory->peer_config.path);
	return -EINVAL;
}

int
memory_open(struct memory *memory, const struct link_option *link)
{
	int ret;

	config_common(&memory->own_config, link, link->path);
	memory->own_config.lock_byte = link->role == NHN_ROLE_GUEST && link->peer == NULL
					       ? JOINT_GUEST_LOCK_BYTE
					       : WRITER_LOCK_BYTE;
	ret = region_open(&memory->own, &memory->own_config);
	if (ret != 0 || link->peer == NULL)
		return ret;
	config_common(&memory->peer_config, link, link->peer);
	memory->peer_config.access = NHN_REGION_READ_ONLY;
	ret = region_open(&memory->peer, &memory->peer_config);
	return ret != 0 ? ret : files_differ(memory);
}

void
memory_close(struct memory *memory)
{
	nhn_region_close(&memory->peer);
	nhn_region_close(&memory->own);
}

void
memory_areas(const struct memory *memory, enum nhn_role role, struct nhn_link_config *config)
{
	if (memory->peer.base == NULL) {
		nhn_link_joint(config, role, memory->own.base, memory->own.length);
		return;
	}
	config->role = role;
	config->own_area = memory->own.base;
	config->own_bytes = memory->own.length;
	config->peer_area = memory->peer.base;
	config->peer_bytes = memory->peer.length;
}

bool
memory_lost(const struct memory *memory)
{
	return (memory->own.base != NULL &&
		nhn_region_check(&memory->own, &memory->own_config) != 0) ||
	       (memory->peer.base != NULL &&
		nhn_region_check(&memory->peer, &memory->peer_config) != 0);
}

/** In a line of its own behind those of the two words: the file is for them. */
#define WORDS_MAGIC UINT32_C(0x6e68776e)
#define WORDS_MAGIC_LINE 2u

/** Claim a file that is empty, or was claimed: others hold what this would overwrite. */
static bool
words_claim(uint8_t *base, uint64_t bytes)
{
	uint32_t *magic = (uint32_t *)(void *)(base + WORDS_MAGIC_LINE * NHN_LINE_BYTES);
	const uint32_t *word = (const uint32_t *)(const void *)base;
	uint64_t i;

	/* The other end may claim it, and use it, at the same time. */
	for (i = 0; i < bytes / sizeof(*word); i++)
		if (nhn_load_acquire(&word[i]) != 0)
			return nhn_load_acquire(magic) == WORDS_MAGIC;
	nhn_store_release(magic, WORDS_MAGIC);
	return true;
}

int
words_open(struct memory *memory, const char *path, bool far, uint32_t **own,
	   const uint32_t NHN_FOREIGN **peer)
{
	const uint32_t line = NHN_LINE_BYTES / sizeof(**own);
	struct nhn_region_config *config = &memory->own_config;
	uint32_t *words;
	int ret;

	nhn_region_config_init(config);
	config->path = path;
	config->size = NHN_REGION_SIZE_MIN;
	config->create = true;
	config->survive_truncation = true;
	ret = region_open(&memory->own, config);
	if (ret != 0)
		return ret;
	if (!words_claim(memory->own.base, memory->own.length)) {
		say("%s holds something else than the limit's words, expected a file for them"
		    " alone, or none: name another one as limit=FILE, the same at both ends.",
		    path);
		return -EEXIST;
	}
	words = (uint32_t *)(void *)memory->own.base;
	*own = words + (far ? line : 0);
	*peer = nhn_foreign_of(words + (far ? 0 : line));
	return 0;
}
