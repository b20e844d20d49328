/* SPDX-License-Identifier: BSD-3-Clause */
/* What show prints. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_ethdev.h>

#include <nhn_link.h>
#include <nhn_link_text.h>

#include "output.h"
#include "prompt_internal.h"
#include "say.h"

static int
no_results(const char *what)
{
	char where[PROMPT_WHERE_MAX];

	say("%s: there is no %s yet, expected a run first: start.",
	    prompt_where("show", where, sizeof(where)), what);
	return -ENODATA;
}

/* ---- under the lock, into memory ---- */

static int
show_config(FILE *out)
{
	output_text_config(out, &prompt.session->settings);
	return 0;
}

static int
show_link(FILE *out)
{
	const struct session *session = prompt.session;

	if (session->way == NULL)
		return -ENOLINK;
	output_text_link(out, session->options, session->way,
			 session->has_result ? session->result : NULL);
	return 0;
}

static int
show_topology(FILE *out)
{
	output_text_topology(out, prompt.session->has_result ? prompt.session->result : NULL);
	return 0;
}

#define SHOW_RESULT(name)                                                                          \
	static int show_##name(FILE *out)                                                          \
	{                                                                                          \
		if (!prompt.session->has_result)                                                   \
			return -ENODATA;                                                           \
		output_text_##name(out, prompt.session->result);                                   \
		return 0;                                                                          \
	}

SHOW_RESULT(stats)
SHOW_RESULT(histogram)
SHOW_RESULT(floor)
SHOW_RESULT(gaps)

static const char *
text_of(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "-";
}

static int
show_runs(FILE *out)
{
	json_t *run;
	size_t i;

	fprintf(out, "%4s  %-40s %-10s %s\n", "run", "name", "mode", "outcome");
	json_array_foreach(prompt.session->runs, i, run)
	{
		fprintf(out, "%4zu  %-40s %-10s %s%s\n", i + 1, text_of(run, "name"),
			text_of(run, "mode"), text_of(run, "outcome"),
			json_is_false(json_object_get(run, "met")) ? ", not met" : "");
	}
	return 0;
}

/* ---- counters ---- */

static void
port_xstats(FILE *out, uint16_t port)
{
	int count = rte_eth_xstats_get_names(port, NULL, 0);
	struct rte_eth_xstat_name *names;
	struct rte_eth_xstat *values;
	int i;

	if (count <= 0)
		return;
	names = calloc((size_t)count, sizeof(*names));
	values = calloc((size_t)count, sizeof(*values));
	if (names != NULL && values != NULL &&
	    rte_eth_xstats_get_names(port, names, (unsigned int)count) == count &&
	    rte_eth_xstats_get(port, values, (unsigned int)count) == count)
		for (i = 0; i < count; i++)
			fprintf(out, "  %-40s %20" PRIu64 "\n", names[values[i].id].name,
				values[i].value);
	free(names);
	free(values);
}

static void
counter_print(FILE *out, const char *name, const uint64_t *counter)
{
	fprintf(out, "  %-40s %20" PRIu64 "\n", name, *counter);
}

/** The main lcore counts on meanwhile: each number is one that was, not all of one moment. */
static void
link_xstats(FILE *out, const struct nhn_link *link)
{
	char name[64];
	uint32_t i;

	fprintf(out, "link, %s:\n", nhn_link_state_text(nhn_link_state(link)));
	counter_print(out, "peer_sessions", &link->sessions);
	counter_print(out, "headers_refused", &link->refusals);
	counter_print(out, "events_untold", &link->events_untold);
	for (i = 0; i < RTE_DIM(link->faults); i++) {
		if (link->faults[i] == 0)
			continue;
		snprintf(name, sizeof(name), "fault: %s", nhn_fault_text((enum nhn_fault)i));
		counter_print(out, name, &link->faults[i]);
	}
	for (i = 0; i < link->layout.channels && i < NHN_CHANNELS_MAX; i++) {
		snprintf(name, sizeof(name), "channel_%" PRIu32 "_ring_full", i);
		counter_print(out, name, &link->tx[i].full);
	}
}

static int
show_xstats(FILE *out)
{
	struct session *session = prompt.session;
	char name[RTE_ETH_NAME_MAX_LEN];
	uint16_t port;

	if (session->way == NULL)
		return -ENOLINK;
	if (session->options->via == VIA_ETHDEV) {
		/* EAL has no ports but the link's. */
		for (port = 0; port < RTE_MAX_ETHPORTS; port++) {
			if (!rte_eth_dev_is_valid_port(port))
				continue;
			if (rte_eth_dev_get_name_by_port(port, name) == 0)
				fprintf(out, "port %s:\n", name);
			port_xstats(out, port);
		}
	} else if (way_link(session->way) != NULL) {
		link_xstats(out, way_link(session->way));
	}
	return 0;
}

/* ---- the words ---- */

static const struct show {
	const char *name;
	int (*print)(FILE *out);
	const char *what; /**< that may be missing */
} shows[] = {
	{"config", show_config, ""},
	{"link", show_link, ""},
	{"stats", show_stats, "result"},
	{"xstats", show_xstats, ""},
	{"histogram", show_histogram, "histogram"},
	{"floor", show_floor, "noise floor"},
	{"topology", show_topology, ""},
	{"gaps", show_gaps, "gap"},
	{"runs", show_runs, ""},
};

static const struct show *
show_find(const char *what)
{
	size_t i;

	for (i = 0; i < RTE_DIM(shows); i++)
		if (strcmp(shows[i].name, what) == 0)
			return &shows[i];
	return NULL;
}

int
prompt_show(const char *what)
{
	const struct show *show = show_find(what);
	char where[PROMPT_WHERE_MAX];
	char *text = NULL;
	size_t bytes = 0;
	FILE *memory = open_memstream(&text, &bytes);
	int ret;

	/* rte_cmdline takes no other words. */
	if (show == NULL || memory == NULL) {
		if (memory != NULL)
			fclose(memory);
		free(text);
		return -ENOMEM;
	}
	/* The run waits for the lock, and must not wait for a terminal. */
	pthread_mutex_lock(&prompt.session->lock);
	ret = show->print(memory);
	pthread_mutex_unlock(&prompt.session->lock);
	fclose(memory);
	if (text != NULL)
		fwrite(text, 1, bytes, stdout);
	fflush(stdout);
	free(text);
	if (ret == -ENOLINK)
		say("%s: there is no link, expected --link on the command line.",
		    prompt_where("show", where, sizeof(where)));
	return ret == -ENODATA ? no_results(show->what) : ret;
}
