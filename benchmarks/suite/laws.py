# SPDX-License-Identifier: BSD-3-Clause
"""How cost grows: straight lines through what was measured, and how well they fit."""

import statistics

LEAST_POINTS = 3
LEAST_R2 = 0.9  # of a slope that is calculated with


def line(points):
    """{"intercept_ns", "slope_ns", "r2"} of the least squares, or None with too few points."""
    if len({x for x, _ in points}) < LEAST_POINTS:
        return None
    xs, ys = zip(*points)
    slope, intercept = statistics.linear_regression(xs, ys)
    mean = statistics.fmean(ys)
    whole = sum((y - mean) ** 2 for y in ys)
    rest = sum((y - intercept - slope * x) ** 2 for x, y in points)
    return {"intercept_ns": intercept, "slope_ns": slope,
            "r2": 1 - rest / whole if whole else 1.0}


def cost_ns(figure, limit_ns):
    """
    With one limit for all points: each was measured at a time of its own, when the cores may
    have been nearer or farther.
    """
    return figure["ratio"]["median"] * limit_ns if figure["ratio"] and limit_ns else None


# What grows by a straight line. A ring's cost does not: it follows the caches up and down.
# of what, against what, a slope's unit, the work it is read from, x, and figures that belong
# together: a law each.
KINDS = (
    ("trip", "size", "byte", "trips", lambda f: f["size"], lambda f: ()),
    ("message", "size", "byte", "rate", lambda f: f["size"], lambda f: (f["burst"],)),
    ("trip", "links", "link", "links", lambda f: f["links"], lambda f: (f["size"],)),
    ("trip", "load", "% of load", "paced", lambda f: f["load"] if f["load"] <= 100 else None,
     lambda f: (f["size"],)),
    ("trip", "queues", "queue", "queues", lambda f: f["queues"], lambda f: (f["size"],)),
    # What a burst pays once, its messages share.
    ("message", "burst", "burst / messages", "rate", lambda f: 1 / f["burst"],
     lambda f: (f["size"],)),
)
# Of several laws of a contestant the one that stands for all.
STANDS_FOR = {("message", "size"): (32,), ("message", "burst"): (60,)}


def laws(figures, limit_ns):
    """limit_ns: what stands for the limit of the whole run."""
    found = []
    for of, against, unit, work, x_of, apart in KINDS:
        groups = {}
        for figure in figures:
            if figure["work"] != work:
                continue
            x, y = x_of(figure), cost_ns(figure, limit_ns)
            chosen = STANDS_FOR.get((of, against), apart(figure)) == apart(figure)
            if x is not None and y is not None and chosen:
                key = figure["contestant"], figure["where"], apart(figure)
                groups.setdefault(key, []).append((x, y))
        for (contestant, where, _), points in groups.items():
            fitted = line(points)
            if fitted:
                found.append({"contestant": contestant, "where": where, "of": of,
                              "against": against, **fitted, "unit": unit,
                              "points": [list(point) for point in sorted(points)]})
    return found


# What the planning section calculates with: whose law on the host, and which of its constants.
CONSTANTS = {"trip_ns": ("channel", "trip", "size", "intercept_ns"),
             "trip_ns_per_byte": ("msg", "trip", "size", "slope_ns"),
             "trip_ns_per_link": ("channel", "trip", "links", "slope_ns"),
             "message_ns": ("channel", "message", "size", "intercept_ns"),
             "message_ns_per_byte": ("msg", "message", "size", "slope_ns")}


def constant(law, key):
    """None where the line does not fit; what hardly grows is its mean, whatever the fit."""
    if law is None:
        return None
    if law["r2"] >= LEAST_R2:
        return law[key]
    return statistics.fmean(y for _, y in law["points"]) if key == "intercept_ns" else None


def constants(found, limit_ns):
    of = {(law["contestant"], law["of"], law["against"]): law for law in found
          if law["where"] == "host"}
    return {"limit_ns": limit_ns, **{name: constant(of.get(tuple(law)), key)
                                     for name, (*law, key) in CONSTANTS.items()}}
