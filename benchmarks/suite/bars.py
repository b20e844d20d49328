# SPDX-License-Identifier: BSD-3-Clause
"""The figures to reach: how each is made of the rounds, and whether it is met."""

import collections

from . import figures
from .names import PORTS
from .rounds import LEAST_ROUNDS, compared, gathered, kept_by_turn

AT_MOST, AT_LEAST = "at most", "at least"
VHOST = ("vhost-split", "vhost-packed")
QUARTILES, CONFIDENCE, COUNTED = "quartiles", "95 %", "counted"
# What ours causes by itself: the kernel takes a core from whom it likes.
OWN_NOISE = ("syscalls", "minor_faults", "major_faults", "voluntary", "allocations")
DROPPED = {"lost": "lost messages", "misordered": "had messages out of their order",
           "limit": "had a limit that changed", "refused": "were refused"}


class Unknown(Exception):
    """Why a figure is not there."""


class Cell:
    """A finished step that bars are made of, by its contestants' kept rounds."""

    def __init__(self, step, record, session):
        self.step = step
        self.record = record
        self.listed = {entry["name"]: entry for entry in session.get("contestants", ())}
        self.packages = {entry["name"]: entry["package"] for entry in session.get("missing", ())}

    def kept(self, name):
        """{turn: round}"""
        return {turn: kept for turn, kept in kept_by_turn(self.record, name).items()
                if value(self.step, kept)}

    def dropped(self, name):
        """How many of its rounds were, and why, the most frequent reason first; else empty."""
        rounds = self.record["names"].get(name, {"rounds": ()})["rounds"]
        reasons = collections.Counter(r["dropped"] for r in rounds if r["dropped"])
        return ", ".join(f"{count} {DROPPED[reason]}" for reason, count in reasons.most_common())

    def failed(self, name):
        return next((fault["text"] for fault in self.record["faults"]
                     if fault["contestant"] == name), None)

    def not_here(self, name):
        """None, or why this machine cannot have it in this step."""
        if name not in self.listed:
            return f"not installed: it comes with {self.packages[name]}" \
                if name in self.packages else "not of this program"
        entry = self.listed[name]
        return None if entry["size_min"] <= self.step.size <= entry["size_max"] else \
            f"it does not carry {self.step.size} bytes"

    def not_measured(self, name):
        """None, or why it has no rounds here though it could."""
        if self.failed(name):
            return f"it failed: {self.failed(name)}"
        if self.kept(name):
            return None
        if name in self.record.get("left_out", ()):
            return "the budget was used up before"
        if name not in self.step.names:
            return "it is not in --only"
        if name not in self.record["names"]:
            return "it failed in an earlier step"
        dropped = self.dropped(name)
        return f"all its rounds were dropped: {dropped}" if dropped else "it has too few samples"


def value(step, kept):
    """Messages a second, or p50 over the limit, or None."""
    if step.told == "rate":
        return kept["received"] * 1e9 / kept["ns"]
    return kept["p50"] / kept["limit_ns"] if kept["p50"] else None


class Rounds:
    """The cells of finished steps."""

    def __init__(self, steps, records, sessions):
        done = [(step, record) for step, record in gathered(steps, records)
                if step.told in ("trips", "rate")]
        self.wheres = {step.where for step, _ in done}
        self.cells = {(step.where, step.told, step.size, step.burst):
                      Cell(step, record, sessions.get(step.where, {})) for step, record in done}

    def cell(self, where, work, size, burst, name):
        """The cell in which a contestant of ours was measured."""
        if where not in self.wheres:
            raise Unknown(f"nothing was measured there ({where})")
        cell = self.cells.get((where, work, size, burst))
        if cell is not None and cell.failed(name):
            raise Unknown(f"{name} failed: {cell.failed(name)}")
        if cell is not None and not cell.kept(name) and cell.dropped(name):
            raise Unknown(f"all rounds of {name} were dropped: {cell.dropped(name)}")
        if cell is None or not cell.kept(name):
            raise Unknown(f"{name} was not measured at {size} bytes ({where})")
        return cell


def settle(row, values):
    row["rounds"] = len(values)
    if len(values) < LEAST_ROUNDS:
        apart = f", the limits of {row['apart']} others were apart" if row["apart"] else ""
        raise Unknown(f"{len(values)} rotations have all that are compared{apart}, expected at "
                      f"least {LEAST_ROUNDS}")
    middle = figures.spread(values)
    row.update(value=middle["median"], low=middle["p25"], high=middle["p75"])


def over_limit(name, size):
    def compute(row, rounds, tail):
        cell = rounds.cell("host", "trips", size, None, name)
        settle(row, [value(cell.step, kept) for kept in cell.kept(name).values()])
    return compute


def present(row, cell, peers):
    """The peers that were measured; the row is told of the others."""
    doubts = []
    for peer in peers:
        why = cell.not_here(peer)
        if why is None:
            why = cell.not_measured(peer)
            if why:
                doubts.append(f"{peer}: {why}")
        if why is None:
            row["against"].append(peer)
        else:
            row["absent"].append([peer, why])
    # Who is not there may be better than all that are.
    row["why"] = "; ".join(doubts) or None
    if not row["against"]:
        raise Unknown(row["why"] or
                      f"none of {', '.join(peers)} was measured at {cell.step.size} bytes "
                      f"({cell.step.where})")
    return row["against"]


def over(work, name, peers, size, burst, where="host"):
    """Over the best of the peers in each rotation that has all of them."""
    def compute(row, rounds, tail):
        cell = rounds.cell(where, work, size, burst, name)
        several = [cell.kept(who) for who in [name, *present(row, cell, peers)]]
        near, row["apart"] = compared(several)
        pick = max if work == "rate" else min
        values = [[value(cell.step, kept) for kept in turn] for turn in near]
        settle(row, [ours / pick(others) for ours, *others in values])
    return compute


def of_tail(name):
    def compute(row, rounds, tail):
        row["interval"] = CONFIDENCE
        if tail is None:
            raise Unknown("the tail was not measured")
        row["rounds"] = tail["rounds"]
        found = tail.get(name)
        if found:
            row.update(value=found["ratio"], low=found["low"], high=found["high"])
        if tail["lost"] or tail["misordered"]:
            row["met"] = False
            raise Unknown(f"{tail['lost']} messages were lost and {tail['misordered']} "
                          "misordered in the tail, expected none")
        if not found:
            raise Unknown(f"{tail['samples']} samples of {tail['rounds']} rounds cannot carry "
                          f"{name}, {tail['dropped']} more had a limit that changed")
    return compute


def own_noise(row, rounds, tail):
    """The sum of what ours caused in the tail; all of it was counted, or more was than may be."""
    row["interval"] = COUNTED
    if tail is None:
        raise Unknown("the tail was not measured")
    row["rounds"] = tail["rounds"]
    counts = [tail["noise"][key] for key in OWN_NOISE]
    found = sum(count for count in counts if count is not None)
    if None in counts and not found:
        raise Unknown(f"not all is counted: {tail['uncounted']}")
    row.update(value=found, low=found, high=found)


# name, text, bar, sense, where, how
TABLE = [
    ("lone-p50-8", "lone message of 8 bytes, channel: p50 over the limit",
     1.2, AT_MOST, "host", over_limit("channel", 8)),
    ("lone-p50-60", "lone message of 60 bytes, channel: p50 over the limit",
     1.2, AT_MOST, "host", over_limit("channel", 60)),
    ("lone-p99.99", "lone message of 60 bytes, channel: p99.99 over the raw line's",
     1.2, AT_MOST, "host", of_tail("p99.99")),
    ("own-noise", "tail of channel: system calls, page faults, voluntary switches, allocations",
     0, AT_MOST, "host", own_noise),
    ("burst-60-long", "bursts of 32 messages of 60 bytes, channel-long (65536 cells): rate over the "
     "bare ring's (1024)", 1.5, AT_LEAST, "host",
     over("rate", "channel-long", ("bare-ring",), 60, 32)),
    ("burst-60", "bursts of 32 messages of 60 bytes, channel (128 cells): rate over the "
     "bare ring's (1024)", 1.5, AT_LEAST, "host",
     over("rate", "channel", ("bare-ring",), 60, 32)),
    ("packed-8", "messages of 8 bytes in bursts of 32, packed: rate over the bare ring's",
     5.0, AT_LEAST, "host", over("rate", "packed", ("bare-ring",), 8, 32)),
    ("ethdev-p50-64", "ethdev, mbufs of 64 bytes: round trip p50 over the best other port's",
     0.8, AT_MOST, "host", over("trips", "ethdev", PORTS, 64, None)),
    ("ethdev-rate-64", "ethdev, mbufs of 64 bytes in bursts of 32: rate over the best other "
     "port's", 1.3, AT_LEAST, "host", over("rate", "ethdev", PORTS, 64, 32)),
    ("ethdev-rate-1518", "ethdev, mbufs of 1518 bytes in bursts of 32: rate over the best other "
     "port's", 1.0, AT_LEAST, "host", over("rate", "ethdev", PORTS, 1518, 32)),
    ("copy-64k", "64 KiB copied in and out, msg: rate over plain memcpy's",
     1.8, AT_LEAST, "host", over("rate", "msg", ("plain-copy",), 65536, 8)),
]
for guest in ("guest-vfio", "guest-uio"):
    TABLE += [
        (f"{guest}-channel-p50", f"{guest}, channel, 60 bytes: round trip p50 over the best of "
         "vhost-user's", 0.4, AT_MOST, guest,
         over("trips", "channel", VHOST, 60, None, guest)),
        (f"{guest}-ethdev-p50", f"{guest}, ethdev, mbufs of 64 bytes: round trip p50 over the "
         "best of vhost-user's", 0.6, AT_MOST, guest,
         over("trips", "ethdev", VHOST, 64, None, guest)),
        (f"{guest}-ethdev-rate", f"{guest}, ethdev, mbufs of 64 bytes in bursts of 32 to the "
         "guest: rate over the best of vhost-user's", 1.3, AT_LEAST, guest,
         over("rate", "ethdev", VHOST, 64, 32, guest)),
    ]


def judge(entry, rounds, tail):
    name, text, bar, sense, where, how = entry
    row = {"name": name, "text": text, "bar": bar, "sense": sense, "where": where, "value": None,
           "low": None, "high": None, "interval": QUARTILES, "rounds": 0, "apart": 0,
           "against": [], "absent": [], "met": None, "why": None}
    try:
        how(row, rounds, tail)
    except Unknown as error:
        row["why"] = row["why"] or str(error)
    if row["why"] is None:
        row["met"] = row["value"] <= bar if sense == AT_MOST else row["value"] >= bar
    return row


def bars(steps, records, sessions, tail):
    rounds = Rounds(steps, records, sessions)
    return [judge(entry, rounds, tail) for entry in TABLE]
