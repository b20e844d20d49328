#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Orders for benchmarks/contest: give them, look at the answers.

usage: contest_orders.py WHAT CONTEST FOLDER
WHAT: rounds, rings, refusals, missing, killed, killed-in-round or near-killed

Prints "ok NAME" or "not ok NAME: why" a check; the status is 1 where one failed.
"""
import json
import os
import signal
import subprocess
import sys
import time

HOST = """channel channel-long channel-split msg msg-split rpc packed ethdev ethdev-split memif
memif-zc vhost-split vhost-packed rte-ring bare-ring cached-ring plain-copy unix-stream
unix-seqpacket pipe eventfd mq futex-ring tcp zmq nng iceoryx""".split()
# Their far side is a guest; they cannot be opened between two processes.
GUEST = ("virtio-net", "virtio-serial", "vsock")
# Their links are queues of one port.
PORTS = ["ethdev", "ethdev-split", "memif", "memif-zc", "vhost-split", "vhost-packed"]
# They are opened with each of RINGS, others that have a ring to choose with the middle one.
RINGED = ("channel", "bare-ring", "rte-ring", "ethdev")
RINGS = (16, 64, 4096)
PERCENTILES = ["min", "p50", "p90", "p99", "p99.9", "p99.99", "max"]
BULK_BYTES = 16384
# Work: what a round of it is asked for beside its size. Few messages: this looks at sense,
# not at speed.
ROUNDS = {
    "trips": {"messages": 300},
    "rate": {"messages": 600, "burst": 32},
    "paced": {"messages": 200, "interval_ns": 50000},
    "wake": {"messages": 10, "interval_ns": 300000},
    "mixed": {"messages": 20, "interval_ns": 100000},
}


class Contest:
    """The program, as benchmarks/run talks to it."""

    def __init__(self, program, folder):
        cores = sorted(os.sched_getaffinity(0))
        self.process = subprocess.Popen(
            [program, "--cores", f"{cores[0]},{cores[-1]}", "--folder", folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.start = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise EOFError("the program ended without an answer")
        return json.loads(line)

    def say(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def line(self, text):
        self.say(text)
        return self.answer()

    def order(self, what, **words):
        return self.line(json.dumps({"do": what, **words}))

    def end(self):
        """@return its status"""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        return self.process.wait(timeout=20)

    def far(self):
        """The far process's number: the child that is called as near is."""
        near = self.process.pid
        with open(f"/proc/{near}/task/{near}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split() if is_contest(child)][0]


def is_contest(number):
    try:
        with open(f"/proc/{number}/comm", encoding="ascii") as file:
            return file.read().startswith("contest")
    except OSError:
        return False


class Checks:
    failed = False

    def take(self, name, wrong):
        self.failed |= bool(wrong)
        print(f"not ok {name}: {'; '.join(wrong)}" if wrong else f"ok {name}", flush=True)


def differences(found, wanted):
    return [f"{key} is {found.get(key)!r}, not {value!r}"
            for key, value in wanted.items() if found.get(key) != value]


def wrong_latency(answer):
    """What cannot be of an answer's percentiles and its histogram."""
    percentiles = answer.get("percentiles", {})
    values = [percentiles[key] for key in PERCENTILES if percentiles.get(key) is not None]
    steps = answer.get("histogram", [])
    wrong = []
    if len(values) < 2 or values != sorted(values) or values[0] <= 0:
        wrong.append(f"percentiles out of order: {percentiles}")
    if sum(count for _, count in steps) != answer["samples"]:
        wrong.append("the histogram has another number of samples")
    lows = [low for low, _ in steps]
    if lows != sorted(set(lows)):
        wrong.append("the histogram's steps do not rise")
    return wrong


def wrong_round(contest, words):
    """Ask for a round. @return what is wrong with its answer"""
    answer = contest.order("round", histogram=True, **words)
    label = f"{words['work']} of {words['size']} bytes"
    if "error" in answer:
        return [f"{label}: {answer['error']}"]
    one_way = words["work"] == "rate"
    messages = words["messages"]
    wrong = differences(answer, {
        "did": "round", **words, "received": messages, "lost": 0, "misordered": 0,
        "samples": 0 if one_way else messages})
    if one_way:
        wrong += ["percentiles of a rate"] if "percentiles" in answer else []
    else:
        wrong += wrong_latency(answer)
    if words["work"] == "mixed" and not answer.get("bulk_messages"):
        wrong.append("no bulk came")
    for key in ("limit_before_ns", "limit_after_ns", "ns"):
        if not answer.get(key, 0) > 0:
            wrong.append(f"{key} is {answer.get(key)}")
    for side in ("near", "far"):
        if not all(answer.get(side, {}).get(key, -1) >= 0 for key in (
                "minor_faults", "major_faults", "voluntary", "involuntary")):
            wrong.append(f"usage of {side} is {answer.get(side)}")
    return [f"{label}: {text}" for text in wrong]


def works_of(contestant):
    """The rounds that it can do, by size."""
    low, high = contestant["size_min"], contestant["size_max"]
    for size in sorted({low, min(max(64, low), high), high}):
        for work, words in ROUNDS.items():
            if work not in contestant.get("works", ROUNDS):
                continue
            if work == "mixed" and contestant["links_max"] < 2:
                continue
            few = {"messages": max(10, words["messages"] >> (4 if size > 65536 else 0))}
            yield {"contestant": contestant["name"], "work": work, "size": size,
                   "bulk_size": max(low, min(high, BULK_BYTES)), "burst": 1, "links": 1,
                   "interval_ns": 0, "waiting": work == "wake" and contestant["waits"],
                   **words, **few}


def try_contestant(contest, contestant):
    """Open it and have it do all it can; it stays open. @return what is wrong"""
    links = min(2, contestant["links_max"])
    opened = contest.order("open", contestant=contestant["name"], links=links)
    if "error" in opened:
        return [f"open: {opened['error']}"]
    wrong = [f"open: no {key}" for key in ("attach_ns", "near_kib", "far_kib", "shared_kib")
             if key not in opened]
    for words in works_of(contestant):
        wrong += wrong_round(contest, words)
    if links == 2:
        wrong += wrong_round(contest, {
            "contestant": contestant["name"], "work": "trips", "links": 2, "messages": 100,
            "size": contestant["size_min"], "burst": 1})
    return wrong


def close_all(contest, names):
    wrong = []
    for name in names:
        answer = contest.order("close", contestant=name)
        if "error" in answer:
            wrong.append(f"{name}: {answer['error']}")
        if "error" not in contest.order("round", contestant=name, work="trips", size=64,
                                        burst=1, links=1, messages=1):
            wrong.append(f"{name}: a round of what is closed")
    return wrong


def do_rounds(contest, checks):
    """Every contestant at its least size, its largest and 64 bytes, all open at once."""
    listed = contest.order("list")["contestants"]
    names = [each["name"] for each in listed if each["name"] not in ("limit", *GUEST)]
    for contestant in listed:
        if contestant["name"] in names:
            checks.take(contestant["name"], try_contestant(contest, contestant))
    checks.take("limit", wrong_round(contest, {
        "contestant": "limit", "work": "trips", "size": 8, "burst": 1, "links": 1,
        "messages": 300}))
    checks.take("close all", close_all(contest, names))
    checks.take("open and close one again", [
        answer["error"] for what in ("open", "close")
        for answer in [contest.order(what, contestant=names[0], links=1)] if "error" in answer])


def rounds_of_ring(contestant, ring):
    """Trips, and more messages one way than the ring holds."""
    low, high = contestant["size_min"], contestant["size_max"]
    for size in sorted({max(low, min(64, high)), min(1500, high)}):
        for work, burst, messages in (("trips", 1, 100), ("rate", 32, ring + 500)):
            yield {"contestant": contestant["name"], "work": work, "size": size, "burst": burst,
                   "links": 1, "messages": messages}


def try_ring(contest, contestant, ring):
    """Open it with a ring, have it carry, close it. @return what is wrong, and its memory"""
    opened = contest.order("open", contestant=contestant["name"], links=1, ring=ring)
    if "error" in opened:
        return [f"open: {opened['error']}"], 0
    wrong = differences(opened, {"ring": ring, "links": 1})
    for words in rounds_of_ring(contestant, ring):
        wrong += wrong_round(contest, words)
    closed = contest.order("close", contestant=contestant["name"])
    return wrong + ([closed["error"]] if "error" in closed else []), opened["shared_kib"]


def try_rings(contest, contestant):
    rings = RINGS if contestant["name"] in RINGED else RINGS[1:2]
    wrong, memories = [], []
    for ring in rings:
        found, shared_kib = try_ring(contest, contestant, ring)
        wrong += [f"ring of {ring}: {each}" for each in found]
        memories.append(shared_kib)
    # A port's memory is not the contest's.
    if len(rings) > 1 and not contestant["queues"] and memories[-1] <= memories[0]:
        wrong.append(f"KiB of memory with rings of {rings} are {memories}")
    return wrong


def wrong_ring_bounds(contestant):
    low, high = contestant["ring_min"], contestant["ring_max"]
    if (low, high) == (0, 0) or (0 < low <= high and low & (low - 1) == high & (high - 1) == 0):
        return []
    return [f"{contestant['name']}: {low} to {high}"]


def wrong_ring_refusal(contest, name, ring, wanted):
    answer = contest.order("open", contestant=name, links=1, ring=ring)
    found = answer.get("error", "")
    return [] if wanted in found else [f"{name}, ring {ring}: {answer}, not {wanted!r}"]


def do_rings(contest, checks):
    """Whoever has a ring size to choose carries with it, and nobody takes a wrong one."""
    listed = contest.order("list")["contestants"]
    ringed = [each for each in listed if each["ring_max"]]
    checks.take("queues of a port", differences(
        {"names": [each["name"] for each in listed if each["queues"]]}, {"names": PORTS}))
    checks.take("bounds", [text for each in listed for text in wrong_ring_bounds(each)])
    checks.take("who has them", [
        name for name in RINGED if name not in [each["name"] for each in ringed]])
    for contestant in ringed:
        checks.take(contestant["name"], try_rings(contest, contestant))
    for name, ring, wanted in (
            ("channel", 48, "ring is 48 and must be a power of two"),
            ("channel", 8, "ring is 8 and must be 16 to 65536, or 0 for the contestant's own"),
            ("channel", -16, "ring is -16 and must be 16 to 65536"),
            ("channel", 1 << 17, "ring is 131072 and must be 16 to 65536"),
            ("pipe", 64, "pipe has no ring size to choose: ring must be left out or 0"),
            ("channel", "64", "ring")):
        checks.take(f"refused: {name} with {ring!r}",
                    wrong_ring_refusal(contest, name, ring, wanted))
    checks.take("0 is its own", [
        answer["error"] for what in ("open", "close")
        for answer in [contest.order(what, contestant="channel", links=1, ring=0)]
        if "error" in answer])


def refused_lines(name, high):
    """Lines that are no orders, or none that can be done."""
    good = {"do": "round", "contestant": name, "work": "trips", "size": high, "burst": 1,
            "links": 1, "messages": 1}
    for word, value in (("contestant", "nobody"), ("contestant", 5), ("work", "dance"),
                        ("size", high + 1), ("size", 0), ("size", -1), ("size", "8"),
                        ("burst", 0), ("burst", 257), ("links", 0), ("links", 2),
                        ("messages", 0), ("messages", -1), ("messages", 1.5)):
        yield json.dumps({**good, word: value})
    yield json.dumps({"do": "round", "contestant": name})
    yield json.dumps({**good, "interval_ns": 10**10})
    yield json.dumps({"do": "round", "contestant": "limit", "work": "trips", "waiting": True})
    yield json.dumps({"do": "close", "contestant": "limit"})
    yield from ("", "no order", "{", "[]", "7", "{}", '{"do": 5}', '{"do": "dance"}',
                '{"do": "open", "contestant": "nobody"}', '{"do": "close", "contestant": "nobody"}',
                json.dumps({"do": "open", "contestant": name, "links": 1}),
                json.dumps({"do": "floor", "ns": 0}), "x" * 100000)


def wrong_floor(contest):
    floor = contest.order("floor", ns=10**7)
    gaps = floor.get("gaps", {})
    return [] if 0 <= gaps.get("min", -1) <= gaps.get("p50", -1) <= floor["max_ns"] else [str(floor)]


def do_refusals(contest, checks):
    """Each line is answered by an error, and the next order is done."""
    one = [each for each in contest.order("list")["contestants"] if each["name"] != "limit"][0]
    links = [{"do": "open", "contestant": one["name"], "links": n}
             for n in (0, -1, one["links_max"] + 1)]
    lines = [json.dumps(each) for each in links]
    checks.take("open", [f"{line}: {answer}" for line in lines
                         for answer in [contest.line(line)] if not answer.get("error")])
    contest.order("open", contestant=one["name"], links=1)
    for line in refused_lines(one["name"], one["size_max"]):
        answer = contest.line(line)
        checks.take(f"refused: {line[:60]}",
                    [] if answer.get("error") else [f"answered {answer}"])
    checks.take("floor", wrong_floor(contest))
    checks.take("orders are done afterwards", wrong_round(contest, {
        "contestant": one["name"], "work": "trips", "size": one["size_min"], "burst": 1,
        "links": 1, "messages": 100}))


def do_missing(contest, checks):
    """Who is not in this build is named with the package that brings it."""
    answer = contest.order("list")
    listed = [each["name"] for each in answer["contestants"]]
    missing = {each["name"]: each["package"] for each in answer["missing"]}
    checks.take("each contestant is there or missing, once", [
        f"{name} is not" for name in HOST if (name in listed) == (name in missing)])
    checks.take("no name twice", [] if len(set(listed)) == len(listed) else [str(listed)])
    checks.take("each missing one has a package", [
        f"{name}: {package!r}" for name, package in missing.items() if not package])
    checks.take("each says what it is", [
        each["name"] for each in answer["contestants"] if len(each["what"]) < 10])


def killed_words(contest, messages):
    names = [each["name"] for each in contest.order("list")["contestants"]]
    name = "bare-ring" if "bare-ring" in names else names[-1]
    contest.order("open", contestant=name, links=1)
    return {"contestant": name, "work": "trips", "size": 8, "burst": 1, "links": 1,
            "messages": messages}


def check_death(contest, checks, name, answer):
    error = answer.get("error", "")
    checks.take(f"{name}: the answer says so", [] if "far" in error and "ended" in error
                else [f"answered {answer}"])
    status = contest.end()
    checks.take(f"{name}: status 1", [] if status == 1 else [f"status {status}"])


def do_killed(contest, checks):
    words = killed_words(contest, 100)
    os.kill(contest.far(), signal.SIGKILL)
    check_death(contest, checks, "killed between rounds", contest.order("round", **words))


def do_killed_in_round(contest, checks):
    words = killed_words(contest, 10**9)
    contest.say(json.dumps({"do": "round", **words}))
    time.sleep(0.3)
    os.kill(contest.far(), signal.SIGKILL)
    check_death(contest, checks, "killed in a round", contest.answer())


def do_near_killed(contest, checks):
    far = contest.far()
    contest.process.kill()
    contest.process.wait(timeout=10)
    for _ in range(50):
        if not is_contest(far):
            break
        time.sleep(0.1)
    checks.take("the far process ends with the near one",
                [f"process {far} is there"] if is_contest(far) else [])


DO = {"rounds": do_rounds, "rings": do_rings, "refusals": do_refusals, "missing": do_missing,
      "killed": do_killed, "killed-in-round": do_killed_in_round, "near-killed": do_near_killed}
ENDS_ITSELF = ("killed", "killed-in-round", "near-killed")


def main():
    what, program, folder = sys.argv[1:]
    checks = Checks()
    contest = Contest(program, folder)
    try:
        checks.take("start", differences(contest.start, {"did": "start"}))
        DO[what](contest, checks)
        if what not in ENDS_ITSELF:
            status = contest.end()
            checks.take("the end of input ends it, status 0",
                        [] if status == 0 else [f"status {status}"])
    except EOFError as error:
        checks.take("answers", [f"{error}, status {contest.process.wait(timeout=10)}"])
    finally:
        contest.process.kill()
    return checks.failed


if __name__ == "__main__":
    sys.exit(main())
