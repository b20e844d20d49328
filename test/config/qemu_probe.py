#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tell what a running QEMU has of ivshmem: by its monitor the devices and their memories, by
the kernel how it maps each file.

usage: qemu_probe.py SOCKET PID
Prints for each device: address, size of BAR2, file, size of the file's mapping, r or rw.
"""
import json
import os
import socket
import sys
import time

# QEMU has to come up first.
LIMIT_S = 30


class Monitor:
    def __init__(self, path, pid):
        end = time.monotonic() + LIMIT_S
        while True:
            try:
                self.socket = socket.socket(socket.AF_UNIX)
                self.socket.connect(path)
                break
            except OSError:
                if not os.path.exists("/proc/%d/maps" % pid) or not open("/proc/%d/cmdline" % pid).read():
                    sys.exit("probe: QEMU has ended")
                if time.monotonic() > end:
                    sys.exit("probe: QEMU opened no monitor in %d s" % LIMIT_S)
                time.sleep(0.05)
        self.stream = self.socket.makefile("rw")
        self.stream.readline()
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline())
            if "error" in answer:
                sys.exit("probe: %s: %s" % (command, answer["error"]["desc"]))
            if "return" in answer:
                return answer["return"]


def mappings(pid):
    """Path to size and rights, as the page tables have them."""
    found = {}
    for line in open("/proc/%d/maps" % pid):
        words = line.split(None, 5)
        if len(words) == 6 and words[5].startswith("/dev/shm/"):
            first, last = (int(word, 16) for word in words[0].split("-"))
            found[words[5].strip()] = (last - first, words[1][:2].rstrip("-"))
    return found


def devices(monitor):
    """Path of each ivshmem-plain, in the order of the addresses."""
    for bus in monitor.ask("query-pci"):
        for device in bus["devices"]:
            if (device["id"]["vendor"], device["id"]["device"]) != (0x1af4, 0x1110):
                continue
            if device["id"].get("subsystem") != 0x1100:
                sys.exit("probe: the subsystem is not 0x1100: %s" % device["id"])
            bar2 = [region["size"] for region in device["regions"] if region["bar"] == 2]
            yield "%02x" % device["slot"], bar2[0]


def objects(monitor):
    """Address of each ivshmem-plain to its file."""
    found = {}
    for folder in ("/machine/peripheral", "/machine/peripheral-anon"):
        for entry in monitor.ask("qom-list", path=folder):
            if entry["type"] != "child<ivshmem-plain>":
                continue
            path = folder + "/" + entry["name"]
            memory = monitor.ask("qom-get", path=path, property="memdev")
            slot = int(monitor.ask("qom-get", path=path, property="addr")) >> 3
            found["%02x" % slot] = monitor.ask("qom-get", path=memory, property="mem-path")
    return found


def main():
    pid = int(sys.argv[2])
    monitor = Monitor(sys.argv[1], pid)
    mapped = mappings(pid)
    files = objects(monitor)
    for slot, bar2 in devices(monitor):
        size, rights = mapped[files[slot]]
        print(slot, bar2, os.path.basename(files[slot]), size, rights)
    monitor.ask("quit")


main()
