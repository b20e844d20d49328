# SPDX-License-Identifier: BSD-3-Clause
"""The tail: ours and the raw line in turn, over the same time, on the same cores."""

from . import figures
from .driver import Fault, Refused
from .plan import TAIL_ROUNDS
from .rounds import ROUND_LIMIT, ROUND_LIMIT_S, looks_of, one_machine, rotated

OURS, RAW = "channel", "limit"
FLOOR_NS = 50_000_000  # after each rotation, on the same core
RESAMPLES = 1000
SPARE_ROUNDS = TAIL_ROUNDS // 2  # at most, for those that are dropped
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


def ratios(ours, raw):
    """Of each percentile ours over the raw line's: {"ratio", "low", "high"}, or None."""
    if len(ours.rounds) < figures.LEAST_ROUNDS:
        return dict.fromkeys(RATIOS)
    resamples = [figures.Resamples(merged, RESAMPLES) for merged in (ours, raw)]
    found = {}
    for name in RATIOS:
        share = figures.PERCENTILES[name]
        both = ours.percentile(*share), raw.percentile(*share)
        # Both have the same draws: their rounds were beside each other.
        drawn = zip(*(each.percentile(*share) for each in resamples))
        interval = figures.interval([a / b if a and b else None for a, b in drawn])
        found[name] = {"ratio": both[0] / both[1], "low": interval[0], "high": interval[1]} \
            if None not in both and interval else None
    return found


def measure(contest, step, samples, tell, count):
    """count: noise.count() of this program. @return the step's record."""
    record = {"step": step.key, "names": {}, "faults": [], "tail": None, "attached": []}
    try:
        tail = record["tail"] = _measure(contest, step.size, samples, tell, count)
        if tail["lost"] or tail["misordered"]:
            record["faults"].append({
                "contestant": OURS, "text": f"{tail['lost']} messages were lost and "
                f"{tail['misordered']} came out of their order in the tail, expected none"})
    except (Fault, Refused) as error:
        record["faults"].append({"contestant": OURS, "text": f"in the tail: {error}"})
    record["attached"] = list(contest.attached)
    contest.attached.clear()
    return record


def _measure(contest, size, samples, tell, count):
    messages = -(-samples // TAIL_ROUNDS)
    merged = {OURS: figures.Rounds(), RAW: figures.Rounds()}
    answers, floor, refusals = [], [], []
    kept = dropped = 0
    contest.open(OURS)
    for name in (OURS, RAW):
        _round(contest, name, size, min(messages, 20000), refusals)  # warm-up
    while kept < TAIL_ROUNDS and dropped < SPARE_ROUNDS:
        both = {name: _round(contest, name, size, messages, refusals)
                for name in rotated((OURS, RAW), kept + dropped)}
        answers.append(both[OURS])
        floor.append(contest.order("floor", ns=FLOOR_NS, histogram=True))
        # Ours and the raw line on cores that are nearer for one of them are no pair.
        if not one_machine(looks_of(both[OURS]) + looks_of(both[RAW])):
            dropped += 1
            continue
        kept += 1
        for name, answer in both.items():
            merged[name].add_round(answer)
        if kept % TOLD == 0:
            tell(f"tail: {kept} of {TAIL_ROUNDS} rounds, {dropped} more were dropped")
    called, uncounted = count()
    return {"contestant": OURS, "samples": merged[OURS].samples, "rounds": kept,
            "dropped": dropped, **ratios(merged[OURS], merged[RAW]),
            # Also what happened in dropped rounds did happen.
            **{key: sum(answer[key] for answer in answers) for key in ("lost", "misordered")},
            "refused": len(refusals),
            "noise": noise(answers, called), "uncounted": uncounted,
            "floor": floors(floor),
            "raw": merged[RAW].percentiles(), "ours": merged[OURS].percentiles()}


def _round(contest, name, size, messages, refusals):
    """One that is refused is asked for once more in the whole tail."""
    asked = {"contestant": name, "work": "trips", "size": size, "burst": 1, "links": 1,
             "messages": messages, "interval_ns": 0, "bulk_size": 0, "waiting": False,
             "histogram": True}
    limit_s = ROUND_LIMIT_S + ROUND_LIMIT * messages * EACH_S
    try:
        return contest.order("round", limit_s, **asked)
    except Refused as error:
        refusals.append(str(error))
        if len(refusals) > 1:
            raise
        return contest.order("round", limit_s, **asked)
