#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Medians, ranks, the drop rule, rotation, laws."""

import random
import unittest

import rig  # noqa: F401  (finds the suite)
from suite import bars, document, figures, laws, plan, rounds


class Spreads(unittest.TestCase):
    def test_medians_and_quartiles(self):
        self.assertEqual(figures.spread([3, 1, 2]), {"median": 2, "p25": 1.5, "p75": 2.5})
        self.assertEqual(figures.spread([4, 1, 2, 3])["median"], 2.5)
        self.assertEqual(figures.spread([7]), {"median": 7, "p25": 7, "p75": 7})
        self.assertIsNone(figures.spread([]))
        self.assertIsNone(figures.spread([None]))
        self.assertEqual(figures.median([None, 5]), 5)


def histogram_of(values):
    found = figures.Histogram()
    counts = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    found.add(sorted(counts.items()), len(values), min(values), max(values))
    return found


class Ranks(unittest.TestCase):
    def by_definition(self, values, num, den):
        rank = -(-len(values) * num // den)
        return sorted(values)[rank - 1]

    def test_rank_rule(self):
        # N mod 10000 > 5000: rounding to the nearest would be one sample short.
        chance = random.Random(8)
        for count in (15001, 25555, 39999, 1005001):
            self.assertGreater(count % 10000, 5000)
            values = [chance.randrange(1, 2000) for _ in range(count)]
            merged = histogram_of(values)
            for name, (num, den) in figures.PERCENTILES.items():
                carried = count * min(num, den - num) >= 100 * den
                wanted = self.by_definition(values, num, den) if carried else None
                self.assertEqual(merged.percentile(num, den), wanted, (count, name))

    def test_rank_of_the_last_samples(self):
        count = 1005001
        beyond = count - -(-count * 9999 // 10000)
        merged = figures.Histogram()
        merged.add([[100, count - beyond], [200, beyond]], count, 100, 200)
        self.assertEqual(merged.percentile(9999, 10000), 100)
        merged = figures.Histogram()
        merged.add([[100, count - beyond - 1], [200, beyond + 1]], count, 100, 200)
        self.assertEqual(merged.percentile(9999, 10000), 200)

    def test_scarce(self):
        for name, needed in (("p50", 200), ("p99", 10000), ("p99.99", 1000000)):
            num, den = figures.PERCENTILES[name]
            for count, there in ((needed - 1, False), (needed, True)):
                merged = figures.Histogram()
                merged.add([[100, count]], count, 100, 100)
                self.assertEqual(merged.percentile(num, den) is not None, there, (name, count))

    def test_merged_and_out_of_range(self):
        merged = figures.Histogram()
        merged.add([[100, 5000]], 5000, 99, 100)
        merged.add([[200, 4900]], 5000, 150, 10 ** 12)  # 100 above the range
        self.assertEqual(merged.percentile(1, 2), 100)
        self.assertEqual(merged.percentile(99, 100), 200)
        self.assertEqual(merged.percentiles()["max"], 10 ** 12)
        self.assertEqual(merged.percentiles()["min"], 99)
        again = figures.Histogram.from_json(merged.as_json())
        self.assertEqual(again.percentiles(), merged.percentiles())

    def test_a_lost_tail_does_not_flatter(self):
        merged = figures.Histogram()
        merged.add([[100, 9800]], 10000, 100, 10 ** 12)
        self.assertEqual(merged.percentile(99, 100), 10 ** 12)

    def test_never_above_the_largest(self):
        merged = figures.Histogram()
        merged.add([[4097, 1000]], 1000, 4096, 4096)
        self.assertEqual(merged.percentile(1, 2), 4096)


class Rounds(unittest.TestCase):
    def answer(self, before, after, **more):
        return {"limit_before_ns": before, "limit_after_ns": after, "ns": 1000, "received": 10,
                **more}

    def test_limit_that_changed_drops_the_round(self):
        for before, after, limit in ((100, 100, 100), (100, 120, 110), (120, 100, 110),
                                     (100, 120.1, None), (120.1, 100, None), (0, 100, None),
                                     (None, 100, None)):
            self.assertEqual(rounds.limit_of(self.answer(before, after)), limit)
            kept = rounds.judged(self.answer(before, after), 0)
            self.assertEqual(kept["dropped"], None if limit else "limit")

    def test_loss_drops_the_round(self):
        self.assertEqual(rounds.judged(self.answer(100, 100, lost=1), 0)["dropped"], "lost")

    def test_median_needs_samples(self):
        few = self.answer(1, 1, samples=199, median_ns=5.5, percentiles={"p50": 5})
        self.assertIsNone(rounds.judged(few, 0)["p50"])
        enough = {**few, "samples": 200}
        self.assertEqual(rounds.judged(enough, 0)["p50"], 5.5)
        del enough["median_ns"]
        self.assertEqual(rounds.judged(enough, 0)["p50"], 5)

    def test_rotation(self):
        names = ["a", "b", "c"]
        turns = [rounds.rotated(names, turn) for turn in range(4)]
        self.assertEqual(turns, [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"],
                                 ["a", "b", "c"]])


def rates(limits):
    """Kept rounds of a rate whose machine had these limits, by rotation."""
    return {"rounds": [rounds.judged({
        "limit_before_ns": limit, "limit_after_ns": limit, "ns": 1000, "received": 10}, turn)
        for turn, limit in enumerate(limits)], "histogram": None}


class Apart(unittest.TestCase):
    """Rotations in which the machine was another one for each of the compared."""

    STEP = plan.Step("host", "rate", size=60, burst=32, names=("channel", "bare-ring"),
                     reference="bare-ring")
    SESSION = {"contestants": [{"name": name, "size_min": 8, "size_max": 60}
                               for name in STEP.names], "missing": []}

    def record(self, limits):
        return {"names": {"channel": rates([100] * len(limits)), "bare-ring": rates(limits)},
                "faults": []}

    def bar(self, limits):
        found = bars.bars([self.STEP], {self.STEP.key: self.record(limits)},
                          {"host": self.SESSION}, None)
        return next(bar for bar in found if bar["name"] == "burst-60")

    def test_rotations_apart_are_counted(self):
        bar = self.bar([100, 121, 80, 120, 84])
        self.assertEqual((bar["rounds"], bar["apart"], bar["met"]), (3, 2, False))
        over = document.over_reference(self.STEP, self.record([100, 121, 80, 120, 84]), "channel")
        self.assertEqual((over["rounds"], over["apart"], over["median"]), (3, 2, 1))

    def test_too_few_are_left(self):
        bar = self.bar([100, 121, 80, 120])
        self.assertEqual((bar["rounds"], bar["apart"], bar["met"]), (2, 2, None))
        self.assertIn("2 rotations have all", bar["why"])


class Laws(unittest.TestCase):
    def test_constants_that_fit(self):
        law = {"r2": 0.89, "slope_ns": 2, "intercept_ns": 1, "points": [[1, 4], [2, 6]]}
        self.assertIsNone(laws.constant(law, "slope_ns"))
        self.assertEqual(laws.constant(law, "intercept_ns"), 5)
        self.assertEqual(laws.constant({**law, "r2": 0.9}, "slope_ns"), 2)
        self.assertIsNone(laws.constant(None, "slope_ns"))

    def test_line(self):
        fitted = laws.line([(x, 200 + 0.05 * x) for x in (8, 64, 1500, 65536)])
        self.assertAlmostEqual(fitted["intercept_ns"], 200)
        self.assertAlmostEqual(fitted["slope_ns"], 0.05)
        self.assertAlmostEqual(fitted["r2"], 1)

    def test_fit_of_what_is_no_line(self):
        self.assertLess(laws.line([(1, 0), (2, 10), (3, 0), (4, 10)])["r2"], 0.5)

    def test_flat_and_few(self):
        self.assertEqual(laws.line([(1, 7), (2, 7), (3, 7)])["r2"], 1.0)
        self.assertIsNone(laws.line([(1, 7), (2, 7)]))
        self.assertIsNone(laws.line([(1, 7), (1, 8), (2, 7)]))


if __name__ == "__main__":
    unittest.main()
