#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The driver: time limits, deaths, guests that boot anew; cores and places."""

import contextlib
import os
import pathlib
import unittest
from unittest import mock

from rig import SuiteTest
from suite import driver, place, plan, rounds

ROUND = {"work": "trips", "size": 60, "burst": 1, "links": 1, "messages": 10, "interval_ns": 0}


class Contests(SuiteTest):
    def contest(self, boot=contextlib.nullcontext, where="host", argv=None, **how):
        session = driver.Session(where, argv or [str(self.fake)], boot)
        with mock.patch.dict(os.environ, self.environment(how)):
            contest = driver.Contest(session, self.folder / "log")
            self.addCleanup(contest.stop)
            with contextlib.suppress(driver.Broken):
                contest.begin()
        return contest


class Driver(Contests):
    def test_orders(self):
        contest = self.contest()
        self.assertEqual(contest.start["near_core"], 0)
        contest.open("channel")
        answer = contest.order("round", contestant="channel", **ROUND)
        self.assertEqual(answer["received"], 10)
        with self.assertRaisesRegex(driver.Refused, "must be list"):
            contest.order("dance")
        self.assertEqual(contest.order("list")["did"], "list")
        self.assertEqual(contest.stop(), 0)

    def test_silence(self):
        contest = self.contest(hang="tcp")
        contest.open("tcp")
        pid = contest.process.pid
        with self.assertRaisesRegex(driver.Fault, "said nothing for 0 s while it did round"):
            contest.order("round", 0.2, contestant="tcp", **ROUND)
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())
        self.assertEqual(contest.opened, {})

    def test_nonsense(self):
        contest = self.contest(babble="tcp")
        contest.open("tcp")
        with self.assertRaisesRegex(driver.Fault, "expected a JSON object"):
            contest.order("round", contestant="tcp", **ROUND)

    def test_number_that_is_missing(self):
        for member in ("ns", "received", "limit_before_ns"):
            contest = self.contest(without=["trips", member])
            contest.open("channel")
            with self.assertRaisesRegex(driver.Fault, f"'{member}': None to round, expected a"):
                contest.order("round", contestant="channel", **ROUND)
            self.assertIsNone(contest.process)

    def test_what_is_no_number(self):
        for value, least, good in ((1, 1, True), (0.5, 0, True), (0, 1, False), ("1", 0, False),
                                   (True, 0, False), (float("nan"), 0, False),
                                   (float("inf"), 0, False), (None, 0, False)):
            self.assertEqual(driver.is_number(value, least), good, value)

    def test_opened_with_other_links(self):
        contest = self.contest()
        contest.open("channel")
        contest.open("channel")
        self.assertEqual(len(contest.attached), 1)
        contest.open("channel", 8)
        self.assertEqual(contest.opened, {"channel": (8, 0)})
        self.assertEqual(contest.starts, 1)

    def test_opened_with_another_ring(self):
        contest = self.contest()
        for ring in (64, 64, 0):
            contest.open("channel", ring=ring)
        self.assertEqual([answer["ring"] for answer in contest.attached], [64, 0])
        self.assertEqual((contest.opened, contest.starts), ({"channel": (1, 0)}, 1))
        with self.assertRaisesRegex(driver.Refused, "ring must be 16 to 16384"):
            contest.open("channel", ring=8)

    def test_refused_beside_others_gets_a_program_of_its_own(self):
        contest = self.contest(full=2)
        contest.open("channel")
        contest.open("memif")
        contest.open("tcp")
        self.assertEqual((contest.starts, contest.opened), (2, {"tcp": (1, 0)}))

    def test_refused_alone(self):
        contest = self.contest(refuse="tcp")
        with self.assertRaisesRegex(driver.Refused, "does not want to"):
            contest.open("tcp")
        self.assertEqual(contest.starts, 1)

    def test_guest_boots_anew_after_a_death(self):
        told = []

        @contextlib.contextmanager
        def boot():
            told.append("up")
            yield
            told.append("down")

        contest = self.contest(boot, "guest-vfio", die=["tcp", "trips"])
        contest.open("tcp")
        with self.assertRaisesRegex(driver.Fault, "SIGABRT"):
            contest.order("round", contestant="tcp", **ROUND)
        self.assertEqual(told, ["up", "down"])
        contest.open("channel")
        contest.stop()
        self.assertEqual(told, ["up", "down", "up", "down"])

    def test_guest_that_does_not_boot(self):
        @contextlib.contextmanager
        def boot():
            raise driver.Fault("it did not boot")
            yield

        contest = self.contest(boot, "guest-vfio")
        with self.assertRaisesRegex(driver.Broken, "did not boot"):
            contest.begin()
        self.assertIsNone(contest.process)

    def test_guest_that_ends(self):
        session = driver.Session("guest-vfio", ["sleep", "60"], lambda: contextlib.nullcontext(
            lambda: "the guest ended (status 1)"))
        contest = driver.Contest(session, self.folder / "log")
        with self.assertRaisesRegex(driver.Broken, "the guest ended .* while it did start"):
            contest.begin()
        self.assertIsNone(contest.process)

    def test_what_dead_suites_left(self):
        with mock.patch.object(driver, "MEMORY", self.folder):
            mine, dead = (self.folder / f"nahanni-guest-vfio.{pid}.ab"
                          for pid in (os.getpid(), 1 << 30))
            mine.mkdir()
            dead.mkdir()
            driver.sweep("nahanni-guest")
            self.assertEqual((mine.exists(), dead.exists()), (True, False))

    def test_program_that_says_nothing_sensible(self):
        contest = self.contest(argv=["/bin/echo", "hello"])
        with self.assertRaisesRegex(driver.Broken, "hello.*expected a JSON object"):
            contest.begin()


class Steps(Contests):
    """Rounds of a step on a program that may die."""

    STEP = plan.Step("host", "trips", size=60, names=("channel", "tcp"))

    def runner(self, **how):
        contest = self.contest(**how)
        listed = contest.order("list")["contestants"]
        return rounds.Runner(contest, listed, 3, 1e-5)

    def test_warm_up_after_a_new_start(self):
        trace = self.folder / "trace"
        runner = self.runner(trace=str(trace))
        record = {"names": {}, "faults": []}
        ready = {"channel": 200, "tcp": 200}
        with mock.patch.dict(os.environ, self.environment({"trace": str(trace)})):
            for turn in range(3):
                if turn == 2:
                    runner.contest.stop()
                runner.rotation(self.STEP, record, ready, list(ready), turn)
        ran = [line.split()[1] for line in trace.read_text(encoding="utf-8").splitlines()]
        self.assertEqual(ran, ["channel"] * 2 + ["tcp"] * 2 + ["tcp", "channel"] +
                         ["channel"] * 2 + ["tcp"] * 2)
        self.assertEqual([len(record["names"][name]["rounds"]) for name in ready], [3, 3])

    def test_lost_by_ours_is_tried_once_more(self):
        # After a calibration each, channel has the third round and tcp the next.
        for lost, rounds_of_channel, wanted in (([3], ["lost", None, None, None], []),
                                                ([3, 4], ["lost", "lost"], ["channel"]),
                                                ([4], [None, None, None], [])):
            record = self.runner(lose_rounds=lost).step(self.STEP)
            self.assertEqual([kept["dropped"] for kept in record["names"]["channel"]["rounds"]],
                             rounds_of_channel)
            self.assertEqual([fault["contestant"] for fault in record["faults"]], wanted)
        self.assertEqual([kept["dropped"] for kept in record["names"]["tcp"]["rounds"]],
                         ["lost", None, None, None])

    def opened_in(self, step):
        """What a step's contestants were opened with, and what is open after it."""
        runner = self.runner()
        runner.contest.open("ethdev")
        runner.contest.open("memif")
        record = runner.step(step)
        self.assertEqual(record["faults"], [])
        self.assertEqual(set(record["names"]), {"ethdev", "memif"})
        return [(answer["contestant"], answer["links"], answer["ring"])
                for answer in record["attached"][2:]], runner.contest.opened

    def test_opened_anew_for_rings(self):
        asked = {"where": "host", "work": "rings", "size": 64, "ring": 64,
                 "names": ("ethdev", "memif")}
        for burst in (None, 32):
            opened, left = self.opened_in(plan.Step(burst=burst, **asked))
            self.assertEqual(opened, [("ethdev", 1, 64), ("memif", 1, 64)])
            self.assertEqual(left, {"ethdev": (1, 64), "memif": (1, 64)})

    def test_each_alone_with_many_queues(self):
        opened, left = self.opened_in(plan.Step("host", "queues", size=64, queues=4,
                                                names=("ethdev", "memif")))
        self.assertEqual((opened, left), ([("ethdev", 4, 0), ("memif", 4, 0)], {}))

    def test_too_late_for_anybody(self):
        runner = self.runner()
        runner.deadline = 0
        record = runner.step(self.STEP)
        self.assertEqual((record["names"], record["left_out"]), ({}, ["channel", "tcp"]))


class Places(SuiteTest):
    def machine(self, isolated="", allowed=None, cores=8):
        """Cores 2n and 2n + 1 are siblings; an L3 cache for each four; a node for all."""
        root = self.folder / "cpu"
        root.mkdir()
        (root / "online").write_text(f"0-{cores - 1}\n")
        (root / "isolated").write_text(f"{isolated}\n")
        for core in range(cores):
            (root / f"cpu{core}" / "topology").mkdir(parents=True)
            pair = core // 2 * 2
            (root / f"cpu{core}" / "topology" / "thread_siblings_list").write_text(
                f"{pair}-{pair + 1}\n")
            cache = root / f"cpu{core}" / "cache" / "index3"
            cache.mkdir(parents=True)
            first = core // 4 * 4
            (cache / "level").write_text("3\n")
            (cache / "shared_cpu_list").write_text(f"{first}-{first + 3}\n")
        return place.Machine(root, self.folder / "node",
                             set(range(cores)) if allowed is None else allowed)

    def test_no_siblings_one_cache_not_cpu_0(self):
        machine = self.machine()
        self.assertEqual(machine.choose(), (1, 2))
        self.assertEqual(machine.shared(1, 2), ["L3"])
        self.assertFalse(machine.facts(1, 2)["smt"])

    def test_isolated_first(self):
        self.assertEqual(self.machine("5,7").choose(), (5, 7))

    def test_a_file_is_read_once(self):
        machine = self.machine(cores=32)
        with mock.patch.object(place, "read", wraps=place.read) as read:
            machine.choose()
        self.assertLessEqual(read.call_count, 3 * 32)

    def test_isolated_that_no_mask_has(self):
        self.assertEqual(self.machine("4,6", {0, 1}).choose(), (4, 6))

    def test_siblings_are_worse_than_no_shared_cache(self):
        self.assertEqual(self.machine(allowed={2, 3, 5, 6}).choose(), (5, 6))
        self.assertFalse(place.Machine(self.folder / "cpu", self.folder / "node",
                                       {2, 3, 6}).choose() == (2, 3))

    def test_two_only(self):
        machine = self.machine(cores=2)
        self.assertEqual(machine.choose(), (0, 1))
        self.assertTrue(machine.facts(0, 1)["smt"])

    def test_one_only(self):
        with self.assertRaisesRegex(place.Unplaced, "two cores are needed"):
            self.machine(allowed={3}).choose()

    def test_lists_of_the_kernel(self):
        self.assertEqual(place.cpus("0-2,5,8-9"), {0, 1, 2, 5, 8, 9})
        self.assertEqual(place.cpus(""), set())


if __name__ == "__main__":
    unittest.main()
