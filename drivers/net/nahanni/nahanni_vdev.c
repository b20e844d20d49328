/* SPDX-License-Identifier: BSD-3-Clause */
/* The host's probe, and that of two processes on one machine: a vdev on files. */

#include <errno.h>

#include <bus_vdev_driver.h>
#include <ethdev_vdev.h>

#include "nahanni.h"

/** Takes the arguments over, also when it fails. */
static int
port_create(struct rte_vdev_device *vdev, struct nahanni_args *args)
{
	struct rte_eth_dev *dev = rte_eth_vdev_allocate(vdev, sizeof(struct nahanni_port));
	struct nahanni_port *port;
	int ret;

	if (dev == NULL) {
		NAHANNI_LOG(ERR, "%s: no memory for a port, or none is free",
			    rte_vdev_device_name(vdev));
		nahanni_args_free(args);
		return -ENOMEM;
	}
	port = dev->data->dev_private;
	port->lock_fd = -1;
	port->args = *args;
	ret = nahanni_files_open(port);
	if (ret == 0)
		ret = nahanni_dev_init(dev);
	if (ret != 0) {
		nahanni_files_close(port);
		nahanni_args_free(&port->args);
		rte_eth_dev_release_port(dev);
		return ret;
	}
	rte_eth_dev_probing_finish(dev);
	return 0;
}

static int
vdev_probe(struct rte_vdev_device *vdev)
{
	struct nahanni_args args;
	int ret;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY) {
		NAHANNI_LOG(ERR, "%s: secondary processes are not supported",
			    rte_vdev_device_name(vdev));
		return -ENOTSUP;
	}
	ret = nahanni_version_check();
	if (ret == 0)
		ret = nahanni_args_parse(rte_vdev_device_args(vdev), NAHANNI_PROBE_VDEV, &args);
	return ret == 0 ? port_create(vdev, &args) : ret;
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
RTE_PMD_REGISTER_PARAM_STRING(net_nahanni, NAHANNI_VDEV_ARGS);
