# SPDX-License-Identifier: BSD-3-Clause
"""What is printed: the lines of progress, and at the end the bars and the ranks."""

import time

from .bars import COUNTED
from .figures import LEAST_ROUNDS


def number(value):
    """Three digits that count, with k, M or G."""
    if value is None:
        return "-"
    for unit, scale in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= 0.9995 * scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value:.3g}"


def duration(ns):
    if ns is None:
        return "-"
    for unit, scale in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if abs(ns) >= 10 * scale:
            return f"{ns / scale:.1f} {unit}"
    return f"{ns:.0f} ns"


def ratio(spread):
    if spread is None:
        return "-"
    if spread["p25"] is None:
        return f"{spread['median']:.2f} (too few rounds)"
    return f"{spread['median']:.2f} ({spread['p25']:.2f} to {spread['p75']:.2f})"


def left(seconds):
    seconds = max(0, round(seconds))
    return f"{seconds // 60}:{seconds % 60:02d} left"


class Progress:
    """A line a step, on standard error: standard output is for the results."""

    def __init__(self, stream, steps):
        self.stream = stream
        self.steps = steps
        self.done = 0

    def step(self, key, count, seconds_left):
        self.done += 1
        print(f"[{self.done}/{self.steps}, {left(seconds_left)}] {key}: "
              f"{count} contestant{'' if count == 1 else 's'}", file=self.stream, flush=True)

    def say(self, text):
        print(f"  {time.strftime('%H:%M:%S')} {text}", file=self.stream, flush=True)


def table(rows):
    """Lines of columns, the first to the left and the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in
                                             zip(row[1:], widths[1:])]
        yield "  " + "  ".join(cells).rstrip()


def bars(results):
    yield ("Figures to reach (median of per-round ratios, quartiles; of the tail's percentile, a "
           "95 % interval)")
    words = {True: "met", False: "MISSED", None: "not known"}
    rows = [("", "bar", "measured", "")]
    for bar in results["bars"]:
        measured = "-" if bar["value"] is None else \
            f"{bar['value']:g}" if bar["interval"] == COUNTED else \
            f"{bar['value']:.3f} ({bar['low']:.3f} to {bar['high']:.3f})"
        rows.append((bar["text"], f"{bar['sense']} {bar['bar']:g}", measured, words[bar["met"]]))
    yield from table(rows)
    yield ("  mbufs of 64 bytes are frames of 68 on a wire; packed has up to 7 messages in a cell; "
           "the best peer is that of each turn")
    reasons = {}
    for bar in results["bars"]:
        if bar["why"]:
            reasons.setdefault(bar["why"], []).append(bar["name"])
    for why, named in reasons.items():
        yield f"  {', '.join(named)}: {why}"
    for bar in results["bars"]:
        if bar["absent"] and bar["met"] is not None:
            yield f"  {bar['name']} is without " + "; ".join(
                f"{name} ({why})" for name, why in bar["absent"])
        if bar["apart"]:
            yield f"  {bar['name']}: {bar['apart']} rotations apart by their limits are not in it"


def heading(figure):
    parts = [figure["where"], figure["work"], f"{figure['size']} bytes"]
    if figure["burst"] is not None:
        parts.append(f"bursts of {figure['burst']}")
    if figure["work"] == "links":
        parts.append(f"{figure['links']} links")
    if figure["queues"] is not None:
        parts.append(f"{figure['queues']} queues")
    if figure["ring"] is not None:
        parts.append(f"rings of {figure['ring']}")
    if figure["load"] is not None:
        parts.append(f"{figure['load']} % of what trips carry")
    if figure["gap_ns"] is not None:
        parts.append(f"gaps of {duration(figure['gap_ns'])}")
    if figure["bulk"] is not None:
        parts.append(f"beside bulk of {figure['bulk']} bytes")
    if figure["waiting"]:
        parts.append("the far end sleeps")
    return ", ".join(parts)


def ranks(results):
    """A table a step, the best first."""
    groups = {}
    for figure in results["figures"]:
        groups.setdefault(heading(figure), []).append(figure)
    for title, group in groups.items():
        yield ""
        if group[0]["burst"] is not None:
            yield from rate_table(title, group)
        else:
            yield from latency_table(title, group)


def troubles(figure):
    said = [f"{figure[key]} {key}" for key in ("dropped", "lost", "misordered") if figure[key]]
    if 0 < figure["rounds"] < LEAST_ROUNDS:
        said.insert(0, f"of {figure['rounds']} round{'s' if figure['rounds'] > 1 else ''} only")
    return ", ".join(said)


def rate_table(title, group):
    yield title
    over = next((f["over"]["reference"] for f in group if f["over"]), None)
    rows = [("", "messages/s", "bytes/s", f"over {over}" if over else "", "")]
    for f in sorted(group, key=lambda f: -(f["rate"] or {"median": 0})["median"]):
        rows.append((f["contestant"], number((f["rate"] or {}).get("median")),
                     number((f["bytes_per_s"] or {}).get("median")),
                     ratio(f["over"]) if over else "", troubles(f)))
    yield from table(rows)


def latency_table(title, group):
    yield title
    rows = [("", "p50", "over the limit", "p99", "p99.9", "max", "N", "")]
    for f in sorted(group, key=lambda f: [(f[key] or {"median": float("inf")})["median"]
                                          for key in ("ratio", "p50")]):
        percentiles = f["percentiles"] or {}
        rows.append((f["contestant"], duration((f["p50"] or {}).get("median")),
                     ratio(f["ratio"]), duration(percentiles.get("p99")),
                     duration(percentiles.get("p99.9")), duration(percentiles.get("max")),
                     str(f["samples"]), troubles(f)))
    yield from table(rows)


def tail(results):
    found = results["tail"]
    if not found:
        return
    yield ""
    yield (f"Tail of {found['contestant']}: {found['samples']} samples in {found['rounds']} "
           f"rounds, each beside one of the raw line; {found['dropped']} rounds dropped for a "
           f"limit that changed, {found['refused']} refused and run again; {found['lost']} "
           f"messages lost, {found['misordered']} misordered")
    rows = [("", "ours", "raw line", "gap", "ours over raw (95 %)")]
    for name in ("p50", "p99", "p99.9", "p99.99", "max"):
        over = found.get(name)
        rows.append((name, *(duration((found[key] or {}).get(name))
                             for key in ("ours", "raw", "floor")),
                     f"{over['ratio']:.2f} ({over['low']:.2f} to {over['high']:.2f})"
                     if over else ""))
    yield from table(rows)
    yield (f"  gap: between two looks at the clock, {duration(found['floor']['min'])} at least; "
           "of a gap, not of a trip")
    yield "  caused by the measured loops: " + ", ".join(
        f"{key} {'not counted' if value is None else value}"
        for key, value in found["noise"].items())
    if found["uncounted"]:
        yield f"  {found['uncounted']}"


def apart(results):
    """Who did not take part, and what was not run."""
    for row in results["contestants"]:
        if row["missing"] and row["where"] != "host":
            yield f"  {row['name']} ({row['where']}) is missing: it needs {row['missing']}"
        elif row["missing"]:
            yield (f"  {row['name']} is missing: it comes with {row['missing']}; run "
                   "devtools/setup and build again")
        elif row["error"]:
            yield f"  {row['name']} ({row['where']}) failed: {row['error']}"
    for fault in results["faults"]:
        if "contestant" not in fault:
            yield f"  {fault['step']}: {fault['text']}"
    why = {}
    for entry in results["left_out"]:
        why.setdefault(entry["why"], []).append(entry["step"])
    for reason, steps in why.items():
        yield f"  left out, {reason}: {len(steps)} steps, {steps[0]}" + \
            (f" to {steps[-1]}" if len(steps) > 1 else "")


def lines(results):
    place = results["place"]
    shared = ", ".join(place["caches_shared"]) or "no cache"
    yield (f"Cores {place['near_core']} and {place['far_core']} ({shared} shared"
           f"{', one core of SMT' if place['smt'] else ''}"
           f"{', isolated' if place['isolated'] else ''}), {place['cpu']}, {place['kernel']}; "
           f"{results['rounds']} rounds of {results['round_s']:g} s, {results['seconds']:.0f} s")
    yield ""
    yield from bars(results)
    yield from tail(results)
    yield from ranks(results)
    rest = list(apart(results))
    if rest:
        yield ""
        yield "Not measured"
        yield from rest
    if any(f.get("contestant") for f in results["faults"]):
        yield ""
        yield ("Who failed in a step in which others were measured is not tried again: for that "
               "remove the folder state of the results.")
    if not results["complete"]:
        yield ""
        yield "Not all of the plan was run: the same command goes on with the rest."
