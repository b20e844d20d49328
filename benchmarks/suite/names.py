# SPDX-License-Identifier: BSD-3-Clause
"""Who takes part in a contest, and which works there are."""

OURS = ("channel", "channel-long", "channel-split", "msg", "msg-split", "rpc", "packed", "ethdev",
        "ethdev-split")
# What others are held against: a cache line there and back, a ring, a copy.
REFERENCES = ("limit", "bare-ring", "plain-copy")
PEERS_HOST = ("memif", "memif-zc", "vhost-split", "vhost-packed", "rte-ring", "cached-ring",
              "unix-stream", "unix-seqpacket", "pipe", "eventfd", "mq", "futex-ring", "tcp", "zmq",
              "nng", "iceoryx")
PEERS_GUEST = ("virtio-net", "virtio-serial", "vsock")
# In a guest session; all others are of the host's.
GUEST = ("limit", "channel", "channel-split", "msg", "ethdev", "ethdev-split", "vhost-split",
         "vhost-packed") + PEERS_GUEST
# What the host must have for some of them.
NEEDS = {"virtio-net": "/dev/net/tun: modprobe tun",
         "vsock": "/dev/vhost-vsock: modprobe vhost_vsock"}
KNOWN = OURS + REFERENCES + PEERS_HOST + PEERS_GUEST

# Peers that are Ethernet ports of DPDK, as ethdev is: the bars of ethdev are against the best.
PORTS = ("memif", "memif-zc", "vhost-split", "vhost-packed")
# Request and response, or what comes nearest.
CALLS = ("rpc", "msg", "zmq", "nng", "unix-seqpacket", "unix-stream", "tcp", "iceoryx")
# Whose latency under load is of interest; the others follow the same loops.
LOADED = ("channel", "channel-long", "msg", "ethdev", "bare-ring", "memif", "vhost-split",
          "rte-ring", "unix-seqpacket", "zmq", "iceoryx")

WORKS = ("trips", "rate", "bandwidth", "tail", "paced", "links", "queues", "rings", "rpc", "mixed",
         "wake", "attach")

SMALL = 60  # bytes that go in one cell, and so in a cell of the bare ring
LARGE = 4096  # bytes from which on a message is a copy first of all


def takes_part(where, name):
    """Whether a contestant is one of this session: a program may know those of both."""
    return name not in PEERS_GUEST if where == "host" else name in GUEST


def is_ours(name):
    return name in OURS


def is_reference(name):
    return name in REFERENCES


def reference_of_rate(size):
    """Whom a rate at this size is held against, or None."""
    if size <= SMALL:
        return "bare-ring"
    return "plain-copy" if size >= LARGE else None
