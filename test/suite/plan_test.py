#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The plan: what there is, what a budget has room for, what a command line may say."""

import argparse
import json
import pathlib
import unittest

import rig  # noqa: F401  (finds the suite)
from suite import command, driver, main, names, plan

LISTING = [{"name": name, "what": "", "size_min": 60 if name in names.PORTS else 8,
            "size_max": 60 if name in ("channel", "bare-ring") else 1 << 20,
            "links_max": {"channel": 256, "ethdev": 8, "memif": 4, "tcp": 2}.get(name, 1),
            "ring_min": 64 if name in ("ethdev", "bare-ring") else 0,
            "ring_max": 4096 if name in ("channel", "ethdev", "bare-ring", "pipe") else 0,
            "queues": name in ("ethdev", "memif"), "waits": name in ("tcp", "mq")}
           for name in names.OURS + names.REFERENCES + names.PEERS_HOST]


def steps_of(wanted=(), works=names.WORKS, quick=False, where="host"):
    return plan.running_order(plan.Planner(where, LISTING, wanted, works).make(quick))


class Steps(unittest.TestCase):
    def test_whole_contest(self):
        steps = steps_of()
        keys = [step.key for step in steps]
        self.assertEqual(len(keys), len(set(keys)))
        for size in plan.SIZES:
            self.assertIn(f"host/trips/size={size}", keys)
            for burst in (1, 8, 32, 256) if size in plan.SIZES_OF_BURSTS else (plan.BURST,):
                if (size, burst) == (65536, 8):
                    continue  # a rate of the headline
                self.assertIn(f"host/rate/size={size}/burst={burst}", keys)
        self.assertEqual({step.work for step in steps}, set(names.WORKS))
        self.assertEqual([step.rank for step in steps], sorted(step.rank for step in steps))
        for step in steps:
            self.assertTrue(step.names, step.key)
            if step.size == 4096:
                self.assertNotIn("channel", step.names)

    def test_references_run_beside_rates(self):
        for step in steps_of(("packed", "msg"), ("rate",)):
            wanted = "bare-ring" if step.size <= 60 else \
                "plain-copy" if step.size >= 4096 else None
            self.assertEqual(step.reference, wanted, step.key)
            self.assertLessEqual(set(step.names), {"packed", "msg", wanted}, step.key)

    def test_queues_of_ports_are_no_links(self):
        found = {step.queues: step.names for step in steps_of(works=("queues",))}
        self.assertEqual(found, {queues: ("ethdev", "memif") if queues <= 4 else ("ethdev",)
                                 for queues in plan.QUEUES})
        self.assertEqual({step.opened for step in steps_of(works=("queues",))}, set(plan.QUEUES))
        self.assertEqual({step.names for step in steps_of(works=("links",))}, {("channel",)})

    def test_rings_as_far_as_a_range_goes(self):
        steps = steps_of(works=("rings",))
        found = {(step.size, step.burst, step.ring): step.names for step in steps}
        self.assertEqual(len(found), len(steps))
        both = {ring: ("channel", "bare-ring") for ring in (64, 256, 1024, 4096)}
        for burst in (None, plan.BURST):
            self.assertEqual({ring: kept for (size, of, ring), kept in found.items()
                              if (size, of) == (60, burst)}, {16: ("channel",), **both})
            self.assertEqual({ring: kept for (size, of, ring), kept in found.items()
                              if (size, of) == (64, burst)}, dict.fromkeys(both, ("ethdev",)))
        self.assertEqual({(step.burst, step.order) for step in steps},
                         {(None, "trips"), (plan.BURST, "rate")})
        # A rate is held against the bare ring of the same size, where there is one.
        alone = steps_of(("channel",), ("rings",))
        self.assertEqual({(step.ring, step.reference) for step in alone if step.burst},
                         {(16, None), *((ring, "bare-ring") for ring in both)})

    def test_works(self):
        self.assertEqual({step.work for step in steps_of(works=("trips", "wake"))},
                         {"trips", "wake"})

    def test_what_a_contestant_can_do(self):
        listing = [{**LISTING[0], "works": ["trips"]}]
        planner = plan.Planner("host", listing, (), names.WORKS)
        self.assertEqual({step.order for step in planner.make(False)}, {"trips", "attach"})


class Budget(unittest.TestCase):
    def test_fewer_rounds_before_fewer_steps(self):
        steps = steps_of()
        rounds = []
        for budget_s in (36000, 3000, 2000, 1500, 1200, 600, 300, 100, 20):
            fitted = plan.fit(steps, budget_s, False)
            rounds.append((fitted.rounds, len(fitted.steps)))
            if fitted.left_out:
                self.assertEqual((fitted.rounds, fitted.round_s), plan.PACES[-1][:2])
            if len(fitted.steps) > 1:
                self.assertLessEqual(
                    plan.total(fitted.steps, fitted.rounds, fitted.round_s,
                               fitted.tail_samples), budget_s)
            self.assertEqual(len(fitted.steps) + len(fitted.left_out), len(steps))
        self.assertEqual(rounds, sorted(rounds, reverse=True))
        self.assertEqual(rounds[0], (7, len(steps)))
        self.assertEqual(min(count for count, _ in rounds), 3)

    def test_ten_minutes_with_two_guests(self):
        steps = steps_of() + steps_of(where="guest-vfio") + steps_of(where="guest-uio")
        fitted = plan.fit(plan.running_order(steps), 600, False)
        self.assertGreaterEqual((fitted.rounds, fitted.round_s), (3, 0.2))
        self.assertEqual({step.rank for step, _ in fitted.left_out}, {plan.REST})
        self.assertEqual({step.work for step in fitted.steps if step.where == "host"},
                         set(names.WORKS) - {"queues", "rings"})
        fitted = plan.fit(plan.running_order(steps), 1200, False)
        self.assertEqual(fitted.left_out, [])

    def test_boots_of_guests(self):
        guests = ("guest-vfio", "guest-uio")
        steps = plan.running_order(steps_of() + [step for where in guests
                                                 for step in steps_of(where=where)])
        self.assertEqual({step.boot for step in steps if step.where == "host"}, {1})
        for budget_s, boots in ((600, 3), (1200, 7)):
            fitted = plan.fit(steps, budget_s, False)
            self.assertEqual(fitted.boots, boots)
            for where in guests:
                mine = [step for step in fitted.steps if step.where == where]
                # Boots one after the other; what is measured once needs none of its own.
                parts = main.by_boot(mine)
                self.assertEqual(len(parts), boots)
                self.assertEqual(sum(parts, []), mine)
                self.assertEqual({(step.work, step.size) for step in parts[1]},
                                 {("trips", 64), ("trips", 60), ("rate", 64)})
                for part in parts[1:]:
                    self.assertLessEqual({name for step in part if step.boot > 1
                                          for name in step.names},
                                         {"channel", "ethdev", *plan.BOOT_PEERS})
                # The run goes on where it was broken off.
                self.assertEqual(sum(main.by_boot(mine[8:]), []), mine[8:])
        self.assertEqual({step.boot for step in steps_of(quick=True, where="guest-uio")}, {1})

    def test_what_grows_goes_first(self):
        steps = steps_of()
        seconds = plan.total(steps, *plan.PACES[-1][:2], plan.TAIL_SAMPLES)
        fitted = plan.fit(steps, 0.97 * seconds / plan.SHARE, False)
        self.assertEqual({step.work for step, _ in fitted.left_out}, {"rings"})
        self.assertEqual({step.work for step in steps_of(quick=True)} & {"queues", "rings"}, set())

    def test_opening_anew_takes_time(self):
        of = {"where": "host", "size": 64, "names": ("ethdev",)}
        trips = plan.cost(plan.Step(work="trips", **of), 3, 0.2, 0)
        for step in (plan.Step(work="queues", queues=2, **of),
                     plan.Step(work="rings", ring=64, **of)):
            self.assertEqual(plan.cost(step, 3, 0.2, 0), trips + plan.OPEN_S)

    def test_least_weight_goes_first(self):
        fitted = plan.fit(steps_of(), 120, False)
        kept = max(step.rank for step in fitted.steps)
        self.assertGreaterEqual(min(step.rank for step, _ in fitted.left_out), kept)
        self.assertIn("120 s", fitted.left_out[0][1])

    def test_quick(self):
        steps = steps_of(quick=True)
        fitted = plan.fit(steps, plan.QUICK_S, True)
        self.assertEqual(fitted.left_out, [])
        self.assertLess(plan.total(steps, fitted.rounds, fitted.round_s, fitted.tail_samples),
                        120)
        for work in ("trips", "rate"):
            there = {name for step in steps if step.work == work for name in step.names}
            missing = {entry["name"] for entry in LISTING} - there
            self.assertLessEqual(missing, {"limit"} if work == "rate" else set())


class Kept(unittest.TestCase):
    """A plan that a run goes on with."""

    def test_same_plan_again(self):
        for budget_s in (60, 3600):
            made = plan.fit(steps_of(), budget_s, False)
            self.assertEqual(plan.from_json(json.loads(json.dumps(plan.as_json(made)))), made)

    def test_guests_are_planned_with_their_devices(self):
        course = main.Course.__new__(main.Course)
        course.options = argparse.Namespace(only=(), works=("trips",), quick=False)
        course.state = argparse.Namespace(sessions={"host": {}})
        course.listing = lambda session: LISTING
        guest = driver.Session("guest-vfio", ["contest", "--device", "channel=1;virtio-serial=2"],
                               None)
        steps = course.all_steps([driver.Session("host", [], None), guest])
        there = {name for step in steps if step.where == guest.where for name in step.names}
        self.assertEqual(there, {"limit", "channel", "virtio-serial"})

    def test_guess_leaves_nobody_of_a_guest_out(self):
        """The plan is made before a guest is asked, and stays; all of these carry all sizes."""
        steps = plan.Planner("guest-vfio", main.guest_guess(LISTING), (), names.WORKS).make(False)
        for work in ("trips", "rate"):
            for name in names.PEERS_GUEST:
                self.assertLessEqual(set(plan.SIZES), {
                    step.size for step in steps if step.work == work and name in step.names})


class CommandLine(unittest.TestCase):
    def options(self, *words):
        return command.options(["--out", "x", *words], pathlib.Path("/tree"))

    def test_budgets(self):
        for text, seconds in (("90s", 90), ("10m", 600), ("1h", 3600)):
            self.assertEqual(self.options("--budget", text).budget_s, seconds)
        for text in ("10", "m", "-5m", "5 m", "0s", "9s", "1d", "1.5h"):
            with self.assertRaisesRegex(command.Usage, "expected a time", msg=text):
                self.options(f"--budget={text}")

    def test_unknown_names(self):
        with self.assertRaisesRegex(command.Usage, "--only names memfi, .*memif, memif-zc"):
            self.options("--only", "channel,memfi")
        with self.assertRaisesRegex(command.Usage, "--works names trip, .*trips, rate"):
            self.options("--works", "trip")
        with self.assertRaises(command.Usage):
            self.options("--onl", "channel")

    def test_empty_values(self):
        for option in ("--out", "--only", "--works", "--budget", "--cores", "--build"):
            for words in ((option, ""), (f"{option}=",)):
                with self.assertRaisesRegex(command.Usage, f"{option} is empty, expected"):
                    self.options(*words)

    def test_cores(self):
        self.assertEqual(self.options("--cores", "2,3").cores, (2, 3))
        for text in ("2", "2,", "a,b", "2-3", "1,2,3"):
            with self.assertRaisesRegex(command.Usage, "expected two numbers"):
                self.options("--cores", text)

    def test_identity_is_the_line_without_out(self):
        self.assertEqual(command.identity(["--out", "a", "--quick"]),
                         command.identity(["--quick", "--out=b"]))


if __name__ == "__main__":
    unittest.main()
