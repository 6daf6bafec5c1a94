#!/usr/bin/python3
"""Searches on one segment, and a device on another that answers.

usage: searches.py FROM AT GROUP PORT RATE COUNT

No two searches are the same. Waits a moment for the last answers, and prints
how many were asked, answered there and got back, and when the last datagram
was seen, in ms since 1970.
"""

import json
import select
import socket
import struct
import sys
import time

WAIT_S = 0.4


def open_socket(device, group, port):
    index = socket.if_nametoindex(device)
    member = struct.pack("@4s4si", socket.inet_aton(group), b"", index)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                    device.encode() + b"\0")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, member)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    sock.bind(("", port))
    if port:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    return sock


def main():
    asks, at, group = sys.argv[1:4]
    port, rate, count = (int(n) for n in sys.argv[4:])
    searcher = open_socket(asks, group, 0)
    device = open_socket(at, group, port)
    run = time.time_ns()
    asked = answered = got = 0
    begun = last = time.monotonic()
    while asked < count or time.monotonic() - last < WAIT_S:
        now = time.monotonic()
        if asked < count and now >= begun + asked / rate:
            searcher.sendto(b"who %d %d" % (run, asked), (group, port))
            asked += 1
            last = now
        wait = begun + asked / rate - now if asked < count else WAIT_S
        ready, _, _ = select.select([searcher, device], [], [], max(0, wait))
        if device in ready:
            data, source = device.recvfrom(2048)
            device.sendto(b"me" + data, source)
            answered += 1
            last = time.monotonic()
        if searcher in ready:
            searcher.recv(2048)
            got += 1
            last = time.monotonic()
    ago_ms = (time.monotonic() - last) * 1000
    print(json.dumps({"asked": asked, "answered": answered, "got": got,
                      "ended_ms": round(time.time() * 1000 - ago_ms)}))


if __name__ == "__main__":
    main()
