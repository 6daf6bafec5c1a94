#!/usr/bin/python3
"""Repeats datagrams between two devices, after a while, from its own address.

usage: repeater.py ADDRESS PORT SECONDS DEVICE DEVICE

As cheap relays do that queue, with no guard of their own against loops; what
they sent themselves they do not hear. Ends at SIGTERM.
"""

import heapq
import ipaddress
import json
import select
import signal
import socket
import struct
import sys
import time


def open_socket(address, port, device):
    index = socket.if_nametoindex(device)
    six = address.version == 6
    sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET,
                         socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                    device.encode() + b"\0")
    if six:
        level = socket.IPPROTO_IPV6
        sock.setsockopt(level, socket.IPV6_MULTICAST_LOOP, 0)
        sock.setsockopt(level, socket.IPV6_MULTICAST_IF, index)
        sock.bind((str(address), port, 0, index))
        sock.setsockopt(level, socket.IPV6_JOIN_GROUP,
                        address.packed + struct.pack("@I", index))
        return sock, (str(address), port, 0, index)
    level = socket.IPPROTO_IP
    member = struct.pack("@4s4si", address.packed, b"", index)
    sock.setsockopt(level, socket.IP_MULTICAST_LOOP, 0)
    sock.setsockopt(level, socket.IP_MULTICAST_IF, member)
    sock.setsockopt(level, socket.IP_MULTICAST_TTL, 4)
    sock.bind((str(address), port))
    sock.setsockopt(level, socket.IP_ADD_MEMBERSHIP, member)
    return sock, (str(address), port)


def main():
    address = ipaddress.ip_address(sys.argv[1])
    port, delay = int(sys.argv[2]), float(sys.argv[3])
    ends = [open_socket(address, port, device) for device in sys.argv[4:6]]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    waiting = []
    number = 0
    print(json.dumps({"ready": True}), flush=True)
    while True:
        wait = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        ready, _, _ = select.select([end[0] for end in ends], [], [], wait)
        for i, (sock, _) in enumerate(ends):
            if sock in ready:
                number += 1
                heapq.heappush(waiting, (time.monotonic() + delay, number,
                                         1 - i, sock.recv(65536)))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, i, data = heapq.heappop(waiting)
            ends[i][0].sendto(data, ends[i][1])
            print(json.dumps({"repeated": number}), flush=True)


if __name__ == "__main__":
    main()
