#!/usr/bin/python3
"""Announces a service without asking whether its name is free.

usage: mdns-rival.py ADDRESS NAME TYPE PORT

Twice a second, by IPv4, from ADDRESS. Ends at SIGTERM, with a goodbye.
"""

import json
import signal
import socket
import struct
import sys
import time

GROUP = ("224.0.0.251", 5353)


def name(*labels):
    return b"".join(bytes([len(x)]) + x for x in
                    (y.encode() for y in labels)) + b"\0"


def record(owner, kind, klass, ttl, data):
    return owner + struct.pack("!HHIH", kind, klass, ttl, len(data)) + data


def announcement(instance, type_, port, ttl):
    labels = type_.split(".") + ["local"]
    owner = name(instance, *labels)
    host = name("rival", "local")
    records = [
        record(name(*labels), 12, 1, ttl, owner),
        record(owner, 33, 0x8001, ttl and 120,
               struct.pack("!HHH", 0, 0, port) + host),
        record(owner, 16, 0x8001, ttl, b"\0"),
    ]
    return (struct.pack("!HHHHHH", 0, 0x8400, 0, len(records), 0, 0) +
            b"".join(records))


def main():
    address, instance, type_, port = sys.argv[1:]
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                 socket.inet_aton(address))
    s.bind((address, 5353))
    print(json.dumps({"ready": True}), flush=True)
    for _ in range(240):
        if stopped:
            break
        s.sendto(announcement(instance, type_, int(port), 4500), GROUP)
        time.sleep(0.5)
    s.sendto(announcement(instance, type_, int(port), 0), GROUP)


if __name__ == "__main__":
    main()
