# SPDX-License-Identifier: BSD-3-Clause
"""The tail: ours and the raw line in turn, over the same time, on the same cores."""

from . import figures
from .driver import Fault, Refused
from .plan import TAIL_ROUNDS
from .rounds import ROUND_LIMIT, ROUND_LIMIT_S, rotated

OURS, RAW = "channel", "limit"
FLOOR_NS = 50_000_000  # after each rotation, on the same core
RESAMPLES = 1000
TOLD = 5  # a line of progress for so many rounds
EACH_S = 10e-6  # of a trip, at most
RATIOS = ("p99", "p99.9", "p99.99")
COUNTS = ("minor_faults", "major_faults", "voluntary", "involuntary")


def floors(found):
    """One floor of many: the gaps of all, and the largest of them."""
    merged = figures.Histogram()
    for floor in found:
        steps = floor.get("histogram") or []
        merged.add(steps, sum(count for _, count in steps), floor["gaps"].get("min"),
                   floor["max_ns"])
    return merged.percentiles()


def noise(answers, called):
    """What the measured loops caused, both sides; None: not counted."""
    counts = dict(called)
    for key in COUNTS:
        counts[key] = sum((answer.get(side) or {}).get(key, 0)
                          for answer in answers for side in ("near", "far"))
    return counts


def measure(contest, step, samples, tell, count):
    """count: noise.count() of this program. @return the step's record."""
    record = {"step": step.key, "names": {}, "faults": [], "tail": None, "attached": []}
    try:
        record["tail"] = _measure(contest, step.size, samples, tell, count)
    except (Fault, Refused) as error:
        record["faults"].append({"contestant": OURS, "text": f"in the tail: {error}"})
    record["attached"] = list(contest.attached)
    contest.attached.clear()
    return record


def _measure(contest, size, samples, tell, count):
    messages = -(-samples // TAIL_ROUNDS)
    merged = {OURS: figures.Histogram(), RAW: figures.Histogram()}
    answers = {OURS: [], RAW: []}
    floor = []
    refusals = []
    contest.open(OURS)
    contest.order("forget")
    for name in (OURS, RAW):
        _round(contest, name, size, min(messages, 20000), False, refusals)  # warm-up
    for turn in range(TAIL_ROUNDS):
        for name in rotated((OURS, RAW), turn):
            answer = _round(contest, name, size, messages, True, refusals)
            answers[name].append(answer)
            merged[name].add_round(answer)
        floor.append(contest.order("floor", ns=FLOOR_NS, histogram=True))
        if (turn + 1) % TOLD == 0:
            tell(f"tail: {turn + 1} of {TAIL_ROUNDS} rounds")
    bootstrap = contest.order("bootstrap", 60, contestant=OURS, resamples=RESAMPLES)
    contest.order("forget")
    called, uncounted = count()
    return {"contestant": OURS, "samples": merged[OURS].samples, "rounds": TAIL_ROUNDS,
            **{name: bootstrap.get(name) for name in RATIOS},
            **{key: sum(answer.get(key) or 0 for answer in answers[OURS])
               for key in ("lost", "misordered")},
            "refused": len(refusals),
            "noise": noise(answers[OURS], called), "uncounted": uncounted,
            "floor": floors(floor),
            "raw": merged[RAW].percentiles(), "ours": merged[OURS].percentiles()}


def _round(contest, name, size, messages, keep, refusals):
    """One that is refused is asked for once more in the whole tail."""
    asked = {"contestant": name, "work": "trips", "size": size, "burst": 1, "links": 1,
             "messages": messages, "interval_ns": 0, "bulk_size": 0, "waiting": False,
             "histogram": True, "keep": keep}
    limit_s = ROUND_LIMIT_S + ROUND_LIMIT * messages * EACH_S
    try:
        return contest.order("round", limit_s, **asked)
    except Refused as error:
        refusals.append(str(error))
        if len(refusals) > 1:
            raise
        return contest.order("round", limit_s, **asked)
