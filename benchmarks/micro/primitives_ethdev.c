/* SPDX-License-Identifier: BSD-3-Clause */
/* Bursts of two ports of the PMD in one process, on one link: frames go from host to guest. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "../../test/unit/pattern.h"
#include <rte_pmd_nahanni.h>

#include "primitive.h"

#define FRAME_BYTES 64u
#define FRAMES 512u /* of a run */
#define BURST 32u
#define MBUFS 4095u
#define CELLS 1024u
#define VALIDATED (3 * CELLS)
/* Of a queue: at every so many the PMD takes a control step, which is no burst's own work. */
#define CONTROL_CALLS 1024u
#define POLLS_MAX 10000000u

/* The ports of all rows. */
static struct {
	uint32_t users;
	uint16_t host;
	uint16_t guest;
	struct rte_mempool *pool;
	uint32_t sends;	   /* calls of the host's writer, since the port began */
	uint32_t receives; /* and of the guest's reader */
	char path[64];
} ports;

struct frames {
	struct rte_mbuf *frame[FRAMES];
	uint32_t held; /* frames that run() has received */
};

static uint32_t
frames_send(struct rte_mbuf **frames, uint16_t count)
{
	ports.sends++;
	return rte_eth_tx_burst(ports.host, 0, frames, count);
}

static uint32_t
frames_receive(struct rte_mbuf **frames, uint16_t count)
{
	ports.receives++;
	return rte_eth_rx_burst(ports.guest, 0, frames, count);
}

/* ---- ports ---- */

/* Once for all: EAL does not start a second time. */
static bool
eal_start(void)
{
	char lcores[32]; /* EAL takes no core that this process may not use */
	char *words[] = {(char *)"primitives",
			 (char *)"--no-huge",
			 (char *)"-m",
			 (char *)"64",
			 (char *)"--no-pci",
			 (char *)"--no-shconf",
			 (char *)"--no-telemetry",
			 (char *)"--log-level=warning",
			 (char *)"--lcores",
			 lcores};

	if (ports.pool != NULL)
		return true;
	snprintf(lcores, sizeof(lcores), "0@%d", primitive_first_core());
	if (rte_eal_init((int)RTE_DIM(words), words) < 0) {
		fprintf(stderr, "primitives: EAL does not start: see its message above\n");
		return false;
	}
	ports.pool = rte_pktmbuf_pool_create("frames", MBUFS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	return ports.pool != NULL;
}

static bool
port_start(const char *name, const char *role, uint16_t *port)
{
	struct rte_eth_conf conf;
	char args[128];

	memset(&conf, 0, sizeof(conf));
	snprintf(args, sizeof(args), "role=%s,path=%s,size=4M", role, ports.path);
	if (rte_vdev_init(name, args) == 0 && rte_eth_dev_get_port_by_name(name, port) == 0 &&
	    rte_eth_dev_configure(*port, 1, 1, &conf) == 0 &&
	    rte_eth_rx_queue_setup(*port, 0, CELLS, 0, NULL, ports.pool) == 0 &&
	    rte_eth_tx_queue_setup(*port, 0, CELLS, 0, NULL) == 0 && rte_eth_dev_start(*port) == 0)
		return true;
	fprintf(stderr, "primitives: the %s's port does not start (%s): see its message above\n",
		role, rte_strerror(rte_errno));
	return false;
}

static bool
is_up(uint16_t port)
{
	const struct nhn_link *link = rte_pmd_nahanni_probe(port);

	return link != NULL && nhn_link_state(link) == NHN_LINK_UP;
}

static bool
ports_are_up(void)
{
	return is_up(ports.host) && is_up(ports.guest);
}

static bool
settle_once(void)
{
	struct rte_mbuf *frame;
	uint32_t i;

	for (i = 0; i < POLLS_MAX; i++) {
		if (i % 64 == 0 && ports_are_up())
			break;
		rte_eth_rx_burst(ports.host, 0, &frame, 1);
		frames_send(&frame, 0);
		if (frames_receive(&frame, 1) == 1)
			rte_pktmbuf_free(frame);
	}
	while (ports.sends % CONTROL_CALLS != 0)
		frames_send(&frame, 0);
	while (ports.receives % CONTROL_CALLS != 0)
		if (frames_receive(&frame, 1) == 1)
			rte_pktmbuf_free(frame);
	return ports_are_up();
}

/* Both sides up, with the next control steps as far away as can be. What comes is freed. Of a
 * process that was kept from its core the last step may find a heartbeat late: once more. */
static bool
ports_settle(void)
{
	return settle_once() || settle_once();
}

/* Whether all were sent; once more where a late heartbeat had paused the sending. */
static bool
all_sent(struct rte_mbuf **frames, uint16_t count)
{
	uint32_t sent = frames_send(frames, count);

	if (sent == 0 && !ports_are_up() && ports_settle())
		sent = frames_send(frames, count);
	return sent == count;
}

static void *
ethdev_open(const struct primitive *p)
{
	(void)p;
	if (ports.users == 0) {
		snprintf(ports.path, sizeof(ports.path), "/dev/shm/nahanni-primitives.%d",
			 (int)getpid());
		if (!eal_start() || !port_start("net_nahanni0", "host", &ports.host) ||
		    !port_start("net_nahanni1", "guest", &ports.guest))
			return NULL;
		unlink(ports.path);
		ports.sends = ports.receives = 0;
	}
	ports.users++;
	return primitive_memory(sizeof(struct frames));
}

static void
ethdev_close(void *state)
{
	(void)state;
	if (--ports.users != 0)
		return;
	rte_eth_dev_stop(ports.host);
	rte_eth_dev_stop(ports.guest);
	rte_vdev_uninit("net_nahanni0");
	rte_vdev_uninit("net_nahanni1");
}

/* ---- before and after a run ---- */

static void
settle(const struct primitive *p, void *state)
{
	(void)p;
	(void)state;
	if (!ports_settle())
		abort();
}

static void
frames_make(struct frames *frames)
{
	uint32_t i;

	if (rte_pktmbuf_alloc_bulk(ports.pool, frames->frame, FRAMES) != 0)
		abort();
	for (i = 0; i < FRAMES; i++)
		rte_pktmbuf_append(frames->frame[i], FRAME_BYTES);
}

static void
send_before(const struct primitive *p, void *state)
{
	settle(p, state);
	frames_make(state);
}

/* The last call finds nothing, and tells the writer all places. */
static void
send_after(const struct primitive *p, void *state)
{
	struct frames *frames = state;
	uint32_t count;

	(void)p;
	while ((count = frames_receive(frames->frame, BURST)) != 0)
		rte_pktmbuf_free_bulk(frames->frame, count);
}

static void
receive_before(const struct primitive *p, void *state)
{
	struct frames *frames = state;

	send_before(p, state);
	if (!all_sent(frames->frame, FRAMES))
		abort();
	frames->held = 0;
}

static void
receive_after(const struct primitive *p, void *state)
{
	struct frames *frames = state;

	rte_pktmbuf_free_bulk(frames->frame, frames->held);
	send_after(p, state);
}

/* ---- runs ---- */

static void
send_run(const struct primitive *p, void *state)
{
	struct frames *frames = state;
	uint32_t i;

	(void)p;
	for (i = 0; i < FRAMES; i += BURST)
		primitive_keep(frames_send(frames->frame + i, BURST));
}

static void
receive_run(const struct primitive *p, void *state)
{
	struct frames *frames = state;

	(void)p;
	while (frames->held < FRAMES)
		frames->held += frames_receive(frames->frame + frames->held, BURST);
}

static void
send_empty_run(const struct primitive *p, void *state)
{
	struct frames *frames = state;
	uint32_t i;

	for (i = 0; i < p->operations; i++)
		primitive_keep(frames_send(frames->frame, 0));
}

static void
receive_empty_run(const struct primitive *p, void *state)
{
	struct frames *frames = state;
	uint32_t i;

	for (i = 0; i < p->operations; i++)
		primitive_keep(frames_receive(frames->frame, BURST));
}

/* ---- content ---- */

static uint32_t
length_of(uint32_t number)
{
	uint64_t state = number;

	return 60 + pattern_below(&state, 1459);
}

static bool
burst_make(struct rte_mbuf **frames, uint32_t number)
{
	uint32_t i;

	if (rte_pktmbuf_alloc_bulk(ports.pool, frames, BURST) != 0)
		return false;
	for (i = 0; i < BURST; i++) {
		const uint16_t length = (uint16_t)length_of(number + i);

		pattern_fill(rte_pktmbuf_append(frames[i], length), length, PRIMITIVE_SEED,
			     number + i);
	}
	return true;
}

static bool
frame_is_right(const struct primitive *p, const struct rte_mbuf *frame, uint32_t number)
{
	const uint32_t length = length_of(number);

	if (frame->pkt_len != length || frame->data_len != length || frame->nb_segs != 1)
		return primitive_differs(p,
					 "frame %u has %u bytes in %u segments, expected %u in 1",
					 number, frame->pkt_len, frame->nb_segs, length);
	if (frame->port != ports.guest)
		return primitive_differs(p, "frame %u is of port %u, expected %u", number,
					 frame->port, ports.guest);
	return pattern_matches(rte_pktmbuf_mtod(frame, const void *), length, PRIMITIVE_SEED,
			       number) ||
	       primitive_differs(p, "frame %u of %u bytes has other content", number, length);
}

/* Bursts through the ring, three times round; no mbuf is lost. */
static bool
ethdev_validate(const struct primitive *p, void *state)
{
	struct rte_mbuf *frames[BURST];
	uint32_t number, i, mbufs;
	bool right = true;

	settle(p, state);
	mbufs = rte_mempool_avail_count(ports.pool); /* the ports keep some ready */
	for (number = 0; number < VALIDATED && right; number += BURST) {
		uint32_t count;

		if (number % CELLS == 0 && !ports_settle())
			return primitive_differs(p, "before frame %u the ports are not up", number);
		if (!burst_make(frames, number))
			return primitive_differs(p, "no mbufs for frame %u", number);
		if (!all_sent(frames, BURST))
			return primitive_differs(p, "frame %u: not all of %u were sent", number,
						 BURST);
		count = frames_receive(frames, BURST);
		if (count != BURST)
			return primitive_differs(p, "frame %u: %u of %u came", number, count,
						 BURST);
		for (i = 0; i < BURST && right; i++)
			right = frame_is_right(p, frames[i], number + i);
		rte_pktmbuf_free_bulk(frames, BURST);
	}
	if (frames_receive(frames, BURST) != 0)
		return primitive_differs(p, "a frame came that was not sent");
	if (!right)
		return false;
	return rte_mempool_avail_count(ports.pool) == mbufs ||
	       primitive_differs(p, "mbufs are lost: %u are left of %u",
				 rte_mempool_avail_count(ports.pool), mbufs);
}

#define ROW(name_, bytes_, before_, run_, after_)                                                  \
	{                                                                                          \
		.name = name_, .bytes = bytes_, .operations = FRAMES, .open = ethdev_open,         \
		.close = ethdev_close, .before = before_, .run = run_, .after = after_,            \
		.validate = ethdev_validate,                                                       \
	}

const struct primitive primitives_ethdev[] = {
	ROW("ethdev-send-empty", 0, settle, send_empty_run, NULL),
	ROW("ethdev-send-32", FRAME_BYTES, send_before, send_run, send_after),
	ROW("ethdev-receive-empty", 0, settle, receive_empty_run, NULL),
	ROW("ethdev-receive-32", FRAME_BYTES, receive_before, receive_run, receive_after),
	{.name = NULL},
};
