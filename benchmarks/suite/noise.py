# SPDX-License-Identifier: BSD-3-Clause
"""
What the measured loops call, counted in runs of their own, under strace and with a counting
allocator: system calls and allocations of both sides. The loops mark themselves: each begins
and ends with a look at its thread's usage, getrusage(RUSAGE_THREAD).
"""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from . import driver

MESSAGES = 100_000
SIZE = 60
MEETING_BYTES = 64 << 20
FAR_ENDS_S = 10
MARK = "getrusage(RUSAGE_THREAD"


class Uncounted(Exception):
    """Why there is no count."""


def calls_between_marks(lines):
    """Of an strace of several threads; raises Uncounted unless the marks are in pairs."""
    marks, calls = {}, 0
    for line in lines:
        thread, _, call = line.strip().partition(" ")
        call = call.lstrip()
        if call.startswith(MARK):
            marks[thread] = marks.get(thread, 0) + 1
        elif marks.get(thread, 0) % 2 and re.match(r"[a-z_0-9]+\(", call):
            calls += 1
    if len(marks) < 2 or any(count % 2 for count in marks.values()):
        raise Uncounted("the trace has no pairs of marks of both sides")
    return calls


def _rounds(session, log):
    contest = driver.Contest(session, log)
    try:
        contest.open("channel")
        contest.order("round", contestant="channel", work="trips", size=SIZE, burst=1, links=1,
                      messages=MESSAGES, interval_ns=0, bulk_size=0, waiting=False,
                      histogram=False)
    except (driver.Broken, driver.Fault, driver.Refused) as error:
        raise Uncounted(str(error)) from error
    finally:
        contest.stop()


def syscalls(program, cores, log):
    if shutil.which("strace") is None:
        raise Uncounted("strace is missing: run devtools/setup")
    with tempfile.TemporaryDirectory(prefix="nahanni-noise.") as folder:
        trace = pathlib.Path(folder) / "trace"
        argv = ["strace", "-f", "-o", str(trace), str(program), "--cores", cores]
        _rounds(driver.on_the_host(argv), log)
        with open(trace, encoding="utf-8", errors="replace") as file:
            return calls_between_marks(file)


def _within(path):
    """The counting allocator's words: all calls, those between marks, pairs of marks."""
    try:
        words = [int(word) for word in path.read_text(encoding="utf-8").split()]
    except (OSError, ValueError) as error:
        raise Uncounted(f"the counting allocator left no count ({error})") from error
    if len(words) < 3 or words[2] == 0:
        raise Uncounted("the counting allocator saw no marks")
    return words[1]


def allocations(program, cores, counter, log):
    """Each side a command of its own, since each has a count."""
    if not counter.exists():
        raise Uncounted(f"{counter.name} is missing: build all (ninja -C build)")
    # Named so that the next suite sweeps away what this one leaves when it is killed.
    with tempfile.TemporaryDirectory(prefix=f"nahanni-suite-noise.{os.getpid()}.",
                                     dir=driver.MEMORY) as name:
        folder = pathlib.Path(name)
        meeting = folder / "meeting"
        with open(meeting, "wb") as file:
            file.truncate(MEETING_BYTES)

        def side(which):
            return ["env", f"LD_PRELOAD={counter}", f"NHN_ALLOCATIONS={folder / which}",
                    str(program), "--side", which, "--control", f"file={meeting}", "--cores",
                    cores]

        @contextlib.contextmanager
        def far():
            with subprocess.Popen(side("far"), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  preexec_fn=driver.die_with_parent()) as process:
                try:
                    yield
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(FAR_ENDS_S)
                finally:
                    process.kill()

        _rounds(driver.Session("host", side("near") + ["--folder", name], far), log)
        return _within(folder / "near") + _within(folder / "far")


def count(program, build, cores, log):
    """@return {"syscalls", "allocations"}, None where not counted, and why not, or None."""
    counter = build / "test" / "pair" / "libcount_allocations.so"
    found, why = {"syscalls": None, "allocations": None}, []
    for key, how in (("syscalls", lambda: syscalls(program, cores, log)),
                     ("allocations", lambda: allocations(program, cores, counter, log))):
        try:
            found[key] = how()
        except (Uncounted, OSError) as error:
            why.append(f"{key}: {error}")
    return found, "; ".join(why) or None
