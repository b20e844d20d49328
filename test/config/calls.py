#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compare the system calls in a log of strace -f with the SystemCallFilter= of a unit.

usage: calls.py UNIT TRACE
"""
import re
import subprocess
import sys

# Refused to every process without CAP_SYS_RAWIO anyway, and its caller goes on.
TRIED = {"iopl"}


def sets():
    """The calls of each @set, as this systemd has them."""
    text = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], check=True,
                          stdout=subprocess.PIPE, universal_newlines=True).stdout
    found, name = {}, None
    for line in text.splitlines():
        if re.match(r"^@\S+$", line):
            name = line
            found[name] = []
        elif line.startswith("    ") and name and not line.strip().startswith("#"):
            found[name].append(line.strip())
        elif line and not line.startswith(" "):
            name = None
    return found


def expand(word, known):
    if not word.startswith("@"):
        return {word}
    return set().union(*(expand(inner, known) for inner in known[word]))


def allowed(unit, known):
    """systemd's rule: the first line makes it a list of what is allowed, in order."""
    passing = expand("@default", known)
    for line in open(unit):
        if not line.startswith("SystemCallFilter="):
            continue
        words = line.strip().split("=", 1)[1]
        for word in words.lstrip("~").split():
            passing = passing - expand(word, known) if words[0] == "~" else passing | expand(word, known)
    return passing


def main():
    known = sets()
    # Its own start, before the daemon: setpriv, which the unit has not.
    lines = open(sys.argv[2]).read().split("/nahanni-worker\"", 1)[1].splitlines()
    made = {match.group(1) for match in (re.match(r"\d+ +([a-z]\w*)\(", line) for line in lines) if match}
    missing = {"sched_setaffinity", "fchown", "openat"} - made
    if missing:
        sys.exit("calls: the trace has no %s: the daemon did not do its work" % sorted(missing))
    refused = made - allowed(sys.argv[1], known) - TRIED
    if refused:
        sys.exit("calls: the filter refuses %s" % ", ".join(sorted(refused)))
    print("calls: %d kinds, all allowed" % len(made))


main()
