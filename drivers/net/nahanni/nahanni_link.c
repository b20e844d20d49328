/* SPDX-License-Identifier: BSD-3-Clause */
/* The port's link: its layout, its opening, and what programs may do with it. */

#include <rte_cycles.h>
#include <rte_errno.h>

#include <nhn_link_text.h>

#include "nahanni.h"
#include "rte_pmd_nahanni.h"

/** Cells of the one channel of a message link. */
#define MESSAGE_CELLS 1024u
/** Largest data ring of a channel: one that policies of copying still take for short. */
#define MESSAGE_DATA_BYTES (1u << 20)

static void
link_event(void *context, const struct nhn_link *link, const struct nhn_link_event *event)
{
	const struct nahanni_port *port = context;
	const char *name = port->data->name;
	char text[512];

	nhn_link_event_text(link, event, text, sizeof(text));
	if (event->kind == NHN_LINK_EVENT_STATE)
		NAHANNI_LOG(NOTICE, "%s: %s", name, text);
	else
		NAHANNI_LOG(ERR, "%s: %s", name, text);
}

void
nahanni_memory_joint(struct nahanni_port *port, void *base, uint64_t bytes)
{
	struct nhn_link_config halves;

	nhn_link_joint(&halves, port->args.role, base, bytes);
	port->own_area = halves.own_area;
	port->own_bytes = halves.own_bytes;
	port->peer_area = halves.peer_area;
	port->peer_bytes = halves.peer_bytes;
}

void
nahanni_layout_fit(const struct nahanni_port *port, struct nhn_layout *layout, uint32_t channels,
		   enum nhn_use use, uint32_t cells)
{
	struct nhn_refusal refusal;
	uint32_t data_bytes = use == NHN_USE_ETHERNET ? NAHANNI_DATA_BYTES_MAX : MESSAGE_DATA_BYTES;
	/* A peer that is not known yet is taken for one of the own size. */
	uint64_t bytes = port->peer_area != NULL ? RTE_MIN(port->own_bytes, port->peer_bytes)
						 : port->own_bytes;

	nhn_layout_uniform(layout, channels, use, cells, data_bytes);
	while (nhn_layout_check(layout, bytes, &refusal) != 0 &&
	       refusal.cause == NHN_REFUSAL_SPACE && data_bytes > NHN_DATA_BYTES_MIN) {
		data_bytes /= 2;
		nhn_layout_uniform(layout, channels, use, cells, data_bytes);
	}
}

int
nahanni_link_open(struct nahanni_port *port, struct nhn_link_config *config)
{
	struct nhn_refusal refusal;
	char text[256];
	int ret;

	nhn_link_finish(port->link);
	port->service = NAHANNI_STOPPED;
	nahanni_load_measure(port, NULL, NULL);
	config->role = port->args.role;
	config->own_area = port->own_area;
	config->own_bytes = port->own_bytes;
	config->peer_area = port->peer_area;
	config->peer_bytes = port->peer_bytes;
	memcpy(config->mac, port->data->mac_addrs, sizeof(config->mac));
	config->mtu = config->use == NHN_USE_ETHERNET ? port->data->mtu : 0;
	config->random = (uint32_t)rte_rdtsc();
	config->event = link_event;
	config->event_context = port;
	ret = nhn_link_init(port->link, config, &refusal);
	if (ret != 0)
		NAHANNI_LOG(ERR, "%s: %s", port->data->name,
			    nhn_refusal_text(&refusal, text, sizeof(text)));
	return ret;
}

static struct nahanni_port *
port_find(uint16_t port_id)
{
	struct rte_eth_dev *dev;

	if (rte_eth_dev_is_valid_port(port_id)) {
		dev = &rte_eth_devices[port_id];
		if (nahanni_dev_ours(dev))
			return dev->data->dev_private;
	}
	rte_errno = ENODEV;
	return NULL;
}

/** @return 0, or what rte_errno is to be */
static int
message_link_open(struct nahanni_port *port, enum nhn_use use, uint32_t channels)
{
	struct nhn_link_config config = {.use = use};
	uint32_t i;

	if (port->data->dev_started)
		return EBUSY;
	if (port->service == NAHANNI_MESSAGES)
		return port->link->config.use == use ? 0 : EBUSY;
	if (channels > NHN_CHANNELS_MAX)
		return EINVAL;
	if (port->args.role == NHN_ROLE_HOST && channels == 0)
		return EINVAL;
	/* The smaller area decides how large the channels are. */
	if (port->args.peer_device && nahanni_peer_take(port) != 0)
		return EPROTO;
	if (port->args.role == NHN_ROLE_HOST) {
		nahanni_layout_fit(port, &config.layout, channels, use, MESSAGE_CELLS);
		for (i = 0; i < channels; i++)
			config.layout.entry[i].priority = (uint8_t)i;
	} else if (use == NHN_USE_MSG) {
		config.layout.channels = channels;
	}
	if (nahanni_link_open(port, &config) != 0)
		return EPROTO;
	port->service = NAHANNI_MESSAGES;
	return 0;
}

static struct nhn_link *
message_link_get(uint16_t port_id, enum nhn_use use, uint32_t channels)
{
	struct nahanni_port *port = port_find(port_id);

	if (port == NULL)
		return NULL;
	rte_errno = message_link_open(port, use, channels);
	return rte_errno == 0 ? port->link : NULL;
}

struct nhn_link *
rte_pmd_nahanni_link_get(uint16_t port_id)
{
	return message_link_get(port_id, NHN_USE_RAW, 1);
}

struct nhn_link *
rte_pmd_nahanni_msg_link_get(uint16_t port_id, uint32_t channels)
{
	return message_link_get(port_id, NHN_USE_MSG, channels);
}

struct nhn_link *
rte_pmd_nahanni_probe(uint16_t port_id)
{
	struct nahanni_port *port = port_find(port_id);

	if (port != NULL && port->service != NAHANNI_FRAMES) {
		rte_errno = ENETDOWN;
		return NULL;
	}
	return port != NULL ? port->link : NULL;
}

int
rte_pmd_nahanni_distance_set(uint16_t port_id, uint64_t trip_ns)
{
	struct nahanni_port *port = port_find(port_id);

	if (port == NULL)
		return -rte_errno;
	nhn_store_relaxed(&port->far, trip_ns >= NHN_FAR_TRIP_NS);
	return 0;
}
