/* SPDX-License-Identifier: BSD-3-Clause */
/* The files of ipc-perf: when they are made, when they go, and what is in them. */

#include "output_rig.h"

#define COLUMNS 12

static bool
exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static void
test_kinds_by_suffix(void **state)
{
	static const char *const paths[] = {"a.json", "b/c.csv", "x.y.hgrm", "l.hlog", "r.html"};
	enum output_kind kind;
	unsigned int i;

	(void)state;
	for (i = 0; i < OUTPUT_KINDS; i++) {
		assert_int_equal(output_kind_of(paths[i], &kind), 0);
		assert_int_equal(kind, i);
	}
	assert_int_equal(output_kind_of("result.txt", &kind), -EINVAL);
	assert_non_null(strstr(said, "result.txt"));
	assert_int_equal(output_kind_of(".json", &kind), -EINVAL);
}

static void
test_none_asked_for(void **state)
{
	struct rig *rig = *state;
	struct output_file file;

	assert_int_equal(output_open(&file, OUTPUT_JSON, NULL), 0);
	assert_int_equal(output_write(&file, &rig->options, NULL, NULL), 0);
	output_close(&file);
	assert_string_equal(said, "");
}

static void
test_bad_path(void **state)
{
	struct rig *rig = *state;
	struct output_file file;
	char path[PATH_BYTES];

	rig_path(rig, "nowhere/out.json", path);
	assert_int_equal(output_open(&file, OUTPUT_JSON, path), -ENOENT);
	assert_null(file.stream);
	assert_non_null(strstr(said, path));
	assert_non_null(strstr(said, "--json"));
	output_close(&file);
	assert_int_equal(output_open(&file, OUTPUT_CSV, rig->folder), -EISDIR);
	assert_non_null(strstr(said, "--csv"));
}

static void
test_created_and_not_written_goes(void **state)
{
	struct rig *rig = *state;
	struct output_file file;
	char path[PATH_BYTES];

	rig_path(rig, "out.json", path);
	assert_int_equal(output_open(&file, OUTPUT_JSON, path), 0);
	assert_true(exists(path));
	output_close(&file);
	assert_false(exists(path));
}

static void
test_existing_keeps_its_bytes(void **state)
{
	struct rig *rig = *state;
	struct output_file file;
	char path[PATH_BYTES];
	FILE *old;
	char *text;

	rig_path(rig, "out.hgrm", path);
	old = fopen(path, "we");
	fputs("old", old);
	fclose(old);
	assert_int_equal(output_open(&file, OUTPUT_HGRM, path), 0);
	assert_int_equal(output_write(&file, &rig->options, NULL, NULL), 0);
	assert_non_null(strstr(said, "--hgrm"));
	output_close(&file);
	text = rig_read(path);
	assert_string_equal(text, "old");
	free(text);
}

/** A shorter document leaves no end of a longer one. */
static void
test_written_anew(void **state)
{
	struct rig *rig = *state;
	json_t *two, *one, *read;
	struct output_file file;
	char path[PATH_BYTES];

	rig_run(rig, 1, 1000);
	two = rig_document(rig, 2);
	one = rig_document(rig, 1);
	rig_path(rig, "out.json", path);
	assert_int_equal(output_open(&file, OUTPUT_JSON, path), 0);
	assert_int_equal(output_write(&file, &rig->options, two, rig->result), 0);
	read = json_load_file(path, 0, NULL);
	assert_true(json_equal(read, two));
	json_decref(read);
	assert_int_equal(output_write(&file, &rig->options, one, rig->result), 0);
	output_close(&file);
	read = json_load_file(path, 0, NULL);
	assert_true(json_equal(read, one));
	json_decref(read);
	json_decref(one);
	json_decref(two);
}

/** A field of RFC 4180; *at moves behind it and its comma or line end. */
static char *
csv_field(const char **at)
{
	const bool quoted = **at == '"';
	char *field = calloc(1, 256);
	size_t length = 0;

	assert_non_null(field);
	*at += quoted;
	for (;; (*at)++) {
		if (quoted && **at == '"' && *++(*at) != '"')
			break;
		if (!quoted && (**at == ',' || **at == '\r'))
			break;
		assert_true(**at != '\0' && length < 255);
		field[length++] = **at;
	}
	*at += **at == ',' ? 1 : 2;
	return field;
}

/** @return rows but the header; finds the value of a row by its run, histogram and metric */
static unsigned int
csv_read(const char *text, const char *run, const char *histogram, const char *metric, char *value)
{
	const char *at = text;
	unsigned int rows = 0;

	for (; *at != '\0'; rows++) {
		char *fields[COLUMNS];
		unsigned int i;

		for (i = 0; i < COLUMNS; i++) {
			/* The line ends behind its last field, and nowhere else. */
			assert_true(i == 0 || at[-1] == ',');
			fields[i] = csv_field(&at);
		}
		assert_int_equal(at[-1], '\n');
		if (strcmp(fields[0], run) == 0 && strcmp(fields[7], histogram) == 0 &&
		    strcmp(fields[8], metric) == 0)
			strcpy(value, fields[9]);
		if (rows != 0)
			assert_string_equal(fields[1], "a \"name\", with\nall");
		for (i = 0; i < COLUMNS; i++)
			free(fields[i]);
	}
	return rows - 1;
}

static void
test_csv_reads_back(void **state)
{
	struct rig *rig = *state;
	char value[256] = "", expected[32];
	struct output_file file;
	char path[PATH_BYTES];
	json_t *document;
	uint64_t ns;
	char *text;

	strcpy(rig->options.settings.name, "a \"name\", with\nall");
	result_begin(rig->result, &rig->options.settings, "channel");
	rig_run(rig, 2, 10000);
	rig_path(rig, "out.csv", path);
	document = rig_document(rig, 2);
	assert_int_equal(output_open(&file, OUTPUT_CSV, path), 0);
	assert_int_equal(output_write(&file, &rig->options, document, rig->result), 0);
	output_close(&file);
	json_decref(document);
	text = rig_read(path);
	assert_int_equal(nhn_histogram_percentile(&rig->result->latency, 99, 100, &ns), 0);
	snprintf(expected, sizeof(expected), "%ju", (uintmax_t)ns);
	assert_true(csv_read(text, "2", "latency", "p99", value) > 100);
	assert_string_equal(value, expected);
	csv_read(text, "1", "", "rate.messages_per_s", value);
	assert_string_equal(value, "1000000");
	csv_read(text, "1", "latency", "p99.9999", value);
	assert_string_equal(value, "");
	csv_read(text, "1", "", "counts.far.received", value);
	assert_string_equal(value, "20000");
	free(text);
}

static unsigned int
count_of(const char *text, const char *word)
{
	unsigned int count = 0;

	for (text = strstr(text, word); text != NULL; text = strstr(text + 1, word))
		count++;
	return count;
}

/** Each run once, however often it is written; the second one's slices follow. */
static void
test_hlog_of_two_runs(void **state)
{
	struct rig *rig = *state;
	struct output_file file;
	char path[PATH_BYTES];
	uint32_t slices;
	char *text;

	strcpy(rig->options.settings.name, "a b,c");
	result_begin(rig->result, &rig->options.settings, "channel");
	rig_run(rig, 2, 1000);
	rig_path(rig, "out.hlog", path);
	assert_int_equal(output_open(&file, OUTPUT_HLOG, path), 0);
	assert_int_equal(output_write(&file, &rig->options, NULL, rig->result), 0);
	assert_int_equal(output_write(&file, &rig->options, NULL, rig->result), 0);
	slices = rig->result->slices;
	strcpy(rig->options.settings.name, "second");
	result_begin(rig->result, &rig->options.settings, "channel");
	rig_run(rig, 3, 1000);
	assert_int_equal(output_write(&file, &rig->options, NULL, rig->result), 0);
	output_close(&file);
	text = rig_read(path);
	assert_int_equal(count_of(text, "Tag=a_b_c,"), slices);
	assert_int_equal(count_of(text, "Tag=second,"), rig->result->slices);
	assert_int_equal(count_of(text, "[StartTime:"), 1);
	free(text);
}

static void
test_hgrm_of_two_runs(void **state)
{
	struct rig *rig = *state;
	char path[PATH_BYTES], second[PATH_BYTES];
	struct output_file file;
	char *text;

	rig_run(rig, 1, 1000);
	rig_path(rig, "a.b.hgrm", path);
	rig_path(rig, "a.b-2.hgrm", second);
	assert_int_equal(output_open(&file, OUTPUT_HGRM, path), 0);
	assert_int_equal(output_write(&file, &rig->options, NULL, rig->result), 0);
	assert_false(exists(second));
	result_begin(rig->result, &rig->options.settings, "channel");
	rig_run(rig, 2, 1000);
	assert_int_equal(output_write(&file, &rig->options, NULL, rig->result), 0);
	output_close(&file);
	text = rig_read(path);
	assert_non_null(strstr(text, "Total count    =         1000"));
	free(text);
	text = rig_read(second);
	assert_non_null(strstr(text, "Total count    =         2000"));
	free(text);
}

/** A full disk is told of by its file. */
static void
test_disk_full(void **state)
{
	struct rig *rig = *state;
	struct output_file file;
	json_t *document;

	rig_run(rig, 1, 1000);
	document = rig_document(rig, 1);
	assert_int_equal(output_open(&file, OUTPUT_JSON, "/dev/full"), 0);
	assert_int_equal(output_write(&file, &rig->options, document, rig->result), -EIO);
	assert_non_null(strstr(said, "/dev/full of --json"));
	assert_non_null(strstr(said, "No space"));
	output_close(&file);
	assert_true(exists("/dev/full"));
	json_decref(document);
}

static void
compare_write(struct rig *rig, const char *name, const char *text, char *path)
{
	FILE *out;

	rig_path(rig, name, path);
	out = fopen(path, "we");
	fputs(text, out);
	fclose(out);
	rig->options.compare[rig->options.compares++] = path;
}

static void
test_report_with_others(void **state)
{
	char path[PATH_BYTES], good[PATH_BYTES], bad[PATH_BYTES];
	struct rig *rig = *state;
	struct output_file file;
	json_t *document;
	char *text;

	rig_run(rig, 1, 1000);
	document = rig_document(rig, 1);
	rig_path(rig, "page.html", path);
	compare_write(rig, "good.json",
		      "{\"schema\":\"ipc-perf\",\"schema_version\":1,\"runs\":[]}", good);
	assert_int_equal(output_compares_check(&rig->options), 0);
	assert_int_equal(output_open(&file, OUTPUT_REPORT, path), 0);
	assert_int_equal(output_write(&file, &rig->options, document, rig->result), 0);
	text = rig_read(path);
	assert_string_equal(text, "<html>2 documents</html>\n");
	free(text);
	/* One that went bad meanwhile costs its own place only. */
	compare_write(rig, "bad.json", "{\"schema\":\"ipc-perf\",\"schema_version\":2}", bad);
	assert_int_equal(output_write(&file, &rig->options, document, rig->result), -EINVAL);
	assert_non_null(strstr(said, bad));
	output_close(&file);
	text = rig_read(path);
	assert_string_equal(text, "<html>2 documents</html>\n");
	free(text);
	json_decref(document);
}

static void
test_compares_refused(void **state)
{
	static const char *const texts[] = {"",
					    "{",
					    "[]",
					    "{\"rtt_ns\":{}}",
					    "{\"schema\":\"other\",\"schema_version\":1}",
					    "{\"schema\":\"ipc-perf\",\"schema_version\":1}"};
	struct rig *rig = *state;
	char path[PATH_BYTES];
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		rig->options.compares = 0;
		said[0] = '\0';
		compare_write(rig, "bad.json", texts[i], path);
		assert_int_equal(output_compares_check(&rig->options), -EINVAL);
		assert_non_null(strstr(said, path));
		assert_non_null(strstr(said, "schema ipc-perf"));
	}
	unlink(path);
	assert_int_equal(output_compares_check(&rig->options), -EINVAL);
	assert_non_null(strstr(said, path));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds_by_suffix),
		cmocka_unit_test_setup_teardown(test_none_asked_for, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_bad_path, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_created_and_not_written_goes, rig_begin,
						rig_end),
		cmocka_unit_test_setup_teardown(test_existing_keeps_its_bytes, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_written_anew, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_csv_reads_back, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_hlog_of_two_runs, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_hgrm_of_two_runs, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_disk_full, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_report_with_others, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_compares_refused, rig_begin, rig_end),
	};

	return cmocka_run_group_tests_name("output_file", tests, NULL, NULL);
}
