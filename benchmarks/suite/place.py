# SPDX-License-Identifier: BSD-3-Clause
"""The two cores of the contest, and what has to be known of where it ran."""

import functools
import itertools
import json
import os
import pathlib
import platform
import re
import subprocess

CPUS = pathlib.Path("/sys/devices/system/cpu")
NODES = pathlib.Path("/sys/devices/system/node")
# Of what the contest is linked with: pkg-config's name, and Debian's package where there is none.
LIBRARIES = {"libzmq": ("libzmq", "libzmq3-dev"), "nng": ("nng", "libnng-dev"),
             "iceoryx": ("iceoryx_binding_c", "libiceoryx-binding-c-dev")}
ASK_S = 10


class Unplaced(Exception):
    """There are no two cores, in a sentence with the remedy."""


def read(path):
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def cpus(text):
    """A kernel's list, "0-3,8", as a set."""
    found = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if first.isdigit():
            found.update(range(int(first), int(last or first) + 1))
    return found


class Machine:
    def __init__(self, root=CPUS, nodes=NODES, allowed=None):
        self.root = root
        self.nodes = nodes
        self.online = cpus(read(root / "online")) or set(range(os.cpu_count() or 1))
        self.isolated = cpus(read(root / "isolated")) & self.online
        allowed = os.sched_getaffinity(0) if allowed is None else allowed
        # Isolated ones are in nobody's mask until he asks for them.
        self.usable = (allowed | self.isolated) & self.online

    # Each is asked of every pair of cores, and the answers are many files.
    @functools.cache
    def siblings(self, core):
        return cpus(read(self.root / f"cpu{core}/topology/thread_siblings_list")) or {core}

    @functools.cache
    def caches(self, core):
        """(level, cores that use it)"""
        return [(read(index / "level"), cpus(read(index / "shared_cpu_list")))
                for index in (self.root / f"cpu{core}/cache").glob("index*")]

    def shared(self, near, far):
        """The levels of cache that both use, as ["L2", "L3"]."""
        return sorted({f"L{level}" for level, users in self.caches(near)
                       if level and far in users})

    @functools.cache
    def node(self, core):
        for folder in sorted(self.nodes.glob("node[0-9]*")):
            if core in cpus(read(folder / "cpulist")):
                return int(folder.name[4:])
        return None

    def governor(self, core):
        return read(self.root / f"cpu{core}/cpufreq/scaling_governor") or None

    def _cost(self, near, far):
        """What is against a pair, the weightiest first."""
        return ((near not in self.isolated) + (far not in self.isolated),
                far in self.siblings(near),
                "L3" not in self.shared(near, far),
                self.node(near) != self.node(far),
                # CPU 0 does work of the kernel that goes nowhere else.
                near == 0 or far == 0, near, far)

    def choose(self):
        """@return the near core and the far one."""
        if len(self.usable) < 2:
            raise Unplaced(f"two cores are needed and {len(self.usable)} may be used: run on a "
                           "machine with more, or widen the process's CPU mask (taskset)")
        return min(itertools.combinations(sorted(self.usable), 2),
                   key=lambda pair: self._cost(*pair))

    def check(self, near, far):
        for core in (near, far):
            if core not in self.online:
                raise Unplaced(f"--cores names core {core}, expected two of "
                               f"{','.join(map(str, sorted(self.online)))}")
        if near == far:
            raise Unplaced(f"--cores names core {near} twice, expected two that differ")

    def facts(self, near, far):
        return {"near_core": near, "far_core": far, "caches_shared": self.shared(near, far),
                "smt": far in self.siblings(near), "node": self.node(near),
                "kernel": platform.release(), "cpu": processor(),
                "governor": self.governor(near),
                "isolated": near in self.isolated and far in self.isolated,
                "accelerator": None}  # of guests, where there are any


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def output_of(*argv):
    """What a program prints, or None where it is not here, fails or is silent."""
    try:
        done = subprocess.run(argv, timeout=ASK_S, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip() or None


def compiler(program):
    """As the program keeps it; the files of libc, which come first, may be of another one."""
    comments = output_of("readelf", "-p", ".comment", program) or ""
    found = re.findall(r"^ *\[ *[0-9a-f]+\] +(.+)$", comments, re.MULTILINE)
    return found[-1].strip() if found else None


def qemu():
    told = output_of("qemu-system-x86_64", "--version") or ""
    found = re.match(r"QEMU emulator version (.+)", told)
    return found[1] if found else None


def versions(program):
    """Of what is measured by this contest program and around it; None: not here."""
    libraries = {name: output_of("pkg-config", "--modversion", module) or
                 output_of("dpkg-query", "-W", "-f=${Version}", package)
                 for name, (module, package) in LIBRARIES.items()}
    return {"libc": " ".join(platform.libc_ver()).strip() or None, "compiler": compiler(program),
            "dpdk": None,  # the program itself tells
            "qemu": qemu(), **libraries, "python": platform.python_version()}


def build_type(build):
    """Of meson, or None where it does not say."""
    try:
        told = json.loads(read(build / "meson-info" / "intro-buildoptions.json"))
        return next(option["value"] for option in told if option["name"] == "buildtype")
    except (ValueError, KeyError, TypeError, StopIteration):
        return None


def checks(program, near, far):
    """What nahanni-check says of the two cores: {"pass": n, ..., "against": [titles]}, or None."""
    try:
        done = subprocess.run([program, "--cores", f"{near},{far}", "--json"], timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        said = json.loads(done.stdout)
        against = [f"{entry['title']}: {entry['found']}" for entry in said["checks"]
                   if entry["status"] == "fail"]
        return {**said["counts"], "against": against}
    except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired):
        return None
