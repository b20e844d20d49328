# SPDX-License-Identifier: BSD-3-Clause
"""Medians, quartiles, and histograms in the steps of lib/measure (nhn_histogram.h)."""

import bisect
import functools
import itertools
import math
import operator
import random

PERCENTILES = {"p50": (1, 2), "p90": (9, 10), "p99": (99, 100), "p99.9": (999, 1000),
               "p99.99": (9999, 10000)}
# As NHN_HISTOGRAM_SCARCE_SAMPLES.
SCARCE = 100
# Fewer make no bar and no interval.
LEAST_ROUNDS = 3

# The percentiles of a step that have an interval, of 95 %.
INTERVALS = ("p99", "p99.9", "p99.99")
TAIL_PART = 40
RESAMPLES = 200
SEED = 8


def quantile(values, p):
    """Between the two nearest of the sorted values, in proportion."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * p
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def spread(values):
    """
    {"median", "p25", "p75"} of the values, without quartiles when they are few, or None when
    there are none.
    """
    values = [value for value in values if value is not None]
    if not values:
        return None
    enough = len(values) >= LEAST_ROUNDS
    return {"median": quantile(values, 0.5), "p25": quantile(values, 0.25) if enough else None,
            "p75": quantile(values, 0.75) if enough else None}


def median(values):
    found = spread(values)
    return found["median"] if found else None


def rank_of(samples, num, den):
    """The sample that a percentile is, counted from 1, or None where N cannot carry it."""
    if samples * min(num, den - num) < SCARCE * den:
        return None
    return -(-samples * num // den)


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
        rank = rank_of(self.samples, num, den)
        if rank is None:
            return None
        return min(Ranks(self.counts).at(rank), self.most)

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


def one_histogram(several):
    """
    Of what several boots kept, or None. There is no interval: rounds of a boot are alike, so that
    drawing among all of them would make it too narrow.
    """
    several = [kept for kept in several if kept]
    if len(several) < 2:
        return several[0] if several else None
    merged = Histogram()
    for kept in several:
        merged.add(kept["steps"], kept["samples"], kept["min"], kept["max"])
    return {**merged.as_json(), "intervals": None}


class Ranks:
    """The steps of a histogram, and how many samples lie at or below each."""

    def __init__(self, counts):
        self.highs = sorted(counts)
        self.sums = [0, *itertools.accumulate(map(counts.get, self.highs))]

    def below(self, high):
        return self.sums[bisect.bisect_right(self.highs, high)]

    def at(self, rank):
        """The end of the step that has the sample; above the range there is none."""
        place = bisect.bisect_left(self.sums, rank, 1)
        return self.highs[place - 1] if place < len(self.sums) else math.inf


@functools.cache
def draws(rounds, resamples):
    """
    Functions that take as many of the rounds' values as there are, drawn with replacement: the
    same draws each time, so that the same rounds have the same interval.
    """
    chance = random.Random(SEED)
    return [operator.itemgetter(*(int(chance.random() * rounds) for _ in range(rounds)))
            for _ in range(resamples)]


def interval(values):
    """
    [low, high] of the middle 95 % of resamples' values. None: a resample without one; where
    such are more than the part that is left out at the lower end, there is no interval.
    """
    ordered = sorted(value or 0 for value in values)
    out = len(ordered) // TAIL_PART
    return [ordered[out], ordered[-1 - out]] if ordered[out] else None


class Rounds(Histogram):
    """Merged, with the rounds kept apart for a bootstrap."""

    def __init__(self):
        super().__init__()
        self.rounds = []

    def add_round(self, answer):
        super().add_round(answer)
        one = Histogram()
        one.add_round(answer)
        if one.samples:
            self.rounds.append(one)

    def intervals(self):
        """{"p99": [low, high] or None, ...} of the percentiles, or None of too few rounds."""
        if len(self.rounds) < LEAST_ROUNDS:
            return None
        resamples = Resamples(self, RESAMPLES)
        carried = {name: rank_of(self.samples, *PERCENTILES[name]) for name in INTERVALS}
        return {name: interval(resamples.percentile(*PERCENTILES[name])) if rank else None
                for name, rank in carried.items()}

    def as_json(self):
        return {**super().as_json(), "intervals": self.intervals()}


class Resamples:
    """
    Of rounds, for a bootstrap: not samples but whole rounds are drawn, because what disturbs
    one sample of a round disturbs its neighbours. Efron & Tibshirani, An Introduction to the
    Bootstrap, 1993, chapter 13 (percentile intervals), chapter 8 (blocks).
    """

    def __init__(self, merged, resamples):
        self.ranks = [Ranks(one.counts) for one in merged.rounds]
        self.samples = [one.samples for one in merged.rounds]
        self.highs = [*sorted(merged.counts), math.inf]
        self.draws = draws(len(self.ranks), resamples)
        self.totals = [sum(draw(self.samples)) for draw in self.draws]
        mosts = [one.most for one in merged.rounds]
        self.mosts = [max(draw(mosts)) for draw in self.draws]

    def percentile(self, num, den):
        """Of each resample, None where its N cannot carry it."""
        ranks = [rank_of(total, num, den) for total in self.totals]
        found = [None] * len(ranks)
        # That of a mixture lies between the least and the largest of its parts'.
        own = [bisect.bisect_left(self.highs, one.at(-(-samples * num // den)))
               for one, samples in zip(self.ranks, self.samples)]
        todo = [({i for i, rank in enumerate(ranks) if rank is not None}, min(own), max(own))]
        # One search for all: a step is looked at once, and parts those at it or before from the
        # others.
        while todo:
            some, first, last = todo.pop()
            if first == last:
                for i in some:
                    found[i] = min(self.highs[first], self.mosts[i])
                continue
            middle = (first + last) // 2
            below = [one.below(self.highs[middle]) for one in self.ranks]
            there = {i for i in some if sum(self.draws[i](below)) >= ranks[i]}
            todo += [part for part in ((there, first, middle), (some - there, middle + 1, last))
                     if part[0]]
        return found
