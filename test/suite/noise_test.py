#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What is made of other programs' words: calls of a trace, versions."""

import os
import pathlib
import signal
import tempfile
import unittest
from unittest import mock

import rig  # noqa: F401  (finds the suite)
from suite import driver, noise, place

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


class Killed(unittest.TestCase):
    def test_memory_of_a_count_is_swept_away(self):
        with tempfile.TemporaryDirectory(prefix="nahanni-noise-") as name:
            folder = pathlib.Path(name)
            with mock.patch.object(driver, "MEMORY", folder), \
                    mock.patch.object(noise, "_rounds",
                                      lambda session, log: os.kill(os.getpid(), signal.SIGKILL)):
                child = os.fork()
                if child == 0:
                    noise.allocations("contest", "0,1", folder, "log")
                os.waitpid(child, 0)
                self.assertEqual(len(list(folder.iterdir())), 1)
                driver.sweep("nahanni-suite")
                self.assertEqual(list(folder.iterdir()), [])


class Versions(unittest.TestCase):
    """Asked of programs of a folder that is the whole PATH."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="nahanni-versions-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        path = mock.patch.dict(os.environ, {"PATH": folder.name})
        path.start()
        self.addCleanup(path.stop)

    def program(self, name, script):
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def test_of_what_is_here(self):
        self.program("readelf", """[ "$*" = "-p .comment contest" ] || exit 1
printf "\\nString dump of section '.comment':\\n"
printf '  [     0]  GCC: (Debian 12.2.0-14) 12.2.0\\n'
printf '  [    27]  Debian clang version 14.0.6\\n\\n'""")
        self.program("qemu-system-x86_64",
                     "printf 'QEMU emulator version 7.2.22 (Debian)\\nand more\\n'")
        self.program("pkg-config", '[ "$*" = "--modversion libzmq" ] && echo 4.3.4')
        self.program("dpkg-query", '[ "$3" = libnng-dev ] && printf 1.5.2-2')
        found = place.versions("contest")
        self.assertTrue(found.pop("python") and found.pop("libc"))
        self.assertEqual(found, {
            "compiler": "Debian clang version 14.0.6", "dpdk": None, "qemu": "7.2.22 (Debian)",
            "libzmq": "4.3.4", "nng": "1.5.2-2", "iceoryx": None})

    def test_build_type(self):
        self.assertIsNone(place.build_type(self.folder))
        (self.folder / "meson-info").mkdir()
        path = self.folder / "meson-info" / "intro-buildoptions.json"
        for said, wanted in (("[]", None), ("{", None),
                             ('[{"name": "buildtype", "value": "release"}]', "release")):
            path.write_text(said, encoding="utf-8")
            self.assertEqual(place.build_type(self.folder), wanted)

    def test_of_what_is_not_here(self):
        found = place.versions("contest")
        self.assertEqual({name for name, version in found.items() if version is None},
                         {"compiler", "dpdk", "qemu", "libzmq", "nng", "iceoryx"})


if __name__ == "__main__":
    unittest.main()
