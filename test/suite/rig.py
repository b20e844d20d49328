# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of the suite share: runs of benchmarks/run on the fake contest program."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RUN = ROOT / "benchmarks" / "run"
LIMIT_S = 300
SOME = ("--only", "channel,memif,tcp,bare-ring", "--works", "trips,rate")
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(ROOT / "benchmarks")]

from suite import place  # noqa: E402  (found by the line before)


def two_cores():
    """The fake uses none: any two that there are, those of this process first."""
    mine = os.sched_getaffinity(0)
    found = sorted(mine) + sorted(place.Machine().online - mine)
    if len(found) < 2:
        raise unittest.SkipTest("one core is online, two are needed")
    return found[:2]


class SuiteTest(unittest.TestCase):
    """A build folder with the fake in it, and a folder for results."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nahanni-suite-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        place = self.folder / "build" / "benchmarks" / "contest"
        place.mkdir(parents=True)
        self.fake = place / "contest"
        self.fake.symlink_to(HERE / "fake_contest.py")
        self.out = self.folder / "out"

    def command(self, *words):
        return [sys.executable, str(RUN), "--out", str(self.out), "--no-guest",
                "--cores", ",".join(map(str, two_cores())),
                "--build", str(self.folder / "build"), *words]

    @staticmethod
    def environment(how):
        return {**os.environ, "NHN_FAKE": json.dumps(how)}

    def run_suite(self, *words, before=None, **how):
        """
        @return the process's end; before is called in it before it begins, how is what the fake
        does otherwise.
        """
        return subprocess.run(self.command(*words), env=self.environment(how), timeout=LIMIT_S,
                              capture_output=True, text=True, check=False, preexec_fn=before)

    def begin_suite(self, *words, **how):
        process = subprocess.Popen(self.command(*words), env=self.environment(how), text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        return process

    def results(self):
        return json.loads((self.out / "results.json").read_text(encoding="utf-8"))

    def done(self):
        """Keys of the steps that the state has, in their order."""
        lines = (self.out / "state" / "done.jsonl").read_text(encoding="utf-8").splitlines()
        return [record["step"] for record in map(json.loads, lines) if "step" in record]

    def figure(self, results, **wanted):
        found = [figure for figure in results["figures"]
                 if all(figure[key] == value for key, value in wanted.items())]
        self.assertEqual(len(found), 1, wanted)
        return found[0]
