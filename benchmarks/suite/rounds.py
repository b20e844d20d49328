# SPDX-License-Identifier: BSD-3-Clause
"""A step: its contestants in rotated rounds, each between two looks at the limit."""

import dataclasses
import math
import time

from . import figures
from .driver import Fault, Refused
from .names import PORTS, is_ours
from .plan import GUEST

LIMIT_DRIFT = 0.2  # of the limit around a round: more drops the round
LEAST_ROUNDS = figures.LEAST_ROUNDS
LEAST_SAMPLES = 2 * figures.SCARCE  # for a p50
CALIBRATION_FIRST = 64
CALIBRATION_STEPS = 8
ROUND_MOST_S = 2.0
# To a round's expected time; what is lost takes 0.2 s at each side.
ROUND_LIMIT = 10
ROUND_LIMIT_S = 40
ATTACH_TIMES = 3
ATTEMPTS = 2  # a contestant that took the program down so often is out
ASKED = 2  # times for a round: the limit of a side that was held up is not answered in time


def rotated(names, turn):
    """
    The order of contestants in a rotation: each time the next one begins, and at odd turns they
    go the other way round, so that nobody always follows the same one.
    """
    step = -1 if turn % 2 else 1
    return [names[(turn + step * i) % len(names)] for i in range(len(names))]


def looks_of(answer):
    """The limit before a round and after it."""
    return [answer.get("limit_before_ns"), answer.get("limit_after_ns")]


def one_machine(limits):
    """Whether the limit was about the same in all looks at it."""
    return all(limits) and max(limits) <= (1 + LIMIT_DRIFT) * min(limits)


def limit_of(answer):
    """The limit around a round, or None where the machine changed meanwhile."""
    looks = looks_of(answer)
    return sum(looks) / 2 if one_machine(looks) else None


def median_of(answer):
    """Between the steps of the clock, as the limit's is, where N can carry it."""
    if (answer.get("samples") or 0) < LEAST_SAMPLES:
        return None
    return answer.get("median_ns") or (answer.get("percentiles") or {}).get("p50")


def judged(answer, turn):
    """What is kept of a round."""
    limit = limit_of(answer)
    lost = answer.get("lost") or 0
    kept = {"turn": turn, "limit_ns": limit, "ns": answer["ns"], "received": answer["received"],
            "lost": lost, "misordered": answer.get("misordered") or 0,
            "samples": answer.get("samples") or 0,
            "p50": median_of(answer),
            "near": answer.get("near"), "far": answer.get("far"), "dropped": None}
    if lost:
        kept["dropped"] = "lost"
    elif kept["misordered"]:
        kept["dropped"] = "misordered"
    elif limit is None:
        kept["dropped"] = "limit"
    return kept


def refused(turn, why):
    """What is kept of a round that the program refused."""
    return {"turn": turn, "limit_ns": None, "ns": None, "received": 0, "lost": 0, "misordered": 0,
            "samples": 0, "p50": None, "near": None, "far": None, "dropped": "refused",
            "why": why}


def beside(step, ready, name):
    """Whom a figure compares a contestant with in the same rotation, itself among them."""
    found = {name}
    if step.reference in ready:
        found.add(step.reference)
    if name == "ethdev" or (name == "channel" and step.where != "host"):
        found.update(port for port in PORTS if port in ready)
    return found


def kept_by_turn(record, name):
    """{turn: round} of a contestant in a step."""
    rounds = record["names"].get(name, {"rounds": ()})["rounds"]
    return {kept["turn"]: kept for kept in rounds if kept["dropped"] is None}


def compared(several):
    """
    Of contestants' {turn: round} the turns that all have, as tuples of their rounds, and how many
    more there are whose limits were apart: cores that are nearer to each other do not only make
    all faster, what a contestant does beside waiting for lines weighs more then.
    """
    first = several[0]
    turns = [tuple(rounds[turn] for rounds in several) for turn in first
             if all(turn in rounds for rounds in several)]
    near = [found for found in turns if one_machine([kept["limit_ns"] for kept in found])]
    return near, len(turns) - len(near)


def gathered(steps, records):
    """
    [(step, record)] of the finished steps. What was measured in several boots is one cell, whose
    turns go on from boot to boot.
    """
    found = {}
    for step in steps:
        if step.key in records:
            found.setdefault(dataclasses.replace(step, boot=1).key, []).append(step)
    return [(several[0], one_record([records[step.key] for step in several]))
            for several in found.values()]


def one_record(boots):
    """Of records of one cell."""
    if len(boots) == 1:
        return boots[0]
    names = {}
    turns = 0
    for record in boots:
        for name, entry in record["names"].items():
            whole = names.setdefault(name, {"rounds": [], "histograms": []})
            whole["rounds"] += [{**kept, "turn": turns + kept["turn"]} for kept in entry["rounds"]]
            whole["histograms"].append(entry["histogram"])
        turns += 1 + max((kept["turn"] for entry in record["names"].values()
                          for kept in entry["rounds"]), default=0)
    for entry in names.values():
        entry["histogram"] = figures.one_histogram(entry.pop("histograms"))
    return {**boots[0], "names": names,
            **{key: [one for record in boots for one in record[key]]
               for key in ("faults", "left_out", "attached")}}


def kept_of_all(record, found):
    """How many rotations a figure can be made of that compares all of them."""
    return len(compared([kept_by_turn(record, name) for name in found])[0])


class Runner:
    """Runs steps on a session's program."""

    def __init__(self, contest, listing, rounds, round_s, tell=lambda text: None,
                 deadline=math.inf):
        self.contest = contest
        self.listing = {entry["name"]: entry for entry in listing}
        self.rounds = rounds
        self.round_s = round_s
        self.tell = tell
        self.deadline = deadline  # of time.monotonic(): no round begins later
        self.trips = {}  # (name, size): a trip over the limit of its time, for loads
        self.limit_ns = None  # the last that was seen
        self.deaths = {}
        self.warm = {}  # name: the start of the program since which it had a round

    def order(self, step, name, messages, work=None, interval_ns=0, expected_s=0.0,
              refusals=None):
        """refusals: a list that gets why the program refused a round, each time."""
        work = work or step.order
        links = step.opened if name != "limit" else 1
        self.contest.open(name, links, step.ring or 0)
        asked = {"contestant": name, "work": work, "size": step.size, "burst": step.burst or 1,
                 "links": links, "messages": messages, "interval_ns": interval_ns,
                 "bulk_size": step.bulk or 0, "waiting": step.waiting,
                 "histogram": work != "rate"}
        limit_s = ROUND_LIMIT_S + ROUND_LIMIT * expected_s
        for left in reversed(range(ASKED)):
            try:
                answer = self.contest.order("round", limit_s, **asked)
                break
            except Refused as error:
                if refusals is not None:
                    refusals.append(str(error))
                if not left:
                    raise
        self.warm[name] = self.contest.starts
        self.limit_ns = answer.get("limit_after_ns") or self.limit_ns
        return answer

    def calibrate(self, step, name, work=None, interval_ns=0):
        """
        @return messages that take about round_s, and the ns of each. Warms up as well. One
        round alone may have been held up by something else: two that last say what one costs.
        """
        goal_ns = self.round_s * 1e9
        least = 4 * (step.burst or 1) if (work or step.order) == "rate" else LEAST_SAMPLES
        messages = max(CALIBRATION_FIRST, least)
        each = None
        lasted = 0
        for _ in range(CALIBRATION_STEPS):
            answer = self.order(step, name, messages, work, interval_ns, ROUND_MOST_S)
            took_ns = max(1, answer["ns"])
            each = min(each or took_ns, took_ns / messages)
            lasted += 2 if took_ns >= goal_ns else took_ns >= goal_ns / 8
            if lasted >= 2 or answer.get("lost"):
                break
            messages = max(least, min(50 * messages, int(goal_ns / 4 / each)))
        wanted = max(least, int(goal_ns / each))
        return max(1, min(wanted, int(ROUND_MOST_S * 1e9 / each))), each

    def interval(self, step, name):
        if step.load is None:
            return step.gap_ns or 0
        # Virtual cores come nearer and go away: a load is one of what trips carry now.
        key = name, step.size
        if key not in self.trips:
            self.trips[key] = self.calibrate(step, name, "trips")[1] / self.limit_ns
        return max(1, round(self.trips[key] * self.limit_ns * 100 / step.load))

    def fault(self, record, name, error):
        """The contestant is out of this step, and of all when it took the program down twice."""
        if isinstance(error, Fault):
            self.deaths[name] = self.deaths.get(name, 0) + 1
        record["faults"].append({"contestant": name, "text": str(error)})
        self.tell(f"{name}: {error}")

    def prepare(self, step, record):
        """@return {name: messages of a round} of those that can."""
        ready = {}
        for name in step.names:
            if self.deaths.get(name, 0) >= ATTEMPTS or name not in self.listing:
                continue
            if self.late():
                record["left_out"].append(name)
                continue
            try:
                interval_ns = self.interval(step, name)
                ready[name] = self.calibrate(step, name, None, interval_ns)[0]
            except (Fault, Refused) as error:
                self.fault(record, name, error)
        return ready

    def late(self):
        return time.monotonic() >= self.deadline

    def rotation(self, step, record, ready, names, turn):
        for name in rotated(names, turn) if names else ():
            entry = record["names"].setdefault(name, {"rounds": [], "histogram": None})
            try:
                self.round(step, entry, name, ready[name], turn)
            except (Fault, Refused) as error:
                del ready[name]
                self.fault(record, name, error)

    def round(self, step, entry, name, messages, turn):
        """Raises Fault or Refused where it is the contestant's last of the step."""
        asked = step, name, messages, None, self.interval(step, name), ROUND_MOST_S
        self.contest.open(name, step.opened, step.ring or 0)
        if self.warm.get(name) != self.contest.starts:
            self.order(*asked)
        kept = self.one_round(step, entry, asked, turn)
        if is_ours(name) and kept["lost"]:
            # A side that is held up for long loses by silence, whoever it is.
            kept = self.one_round(step, entry, asked, turn)
        if is_ours(name) and (kept["lost"] or kept["misordered"]):
            raise Refused(f"{kept['lost']} messages were lost and {kept['misordered']} came out "
                          "of their order, expected none")

    def one_round(self, step, entry, asked, turn):
        refusals = []
        try:
            answer = self.order(*asked, refusals)
        finally:
            entry["rounds"] += [refused(turn, why) for why in refusals]
        kept = judged(answer, turn)
        entry["rounds"].append(kept)
        if kept["dropped"] is None and step.order != "rate":
            entry.setdefault("merged", figures.Rounds()).add_round(answer)
        return kept

    def step(self, step):
        """@return the step's record, for state.py and document.py."""
        record = {"step": step.key, "names": {}, "faults": [], "left_out": []}
        if step.work == "attach":
            self.attach(step, record)
        elif step.work in ("links", "queues"):
            # All of them with that many have no room beside each other.
            for name in step.names:
                self.measure(dataclasses.replace(step, names=(name,)), record)
                self.leave(name, record)
        else:
            self.measure(step, record)
        for entry in record["names"].values():
            merged = entry.pop("merged", None)
            entry["histogram"] = merged.as_json() if merged else None
        # Who failed before his first round has no figure.
        record["names"] = {name: entry for name, entry in record["names"].items()
                           if entry["rounds"]}
        record["attached"] = list(self.contest.attached)
        self.contest.attached.clear()
        return record

    def leave(self, name, record):
        try:
            self.contest.close(name)
        except (Fault, Refused) as error:
            self.fault(record, name, error)

    def measure(self, step, record):
        ready = self.prepare(step, record)
        for turn in range(self.rounds):
            # The first one is for what the calibration was.
            if turn == 0 or not self.late():
                self.rotation(step, record, ready, list(ready), turn)
        # Rounds that were dropped leave some with too few: they get others, not without end.
        for turn in range(self.rounds, 2 * self.rounds):
            least = min(LEAST_ROUNDS, self.rounds)
            few = [name for name in ready
                   if kept_of_all(record, beside(step, ready, name)) < least]
            if not few or self.late():
                break
            self.rotation(step, record, ready, self.again(step, ready, few), turn)

    @staticmethod
    def again(step, ready, few):
        # A bar compares several contestants of the same rotation.
        if step.rank <= GUEST:
            return list(ready)
        return [name for name in ready if name in few or name == step.reference]

    def attach(self, step, record):
        for turn in range(ATTACH_TIMES):
            for name in rotated(step.names, turn):
                if self.deaths.get(name, 0) >= ATTEMPTS or name not in self.listing:
                    continue
                try:
                    self.contest.begin()
                    self.contest.close(name)
                    self.contest.open(name)
                except (Fault, Refused) as error:
                    self.fault(record, name, error)
