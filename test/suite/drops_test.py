#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Rounds that are dropped, peers that are absent, steps that are too late."""

import json
import unittest

from rig import SOME, SuiteTest


class Drops(SuiteTest):
    def test_dropped_rounds_are_counted_and_run_again(self):
        done = self.run_suite(*SOME, "--quick", drift=[6, 7, 8])
        self.assertEqual(done.returncode, 0, done.stderr)
        figures = self.results()["figures"]
        self.assertGreater(sum(figure["dropped"] for figure in figures), 0)
        self.assertGreaterEqual(min(figure["rounds"] for figure in figures), 3)

    def test_limit_that_never_rests(self):
        done = self.run_suite(*SOME, "--quick", drift="all")
        self.assertEqual(done.returncode, 0, done.stderr)
        figures = self.results()["figures"]
        self.assertEqual({(figure["rounds"], figure["ratio"], figure["rate"])
                          for figure in figures}, {(0, None, None)})
        self.assertGreater(min(figure["dropped"] for figure in figures), 0)

    def test_lost_messages_are_shown(self):
        done = self.run_suite(*SOME, "--quick", lose="tcp")
        self.assertEqual(done.returncode, 0, done.stderr)
        found = [f for f in self.results()["figures"] if f["contestant"] == "tcp"]
        self.assertEqual({figure["rounds"] for figure in found}, {0})
        self.assertGreater(min(figure["lost"] for figure in found), 0)

    def test_lost_messages_of_ours(self):
        done = self.run_suite("--quick", "--works", "trips,rate,tail", lose="channel")
        self.assertEqual(done.returncode, 1, done.stderr)
        results = self.results()
        self.assertTrue(any("in the tail" in fault["text"] for fault in results["faults"]))
        bars = {bar["name"]: bar for bar in results["bars"]}
        for name in ("lone-p50-60", "burst-60", "lone-p99.99"):
            self.assertIsNot(bars[name]["met"], True, name)
            self.assertIn("messages were lost", bars[name]["why"])

    def test_lost_messages_of_a_peer(self):
        self.run_suite("--quick", "--works", "trips", lose="memif")
        bar = next(bar for bar in self.results()["bars"] if bar["name"] == "ethdev-p50-64")
        self.assertIsNone(bar["met"])
        self.assertRegex(bar["why"], "memif: all its rounds were dropped: [0-9]+ lost messages")

    def test_misordered_messages_drop_the_round_and_are_a_fault_of_ours(self):
        done = self.run_suite(*SOME, "--quick", misorder="tcp")
        self.assertEqual(done.returncode, 0, done.stderr)
        found = [f for f in self.results()["figures"] if f["contestant"] == "tcp"]
        self.assertTrue(found)
        self.assertEqual({figure["rounds"] for figure in found}, {0})
        self.assertGreater(min(figure["misordered"] for figure in found), 0)

    def test_misordered_messages_of_ours(self):
        done = self.run_suite("--quick", "--works", "rate,tail", misorder="channel")
        self.assertEqual(done.returncode, 1, done.stderr)
        results = self.results()
        self.assertIn("out of their order", results["faults"][0]["text"])
        bars = {bar["name"]: bar for bar in results["bars"]}
        self.assertIsNone(bars["burst-60"]["met"])
        self.assertIn("channel failed", bars["burst-60"]["why"])
        self.assertIs(bars["lone-p99.99"]["met"], False)
        self.assertIn("60 misordered", bars["lone-p99.99"]["why"])

    def test_rounds_of_the_tail_whose_limit_changed(self):
        # Two warm up.
        done = self.run_suite("--quick", "--works", "tail", drift=[5, 8])
        tail = self.results()["tail"]
        self.assertEqual((done.returncode, tail["rounds"], tail["dropped"], tail["samples"]),
                         (0, 20, 2, 200000), done.stderr)
        self.assertIn("2 rounds dropped for a limit that changed", done.stdout)

    def test_tail_whose_limit_never_rests(self):
        done = self.run_suite("--quick", "--works", "tail", drift="all")
        results = self.results()
        self.assertEqual((done.returncode, results["tail"]["rounds"], results["tail"]["dropped"]),
                         (0, 0, 10), done.stderr)
        self.assertIsNone(results["tail"]["p99"])
        bar = next(bar for bar in results["bars"] if bar["name"] == "lone-p99.99")
        self.assertIn("10 more had a limit that changed", bar["why"])

    def test_refused_rounds_are_kept_and_counted(self):
        done = self.run_suite(*SOME, "--quick", refuse_rounds=[12, 15])
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = (self.out / "state" / "done.jsonl").read_text(encoding="utf-8").splitlines()
        refused = [kept for record in map(json.loads, lines) if "step" in record
                   for entry in record["names"].values() for kept in entry["rounds"]
                   if kept["dropped"] == "refused"]
        self.assertEqual({kept["why"] for kept in refused}, {"the limit was not answered"})
        self.assertEqual(len(refused), 2)
        self.assertEqual(sum(figure["dropped"] for figure in self.results()["figures"]), 2)

    def test_refused_rounds_of_the_tail(self):
        words = ("--quick", "--works", "tail")
        done = self.run_suite(*words, refuse_rounds=[5])
        self.assertEqual((done.returncode, self.results()["tail"]["refused"]), (0, 1), done.stderr)
        self.out = self.folder / "again"
        done = self.run_suite(*words, refuse_rounds=[5, 9])
        self.assertEqual((done.returncode, self.results()["tail"], self.done()), (1, None, []))
        self.assertFalse(self.results()["complete"])
        done = self.run_suite(*words)
        self.assertEqual((done.returncode, len(self.done())), (0, 1), done.stderr)
        self.assertTrue(self.results()["complete"])


class Peers(SuiteTest):
    def bar(self, name="ethdev-rate-64"):
        return next(bar for bar in self.results()["bars"] if bar["name"] == name)

    def test_peers_outside_only(self):
        self.run_suite("--quick", "--only", "ethdev,memif")
        bar = self.bar()
        self.assertEqual(bar["against"], ["memif"])
        self.assertEqual([name for name, _ in bar["absent"]],
                         ["memif-zc", "vhost-split", "vhost-packed"])
        self.assertIsNotNone(bar["value"])
        self.assertIsNone(bar["met"])
        self.assertIn("not in --only", bar["why"])

    def test_peer_that_failed(self):
        done = self.run_suite("--quick", die=["memif-zc", "rate"])
        self.assertEqual(done.returncode, 1)
        bar = self.bar()
        self.assertIsNone(bar["met"])
        self.assertRegex(bar["why"], "memif-zc: it failed: .*SIGABRT")
        self.assertTrue(self.bar("ethdev-p50-64")["met"])

    def test_peer_that_is_not_installed(self):
        self.run_suite("--quick", lack="memif-zc")
        bar = self.bar()
        self.assertTrue(bar["met"])
        self.assertEqual(bar["absent"], [["memif-zc", "not installed: it comes with dpdk"]])
        self.assertEqual(len(bar["against"]), 3)

    def test_too_few_rotations(self):
        self.run_suite("--quick", "--works", "rate", drift="all")
        self.assertIsNone(self.bar()["met"])
        self.assertRegex(self.bar()["why"], "all rounds of ethdev were dropped: [0-9]+ had a limit")


class Late(SuiteTest):
    def test_budget_that_was_used_up(self):
        words = ("--quick", "--works", "trips", "--only", "channel,memif,bare-ring")
        self.run_suite(*words)
        before = self.done()
        path = self.out / "state" / "done.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        session = {**json.loads(lines[0]), "seconds": 1e6}
        # Beside it the plan and a step.
        path.write_text(json.dumps(session) + "\n" + "".join(lines[1:3]), encoding="utf-8")
        done = self.run_suite(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        results = self.results()
        self.assertEqual({entry["step"] for entry in results["left_out"]}, set(before[1:]))
        self.assertTrue(all("used up" in entry["why"] for entry in results["left_out"]))
        self.assertTrue(results["figures"])
        self.assertTrue(results["complete"])
        self.assertIn("left out, the budget was used up", done.stdout)


if __name__ == "__main__":
    unittest.main()
