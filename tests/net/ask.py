#!/usr/bin/python3
"""Searches, and what answers them: many searchers, and binary devices.

usage: ask.py ask --to ADDRESS --port N --iface DEVICE [options]
       ask.py device --to ADDRESS --port N --iface DEVICE --name NAME
       ask.py hear --to ADDRESS --port N --iface DEVICE

`ask` sends one search from each of --searchers ports (by --text, --hex or
--file; "%d" in a text is the searcher's number, unless --same) and prints a
JSON object for each answer; it ends when every searcher has --answers of
them, or after --timeout seconds, and says the sums. With --again it searches
again every so many seconds. `device` answers each search whose payload begins
with --hex by unicast, with --hex2, its NAME and what the search said after
that. `hear` prints what comes to a group.
"""

import argparse
import hashlib
import ipaddress
import json
import selectors
import signal
import socket
import struct
import sys
import time


def say(**fields):
    print(json.dumps(fields), flush=True)


def is_six(address):
    return ipaddress.ip_address(address).version == 6


def open_socket(args, port, address=None):
    """A socket tied to the device, that sends to groups and hears unicast."""
    six = is_six(args.to)
    index = socket.if_nametoindex(args.iface)
    sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET,
                         socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                    args.iface.encode() + b"\0")
    if port:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    if six:
        level = socket.IPPROTO_IPV6
        sock.setsockopt(level, socket.IPV6_MULTICAST_IF, index)
        sock.setsockopt(level, socket.IPV6_MULTICAST_HOPS, args.ttl)
        sock.setsockopt(level, socket.IPV6_MULTICAST_LOOP, 0)
        sock.bind((address or args.source or "::", port, 0, index))
        return sock
    level = socket.IPPROTO_IP
    sock.setsockopt(level, socket.IP_MULTICAST_IF,
                    struct.pack("@4s4si", b"", b"", index))
    sock.setsockopt(level, socket.IP_MULTICAST_TTL, args.ttl)
    sock.setsockopt(level, socket.IP_MULTICAST_LOOP, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sock.bind((address or args.source or "", port))
    return sock


def listener(args):
    """A socket that hears the group, or the broadcast address."""
    sock = open_socket(args, args.port, args.to)
    address = ipaddress.ip_address(args.to)
    index = socket.if_nametoindex(args.iface)
    if address.version == 6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                        address.packed + struct.pack("@I", index))
    elif address.is_multicast:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        address.packed + struct.pack("@4si", b"", index))
    return sock


def payload_of(args, number):
    if args.hex is not None:
        data = bytes.fromhex(args.hex)
    elif args.file is not None:
        with open(args.file, "rb") as file:
            data = file.read()
    else:
        data = args.text.encode()
    if not args.same:
        data = data.replace(b"%d", b"%d" % number)
    return data


def said(data, source):
    return {"source": source[0].split("%")[0], "port": source[1],
            "size": len(data), "text": data.decode("latin-1"),
            "digest": hashlib.sha256(data).hexdigest()[:16],
            "time": round(time.time(), 4)}


def ask(args):
    selector = selectors.DefaultSelector()
    to = ((args.to, args.port, 0, socket.if_nametoindex(args.iface))
          if is_six(args.to) else (args.to, args.port))
    searchers = []
    for number in range(args.first, args.first + args.searchers):
        source = None
        if args.spread:
            source = str(ipaddress.ip_address(args.spread) + number)
        sock = open_socket(args, args.source_port, source)
        selector.register(sock, selectors.EVENT_READ, number)
        searchers.append((sock, number))
    answers = {number: [] for _, number in searchers}
    deadline = time.monotonic() + args.timeout
    next_ask = 0.0
    asked = 0
    while time.monotonic() < deadline:
        if next_ask is not None and time.monotonic() >= next_ask:
            for sock, number in searchers:
                sock.sendto(payload_of(args, number), to)
                asked += 1
            next_ask = time.monotonic() + args.again if args.again else None
            if asked == args.searchers:
                say(ready=True)
        wait = deadline - time.monotonic()
        if next_ask is not None:
            wait = min(wait, next_ask - time.monotonic())
        for key, _ in selector.select(max(0, wait)):
            data, source = key.fileobj.recvfrom(65536)
            answers[key.data].append(data)
            if not args.quiet:
                say(searcher=key.data, **said(data, source))
        if args.answers and all(len(set(got)) >= args.answers
                                for got in answers.values()):
            break
    say(sum=True, asked=asked,
        least=min(len(set(got)) for got in answers.values()),
        most=max(len(got) for got in answers.values()),
        satisfied=sum(len(set(got)) >= args.answers
                      for got in answers.values()))


def device(args):
    sock = listener(args)
    reply = open_socket(args, args.port, args.source)
    begin = bytes.fromhex(args.hex)
    say(ready=True)
    while True:
        data, source = sock.recvfrom(65536)
        if not data.startswith(begin):
            continue
        say(**said(data, source))
        reply.sendto(bytes.fromhex(args.hex2) + args.name.encode() + b"\0" +
                     data[len(begin):], source)


def hear(args):
    sock = listener(args)
    say(ready=True)
    while True:
        say(**said(*sock.recvfrom(65536)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["ask", "device", "hear"])
    parser.add_argument("--to", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--iface", required=True)
    parser.add_argument("--source", help="the address to send from")
    parser.add_argument("--spread", metavar="ADDRESS",
                        help="searcher N sends from ADDRESS + N")
    parser.add_argument("--source-port", type=int, default=0)
    parser.add_argument("--ttl", type=int, default=4)
    parser.add_argument("--text", default="search %d")
    parser.add_argument("--hex")
    parser.add_argument("--hex2", default="")
    parser.add_argument("--file")
    parser.add_argument("--name", default="device")
    parser.add_argument("--searchers", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--same", action="store_true")
    parser.add_argument("--answers", type=int, default=0)
    parser.add_argument("--again", type=float)
    parser.add_argument("--timeout", type=float, default=5)
    parser.add_argument("--quiet", action="store_true")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    {"ask": ask, "device": device, "hear": hear}[args.what](args)


if __name__ == "__main__":
    main()
