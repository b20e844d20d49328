/* SPDX-License-Identifier: BSD-3-Clause */
/* The host's probe, and that of two processes on one machine: a vdev on a file. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bus_vdev_driver.h>
#include <ethdev_vdev.h>
#include <rte_kvargs.h>

#include "nahanni.h"

#define ARG_ROLE "role"
#define ARG_PATH "path"
#define ARG_SIZE "size"
#define ARG_QUEUES "queues"
#define ARGS_HELP                                                                                  \
	ARG_ROLE "=host|guest," ARG_PATH "=FILE[," ARG_SIZE "=BYTES[K|M|G]][," ARG_QUEUES "=1.."   \
		 "64]"

static const char *const valid_args[] = {ARG_ROLE, ARG_PATH, ARG_SIZE, ARG_QUEUES, NULL};

struct vdev_args {
	enum nhn_role role;
	const char *path; /**< in the kvargs */
	uint64_t size;
	uint16_t queues;
};

static int
role_parse(const char *key, const char *value, void *opaque)
{
	struct vdev_args *args = opaque;

	if (value != NULL && strcmp(value, "host") == 0) {
		args->role = NHN_ROLE_HOST;
	} else if (value != NULL && strcmp(value, "guest") == 0) {
		args->role = NHN_ROLE_GUEST;
	} else {
		NAHANNI_LOG(ERR, "%s is '%s', expected host or guest", key, value);
		return -EINVAL;
	}
	return 0;
}

static int
path_parse(const char *key, const char *value, void *opaque)
{
	struct vdev_args *args = opaque;

	RTE_SET_USED(key);
	args->path = value;
	return 0;
}

static int
size_parse(const char *key, const char *value, void *opaque)
{
	struct vdev_args *args = opaque;

	args->size = value != NULL ? rte_str_to_size(value) : 0;
	if (args->size != 0)
		return 0;
	NAHANNI_LOG(ERR, "%s is '%s', expected bytes, a power of two, such as 16M", key, value);
	return -EINVAL;
}

static int
queues_parse(const char *key, const char *value, void *opaque)
{
	struct vdev_args *args = opaque;
	char *end = NULL;
	unsigned long queues = value != NULL ? strtoul(value, &end, 10) : 0;

	if (queues < 1 || queues > NHN_CHANNELS_MAX || *end != '\0') {
		NAHANNI_LOG(ERR, "%s is '%s', expected 1 to %u", key, value, NHN_CHANNELS_MAX);
		return -EINVAL;
	}
	args->queues = (uint16_t)queues;
	return 0;
}

static int
args_parse(struct rte_kvargs *kvargs, struct vdev_args *args)
{
	int ret = rte_kvargs_process(kvargs, ARG_ROLE, role_parse, args);

	if (ret == 0)
		ret = rte_kvargs_process(kvargs, ARG_PATH, path_parse, args);
	if (ret == 0)
		ret = rte_kvargs_process(kvargs, ARG_SIZE, size_parse, args);
	if (ret == 0)
		ret = rte_kvargs_process(kvargs, ARG_QUEUES, queues_parse, args);
	if (ret == 0 && (args->role == 0 || args->path == NULL || args->path[0] == '\0')) {
		NAHANNI_LOG(ERR, "%s is missing, expected " ARGS_HELP,
			    args->role == 0 ? ARG_ROLE : ARG_PATH);
		ret = -EINVAL;
	}
	return ret;
}

static int
memory_open(struct nahanni_port *port, const struct vdev_args *args)
{
	struct nhn_region_config config;
	int ret;

	nhn_region_config_init(&config);
	config.kind = NHN_REGION_FILE;
	config.path = args->path;
	config.size = args->size;
	config.create = args->role == NHN_ROLE_HOST;
	config.lock_byte = args->role == NHN_ROLE_HOST ? 0 : 1;
	config.log = nahanni_log_sentence;
	ret = nhn_region_open(&port->region, &config);
	if (ret == 0) {
		port->base = port->region.base;
		port->length = port->region.length;
	}
	return ret;
}

static int
port_create(struct rte_vdev_device *vdev, const struct vdev_args *args)
{
	struct rte_eth_dev *dev = rte_eth_vdev_allocate(vdev, sizeof(struct nahanni_port));
	struct nahanni_port *port;
	int ret;

	if (dev == NULL) {
		NAHANNI_LOG(ERR, "%s: no memory for a port, or none is free",
			    rte_vdev_device_name(vdev));
		return -ENOMEM;
	}
	port = dev->data->dev_private;
	port->lock_fd = -1;
	ret = memory_open(port, args);
	if (ret == 0)
		ret = nahanni_dev_init(dev, args->role, args->queues);
	if (ret != 0) {
		nhn_region_close(&port->region);
		rte_eth_dev_release_port(dev);
		return ret;
	}
	rte_eth_dev_probing_finish(dev);
	return 0;
}

static int
vdev_probe(struct rte_vdev_device *vdev)
{
	const char *text = rte_vdev_device_args(vdev);
	struct vdev_args args = {.queues = 1};
	struct rte_kvargs *kvargs;
	int ret;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY) {
		NAHANNI_LOG(ERR, "%s: secondary processes are not supported",
			    rte_vdev_device_name(vdev));
		return -ENOTSUP;
	}
	ret = nahanni_version_check();
	if (ret != 0)
		return ret;
	kvargs = rte_kvargs_parse(text != NULL ? text : "", valid_args);
	if (kvargs == NULL) {
		NAHANNI_LOG(ERR, "%s: found '%s', expected " ARGS_HELP, rte_vdev_device_name(vdev),
			    text);
		return -EINVAL;
	}
	ret = args_parse(kvargs, &args);
	if (ret == 0)
		ret = port_create(vdev, &args);
	rte_kvargs_free(kvargs);
	return ret;
}

static int
vdev_remove(struct rte_vdev_device *vdev)
{
	struct rte_eth_dev *dev = rte_eth_dev_allocated(rte_vdev_device_name(vdev));

	if (dev == NULL)
		return 0;
	nahanni_dev_close(dev);
	return rte_eth_dev_release_port(dev);
}

static struct rte_vdev_driver nahanni_vdev_driver = {
	.probe = vdev_probe,
	.remove = vdev_remove,
};

RTE_PMD_REGISTER_VDEV(net_nahanni, nahanni_vdev_driver);
RTE_PMD_REGISTER_PARAM_STRING(net_nahanni, ARGS_HELP);
