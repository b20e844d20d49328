#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs of benchmarks/run that end early: what they say, and that no process is left."""

import os
import pathlib
import signal
import subprocess
import time
import unittest

from rig import SuiteTest
from suite import driver

WORDS = ("--quick", "--works", "trips", "--only", "channel")
PATIENCE_S = 30
# A module in front of the path: sitecustomize is run before any program.
HELD = """\
import os, sys, time
if any(word.endswith({name!r}) for word in sys.orig_argv):
    open({reached!r}, "w").close()
    while os.path.exists({hold!r}):
        time.sleep(0.01)
"""


def there(pid):
    """Whether a process runs: what only nobody asked for its status has ended."""
    try:
        status = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


class Ends(SuiteTest):
    def setUp(self):
        super().setUp()
        self.trace = self.folder / "trace"
        self.hold = self.folder / "hold"
        self.reached = self.folder / "reached"

    def until(self, what):
        end = time.monotonic() + PATIENCE_S
        while not what():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    def pids(self):
        """Of the contest programs of this test."""
        text = self.trace.read_text(encoding="utf-8") if self.trace.exists() else ""
        return {int(line.split()[0]) for line in text.splitlines()}

    def nothing_is_left(self, suite):
        self.assertTrue(self.pids())
        self.until(lambda: not any(map(there, self.pids())))
        self.assertEqual(list(driver.MEMORY.glob(f"nahanni-suite.{suite}.*")), [])

    def ended(self, process):
        """@return what it said, without a traceback."""
        said = process.communicate(timeout=PATIENCE_S)[0]
        self.assertNotIn("Traceback", said)
        return said

    def begin_held(self):
        """A run that waits in a round."""
        self.trace.unlink(missing_ok=True)
        self.hold.touch()
        process = self.begin_suite(*WORDS, hold=["trips", 60, str(self.hold)],
                                   trace=str(self.trace))
        self.until(self.pids)
        return process

    def test_each_signal_breaks_off(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.out = self.folder / number.name
            process = self.begin_held()
            process.send_signal(number)
            self.assertIn("the same command goes on", self.ended(process))
            self.assertEqual(process.returncode, 1, number)
            self.assertTrue((self.out / "results.json").exists())
            self.nothing_is_left(process.pid)

    def test_terminal_that_is_gone(self):
        self.hold.touch()
        how = {"hold": ["trips", 60, str(self.hold)], "trace": str(self.trace)}
        with subprocess.Popen(self.command(*WORDS), env=self.environment(how),
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            self.addCleanup(process.kill)
            self.until(self.pids)
            process.stderr.close()
            process.send_signal(signal.SIGHUP)
            process.wait(PATIENCE_S)
        self.assertTrue((self.out / "results.json").exists())
        self.nothing_is_left(process.pid)

    def test_killed_suite_leaves_no_program(self):
        process = self.begin_held()
        self.assertTrue(all(map(there, self.pids())))
        process.kill()
        process.wait()
        self.until(lambda: not any(map(there, self.pids())))
        driver.sweep("nahanni-suite")
        self.nothing_is_left(process.pid)

    def test_while_a_program_does_not_end(self):
        """It is told to by the end of its input, and killed where it stays."""
        process = self.begin_suite(*WORDS, stay=str(self.reached), trace=str(self.trace))
        self.until(self.reached.exists)
        process.send_signal(signal.SIGINT)
        self.ended(process)
        self.nothing_is_left(process.pid)

    def hold_python(self, name):
        """A Python program of this name waits at its beginning for as long as there is a file."""
        self.hold.touch()
        (self.folder / "sitecustomize.py").write_text(HELD.format(
            name=name, reached=str(self.reached), hold=str(self.hold)), encoding="utf-8")
        os.environ["PYTHONPATH"] = str(self.folder)
        self.addCleanup(os.environ.pop, "PYTHONPATH")

    def test_while_the_page_is_made(self):
        self.hold_python("report-page")
        process = self.begin_suite(*WORDS)
        self.until(self.reached.exists)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process.send_signal(number)
        self.hold.unlink()
        self.ended(process)
        self.assertEqual(process.returncode, 0)
        self.assertTrue(self.results()["complete"])
        self.assertTrue((self.out / "report.html").exists())

    def test_before_anything_was_measured(self):
        """The suite asks git for its commit before it has begun."""
        git = self.folder / "git"
        git.write_text(f"#!/bin/sh\ntouch {self.reached}\nexec sleep 60\n", encoding="utf-8")
        git.chmod(0o755)
        path = os.environ["PATH"]
        os.environ["PATH"] = f"{self.folder}:{path}"
        self.addCleanup(os.environ.__setitem__, "PATH", path)
        process = self.begin_suite(*WORDS)
        self.until(self.reached.exists)
        process.send_signal(signal.SIGINT)
        self.assertIn("broken off before anything was measured", self.ended(process))
        self.assertEqual(process.returncode, 1)
        self.assertFalse((self.out / "results.json").exists())

    def test_while_modules_are_read(self):
        self.hold_python("benchmarks/run")
        (self.folder / "sitecustomize.py").rename(self.folder / "fcntl.py")
        process = self.begin_suite(*WORDS)
        self.until(self.reached.exists)
        process.send_signal(signal.SIGINT)
        self.ended(process)
        self.assertEqual(process.returncode, -signal.SIGINT)


if __name__ == "__main__":
    unittest.main()
