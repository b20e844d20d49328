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

/* Samples from @p low_ns on and below @p high_ns. */
static uint64_t
count_within(const struct nhn_histogram *latency, double low_ns, double high_ns)
{
	uint64_t count = 0, least, most;
	uint32_t i;

	for (i = 0; i < NHN_HISTOGRAM_COUNTS; i++) {
		nhn_histogram_step(i, &least, &most);
		if (most > latency->max_ns)
			most = latency->max_ns;
		if ((double)most >= low_ns && (double)most < high_ns)
			count += latency->counts[i];
	}
	return count;
}

double
near_median_ns(const struct nhn_histogram *latency, double tick_ns)
{
	const uint64_t rank = nhn_histogram_rank(latency->total, 1, 2);
	uint64_t least, most, within;
	double low;

	if (latency->total == 0 || nhn_histogram_at_rank(latency, rank, &least, &most) != 0)
		return 0;
	if ((double)(most - least + 1) > tick_ns)
		return (double)(least + most) / 2;
	low = (double)most - tick_ns / 2;
	within = count_within(latency, low, low + tick_ns);
	/* Out of the histogram's range: no step has it. */
	if (within == 0)
		return (double)least / 2 + (double)most / 2;
	return low + tick_ns * ((double)(rank - count_within(latency, -1, low)) / (double)within);
}
