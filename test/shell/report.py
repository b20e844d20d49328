# SPDX-License-Identifier: BSD-3-Clause
"""Look at a JSON document of ipc-perf: report.py FILE EXPRESSION...

Each expression is Python over run (the last run), runs, document and the helpers
below, and has to be true; a false one is printed with the values it names.
"""
import json
import sys


def over(hist_run, bound_ns):
    """Samples in slices' steps whose lower bound is at or above bound_ns."""
    slices = hist_run["slices"]
    bounds = slices["bounds_ns"]
    count = 0
    for row in slices["rows"]:
        for i in range(1, len(bounds)):
            if bounds[i - 1] >= bound_ns:
                count += row["counts"][i]
    return count


def clean(run):
    """Nothing lost or wrong at either end."""
    ends = [run["counts"]["near"], run["counts"]["far"] or {}]
    wrong = sum(end.get(key, 0) for end in ends for key in ("duplicates", "misordered", "corrupt", "dropped", "strange"))
    return wrong == 0 and run["lost"] == 0


def main():
    document = json.load(open(sys.argv[1]))
    runs = document["runs"]
    names = {"document": document, "runs": runs, "run": runs[-1] if runs else None,
             "over": over, "clean": clean}
    failed = 0
    for expression in sys.argv[2:]:
        if not eval(expression, names):
            failed += 1
            print("false:", expression)
            print({key: value for key, value in (runs[-1] if runs else {}).items()
                   if key in ("outcome", "met", "warnings", "samples", "messages", "lost", "counts", "rate", "rounds", "gaps")})
    sys.exit(failed != 0)


main()
