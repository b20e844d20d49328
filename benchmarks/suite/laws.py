# SPDX-License-Identifier: BSD-3-Clause
"""How cost grows: straight lines through what was measured, and how well they fit."""

import statistics

LEAST_POINTS = 3


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


def trip_ns(figure):
    return figure["p50"]["median"] if figure["p50"] else None


def message_ns(figure):
    return 1e9 / figure["rate"]["median"] if figure["rate"] else None


# of what, against what, a slope's unit, the works it is read from, x, y, and figures that belong
# together: a law each.
KINDS = (
    ("trip", "size", "byte", ("trips",), lambda f: f["size"], trip_ns, lambda f: ()),
    ("message", "size", "byte", ("rate",), lambda f: f["size"], message_ns,
     lambda f: (f["burst"],)),
    ("trip", "links", "link", ("links",), lambda f: f["links"], trip_ns, lambda f: (f["size"],)),
    ("trip", "load", "% of load", ("paced",), lambda f: f["load"] if f["load"] <= 100 else None,
     trip_ns, lambda f: (f["size"],)),
    # What a burst pays once, its messages share.
    ("message", "burst", "burst / messages", ("rate",), lambda f: 1 / f["burst"], message_ns,
     lambda f: (f["size"],)),
)
# Of several laws of a contestant the one that stands for all.
STANDS_FOR = {("message", "size"): (32,), ("message", "burst"): (60,)}


def laws(figures):
    found = []
    for of, against, unit, works, x_of, y_of, apart in KINDS:
        groups = {}
        for figure in figures:
            if figure["work"] not in works:
                continue
            x, y = x_of(figure), y_of(figure)
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


def constants(found, figures):
    """What the planning section calculates with: of the channel on the host."""
    plan = {"limit_ns": None, "trip_ns": None, "trip_ns_per_byte": None,
            "trip_ns_per_link": None, "message_ns": None, "message_ns_per_byte": None}
    names = {("trip", "size"): ("trip_ns", "trip_ns_per_byte"),
             ("trip", "links"): (None, "trip_ns_per_link"),
             ("message", "size"): ("message_ns", "message_ns_per_byte")}
    for law in found:
        if law["contestant"] != "channel" or law["where"] != "host":
            continue
        intercept, slope = names.get((law["of"], law["against"]), (None, None))
        if intercept:
            plan[intercept] = law["intercept_ns"]
        if slope:
            plan[slope] = law["slope_ns"]
    for figure in figures:
        if (figure["contestant"], figure["where"], figure["work"]) == ("channel", "host", "trips"):
            plan["limit_ns"] = figure["limit_ns"]
    return plan
