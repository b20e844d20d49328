# SPDX-License-Identifier: BSD-3-Clause
"""results.json: everything that was measured, and what the page and the table are made of."""

import contextlib
import json
import os
import subprocess
import sys

from . import bars, figures, laws, names, rounds

SUITE = 1
LATE = "the budget was used up before"
PAGE_S = 60


def over_reference(step, record, name):
    """Per rotation the rate over the reference's, or None."""
    if step.reference is None or name == step.reference or step.reference not in record["names"]:
        return None
    near, apart = rounds.compared([rounds.kept_by_turn(record, who)
                                   for who in (name, step.reference)])
    spread = figures.spread([(a["received"] / a["ns"]) / (b["received"] / b["ns"])
                             for a, b in near])
    return {"reference": step.reference, **spread, "rounds": len(near),
            "apart": apart} if spread else None


def figure(step, record, name, entry):
    kept = [r for r in entry["rounds"] if r["dropped"] is None]
    found = {"contestant": name, "where": step.where, "work": step.told, "size": step.size,
             "burst": step.burst, "links": step.links, "queues": step.queues, "ring": step.ring,
             "load": step.load, "gap_ns": step.gap_ns, "bulk": step.bulk,
             "waiting": step.waiting, "rounds": len(kept),
             "dropped": len(entry["rounds"]) - len(kept),
             "samples": sum(r["samples"] for r in kept),
             "lost": sum(r["lost"] for r in entry["rounds"]),
             "misordered": sum(r["misordered"] for r in entry["rounds"]),
             "limit_ns": figures.median([r["limit_ns"] for r in kept]),
             "p50": None, "ratio": None, "percentiles": None, "intervals": None, "rate": None,
             "bytes_per_s": None, "over": None}
    if step.order == "rate":
        rates = [r["received"] * 1e9 / r["ns"] for r in kept]
        found["samples"] = sum(r["received"] for r in kept)
        found["rate"] = figures.spread(rates)
        found["bytes_per_s"] = figures.spread([rate * step.size for rate in rates])
        found["over"] = over_reference(step, record, name)
        # The time of a message, each round's over its own limit: laws are fitted to that.
        found["ratio"] = figures.spread([r["ns"] / r["received"] / r["limit_ns"] for r in kept])
    else:
        found["p50"] = figures.spread([r["p50"] for r in kept])
        found["ratio"] = figures.spread([r["p50"] / r["limit_ns"] for r in kept
                                         if r["p50"] is not None])
        if entry["histogram"]:
            found["percentiles"] = figures.Histogram.from_json(entry["histogram"]).percentiles()
            found["intervals"] = entry["histogram"]["intervals"]
    return found


def all_figures(steps, records):
    return [figure(step, record, name, entry)
            for step, record in rounds.gathered(steps, records)
            for name, entry in record["names"].items()]


def contestant(where, name, what=None, missing=None):
    return {"name": name, "where": where, "ours": names.is_ours(name),
            "reference": names.is_reference(name), "what": what, "attach_ns": None,
            "near_kib": None, "far_kib": None, "shared_kib": None, "missing": missing,
            "error": None}


def limit_of(steps, records):
    """
    One limit for the whole run: the median of all kept rounds of the host's trips, or of all
    its rounds where no trips were run.
    """
    found = {"trips": [], "others": []}
    for step in steps:
        if step.where == "host" and step.key in records:
            found["trips" if step.work == "trips" else "others"] += [
                r["limit_ns"] for entry in records[step.key]["names"].values()
                for r in entry["rounds"] if r["dropped"] is None]
    return figures.median(found["trips"] or found["others"])


def contestants(sessions, records, faults, wanted):
    """As the programs list them, with what opening them said, and their last fault."""
    rows = {}
    for where, session in sessions.items():
        for entry in session["contestants"]:
            if names.takes_part(where, entry["name"]) and wanted(where, entry["name"]):
                rows[where, entry["name"]] = contestant(where, entry["name"], entry["what"])
        for entry in session["missing"]:
            if names.takes_part(where, entry["name"]) and wanted(where, entry["name"]):
                rows[where, entry["name"]] = contestant(where, entry["name"],
                                                        missing=entry["package"])
    opened = {}
    for key, record in records.items():
        where = key.split("/")[0]
        for answer in record.get("attached", ()):
            if answer.get("links") == 1 and not answer.get("ring"):
                opened.setdefault((where, answer["contestant"]), []).append(answer)
    for fault in faults:
        row = rows.get((fault["step"].split("/")[0], fault.get("contestant")))
        if row is not None:
            row["error"] = f"{fault['text']} ({fault['step']})"
    for key, answers in opened.items():
        for field in ("attach_ns", "near_kib", "far_kib", "shared_kib"):
            if key in rows:
                rows[key][field] = figures.median([answer.get(field) for answer in answers])
    return list(rows.values())


def tail_of(steps, records):
    for step in steps:
        if step.work == "tail" and step.key in records:
            return records[step.key].get("tail")
    return None


def document(course):
    """course: what main.py has run, see there."""
    steps, state = course.plan.steps, course.state
    found = all_figures(steps, state.steps)
    limit_ns = limit_of(steps, state.steps)
    fitted = laws.laws(found, limit_ns)
    faults = [{"step": key, **fault} for key, record in state.steps.items()
              for fault in record["faults"]] + course.faults
    tail = tail_of(steps, state.steps)
    left_out = course.plan.left_out + course.left_out
    settled = set(state.steps) | {step.key for step, _ in left_out}
    return {"suite": SUITE, "label": course.label, "begun": state.begun["begun"],
            "command": state.begun["command"], "budget_s": course.budget_s,
            "quick": course.options.quick,
            "complete": bool(steps) and all(step.key in settled for step in steps),
            "seconds": round(state.seconds(), 1), "commit": state.begun.get("commit"),
            "rounds": course.plan.rounds, "round_s": course.plan.round_s,
            "boots": course.plan.boots,
            "place": course.place,
            "contestants": contestants(state.sessions, state.steps, faults, course.wanted),
            "figures": found, "tail": tail, "laws": fitted,
            "bars": bars.bars(steps, state.steps, state.sessions, tail),
            "plan": laws.constants(fitted, limit_ns),
            "left_out": [{"step": step.key, "why": why} for step, why in left_out] +
            [{"step": f"{key}: {name}", "why": LATE} for key, record in state.steps.items()
             for name in record.get("left_out", ())],
            "faults": faults}


def write(folder, results):
    """Whole or not at all: a page may be reading it."""
    path = folder / "results.json"
    new = folder / "results.json.new"
    try:
        with open(new, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1, allow_nan=False)
            file.write("\n")
        os.replace(new, path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def write_page(root, folder):
    """
    Whole or not at all, and none of an older run beside these results. @return None, or why there
    is no page, in a sentence.
    """
    page, new = folder / "report.html", folder / "report.html.new"
    try:
        why = page_of(root, new, folder / "results.json")
        if why is None:
            os.replace(new, page)
            return None
    except OSError as error:
        why = f"no report.html was written: {error.filename} cannot be used ({error.strerror})"
    for path in (new, page):
        with contextlib.suppress(OSError):
            path.unlink()
    return why


def page_of(root, page, results):
    """@return None, or why there is no page."""
    program = root / "devtools" / "report-page"
    try:
        done = subprocess.run([sys.executable, str(program), "--html", str(page), str(results)],
                              check=False, timeout=PAGE_S, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE)
    except subprocess.TimeoutExpired:
        return f"no report.html was written: {program} had not ended after {PAGE_S} s"
    if done.returncode == 0:
        return None
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return f"no report.html was written: {said[-1] if said else f'status {done.returncode}'}"
