#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Medians, ranks, intervals, the drop rule, rotation, laws."""

import itertools
import random
import unittest

import rig  # noqa: F401  (finds the suite)
from suite import bars, document, figures, laws, plan, rounds, tail, text


class Spreads(unittest.TestCase):
    def test_medians_and_quartiles(self):
        self.assertEqual(figures.spread([3, 1, 2]), {"median": 2, "p25": 1.5, "p75": 2.5})
        self.assertEqual(figures.spread([4, 1, 2, 3])["median"], 2.5)
        self.assertEqual(figures.spread([7, 8]), {"median": 7.5, "p25": None, "p75": None})
        self.assertEqual(text.ratio(figures.spread([7, 8])), "7.50 (too few rounds)")
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


def answer_of(steps, above=0):
    """A round's answer: [[highest value of a step, samples], ...], and samples above the range."""
    return {"histogram": steps, "samples": sum(count for _, count in steps) + above,
            "percentiles": {"min": steps[0][0], "max": 10 ** 12 + above if above else steps[-1][0]}}


def rounds_of(*answers):
    found = figures.Rounds()
    for answer in answers:
        found.add_round(answer)
    return found


class Intervals(unittest.TestCase):
    # 2 % of each round are slow, so p99 of all is the middle one of the slow values.
    SEVEN = [answer_of([[10, 9800], [100 * i, 200]]) for i in range(1, 8)]

    def test_of_a_middle_value(self):
        self.assertEqual(rounds_of(*self.SEVEN).percentile(99, 100), 400)
        self.assertEqual(rounds_of(*self.SEVEN).intervals(),
                         {"p99": [200, 600], "p99.9": None, "p99.99": None})

    def by_definition(self, answers, num, den):
        """Whole rounds drawn again and merged anew; the 5 least and largest of 200 are cut off."""
        chance = random.Random(figures.SEED)
        found = []
        for _ in range(200):
            drawn = [answers[int(chance.random() * len(answers))] for _ in answers]
            merged = figures.Histogram()
            for answer in drawn:
                merged.add_round(answer)
            found.append(merged.percentile(num, den))
        return [sorted(found)[5], sorted(found)[194]]

    def test_as_rounds_that_are_merged_anew(self):
        chance = random.Random(3)
        for count in (7, 11):
            answers = []
            for _ in range(count):
                far = chance.uniform(1, 3)
                values = [100 + 8 * int(far * chance.expovariate(0.1)) for _ in range(15000)]
                steps = sorted((high, len(list(same)))
                               for high, same in itertools.groupby(sorted(values)))
                answers.append(answer_of(steps, chance.choice((0, 5, 60))))
            found = rounds_of(*answers).intervals()
            for name in ("p99", "p99.9"):
                self.assertEqual(found[name],
                                 self.by_definition(answers, *figures.PERCENTILES[name]),
                                 (count, name))

    def test_same_rounds_same_interval(self):
        before = rounds_of(*self.SEVEN).intervals()
        figures.draws.cache_clear()
        self.assertEqual(rounds_of(*self.SEVEN).intervals(), before)

    def test_too_few_rounds(self):
        self.assertIsNone(rounds_of(*self.SEVEN[:2]).intervals())
        self.assertIsNotNone(rounds_of(*self.SEVEN[:3]).intervals()["p99"])

    def test_draws_with_too_few_samples(self):
        uneven = rounds_of(answer_of([[10, 9998]]), *2 * [answer_of([[10, 1]])])
        self.assertEqual(uneven.percentile(99, 100), 10)
        self.assertIsNone(uneven.intervals()["p99"])

    def test_figure_has_them(self):
        step = plan.Step("host", "trips", size=60, names=("channel",))
        kept = [rounds.judged({"limit_before_ns": 100, "limit_after_ns": 100, "ns": 1,
                               "received": 1}, turn) for turn in range(7)]
        entry = {"rounds": kept, "histogram": rounds_of(*self.SEVEN).as_json()}
        found = document.figure(step, {}, "channel", entry)
        self.assertEqual((found["percentiles"]["p99"], found["intervals"]["p99"]),
                         (400, [200, 600]))
        entry["histogram"] = rounds_of(*self.SEVEN[:2]).as_json()
        self.assertIsNone(document.figure(step, {}, "channel", entry)["intervals"])

    def test_tail_draws_both_together(self):
        ours = [answer_of([[20, 9800], [200 * i, 200]]) for i in range(1, 8)]
        self.assertEqual(tail.ratios(rounds_of(*ours), rounds_of(*self.SEVEN)),
                         {"p99": {"ratio": 2, "low": 2, "high": 2}, "p99.9": None,
                          "p99.99": None})


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
        turns = ["".join(rounds.rotated(names, turn)) for turn in range(6)]
        self.assertEqual(turns, ["abc", "bac", "cab", "acb", "bca", "cba"])
        self.assertEqual([rounds.rotated("ab", turn) for turn in range(3)],
                         [["a", "b"], ["b", "a"], ["a", "b"]])


def rates(limits):
    """Kept rounds of a rate whose machine had these limits, by rotation."""
    return {"rounds": [rounds.judged({
        "limit_before_ns": limit, "limit_after_ns": limit, "ns": 1000, "received": 10}, turn)
        for turn, limit in enumerate(limits)], "histogram": None}


def trips(limits, ratio):
    found = rates(limits)
    for kept, limit in zip(found["rounds"], limits):
        kept["p50"] = ratio * limit
    return found


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

    def test_trips_apart(self):
        """A port's own work weighs less on cores that are far: no ratio of different machines."""
        step = plan.Step("host", "trips", size=64, names=("ethdev", "memif"))
        session = {"contestants": [{"name": name, "size_min": 60, "size_max": 1518}
                                   for name in step.names], "missing": []}
        for limits, wanted in (([470, 470, 470], (0, 3, None)), ([70, 80, 72], (3, 0, True))):
            record = {"names": {"ethdev": trips(limits, 1.5), "memif": trips([70] * 3, 4.5)},
                      "faults": []}
            found = bars.bars([step], {step.key: record}, {"host": session}, None)
            bar = next(bar for bar in found if bar["name"] == "ethdev-p50-64")
            self.assertEqual((bar["rounds"], bar["apart"], bar["met"]), wanted, bar)
            self.assertEqual(rounds.kept_of_all(record, step.names), wanted[0])

    def test_too_few_are_left(self):
        bar = self.bar([100, 121, 80, 120])
        self.assertEqual((bar["rounds"], bar["apart"], bar["met"]), (2, 2, None))
        self.assertIn("2 rotations have all", bar["why"])


class Boots(unittest.TestCase):
    """A cell that was measured in several boots of a guest."""

    def setUp(self):
        self.steps = [plan.Step("guest-uio", "trips", 64, names=("ethdev", "vhost-packed"),
                                rank=plan.GUEST, boot=boot) for boot in (1, 2, 3)]
        # Ours over the peer's, a boot each; the second has a round that is not compared.
        self.records = {step.key: self.record(step, ours) for step, ours in
                        zip(self.steps, ([50, 50], [70, 70, None], [90, 90]))}
        self.sessions = {"guest-uio": {"contestants": [
            {"name": name, "size_min": 60, "size_max": 1518}
            for name in self.steps[0].names], "missing": []}}

    @staticmethod
    def record(step, ours):
        def of(values):
            kept = [{"turn": turn, "limit_ns": 10.0, "ns": 1000, "received": 100, "lost": 0,
                     "misordered": 0, "samples": 100, "p50": p50,
                     "dropped": None if p50 else "limit"} for turn, p50 in enumerate(values)]
            steps = [[p50, 100] for p50 in sorted(set(values) - {None})]
            return {"rounds": kept,
                    "histogram": {"steps": steps, "samples": 100 * len(steps), "min": 1,
                                  "max": steps[-1][0], "intervals": {"p99": [1, 2]}}}
        return {"step": step.key, "names": {"ethdev": of(ours),
                                            "vhost-packed": of([100] * len(ours))},
                "faults": [], "left_out": [], "attached": []}

    def bar(self):
        found = bars.bars(self.steps, self.records, self.sessions, None)
        return next(row for row in found if row["name"] == "guest-uio-ethdev-p50")

    def test_bar_is_of_all_boots(self):
        row = self.bar()
        # The median over one boot's rotations is 0.5, 0.7 or 0.9.
        self.assertEqual((row["value"], row["rounds"]), (0.7, 6))
        del self.records[self.steps[0].key]
        self.assertEqual((self.bar()["value"], self.bar()["rounds"]), (0.8, 4))

    def test_fault_of_one_boot_is_a_fault(self):
        self.records[self.steps[1].key]["faults"] = [{"contestant": "ethdev", "text": "gone"}]
        self.assertIn("gone", self.bar()["why"])

    def test_figure_is_of_all_boots(self):
        found = document.all_figures(self.steps, self.records)
        self.assertEqual([row["contestant"] for row in found], ["ethdev", "vhost-packed"])
        ours = found[0]
        self.assertEqual((ours["rounds"], ours["dropped"], ours["samples"]), (6, 1, 600))
        self.assertEqual((ours["p50"]["median"], ours["ratio"]["median"]), (70, 7))
        self.assertEqual(ours["percentiles"]["max"], 90)
        # Rounds of a boot are alike.
        self.assertIsNone(ours["intervals"])
        alone = document.all_figures(self.steps[:1], self.records)[0]
        self.assertEqual(alone["intervals"], {"p99": [1, 2]})


class OwnNoise(unittest.TestCase):
    NONE = dict.fromkeys((*bars.OWN_NOISE, "involuntary"), 0)

    def bar(self, **counts):
        tail_of = {"noise": {**self.NONE, **counts}, "rounds": 20, "uncounted": "no strace"}
        entry = next(entry for entry in bars.TABLE if entry[0] == "own-noise")
        found = bars.judge(entry, None, tail_of)
        self.assertEqual(found["interval"], "counted")
        return found["value"], found["met"]

    def test_none_is_met_and_one_is_missed(self):
        self.assertEqual(self.bar(), (0, True))
        self.assertEqual(self.bar(involuntary=9), (0, True))
        for name in bars.OWN_NOISE:
            self.assertEqual(self.bar(**{name: 1}), (1, False), name)

    def test_what_was_not_counted(self):
        self.assertEqual(self.bar(syscalls=None), (None, None))
        self.assertEqual(self.bar(syscalls=None, voluntary=2), (2, False))


class Laws(unittest.TestCase):
    def test_messages_are_of_one_limit(self):
        """Each round of its own: medians over rounds of several machines are of none of them."""
        entry = rates([100, 110, 400])
        for kept, ns in zip(entry["rounds"], (100, 110, 105)):
            kept["ns"] = ns
        record = {"names": {"channel": entry}}
        figure = document.figure(Apart.STEP, record, "channel", entry)
        self.assertAlmostEqual(laws.cost_ns(figure, 200), 0.1 * 200)
        self.assertIsNone(laws.cost_ns({"ratio": None}, 200))
        self.assertIsNone(laws.cost_ns(figure, None))

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
