/* SPDX-License-Identifier: BSD-3-Clause */
/* The JSON document: doc/guides/ipc-perf-json.rst says what each field is. */

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include <rte_version.h>

#include <nhn_check.h>

#include "engine.h"
#include "output.h"
#include "output_object.h"

/** Digits that tell 1 - 10^-9 from 1 and print 0.1 as 0.1. */
#define REAL_DIGITS 12

static json_t *
command_array(char **words)
{
	struct object array = array_begin();

	for (; *words != NULL; words++)
		array_add(&array, object_text(*words));
	return object_end(&array);
}

static json_t *
program_object(const struct options *options)
{
	struct object object = object_begin();

	object_set_text(&object, "version", IPC_PERF_VERSION);
	object_set(&object, "command", command_array(options->argv));
	return object_end(&object);
}

static json_t *
near_object(const struct nhn_clock *clock)
{
	const int cpu = output_core();
	struct object object = object_begin();
	struct utsname kernel;
	char text[512];

	uname(&kernel);
	object_set_text(&object, "host", kernel.nodename);
	snprintf(text, sizeof(text), "%s %s", kernel.sysname, kernel.release);
	object_set_text(&object, "system", text);
	object_set_text(&object, "machine", kernel.machine);
	object_set_text(&object, "dpdk", rte_version());
	object_set_integer(&object, "core", cpu);
	object_set_count(&object, "clock_hz", clock->hz);
	object_set_real(&object, "clock_error_ppm", clock->error_ppm);
	object_set_text(&object, "topology", output_place(cpu, text, sizeof(text)) ? text : NULL);
	return object_end(&object);
}

json_t *
output_json_document(const struct options *options, const struct nhn_clock *clock, json_t *runs)
{
	struct object object = object_begin();

	object_set_text(&object, "schema", "ipc-perf");
	object_set_count(&object, "schema_version", OUTPUT_SCHEMA_VERSION);
	object_set(&object, "program", program_object(options));
	object_set(&object, "near", near_object(clock));
	object_set(&object, "runs", json_incref(runs));
	return object_end(&object);
}

static int dump_fields(FILE *out, json_t *object, const char *indent);

static int
dump_runs(FILE *out, json_t *runs)
{
	const char *comma = "";
	json_t *run;
	size_t i;

	fputc('[', out);
	json_array_foreach(runs, i, run)
	{
		fprintf(out, "%s{", comma);
		if (dump_fields(out, run, "  ") != 0)
			return -EIO;
		fputs("\n }", out);
		comma = ", ";
	}
	fputc(']', out);
	return 0;
}

/** An object's fields, a line each; runs in the same way. */
static int
dump_fields(FILE *out, json_t *object, const char *indent)
{
	const size_t flags = JSON_REAL_PRECISION(REAL_DIGITS) | JSON_ENCODE_ANY;
	const char *key, *comma = "";
	json_t *value;
	int ret = 0;

	json_object_foreach(object, key, value)
	{
		/* The keys are of this program: none needs escapes. */
		fprintf(out, "%s\n%s\"%s\": ", comma, indent, key);
		if (strcmp(key, "runs") == 0)
			ret = dump_runs(out, value);
		else
			ret = json_dumpf(value, out, flags);
		if (ret != 0)
			return -EIO;
		comma = ",";
	}
	return 0;
}

int
output_json_dump(FILE *out, json_t *document)
{
	int ret;

	fputc('{', out);
	ret = dump_fields(out, document, " ");
	fputs("\n}\n", out);
	return ret != 0 || fflush(out) != 0 || ferror(out) ? -EIO : 0;
}

static json_t *
link_object(const struct link_option *link)
{
	struct object object;
	const char *path = !link->pci && link->port == NULL ? link->path : NULL;

	if (link->text == NULL)
		return json_null();
	object = object_begin();
	object_set_text(&object, "text", link->text);
	if (link->port != NULL)
		object_set_null(&object, "layout");
	else
		object_set_text(&object, "layout", link->peer != NULL ? "split" : "joint");
	object_set_text(&object, "kind", link->port != NULL ? "port" : link->pci ? "pci" : "file");
	object_set_text(&object, "role", options_role_name(link->role));
	object_set_text(&object, "device", link->pci ? link->bdf : NULL);
	object_set_text(&object, "path", path);
	object_set_text(&object, "port", link->port);
	object_set_text(&object, "peer", link->peer);
	object_set_text(&object, "limit", link->limit);
	if (path != NULL && link->bytes != 0)
		object_set_count(&object, "size_bytes_asked", link->bytes);
	else
		object_set_null(&object, "size_bytes_asked");
	return object_end(&object);
}

/** The far end's texts may lack their end: it is another program. */
static void
set_far_text(struct object *object, const char *key, const char *text, size_t bytes)
{
	char copy[sizeof(((struct reply_hello *)0)->topology) + 1];
	size_t length = strnlen(text, bytes);

	memcpy(copy, text, length);
	copy[length] = '\0';
	object_set_text(object, key, length != 0 ? copy : NULL);
}

static json_t *
far_object(const struct reply_hello *far)
{
	struct object object;

	if (far->version == 0)
		return json_null();
	object = object_begin();
	set_far_text(&object, "host", far->host, sizeof(far->host));
	set_far_text(&object, "system", far->system, sizeof(far->system));
	set_far_text(&object, "dpdk", far->dpdk, sizeof(far->dpdk));
	object_set_integer(&object, "core", far->core);
	object_set_count(&object, "clock_hz", far->clock_hz);
	set_far_text(&object, "topology", far->topology, sizeof(far->topology));
	return object_end(&object);
}

static json_t *
settings_object(const struct settings *settings)
{
	struct object object = object_begin();
	char text[SETTING_TEXT_MAX];
	size_t i;

	for (i = 0; i < settings_count; i++) {
		settings_table[i].print(settings, text, sizeof(text));
		object_set_text(&object, settings_table[i].name, text);
	}
	return object_end(&object);
}

/** Of a value of a sweep the run's settings keep what was varied. */
static json_t *
sweep_object(const struct settings *settings)
{
	struct object object;

	if (settings->sweep.over == SWEEP_NONE || settings->sweep.count != 1)
		return json_null();
	object = object_begin();
	object_set_text(&object, "over", sweep_over_name(settings->sweep.over));
	object_set_count(&object, "value", settings->sweep.values[0]);
	return object_end(&object);
}

static json_t *
method_object(const struct result *result)
{
	struct object object = object_begin();

	object_set_count(&object, "warmup_messages", result->warmup_messages);
	object_set_count(&object, "warmup_limit_trips", LIMIT_TRIPS);
	object_set_count(&object, "limit_trips", LIMIT_TRIPS);
	object_set_real(&object, "limit_drift", LIMIT_DRIFT);
	object_set_count(&object, "stamp_trips", STAMP_TRIPS);
	object_set_count(&object, "clock_exchanges", CLOCK_EXCHANGES);
	return object_end(&object);
}

static json_t *
warnings_array(const struct result *result)
{
	struct object array = array_begin();
	char text[512];
	unsigned int i;

	for (i = 0; result_warning(result, i, text, sizeof(text)); i++)
		array_add(&array, object_text(text));
	return object_end(&array);
}

/** As nahanni-check has them. */
static json_t *
checks_array(const struct options *options)
{
	struct object array = array_begin();
	unsigned int i;

	for (i = 0; i < options->check_count; i++) {
		const struct nhn_check_result *result = &options->checks[i];
		struct object check = object_begin();

		object_set_text(&check, "id", result->id);
		object_set_text(&check, "status", nhn_check_status_name(result->status));
		object_set_text(&check, "found", result->found);
		object_set_text(&check, "wanted", result->wanted);
		object_set_text(&check, "why", result->why);
		object_set_text(&check, "remedy", result->remedy);
		array_add(&array, object_end(&check));
	}
	return object_end(&array);
}

static void
set_begun(struct object *object, const struct timespec *begun)
{
	char day[32], text[48];
	struct tm tm;

	gmtime_r(&begun->tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03ldZ", day, begun->tv_nsec / 1000000);
	object_set_text(object, "begun", text);
}

/** A setting that its engine uses, for readers that do not know units. */
static void
set_number(struct object *object, const char *key, bool used, uint64_t value)
{
	if (used)
		object_set_count(object, key, value);
	else
		object_set_null(object, key);
}

/** What was run, where and how. */
static void
set_configuration(struct object *object, const struct options *options, const struct result *result)
{
	const struct settings *settings = &result->settings;
	const struct engine *engine = settings->engine;
	const bool linked = (engine->uses & USES_LINK) != 0;

	object_set_text(object, "name", settings->name[0] != '\0' ? settings->name : engine->name);
	object_set_text(object, "mode", engine->name);
	object_set_text(object, "via", result->via);
	object_set_text(object, "loop", engine->loop);
	set_number(object, "size", (engine->uses & USES_SIZE) != 0, settings->size);
	set_number(object, "burst", (engine->uses & USES_BURST) != 0, settings->burst);
	object_set_text(object, "outcome", result_outcome(result));
	object_set_text(object, "link_state", linked ? result->link_state : NULL);
	object_set_bool(object, "met", result_met(result));
	object_set(object, "warnings", warnings_array(result));
	object_set(object, "checks", checks_array(options));
	set_begun(object, &result->begun);
	object_set_count(object, "run_ns", result->run_ns);
	object_set_count(object, "measured_ns", result->measured_ns);
	object_set(object, "settings", settings_object(settings));
	object_set(object, "sweep", sweep_object(settings));
	object_set(object, "link", linked ? link_object(&options->link) : json_null());
	object_set(object, "far", linked ? far_object(&result->far) : json_null());
	object_set(object, "method", method_object(result));
}

json_t *
output_json_run(const struct options *options, const struct nhn_clock *clock, const struct way *way,
		const struct result *result)
{
	struct object object = object_begin();

	(void)clock;
	(void)way;
	set_configuration(&object, options, result);
	output_json_figures(&object, result);
	return object_end(&object);
}
