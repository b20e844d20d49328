/* SPDX-License-Identifier: BSD-3-Clause */
/* Histograms as figures. */

#include <nhn_percentiles.h>

#include "near.h"

json_t *
near_percentiles(const struct nhn_histogram *latency)
{
	json_t *object = json_object();
	uint64_t value_ns;
	int i;

	if (latency->total == 0)
		return object;
	json_object_set_new(object, "min", json_integer((json_int_t)latency->min_ns));
	for (i = 0; i < NHN_PERCENTILES; i++) {
		const struct nhn_percentile *each = &nhn_percentiles[i];
		const bool carried =
			nhn_histogram_percentile(latency, each->num, each->den, &value_ns) == 0;

		json_object_set_new(object, each->name,
				    carried ? json_integer((json_int_t)value_ns) : json_null());
	}
	json_object_set_new(object, "max", json_integer((json_int_t)latency->max_ns));
	return object;
}

json_t *
near_histogram(const struct nhn_histogram *latency)
{
	json_t *array = json_array();
	uint32_t i;

	for (i = 0; i < NHN_HISTOGRAM_COUNTS; i++) {
		uint64_t low_ns, high_ns;

		if (latency->counts[i] == 0)
			continue;
		nhn_histogram_step(i, &low_ns, &high_ns);
		json_array_append_new(array, json_pack("[I,I]", (json_int_t)high_ns,
						       (json_int_t)latency->counts[i]));
	}
	return array;
}

/* The nearest step from @p index on, upwards or downwards, with one sample in 100. */
static double
neighbour_ns(const struct nhn_histogram *latency, uint32_t index, int towards)
{
	uint64_t low_ns, high_ns;
	uint32_t at = index;

	do {
		at += (uint32_t)towards;
		if (at >= NHN_HISTOGRAM_COUNTS) {
			at = index;
			break;
		}
	} while (latency->counts[at] * 100 < latency->total);
	nhn_histogram_step(at, &low_ns, &high_ns);
	return (double)high_ns;
}

double
near_median_ns(const struct nhn_histogram *latency)
{
	const uint64_t rank = nhn_histogram_rank(latency->total, 1, 2);
	uint64_t before = latency->below, low_ns, high_ns;
	double low, high;
	uint32_t i;

	for (i = 0; before + latency->counts[i] < rank && i < NHN_HISTOGRAM_COUNTS - 1; i++)
		before += latency->counts[i];
	if (latency->counts[i] == 0)
		return 0;
	nhn_histogram_step(i, &low_ns, &high_ns);
	low = (neighbour_ns(latency, i, -1) + (double)high_ns) / 2;
	high = (neighbour_ns(latency, i, 1) + (double)high_ns) / 2;
	return low + (high - low) * ((double)(rank - before) / (double)latency->counts[i]);
}
