/* SPDX-License-Identifier: BSD-3-Clause */
/* A run of ipc-perf that was never run: its figures are known. The program's parts that
 * write files are compiled in; those that they ask are here. */
#ifndef OUTPUT_RIG_H
#define OUTPUT_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include <nhn_percentiles.h>

#include "engine.h"
#include "output.h"
#include "report_page.h"
#include "say.h"

#define PATH_BYTES 256
/** No file of the tests has as many. */
#define FILE_BYTES (1u << 20)

static const struct engine rig_ping = {
	.name = "ping",
	.loop = "closed",
	.latency = "round trip",
	.uses = USES_LINK | USES_SIZE,
};
static const struct engine rig_paced = {
	.name = "paced",
	.loop = "open",
	.latency = "from the intended send to the answer",
	.uses = USES_LINK | USES_SIZE | USES_RATE,
};
static const struct engine rig_flood = {
	.name = "flood",
	.loop = "none",
	.uses = USES_LINK | USES_SIZE | USES_BURST,
};
const struct engine *const engines[] = {&rig_ping, &rig_paced, &rig_flood};
const size_t engines_count = 3;

const struct engine *
engine_find(const char *name)
{
	size_t i;

	for (i = 0; i < engines_count; i++)
		if (strcmp(engines[i]->name, name) == 0)
			return engines[i];
	return NULL;
}

bool
way_has_words(const struct way *way)
{
	return way != NULL;
}

bool
way_down(const struct way *way)
{
	return way == NULL;
}

uint64_t
way_restarts(const struct way *way)
{
	return way != NULL;
}

/** The last sentence said. */
static char said[1024];

void
say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(said, sizeof(said), format, args);
	va_end(args);
}

/** The page's place is taken by how many documents it has. */
int
report_page_check(void)
{
	return 0;
}

int
report_page_write(FILE *out, json_t *documents)
{
	return fprintf(out, "<html>%zu documents</html>\n", json_array_size(documents)) > 0 ? 0
											    : -1;
}

struct rig {
	struct options options;
	struct nhn_clock clock;
	struct result *result;
	char folder[PATH_BYTES];
};

static char *rig_argv[] = {(char *)"ipc-perf", (char *)"--", (char *)"--size", (char *)"60", NULL};

static int
rig_begin(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	nhn_clock_init_hz(&rig->clock, 1000000000);
	settings_init(&rig->options.settings);
	rig->options.settings.engine = &rig_ping;
	rig->options.settings.size = 60;
	rig->options.settings.samples = 1000000;
	rig->options.argv = rig_argv;
	rig->options.link.text = (char *)"role=host,path=/dev/shm/x";
	rig->options.link.path = (char *)"/dev/shm/x";
	rig->options.link.role = NHN_ROLE_HOST;
	rig->result = result_new();
	assert_non_null(rig->result);
	result_begin(rig->result, &rig->options.settings, "channel");
	snprintf(rig->folder, sizeof(rig->folder), "/tmp/output_test.XXXXXX");
	assert_non_null(mkdtemp(rig->folder));
	said[0] = '\0';
	*state = rig;
	return 0;
}

static int
rig_end(void **state)
{
	struct rig *rig = *state;
	char command[PATH_BYTES + 16];

	snprintf(command, sizeof(command), "rm -r %s", rig->folder);
	assert_int_equal(system(command), 0);
	result_free(rig->result);
	free(rig);
	return 0;
}

static inline void
rig_path(const struct rig *rig, const char *name, char *path)
{
	snprintf(path, PATH_BYTES, "%.200s/%s", rig->folder, name);
}

/** A round of samples, of which the last one is far off; the limit beside it is 100 ns. */
static void
rig_round(struct rig *rig, uint64_t samples, uint64_t first_ns)
{
	struct result *result = rig->result;
	uint64_t begin_ns = result->run_ns;
	uint64_t i;

	nhn_histogram_init(&result->round);
	for (i = 0; i < samples; i++)
		nhn_histogram_record(&result->round,
				     i + 1 == samples ? first_ns * 1000 : first_ns + i * 7 % 5003);
	for (i = 0; i < 300; i++)
		nhn_histogram_record(&result->limit, 100);
	result->run_ns += 50000000;
	series_add(&result->ratios, 2.5);
	series_add(&result->rates, 1e6);
	result->rate = 1e6;
	result_keep(result, begin_ns, result->run_ns, samples);
}

/** @p rounds rounds, complete, by a far end that is known. */
static void
rig_run(struct rig *rig, uint32_t rounds, uint64_t samples)
{
	struct result *result = rig->result;
	uint32_t i;

	for (i = 0; i < rounds; i++)
		rig_round(rig, samples, 200 + i);
	result->rounds_planned = rounds;
	result->complete = true;
	result->link_state = "up";
	result->recorder_ns = 4.5;
	result->counts.near.sent = rounds * samples;
	result->counts.far.received = rounds * samples;
	result->counts.far_known = true;
	result->far.version = PROTOCOL_VERSION;
	memset(result->far.host, 'h', sizeof(result->far.host));
	snprintf(result->far.system, sizeof(result->far.system), "Linux \033[2J\xff");
	result->offset_begin = (struct offset){true, -500, 40, 1000000};
	result->offset_end = (struct offset){true, -400, 60, 1001000000};
	result->gaps.count = 1;
	result->gaps.gap[0] = (struct nhn_gap){
		.when_ns = 77, .gap_ns = 200000, .cause = NHN_CAUSE_INTERRUPT, .detail = "LOC 3"};
}

/** The document of the run as often as asked for. */
static inline json_t *
rig_document(const struct rig *rig, unsigned int times)
{
	json_t *runs = json_array();
	json_t *document;

	while (times-- != 0)
		assert_int_equal(
			json_array_append_new(runs, output_json_run(&rig->options, &rig->clock,
								    NULL, rig->result)),
			0);
	document = output_json_document(&rig->options, &rig->clock, runs);
	assert_non_null(document);
	json_decref(runs);
	return document;
}

/** What a file holds, to be freed. */
static inline char *
rig_read(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, FILE_BYTES);
	size_t length;

	assert_non_null(file);
	assert_non_null(text);
	length = fread(text, 1, FILE_BYTES, file);
	assert_true(length < FILE_BYTES);
	fclose(file);
	return text;
}

/** Write a document's JSON and read it back as another program would. */
static inline json_t *
rig_reread(json_t *document, size_t *bytes)
{
	char *text = NULL;
	json_t *read;
	FILE *out = open_memstream(&text, bytes);

	assert_non_null(out);
	assert_int_equal(output_json_dump(out, document), 0);
	fclose(out);
	read = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(read);
	free(text);
	json_decref(document);
	return read;
}

#endif /* OUTPUT_RIG_H */
