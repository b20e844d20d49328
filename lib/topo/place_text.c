/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>

#include "place_internal.h"
#include "topo_internal.h"

/* "all on node 1", or how many on which, or that nobody knows. */
static void
add_nodes(struct nhn_line *line, const struct nhn_place_result *result)
{
	unsigned int told = 0;

	if (!result->verified) {
		nhn_line_add(line, ", %s",
			     result->nodes == 1 ? "one node" : "nodes unknown (move_pages failed)");
		return;
	}
	for (unsigned int node = 0; node < NHN_PLACE_NODES_MAX; node++) {
		if (result->pages_on[node] == 0)
			continue;
		if (result->pages_on[node] == result->pages)
			nhn_line_add(line, ", all on node %u", node);
		else
			nhn_line_add(line, "%s%" PRIu64 " on node %u", told++ == 0 ? ", " : " and ",
				     result->pages_on[node], node);
	}
	if (result->pages_elsewhere > 0)
		nhn_line_add(line, ", %" PRIu64 " on nodes from %d on", result->pages_elsewhere,
			     NHN_PLACE_NODES_MAX);
	if (result->pages_absent > 0)
		nhn_line_add(line, ", %" PRIu64 " not in memory", result->pages_absent);
	if (result->nodes == 1)
		nhn_line_add(line, " (one node)");
}

void
nhn_place_text(const struct nhn_place_result *result, char *text, size_t size)
{
	struct nhn_line line;

	nhn_line_init(&line, text, size);
	nhn_line_add_bytes(&line, result->length);
	if (result->device) {
		nhn_line_add(&line, " of a device, which have no node here");
		return;
	}
	if (result->page_bytes == 0) {
		nhn_line_add(&line, ", not placed");
		return;
	}
	nhn_line_add(&line, " in %" PRIu64 " page%s of ", result->pages,
		     result->pages == 1 ? "" : "s");
	nhn_line_add_bytes(&line, result->page_bytes);
	if (result->hugetlb)
		nhn_line_add(&line, " (hugetlbfs)");
	if (result->thp_bytes > 0) {
		nhn_line_add(&line, " (");
		nhn_line_add_bytes(&line, result->thp_bytes);
		nhn_line_add(&line, " in transparent huge pages)");
	}
	add_nodes(&line, result);
	if (result->populated)
		nhn_line_add(&line, ", in memory");
	nhn_line_add(&line, result->locked ? ", locked" : ", not locked");
}
