# SPDX-License-Identifier: BSD-3-Clause
"""What is measured, in which order, and what a budget has room for."""

import dataclasses

from . import names

SIZES = (8, 48, 60, 64, 256, 1500, 4096, 65536)
SIZES_BETWEEN = (48, 256, 4096)  # their rates lie between those of their neighbours
BURST = 32  # where one stands for all
SIZES_OF_BURSTS = (60, 1500, 65536)  # of the other bursts: a cell, a frame, a copy
FRAME_FULL = 1518
BANDWIDTH = (262144, 1048576)
LOADS = (10, 50, 90, 100, 150)
LINKS = (1, 8, 64, 256)
QUEUES = (1, 2, 4, 8)  # more no port of the contest has
RINGS = (16, 64, 256, 1024, 4096, 16384, 65536)
# Against a ring's size: the line that a ring costs by itself, and what is made of rings.
RINGS_OF = ((60, ("channel", "bare-ring")),
            (64, ("ethdev", "msg", "rte-ring", "cached-ring", "memif")))
GAPS_NS = (1_000_000, 10_000)
CALL_SIZES = (64, 1500)
CONTROL_GAP_NS = 10_000
BULK = (4096, 1500, 60)

# Rounds of a step, seconds of a round and boots of a guest, from what is wanted to the least that
# is accepted: ten minutes, with two guests, have room for this least of all steps but those of
# REST.
PACES = ((7, 0.3, 7), (7, 0.2, 7), (6, 0.2, 7), (5, 0.2, 7), (4, 0.2, 7), (3, 0.2, 7),
         (3, 0.2, 3))
PACE_QUICK = (4, 0.03, 1)
BOOTS_MOST = 7
QUICK_S = 100
QUICK_GUEST_S = 90
TAIL_ROUNDS = 20
TAIL_SAMPLES = 10_000_000
TAIL_SAMPLES_QUICK = 200_000

# What is paid beside a round (the limit before and after it), before a contestant's first one
# in a step (calibration), and before a session's first step.
BESIDE_S = 0.02
CALIBRATION_S = 0.06
SESSION_S = {"host": 5.0}
SESSION_GUEST_S = 12.0  # each boot
OPEN_S = 0.2
TAIL_SAMPLE_S = 1.2e-6
# Kept back: documents, rounds that are run again.
SHARE = 0.9

# The lower, the longer a step stays in the plan.
HEADLINE, GUEST, TRIPS, SHAPES, SPECIAL, REST = range(6)

HEADLINE_RATES = ((60, BURST), (8, BURST), (64, BURST), (FRAME_FULL, BURST), (65536, 8))
HEADLINE_RATES_GUEST = ((64, BURST), (60, BURST), (FRAME_FULL, BURST))
# What a guest's bars compare, in each boot: where QEMU and the guest's kernel put their code and
# pages moves a port's trips by a third, the same in all rounds of a boot.
BOOT_PEERS = ("vhost-split", "vhost-packed")
BOOT_STEPS = (("trips", 64, None, "ethdev"), ("trips", 60, None, "channel"),
              ("rate", 64, BURST, "ethdev"))
CHANNELS = ("channel", "channel-long", "channel-split")

# The contest's names of works that are special cases of others.
ORDERS = {"bandwidth": "rate", "links": "trips", "queues": "trips", "rpc": "trips"}
# In these a contestant is opened with more than its defaults.
OPENED_ANEW = ("links", "queues", "rings")


def order_of(work, burst=None):
    """The contest's name of a work; rings have trips, and rates where a burst is told."""
    if work == "rings":
        return "trips" if burst is None else "rate"
    return ORDERS.get(work, work)


@dataclasses.dataclass(frozen=True)
class Step:
    """One cell of the tables: all contestants of it in rotated rounds."""
    where: str
    work: str  # of names.WORKS
    size: int = None
    burst: int = None
    links: int = 1
    queues: int = None  # of a port
    ring: int = None  # entries of each ring
    load: int = None  # per cent of what trips carry
    gap_ns: int = None
    bulk: int = None
    waiting: bool = False
    names: tuple = ()
    reference: str = None
    rank: int = REST
    boot: int = 1  # of a guest: the same cell is measured again after the next

    @property
    def key(self):
        parts = [self.where, self.work]
        for name, value in (("size", self.size), ("burst", self.burst), ("queues", self.queues),
                            ("ring", self.ring), ("load", self.load), ("gap", self.gap_ns),
                            ("bulk", self.bulk)):
            if value is not None:
                parts.append(f"{name}={value}")
        if self.work == "links":
            parts.append(f"links={self.links}")
        if self.waiting:
            parts.append("waiting")
        if self.boot > 1:
            parts.append(f"boot={self.boot}")
        return "/".join(parts)

    @property
    def order(self):
        """The contest's name of the work."""
        return order_of(self.work, self.burst)

    @property
    def opened(self):
        """Links that the contest opens: a port's are its queues."""
        return self.queues or self.links

    @property
    def told(self):
        """As figures of the results name the work."""
        return "rate" if self.work == "bandwidth" else self.work


@dataclasses.dataclass
class Plan:
    steps: list
    left_out: list  # (step, why)
    rounds: int
    round_s: float
    tail_samples: int
    boots: int = 1

    def seconds(self, step):
        return cost(step, self.rounds, self.round_s, self.tail_samples)


def as_json(plan):
    return dataclasses.asdict(plan)


def from_json(kept):
    """The same plan again: a run that goes on measures what it was to measure."""
    def step(words):
        return Step(**{**words, "names": tuple(words["names"])})
    return Plan(**{**kept, "steps": [step(words) for words in kept["steps"]],
                   "left_out": [(step(words), why) for words, why in kept["left_out"]]})


class Planner:
    """Makes the steps of a session from what its program lists."""

    def __init__(self, where, listing, wanted, works):
        self.where = where
        self.contestants = {entry["name"]: entry for entry in listing
                            if names.takes_part(where, entry["name"])}
        self.wanted = wanted
        self.works = works
        self.steps = []

    def carry(self, size, among=None):
        """Names wanted that carry this size, in the program's order."""
        return [name for name, entry in self.contestants.items()
                if name != "limit" and entry["size_min"] <= size <= entry["size_max"]
                and (not self.wanted or name in self.wanted)
                and (among is None or name in among)]

    def can(self, name, order):
        """A program may list what its contestants can do."""
        works = self.contestants[name].get("works")
        return works is None or order in ("tail", "attach") or order in works

    def has_ring(self, name, ring):
        entry = self.contestants[name]
        return entry["ring_min"] <= ring <= entry["ring_max"]

    def reference(self, size, ring):
        """Whom a rate is held against, or None where it is not there or carries no such."""
        name = names.reference_of_rate(size)
        entry = self.contestants.get(name)
        if entry is None or not entry["size_min"] <= size <= entry["size_max"]:
            return None
        return name if ring is None or self.has_ring(name, ring) else None

    def add(self, work, chosen, **more):
        order = order_of(work, more.get("burst"))
        chosen = [name for name in chosen if self.can(name, order)]
        if work not in self.works or not chosen:
            return
        reference = None
        if order == "rate":
            reference = self.reference(more["size"], more.get("ring"))
        if reference is not None and reference not in chosen:
            chosen = chosen + [reference]
        step = Step(self.where, work, names=tuple(chosen), reference=reference, **more)
        if all(step.key != other.key for other in self.steps):
            self.steps.append(step)

    def at_size(self, work, size, among=None, **more):
        """One step at this size, and one at 60 bytes for those whose messages end there."""
        chosen = self.carry(size, among)
        self.add(work, chosen, size=size, **more)
        short = [name for name in self.carry(names.SMALL, among) if name not in chosen]
        if size > names.SMALL:
            self.add(work, short, size=names.SMALL, **more)

    def with_limit(self, chosen):
        wanted = not self.wanted or "limit" in self.wanted
        return chosen + (["limit"] if wanted and "limit" in self.contestants else [])

    def headline(self, rank, sizes, rates):
        for size in sizes:
            chosen = self.carry(size)
            self.add("trips", self.with_limit(chosen) if size == 64 else chosen, size=size,
                     rank=rank)
        for size, burst in rates:
            among = None if size != FRAME_FULL else \
                names.PORTS + ("ethdev", "ethdev-split", "virtio-net")
            self.add("rate", self.carry(size, among), size=size, burst=burst, rank=rank)

    def boots(self):
        for boot in range(2, BOOTS_MOST + 1):
            for work, size, burst, ours in BOOT_STEPS:
                self.add(work, self.carry(size, (ours, *BOOT_PEERS)), size=size, burst=burst,
                         rank=GUEST, boot=boot)

    def tail(self):
        entry = self.contestants.get("channel")
        both = entry and "limit" in self.contestants
        if self.where == "host" and both and "channel" in self.carry(names.SMALL):
            self.add("tail", ["channel", "limit"], size=names.SMALL, rank=HEADLINE)

    def shapes(self):
        for size in SIZES:
            self.add("trips", self.carry(size), size=size, rank=REST if size == 48 else TRIPS)
            self.add("rate", self.carry(size), size=size, burst=BURST,
                     rank=REST if size in SIZES_BETWEEN else SHAPES)
        for burst, among in ((1, None), (8, names.LOADED), (256, names.LOADED)):
            for size in SIZES_OF_BURSTS:
                self.add("rate", self.carry(size, among), size=size, burst=burst, rank=REST)

    def special(self):
        for load in LOADS:
            self.at_size("paced", 64, names.LOADED, load=load, rank=SHAPES)
        for links in LINKS:
            # One who has but two, for mixed, has nothing that grows.
            many = [name for name, entry in self.contestants.items() if not entry["queues"]
                    and entry["links_max"] >= max(links, LINKS[1])]
            self.at_size("links", 64, many, links=links, rank=SHAPES)
        for size in CALL_SIZES:
            self.add("rpc", self.carry(size, names.CALLS), size=size,
                     rank=SHAPES if size == CALL_SIZES[0] else REST)
        for size in BANDWIDTH:
            self.add("bandwidth", self.carry(size), size=size, burst=1,
                     rank=SPECIAL if size == BANDWIDTH[-1] else REST)
        self.add("attach", self.carry(64) + [name for name in self.carry(60)
                                             if name not in self.carry(64)], rank=SPECIAL)
        self.mixed()
        waits = [name for name, entry in self.contestants.items() if entry["waits"]]
        for gap_ns in GAPS_NS:
            self.at_size("wake", 64, waits, gap_ns=gap_ns, waiting=True, rank=SPECIAL)
            self.at_size("wake", 64, names.LOADED, gap_ns=gap_ns, rank=SPECIAL)

    def mixed(self):
        two = [name for name, entry in self.contestants.items() if entry["links_max"] > 1]
        done = set()
        for bulk in BULK:
            for size in (8, 64):
                chosen = [name for name in self.carry(size, two)
                          if name in self.carry(bulk, two) and name not in done]
                self.add("mixed", chosen, size=size, links=2, bulk=bulk, gap_ns=CONTROL_GAP_NS,
                         rank=SPECIAL)
                done.update(chosen)

    def grown(self):
        """Ports of more queues, rings of more entries."""
        for queues in QUEUES:
            ports = [name for name, entry in self.contestants.items()
                     if entry["queues"] and entry["links_max"] >= queues]
            self.add("queues", self.carry(64, ports), size=64, queues=queues)
        for ring in RINGS:
            for size, among in RINGS_OF:
                chosen = [name for name in self.carry(size, among) if self.has_ring(name, ring)]
                self.add("rings", chosen, size=size, ring=ring)
                self.add("rings", chosen, size=size, burst=BURST, ring=ring)

    def quick(self):
        chosen = self.carry(64)
        self.add("trips", self.with_limit(chosen), size=64, rank=HEADLINE)
        self.add("rate", chosen, size=64, burst=BURST, rank=HEADLINE)
        self.tail()
        ours = names.OURS
        needed = ours if self.where == "host" else ours + names.PORTS
        # Those whose messages end at 60 bytes, and what the bars need.
        short = [name for name in self.carry(60) if name not in chosen or name in needed]
        self.add("trips", short, size=60, rank=HEADLINE)
        self.add("rate", short, size=60, burst=BURST, rank=HEADLINE)
        self.add("trips", self.carry(8, CHANNELS), size=8, rank=HEADLINE)
        for size, burst in HEADLINE_RATES:
            among = ours + (names.PORTS if size == FRAME_FULL else ())
            self.add("rate", self.carry(size, among), size=size, burst=burst, rank=HEADLINE)

    def make(self, quick):
        if quick:
            self.quick()
        elif self.where == "host":
            self.headline(HEADLINE, (64, 60, 8), HEADLINE_RATES)
            self.tail()
            self.shapes()
            self.special()
            self.grown()
        else:
            self.headline(GUEST, (64, 60), HEADLINE_RATES_GUEST)
            self.boots()
            for size in SIZES:
                rank = TRIPS if size == 1500 else REST
                self.add("trips", self.carry(size), size=size, rank=rank)
                self.add("rate", self.carry(size), size=size, burst=BURST, rank=REST)
        return self.steps


def cost(step, rounds, round_s, tail_samples):
    """Seconds that a step will take, about."""
    if step.work == "tail":
        return tail_samples * TAIL_SAMPLE_S + TAIL_ROUNDS * 2 * BESIDE_S
    if step.work == "attach":
        return len(step.names) * 3 * OPEN_S
    each = CALIBRATION_S + rounds * (round_s + BESIDE_S)
    if step.work in OPENED_ANEW:
        each += OPEN_S
    if step.work == "wake":
        each = max(each, rounds * 200 * step.gap_ns * 1e-9 + CALIBRATION_S)
    return len(step.names) * each


def total(steps, rounds, round_s, tail_samples):
    sessions = sum(SESSION_S.get(where, SESSION_GUEST_S)
                   for where, _ in {(s.where, s.boot) for s in steps})
    opens = len({(s.where, s.boot, name) for s in steps for name in s.names}) * OPEN_S
    return sessions + opens + sum(cost(s, rounds, round_s, tail_samples) for s in steps)


def fit(steps, budget_s, quick):
    """Shorter rounds first, then fewer of them and of boots, then steps of the highest rank go."""
    tail_samples = TAIL_SAMPLES_QUICK if quick else TAIL_SAMPLES
    room = budget_s * SHARE
    paces = (PACE_QUICK,) if quick else PACES
    for rounds, round_s, boots in paces:
        kept = [step for step in steps if step.boot <= boots]
        if total(kept, rounds, round_s, tail_samples) <= room:
            return Plan(kept, [], rounds, round_s, tail_samples, boots)
    left_out = []
    while len(kept) > 1 and total(kept, rounds, round_s, tail_samples) > room:
        # The last of the highest rank.
        place = max(range(len(kept)), key=lambda i: (kept[i].rank, i))
        left_out.append((kept.pop(place), f"the budget of {budget_s:.0f} s has no room for it"))
    return Plan(kept, left_out[::-1], rounds, round_s, tail_samples, boots)


def running_order(steps):
    """
    Sessions one after the other, in each the weightiest steps first. The host's is the last,
    because it has the steps of least weight: where all takes longer than planned, they go.
    """
    wheres = list(dict.fromkeys(step.where for step in steps))
    return sorted(steps, key=lambda step: (step.where == "host", wheres.index(step.where),
                                           step.rank, step.boot))
