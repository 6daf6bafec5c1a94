#!/usr/bin/python3
"""Single mDNS messages, by python3-zeroconf's reader and writer.

usage: mdns-peer.py types ADDRESS [SECONDS]
       mdns-peer.py once DEVICE TO NAME TYPE [PORT [qu]]
       mdns-peer.py mixed DEVICE TO ADDRESS
       mdns-peer.py announce DEVICE TO NAME TYPE
       mdns-peer.py addresses DEVICE TO NAME ADDRESS,TTL...
       mdns-peer.py check FILE

`types` prints what service types are there. `once` asks a question of type
TYPE (A, PTR, ...) from PORT, by default one that the kernel chooses, and
prints each answer that comes to that port within two seconds, or half a one
after the first. `mixed` sends one announcement with a _googlecast._tcp and an
_airplay._tcp of one host, `announce` one instance NAME of a TYPE, `addresses`
the addresses of the host NAME, each with its TTL. `check` reads JSON lines with
a payload, `data`, in hexadecimal, and says of each whether it can be read
whole, and what it says.
"""

import ipaddress
import json
import socket
import struct
import sys
import time

import zeroconf
from zeroconf import const

PORT = 5353
UNIQUE = const._CLASS_IN | const._CLASS_UNIQUE


def say(**fields):
    print(json.dumps(fields), flush=True)


def open_socket(device, to, port):
    index = socket.if_nametoindex(device)
    six = ipaddress.ip_address(to).version == 6
    sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET,
                         socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                    device.encode() + b"\0")
    if six:
        level = socket.IPPROTO_IPV6
        sock.setsockopt(level, socket.IPV6_MULTICAST_IF, index)
        sock.setsockopt(level, socket.IPV6_MULTICAST_HOPS, 255)
        sock.bind(("::", port, 0, 0))
        return sock, (to, PORT, 0, index)
    level = socket.IPPROTO_IP
    sock.setsockopt(level, socket.IP_MULTICAST_IF,
                    struct.pack("@4s4si", b"", b"", index))
    sock.setsockopt(level, socket.IP_MULTICAST_TTL, 255)
    sock.bind(("", port))
    return sock, (to, PORT)


def types(address, seconds="3"):
    found = zeroconf.ZeroconfServiceTypes.find(
        interfaces=[address], timeout=float(seconds),
        ip_version=zeroconf.IPVersion.V4Only)
    say(types=sorted(found))


def names_in(message):
    records = message.answers
    names = {record.name.lower() for record in records}
    names |= {record.alias.lower() for record in records
              if isinstance(record, zeroconf.DNSPointer)}
    return sorted(names | {q.name.lower() for q in message.questions})


def once(device, to, name, type_, port="0", qu=""):
    sock, where = open_socket(device, to, int(port))
    out = zeroconf.DNSOutgoing(const._FLAGS_QR_QUERY, multicast=False,
                               id_=0x4321)
    question = zeroconf.DNSQuestion(
        name, getattr(const, "_TYPE_" + type_), const._CLASS_IN)
    question.unicast = bool(qu)
    out.add_question(question)
    sock.sendto(out.packets()[0], where)
    deadline = time.monotonic() + 2
    while (left := deadline - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            data, source = sock.recvfrom(9000)
        except TimeoutError:
            break
        deadline = min(deadline, time.monotonic() + 0.5)
        message = zeroconf.DNSIncoming(data)
        say(source=source[0].split("%")[0], port=source[1], id=message.id,
            valid=bool(message.valid), names=names_in(message),
            questions=len(message.questions), data=data.hex())


def mixed(device, to, address):
    """One message as devices send it that do more than one thing."""
    host = "mixed.local."
    out = zeroconf.DNSOutgoing(const._FLAGS_QR_RESPONSE | const._FLAGS_AA)
    services = [("Cast", "_googlecast._tcp.local.", 8009),
                ("Air", "_airplay._tcp.local.", 7000)]
    for name, type_, port in services:
        full = f"{name}.{type_}"
        out.add_answer_at_time(zeroconf.DNSPointer(
            "_services._dns-sd._udp.local.", const._TYPE_PTR,
            const._CLASS_IN, 4500, type_), 0)
        out.add_answer_at_time(zeroconf.DNSPointer(
            type_, const._TYPE_PTR, const._CLASS_IN, 4500, full), 0)
        out.add_answer_at_time(zeroconf.DNSService(
            full, const._TYPE_SRV, UNIQUE, 120, 0, 0, port, host), 0)
        out.add_answer_at_time(zeroconf.DNSText(
            full, const._TYPE_TXT, UNIQUE, 4500, b"\4id=1"), 0)
        out.add_additional_answer(zeroconf.DNSNsec(
            full, const._TYPE_NSEC, UNIQUE, 4500, full,
            [const._TYPE_TXT, const._TYPE_SRV]))
    out.add_additional_answer(zeroconf.DNSAddress(
        host, const._TYPE_A, UNIQUE, 120,
        ipaddress.ip_address(address).packed))
    sock, where = open_socket(device, to, PORT)
    for packet in out.packets():
        sock.sendto(packet, where)


def announce(device, to, name, type_):
    out = zeroconf.DNSOutgoing(const._FLAGS_QR_RESPONSE | const._FLAGS_AA)
    out.add_answer_at_time(zeroconf.DNSPointer(
        f"{type_}.local.", const._TYPE_PTR, const._CLASS_IN, 4500,
        f"{name}.{type_}.local."), 0)
    sock, where = open_socket(device, to, PORT)
    sock.sendto(out.packets()[0], where)


def addresses(device, to, name, *given):
    out = zeroconf.DNSOutgoing(const._FLAGS_QR_RESPONSE | const._FLAGS_AA)
    for text in given:
        address, ttl = text.split(",")
        address = ipaddress.ip_address(address)
        type_ = const._TYPE_A if address.version == 4 else const._TYPE_AAAA
        out.add_answer_at_time(zeroconf.DNSAddress(
            name, type_, UNIQUE, int(ttl), address.packed), 0)
    sock, where = open_socket(device, to, PORT)
    sock.sendto(out.packets()[0], where)


def check(path):
    with open(path, encoding="ascii") as file:
        for line in file:
            fields = json.loads(line)
            if "data" not in fields:
                continue
            data = bytes.fromhex(fields["data"])
            message = zeroconf.DNSIncoming(data)
            counts = struct.unpack_from("!4H", data.ljust(12, b"\0"), 4)
            say(valid=bool(message.valid), source=fields.get("source"),
                whole=len(message.questions) == counts[0],
                answers=len(message.answers), counts=counts,
                names=names_in(message) if message.valid else [])


def main():
    what, *rest = sys.argv[1:]
    {"types": types, "once": once, "mixed": mixed, "announce": announce,
     "addresses": addresses, "check": check}[what](*rest)


if __name__ == "__main__":
    main()
