/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>
#include <time.h>

#include <nhn_link_text.h>
#include <nhn_node.h>

uint64_t
nhn_node_now_ns(void *unused)
{
	struct timespec now;

	(void)unused;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/** Domain, bus, device, function, and nothing behind. */
static bool
is_pci_address(const char *path)
{
	unsigned int part;
	int end = 0;

	sscanf(path, "%x:%x:%x.%x%n", &part, &part, &part, &part, &end);
	return end != 0 && path[end] == '\0';
}

void
nhn_node_config_init(struct nhn_node_config *config, enum nhn_role role, const char *path)
{
	memset(config, 0, sizeof(*config));
	nhn_region_config_init(&config->region);
	config->region.path = path;
	if (is_pci_address(path)) {
		config->region.kind = NHN_REGION_PCI;
	} else {
		config->region.create = role == NHN_ROLE_HOST;
		config->region.lock_byte =
			role == NHN_ROLE_HOST ? NHN_LOCK_BYTE_HOST : NHN_LOCK_BYTE_GUEST;
	}
	config->link.role = role;
	config->link.use = NHN_USE_MSG;
	config->link.random = (uint32_t)nhn_node_now_ns(NULL);
	if (role == NHN_ROLE_HOST) /* a guest follows */
		nhn_layout_uniform(&config->link.layout, 1, NHN_USE_MSG, NHN_NODE_CELLS,
				   NHN_NODE_DATA_BYTES);
}

static void
tell_refusal(const struct nhn_region_config *config, const struct nhn_refusal *refusal)
{
	char sentence[256];

	if (config->log == NULL || refusal->cause == NHN_REFUSAL_NONE)
		return;
	nhn_refusal_text(refusal, sentence, sizeof(sentence));
	config->log(config->log_context, sentence);
}

int
nhn_node_open(struct nhn_node *node, const struct nhn_node_config *config)
{
	struct nhn_link_config link = config->link;
	struct nhn_refusal refusal;
	int ret;

	memset(node, 0, sizeof(*node));
	ret = nhn_region_open(&node->region, &config->region);
	if (ret != 0)
		return ret;
	nhn_link_joint(&link, link.role, node->region.base, node->region.length);
	ret = nhn_link_init(&node->link, &link, &refusal);
	if (ret != 0) {
		tell_refusal(&config->region, &refusal);
		nhn_region_close(&node->region);
		return ret;
	}
	nhn_endpoint_init(&node->endpoint, &node->link, nhn_node_now_ns, NULL);
	return 0;
}

void
nhn_node_close(struct nhn_node *node)
{
	nhn_link_finish(&node->link);
	nhn_region_close(&node->region);
}
