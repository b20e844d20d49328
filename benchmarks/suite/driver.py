# SPDX-License-Identifier: BSD-3-Clause
"""Speaks to the contest program: an order a line, an answer a line, each with a time limit."""

import collections
import contextlib
import ctypes
import json
import math
import os
import pathlib
import secrets
import select
import shutil
import signal
import subprocess
import time

# where: "host", "guest-vfio", "guest-uio"; argv: of the process that takes the orders; boot: a
# function that returns a new context manager, entered before argv is started and left after it
# has ended. A death means a new one. What it enters may be a function that says why there is
# nothing to wait for any more, or None.
Session = collections.namedtuple("Session", "where argv boot")

MEMORY = pathlib.Path("/dev/shm")
START_S = {"host": 40}
START_GUEST_S = 180
# The program itself waits 30 s for its far side.
OPEN_S = 40
ORDER_S = 40
STOP_S = 5
WATCH_S = 0.5  # between two looks at a guest
PR_SET_PDEATHSIG = 1
# What an answer must have beside its words: numbers, each at least so large.
ROUND = {"ns": 1, **dict.fromkeys(("received", "lost", "misordered", "samples", "limit_before_ns",
                                   "limit_after_ns"), 0)}
NUMBERS = {"round": ROUND, "floor": {"max_ns": 0},
           "open": dict.fromkeys(("attach_ns", "near_kib", "far_kib", "shared_kib"), 0)}
# Of a process that died, the end of what it said.
LAST_WORDS = 400


class Fault(Exception):
    """The program died, was silent for too long, or said what cannot be read."""


class Broken(Exception):
    """The program does not start, or its guest does not: nothing of this session can be run."""


class Refused(Exception):
    """The program answered that it could not; it goes on."""


def die_with_parent():
    """For subprocess's preexec_fn: the kernel kills the child when this process is gone."""
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def ask():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
    return ask


def is_number(value, least):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and \
        least <= value < math.inf


def sweep(begins):
    """What suites that were killed left: the second part of a name is a process."""
    for old in MEMORY.glob(f"{begins}*.*.*"):
        process = old.name.split(".")[1]
        if process.isdigit() and not os.path.exists(f"/proc/{process}"):
            shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def _empty(folder):
    """There for as long as the program, and gone also when it was killed."""
    sweep("nahanni-suite")
    folder.mkdir(0o700)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def on_the_host(argv):
    folder = MEMORY / f"nahanni-suite.{os.getpid()}.{secrets.token_hex(4)}"
    return Session("host", argv + ["--folder", str(folder)], lambda: _empty(folder))


class Contest:
    """One session's program, started when it is needed, and again after a death."""

    def __init__(self, session, log):
        self.session = session
        self.log = log
        self.start = None
        self.starts = 0
        self.opened = {}  # name: links and the entries of a ring
        self.ever = set()  # opened since the program was started
        self.attached = []  # answers to open
        self.process = None
        self.rest = b""
        self.stack = None
        self.gone = None  # says why the guest is gone, or None

    def begin(self):
        """Start the program unless it runs. Raises Broken."""
        if self.process is not None:
            return
        try:
            self._begin()
        except (Fault, Refused) as error:
            self.stop(kill=True)
            raise Broken(str(error)) from error

    def _begin(self):
        self.stack = contextlib.ExitStack()
        try:
            self.gone = self.stack.enter_context(self.session.boot())
            errors = self.stack.enter_context(open(self.log, "ab"))
            # In a session of its own: ^C is for the suite, and a kill takes both its processes.
            self.process = subprocess.Popen(self.session.argv, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=errors,
                                            start_new_session=True,
                                            preexec_fn=die_with_parent())
        except OSError as error:
            self.stack.close()
            what = error.filename or self.session.argv[0]
            raise Fault(f"{what} cannot be used ({error.strerror}), expected the contest "
                        "program: build it (ninja -C build), or name its build folder by "
                        "--build") from error
        except BaseException:
            self.stack.close()
            raise
        self.starts += 1
        self.rest = b""
        self.opened = {}
        self.ever = set()
        self.start = self._answer("start", START_S.get(self.session.where, START_GUEST_S))

    def _last_words(self):
        try:
            with open(self.log, "rb") as file:
                file.seek(max(0, os.path.getsize(self.log) - LAST_WORDS))
                lines = file.read().decode("utf-8", "replace").strip().splitlines()
        except OSError:
            return ""
        return f"; its last words: {lines[-1]}" if lines else ""

    def _died(self, doing):
        status = self.stop()
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        return Fault(f"the contest program ended by {how} while it did {doing}"
                     f"{self._last_words()}")

    def _line(self, doing, limit_s):
        end = time.monotonic() + limit_s
        pipe = self.process.stdout.fileno()
        while b"\n" not in self.rest:
            left = end - time.monotonic()
            slice_s = min(left, WATCH_S) if self.gone else left
            if left <= 0 or not select.select([pipe], [], [], slice_s)[0]:
                self._patience(doing, limit_s, end)
                continue
            got = os.read(pipe, 1 << 20)
            if not got:
                raise self._died(doing)
            self.rest += got
        line, self.rest = self.rest.split(b"\n", 1)
        return line

    def _patience(self, doing, limit_s, end):
        """Nothing came: raises Fault when nothing will, or not in time."""
        why = self.gone() if self.gone else None
        if why is None and time.monotonic() >= end:
            why = f"the contest program said nothing for {limit_s:.0f} s"
        if why is not None:
            self.stop(kill=True)
            raise Fault(f"{why} while it did {doing}, and was killed{self._last_words()}")

    def _answer(self, doing, limit_s):
        line = self._line(doing, limit_s)
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            self.stop(kill=True)
            raise Fault(f"the contest program answered {line[:80]!r} to {doing}, expected a JSON "
                        "object")
        if "error" in answer:
            raise Refused(str(answer["error"]))
        if answer.get("did") != doing:
            self.stop(kill=True)
            raise Fault(f"the contest program said that it did {answer.get('did')!r}, expected "
                        f"{doing!r}")
        self._look(doing, answer)
        return answer

    def _look(self, doing, answer):
        """Raises Fault when numbers that figures are made of are not there."""
        for key, least in NUMBERS.get(doing, {}).items():
            if not is_number(answer.get(key), least):
                self.stop(kill=True)
                raise Fault(f"the contest program answered {key!r}: {answer.get(key)!r} to "
                            f"{doing}, expected a number of at least {least}")

    def order(self, doing, limit_s=ORDER_S, **more):
        """@return the answer; raises Refused or Fault."""
        self.begin()
        try:
            self.process.stdin.write(json.dumps({"do": doing, **more}).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise self._died(doing) from None
        return self._answer(doing, limit_s)

    def open(self, name, links=1, ring=0):
        """
        Have it open with so many links, and rings of so many entries (0: its own default); one
        that was opened with others is opened anew.
        """
        self.begin()
        if name == "limit" or self.opened.get(name) == (links, ring):
            return
        fresh = not self.ever
        self.ever.add(name)
        if name in self.opened:
            self.close(name)
        try:
            self._open(name, links, ring)
        except Refused:
            # Shared memory is used once, and not all that was closed can be opened again: who
            # is refused beside others, or for a second time, gets a program of his own.
            if fresh:
                raise
            self.stop()
            self.begin()
            self.ever.add(name)
            self._open(name, links, ring)

    def _open(self, name, links, ring):
        self.attached.append(self.order("open", OPEN_S, contestant=name, links=links, ring=ring))
        self.opened[name] = links, ring

    def close(self, name):
        if self.opened.pop(name, None) is not None:
            self.order("close", OPEN_S, contestant=name)

    def stop(self, kill=False):
        """End the program. @return its exit status as subprocess has it."""
        process, self.process = self.process, None
        self.opened = {}
        if process is None:
            return 0
        try:
            if not kill:
                with contextlib.suppress(OSError):
                    process.stdin.close()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_S)
        finally:
            # What is left of its group: the far process has no reason to outlive the near one.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            with contextlib.suppress(OSError):
                process.stdin.close()
            process.stdout.close()
            self.stack.close()
        return process.returncode
