# SPDX-License-Identifier: BSD-3-Clause
"""The figures to reach: how each is made of the rounds, and whether it is met."""

from . import figures
from .names import PORTS

AT_MOST, AT_LEAST = "at most", "at least"
VHOST = ("vhost-split", "vhost-packed")


class Unknown(Exception):
    """Why a figure is not there."""


class Rounds:
    """The kept rounds of finished steps, by the rotation they belong to."""

    def __init__(self, steps, records):
        self.cells = {}
        self.wheres = set()
        for step in steps:
            record = records.get(step.key)
            if record is None or step.told not in ("trips", "rate"):
                continue
            self.wheres.add(step.where)
            for name, entry in record["names"].items():
                kept = {r["turn"]: r for r in entry["rounds"] if r["dropped"] is None}
                self.cells[step.where, step.told, name, step.size, step.burst] = kept

    def values(self, where, work, name, size, burst):
        """{turn: rate, or p50 over the limit}"""
        kept = self.cells.get((where, work, name, size, burst), {})
        if work == "rate":
            return {turn: r["received"] * 1e9 / r["ns"] for turn, r in kept.items()}
        return {turn: r["p50"] / r["limit_ns"] for turn, r in kept.items() if r["p50"]}

    def needed(self, *cell):
        values = self.values(*cell)
        if cell[0] not in self.wheres:
            raise Unknown(f"nothing was measured there ({cell[0]})")
        if not values:
            raise Unknown(f"{cell[2]} was not measured at {cell[3]} bytes ({cell[0]})")
        return values

    def best(self, where, work, peers, size, burst):
        """Per rotation the best of the peers that were measured in it."""
        best = {}
        pick = max if work == "rate" else min
        for name in peers:
            for turn, value in self.values(where, work, name, size, burst).items():
                best[turn] = pick(best[turn], value) if turn in best else value
        if not best:
            raise Unknown(f"none of {', '.join(peers)} was measured at {size} bytes ({where})")
        return best


def ratios(ours, others):
    found = [ours[turn] / others[turn] for turn in ours if turn in others]
    if not found:
        raise Unknown("no rotation has both, undropped")
    return found


def over_limit(name, size):
    return lambda rounds, tail: list(
        rounds.needed("host", "trips", name, size, None).values())


def over(work, name, peers, size, burst, where="host"):
    def compute(rounds, tail):
        ours = rounds.needed(where, work, name, size, burst)
        return ratios(ours, rounds.best(where, work, peers, size, burst))
    return compute


def of_tail(name):
    def compute(rounds, tail):
        if tail is None:
            raise Unknown("the tail was not measured")
        if not tail.get(name):
            raise Unknown(f"{tail['samples']} samples cannot carry {name}")
        return tail[name]
    return compute


# name, text, bar, sense, where, how
TABLE = [
    ("lone-p50-8", "lone message of 8 bytes, channel of 16 cells: p50 over the limit",
     1.2, AT_MOST, "host", over_limit("channel-short", 8)),
    ("lone-p50-60", "lone message of 60 bytes, channel of 16 cells: p50 over the limit",
     1.2, AT_MOST, "host", over_limit("channel-short", 60)),
    ("lone-p50-60-1024", "the same, channel of 1024 cells",
     1.2, AT_MOST, "host", over_limit("channel", 60)),
    ("lone-p99.99", "lone message of 60 bytes, channel: p99.99 over the raw line's",
     1.2, AT_MOST, "host", of_tail("p99.99")),
    ("burst-60", "bursts of 32 messages of 60 bytes, channel: rate over the bare ring's",
     1.5, AT_LEAST, "host", over("rate", "channel", ("bare-ring",), 60, 32)),
    ("packed-8", "messages of 8 bytes in bursts of 32, packed: rate over the bare ring's",
     5.0, AT_LEAST, "host", over("rate", "packed", ("bare-ring",), 8, 32)),
    ("ethdev-p50-64", "ethdev, frames of 64 bytes: round trip p50 over the best other port's",
     0.8, AT_MOST, "host", over("trips", "ethdev", PORTS, 64, None)),
    ("ethdev-rate-64", "ethdev, frames of 64 bytes in bursts of 32: rate over the best other "
     "port's", 1.3, AT_LEAST, "host", over("rate", "ethdev", PORTS, 64, 32)),
    ("ethdev-rate-1518", "ethdev, frames of 1518 bytes in bursts of 32: rate over the best other "
     "port's", 1.0, AT_LEAST, "host", over("rate", "ethdev", PORTS, 1518, 32)),
    ("copy-64k", "64 KiB copied in and out, msg: rate over plain memcpy's",
     1.8, AT_LEAST, "host", over("rate", "msg", ("plain-copy",), 65536, 8)),
]
for guest in ("guest-vfio", "guest-uio"):
    TABLE += [
        (f"{guest}-channel-p50", f"{guest}, channel, 60 bytes: round trip p50 over the best of "
         "vhost-user's", 0.4, AT_MOST, guest,
         over("trips", "channel", VHOST, 60, None, guest)),
        (f"{guest}-ethdev-p50", f"{guest}, ethdev, 64 bytes: round trip p50 over the best of "
         "vhost-user's", 0.6, AT_MOST, guest,
         over("trips", "ethdev", VHOST, 64, None, guest)),
        (f"{guest}-ethdev-rate", f"{guest}, ethdev, 64 bytes in bursts of 32: rate over the best "
         "of vhost-user's", 1.3, AT_LEAST, guest,
         over("rate", "ethdev", VHOST, 64, 32, guest)),
    ]


def judge(entry, rounds, tail):
    name, text, bar, sense, where, how = entry
    row = {"name": name, "text": text, "bar": bar, "sense": sense, "where": where, "value": None,
           "low": None, "high": None, "met": None, "why": None}
    try:
        found = how(rounds, tail)
    except Unknown as error:
        row["why"] = str(error)
        return row
    if isinstance(found, dict):
        row.update(value=found["ratio"], low=found["low"], high=found["high"])
    else:
        middle = figures.spread(found)
        row.update(value=middle["median"], low=middle["p25"], high=middle["p75"])
    row["met"] = row["value"] <= bar if sense == AT_MOST else row["value"] >= bar
    return row


def bars(steps, records, tail):
    rounds = Rounds(steps, records)
    return [judge(entry, rounds, tail) for entry in TABLE]
