/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "contest_eal.h"
#include "peer_patience.h"
#include "peer_port.h"

/** When closing, in pauses: 1 s for the other side, and 20 ms for the driver. */
#define PAUSE_NS 100000
#define CLOSE_LOOKS 10000
#define CLOSE_PAUSES 200
#define CACHE_MBUFS 512u

void
port_path(char *path, const struct contest_place *place, const char *what)
{
	snprintf(path, PORT_PATH_BYTES, "%s/%s-%u%s", place->folder, place->contestant->name,
		 place->opening, what);
}

static const char *
bus(const struct port_setup *setup)
{
	return setup->pci ? "pci" : "vdev";
}

static void
pause_between(void)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};

	nanosleep(&pause, NULL);
}

/* The drivers of far want the other end there at once, and memif's also started. */
static int
ready_wait(const struct port_setup *setup)
{
	const struct patience patience = patience_begin();

	if (!setup->far || setup->ready[0] == '\0')
		return 0;
	do {
		if (access(setup->ready, F_OK) == 0)
			return 0;
	} while (patience_lasts(&patience));
	return -ETIMEDOUT;
}

static int
ready_tell(const struct port_setup *setup)
{
	int fd;

	if (setup->far || setup->ready[0] == '\0')
		return 0;
	fd = open(setup->ready, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	return fd >= 0 ? close(fd) : -errno;
}

/* Room for a frame; as many as the rings, the cache and the bursts of both ways can hold. */
static int
pool_create(struct peer *peer)
{
	const uint32_t cached = CACHE_MBUFS * 3 / 2;
	const uint32_t bursts = 2 * CONTEST_BURST_MAX;

	peer->pool = rte_pktmbuf_pool_create(
		peer->setup.name, peer->links * (peer->setup.held + bursts) + cached, CACHE_MBUFS,
		0, RTE_PKTMBUF_HEADROOM + PORT_ROOM, SOCKET_ID_ANY);
	return peer->pool != NULL ? 0 : -rte_errno;
}

static int
queues_setup(const struct peer *peer)
{
	const unsigned int socket = rte_socket_id();
	const uint16_t descriptors = peer->setup.descriptors;
	uint16_t queue;
	int ret = 0;

	for (queue = 0; queue < peer->links && ret == 0; queue++) {
		ret = rte_eth_rx_queue_setup(peer->port, queue, descriptors, socket, NULL,
					     peer->pool);
		if (ret == 0)
			ret = rte_eth_tx_queue_setup(peer->port, queue, descriptors, socket, NULL);
	}
	return ret;
}

static int
port_start(struct peer *peer)
{
	const struct rte_eth_conf conf = {.rxmode = {.mtu = peer->setup.mtu}};
	int ret = rte_eth_dev_configure(peer->port, peer->links, peer->links, &conf);

	if (ret == 0)
		ret = queues_setup(peer);
	if (ret == 0)
		ret = rte_eth_dev_start(peer->port);
	peer->started = ret == 0;
	return ret;
}

static int
link_wait(const struct peer *peer)
{
	const struct patience patience = patience_begin();
	struct rte_eth_link link = {.link_status = RTE_ETH_LINK_DOWN};

	do {
		if (rte_eth_link_get_nowait(peer->port, &link) == 0 &&
		    link.link_status == RTE_ETH_LINK_UP)
			return 0;
	} while (patience_lasts(&patience));
	return -ETIMEDOUT;
}

static int
device_add(struct peer *peer)
{
	const struct port_setup *setup = &peer->setup;
	int ret = rte_eal_hotplug_add(bus(setup), setup->name, setup->arguments);

	if (ret == 0 && setup->second[0] != '\0')
		ret = rte_eal_hotplug_add("pci", setup->second, "");
	return ret != 0 ? ret : rte_eth_dev_get_port_by_name(setup->name, &peer->port);
}

/** @return NULL, or what is missing */
static const char *
steps(struct peer *peer, int *ret)
{
	if ((*ret = pool_create(peer)) != 0)
		return "a pool of mbufs";
	if ((*ret = ready_wait(&peer->setup)) != 0)
		return "the other side";
	if ((*ret = device_add(peer)) != 0)
		return "its device";
	if ((*ret = port_start(peer)) != 0)
		return "a started port";
	if ((*ret = ready_tell(&peer->setup)) != 0)
		return "a file that says so";
	return NULL;
}

static void
miss(const struct peer *peer, const char *what, int error, char *why, size_t why_bytes)
{
	snprintf(why, why_bytes,
		 "%s has not got %s (%s), expected it within 10 s: see the driver's messages above",
		 peer->setup.name, what, rte_strerror(error));
}

struct peer *
port_begin(const struct contest_place *place, const struct port_setup *setup, char *why,
	   size_t why_bytes)
{
	struct peer *peer;
	const char *missing;
	int ret;

	if (contest_eal(place, why, why_bytes) != 0)
		return NULL;
	peer = calloc(1, sizeof(*peer));
	if (peer == NULL) {
		snprintf(why, why_bytes, "no memory for %s", setup->name);
		return NULL;
	}
	peer->links = (uint16_t)RTE_MAX(place->links, 1u);
	peer->setup = *setup;
	missing = steps(peer, &ret);
	if (missing == NULL)
		return peer;
	miss(peer, missing, -ret, why, why_bytes);
	port_close(peer);
	return NULL;
}

void *
port_meet(struct peer *peer, char *why, size_t why_bytes)
{
	int ret = link_wait(peer);

	if (ret == 0)
		return peer;
	miss(peer, "a link that is up", -ret, why, why_bytes);
	return NULL;
}

void *
port_open(const struct contest_place *place, const struct port_setup *setup, char *why,
	  size_t why_bytes)
{
	struct peer *peer = port_begin(place, setup, why, why_bytes);

	if (peer == NULL || port_meet(peer, why, why_bytes) != NULL)
		return peer;
	port_close(peer);
	return NULL;
}

/** Frames that were made and not sent. */
static void
frames_free(struct port_frames *frames)
{
	rte_pktmbuf_free_bulk(frames->mbuf + frames->next, frames->count - frames->next);
	frames->next = frames->count = 0;
}

static void
queue_drain(const struct peer *peer, uint16_t queue)
{
	struct rte_mbuf *mbuf[CONTEST_BURST_MAX];
	uint16_t got;

	while ((got = rte_eth_rx_burst(peer->port, queue, mbuf, CONTEST_BURST_MAX)) != 0)
		rte_pktmbuf_free_bulk(mbuf, got);
}

int
port_prepare(void *opened, uint32_t size)
{
	struct peer *peer = opened;
	uint16_t i;

	(void)size;
	for (i = 0; i < peer->links; i++) {
		frames_free(&peer->frames[i]);
		queue_drain(peer, i);
	}
	return 0;
}

/* What drivers leave. */
static void
files_remove(const struct port_setup *setup)
{
	uint32_t i;

	if (setup->far)
		return;
	if (setup->ready[0] != '\0')
		unlink(setup->ready);
	for (i = 0; i < RTE_DIM(setup->files); i++)
		if (setup->files[i][0] != '\0')
			unlink(setup->files[i]);
}

/* The link goes down when the driver's thread begins to see to it, not when it has done so. */
static void
other_closed_wait(const struct peer *peer)
{
	struct rte_eth_link link = {.link_status = RTE_ETH_LINK_DOWN};
	int looks;

	for (looks = 0; looks < CLOSE_LOOKS; looks++) {
		if (rte_eth_link_get_nowait(peer->port, &link) != 0 ||
		    link.link_status == RTE_ETH_LINK_DOWN)
			break;
		pause_between();
	}
	for (looks = 0; looks < CLOSE_PAUSES; looks++)
		pause_between();
}

void
port_close(void *opened)
{
	struct peer *peer = opened;
	uint32_t i;

	if (peer->started && peer->setup.follows)
		other_closed_wait(peer);
	for (i = 0; i < peer->links; i++)
		frames_free(&peer->frames[i]);
	/* Drivers complain where the other side has closed before. */
	rte_log_set_level_pattern("*", RTE_LOG_CRIT);
	if (peer->started)
		rte_eth_dev_stop(peer->port);
	/* Also closes the port. It fails where there is no device yet. */
	rte_eal_hotplug_remove(bus(&peer->setup), peer->setup.name);
	if (peer->setup.second[0] != '\0')
		rte_eal_hotplug_remove("pci", peer->setup.second);
	rte_log_set_level_pattern("*", RTE_LOG_ERR);
	rte_mempool_free(peer->pool);
	files_remove(&peer->setup);
	free(peer);
}
