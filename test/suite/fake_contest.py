#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""
A contest program without messages: it speaks the protocol, and its figures follow a known law.
NHN_FAKE is a JSON object that changes it:
  die: [contestant, work], with die_once: FILE only as long as that is not there
  refuse, hang, babble, lose, misorder: contestant
  refuse_rounds, lose_rounds: numbers of rounds
  without: [work, member that answers of its rounds lack]
  stay: FILE that is made at the end of the input, after which it stays
  drift: numbers of rounds in which the limit doubles, or "all"
  lack: contestant that is not installed
  full: contestants that can be open at once
  scale: {contestant: factor of its costs}
  far_rings: entries of rings: where one has so many, all costs twice as much, the limit too
  trace: FILE that gets a line a round, the process and the contestant
  hold: [work, size, FILE]: such a round waits for as long as the file is there
No time passes in a round: "ns" is made up.
"""

import json
import math
import os
import sys
import time

LIMIT_NS = 100.0
# Of a trip: times the limit, ns a byte, ns a link or queue. Of a message: ns, ns a byte. Of both:
# RING_NS more each time that the entries of a ring are twice as many as its contestant's own.
LAWS = {
    "limit": (1.0, 0, 0, 0, 0), "channel": (1.1, 0.05, 2, 10, 0.02),
    "channel-long": (1.1, 0.05, 2, 10, 0.02),
    "channel-split": (1.15, 0.05, 2, 11, 0.02), "msg": (2.0, 0.05, 2, 20, 0.03),
    "msg-split": (2.1, 0.05, 2, 21, 0.03), "rpc": (2.5, 0.1, 2, 30, 0.1),
    "packed": (1.2, 0.05, 2, 3, 0.02), "ethdev": (2.4, 0.1, 2, 25, 0.02),
    "ethdev-split": (2.5, 0.1, 2, 26, 0.02), "memif": (4.0, 0.1, 2, 50, 0.03),
    "memif-zc": (3.5, 0.1, 2, 40, 0.03), "vhost-split": (4.5, 0.1, 2, 60, 0.03),
    "vhost-packed": (4.2, 0.1, 2, 55, 0.03), "rte-ring": (2.2, 0.1, 2, 30, 0.05),
    "bare-ring": (1.1, 0.05, 2, 18, 0.02), "cached-ring": (2.1, 0.05, 2, 15, 0.05),
    "plain-copy": (2.0, 0.1, 2, 20, 0.06), "unix-stream": (60, 0.3, 2, 900, 0.2),
    "unix-seqpacket": (62, 0.3, 2, 950, 0.2), "pipe": (55, 0.3, 2, 800, 0.2),
    "eventfd": (50, 0.3, 2, 400, 0.2), "mq": (58, 0.3, 2, 700, 0.3),
    "futex-ring": (40, 0.1, 2, 60, 0.1), "tcp": (150, 0.4, 2, 1500, 0.3),
    "zmq": (300, 0.5, 2, 600, 0.3), "nng": (400, 0.5, 2, 2000, 0.5),
}
RING = 1024
RING_NS = 1.5
MISSING = [{"name": "iceoryx", "package": "libiceoryx-posh-dev"}]
SMALL = ("channel", "channel-long", "channel-split", "bare-ring", "packed")
FRAMES = ("ethdev", "ethdev-split", "memif", "memif-zc", "vhost-split", "vhost-packed")
MANY = ("channel", "channel-split", "bare-ring")
RINGS = ("channel", "bare-ring", "ethdev", "msg", "rte-ring", "cached-ring", "memif")
SLEEPS = ("unix-stream", "unix-seqpacket", "pipe", "eventfd", "mq", "futex-ring", "tcp", "zmq",
          "nng")
P = {"p50": (1, 2), "p90": (9, 10), "p99": (99, 100), "p99.9": (999, 1000),
     "p99.99": (9999, 10000)}
NONE = {"minor_faults": 0, "major_faults": 0, "voluntary": 0, "involuntary": 0}


def listed(name):
    return {"name": name, "what": f"made-up {name}",
            "size_min": 60 if name in FRAMES else 8,
            "size_max": 60 if name in SMALL else 1518 if name in FRAMES else 1 << 20,
            "links_max": 8 if name in FRAMES else 256 if name in MANY else 1,
            "ring_min": 16 if name in RINGS else 0,
            "ring_max": (4096 if name == "memif" else 16384) if name in RINGS else 0,
            "queues": name in FRAMES, "waits": name in SLEEPS,
            "works": ["trips"] if name == "limit" else
            ["trips", "rate", "paced", "wake"] + (["mixed"] if name in MANY + FRAMES else [])}


class Fake:
    def __init__(self, how):
        self.how = how
        self.rounds = 0
        self.opened = {}  # name: the order that opened it

    def ring(self, name):
        return self.opened[name]["ring"] or RING if name in self.opened else RING

    def ring_ns(self, name):
        return RING_NS * math.log2(self.ring(name) / RING)

    def farther(self, name):
        return 2 if self.ring(name) in self.how.get("far_rings", ()) else 1

    def trip_ns(self, name, order):
        factor, a_byte, a_link, _, _ = LAWS[name]
        size = 0 if name == "limit" else order["size"]
        trip = LIMIT_NS * factor + a_byte * size + a_link * (order["links"] - 1) + \
            self.ring_ns(name)
        return self.farther(name) * trip * self.how.get("scale", {}).get(name, 1)

    def message_ns(self, name, order):
        _, _, _, base, a_byte = LAWS[name]
        scale = self.how.get("scale", {}).get(name, 1)
        message = (base + a_byte * order["size"]) * (1 + 1 / order["burst"])
        return self.farther(name) * scale * (message + self.ring_ns(name))

    @staticmethod
    def steps(middle, samples):
        """98 % at the middle, the rest at twice of it, one at ten times."""
        highest = samples // 50
        found = {round(middle): samples - highest}
        if highest:
            found[round(2 * middle)] = highest - 1
            found[round(10 * middle)] = 1
        return sorted((ns, count) for ns, count in found.items() if count)

    @staticmethod
    def percentiles(steps, samples):
        found = {"min": steps[0][0]}
        for name, (num, den) in P.items():
            rank, at = -(-samples * num // den), None
            if samples * min(num, den - num) >= 100 * den:
                for ns, count in steps:
                    rank -= count
                    if rank <= 0:
                        at = ns
                        break
            found[name] = at
        found["max"] = steps[-1][0]
        return found

    def do_round(self, order):
        name, work = order["contestant"], order["work"]
        self.misbehave(name, work)
        if self.how.get("babble") == name:
            return ["no", "object"]
        if name != "limit" and (name not in self.opened or
                                self.opened[name]["links"] < order["links"]):
            return {"error": "it was not opened with so many links"}
        self.rounds += 1
        self.trace(name)
        if self.rounds in self.how.get("refuse_rounds", ()):
            return {"error": "the limit was not answered"}
        self.hold(order)
        drift = self.how.get("drift", ())
        drifts = drift == "all" or self.rounds in drift
        before = self.farther(name) * LIMIT_NS
        after = 2 * before if drifts else before
        lost = int(self.how.get("lose") == name or self.rounds in self.how.get("lose_rounds", ()))
        misordered = 3 if self.how.get("misorder") == name else 0
        answer = {**order, "did": "round", "limit_before_ns": before, "limit_after_ns": after,
                  "received": order["messages"] - lost, "lost": lost,
                  "misordered": misordered,
                  "samples": 0, "near": NONE, "far": NONE}
        del answer["do"]
        if work == "rate":
            answer["ns"] = int(self.message_ns(name, order) * order["messages"])
            return self.cut(answer)
        trip = self.trip_ns(name, order)
        if work == "paced":
            trip *= 1 + LIMIT_NS / order["interval_ns"]
        steps = self.steps(trip, order["messages"])
        answer.update(ns=int(max(trip, order["interval_ns"]) * order["messages"]),
                      samples=order["messages"], median_ns=trip,
                      percentiles=self.percentiles(steps, order["messages"]))
        if order.get("histogram"):
            answer["histogram"] = steps
        return self.cut(answer)

    def cut(self, answer):
        work, member = self.how.get("without", (None, None))
        if answer["work"] == work:
            del answer[member]
        return answer

    def trace(self, name):
        if "trace" in self.how:
            with open(self.how["trace"], "a", encoding="utf-8") as file:
                print(os.getpid(), name, file=file)

    def hold(self, order):
        work, size, path = self.how.get("hold", (None, None, None))
        while (order["work"], order["size"]) == (work, size) and os.path.exists(path):
            time.sleep(0.01)

    def misbehave(self, name, work):
        if self.how.get("die") == [name, work] and not self.died_once():
            print(f"fake: {name} is no more", file=sys.stderr, flush=True)
            os.abort()
        if self.how.get("hang") == name:
            time.sleep(60)

    def died_once(self):
        path = self.how.get("die_once")
        if path is None:
            return False
        if os.path.exists(path):
            return True
        with open(path, "w", encoding="utf-8"):
            return False

    def do_open(self, order):
        name, links, ring = order["contestant"], order["links"], order.get("ring", 0)
        answer = {"did": "open", "contestant": name, "links": links, "ring": ring}
        entry = listed(name)
        if self.how.get("refuse") == name:
            return {**answer, "error": "it does not want to"}
        if len(self.opened) >= self.how.get("full", 1000):
            return {**answer, "error": "no shared memory is left"}
        if not 1 <= links <= entry["links_max"]:
            return {**answer, "error": f"links must be 1 to {entry['links_max']}"}
        if ring and not entry["ring_min"] <= ring <= entry["ring_max"]:
            return {**answer, "error": f"ring must be {entry['ring_min']} to {entry['ring_max']}"}
        self.opened[name] = {"links": links, "ring": ring}
        kib = ring or RING
        return {**answer, "attach_ns": 1000 * kib, "near_kib": kib, "far_kib": kib,
                "shared_kib": kib}

    def obey(self, order):
        do = order.get("do")
        if do == "list":
            lack = self.how.get("lack")
            return {"did": "list",
                    "contestants": [listed(name) for name in LAWS if name != lack],
                    "missing": MISSING + ([{"name": lack, "package": "dpdk"}] if lack else [])}
        if do == "open":
            return self.do_open(order)
        if do == "close":
            self.opened.pop(order["contestant"], None)
            return {"did": "close", "contestant": order["contestant"]}
        if do == "round":
            return self.do_round(order)
        if do == "floor":
            steps = self.steps(25, order["ns"] // 25)
            return {"did": "floor", "gaps": self.percentiles(steps, order["ns"] // 25),
                    "max_ns": 250, **({"histogram": steps} if order.get("histogram") else {})}
        return {"error": '"do" must be list, open, close, round or floor'}


def main():
    fake = Fake(json.loads(os.environ.get("NHN_FAKE", "{}")))
    print(json.dumps({"did": "start", "near_core": 0, "far_core": 1, "clock_hz": 2600000000,
                      "dpdk": "22.11.0"}), flush=True)
    for line in sys.stdin:
        try:
            answer = fake.obey(json.loads(line))
        except ValueError:
            answer = {"error": "no order"}
        print(json.dumps(answer), flush=True)
    if "stay" in fake.how:
        with open(fake.how["stay"], "a", encoding="utf-8") as file:
            print(os.getpid(), file=file)
        time.sleep(60)


main()
