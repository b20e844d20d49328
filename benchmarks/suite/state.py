# SPDX-License-Identifier: BSD-3-Clause
"""
What was done already, in DIR/state: a line a finished step, so that a run that was broken off
goes on where it was. A line is written whole or not believed.
"""

import contextlib
import fcntl
import json
import os
import shlex
import tempfile


class Unusable(Exception):
    """The folder cannot be used, in a sentence with the remedy."""


def _record(line):
    """The object of a line, or None."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and line.endswith(b"\n") else None


def _read(path):
    """Objects of a file of lines; what a kill left of the last line is cut off."""
    lines = path.read_bytes().splitlines(keepends=True)
    found = [_record(line) for line in lines]
    if found and found[-1] is None:
        found.pop()
        os.truncate(path, sum(map(len, lines[:-1])))
    if None in found:
        raise Unusable(f"{path}, line {found.index(None) + 1} is no JSON object, expected one a "
                       f"line: remove {path.parent}, or name another folder by --out")
    return found


class State:
    """identity: {"command": [...], ...}: a state of another one is refused."""

    def __init__(self, folder, identity):
        self.folder = folder / "state"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # The documents are written into the folder itself, at the end.
            tempfile.TemporaryFile(dir=folder).close()
            self.done = open(self.folder / "done.jsonl", "ab")
        except OSError as error:
            raise Unusable(f"{error.filename or folder} cannot be written ({error.strerror}), "
                           "expected a folder for the results: name another one by --out") \
                from error
        try:
            fcntl.flock(self.done, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.records = _read(self.folder / "done.jsonl")
            self._begin(folder, identity)
        except BlockingIOError:
            self.done.close()
            raise Unusable(f"{folder} is in use by another run of the suite, expected none: wait "
                           "for its end, or name another folder by --out") from None
        except OSError as error:
            self.done.close()
            raise Unusable(f"{error.filename or folder} cannot be used ({error.strerror}), "
                           "expected the state of a run: name another folder by --out") \
                from error
        except BaseException:
            self.done.close()
            raise
        self.steps = {record["step"]: record for record in self.records if "step" in record}
        self.sessions = {record["session"]: record for record in self.records
                         if "session" in record}
        self.plan = next((record for record in reversed(self.records) if "plan" in record), None)

    def _begin(self, folder, identity):
        path = self.folder / "begun.jsonl"
        begun = _read(path) if path.exists() else []
        # Who did nothing leaves nothing that another one could spoil.
        if not self.records:
            with open(path, "w", encoding="utf-8") as file:
                file.write(json.dumps(identity) + "\n")
                file.flush()
                os.fsync(file.fileno())
            self.begun = identity
            return
        self.begun = begun[0] if begun else {}
        for key, what in (("command", "command line"), ("commit", "commit"),
                          ("suite", "benchmarks/suite"), ("program", "contest program"),
                          ("guest", "contest-guest program"),
                          ("libraries", "build of the libraries"), ("cores", "pair of cores"),
                          ("node", "machine"), ("boot", "start of the machine")):
            was, now = self.begun.get(key), identity.get(key)
            if was != now:
                raise Unusable(f"{folder} holds what another {what} began ({told(was)}, and now "
                               f"it is {told(now)}): go on with that one, or name another folder "
                               f"by --out, or remove {self.folder}")

    def add(self, record):
        """Keep a finished step's or a session's record; it is on the disk on return."""
        self.done.write(json.dumps(record).encode() + b"\n")
        self.done.flush()
        os.fsync(self.done.fileno())
        self.records.append(record)
        if "step" in record:
            self.steps[record["step"]] = record
        elif "session" in record:
            self.sessions[record["session"]] = record
        elif "plan" in record:
            self.plan = record

    def seconds(self):
        return sum(record.get("seconds", 0) for record in self.records)

    def discard(self):
        """As if it had not begun: another command line may use the folder."""
        for name in ("begun.jsonl", "done.jsonl"):
            (self.folder / name).unlink(missing_ok=True)

    def close(self):
        # What could not be written was said already.
        with contextlib.suppress(OSError):
            self.done.close()


def told(value):
    if isinstance(value, list):
        return shlex.join(value) or "without options"
    return str(value)[:12] if value else "unknown"
