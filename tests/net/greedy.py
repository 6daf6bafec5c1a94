#!/usr/bin/python3
"""A device that answers each search with many large answers, all different.

usage: greedy.py PROTOCOL DEVICE GROUP PORT ANSWERS SIZE

Answers come from PORT, by unicast, a millisecond apart, and begin anew with
each search. Those to mDNS can be read whole; who speaks another PROTOCOL is
not looked at. Prints {"ready": true}, and a line for each search. Ends at
SIGTERM.
"""

import ipaddress
import json
import signal
import socket
import struct
import sys
import time

TXT, IN, FLAGS = 16, 1, 0x8400
NAME = b"\6greedy\5local\0"


def say(**fields):
    print(json.dumps(fields), flush=True)


def open_socket(device, group, port):
    index = socket.if_nametoindex(device)
    address = ipaddress.ip_address(group)
    six = address.version == 6
    sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET,
                         socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                    device.encode() + b"\0")
    if six:
        sock.bind(("::", port))
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                        address.packed + struct.pack("@I", index))
    else:
        sock.bind(("", port))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        address.packed + struct.pack("@4si", b"", index))
    return sock


def mdns(number, size):
    """One record of text, in pieces of at most 255 bytes."""
    head = struct.pack("!6H", 0, FLAGS, 0, 1, 0, 0) + NAME
    left = size - len(head) - 10
    text = b""
    while left > 0:
        piece = min(255, left - 1)
        text += bytes([piece]) + (b"%08d" % number).ljust(piece, b".")[:piece]
        left = size - len(head) - 10 - len(text)
    return head + struct.pack("!HHIH", TXT, IN, 120, len(text)) + text


def opaque(number, size):
    return (b"%08d" % number).ljust(size, b".")


def main():
    protocol, device, group, port, answers, size = sys.argv[1:]
    sock = open_socket(device, group, int(port))
    make = mdns if protocol == "mdns" else opaque
    texts = [make(i, int(size)) for i in range(int(answers))]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    say(ready=True)
    while True:
        data, source = sock.recvfrom(65536)
        for text in texts:
            sock.sendto(text, source)
            time.sleep(0.001)
        say(asked=len(data))


if __name__ == "__main__":
    main()
