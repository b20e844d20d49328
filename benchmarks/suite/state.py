# SPDX-License-Identifier: BSD-3-Clause
"""
What was done already, in DIR/state: a line a finished step, so that a run that was broken off
goes on where it was. A line is written whole or not believed.
"""

import fcntl
import json
import os
import shlex


class Unusable(Exception):
    """The folder cannot be used, in a sentence with the remedy."""


def _read(path):
    """Objects of a file of lines; what a kill left of the last line is cut off."""
    found = []
    good = 0
    with open(path, "rb") as file:
        for line in file:
            try:
                found.append(json.loads(line))
            except ValueError:
                break
            if not line.endswith(b"\n"):
                found.pop()
                break
            good += len(line)
    if good != os.path.getsize(path):
        os.truncate(path, good)
    return found


class State:
    """identity: {"command": [...], ...}: a state of another one is refused."""

    def __init__(self, folder, identity):
        self.folder = folder / "state"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.done = open(self.folder / "done.jsonl", "ab")
        except OSError as error:
            raise Unusable(f"{error.filename or folder} cannot be written ({error.strerror}), "
                           "expected a folder for the results: name another one by --out") \
                from error
        try:
            fcntl.flock(self.done, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._begin(folder, identity)
            self.records = _read(self.folder / "done.jsonl")
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

    def _begin(self, folder, identity):
        path = self.folder / "begun.jsonl"
        begun = _read(path) if path.exists() else []
        if not begun:
            path.write_text(json.dumps(identity) + "\n", encoding="utf-8")
            self.begun = identity
            return
        self.begun = begun[0]
        for key, what in (("command", "command line"), ("commit", "commit"),
                          ("program", "contest program")):
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

    def seconds(self):
        return sum(record.get("seconds", 0) for record in self.records)

    def close(self):
        self.done.close()


def told(value):
    if isinstance(value, list):
        return shlex.join(value) or "without options"
    return str(value)[:12] if value else "unknown"
