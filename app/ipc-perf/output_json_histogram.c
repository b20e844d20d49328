/* SPDX-License-Identifier: BSD-3-Clause */
/* A histogram as figures, as a curve of percentiles, and over the run's time. */

#include <math.h>
#include <string.h>

#include <nhn_percentiles.h>

#include "output_object.h"

/** Parts of the curve's axis; each gives one point at most. */
#define CURVE_PARTS 200
/** Bounds a decade of slices, and of all decades of a histogram. */
#define BOUNDS_A_DECADE 8
#define BOUNDS_MAX (12 * BOUNDS_A_DECADE)

/** Where samples cannot be told apart, the middle of their step stands for them. */
static double
mean_ns(const struct nhn_histogram *h)
{
	double sum = (double)h->above * (double)h->max_ns;
	uint64_t low_ns, high_ns;
	uint32_t i;

	for (i = 0; i < NHN_HISTOGRAM_COUNTS; i++) {
		if (h->counts[i] == 0)
			continue;
		nhn_histogram_step(i, &low_ns, &high_ns);
		sum += (double)h->counts[i] * ((double)low_ns + (double)high_ns) / 2;
	}
	return sum / (double)h->total;
}

static json_t *
pair(json_t *a, json_t *b)
{
	struct object array = array_begin();

	array_add(&array, a);
	array_add(&array, b);
	return object_end(&array);
}

static json_t *
integers(uint64_t a, uint64_t b)
{
	return pair(json_integer((json_int_t)a), json_integer((json_int_t)b));
}

/** A point of the curve is found by its rank, so that its value is a percentile's. */
static json_t *
point(const struct nhn_histogram *h, uint64_t rank)
{
	uint64_t low_ns = 0, high_ns = 0;

	nhn_histogram_at_rank(h, rank, &low_ns, &high_ns);
	return pair(json_real((double)rank / (double)h->total), json_integer((json_int_t)high_ns));
}

struct curve {
	const struct nhn_histogram *h;
	struct object points;
	uint64_t rank;	 /**< of the last step seen; 0: none */
	uint64_t first;	 /**< rank of the first step; 0: none */
	uint64_t parted; /**< of the last step that is not yet a point; 0: none */
	int part;	 /**< of the axis where that is */
};

/** Of the steps in a part of the axis the last one becomes a point, and always the first. */
static void
curve_step(struct curve *curve, uint64_t count)
{
	const struct nhn_histogram *h = curve->h;
	uint64_t left;
	int part;

	if (count == 0)
		return;
	curve->rank += count;
	left = h->total - curve->rank;
	if (curve->first == 0 && left != 0) {
		curve->first = curve->rank;
		array_add(&curve->points, point(h, curve->rank));
		return;
	}
	if (left < NHN_HISTOGRAM_SCARCE_SAMPLES)
		return;
	part = (int)(log10((double)h->total / (double)left) * CURVE_PARTS /
		     log10((double)h->total / (NHN_HISTOGRAM_SCARCE_SAMPLES - 1)));
	if (curve->parted != 0 && part != curve->part)
		array_add(&curve->points, point(h, curve->parted));
	curve->parted = curve->rank;
	curve->part = part;
}

static json_t *
curve_points(const struct nhn_histogram *h)
{
	struct curve curve = {.h = h, .points = array_begin()};
	uint32_t i;

	curve_step(&curve, h->below);
	for (i = 0; i < NHN_HISTOGRAM_COUNTS; i++)
		curve_step(&curve, h->counts[i]);
	if (curve.parted != 0)
		array_add(&curve.points, point(h, curve.parted));
	if (h->total != 0)
		array_add(&curve.points, pair(json_real(1), json_integer((json_int_t)h->max_ns)));
	return object_end(&curve.points);
}

static void
set_percentile(struct object *object, const struct nhn_histogram *h, const struct nhn_percentile *p)
{
	uint64_t ns;

	if (nhn_histogram_percentile(h, p->num, p->den, &ns) == 0)
		object_set_count(object, p->name, ns);
	else
		object_set_null(object, p->name);
}

static json_t *
intervals(const struct nhn_histogram *h)
{
	struct object object = object_begin();
	unsigned int i;

	for (i = 0; i < NHN_PERCENTILES; i++) {
		const struct nhn_percentile *p = &nhn_percentiles[i];
		uint64_t low_ns, high_ns;
		int ret = nhn_histogram_interval(h, p->num, p->den, &low_ns, &high_ns);

		object_set(&object, p->name, ret == 0 ? integers(low_ns, high_ns) : json_null());
	}
	return object_end(&object);
}

json_t *
output_json_histogram(const struct nhn_histogram *h)
{
	struct object object = object_begin();
	unsigned int i;

	object_set_count(&object, "n", h->total);
	object_set_count(&object, "below", h->below);
	object_set_count(&object, "above", h->above);
	object_set(&object, "min",
		   h->total != 0 ? json_integer((json_int_t)h->min_ns) : json_null());
	for (i = 0; i < NHN_PERCENTILES; i++)
		set_percentile(&object, h, &nhn_percentiles[i]);
	object_set(&object, "max",
		   h->total != 0 ? json_integer((json_int_t)h->max_ns) : json_null());
	object_set(&object, "mean", h->total != 0 ? json_real(mean_ns(h)) : json_null());
	object_set(&object, "interval", intervals(h));
	object_set(&object, "curve", curve_points(h));
	return object_end(&object);
}

struct bounds {
	uint32_t count;
	uint64_t ns[BOUNDS_MAX + 2];
};

/** Bounds are ends of steps, so that no step lies on both sides of one. */
static void
bounds_find(struct bounds *bounds, const struct nhn_histogram *all)
{
	uint64_t low_ns, high_ns = 0;
	int i;

	bounds->count = 0;
	for (i = 0; i <= 11 * BOUNDS_A_DECADE && high_ns < all->max_ns; i++) {
		nhn_histogram_step(
			nhn_histogram_index((uint64_t)pow(10, (double)i / BOUNDS_A_DECADE)),
			&low_ns, &high_ns);
		if (high_ns < all->min_ns ||
		    (bounds->count != 0 && bounds->ns[bounds->count - 1] == high_ns))
			continue;
		bounds->ns[bounds->count++] = high_ns;
	}
	if (bounds->count == 0 || bounds->ns[bounds->count - 1] < all->max_ns)
		bounds->ns[bounds->count++] = all->max_ns;
}

static json_t *
slice_counts(const struct bounds *bounds, const struct nhn_histogram *h)
{
	struct object array = array_begin();
	uint64_t counts[BOUNDS_MAX + 2] = {h->below};
	uint64_t low_ns, high_ns;
	uint32_t bound = 0;
	uint32_t i;

	for (i = 0; i < NHN_HISTOGRAM_COUNTS; i++) {
		if (h->counts[i] == 0)
			continue;
		nhn_histogram_step(i, &low_ns, &high_ns);
		while (bound + 1 < bounds->count && bounds->ns[bound] < high_ns)
			bound++;
		counts[bound] += h->counts[i];
	}
	counts[bounds->count - 1] += h->above;
	for (i = 0; i < bounds->count; i++)
		array_add(&array, json_integer((json_int_t)counts[i]));
	return object_end(&array);
}

static json_t *
slice_row(const struct bounds *bounds, const struct slice *slice)
{
	static const char *const names[] = {"p50", "p99", "p99.9"};
	const struct nhn_histogram *h = &slice->latency;
	struct object object = object_begin();
	size_t i;

	object_set_count(&object, "begin_ns", slice->begin_ns);
	object_set_count(&object, "end_ns", slice->end_ns);
	object_set_count(&object, "messages", slice->messages);
	object_set_count(&object, "n", h->total);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		set_percentile(&object, h, nhn_percentile_find(names[i]));
	object_set(&object, "max",
		   h->total != 0 ? json_integer((json_int_t)h->max_ns) : json_null());
	object_set(&object, "counts", slice_counts(bounds, h));
	return object_end(&object);
}

json_t *
output_json_slices(const struct result *result)
{
	struct object object, rows, ns;
	struct bounds bounds;
	uint32_t i;

	if (result->slices == 0 || result->latency.total == 0)
		return json_null();
	bounds_find(&bounds, &result->latency);
	ns = array_begin();
	for (i = 0; i < bounds.count; i++)
		array_add(&ns, json_integer((json_int_t)bounds.ns[i]));
	rows = array_begin();
	for (i = 0; i < result->slices; i++)
		array_add(&rows, slice_row(&bounds, &result->slice[i]));
	object = object_begin();
	object_set(&object, "bounds_ns", object_end(&ns));
	object_set(&object, "rows", object_end(&rows));
	return object_end(&object);
}
