/* SPDX-License-Identifier: BSD-3-Clause */
/* A link's files as they are before anything is opened for good. */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <nhn_link_text.h>
#include <nhn_region.h>

#include "config.h"

struct complaint {
	const struct config *config;
	struct config_spot spot;
};

static void
sentence_complain(void *context, const char *sentence)
{
	const struct complaint *complaint = (const struct complaint *)context;

	config_complain(complaint->config, complaint->spot, "%s", sentence);
}

/** The region library's own rules of what is safe, by opening a file that has bytes to be read. */
static int
region_check(struct complaint *complaint, const char *path, uint64_t size, uint64_t *bytes)
{
	struct nhn_region_config config;
	struct nhn_region region;
	int ret;

	nhn_region_config_init(&config);
	config.path = path;
	config.size = size;
	config.access = NHN_REGION_READ_ONLY;
	config.log = sentence_complain;
	config.log_context = complaint;
	ret = nhn_region_open(&region, &config);
	if (ret == 0)
		*bytes = region.length;
	nhn_region_close(&region);
	return ret;
}

static int
one_file_check(const struct config *config, const struct config_link *link, enum link_key key,
	       uint64_t *bytes)
{
	const char *path = key == LINK_PATH ? link->link.path : link->link.peer;
	struct complaint complaint = {.config = config, .spot = config_link_spot(link, key)};
	struct stat status;

	*bytes = link->link.size != 0 ? link->link.size : NHN_REGION_SIZE_DEFAULT;
	if (lstat(path, &status) == 0 && (!S_ISREG(status.st_mode) || status.st_size != 0))
		return region_check(&complaint, path, link->link.size, bytes);
	if (link->link.create)
		return 0;
	return config_complain(config, complaint.spot,
			       "the file %s of the link %s cannot be found or is empty, expected"
			       " it, as create=no says.",
			       path, link->link.name);
}

int
config_check_files(const struct config *config, const struct config_link *link)
{
	bool split = link->link.peer[0] != '\0';
	uint64_t bytes, peer_bytes;
	struct nhn_refusal refusal;
	char sentence[256];
	int ret;

	ret = one_file_check(config, link, LINK_PATH, &bytes);
	if (ret == 0 && split)
		ret = one_file_check(config, link, LINK_PEER, &peer_bytes);
	if (ret != 0)
		return ret;
	/* Both areas have the layout of the host's. */
	if (split)
		bytes = bytes < peer_bytes ? bytes : peer_bytes;
	else
		bytes /= 2;
	if (nhn_layout_check(&link->link.layout, bytes, &refusal) == 0)
		return 0;
	nhn_refusal_text(&refusal, sentence, sizeof(sentence));
	return config_complain(config, config_link_spot(link, LINK_PATH),
			       "the channels of the link %s do not fit its file: %s",
			       link->link.name, sentence);
}
