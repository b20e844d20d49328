/* SPDX-License-Identifier: BSD-3-Clause */

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nhn_histogram.h>

#include "measure_internal.h"

#define HALF_STEPS (1u << (NHN_HISTOGRAM_STEP_BITS - 1))

/* 17 significant digits tell any double from its neighbours. */
#define DIGITS_MAX 17
#define TEXT_MAX 64

uint64_t
nhn_hdr_count(const struct nhn_histogram *h, uint32_t index)
{
	uint64_t count = h->counts[index];

	if (index == 0)
		count += h->below;
	if (index == nhn_histogram_index(NHN_HISTOGRAM_HIGHEST_NS))
		count += h->above;
	return count;
}

uint32_t
nhn_hdr_last(const struct nhn_histogram *h)
{
	uint32_t index = NHN_HISTOGRAM_COUNTS - 1;

	while (index > 0 && nhn_hdr_count(h, index) == 0)
		index--;
	return index;
}

void
nhn_hdr_step(uint32_t index, uint64_t *low_ns, uint64_t *high_ns)
{
	const uint32_t bucket = index < 2 * HALF_STEPS ? 0 : index / HALF_STEPS - 1;
	const uint64_t step = index - bucket * HALF_STEPS;

	*low_ns = step << bucket;
	*high_ns = ((step + 1) << bucket) - 1;
}

uint64_t
nhn_hdr_max(const struct nhn_histogram *h)
{
	uint64_t low_ns, high_ns;

	nhn_hdr_step(nhn_hdr_last(h), &low_ns, &high_ns);
	return high_ns;
}

/*
 * The shortest digits that read back as *value*, with "0." before them and ten to the
 * returned power behind. The radix character is skipped, whatever the locale has.
 */
static int
shortest_digits(double value, char digits[DIGITS_MAX + 1])
{
	char text[TEXT_MAX];
	size_t length = 0;
	char *from;

	for (int more = 0; more < DIGITS_MAX; more++) {
		snprintf(text, sizeof(text), "%.*e", more, value);
		if (!(strtod(text, NULL) < value) && !(strtod(text, NULL) > value))
			break;
	}
	for (from = text; *from != 'e'; from++) {
		if (isdigit((unsigned char)*from))
			digits[length++] = *from;
	}
	digits[length] = '\0';
	return (int)strtol(from + 1, NULL, 10) + 1;
}

/* Keep *keep* digits, half up. @return whether a digit was carried out in front */
static bool
round_digits(char *digits, int keep)
{
	bool up;

	if (keep >= (int)strlen(digits))
		return false;
	up = keep >= 0 && digits[keep] >= '5';
	digits[keep < 0 ? 0 : keep] = '\0';
	while (up && keep > 0) {
		up = digits[--keep] == '9';
		digits[keep] = up ? '0' : (char)(digits[keep] + 1);
	}
	return up;
}

void
nhn_hdr_print(FILE *out, int width, int decimals, double value)
{
	char digits[DIGITS_MAX + 1], text[TEXT_MAX];
	int power, at = 0, given;
	bool carried;

	if (isnan(value)) {
		fprintf(out, "%*s", width, "NaN");
		return;
	}
	power = shortest_digits(value, digits);
	carried = round_digits(digits, power + decimals);
	given = (int)strlen(digits);

	/* By powers of ten, from the one before the first digit, which a carry makes 1. */
	for (int exponent = power > 0 ? power : 0; exponent >= -decimals; exponent--) {
		const int i = power - 1 - exponent;
		const char plain = i >= 0 && i < given ? digits[i] : '0';
		const char digit = i == -1 && carried ? '1' : plain;

		if (exponent == -1)
			text[at++] = '.';
		if (at != 0 || exponent <= 0 || digit != '0')
			text[at++] = digit;
	}
	fprintf(out, "%*.*s", width, at, text);
}
