#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Load a profile by tuned's own loader, on this machine's last CPU, without applying it; look
up each option in the plugin that it is for; and see that it leaves threads where they are.

usage: profile.py FOLDER PROFILE NAMES
FOLDER has the profiles and nahanni-variables.conf, NAMES a thread's name a line.
"""
import importlib
import inspect
import logging
import os
import re
import shutil
import sys
import tempfile

import tuned.logs
from tuned.profiles import Factory, Loader, Locator, Merger
from tuned.profiles.variables import Variables

# Their options are paths and scripts.
FREE = {"sysfs", "sysctl", "script"}

# tuned finds the name of its caller, which has to be a module.
LOG = tuned.logs.get()


class Complaints(logging.Handler):
    """What tuned says of a profile and goes on."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def copy(folder, target):
    """/etc/tuned is the machine's: the copies stand elsewhere and say so."""
    shutil.copytree(folder, target)
    for where, _, names in os.walk(target):
        for name in names:
            path = os.path.join(where, name)
            text = open(path).read()
            text = text.replace("include=/etc/tuned/", "include=%s/" % target)
            last = max(os.sched_getaffinity(0))
            text = text.replace("isolated_cores=2-5", "isolated_cores=%d" % last)
            open(path, "w").write(text)


def options_of(plugin):
    """Some of tuned's plugins have it as a method of the class, some of the object."""
    name = "tuned.plugins.plugin_" + plugin
    module = importlib.import_module(name)
    for _, found in inspect.getmembers(module, inspect.isclass):
        if found.__module__ == name and hasattr(found, "_get_config_options"):
            try:
                return found._get_config_options()
            except TypeError:
                return found._get_config_options(found)
    sys.exit("profile: tuned's %s has no plugin" % name)


def check_options(profile, variables):
    for name, unit in profile.units.items():
        known = None if unit.type in FREE else options_of(unit.type)
        for option, value in unit.options.items():
            if known is not None and option not in known:
                sys.exit("profile: [%s] knows no %s" % (name, option))
            if "${" in variables.expand(value) or variables.expand(value) == "":
                sys.exit("profile: [%s] %s=%s is not filled in" % (name, option, value))


def check_threads(profile, path):
    """As plugin_scheduler has it: separated by semicolons, searched for in the name."""
    words = re.split(r"(?<!\\);", profile.units["scheduler"].options["ps_blacklist"])
    pattern = "|".join("(%s)" % word for word in words)
    for name in open(path).read().splitlines():
        if re.search(pattern, name) is None and name not in FOREIGN:
            sys.exit("profile: the thread %s would be moved" % name)


# Threads of the daemon that have no CPU of their own, and are looked at with their process.
FOREIGN = {"eal-intr-thread", "telemetry-v2"}


def main():
    folder, name, threads = sys.argv[1:]
    complaints = Complaints()
    with tempfile.TemporaryDirectory() as work:
        copy(folder, work + "/tuned")
        LOG.addHandler(complaints)
        variables = Variables()
        loader = Loader(Locator([work + "/tuned"]), Factory(), Merger(), None, variables)
        profile = loader.load(name)
    check_options(profile, variables)
    check_threads(profile, threads)
    mask = int(variables.expand("${housekeeping_mask}").replace(",", ""), 16)
    if mask >> max(os.sched_getaffinity(0)) & 1:
        sys.exit("profile: the housekeeping mask %x has the isolated CPU" % mask)
    if complaints.lines:
        sys.exit("profile: tuned says: %s" % "; ".join(complaints.lines))


main()
