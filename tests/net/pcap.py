#!/usr/bin/python3
"""Reads what tcpdump captured on an Ethernet.

usage: pcap.py FILE

Prints a JSON object a line for each UDP datagram: its addresses and ports,
TTL or hop limit, size, payload in hexadecimal and digest, as mcast.py has it.
What is cut off at the end of the file, still being written, is left out, and
so are fragments but for the first.
"""

import hashlib
import ipaddress
import json
import struct
import sys

HEAD = struct.Struct("<IIII")
UDP = 17
FRAGMENT = 44


def packets(data):
    """The frames of a capture, each with its time."""
    at = 24
    if data[:4] not in (b"\xd4\xc3\xb2\xa1", b""):
        sys.exit("not a capture of this kind of machine")
    while len(data) - at >= HEAD.size:
        seconds, micros, size, _ = HEAD.unpack_from(data, at)
        at += HEAD.size
        if len(data) - at < size:
            return
        yield seconds + micros / 1e6, data[at:at + size]
        at += size


def udp_of(frame):
    """(source, destination, TTL, UDP header and payload), or None."""
    kind = frame[12:14]
    packet = frame[14:]
    if kind == b"\x08\x00" and packet[9] == UDP:
        if struct.unpack_from("!H", packet, 6)[0] & 0x1fff:
            return None
        size = struct.unpack_from("!H", packet, 2)[0]
        head = (packet[0] & 15) * 4
        return packet[12:16], packet[16:20], packet[8], packet[head:size]
    if kind == b"\x86\xdd":
        size = 40 + struct.unpack_from("!H", packet, 4)[0]
        head, after = packet[6], 40
        if head == FRAGMENT:
            if struct.unpack_from("!H", packet, 42)[0] & 0xfff8:
                return None
            head, after = packet[40], 48
        if head == UDP:
            return packet[8:24], packet[24:40], packet[7], packet[after:size]
    return None


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    for when, frame in packets(data):
        udp = udp_of(frame)
        if not udp or len(udp[3]) < 8:
            continue
        source, destination, ttl, segment = udp
        port, to_port = struct.unpack_from("!HH", segment)
        payload = segment[8:]
        print(json.dumps({
            "time": when, "source": str(ipaddress.ip_address(source)),
            "port": port, "to": str(ipaddress.ip_address(destination)),
            "to_port": to_port, "ttl": ttl, "size": len(payload),
            "data": payload.hex(),
            "digest": hashlib.sha256(payload).hexdigest()[:16]}))


if __name__ == "__main__":
    main()
