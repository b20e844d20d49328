# SPDX-License-Identifier: BSD-3-Clause
"""Contests with a real guest: QEMU under TCG, the far side in it, all its devices there at once."""

import contextlib
import os
import pathlib
import secrets
import shutil
import subprocess

from .driver import Fault, Session, die_with_parent, sweep

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAR_SCRIPT = pathlib.Path(__file__).with_name("guest_far.sh")
MEMORIES = "/dev/shm"
MEMORIES_BEGIN = "nahanni-guest"
DRIVERS = {"guest-vfio": "vfio-pci", "guest-uio": "uio_pci_generic"}

CONTROL_BYTES = 64 << 20
DEVICE_BYTES = 16 << 20
# Places on the guest's PCI bus, away from those that QEMU gives.
CONTROL_SLOT = 0x10
JOINT = {"channel": 0x11, "msg": 0x12, "ethdev": 0x13}
# What far writes, what near writes.
SPLIT = {"channel-split": (0x14, 0x15), "ethdev-split": (0x16, 0x17)}
VHOST = {"vhost-split": (0x18, ""), "vhost-packed": (0x19, ",packed=on")}
NET_SLOT = 0x1a
VSOCK_SLOT = 0x1b
SERIAL_PORT = "nahanni.contest"
VIRTIO = "disable-legacy=on,romfile="

HUGEPAGES = 128
# For good: the guest of a suite that takes its time.
TIME_LIMIT_S = 24 * 3600
SOCKETS_S = 120  # near has its sockets long before
STOP_S = 10


def why_not(options):
    """None, or why no guest can be run here."""
    for program in ("contest", "contest-guest"):
        if not (folder_of(options) / program).is_file():
            return f"{folder_of(options) / program} is missing: build it (ninja -C {options.build})"
    if os.geteuid() != 0:
        return "devtools/vm wants root for the guest's kernel and devices: run as root"
    if shutil.which("qemu-system-x86_64") is None:
        return "qemu-system-x86_64 is missing: run devtools/setup"
    if not os.access(MEMORIES, os.W_OK):
        return f"{MEMORIES} is not writable: mount a tmpfs there"
    return None


def sessions(options):
    """A session for each driver that can hold the devices in the guest."""
    return [session(options, where) for where in DRIVERS]


def folder_of(options):
    return pathlib.Path(options.build).resolve() / "benchmarks" / "contest"


def session(options, where):
    guest = Guest(options, where)
    argv = [str(folder_of(options) / "contest"), "--side", "near",
            "--control", f"file={guest.folder}/control", "--folder", str(guest.folder),
            "--cores", f"{options.near_core},{options.far_core}", "--device", guest.devices()]
    return Session(where, argv, guest.boot)


def address(slot):
    return f"0000:00:{slot:02x}.0"


class Guest:
    """
    One at a time. Its files are made before near is started; QEMU starts when near has what
    its devices need, which are the sockets of vhost-user.
    """

    def __init__(self, options, where):
        self.options = options
        self.driver = DRIVERS[where]
        name = secrets.token_hex(3)
        self.folder = pathlib.Path(MEMORIES, f"nahanni-{where}.{os.getpid()}.{name}")
        self.tap = f"nhn{name}"
        self.cid = 3 + secrets.randbelow(1 << 30)
        self.log = pathlib.Path(options.folder, f"{where}.log")
        self.net = os.path.exists("/dev/net/tun")
        self.vsock = os.path.exists("/dev/vhost-vsock")

    def devices(self):
        """What both sides are told of the guest."""
        found = {name: address(slot) for name, slot in JOINT.items()}
        for name, (own, peer) in SPLIT.items():
            found[name] = f"{address(own)},peer={address(peer)}"
        for name, (slot, _) in VHOST.items():
            found[name] = address(slot)
        if self.net:
            found["virtio-net"] = f"{address(NET_SLOT)},tap={self.tap}"
        found["virtio-serial"] = SERIAL_PORT
        if self.vsock:
            found["vsock"] = str(self.cid)
        return ";".join(f"{name}={what}" for name, what in found.items())

    def memories(self):
        """(file, bytes, slot, whether the guest only reads it)"""
        yield "control", CONTROL_BYTES, CONTROL_SLOT, False
        for name, slot in JOINT.items():
            yield name, DEVICE_BYTES, slot, False
        for name, (own, peer) in SPLIT.items():
            yield name, DEVICE_BYTES, own, False
            yield f"{name}-near", DEVICE_BYTES, peer, True

    def qemu(self):
        """Its arguments beside those of devtools/vm."""
        for name, size, slot, read_only in self.memories():
            yield (f"-object memory-backend-file,id={name},mem-path={self.folder}/{name},"
                   f"size={size},share=on{',readonly=on' if read_only else ''}"
                   f" -device ivshmem-plain,memdev={name},addr={slot:#x}")
        for name, (slot, more) in VHOST.items():
            yield (f"-chardev socket,id={name},path={self.folder}/{name}"
                   f" -netdev vhost-user,id={name},chardev={name}"
                   f" -device virtio-net-pci,netdev={name},addr={slot:#x},{VIRTIO},mrg_rxbuf=off,"
                   f"rx_queue_size=1024,tx_queue_size=1024{more}")
        if self.net:
            yield (f"-netdev tap,id=net,ifname={self.tap},script=no,downscript=no"
                   f" -device virtio-net-pci,netdev=net,addr={NET_SLOT:#x},{VIRTIO}")
        yield (f"-chardev socket,id=serial,path={self.folder}/virtio-serial,server=on,wait=off"
               f" -device virtserialport,chardev=serial,name={SERIAL_PORT},nr=10")
        if self.vsock:
            yield f"-device vhost-vsock-pci,guest-cid={self.cid},addr={VSOCK_SLOT:#x}"

    def command(self):
        """Waits for near's sockets, then becomes devtools/vm."""
        program = str(folder_of(self.options) / "contest-guest")
        bound = [slot for _, _, slot, _ in self.memories() if slot != CONTROL_SLOT]
        bound += [slot for slot, _ in VHOST.values()]
        wait = (f'left={SOCKETS_S}; until [ -S "$0" ] && [ -S "$1" ]; do '
                'left=$((left - 1)); if [ "$left" -lt 0 ]; then '
                'echo "near made no sockets of vhost-user" >&2; exit 1; fi; '
                'sleep 1; done; shift; exec "$@"')
        command = ["sh", "-c", wait, *(f"{self.folder}/{name}" for name in VHOST)]
        command += [str(ROOT / "devtools" / "vm"), "--verbose", "--bind", "none", "--share-memory",
                    "--hugepages", str(HUGEPAGES), "--host-cpu", str(self.options.far_core),
                    "--time-limit", str(TIME_LIMIT_S), "--put", f"{FAR_SCRIPT}:/far.sh"]
        for arguments in self.qemu():
            command += ["--qemu", arguments]
        command += ["--put", program, "--", "sh", "/far.sh", self.driver,
                    " ".join(address(slot) for slot in bound), address(CONTROL_SLOT), program,
                    "--side", "far", "--control", f"pci={address(CONTROL_SLOT)}", "--cores", "0,0",
                    "--device", self.devices()]
        return command

    @contextlib.contextmanager
    def boot(self):
        """Enters a function that says why the guest is gone, or None."""
        sweep(MEMORIES_BEGIN)
        try:
            self.folder.mkdir(0o700)
        except OSError as error:
            raise Fault(f"{self.folder} cannot be made ({error.strerror}), expected room for the "
                        "guest's memories: free some") from error
        try:
            for name, size, _, _ in self.memories():
                with open(self.folder / name, "wb") as file:
                    file.truncate(size)
            with self.running() as process:
                yield lambda: None if process.poll() is None else \
                    (f"the guest ended (status {process.returncode}; {self.log} has what it "
                     "said)")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def running(self):
        """Whatever happens, QEMU ends with devtools/vm, or the kernel ends it."""
        with open(self.log, "ab") as log:
            process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, start_new_session=True,
                                       preexec_fn=die_with_parent(),
                                       env={**os.environ, "TMPDIR": str(self.folder)})
        try:
            yield process
        finally:
            process.terminate()
            try:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_S)
            finally:
                process.kill()
                process.wait()
