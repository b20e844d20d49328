# SPDX-License-Identifier: BSD-3-Clause
"""Medians, quartiles, and histograms in the steps of lib/measure (nhn_histogram.h)."""

import math
from fractions import Fraction

PERCENTILES = {"p50": (1, 2), "p90": (9, 10), "p99": (99, 100), "p99.9": (999, 1000),
               "p99.99": (9999, 10000)}
# As NHN_HISTOGRAM_SCARCE_SAMPLES.
SCARCE = 100


def quantile(values, p):
    """Between the two nearest of the sorted values, in proportion."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * p
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def spread(values):
    """{"median", "p25", "p75"} of the values, or None when there are none."""
    values = [value for value in values if value is not None]
    if not values:
        return None
    return {"median": quantile(values, 0.5), "p25": quantile(values, 0.25),
            "p75": quantile(values, 0.75)}


def median(values):
    found = spread(values)
    return found["median"] if found else None


class Histogram:
    """
    Merged from the rounds' histograms, whose steps go by their highest value: the one that a
    percentile has. What is in no step was above the range and sorts after all others.
    """

    def __init__(self):
        self.counts = {}
        self.samples = 0
        self.least = None
        self.most = None

    def add(self, steps, samples, least, most):
        for high, count in steps:
            self.counts[high] = self.counts.get(high, 0) + count
        self.samples += samples
        if least is not None:
            self.least = least if self.least is None else min(self.least, least)
        if most is not None:
            self.most = most if self.most is None else max(self.most, most)

    def add_round(self, answer):
        percentiles = answer.get("percentiles") or {}
        self.add(answer.get("histogram") or [], answer.get("samples") or 0,
                 percentiles.get("min"), percentiles.get("max"))

    def percentile(self, num, den):
        """
        The smallest recorded value with at least ceil(N num / den) samples at or below it, as
        the end of its step; None where N cannot carry it.
        """
        share = Fraction(num, den)
        if self.samples * min(share, 1 - share) < SCARCE:
            return None
        rank = math.ceil(self.samples * share)
        for high in sorted(self.counts):
            rank -= self.counts[high]
            if rank <= 0:
                return high if self.most is None else min(high, self.most)
        return self.most

    def percentiles(self):
        found = {"min": self.least}
        for name, (num, den) in PERCENTILES.items():
            found[name] = self.percentile(num, den)
        found["max"] = self.most
        return found

    def as_list(self):
        return [[high, self.counts[high]] for high in sorted(self.counts)]

    def as_json(self):
        return {"steps": self.as_list(), "samples": self.samples, "min": self.least,
                "max": self.most}

    @classmethod
    def from_json(cls, kept):
        histogram = cls()
        histogram.add(kept["steps"], kept["samples"], kept["min"], kept["max"])
        return histogram
