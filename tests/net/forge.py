#!/usr/bin/python3
"""Sends UDP datagrams whose source is anybody's, in frames of its own.

usage: forge.py DEVICE --source ADDRESS --to ADDRESS --port N [options]

The frame goes to the group's own address, or to --mac. "%d" or "%05d" in a text
or a --file is the number of the datagram, from 0. Of --hosts N, datagram I comes from ADDRESS
+ I % N; of --ports N, from --source-port + I % N. Prints the sum at the end.
"""

import argparse
import ipaddress
import json
import socket
import struct
import time

ETH_IP, ETH_IPV6, UDP = 0x0800, 0x86dd, 17
MAC = bytes.fromhex("020000c0ffee")


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def udp_of(source, to, source_port, port, payload):
    size = 8 + len(payload)
    head = struct.pack("!4H", source_port, port, size, 0)
    pseudo = source.packed + to.packed + struct.pack("!2I", size, UDP)
    total = checksum(pseudo + head + payload) or 0xffff
    return head[:6] + struct.pack("!H", total) + payload


def packet(source, to, ttl, data):
    if source.version == 6:
        return struct.pack("!IHBB", 6 << 28, len(data), UDP, ttl) + \
            source.packed + to.packed + data
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 0, 0, ttl, UDP,
                       0) + source.packed + to.packed
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + data


def mac_of(to):
    if to.version == 6:
        return b"\x33\x33" + to.packed[-4:]
    if to.is_multicast:
        return b"\1\0\x5e" + bytes([to.packed[1] & 127]) + to.packed[2:]
    return b"\xff" * 6


def payload_of(args):
    if args.file is None:
        return args.text.encode()
    with open(args.file, "rb") as file:
        return file.read()


def numbered(payload, number):
    return payload.replace(b"%05d", b"%05d" % number).replace(
        b"%d", b"%d" % number)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("device")
    parser.add_argument("--source", required=True)
    parser.add_argument("--source-port", type=int, default=40000)
    parser.add_argument("--hosts", type=int, default=1)
    parser.add_argument("--ports", type=int, default=1)
    parser.add_argument("--to", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--mac")
    parser.add_argument("--ttl", type=int, default=255)
    parser.add_argument("--text", default="forged")
    parser.add_argument("--file")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0)
    args = parser.parse_args()
    source, to = (ipaddress.ip_address(a) for a in (args.source, args.to))
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((args.device, 0))
    kind = ETH_IPV6 if to.version == 6 else ETH_IP
    mac = bytes.fromhex(args.mac.replace(":", "")) if args.mac else mac_of(to)
    payload = payload_of(args)
    begun = time.monotonic()
    for number in range(args.count):
        who = source + number % args.hosts
        data = udp_of(who, to, args.source_port + number % args.ports,
                      args.port, numbered(payload, number))
        sock.send(mac + MAC + struct.pack("!H", kind) +
                  packet(who, to, args.ttl, data))
        if args.rate:
            time.sleep(max(0, begun + (number + 1) / args.rate -
                           time.monotonic()))
    print(json.dumps({"sum": True, "sent": args.count}), flush=True)


if __name__ == "__main__":
    main()
