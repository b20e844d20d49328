# SPDX-License-Identifier: BSD-3-Clause
"""The course of a run: cores, sessions, plan, steps, documents."""

import contextlib
import datetime
import hashlib
import math
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time

from . import command, document, driver, names, noise, place, plan, state, tail, text
from .rounds import Runner

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DONE, FAILED, USAGE = 0, 1, 2
# Beyond the budget's end a step is left out; who stays in it to the end overdraws by so much.
OVERDRAFT = 1.05


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class BrokenOff(BaseException):
    """One of SIGNALS."""


def say(sentence):
    # A terminal that is gone keeps nobody from writing the results.
    with contextlib.suppress(OSError):
        print(f"benchmarks/run: {sentence}", file=sys.stderr, flush=True)


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def commit():
    """Of the tree, with + when it was changed; None when git does not know."""
    try:
        head, changed = (subprocess.run(["git", "-C", str(ROOT), *words], check=True, timeout=30,
                                        capture_output=True, text=True).stdout.strip()
                         for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "-uno")))
        return head + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None


def fingerprint(paths):
    """Of what is in files, as far as they can be read."""
    found = hashlib.sha256()
    for path in paths:
        with contextlib.suppress(OSError):
            found.update(path.read_bytes())
    return found.hexdigest()


def contest_program(options):
    return options.build / "benchmarks" / "contest" / "contest"


def libraries(build):
    """The shared ones that the programs load from their build."""
    return [path for folder in ("lib", "drivers") for path in sorted((build / folder).glob("*.so*"))
            if not path.is_symlink()]


def identity(options, argv):
    """What a state is known by: figures of two of them do not belong in one table."""
    program = contest_program(options)
    return {"command": command.identity(argv), "commit": commit(),
            # A commit is not known everywhere.
            "suite": fingerprint(sorted(pathlib.Path(__file__).parent.glob("*.py"))),
            "program": fingerprint([program]),
            "guest": fingerprint([program.with_name("contest-guest")]),
            "libraries": fingerprint(libraries(options.build)),
            "cores": f"{options.near_core},{options.far_core}", "node": platform.node(),
            "boot": place.read(pathlib.Path("/proc/sys/kernel/random/boot_id")), "begun": now()}


class Course:
    """One run of the suite."""

    def __init__(self, options, argv):
        options.build = options.build.resolve()
        self.program = contest_program(options)
        if not os.access(self.program, os.X_OK) or not self.program.is_file():
            raise command.Usage(f"{self.program} cannot be used, expected the contest program: "
                                "build it (ninja -C build), or name its build folder by --build")
        machine = place.Machine()
        self.options = options
        self.label = options.label
        options.near_core, options.far_core = options.cores or machine.choose()
        machine.check(options.near_core, options.far_core)
        self.state = state.State(options.out, identity(options, argv))
        options.folder = self.state.folder
        self.place = {**machine.facts(options.near_core, options.far_core),
                      "versions": {**place.versions(self.program),
                                   "build": place.build_type(options.build)}}
        self.spent = self.state.seconds()
        self.begun = time.monotonic()
        self.left_out = []
        self.faults = []
        self.broken_off = False
        self.contest = None
        # One that is broken off at once still shows what was measured before.
        self.plan = plan.from_json(self.state.plan["plan"]) if self.state.plan else \
            plan.Plan([], [], 0, 0.0, 0)
        self.budget_s = options.budget_s
        self.progress = text.Progress(sys.stderr, 0)

    def wanted(self, where, name):
        return not self.options.only or name in self.options.only or \
            any(name in step.names for step in self.plan.steps if step.where == where)

    def sessions(self):
        cores = f"{self.options.near_core},{self.options.far_core}"
        found = [driver.on_the_host([str(self.program), "--cores", cores])]
        if self.options.guest is False or (self.options.guest is None and self.options.quick):
            return found
        from . import guest  # what it needs is needed by guests only
        why = guest.why_not(self.options)
        if why is None:
            return found + list(guest.sessions(self.options))
        self.progress.say(f"no guest: {why}")
        if self.options.guest:
            self.faults.append({"step": "guest", "text": why})
        else:
            self.left_out.append((plan.Step("guest", "trips"), why))
        return found

    def listing(self, session):
        """Who takes part in a session, asked of its program once."""
        if session.where not in self.state.sessions:
            begun = time.monotonic()
            contest = self.contest = self.open(session)
            listed = contest.order("list")
            there, missing = with_devices(session, listed["contestants"], listed["missing"])
            self.state.add({"session": session.where, "start": contest.start,
                            "contestants": there, "missing": missing,
                            "seconds": time.monotonic() - begun})
        return self.state.sessions[session.where]["contestants"]

    def open(self, session):
        if self.contest is not None and self.contest.session is session:
            return self.contest
        self.end()
        return driver.Contest(session, self.state.folder / f"{session.where}.log")

    def end(self):
        contest, self.contest = self.contest, None
        if contest is not None:
            contest.stop()

    def make_plan(self, sessions):
        """The one that was begun, unless other sessions can be had now."""
        if self.options.quick:
            guests = len(sessions) - 1
            self.budget_s = min(self.budget_s, plan.QUICK_S + guests * plan.QUICK_GUEST_S)
        wheres = [session.where for session in sessions]
        if self.state.plan and self.state.plan["wheres"] == wheres:
            return
        self.plan = plan.fit(plan.running_order(self.all_steps(sessions)), self.budget_s,
                             self.options.quick)
        if self.plan.steps:
            self.state.add({"wheres": wheres, "plan": plan.as_json(self.plan)})

    def all_steps(self, sessions):
        steps = []
        for session in sessions:
            try:
                # A guest boots when its turn comes; until then it has what the host's has.
                listed = self.listing(session if session.where in self.state.sessions
                                      else sessions[0])
            except (driver.Broken, driver.Refused, driver.Fault) as error:
                self.faults.append({"step": session.where, "text": str(error)})
                raise
            if session.where != "host" and session.where not in self.state.sessions:
                listed = with_devices(session, guest_guess(listed), [])[0]
            steps += plan.Planner(session.where, listed, self.options.only,
                                  self.options.works).make(self.options.quick)
        return steps

    def elapsed(self):
        return self.spent + time.monotonic() - self.begun

    def run(self):
        sessions = self.sessions()
        self.make_plan(sessions)
        if not self.plan.steps:
            raise command.Usage(self.nothing(len(sessions) > 1))
        self.tell_place()
        todo = [step for step in self.plan.steps if step.key not in self.state.steps]
        self.progress.steps = len(todo)
        # The host's last, as in the plan.
        for session in sorted(sessions, key=lambda session: session.where == "host"):
            mine = [step for step in todo if step.where == session.where]
            if mine:
                self.run_session(session, mine, todo)
        self.end()

    def nothing(self, guests):
        alone = [name for name in self.options.only if name in names.PEERS_GUEST and not guests]
        return ("there is nothing to measure, expected a contestant of --only that is there and "
                "does a work of --works" +
                (", of which --quick has trips, rate and tail" if self.options.quick else "") +
                (f", and a guest (--guest) for {', '.join(alone)}" if alone else "") +
                ": benchmarks/run --list tells who is missing")

    def tell_place(self):
        self.place["versions"]["dpdk"] = self.state.sessions["host"]["start"].get("dpdk")
        checker = self.options.build / "app" / "nahanni-check"
        # What guest.py has devtools/vm boot with.
        self.place["accelerator"] = "tcg" if any(step.where != "host"
                                                 for step in self.plan.steps) else None
        self.place["checks"] = place.checks(checker, self.options.near_core,
                                            self.options.far_core)

    def run_session(self, session, steps, todo):
        try:
            for boot, part in enumerate(by_boot(steps)):
                if boot:
                    self.end()
                self.run_steps(self.runner(session), part, todo)
        except (driver.Broken, driver.Refused, driver.Fault) as error:
            self.progress.say(f"{session.where}: {error}")
            self.faults.append({"step": session.where, "text": str(error)})

    def run_steps(self, runner, steps, todo):
        for step in steps:
            seconds_left = sum(self.plan.seconds(other) for other in todo
                               if other.key not in self.state.steps)
            self.run_step(runner, step, seconds_left * self.slowness())

    def runner(self, session):
        self.contest = self.open(session)
        return Runner(self.contest, self.listing(session), self.plan.rounds, self.plan.round_s,
                      self.progress.say)

    def slowness(self):
        """How much longer steps took than was planned: this machine, this hour."""
        done = [step for step in self.plan.steps if step.key in self.state.steps]
        planned = sum(self.plan.seconds(step) for step in done)
        took = sum(self.state.steps[step.key].get("seconds", 0) for step in done)
        return max(1.0, took / planned) if planned else 1.0

    def run_step(self, runner, step, seconds_left):
        end_s = math.inf if step.rank == plan.HEADLINE and not self.options.quick else \
            self.budget_s * OVERDRAFT
        if self.elapsed() + self.plan.seconds(step) > end_s:
            self.left_out.append((step, document.LATE))
            return
        runner.deadline = self.begun + end_s - self.spent
        self.progress.step(step.key, len(step.names), seconds_left)
        begun = time.monotonic()
        if step.work == "tail":
            record = tail.measure(self.contest, step, self.plan.tail_samples, self.progress.say,
                                  self.count_noise)
        else:
            record = runner.step(step)
        self.keep(step, {**record, "seconds": time.monotonic() - begun})

    def keep(self, step, record):
        """A step in which nobody was measured is not done: the same command tries it again."""
        if record["names"] or record.get("tail") or \
                (step.work == "attach" and record["attached"]):
            self.state.add(record)
            return
        self.faults += [{"step": step.key, **fault} for fault in record["faults"]]
        if step.work != "tail":
            self.left_out.append((step, document.LATE if record.get("left_out")
                                  else "all its contestants failed"))

    def count_noise(self):
        cores = f"{self.options.near_core},{self.options.far_core}"
        return noise.count(self.program, self.options.build, cores,
                           self.state.folder / "noise.log")

    def finish(self):
        """Write the documents. @return the exit status."""
        results = document.document(self)
        document.write(self.options.out, results)
        why = document.write_page(ROOT, self.options.out)
        if why:
            say(why)
        for line in text.lines(results):
            print(line)
        print(f"\n{self.options.out / 'results.json'}" +
              ("" if why else f", {self.options.out / 'report.html'}"))
        return FAILED if why or self.broken_off or results["faults"] else DONE


def by_boot(steps):
    """
    A session's steps in parts, each with a boot before it. What is measured in one boot only
    takes the last that is there.
    """
    parts, boot = [[]], 1
    for step in steps:
        if step.boot > boot:
            boot = step.boot
            parts.append([])
        parts[-1].append(step)
    return [part for part in parts if part]


def with_devices(session, listed, missing):
    """Of a guest's contestants those that it has devices for; the host's are all there."""
    if "--device" not in session.argv:
        return listed, missing
    devices = session.argv[session.argv.index("--device") + 1]
    there = {"limit"} | {device.partition("=")[0] for device in devices.split(";")}
    return ([entry for entry in listed if entry["name"] in there],
            missing + [{"name": name, "package": needs} for name, needs in names.NEEDS.items()
                       if name not in there])


def guest_guess(listed):
    """A guest's contestants before it is asked: those of the host that can be in one."""
    found = [entry for entry in listed if names.takes_part("guest", entry["name"])]
    there = {entry["name"] for entry in found}
    return found + [{"name": name, "size_min": 8, "size_max": 1 << 20}
                    for name in names.PEERS_GUEST if name not in there]


def print_list(options):
    """--list: from the program where there is one, which knows what is missing."""
    what = {name: "in a guest only" for name in names.PEERS_GUEST}
    what.update({name: f"in a guest only, and with {needs}" for name, needs in names.NEEDS.items()})
    contest = driver.Contest(driver.on_the_host([str(contest_program(options))]), os.devnull)
    try:
        listed = contest.order("list")
        what.update({entry["name"]: entry["what"] for entry in listed["contestants"]})
        what.update({entry["name"]: f"missing: comes with {entry['package']}"
                     for entry in listed["missing"]})
    except (driver.Broken, driver.Fault, driver.Refused) as error:
        say(str(error))
    finally:
        contest.stop()
    for name in names.KNOWN:
        print(f"{name:16} {what.get(name, '')}".rstrip())
    print(f"\nworks: {', '.join(names.WORKS)}")
    return DONE


def heed_signals(how):
    """What is ignored stays so: nohup."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, how)


def break_off(number, frame):
    heed_signals(signal.SIG_IGN)
    raise BrokenOff


def told(error, course):
    return (f"{error.filename or course.options.out} cannot be used ({error.strerror}), expected "
            "room and the right to write: the same command goes on when there is")


def run(options, argv):
    course = Course(options, argv)
    try:
        course.run()
        # What is left is short, and has to be whole.
        heed_signals(signal.SIG_IGN)
    except BrokenOff:
        course.broken_off = True
        say("broken off; the same command goes on from here")
    except command.Usage:
        if not course.state.steps:
            course.state.discard()
        course.state.close()
        raise
    except OSError as error:
        course.broken_off = True
        say(told(error, course))
    except (driver.Broken, driver.Refused, driver.Fault) as error:
        say(str(error))
    finally:
        heed_signals(signal.SIG_IGN)
        course.end()
    try:
        return course.finish()
    except OSError as error:
        say(told(error, course))
        return FAILED
    finally:
        course.state.close()


def main(argv):
    heed_signals(break_off)
    try:
        options = command.options(argv, ROOT)
        if options.help:
            print(command.HELP, end="")
            return DONE
        return print_list(options) if options.list else run(options, argv)
    except (command.Usage, place.Unplaced, state.Unusable) as error:
        say(str(error))
        return USAGE
    except BrokenOff:
        say("broken off before anything was measured")
        return FAILED
