# SPDX-License-Identifier: BSD-3-Clause
"""The command line of benchmarks/run."""

import argparse
import pathlib
import re

from . import names

USAGE = "benchmarks/run --out DIR [OPTION]..."

HELP = f"""\
NAME
    benchmarks/run - everything that carries messages between two cores, in one contest

SYNOPSIS
    {USAGE}
    benchmarks/run --list

DESCRIPTION
    Runs ours, its peers and the physical limit in rotated short rounds on two cores, and
    writes DIR/results.json and DIR/report.html, with a table on standard output. A round
    whose limit changed by more than 20 % meanwhile is dropped and counted. All ratios are
    medians of per-round ratios; contestants are compared in turns whose limits differ by no
    more than that.

    The folder DIR/state keeps what was done: the same command goes on where a former run was
    broken off. Nothing else should run on the machine meanwhile.

OPTIONS
    --out DIR           where results go; made when it is not there
    --budget TIME       time for all, as 90s, 10m or 1h (10m). With less, rounds are shorter
                        (0.3 s, at least 0.2 s), then fewer (7, at least 3), then the steps of
                        least weight are left out: the results name them. One step of all
                        contestants takes half a minute, whatever the budget
    --quick             under two minutes: each contestant once in round trips and in rate,
                        what the bars need, a short tail; no guest unless --guest, which
                        takes a minute and a half each
    --only NAME,...     these contestants, and the references that rates are held against
    --works WORK,...    these works: {', '.join(names.WORKS[:6])},
                        {', '.join(names.WORKS[6:])}
    --cores NEAR,FAR    these cores. Else two that are isolated, share an L3 cache and are
                        not siblings of one core, as far as there are such
    --guest, --no-guest with guests, without. Else with them where they can be run
    --build FOLDER      of meson (build)
    --label TEXT        a name for the results
    --list              print the contestants and the works, and end
    --help              print this

EXIT STATUS
    0   what the budget had room for was measured; what was left out is named
    1   a contestant failed, ours lost messages, the guests of --guest cannot be had, the run
        was broken off, or the page cannot be made; what there is was written
    2   the command line, a folder or the contest program cannot be used, or there is nothing
        to measure

EXAMPLES
    benchmarks/run --out results --quick
    benchmarks/run --out results --budget 1h --only channel,memif,vhost-split
"""

UNITS = {"s": 1, "m": 60, "h": 3600}
LEAST_BUDGET_S = 10


class Usage(Exception):
    """What was wrong with the command line, in a sentence with the remedy."""


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Usage(f"{message}; benchmarks/run --help tells all options")


def budget(text):
    match = re.fullmatch(r"([0-9]{1,6})([smh])", text)
    seconds = int(match[1]) * UNITS[match[2]] if match else 0
    if seconds < LEAST_BUDGET_S:
        raise Usage(f"--budget is '{text}', expected a time of at least {LEAST_BUDGET_S}s, as "
                    "90s, 10m or 1h")
    return float(seconds)


def words(text, known, option, what):
    """A list of names, each of them known."""
    chosen = [word for word in text.split(",") if word]
    unknown = [word for word in chosen if word not in known]
    if unknown or not chosen:
        raise Usage(f"{option} names {', '.join(unknown) or 'nothing'}, expected {what} of "
                    f"{', '.join(known)}")
    return tuple(dict.fromkeys(chosen))


def cores(text):
    match = re.fullmatch(r"([0-9]{1,4}),([0-9]{1,4})", text)
    if not match:
        raise Usage(f"--cores is '{text}', expected two numbers, as 2,3")
    return int(match[1]), int(match[2])


def options(argv, root):
    """@return the options as a namespace; raises Usage."""
    parser = Parser(prog="benchmarks/run", add_help=False, allow_abbrev=False)
    parser.add_argument("--out")
    parser.add_argument("--budget")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--works")
    parser.add_argument("--cores")
    parser.add_argument("--guest", action=argparse.BooleanOptionalAction, default=None)
    parser.add_argument("--build", default=str(root / "build"))
    parser.add_argument("--label")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--help", "-h", action="store_true")
    for word in argv:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise Usage(f"{word!a} is no UTF-8, expected words that results and page can "
                        "have") from None
    found = parser.parse_args(argv)
    for name in ("out", "budget", "only", "works", "cores", "build", "label"):
        if getattr(found, name) == "":
            raise Usage(f"--{name} is empty, expected a value, or not the option; benchmarks/run "
                        "--help tells all options")
    found.out = pathlib.Path(found.out) if found.out else None
    found.build = pathlib.Path(found.build)
    found.only = words(found.only, names.KNOWN, "--only", "contestants") if found.only else ()
    found.works = words(found.works, names.WORKS, "--works", "works") if found.works else \
        names.WORKS
    found.label = found.label or ""
    found.budget_s = budget(found.budget or "10m")
    found.cores = cores(found.cores) if found.cores else None
    if found.out is None and not found.list and not found.help:
        raise Usage("--out is missing, expected a folder for the results; benchmarks/run --help "
                    "tells all options")
    return found


def identity(argv):
    """The command line as a state is known by: where the results go does not matter."""
    kept = []
    words_left = iter(argv)
    for word in words_left:
        if word == "--out":
            next(words_left, None)
        elif not word.startswith("--out="):
            kept.append(word)
    return kept
