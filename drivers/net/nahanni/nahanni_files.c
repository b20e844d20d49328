/* SPDX-License-Identifier: BSD-3-Clause */
/* The files of a vdev: one of both areas (joint), or one an area (split). */

#include <errno.h>
#include <sys/stat.h>

#include "nahanni.h"

/**
 * Byte of the file that is locked: one process a role. A file of one area has one
 * writer, whatever its role, so that two sides that name their files in the same
 * order are told so.
 */
#define WRITER_LOCK_BYTE NHN_LOCK_BYTE_HOST
#define JOINT_GUEST_LOCK_BYTE NHN_LOCK_BYTE_GUEST

static void
config_common(struct nhn_region_config *config, const struct nahanni_args *args, const char *path)
{
	nhn_region_config_init(config);
	config->kind = NHN_REGION_FILE;
	config->path = path;
	config->size = args->size;
	config->mode = args->mode;
	config->offset = args->offset;
	config->create = args->role == NHN_ROLE_HOST;
	config->survive_truncation = true;
	config->log = nahanni_log_sentence;
}

static int
group_find(const struct nahanni_args *args, gid_t *group)
{
	int ret;

	*group = (gid_t)-1;
	if (args->group == NULL)
		return 0;
	ret = nhn_region_group_parse(args->group, group);
	if (ret != 0)
		NAHANNI_LOG(ERR, "group is '%s', expected a group of this machine, such as kvm",
			    args->group);
	return ret;
}

static int
own_open(struct nahanni_port *port, gid_t group)
{
	struct nahanni_file *file = &port->own_file;

	config_common(&file->config, &port->args, port->args.path);
	file->config.group = group;
	file->config.lock_byte = port->args.role == NHN_ROLE_GUEST && port->args.peer == NULL
					 ? JOINT_GUEST_LOCK_BYTE
					 : WRITER_LOCK_BYTE;
	return nhn_region_open(&file->region, &file->config);
}

/** Two paths may name one file. */
static int
files_differ(const struct nahanni_port *port)
{
	struct stat own, peer;

	if (fstat(port->own_file.region.fd, &own) != 0 ||
	    fstat(port->peer_file.region.fd, &peer) != 0)
		return -errno;
	if (own.st_dev != peer.st_dev || own.st_ino != peer.st_ino)
		return 0;
	NAHANNI_LOG(ERR,
		    "path %s and peer %s are one file, expected two: path is the one this side "
		    "writes, peer the one it reads",
		    port->args.path, port->args.peer);
	return -EINVAL;
}

static int
peer_open(struct nahanni_port *port, gid_t group)
{
	struct nahanni_file *file = &port->peer_file;
	int ret;

	config_common(&file->config, &port->args, port->args.peer);
	file->config.group = group;
	file->config.access = NHN_REGION_READ_ONLY;
	ret = nhn_region_open(&file->region, &file->config);
	return ret != 0 ? ret : files_differ(port);
}

int
nahanni_files_open(struct nahanni_port *port)
{
	const struct nhn_region *own = &port->own_file.region;
	const struct nhn_region *peer = &port->peer_file.region;
	gid_t group;
	int ret = group_find(&port->args, &group);

	if (ret == 0)
		ret = own_open(port, group);
	if (ret != 0)
		return ret;
	if (port->args.peer == NULL) {
		nahanni_memory_joint(port, own->base, own->length);
		return 0;
	}
	ret = peer_open(port, group);
	if (ret != 0) {
		nahanni_files_close(port);
		return ret;
	}
	port->own_area = own->base;
	port->own_bytes = own->length;
	port->peer_area = peer->base;
	port->peer_bytes = peer->length;
	return 0;
}

void
nahanni_files_close(struct nahanni_port *port)
{
	nhn_region_close(&port->peer_file.region);
	nhn_region_close(&port->own_file.region);
}

static void
file_check(struct nahanni_file *file)
{
	struct nhn_region_config config = file->config;
	int found;

	if (file->region.base == NULL)
		return;
	config.log = NULL;
	found = nhn_region_check(&file->region, &config);
	/* Once a cause: it stays as it is until somebody mends it. */
	if (found != 0 && found != file->found)
		nhn_region_check(&file->region, &file->config);
	file->found = found;
}

void
nahanni_files_check(struct nahanni_port *port)
{
	file_check(&port->own_file);
	file_check(&port->peer_file);
}
