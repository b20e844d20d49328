/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of a run in the JSON document. */

#include <math.h>

#include "engine.h"
#include "output_object.h"

static json_t *
usage_object(const struct usage *usage)
{
	struct object object = object_begin();

	object_set_integer(&object, "minor_faults", usage->minor_faults);
	object_set_integer(&object, "major_faults", usage->major_faults);
	object_set_integer(&object, "voluntary_switches", usage->voluntary_switches);
	object_set_integer(&object, "involuntary_switches", usage->involuntary_switches);
	return object_end(&object);
}

static json_t *
end_object(const struct reply_counts *counts)
{
	struct object object = object_begin();

	object_set_count(&object, "received", counts->received);
	object_set_count(&object, "sent", counts->sent);
	object_set_count(&object, "lost", counts->lost);
	object_set_count(&object, "duplicates", counts->duplicates);
	object_set_count(&object, "misordered", counts->misordered);
	object_set_count(&object, "corrupt", counts->corrupt);
	object_set_count(&object, "dropped", counts->dropped);
	object_set_count(&object, "strange", counts->strange);
	object_set_count(&object, "bulk", counts->bulk);
	object_set_integer(&object, "minor_faults", counts->minor_faults);
	object_set_integer(&object, "major_faults", counts->major_faults);
	object_set_integer(&object, "voluntary_switches", counts->voluntary_switches);
	object_set_integer(&object, "involuntary_switches", counts->involuntary_switches);
	return object_end(&object);
}

/** The near end's own faults and switches are those of its rounds. */
static json_t *
counts_object(const struct result *result)
{
	struct reply_counts near = result->counts.near;
	struct object object = object_begin();

	near.minor_faults = result->usage.minor_faults;
	near.major_faults = result->usage.major_faults;
	near.voluntary_switches = result->usage.voluntary_switches;
	near.involuntary_switches = result->usage.involuntary_switches;
	object_set(&object, "near", end_object(&near));
	object_set(&object, "far",
		   result->counts.far_known ? end_object(&result->counts.far) : json_null());
	return object_end(&object);
}

static json_t *
rounds_object(const struct result *result)
{
	struct object object = object_begin();

	if (result->rounds_planned != 0)
		object_set_count(&object, "planned", result->rounds_planned);
	else
		object_set_null(&object, "planned");
	object_set_count(&object, "kept", result->rounds_kept);
	object_set_count(&object, "dropped", result->rounds_dropped);
	object_set_count(&object, "void", result->rounds_void);
	object_set_count(&object, "messages", result->round_messages);
	return object_end(&object);
}

/** A figure of result_metric(), which sums both ends. */
static void
set_metric(struct object *object, const struct result *result, const char *name)
{
	double value;

	if (result_metric(result, name, &value) == 0)
		object_set_count(object, name, (uint64_t)value);
	else
		object_set_null(object, name);
}

static void
set_counts(struct object *object, const struct result *result)
{
	object_set_count(object, "samples", result->latency.total);
	object_set_count(object, "messages", result->messages);
	set_metric(object, result, "lost");
	set_metric(object, result, "duplicates");
	set_metric(object, result, "misordered");
	set_metric(object, result, "corrupt");
	object_set_count(object, "restarts", result->restarts);
	object_set(object, "rounds", rounds_object(result));
	object_set(object, "counts", counts_object(result));
	object_set(object, "usage", usage_object(&result->usage));
	if (result->recorder_ns > 0)
		object_set_real(object, "recorder_ns_per_sample", result->recorder_ns);
	else
		object_set_null(object, "recorder_ns_per_sample");
}

static json_t *
spread_object(const struct series *series)
{
	const struct spread spread = series_spread(series);
	struct object object;

	if (series->count == 0)
		return json_null();
	object = object_begin();
	object_set_real(&object, "min", spread.min);
	object_set_real(&object, "p25", spread.quarter);
	object_set_real(&object, "p75", spread.three_quarters);
	object_set_real(&object, "max", spread.max);
	return object_end(&object);
}

static json_t *
real_or_null(bool known, double value)
{
	return known && isfinite(value) ? json_real(value) : json_null();
}

static json_t *
count_or_null(bool known, uint64_t value)
{
	return known ? json_integer((json_int_t)value) : json_null();
}

static json_t *
rate_object(const struct result *result)
{
	const struct settings *settings = &result->settings;
	const bool asked = (settings->engine->uses & USES_RATE) != 0;
	const bool kept = result->rates.count != 0;
	const bool back = result->back_rates.count != 0;
	struct object object = object_begin();

	object_set(&object, "asked", count_or_null(asked, settings->rate));
	object_set(&object, "messages_per_s", real_or_null(kept, result->rate));
	object_set(&object, "spread", spread_object(&result->rates));
	object_set(&object, "bytes_per_s",
		   real_or_null(kept && (settings->engine->uses & USES_SIZE),
				result->rate * result_rate_bytes(result)));
	object_set(&object, "far_messages_per_s",
		   real_or_null(result->far_rate > 0, result->far_rate));
	object_set(&object, "back_messages_per_s",
		   real_or_null(back, series_spread(&result->back_rates).median));
	object_set(&object, "back_spread", spread_object(&result->back_rates));
	object_set(&object, "held", asked && kept ? json_boolean(result->rate_held) : json_null());
	object_set(&object, "late", count_or_null(asked, result->late));
	object_set(&object, "late_most_ns", count_or_null(asked, result->late_most_ns));
	return object_end(&object);
}

static json_t *
offset_end(const struct offset *offset)
{
	struct object object;

	if (!offset->known)
		return json_null();
	object = object_begin();
	object_set_integer(&object, "offset_ns", offset->offset_ns);
	object_set_count(&object, "error_ns", offset->error_ns);
	return object_end(&object);
}

static json_t *
offset_object(const struct result *result)
{
	const struct offset *begin = &result->offset_begin;
	const struct offset *end = &result->offset_end;
	const bool both = begin->known && end->known && end->when_ns > begin->when_ns;
	struct object object;

	if (!begin->known && !end->known)
		return json_null();
	object = object_begin();
	object_set(&object, "begin", offset_end(begin));
	object_set(&object, "end", offset_end(end));
	object_set(&object, "drift_ppm",
		   real_or_null(both, (double)(end->offset_ns - begin->offset_ns) * 1e6 /
					      (double)(end->when_ns - begin->when_ns)));
	return object_end(&object);
}

static json_t *
gaps_array(const struct nhn_gaps *gaps)
{
	struct object array = array_begin();
	struct object object;
	uint32_t i;

	for (i = 0; i < gaps->count; i++) {
		const struct nhn_gap *gap = &gaps->gap[i];

		object = object_begin();
		object_set_count(&object, "when_ns", gap->when_ns);
		object_set_count(&object, "gap_ns", gap->gap_ns);
		object_set_text(&object, "where", gap->far ? "far" : "near");
		object_set_text(&object, "cause", nhn_cause_name(gap->cause));
		object_set_text(&object, "detail", gap->detail);
		array_add(&array, object_end(&object));
	}
	return object_end(&array);
}

/** Null where nothing was measured. */
static void
set_histogram(struct object *object, const char *key, const struct nhn_histogram *h)
{
	object_set(object, key, h->total != 0 ? output_json_histogram(h) : json_null());
}

static void
set_times(struct object *object, const struct result *result)
{
	const struct engine *engine = result->settings.engine;

	object_set_text(object, "latency_of", engine->latency);
	object_set(object, "latency_ns",
		   engine->latency != NULL ? output_json_histogram(&result->latency) : json_null());
	object_set_text(object, "extra_of", engine->extra);
	object_set(object, "extra_ns",
		   engine->extra != NULL ? output_json_histogram(&result->extra) : json_null());
	set_histogram(object, "limit_ns", &result->limit);
	set_histogram(object, "floor_ns", &result->floor);
	set_histogram(object, "far_floor_ns", &result->far_floor);
	set_histogram(object, "far_work_ns", &result->far_work);
	set_histogram(object, "there_ns", &result->there);
	set_histogram(object, "back_ns", &result->back);
	object_set(object, "ratio_p50",
		   real_or_null(result->ratios.count != 0, series_spread(&result->ratios).median));
	object_set(object, "ratio_p50_spread", spread_object(&result->ratios));
	object_set(object, "offset", offset_object(result));
	object_set(object, "gaps", gaps_array(&result->gaps));
	object_set(object, "slices", output_json_slices(result));
}

static json_t *
expect_array(const struct result *result)
{
	struct object array = array_begin();
	struct object object;
	double found;
	uint32_t i;
	bool known;

	for (i = 0; i < result->settings.expects; i++) {
		const struct expect *expect = &result->settings.expect[i];

		known = result_metric(result, expect->metric, &found) == 0;
		object = object_begin();
		object_set_text(&object, "text", expect->text);
		object_set_text(&object, "metric", expect->metric);
		object_set_bool(&object, "below", expect->below);
		object_set_real(&object, "value", expect->value);
		object_set(&object, "found", real_or_null(known, found));
		object_set_bool(
			&object, "met",
			known && (expect->below ? found < expect->value : found > expect->value));
		array_add(&array, object_end(&object));
	}
	return object_end(&array);
}

void
output_json_figures(struct object *object, const struct result *result)
{
	set_counts(object, result);
	set_times(object, result);
	object_set(object, "rate", rate_object(result));
	object_set(object, "expect", expect_array(result));
}
