#!/usr/bin/python3
"""Sends and hears numbered datagrams: the other end of crier's network tests.

usage: mcast.py send   --to ADDRESS --port N --iface DEVICE [options]
       mcast.py listen --to ADDRESS --port N --iface DEVICE[,...] [options]

Both print a JSON object a line for every datagram and one with the sums at
the end. A listener prints {"ready": true} first, when it hears already, and
ends at SIGTERM, after --count datagrams or after --timeout seconds.

Plain sockets, one for each device, tied to it: what such a socket hears came
in on that device. Needs root for that.
"""

import argparse
import hashlib
import ipaddress
import json
import random
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time

MAGIC = b"crier"
HEAD = struct.Struct("!5sQ")
LARGEST = 65507
SO_RCVBUFFORCE = 33
IP_RECVTTL = 12
IP_MULTICAST_ALL = 49
IPV6_MULTICAST_ALL = 29


def say(**fields):
    print(json.dumps(fields), flush=True)


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def payload(seed, number, size):
    """`size` bytes that differ for each number, which stands in front."""
    head = HEAD.pack(MAGIC, number)
    if size < len(head):
        return random.Random(f"{seed}/{number}").randbytes(size)
    rest = random.Random(f"{seed}/{number}").randbytes(size - len(head))
    return head + rest


def number_of(data):
    if len(data) < HEAD.size:
        return None
    magic, number = HEAD.unpack_from(data)
    return number if magic == MAGIC else None


def make_socket(address, device):
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                    device.encode() + b"\0")
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return sock


def send_options(sock, address, args, index):
    loop = int(args.loop)
    if address.version == 6:
        level = socket.IPPROTO_IPV6
        sock.setsockopt(level, socket.IPV6_MULTICAST_IF, index)
        sock.setsockopt(level, socket.IPV6_MULTICAST_HOPS, args.ttl)
        sock.setsockopt(level, socket.IPV6_UNICAST_HOPS, args.ttl)
        sock.setsockopt(level, socket.IPV6_MULTICAST_LOOP, loop)
        return
    level = socket.IPPROTO_IP
    sock.setsockopt(level, socket.IP_MULTICAST_IF,
                    struct.pack("@4s4si", b"", b"", index))
    sock.setsockopt(level, socket.IP_MULTICAST_TTL, args.ttl)
    sock.setsockopt(level, socket.IP_TTL, args.ttl)
    sock.setsockopt(level, socket.IP_MULTICAST_LOOP, loop)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)


def send(args):
    address = ipaddress.ip_address(args.to)
    index = socket.if_nametoindex(args.iface)
    sock = make_socket(address, args.iface)
    send_options(sock, address, args, index)
    any_address = "::" if address.version == 6 else ""
    sock.bind((args.source or any_address, args.source_port))
    target = ((args.to, args.port, 0, index) if address.version == 6
              else (args.to, args.port))
    sent = errors = 0
    begun = time.monotonic()
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    while (args.count == 0 or sent + errors < args.count) and not stop:
        if args.text is not None:
            data = args.text.encode()
        else:
            data = payload(args.seed, args.first + sent + errors, args.size)
        try:
            sock.sendto(data, target)
            sent += 1
            if not args.quiet:
                say(number=number_of(data), size=len(data),
                    digest=digest(data))
        except OSError as error:
            errors += 1
            if not args.quiet:
                say(error=error.strerror)
        if args.rate:
            ahead = begun + (sent + errors) / args.rate - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
    say(sum=True, sent=sent, errors=errors)


def listen_on(address, port, device):
    sock = make_socket(address, device)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    index = socket.if_nametoindex(device)
    if address.version == 6:
        level = socket.IPPROTO_IPV6
        sock.setsockopt(level, IPV6_MULTICAST_ALL, 0)
        sock.setsockopt(level, socket.IPV6_RECVHOPLIMIT, 1)
        sock.bind((str(address), port, 0, index))
        if address.is_multicast:
            sock.setsockopt(level, socket.IPV6_JOIN_GROUP,
                            address.packed + struct.pack("@I", index))
        return sock
    level = socket.IPPROTO_IP
    sock.setsockopt(level, IP_MULTICAST_ALL, 0)
    sock.setsockopt(level, IP_RECVTTL, 1)
    sock.bind((str(address), port))
    if address.is_multicast:
        sock.setsockopt(level, socket.IP_ADD_MEMBERSHIP,
                        address.packed + struct.pack("@4si", b"", index))
    return sock


def ttl_of(ancillary):
    for _, kind, data in ancillary:
        if kind in (socket.IP_TTL, socket.IPV6_HOPLIMIT):
            return struct.unpack("@i", data[:4])[0]
    return None


def own_addresses():
    text = subprocess.run(["ip", "-j", "address"], check=True,
                          stdout=subprocess.PIPE).stdout
    return {address["local"] for link in json.loads(text)
            for address in link["addr_info"]}


class Heard:
    """The sums of a listener."""

    def __init__(self):
        self.total = 0
        self.times = {}  # (device, digest): how often
        self.numbers = set()
        self.devices = {}

    def add(self, device, data):
        key = (device, digest(data))
        self.total += 1
        self.times[key] = self.times.get(key, 0) + 1
        self.devices[device] = self.devices.get(device, 0) + 1
        if number_of(data) is not None:
            self.numbers.add(number_of(data))

    def say(self):
        numbers = self.numbers
        gaps = (max(numbers) - min(numbers) + 1 - len(numbers)
                if numbers else 0)
        say(sum=True, heard=self.total, distinct=len(self.times),
            most=max(self.times.values(), default=0), numbers=len(numbers),
            gaps=gaps, devices=self.devices)


def listen(args):
    group = ipaddress.ip_address(args.to)
    selector = selectors.DefaultSelector()
    for device in args.iface.split(","):
        selector.register(listen_on(group, args.port, device),
                          selectors.EVENT_READ, device)
    heard = Heard()
    stop = []
    wake, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    selector.register(wake, selectors.EVENT_READ, None)
    own = own_addresses() if args.foreign else ()
    deadline = time.monotonic() + args.timeout
    say(ready=True)
    while args.count == 0 or heard.total < args.count:
        # Once it is to stop, what is queued still counts.
        left = 0 if stop else max(0, deadline - time.monotonic())
        ready = [key for key, _ in selector.select(left) if key.data]
        if not ready and (stop or time.monotonic() >= deadline):
            break
        for key in ready:
            data, ancillary, _, source = key.fileobj.recvmsg(65536, 256)
            address = source[0].split("%")[0]
            if address in own:
                continue
            heard.add(key.data, data)
            if not args.quiet:
                say(device=key.data, number=number_of(data), size=len(data),
                    digest=digest(data), ttl=ttl_of(ancillary),
                    source=address, port=source[1],
                    time=round(time.time(), 4))
    heard.say()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["send", "listen"])
    parser.add_argument("--to", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--iface", required=True)
    parser.add_argument("--quiet", action="store_true",
                        help="only the sums")
    parser.add_argument("--count", type=int,
                        help="0: until stopped (send: 1 by default)")
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument("--rate", type=float, default=0,
                        help="datagrams a second, 0: as fast as it goes")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--text", help="the payload, instead of a pattern")
    parser.add_argument("--seed", default="")
    parser.add_argument("--first", type=int, default=0,
                        help="the number of the first datagram")
    parser.add_argument("--ttl", type=int, default=1)
    parser.add_argument("--source", help="the address to send from")
    parser.add_argument("--source-port", type=int, default=0)
    parser.add_argument("--loop", action="store_true",
                        help="this host hears it too")
    parser.add_argument("--foreign", action="store_true",
                        help="pass over what this host itself sends")
    args = parser.parse_args()
    if args.count is None:
        args.count = 1 if args.what == "send" else 0
    if not 0 <= args.size <= LARGEST:
        parser.error(f"--size is 0 to {LARGEST}")
    return send(args) if args.what == "send" else listen(args)


if __name__ == "__main__":
    sys.exit(main())
