#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""benchmarks/run on a contest program whose figures are known."""

import json
import os
import pathlib
import resource
import signal
import time
import unittest

from rig import SOME, SuiteTest
from suite import names


class Results(SuiteTest):
    def test_known_figures(self):
        done = self.run_suite("--budget", "1h", "--only",
                              "channel,channel-long,bare-ring,msg,plain-copy,packed,ethdev,memif,"
                              "memif-zc,vhost-split,vhost-packed")
        self.assertEqual(done.returncode, 0, done.stderr)
        results = self.results()
        self.assertTrue(results["complete"])
        self.assertEqual(results["left_out"], [])
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
        self.assertEqual((links["unit"], len(links["points"])), ("link", 4))
        queues = found["ethdev", "trip", "queues"]
        self.assertAlmostEqual(queues["slope_ns"], 2, places=6)
        self.assertEqual((queues["unit"], [x for x, _ in queues["points"]]),
                         ("queue", [1, 2, 4, 8]))
        self.rings(results)
        self.assertGreater(found["channel", "trip", "load"]["slope_ns"], 0)
        self.assertAlmostEqual(found["channel", "message", "burst"]["r2"], 1, places=3)
        self.assertAlmostEqual(results["plan"]["trip_ns"], 110, places=3)
        self.assertAlmostEqual(results["plan"]["trip_ns_per_link"], 2, places=6)
        self.assertAlmostEqual(results["plan"]["message_ns_per_byte"], 0.03 * (1 + 1 / 32))
        self.assertEqual(results["plan"]["limit_ns"], 100)
        for name, work in (("channel", "links"), ("ethdev", "queues"), ("memif", "queues")):
            there = [figure for figure in results["figures"]
                     if (figure["contestant"], figure["work"]) == (name, work)]
            self.assertGreaterEqual(len(there), 4, name)
            for figure in there:
                self.assertIsNotNone(figure["percentiles"], name)
                self.assertIsNotNone(figure["percentiles"]["p50"], name)

    def rings(self, results):
        """As the fake's rings: 1.5 ns a doubling, and nothing at 1024. They have no law."""
        self.assertNotIn("ring", {law["against"] for law in results["laws"]})
        for name, count in (("channel", 6), ("ethdev", 6), ("memif", 5)):
            for burst in (None, 32):
                self.assertEqual([figure["ring"] for figure in results["figures"]
                                  if (figure["contestant"], figure["work"], figure["burst"]) ==
                                  (name, "rings", burst)],
                                 [16, 64, 256, 1024, 4096, 16384][:count])
        trips = self.figure(results, contestant="ethdev", work="rings", ring=4096, burst=None)
        self.assertAlmostEqual(trips["p50"]["median"], 240 + 6.4 + 3)
        self.assertEqual((trips["size"], trips["links"], trips["queues"], trips["rate"]),
                         (64, 1, None, None))
        rate = self.figure(results, contestant="channel", work="rings", ring=16, burst=32)
        self.assertAlmostEqual(rate["over"]["median"], (19.2 * 33 / 32 - 9) / (11.2 * 33 / 32 - 9),
                               places=2)

    def test_rings_and_limits_that_jump(self):
        """A ratio is to the limit of its step, whose cores were farther apart."""
        done = self.run_suite("--budget", "1h", "--only", "channel", "--works", "rings",
                              far_rings=[256])
        self.assertEqual(done.returncode, 0, done.stderr)
        far = self.figure(self.results(), contestant="channel", ring=256, burst=None)
        self.assertAlmostEqual(far["limit_ns"], 200)
        self.assertAlmostEqual(far["ratio"]["median"], 1.13 - 0.03)
        # What it takes by default is not known of other rings.
        row = next(row for row in self.results()["contestants"] if row["name"] == "channel")
        self.assertIsNone(row["shared_kib"])
        self.assertRegex(done.stdout, r"host, rings, 60 bytes, bursts of 32, rings of 256\n"
                                      r" +messages/s")

    def bars(self, results):
        bars = {bar["name"]: bar for bar in results["bars"]}
        for name, value in (("lone-p50-60", 1.13), ("burst-60", 19.2 / 11.2),
                            ("ethdev-p50-64", 246.4 / 356.4),
                            ("copy-64k", (20 + 0.06 * 65536) / (20 + 0.03 * 65536))):
            self.assertAlmostEqual(bars[name]["value"], value, places=2, msg=name)
            self.assertTrue(bars[name]["met"], name)
            self.assertEqual((bars[name]["rounds"], bars[name]["apart"]), (7, 0), name)
        self.assertEqual((set(bars["ethdev-p50-64"]["against"]), bars["ethdev-p50-64"]["absent"]),
                         (set(names.PORTS), []))
        self.assertIsNone(bars["guest-vfio-ethdev-p50"]["met"])
        self.assertIn("nothing was measured", bars["guest-vfio-ethdev-p50"]["why"])

    def tail(self, tail):
        self.assertGreaterEqual(tail["samples"], 10 ** 7)
        self.assertGreaterEqual(tail["rounds"], 20)
        self.assertEqual(tail["p99.99"], {"ratio": 1.13, "low": 1.13, "high": 1.13})
        self.assertEqual(tail["ours"]["p99.99"], 226)
        self.assertEqual(tail["raw"]["p99.99"], 200)
        self.assertEqual((tail["floor"]["p50"], tail["floor"]["max"]), (25, 250))
        self.assertEqual((tail["lost"], tail["misordered"], tail["refused"]), (0, 0, 0))
        self.assertEqual(tail["noise"]["involuntary"], 0)

    def test_bars_that_are_missed(self):
        done = self.run_suite("--quick", scale={"ethdev": 10, "channel": 2})
        self.assertEqual(done.returncode, 0, done.stderr)
        bars = {bar["name"]: bar for bar in self.results()["bars"]}
        for name in ("ethdev-p50-64", "ethdev-rate-64", "lone-p50-60"):
            self.assertIs(bars[name]["met"], False, bars[name])
        self.assertIsNone(bars["lone-p99.99"]["met"])
        self.assertIn("200000 samples of 20 rounds cannot carry p99.99",
                      bars["lone-p99.99"]["why"])
        self.assertEqual((bars["lone-p99.99"]["interval"], bars["copy-64k"]["interval"]),
                         ("95 %", "quartiles"))
        self.assertTrue(bars["copy-64k"]["met"])
        self.assertIn("MISSED", done.stdout)

    def test_tail_that_is_missed(self):
        done = self.run_suite("--only", "channel", "--works", "tail", scale={"channel": 2})
        self.assertEqual(done.returncode, 0, done.stderr)
        bar = next(bar for bar in self.results()["bars"] if bar["name"] == "lone-p99.99")
        self.assertEqual((bar["value"], bar["low"], bar["high"], bar["met"]),
                         (2.26, 2.26, 2.26, False))

    def test_quick_has_everyone(self):
        done = self.run_suite("--quick")
        self.assertEqual(done.returncode, 0, done.stderr)
        results = self.results()
        for work in ("trips", "rate"):
            there = {figure["contestant"] for figure in results["figures"]
                     if figure["work"] == work}
            wanted = {row["name"] for row in results["contestants"] if not row["missing"]}
            self.assertEqual(wanted - there, {"limit"} - there, work)
        for bar in results["bars"]:
            # The fake has too few samples for one, and no marks for the other.
            if bar["where"] == "host" and bar["name"] not in ("lone-p99.99", "own-noise"):
                self.assertIsNotNone(bar["value"], bar)
                self.assertIsNotNone(bar["met"], bar)
        self.assertTrue((self.out / "report.html").exists())

    def test_missing_contestant_has_its_package_and_the_remedy(self):
        done = self.run_suite("--quick", "--works", "trips")
        self.assertRegex(done.stdout, "iceoryx is missing: .*libiceoryx-posh-dev.*devtools/setup")
        row = next(row for row in self.results()["contestants"] if row["name"] == "iceoryx")
        self.assertEqual(row["missing"], "libiceoryx-posh-dev")

    def test_steps_left_out_are_named(self):
        done = self.run_suite("--budget", "60s", "--works", "trips,rate,wake")
        self.assertEqual(done.returncode, 0, done.stderr)
        left = self.results()["left_out"]
        self.assertTrue(any(entry["step"].startswith("host/wake") for entry in left))
        self.assertEqual({entry["why"] for entry in left},
                         {"the budget of 60 s has no room for it"})


class Faults(SuiteTest):
    def error_of(self, name):
        return next(row["error"] for row in self.results()["contestants"]
                    if row["name"] == name)

    def test_death_names_the_contestant(self):
        done = self.run_suite(*SOME, "--quick", die=["memif", "rate"])
        self.assertEqual(done.returncode, 1)
        self.assertRegex(self.error_of("memif"), "SIGABRT.*memif is no more")
        self.assertIsNone(self.error_of("channel"))
        self.assertIn("is not tried again: for that remove the folder state", done.stdout)
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

    def test_nobody_is_left_of_a_step(self):
        done = self.run_suite("--quick", "--only", "tcp", refuse="tcp")
        self.assertEqual((done.returncode, self.done()), (1, []), done.stderr)
        self.assertIn("it does not want to", self.error_of("tcp"))
        self.assertEqual({entry["why"] for entry in self.results()["left_out"]},
                         {"all its contestants failed"})

    def test_no_program(self):
        self.fake.unlink()
        done = self.run_suite("--quick")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "cannot be used, expected .*build it")
        self.assertFalse(self.out.exists())


class Resume(SuiteTest):
    WORDS = ("--quick",)

    def wait_for_steps(self, process, count):
        path = self.out / "state" / "done.jsonl"
        end = time.monotonic() + 60
        while not path.exists() or path.read_bytes().count(b'"step"') < count:
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def begin_held(self, steps):
        """A run that has done some steps, and waits in the first one at 60 bytes."""
        hold = self.folder / "hold"
        hold.touch()
        process = self.begin_suite(*self.WORDS, hold=["trips", 60, str(hold)])
        self.wait_for_steps(process, steps)
        return process

    def resumed(self, before):
        done = self.run_suite(*self.WORDS)
        self.assertEqual(done.returncode, 0, done.stderr)
        after = self.done()
        self.assertEqual(after[:len(before)], before)
        self.assertEqual(len(after), len(set(after)))
        self.assertGreater(len(after), len(before))
        self.assertTrue(self.results()["complete"])

    def test_interrupted(self):
        process = self.begin_held(2)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[0]
        self.assertEqual(process.returncode, 1, said)
        self.assertIn("the same command goes on", said)
        results = self.results()
        self.assertFalse(results["complete"])
        self.assertTrue(results["figures"])
        self.resumed(self.done())

    def test_killed(self):
        process = self.begin_held(2)
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
        self.begin_held(1)
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

    def test_other_program_after_one_that_did_nothing(self):
        text = self.fake.read_text(encoding="utf-8")
        self.fake.unlink()
        self.fake.write_text("#!/bin/sh\necho no contest\n", encoding="utf-8")
        self.fake.chmod(0o755)
        self.assertEqual(self.run_suite(*SOME, "--quick").returncode, 1)
        self.fake.write_text(text, encoding="utf-8")
        done = self.run_suite(*SOME, "--quick")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_plan_that_was_begun_goes_on(self):
        words = ("--quick", "--works", "trips", "--only", "channel")
        self.run_suite(*words)
        path = self.out / "state" / "done.jsonl"
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        kept = [record for record in records if "step" not in record]
        next(record for record in kept if "plan" in record)["plan"]["rounds"] = 3
        path.write_text("".join(json.dumps(record) + "\n" for record in kept), encoding="utf-8")
        done = self.run_suite(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.results()["rounds"], 3)
        self.assertEqual({figure["rounds"] for figure in self.results()["figures"]}, {3})

    def test_what_was_measured_stays_when_nothing_can_be_had(self):
        """A guest's steps, say, where the next run finds no guest."""
        words = ("--quick", "--works", "trips", "--only", "channel")
        self.run_suite(*words)
        path = self.out / "state" / "done.jsonl"
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        next(record for record in records if "plan" in record)["wheres"].append("guest-vfio")
        text = "".join(json.dumps(record) + "\n" for record in records if "session" not in record)
        path.write_text(text, encoding="utf-8")
        done = self.run_suite(*words, lack="channel")
        self.assertEqual(done.returncode, 2)
        self.assertIn("nothing to measure", done.stderr)
        self.assertTrue(path.read_text(encoding="utf-8").startswith(text))

    def test_other_suite(self):
        """Where git knows no commit, or one that was changed."""
        words = ("--quick", "--works", "trips", "--only", "channel")
        self.run_suite(*words)
        path = self.out / "state" / "begun.jsonl"
        begun = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**begun, "suite": "another"}) + "\n", encoding="utf-8")
        done = self.run_suite(*words)
        self.assertEqual(done.returncode, 2)
        self.assertIn("another benchmarks/suite began", done.stderr)

    def test_state_that_does_not_know_who_began(self):
        """It may be of anybody: nothing is added to it."""
        words = ("--quick", "--works", "trips", "--only", "channel")
        self.run_suite(*words)
        (self.out / "state" / "begun.jsonl").write_text("", encoding="utf-8")
        done = self.run_suite(*words)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "another command line began .unknown.*remove")

    def test_other_libraries(self):
        words = ("--quick", "--works", "trips", "--only", "channel")
        self.run_suite(*words)
        (self.folder / "build" / "lib").mkdir()
        (self.folder / "build" / "lib" / "libnahanni.so.0").write_text("another one")
        done = self.run_suite(*words)
        self.assertEqual(done.returncode, 2)
        self.assertIn("another build of the libraries began", done.stderr)

    def test_state_with_a_bad_line_in_the_middle(self):
        words = ("--quick", "--works", "trips", "--only", "channel")
        self.run_suite(*words)
        path = self.out / "state" / "done.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        text = lines[0] + "{nonsense\n" + "".join(lines[1:])
        path.write_text(text, encoding="utf-8")
        done = self.run_suite(*words)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "done.jsonl, line 2 is no JSON object.*remove")
        self.assertEqual(path.read_text(encoding="utf-8"), text)


class Usage(SuiteTest):
    def refused(self, wanted, *words):
        done = self.run_suite(*words)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertRegex(done.stderr, wanted)
        self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_unknown_names(self):
        self.refused("names nobody, expected .*channel, .*iceoryx", "--only", "nobody")
        self.refused("names nothing", "--only", ",")

    def test_words_that_nobody_can_write(self):
        self.refused("is no UTF-8", "--quick", "--label", b"\xff")
        self.refused("--label is empty", "--quick", "--label", "")

    def test_nothing_to_measure(self):
        self.refused("nothing to measure", "--quick", "--only", "iceoryx")
        self.refused("--quick has trips, rate and tail", "--quick", "--works", "paced")
        self.refused("a guest .--guest. for vsock", "--only", "vsock")
        done = self.run_suite("--quick", "--only", "channel")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_results_that_cannot_be_written(self):
        (self.out / "results.json").mkdir(parents=True)
        done = self.run_suite("--quick", "--works", "trips", "--only", "channel")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "benchmarks/run: .*cannot be used .*the same command")
        self.assertNotIn("Traceback", done.stderr)
        self.assertEqual(sorted(path.name for path in self.out.iterdir()),
                         ["results.json", "state"])

    def test_page_that_cannot_be_made(self):
        words = ("--quick", "--works", "trips", "--only", "channel")
        self.run_suite(*words)
        self.assertGreater((self.out / "report.html").stat().st_size, 100000)
        # As a disk that is full.
        done = self.run_suite(*words, before=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (50000, 50000)))
        self.assertEqual(done.returncode, 1)
        self.assertIn("no report.html was written", done.stderr)
        self.assertEqual(sorted(path.name for path in self.out.iterdir()),
                         ["results.json", "state"])

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
        self.assertRegex(done.stdout, "vsock +in a guest only, and with .*modprobe vhost_vsock")


class Contract(SuiteTest):
    def test_keys(self):
        self.run_suite("--quick", "--label", "here")
        results = self.results()
        json.dumps(results, allow_nan=False)
        self.assertLessEqual({
            "suite", "label", "begun", "command", "budget_s", "quick", "complete", "place",
            "contestants", "figures", "tail", "laws", "bars", "plan"}, set(results))
        self.assertEqual((results["suite"], results["label"], results["budget_s"]),
                         (1, "here", 100))
        self.assertLessEqual({
            "near_core", "far_core", "caches_shared", "smt", "node", "kernel", "cpu", "governor",
            "isolated", "accelerator", "versions"}, set(results["place"]))
        self.assertEqual(set(results["place"]["versions"]), {
            "libc", "compiler", "dpdk", "qemu", "libzmq", "nng", "iceoryx", "python", "build"})
        self.assertEqual(results["place"]["versions"]["dpdk"], "22.11.0")
        spread = {"median", "p25", "p75"}
        self.assertTrue(results["contestants"] and results["figures"] and results["bars"])
        for row in results["contestants"]:
            self.assertEqual(set(row), {
                "name", "where", "ours", "reference", "what", "attach_ns", "near_kib", "far_kib",
                "shared_kib", "missing", "error"})
            self.assertIn(row["name"], names.KNOWN)
        for figure in results["figures"]:
            self.assertEqual(set(figure), {
                "contestant", "where", "work", "size", "burst", "links", "queues", "ring", "load",
                "gap_ns", "bulk", "waiting", "rounds", "dropped", "samples", "lost", "misordered",
                "limit_ns", "p50", "ratio", "percentiles", "intervals", "rate", "bytes_per_s",
                "over"})
            there = ("rate", "bytes_per_s", "ratio") if figure["work"] == "rate" else \
                ("p50", "ratio")
            for key in ("p50", "ratio", "rate", "bytes_per_s"):
                self.assertEqual(set(figure[key] or ()), spread if key in there else set())
            if figure["over"]:
                self.assertEqual(set(figure["over"]), spread | {"reference", "rounds", "apart"})
        for bar in results["bars"]:
            self.assertEqual(set(bar), {"name", "text", "bar", "sense", "where", "value", "low",
                                        "high", "interval", "rounds", "apart", "against",
                                        "absent", "met", "why"})
            self.assertIn(bar["sense"], ("at most", "at least"))
            self.assertIn(bar["interval"], ("quartiles", "95 %", "counted"))
            self.assertTrue(bar["met"] is not None or bar["why"], bar)
        self.assertEqual(set(results["tail"]["noise"]), {
            "syscalls", "minor_faults", "major_faults", "voluntary", "involuntary",
            "allocations"})
        for key in ("p99", "p99.9"):
            self.assertEqual(set(results["tail"][key]), {"ratio", "low", "high"})
        self.assertIsNone(results["tail"]["p99.99"])  # of 200000 samples


if __name__ == "__main__":
    unittest.main()
