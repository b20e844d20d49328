#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Turn QEMU's arguments, as virsh domxml-to-native prints them, into ones that start here:
no secret, which libvirt would have written; the monitor where it is told; little memory
without hugepages. One argument a line.

usage: libvirt_argv.py SOCKET yes|no <ARGUMENTS
yes: the guest's memory has to be in hugepages.
"""
import json
import shlex
import sys


def main():
    words = [word for word in shlex.split(sys.stdin.read())]
    while "=" in words[0]:
        words.pop(0)
    result = []
    pairs = iter(words)
    for word in pairs:
        value = next(pairs) if word in ("-object", "-chardev", "-m") else None
        if word == "-object" and '"secret"' in value:
            continue
        if word == "-object" and '"pc.ram"' in value:
            memory = json.loads(value)
            if sys.argv[2] == "yes" and not memory.get("prealloc"):
                sys.exit("libvirt_argv: the guest's memory is not in hugepages: %s" % value)
            value = '{"qom-type":"memory-backend-ram","id":"pc.ram","size":%d}' % (128 << 20)
        elif word == "-chardev" and "id=charmonitor" in value:
            value = "socket,id=charmonitor,path=%s,server=on,wait=off" % sys.argv[1]
        elif word == "-m":
            value = "128"
        result += [word] + ([value] if value is not None else [])
    print("\n".join(result))


main()
