#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What is counted of a trace."""

import unittest

import rig  # noqa: F401  (finds the suite)
from suite import noise

MARK = "getrusage(RUSAGE_THREAD, {ru_utime={tv_sec=0, tv_usec=0}, ...}) = 0\n"


class Traces(unittest.TestCase):
    def test_calls_between_marks(self):
        self.assertEqual(noise.calls_between_marks([
            "10 read(0, \"x\", 1) = 1\n", "10 " + MARK, "11 " + MARK, "12 write(1, \"x\", 1) = 1\n",
            "10 futex(0x7f, FUTEX_WAKE, 1 <unfinished ...>\n", "10 <... futex resumed>) = 0\n",
            "11   nanosleep({tv_sec=0}, NULL) = 0\n", "10 waitid(P_PID, 11, {}, 0, NULL) = 0\n",
            "10 --- SIGCHLD {si_signo=SIGCHLD} ---\n", "11 " + MARK, "10 " + MARK,
            "10 write(1, \"x\", 1) = 1\n"]), 3)

    def test_marks_that_are_not_there(self):
        for lines in ([], ["10 " + MARK, "10 " + MARK], ["10 " + MARK, "11 " + MARK]):
            with self.assertRaisesRegex(noise.Uncounted, "no pairs of marks"):
                noise.calls_between_marks(lines)


if __name__ == "__main__":
    unittest.main()
