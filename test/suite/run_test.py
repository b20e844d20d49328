#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""benchmarks/run on a contest program whose figures are known."""

import json
import os
import pathlib
import signal
import time
import unittest

from rig import SuiteTest
from suite import names

SOME = ("--only", "channel,memif,tcp,bare-ring", "--works", "trips,rate")


class Results(SuiteTest):
    def test_known_figures(self):
        done = self.run_suite("--budget", "1h", "--only",
                              "channel,bare-ring,msg,plain-copy,packed,ethdev,memif,vhost-packed")
        self.assertEqual(done.returncode, 0, done.stderr)
        results = self.results()
        self.assertTrue(results["complete"])
        self.assertEqual(results["left_out"][1:], [])
        trips = self.figure(results, contestant="channel", work="trips", size=60)
        self.assertAlmostEqual(trips["p50"]["median"], 113)
        self.assertAlmostEqual(trips["ratio"]["median"], 1.13)
        self.assertEqual((trips["rounds"], trips["dropped"], trips["lost"]), (7, 0, 0))
        rate = self.figure(results, contestant="channel", work="rate", size=60, burst=32)
        self.assertAlmostEqual(rate["over"]["median"], (18 + 1.2) / (10 + 1.2), places=3)
        self.assertEqual(rate["over"]["reference"], "bare-ring")
        self.assertAlmostEqual(rate["bytes_per_s"]["median"], 60 * rate["rate"]["median"])
        self.laws(results)
        self.bars(results)
        self.tail(results["tail"])

    def laws(self, results):
        found = {(law["contestant"], law["of"], law["against"]): law for law in results["laws"]}
        size = found["msg", "trip", "size"]
        self.assertAlmostEqual(size["intercept_ns"], 200, places=3)
        self.assertAlmostEqual(size["slope_ns"], 0.05, places=6)
        links = found["channel", "trip", "links"]
        self.assertAlmostEqual(links["slope_ns"], 2, places=6)
        self.assertEqual((links["unit"], len(links["points"])), ("link", 9))
        self.assertGreater(found["channel", "trip", "load"]["slope_ns"], 0)
        self.assertAlmostEqual(found["channel", "message", "burst"]["r2"], 1, places=3)
        self.assertAlmostEqual(results["plan"]["trip_ns"], 110, places=3)
        self.assertAlmostEqual(results["plan"]["trip_ns_per_link"], 2, places=6)

    def bars(self, results):
        bars = {bar["name"]: bar for bar in results["bars"]}
        for name, value in (("lone-p50-60", 1.13), ("burst-60", 19.2 / 11.2),
                            ("ethdev-p50-64", 246.4 / 406.4 * 406.4 / 406.4),
                            ("copy-64k", (20 + 0.06 * 65536) / (20 + 0.03 * 65536))):
            self.assertAlmostEqual(bars[name]["value"], value, places=2, msg=name)
            self.assertTrue(bars[name]["met"], name)
        self.assertIsNone(bars["guest-vfio-ethdev-p50"]["met"])
        self.assertIn("nothing was measured", bars["guest-vfio-ethdev-p50"]["why"])

    def tail(self, tail):
        self.assertGreaterEqual(tail["samples"], 10 ** 7)
        self.assertGreaterEqual(tail["rounds"], 20)
        # As the contest's bootstrap says it, from all rounds asked with "keep".
        self.assertAlmostEqual(tail["p99.99"]["ratio"], 1.13)
        self.assertAlmostEqual(tail["p99.99"]["low"], 1.12)
        self.assertEqual(tail["ours"]["p99.99"], 226)
        self.assertEqual(tail["raw"]["p99.99"], 200)
        self.assertEqual(tail["floor"]["max"], 250)
        self.assertEqual(tail["noise"]["involuntary"], 0)

    def test_bars_that_are_missed(self):
        done = self.run_suite("--quick", scale={"ethdev": 10, "channel": 2})
        self.assertEqual(done.returncode, 0, done.stderr)
        bars = {bar["name"]: bar for bar in self.results()["bars"]}
        for name in ("ethdev-p50-64", "ethdev-rate-64", "lone-p50-60", "lone-p99.99"):
            self.assertFalse(bars[name]["met"], bars[name])
            self.assertIsNotNone(bars[name]["met"])
        self.assertTrue(bars["copy-64k"]["met"])
        self.assertIn("MISSED", done.stdout)

    def test_quick_has_everyone(self):
        done = self.run_suite("--quick")
        self.assertEqual(done.returncode, 0, done.stderr)
        results = self.results()
        for work in ("trips", "rate"):
            there = {figure["contestant"] for figure in results["figures"]
                     if figure["work"] == work}
            wanted = {row["name"] for row in results["contestants"] if not row["missing"]}
            self.assertEqual(wanted - there, {"limit"} - there, work)
        self.assertTrue((self.out / "report.html").exists())

    def test_missing_contestant_has_its_package_and_the_remedy(self):
        done = self.run_suite("--quick", "--works", "trips")
        self.assertRegex(done.stdout, "iceoryx is missing: .*libiceoryx-posh-dev.*devtools/setup")
        row = next(row for row in self.results()["contestants"] if row["name"] == "iceoryx")
        self.assertEqual(row["missing"], "libiceoryx-posh-dev")

    def test_steps_left_out_are_named(self):
        self.run_suite("--budget", "60s", "--works", "trips,rate,wake")
        left = self.results()["left_out"]
        self.assertTrue(any(entry["step"].startswith("host/wake") for entry in left))
        self.assertTrue(all("60 s" in entry["why"] for entry in left
                            if entry["step"].startswith("host/")))


class Drops(SuiteTest):
    def test_dropped_rounds_are_counted_and_run_again(self):
        done = self.run_suite(*SOME, "--quick", drift=[6, 7, 8])
        self.assertEqual(done.returncode, 0, done.stderr)
        figures = self.results()["figures"]
        self.assertGreater(sum(figure["dropped"] for figure in figures), 0)
        self.assertTrue(all(figure["rounds"] >= 3 for figure in figures))

    def test_limit_that_never_rests(self):
        done = self.run_suite(*SOME, "--quick", drift="all")
        self.assertEqual(done.returncode, 0, done.stderr)
        for figure in self.results()["figures"]:
            self.assertEqual((figure["rounds"], figure["ratio"], figure["rate"]),
                             (0, None, None))
            self.assertGreater(figure["dropped"], 0)

    def test_lost_messages_are_shown(self):
        self.run_suite(*SOME, "--quick", lose="tcp")
        for figure in self.results()["figures"]:
            if figure["contestant"] == "tcp":
                self.assertEqual(figure["rounds"], 0)
                self.assertGreater(figure["lost"], 0)


class Late(SuiteTest):
    def test_budget_that_ends_within_a_step(self):
        begun = time.monotonic()
        done = self.run_suite("--budget", "10s", "--works", "trips", slow=0.2)
        self.assertLess(time.monotonic() - begun, 60)
        self.assertEqual(done.returncode, 0, done.stderr)
        results = self.results()
        self.assertTrue(any("used up" in entry["why"] for entry in results["left_out"]))
        self.assertTrue(results["figures"])
        self.assertIn("left out, the budget was used up", done.stdout)


class Faults(SuiteTest):
    def error_of(self, name):
        return next(row["error"] for row in self.results()["contestants"]
                    if row["name"] == name)

    def test_death_names_the_contestant(self):
        done = self.run_suite(*SOME, "--quick", die=["memif", "rate"])
        self.assertEqual(done.returncode, 1)
        self.assertRegex(self.error_of("memif"), "SIGABRT.*memif is no more")
        self.assertIsNone(self.error_of("channel"))
        results = self.results()
        self.figure(results, contestant="memif", work="trips", size=64)
        self.figure(results, contestant="tcp", work="rate", size=64)
        self.assertTrue(results["complete"])

    def test_one_death_is_forgiven(self):
        self.run_suite(*SOME, "--quick", die=["memif", "trips"],
                       die_once=str(self.folder / "died"))
        self.figure(self.results(), contestant="memif", work="rate", size=64)

    def test_round_that_is_refused_once(self):
        done = self.run_suite(*SOME, "--quick", refuse_rounds=[4, 9])
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_refusal(self):
        done = self.run_suite(*SOME, "--quick", refuse="tcp")
        self.assertEqual(done.returncode, 1)
        self.assertIn("it does not want to", self.error_of("tcp"))
        self.figure(self.results(), contestant="memif", work="rate", size=64)

    def test_no_program(self):
        self.fake.unlink()
        done = self.run_suite("--quick")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "cannot be used .*build it")
        self.assertFalse(self.results()["complete"])


class Resume(SuiteTest):
    WORDS = ("--quick",)

    def wait_for_steps(self, process, count):
        path = self.out / "state" / "done.jsonl"
        end = time.monotonic() + 60
        while not path.exists() or path.read_bytes().count(b'"step"') < count:
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def resumed(self, before):
        done = self.run_suite(*self.WORDS)
        self.assertEqual(done.returncode, 0, done.stderr)
        after = self.done()
        self.assertEqual(after[:len(before)], before)
        self.assertEqual(len(after), len(set(after)))
        self.assertGreater(len(after), len(before))
        self.assertTrue(self.results()["complete"])

    def test_interrupted(self):
        process = self.begin_suite(*self.WORDS, slow=0.002)
        self.wait_for_steps(process, 2)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[0]
        self.assertEqual(process.returncode, 1, said)
        self.assertIn("the same command goes on", said)
        results = self.results()
        self.assertFalse(results["complete"])
        self.assertTrue(results["figures"])
        self.resumed(self.done())

    def test_killed(self):
        process = self.begin_suite(*self.WORDS, slow=0.002)
        self.wait_for_steps(process, 2)
        process.kill()
        process.wait()
        before = self.done()
        # What a kill in the middle of a line leaves.
        with open(self.out / "state" / "done.jsonl", "ab") as file:
            file.write(b'{"step": "host/trips/si')
        self.resumed(before)

    def test_nothing_left_to_do(self):
        self.run_suite(*self.WORDS)
        before = self.done()
        again = self.run_suite(*self.WORDS)
        self.assertEqual((again.returncode, self.done()), (0, before), again.stderr)

    def test_two_at_once(self):
        process = self.begin_suite(*self.WORDS, slow=0.01)
        self.wait_for_steps(process, 1)
        done = self.run_suite(*self.WORDS)
        self.assertEqual(done.returncode, 2)
        self.assertIn("in use by another run", done.stderr)

    def test_other_command_line_or_program(self):
        self.run_suite(*SOME, "--quick")
        done = self.run_suite("--quick", "--works", "trips")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "another command line began .*--works trips.*remove")
        text = self.fake.read_text(encoding="utf-8")
        self.fake.unlink()
        self.fake.write_text(text + "\n# another one\n", encoding="utf-8")
        self.fake.chmod(0o755)
        done = self.run_suite(*SOME, "--quick")
        self.assertEqual(done.returncode, 2)
        self.assertIn("another contest program began", done.stderr)


class Usage(SuiteTest):
    def refused(self, wanted, *words):
        done = self.run_suite(*words)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertRegex(done.stderr, wanted)
        self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_unknown_names(self):
        self.refused("names nobody, expected .*channel, .*iceoryx", "--only", "nobody")
        self.refused("names nothing", "--only", ",")

    def test_folder_that_is_a_file(self):
        self.out.write_text("mine")
        self.refused("cannot be (written|used).*--out", "--quick")
        self.assertEqual(self.out.read_text(), "mine")

    def test_folder_in_a_file(self):
        (self.folder / "file").write_text("mine")
        self.out = self.folder / "file" / "out"
        self.refused("cannot be written.*--out", "--quick")

    def test_folder_that_nobody_can_make(self):
        self.out = pathlib.Path("/proc/self/results")
        self.refused("cannot be written.*--out", "--quick")

    @unittest.skipIf(os.geteuid() == 0, "root may write anywhere")
    def test_unwritable_folder(self):
        self.out.mkdir(mode=0o500)
        self.refused("cannot be written.*--out", "--quick")

    @unittest.skipIf(os.geteuid() == 0, "root may read anything")
    def test_unreadable_state(self):
        self.run_suite("--quick", "--works", "trips")
        (self.out / "state" / "begun.jsonl").chmod(0)
        self.refused("cannot be used.*--out", "--quick", "--works", "trips")

    def test_state_that_is_a_file(self):
        self.out.mkdir()
        (self.out / "state").write_text("mine")
        self.refused("cannot be (written|used).*--out", "--quick")

    def test_cores_that_are_not_there(self):
        self.refused("core 4000, expected", "--cores", "0,4000")
        self.refused("core 1 twice", "--cores", "1,1")

    def test_help_and_list(self):
        done = self.run_suite("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("SYNOPSIS", "--budget", "--quick", "EXIT STATUS"):
            self.assertIn(word, done.stdout)
        done = self.run_suite("--list")
        self.assertEqual(done.returncode, 0)
        for name in names.KNOWN:
            self.assertIn(name, done.stdout)
        self.assertIn("made-up memif", done.stdout)
        self.assertIn("missing: comes with", done.stdout)


class Contract(SuiteTest):
    def test_keys(self):
        self.run_suite("--quick", "--label", "here")
        results = self.results()
        json.dumps(results, allow_nan=False)
        self.assertLessEqual({
            "suite", "label", "begun", "command", "budget_s", "quick", "complete", "place",
            "contestants", "figures", "tail", "laws", "bars", "plan"}, set(results))
        self.assertEqual((results["suite"], results["label"]), (1, "here"))
        self.assertLessEqual({
            "near_core", "far_core", "caches_shared", "smt", "node", "kernel", "cpu", "governor",
            "isolated", "accelerator", "versions"}, set(results["place"]))
        spread = {"median", "p25", "p75"}
        for row in results["contestants"]:
            self.assertEqual(set(row), {
                "name", "where", "ours", "reference", "what", "attach_ns", "near_kib", "far_kib",
                "shared_kib", "missing", "error"})
            self.assertIn(row["name"], names.KNOWN)
        for figure in results["figures"]:
            self.assertEqual(set(figure), {
                "contestant", "where", "work", "size", "burst", "links", "load", "gap_ns", "bulk",
                "waiting", "rounds", "dropped", "samples", "lost", "misordered", "limit_ns",
                "p50", "ratio", "percentiles", "rate", "bytes_per_s", "over"})
            for key in ("p50", "ratio", "rate", "bytes_per_s"):
                self.assertIn(set(figure[key] or spread), (spread,))
            if figure["over"]:
                self.assertEqual(set(figure["over"]), spread | {"reference"})
        for bar in results["bars"]:
            self.assertEqual(set(bar), {"name", "text", "bar", "sense", "where", "value", "low",
                                        "high", "met", "why"})
            self.assertIn(bar["sense"], ("at most", "at least"))
            self.assertEqual(bar["met"] is None, bar["why"] is not None)
        self.assertEqual(set(results["tail"]["noise"]), {
            "syscalls", "minor_faults", "major_faults", "voluntary", "involuntary",
            "allocations"})
        for key in ("p99", "p99.9", "p99.99"):
            self.assertEqual(set(results["tail"][key]), {"ratio", "low", "high"})


if __name__ == "__main__":
    unittest.main()
