/* SPDX-License-Identifier: BSD-3-Clause */
/* The JSON document of ipc-perf: each figure is the histogram's own. */

#include "output_rig.h"

static json_t *
run_of(json_t *document)
{
	return json_array_get(json_object_get(document, "runs"), 0);
}

static json_int_t
integer_at(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static void
assert_same(json_t *object, const struct nhn_histogram *h)
{
	unsigned int i;

	assert_int_equal(integer_at(object, "n"), h->total);
	assert_int_equal(integer_at(object, "below"), h->below);
	assert_int_equal(integer_at(object, "above"), h->above);
	for (i = 0; i < NHN_PERCENTILES; i++) {
		const struct nhn_percentile *p = &nhn_percentiles[i];
		json_t *interval = json_object_get(json_object_get(object, "interval"), p->name);
		uint64_t ns, low_ns, high_ns;

		if (nhn_histogram_percentile(h, p->num, p->den, &ns) != 0) {
			assert_true(json_is_null(json_object_get(object, p->name)));
			assert_true(json_is_null(interval));
			continue;
		}
		assert_int_equal(nhn_histogram_interval(h, p->num, p->den, &low_ns, &high_ns), 0);
		assert_int_equal(integer_at(object, p->name), ns);
		assert_int_equal(json_integer_value(json_array_get(interval, 0)), low_ns);
		assert_int_equal(json_integer_value(json_array_get(interval, 1)), high_ns);
	}
	if (h->total == 0)
		return;
	assert_int_equal(integer_at(object, "min"), h->min_ns);
	assert_int_equal(integer_at(object, "max"), h->max_ns);
}

static void
test_figures_are_the_histograms(void **state)
{
	struct rig *rig = *state;
	json_t *document, *run;
	size_t bytes;

	rig_run(rig, 20, 50000);
	document = rig_reread(rig_document(rig, 1), &bytes);
	run = run_of(document);
	assert_string_equal(json_string_value(json_object_get(document, "schema")), "ipc-perf");
	assert_int_equal(integer_at(document, "schema_version"), 1);
	assert_same(json_object_get(run, "latency_ns"), &rig->result->latency);
	assert_same(json_object_get(run, "limit_ns"), &rig->result->limit);
	assert_int_equal(integer_at(run, "samples"), 1000000);
	assert_int_equal(integer_at(run, "lost"), 0);
	assert_true(json_is_true(json_object_get(run, "met")));
	assert_string_equal(json_string_value(json_object_get(run, "outcome")), "complete");
	assert_true(json_real_value(json_object_get(run, "ratio_p50")) == 2.5);
	assert_true(json_is_null(json_object_get(run, "floor_ns")));
	assert_true(json_is_null(json_object_get(run, "extra_ns")));
	assert_true(json_is_null(json_object_get(json_object_get(run, "rate"), "held")));
	assert_int_equal(json_object_size(json_object_get(run, "settings")), settings_count);
	json_decref(document);
}

/** Clock 100 ns ahead after a second: 0.1 ppm. */
static void
test_offset_and_gaps(void **state)
{
	struct rig *rig = *state;
	json_t *document, *offset, *gap;
	size_t bytes;

	rig_run(rig, 1, 1000);
	document = rig_reread(rig_document(rig, 1), &bytes);
	offset = json_object_get(run_of(document), "offset");
	assert_int_equal(integer_at(json_object_get(offset, "begin"), "offset_ns"), -500);
	assert_int_equal(integer_at(json_object_get(offset, "end"), "error_ns"), 60);
	assert_true(json_real_value(json_object_get(offset, "drift_ppm")) == 0.1);
	gap = json_array_get(json_object_get(run_of(document), "gaps"), 0);
	assert_int_equal(integer_at(gap, "gap_ns"), 200000);
	assert_string_equal(json_string_value(json_object_get(gap, "where")), "near");
	assert_string_equal(json_string_value(json_object_get(gap, "cause")), "interrupt");
	json_decref(document);
}

/** The far end's texts have no end and are no UTF-8; nor is the command line. */
static void
test_texts_of_others(void **state)
{
	struct rig *rig = *state;
	char *argv[] = {(char *)"ipc-perf", (char *)"\xff\xfe", NULL};
	json_t *document, *far, *command;
	size_t bytes;

	rig->options.argv = argv;
	rig_run(rig, 1, 1000);
	document = rig_reread(rig_document(rig, 1), &bytes);
	far = json_object_get(run_of(document), "far");
	assert_int_equal(json_string_length(json_object_get(far, "host")), 64);
	assert_string_equal(json_string_value(json_object_get(far, "system")), "Linux \033[2J?");
	assert_true(json_is_null(json_object_get(far, "topology")));
	command = json_object_get(json_object_get(document, "program"), "command");
	assert_string_equal(json_string_value(json_array_get(command, 1)), "??");
	json_decref(document);
}

/** Every field is there, as null, where nothing was measured. */
static void
test_empty_run(void **state)
{
	static const char *const nulls[] = {"far",
					    "limit_ns",
					    "ratio_p50",
					    "ratio_p50_spread",
					    "offset",
					    "slices",
					    "there_ns",
					    "back_ns",
					    "sweep",
					    "floor_ns",
					    "extra_of",
					    "far_work_ns",
					    "recorder_ns_per_sample"};
	struct rig *rig = *state;
	json_t *document, *latency;
	size_t bytes, i;

	rig->result->outcome = OUTCOME_STOPPED;
	document = rig_reread(rig_document(rig, 1), &bytes);
	for (i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
		assert_true(json_is_null(json_object_get(run_of(document), nulls[i])));
	latency = json_object_get(run_of(document), "latency_ns");
	assert_same(latency, &rig->result->latency);
	assert_true(json_is_null(json_object_get(latency, "min")));
	assert_true(json_is_null(json_object_get(latency, "mean")));
	assert_int_equal(json_array_size(json_object_get(latency, "curve")), 0);
	assert_true(json_is_false(json_object_get(run_of(document), "met")));
	assert_int_equal(json_array_size(json_object_get(run_of(document), "warnings")), 1);
	json_decref(document);
}

static void
assert_curve(json_t *curve, const struct nhn_histogram *h)
{
	const size_t size = json_array_size(curve);
	double fraction = 0;
	json_int_t ns = -1;
	size_t i;

	assert_true(size >= 1 && size <= 202);
	for (i = 0; i < size; i++) {
		json_t *point = json_array_get(curve, i);
		double next = json_number_value(json_array_get(point, 0));
		json_int_t next_ns = json_integer_value(json_array_get(point, 1));
		uint64_t low_ns, high_ns;
		uint64_t rank = (uint64_t)(next * (double)h->total + 0.5);

		assert_true(next > fraction && next_ns >= ns);
		assert_int_equal(nhn_histogram_at_rank(h, rank, &low_ns, &high_ns), 0);
		assert_int_equal(next_ns, high_ns);
		/* Between the ends none is finer than N carries. */
		assert_true(i == 0 || i + 1 == size || h->total - rank >= 100);
		fraction = next;
		ns = next_ns;
	}
	assert_true(fraction == 1);
	assert_int_equal(ns, h->max_ns);
}

static void
test_curve(void **state)
{
	static const uint64_t samples[] = {1, 2, 50, 99, 100, 101, 250, 50000};
	struct rig *rig = *state;
	json_t *document;
	size_t bytes, i;

	for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		result_begin(rig->result, &rig->options.settings, "channel");
		rig_run(rig, i == 7 ? 20 : 1, samples[i]);
		document = rig_reread(rig_document(rig, 1), &bytes);
		assert_curve(
			json_object_get(json_object_get(run_of(document), "latency_ns"), "curve"),
			&rig->result->latency);
		json_decref(document);
	}
}

static void
assert_row(json_t *row, json_t *bounds, const struct slice *slice)
{
	json_t *counts = json_object_get(row, "counts");
	uint64_t sum = 0, at_most = 0;
	size_t i;

	assert_int_equal(json_array_size(counts), json_array_size(bounds));
	for (i = 0; i < json_array_size(counts); i++) {
		uint64_t low_ns, high_ns = 0;

		sum += (uint64_t)json_integer_value(json_array_get(counts, i));
		/* So many samples are at or below this bound: the sum-th one is, the next not. */
		at_most = (uint64_t)json_integer_value(json_array_get(bounds, i));
		if (sum != 0 && nhn_histogram_at_rank(&slice->latency, sum, &low_ns, &high_ns) == 0)
			assert_true(high_ns <= at_most);
		if (nhn_histogram_at_rank(&slice->latency, sum + 1, &low_ns, &high_ns) == 0)
			assert_true(low_ns > at_most);
	}
	assert_int_equal(sum, slice->latency.total);
	assert_int_equal(integer_at(row, "n"), sum);
	assert_int_equal(integer_at(row, "messages"), slice->messages);
}

/** More rounds than slices, samples out of range among them. */
static void
test_slices(void **state)
{
	struct rig *rig = *state;
	json_t *document, *slices, *rows, *bounds;
	uint64_t total = 0;
	size_t bytes, i;

	rig_run(rig, 300, 500);
	rig_round(rig, 500, 0);
	rig_round(rig, 500, UINT64_C(99999999000));
	assert_true(rig->result->latency.below != 0 && rig->result->latency.above != 0);
	document = rig_reread(rig_document(rig, 1), &bytes);
	slices = json_object_get(run_of(document), "slices");
	rows = json_object_get(slices, "rows");
	bounds = json_object_get(slices, "bounds_ns");
	assert_int_equal(json_array_size(rows), rig->result->slices);
	for (i = 1; i < json_array_size(bounds); i++)
		assert_true(json_integer_value(json_array_get(bounds, i)) >
			    json_integer_value(json_array_get(bounds, i - 1)));
	for (i = 0; i < json_array_size(rows); i++) {
		assert_row(json_array_get(rows, i), bounds, &rig->result->slice[i]);
		total += (uint64_t)integer_at(json_array_get(rows, i), "n");
	}
	assert_int_equal(total, rig->result->latency.total);
	json_decref(document);
}

/** All histograms are wide, all slices are used. */
static void
test_document_is_small(void **state)
{
	struct rig *rig = *state;
	struct result *result = rig->result;
	struct nhn_histogram *const others[] = {&result->limit,	    &result->floor,
						&result->far_floor, &result->far_work,
						&result->there,	    &result->back};
	json_t *document;
	size_t bytes, i;

	rig_run(rig, 128, 20000);
	for (i = 0; i < 6; i++)
		nhn_histogram_add(others[i], &result->latency);
	document = rig_reread(rig_document(rig, 1), &bytes);
	json_decref(document);
	print_message("a document of one run: %zu bytes\n", bytes);
	assert_true(bytes < 110000);
}

/** Thresholds that N cannot carry are missed. */
static void
test_expects(void **state)
{
	struct rig *rig = *state;
	json_t *document, *expects;
	size_t bytes;

	assert_int_equal(expect_parse(&rig->options.settings, "p50<1ms,p99.999<1s"), 0);
	result_begin(rig->result, &rig->options.settings, "channel");
	rig_run(rig, 1, 5000);
	document = rig_reread(rig_document(rig, 1), &bytes);
	expects = json_object_get(run_of(document), "expect");
	assert_int_equal(json_array_size(expects), 2);
	assert_true(json_is_true(json_object_get(json_array_get(expects, 0), "met")));
	assert_true(json_is_false(json_object_get(json_array_get(expects, 1), "met")));
	assert_true(json_is_null(json_object_get(json_array_get(expects, 1), "found")));
	json_decref(document);
}

static void
test_modes_without_latency(void **state)
{
	struct rig *rig = *state;
	json_t *document, *rate;
	size_t bytes;

	rig->options.settings.engine = &rig_flood;
	result_begin(rig->result, &rig->options.settings, "channel");
	rig_run(rig, 3, 0);
	document = rig_reread(rig_document(rig, 1), &bytes);
	assert_true(json_is_null(json_object_get(run_of(document), "latency_ns")));
	assert_true(json_is_null(json_object_get(run_of(document), "latency_of")));
	rate = json_object_get(run_of(document), "rate");
	assert_true(json_number_value(json_object_get(rate, "messages_per_s")) == 1e6);
	assert_true(json_number_value(json_object_get(rate, "bytes_per_s")) == 60e6);
	json_decref(document);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_figures_are_the_histograms, rig_begin,
						rig_end),
		cmocka_unit_test_setup_teardown(test_offset_and_gaps, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_texts_of_others, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_empty_run, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_curve, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_slices, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_document_is_small, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_expects, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_modes_without_latency, rig_begin, rig_end),
	};

	return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
