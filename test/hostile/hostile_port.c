/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>
#include <string.h>

#include <ethdev_driver.h>
#include <rte_bus_vdev.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include <nahanni.h>
#include <rte_pmd_nahanni.h>

#include "port_files.h"

#define CANARY 0xa5
#define NAME "net_nahanni0"

struct hostile_call port_calls[PORT_CALLS] = {
	[CALL_RX_BURST] =
		{.name = "rx burst of n",
		 .bound = "2 n + 1 commit words and a cell's first, n copies, n frames lent"},
	[CALL_TX_BURST] = {.name = "tx burst of n",
			   .bound = "2 words for each frame sent and one more, 2 n at most"},
	[CALL_CONTROL] = {.name = "control", .bound = "a look and a step"},
	[CALL_XSTATS] = {.name = "xstats", .bound = "1 word"},
	[CALL_START] = {.name = "start", .bound = "init of the link, and a control"},
	[CALL_STOP] = {.name = "stop", .bound = "none"},
};

struct port_reached port_reached;

static struct rte_mempool *pool;
static struct port_victim *current; /* a log stream is given nothing */
static bool may_log;

/* ---- the log: what is said, and when ---- */

static ssize_t
log_write(void *cookie, const char *text, size_t bytes)
{
	static const char *const kinds[] = {
		[NHN_LINK_EVENT_STATE] = ": link is ",
		[NHN_LINK_EVENT_REFUSED] = ": peer refused: ",
		[NHN_LINK_EVENT_FAULT] = " is broken: the peer wrote ",
		[NHN_LINK_EVENT_INTRUDER] = "somebody else writes this side's area",
	};
	size_t i;

	(void)cookie;
	for (i = 0; i < RTE_DIM(kinds); i++)
		if (memmem(text, bytes, kinds[i], strlen(kinds[i])) != NULL)
			break;
	if (i == RTE_DIM(kinds)) /* of no link: what start refuses, say */
		return (ssize_t)bytes;
	hostile_check(&current->hostile, may_log);
	current->ledger.told++;
	link_reached.told[i]++;
	return (ssize_t)bytes;
}

/* ---- start ---- */

static void
mbuf_paint(struct rte_mbuf *mbuf)
{
	memset(mbuf->buf_addr, CANARY, mbuf->buf_len);
}

static void
mbuf_paint_each(struct rte_mempool *mempool, void *opaque, void *mbuf, unsigned int index)
{
	(void)mempool;
	(void)opaque;
	(void)index;
	mbuf_paint(mbuf);
}

/* What the driver gives back by itself: frames sent, and received ones it does not deliver. */
void __real_rte_pktmbuf_free_bulk(struct rte_mbuf **mbufs, unsigned int count);
void __wrap_rte_pktmbuf_free_bulk(struct rte_mbuf **mbufs, unsigned int count);

void
__wrap_rte_pktmbuf_free_bulk(struct rte_mbuf **mbufs, unsigned int count)
{
	struct rte_mbuf *segment;
	unsigned int i;

	for (i = 0; i < count; i++)
		for (segment = mbufs[i]; segment != NULL; segment = segment->next)
			mbuf_paint(segment);
	__real_rte_pktmbuf_free_bulk(mbufs, count);
}

int
port_rig_start(char *name)
{
	char *eal[] = {name,
		       (char *)"--no-huge",
		       (char *)"-m",
		       (char *)"64",
		       (char *)"--no-pci",
		       (char *)"--no-shconf",
		       (char *)"-l",
		       (char *)"0",
		       (char *)"--no-telemetry",
		       (char *)"--log-level=lib.eal:warning"};
	cookie_io_functions_t functions = {.write = log_write};
	FILE *log = fopencookie(NULL, "w", functions);

	if (rte_eal_init((int)RTE_DIM(eal), eal) < 0) {
		fprintf(stderr, "%s: EAL does not start: see its message above\n", name);
		return 1;
	}
	pool = rte_pktmbuf_pool_create("frames", PORT_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	if (pool == NULL || log == NULL) {
		fprintf(stderr, "%s: no mbuf pool or no log: %s\n", name, rte_strerror(rte_errno));
		return 1;
	}
	setvbuf(log, NULL, _IOLBF, 1024); /* a sentence a call */
	rte_openlog_stream(log);
	rte_mempool_obj_iter(pool, mbuf_paint_each, NULL);
	return 0;
}

unsigned int
port_mbufs_free(void)
{
	return rte_mempool_avail_count(pool);
}

static struct nahanni_port *
private_of(const struct port_victim *victim)
{
	return rte_eth_devices[victim->port].data->dev_private;
}

static void
queues_setup(const struct port_victim *victim)
{
	struct rte_eth_conf conf;
	uint16_t i;

	memset(&conf, 0, sizeof(conf));
	assert_int_equal(rte_eth_dev_configure(victim->port, victim->queues, victim->queues, &conf),
			 0);
	for (i = 0; i < victim->queues; i++) {
		assert_int_equal(
			rte_eth_rx_queue_setup(victim->port, i, victim->descriptors, 0, NULL, pool),
			0);
		assert_int_equal(
			rte_eth_tx_queue_setup(victim->port, i, victim->descriptors, 0, NULL), 0);
	}
}

void
port_victim_open(struct port_victim *victim)
{
	bool host = victim->hostile.role == NHN_ROLE_GUEST;
	char args[3 * PORT_PATH_BYTES], own[PORT_PATH_BYTES], peer[PORT_PATH_BYTES];
	int length;

	current = victim;
	port_files_new(victim);
	port_file_path(own, "own");
	port_file_path(peer, "peer");
	length = snprintf(args, sizeof(args), "role=%s,path=%s,queues=%u", host ? "host" : "guest",
			  own, victim->queues);
	if (victim->split)
		snprintf(args + length, sizeof(args) - (size_t)length, ",peer=%s", peer);
	assert_int_equal(rte_vdev_init(NAME, args), 0);
	assert_int_equal(rte_eth_dev_get_port_by_name(NAME, &victim->port), 0);
	queues_setup(victim);
	victim->link = private_of(victim)->link;
	victim->hostile.link = victim->link;
}

void
port_victim_close(struct port_victim *victim)
{
	assert_int_equal(rte_vdev_uninit(NAME), 0);
	port_files_remove(victim);
	hostile_check(&victim->hostile, port_mbufs_free() == PORT_MBUFS);
}

/* The driver's time stands still, so that a seed repeats, or is far ahead, a cycle a
 * nanosecond. And it may take its step at once. */
static void
clock_set(struct port_victim *victim)
{
	struct nahanni_port *port = private_of(victim);

	port->ns_per_cycle_q32 = victim->clock_ahead ? UINT64_C(1) << 32 : 0;
	port->next_step_ns = 0;
	/* two more: before the begin, and for the leap ahead */
	victim->ledger.most =
		NHN_LINK_EVENTS_MAX + 2 + (rte_rdtsc() - victim->begun_cycles) / NHN_LINK_EVENTS_NS;
}

bool
port_victim_start(struct port_victim *victim)
{
	struct hostile *h = &victim->hostile;
	struct hostile_bound bound = {.loads = 2 * NHN_CONTROL_BYTES / 4 + 5 + 5 + 284,
				      .copies = 2};
	int ret;

	memset(&victim->ledger, 0, sizeof(victim->ledger));
	victim->begun_cycles = rte_rdtsc();
	clock_set(victim);
	bound.loads += 2 * victim->queues;
	may_log = true;
	hostile_enter(h);
	ret = rte_eth_dev_start(victim->port);
	hostile_leave(h, &port_calls[CALL_START], bound);
	may_log = false;
	if (ret != 0) {
		hostile_check(h, h->role == NHN_ROLE_GUEST);
		link_reached.refusals[NHN_REFUSAL_OWN_AREA]++;
		return false;
	}
	/* start has asked for the link's status once: what that did was told */
	victim->ledger.happened = victim->ledger.told;
	return true;
}

void
port_victim_stop(struct port_victim *victim)
{
	struct hostile *h = &victim->hostile;

	link_reached.untold += victim->link->events_untold;
	link_reached.sessions += victim->link->sessions;
	hostile_enter(h);
	assert_int_equal(rte_eth_dev_stop(victim->port), 0);
	hostile_leave(h, &port_calls[CALL_STOP], (struct hostile_bound){.loads = 0});
	link_reached.states[victim->link->state]++;
}

/* ---- at work ---- */

static struct hostile_bound
control_bound(const struct port_victim *victim)
{
	struct hostile_bound bound = link_step_bound(victim->link);

	bound.loads += 5;
	return bound;
}

void
port_victim_control(struct port_victim *victim)
{
	struct hostile *h = &victim->hostile;
	struct hostile_bound bound = control_bound(victim);
	struct rte_eth_link status;

	clock_set(victim);
	link_ledger_before(&victim->ledger, victim->link);
	may_log = true;
	hostile_enter(h);
	assert_int_equal(rte_eth_link_get_nowait(victim->port, &status), 0);
	hostile_leave(h, &port_calls[CALL_CONTROL], bound);
	may_log = false;
	link_ledger_after(&victim->ledger, h);
	hostile_check(h, (status.link_status == RTE_ETH_LINK_UP) ==
				 (nhn_link_state(victim->link) == NHN_LINK_UP));
}

void
port_victim_xstats(struct port_victim *victim)
{
	struct rte_eth_xstat values[128];
	struct rte_eth_stats stats;

	hostile_enter(&victim->hostile);
	assert_in_range(rte_eth_xstats_get(victim->port, values, RTE_DIM(values)), 1,
			RTE_DIM(values));
	assert_int_equal(rte_eth_stats_get(victim->port, &stats), 0);
	hostile_leave(&victim->hostile, &port_calls[CALL_XSTATS],
		      (struct hostile_bound){.loads = 1});
}

/* What control adds to a burst that is its queue's 1024th. */
static struct hostile_bound
burst_begin(struct port_victim *victim, const struct nahanni_queue *queue)
{
	struct hostile_bound bound = {.loads = 0};

	clock_set(victim);
	link_ledger_before(&victim->ledger, victim->link);
	may_log = (queue->calls + 1) % NAHANNI_CONTROL_CALLS == 0;
	if (may_log)
		bound = control_bound(victim);
	hostile_enter(&victim->hostile);
	return bound;
}

static void
burst_end(struct port_victim *victim)
{
	may_log = false;
	link_ledger_after(&victim->ledger, &victim->hostile);
}

void
port_frame_check(const struct port_victim *victim, const struct rte_mbuf *mbuf)
{
	const struct hostile *h = &victim->hostile;
	const uint8_t *bytes = mbuf->buf_addr;
	uint32_t after = mbuf->data_off + (uint32_t)mbuf->data_len;
	uint8_t wrong = 0;
	uint32_t i;

	hostile_check(h, mbuf->nb_segs == 1 && mbuf->next == NULL && mbuf->refcnt == 1);
	hostile_check(h, mbuf->data_off == RTE_PKTMBUF_HEADROOM);
	hostile_check(h, mbuf->data_len == mbuf->pkt_len && after <= mbuf->buf_len);
	hostile_check(h, mbuf->data_len >= RTE_ETHER_HDR_LEN);
	hostile_check(h, mbuf->port == victim->port && mbuf->ol_flags == 0);
	for (i = 0; i < mbuf->data_off; i++)
		wrong |= bytes[i] ^ CANARY;
	for (i = after; i < mbuf->buf_len; i++)
		wrong |= bytes[i] ^ CANARY;
	hostile_check(h, wrong == 0);
}

void
port_frame_free(struct rte_mbuf *mbuf)
{
	mbuf_paint(mbuf);
	rte_pktmbuf_free(mbuf);
}

void
port_victim_receive(struct port_victim *victim)
{
	struct hostile *h = &victim->hostile;
	uint16_t index = (uint16_t)hostile_below(h, victim->queues);
	const struct nahanni_queue *queue = rte_eth_devices[victim->port].data->rx_queues[index];
	uint16_t count = (uint16_t)(hostile_chance(h, 8) ? PORT_BURST : hostile_below(h, 40));
	uint64_t errors = queue->errors;
	struct rte_mbuf *frames[PORT_BURST];
	struct hostile_bound bound = burst_begin(victim, queue);
	uint16_t found, i;

	found = rte_eth_rx_burst(victim->port, index, frames, count);
	bound.loads += 2 * (uint64_t)count + 2;
	bound.copies += count;
	bound.lends += count;
	hostile_check(h, found <= count);
	hostile_leave(h, &port_calls[CALL_RX_BURST], bound);
	burst_end(victim);
	for (i = 0; i < found; i++) {
		port_frame_check(victim, frames[i]);
		port_frame_free(frames[i]);
	}
	port_reached.received += found;
	port_reached.dropped += queue->errors - errors;
	port_reached.burst_most = RTE_MAX(port_reached.burst_most, (uint64_t)found);
}

/* A frame of one or two segments, of any length; NULL when mbufs are short. */
static struct rte_mbuf *
frame_new(struct hostile *h)
{
	struct rte_mbuf *first = rte_pktmbuf_alloc(pool);
	struct rte_mbuf *second;

	if (first == NULL)
		return NULL;
	rte_pktmbuf_append(first, (uint16_t)hostile_below(h, hostile_chance(h, 4) ? 2049 : 200));
	if (!hostile_chance(h, 4))
		return first;
	second = rte_pktmbuf_alloc(pool);
	if (second == NULL)
		return first;
	rte_pktmbuf_append(second, (uint16_t)hostile_below(h, 2049));
	assert_int_equal(rte_pktmbuf_chain(first, second), 0);
	return first;
}

void
port_victim_send(struct port_victim *victim)
{
	struct hostile *h = &victim->hostile;
	uint16_t index = (uint16_t)hostile_below(h, victim->queues);
	const struct nahanni_queue *queue = rte_eth_devices[victim->port].data->tx_queues[index];
	uint16_t wanted = (uint16_t)(hostile_chance(h, 16) ? PORT_BURST : hostile_below(h, 20));
	struct rte_mbuf *frames[PORT_BURST];
	struct hostile_bound bound;
	uint16_t count = 0;
	uint16_t done, i;

	while (count < wanted && (frames[count] = frame_new(h)) != NULL)
		count++;
	bound = burst_begin(victim, queue);
	done = rte_eth_tx_burst(victim->port, index, frames, count);
	bound.loads += 2 * ((uint64_t)done + (done < count));
	hostile_check(h, done <= count);
	hostile_leave(h, &port_calls[CALL_TX_BURST], bound);
	burst_end(victim);
	for (i = done; i < count; i++)
		rte_pktmbuf_free(frames[i]);
	port_reached.sent += done;
}

struct rte_mbuf *
port_frame_new(struct port_victim *victim, uint16_t length, uint64_t number)
{
	struct rte_mbuf *frame = rte_pktmbuf_alloc(pool);

	assert_non_null(frame);
	pattern_fill(rte_pktmbuf_append(frame, length), length, victim->hostile.seed, number);
	return frame;
}
