/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <jansson.h>

#include <rte_lcore.h>
#include <rte_version.h>

#include <nhn_link_text.h>
#include <nhn_percentiles.h>

#include "report.h"
#include "say.h"

/** Digits that hold what a ratio of two rounds means, and no more. */
#define REAL_DIGITS 6

int
report_json_open(struct json_file *json, const char *path)
{
	int fd;

	json->stream = NULL;
	json->created = false;
	if (path == NULL)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	json->created = fd >= 0;
	/* One that exists keeps its bytes until there are new ones. */
	if (fd < 0 && errno == EEXIST)
		fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		json->stream = fdopen(fd, "w");
	if (json->stream != NULL)
		return 0;
	say("The file %s of --json cannot be written (%m), expected a file in a folder that you may"
	    " write: correct the path or the permissions.",
	    path);
	return -EACCES;
}

void
report_json_close(struct json_file *json, const char *path)
{
	if (json->stream == NULL)
		return;
	if (json->created && ftell(json->stream) == 0)
		unlink(path);
	fclose(json->stream);
	json->stream = NULL;
}

static json_t *
integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *
percentiles_object(const struct nhn_histogram *h)
{
	json_t *object = json_object();
	unsigned int i;

	json_object_set_new(object, "min", h->total != 0 ? integer(h->min_ns) : json_null());
	for (i = 0; i < NHN_PERCENTILES; i++) {
		const struct nhn_percentile *p = &nhn_percentiles[i];
		uint64_t ns;
		int ret = nhn_histogram_percentile(h, p->num, p->den, &ns);

		json_object_set_new(object, p->name, ret == 0 ? integer(ns) : json_null());
	}
	json_object_set_new(object, "max", h->total != 0 ? integer(h->max_ns) : json_null());
	return object;
}

/** jansson counts with signs; none of these numbers needs the last bit. */
static void
set_integer(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, integer(value));
}

static void
set_string(json_t *object, const char *key, const char *value)
{
	json_object_set_new(object, key, json_string(value));
}

static void
set_real(json_t *object, const char *key, double value)
{
	json_object_set_new(object, key, json_real(value));
}

static json_t *
link_object(const struct link_option *link)
{
	json_t *object = json_object();

	set_string(object, "layout", link->peer != NULL ? "split" : "joint");
	set_string(object, "kind", link->pci ? "pci" : "file");
	set_string(object, "role", options_role_name(link->role));
	if (link->pci) {
		set_string(object, "device", link->bdf);
	} else {
		set_string(object, "path", link->path);
		set_integer(object, "size_bytes_asked", link->bytes);
	}
	if (link->peer != NULL)
		set_string(object, "peer", link->peer);
	return object;
}

static json_t *
configuration_object(const struct options *options, const struct way *way,
		     const struct results *results)
{
	const int cpu = rte_lcore_to_cpu_id((int)rte_get_main_lcore());
	json_t *object = json_object();
	json_t *command = json_array();
	struct utsname kernel;
	char **word;

	uname(&kernel);
	for (word = options->argv; *word != NULL; word++)
		json_array_append_new(command, json_string(*word));
	json_object_set_new(object, "command", command);
	set_string(object, "version", IPC_PERF_VERSION);
	set_string(object, "loop", "closed");
	set_string(object, "via", options_via_name(options->via));
	json_object_set_new(object, "link", link_object(&options->link));
	set_integer(object, "size", options->bytes);
	set_integer(object, "samples_asked", options->samples);
	set_integer(object, "round_messages", results->round_messages);
	set_integer(object, "limit_trips", LIMIT_TRIPS);
	set_integer(object, "warmup_messages", WARMUP_TRIPS);
	set_integer(object, "warmup_limit_trips", LIMIT_TRIPS);
	set_real(object, "limit_drift", LIMIT_DRIFT);
	json_object_set_new(object, "cores", json_pack("[i]", cpu));
	set_integer(object, "clock_hz", way->clock->hz);
	set_real(object, "clock_error_ppm", way->clock->error_ppm);
	set_string(object, "kernel", kernel.release);
	set_string(object, "machine", kernel.machine);
	set_string(object, "dpdk", rte_version());
	return object;
}

static json_t *
usage_object(const struct usage *usage)
{
	json_t *object = json_object();

	set_integer(object, "minor_faults", (uint64_t)usage->minor_faults);
	set_integer(object, "major_faults", (uint64_t)usage->major_faults);
	set_integer(object, "voluntary_switches", (uint64_t)usage->voluntary_switches);
	set_integer(object, "involuntary_switches", (uint64_t)usage->involuntary_switches);
	return object;
}

static void
set_ratio(json_t *object, const struct results *results)
{
	const struct ratio_spread ratio = report_ratios(results);
	json_t *spread;

	if (results->rounds_kept == 0) {
		json_object_set_new(object, "ratio_p50", json_null());
		json_object_set_new(object, "ratio_p50_spread", json_null());
		return;
	}
	spread = json_object();
	set_real(spread, "min", ratio.min);
	set_real(spread, "p25", ratio.quarter);
	set_real(spread, "p75", ratio.three_quarters);
	set_real(spread, "max", ratio.max);
	set_real(object, "ratio_p50", ratio.median);
	json_object_set_new(object, "ratio_p50_spread", spread);
}

static const char *
outcome_name(const struct results *results)
{
	switch (results->outcome) {
	case OUTCOME_STOPPED:
		return "stopped";
	case OUTCOME_GONE:
		return "link gone";
	case OUTCOME_LOST:
		return "memory lost";
	default:
		return results->complete ? "complete" : "unsteady limit";
	}
}

static json_t *
document(const struct options *options, const struct way *way, const struct results *results)
{
	const struct ping *ping = &results->ping;
	json_t *object = json_object();

	set_string(object, "outcome", outcome_name(results));
	set_string(object, "link_state", nhn_link_state_text(results->state));
	json_object_set_new(object, "met", json_boolean(report_met(results)));
	set_integer(object, "samples", results->rtt.total);
	set_integer(object, "lost", ping->lost);
	set_integer(object, "duplicates", ping->duplicates);
	set_integer(object, "misordered", ping->misordered);
	set_integer(object, "corrupt", ping->corrupt);
	set_integer(object, "restarts", results->restarts);
	json_object_set_new(object, "rtt_ns", percentiles_object(&results->rtt));
	json_object_set_new(object, "limit_ns", percentiles_object(&results->limit));
	set_ratio(object, results);
	set_integer(object, "rounds_planned", results->rounds_planned);
	set_integer(object, "rounds_kept", results->rounds_kept);
	set_integer(object, "rounds_dropped", results->rounds_dropped);
	json_object_set_new(object, "configuration", configuration_object(options, way, results));
	json_object_set_new(object, "usage", usage_object(&results->usage));
	return object;
}

int
report_json_write(struct json_file *json, const struct options *options, const struct way *way,
		  const struct results *results)
{
	const size_t flags = JSON_INDENT(2) | JSON_REAL_PRECISION(REAL_DIGITS);
	json_t *root;
	bool written;

	if (json->stream == NULL)
		return 0;
	root = document(options, way, results);
	/* A pipe has no length to cut, and needs none cut. */
	if (ftruncate(fileno(json->stream), 0) != 0 && errno != EINVAL)
		say("The file %s of --json cannot be emptied (%m): it may end in old bytes.",
		    options->json);
	written = root != NULL && json_dumpf(root, json->stream, flags) == 0 &&
		  fputc('\n', json->stream) != EOF && fflush(json->stream) == 0;
	json_decref(root);
	if (written)
		return 0;
	say("The file %s of --json could not be written (%m), expected room for some KiB of UTF-8:"
	    " free some, or look at the names on the command line.",
	    options->json);
	return -EIO;
}
