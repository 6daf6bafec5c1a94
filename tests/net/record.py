#!/usr/bin/python3
"""A corpus of mDNS messages: recorded, generated, sent, and compared.

usage: record.py generate COUNT SEED
       record.py mutate CORPUS SEED
       record.py corpus CAPTURE...
       record.py send CORPUS DEVICE TO
       record.py compare CORPUS CAPTURE same
       record.py compare CORPUS CAPTURE only|without SERVICE... [link-local]
       record.py compare CORPUS CAPTURE readable

A corpus is a file of distinct messages in hexadecimal, one a line. `generate`
prints messages as devices of many kinds make them: all usual record types, with
and without compression, questions, known answers, probes and NSEC. `mutate`
prints each message of a corpus with a few bytes changed. `corpus` prints what
pcap.py read from captures. `send` sends them from port 5353, then an empty
message with the id 0xffff.

`compare` reads what came out. With `same` each message of the corpus must be
there byte for byte. With `only` no name may belong to another service than
these, with `without` none to one of these, with `link-local` no address may be
one; all that was changed must be readable, and what names nothing of the kind
must be there byte for byte. With `readable` that is all that is asked of what
was changed: of malformed names every reader has its own view. It prints the
sums as JSON, and what is wrong first.
"""

import ipaddress
import json
import random
import socket
import struct
import sys
import time

import zeroconf
from zeroconf import const

PORT = 5353
UNIQUE = const._CLASS_IN | const._CLASS_UNIQUE
END = b"\xff\xff" + bytes(10)
SERVICES = ["_googlecast._tcp", "_airplay._tcp", "_raop._tcp", "_hap._tcp",
            "_ipp._tcp", "_http._tcp", "_smb._tcp", "_spotify-connect._tcp",
            "_companion-link._tcp", "_matter._tcp", "_osc._udp"]
WORDS = ["Kitchen", "Living Room", "Büro", "TV", "HP LaserJet (4A:5B)",
         "Küche · 2", "x" * 63, "Dot\\.ted", "a", "日本語のテレビ"]


# ---- the generator ----

def instance(rng):
    return f"{rng.choice(WORDS)[:15]} {rng.randrange(1000)}".replace(".", "")


def service_records(rng, host):
    """The records of one service, those that come first and those beside."""
    type_ = rng.choice(SERVICES) + ".local."
    full = f"{instance(rng)}.{type_}"
    ttl = rng.choice([0, 10, 120, 4500])
    text = b"".join(bytes([len(s)]) + s for s in
                    (b"k%d=%s" % (n, rng.randbytes(rng.randrange(40)))
                     for n in range(rng.randrange(6)))) or b"\0"
    first = [zeroconf.DNSPointer(type_, const._TYPE_PTR, const._CLASS_IN,
                                 ttl, full)]
    if rng.random() < 0.5:
        first.append(zeroconf.DNSPointer(
            "_services._dns-sd._udp.local.", const._TYPE_PTR,
            const._CLASS_IN, ttl, type_))
    if rng.random() < 0.3:
        first.append(zeroconf.DNSPointer(
            f"_{rng.choice('abc')}._sub.{type_}", const._TYPE_PTR,
            const._CLASS_IN, ttl, full))
    beside = [zeroconf.DNSService(full, const._TYPE_SRV, UNIQUE, ttl, 0, 0,
                                  rng.randrange(65536), host),
              zeroconf.DNSText(full, const._TYPE_TXT, UNIQUE, ttl, text)]
    if rng.random() < 0.6:
        beside.append(zeroconf.DNSNsec(
            full, const._TYPE_NSEC, UNIQUE, ttl, full,
            [const._TYPE_TXT, const._TYPE_SRV]))
    return first, beside


def host_records(rng, host):
    four = bytes([10, 77, 2, rng.randrange(100, 200)])
    records = [zeroconf.DNSAddress(host, const._TYPE_A, UNIQUE, 120, four)]
    if rng.random() < 0.3:
        records.append(zeroconf.DNSAddress(
            host, const._TYPE_A, UNIQUE, 120,
            bytes([169, 254, 3, rng.randrange(1, 255)])))
    for prefix in ("fd77:2::", "fe80::"):
        if rng.random() < 0.6:
            address = ipaddress.ip_address(prefix) + rng.randrange(1 << 32)
            records.append(zeroconf.DNSAddress(
                host, const._TYPE_AAAA, UNIQUE, 120, address.packed))
    if rng.random() < 0.5:
        records.append(zeroconf.DNSNsec(
            host, const._TYPE_NSEC, UNIQUE, 120, host,
            [const._TYPE_A, const._TYPE_AAAA]))
    if rng.random() < 0.2:
        records.append(zeroconf.DNSHinfo(host, const._TYPE_HINFO, UNIQUE, 120,
                                         "ARM", "Linux"))
    if rng.random() < 0.3:
        reverse = ipaddress.ip_address(four).reverse_pointer + "."
        records.append(zeroconf.DNSPointer(reverse, const._TYPE_PTR, UNIQUE,
                                           120, host))
    return records


def response(rng, host):
    out = zeroconf.DNSOutgoing(const._FLAGS_QR_RESPONSE | const._FLAGS_AA)
    for _ in range(rng.randrange(1, 4)):
        first, beside = service_records(rng, host)
        together = rng.random() < 0.5
        for record in first + (beside if together else []):
            out.add_answer_at_time(record, 0)
        for record in [] if together else beside:
            out.add_additional_answer(record)
    if rng.random() < 0.8:
        for record in host_records(rng, host):
            out.add_additional_answer(record)
    return out


def question(rng, host):
    out = zeroconf.DNSOutgoing(const._FLAGS_QR_QUERY)
    for _ in range(rng.randrange(1, 5)):
        type_ = rng.choice(SERVICES) + ".local."
        name, kind = rng.choice([
            (type_, const._TYPE_PTR), (host, const._TYPE_A),
            (f"{instance(rng)}.{type_}", const._TYPE_SRV),
            (f"{instance(rng)}.{type_}", const._TYPE_ANY),
            ("_services._dns-sd._udp.local.", const._TYPE_PTR)])
        out.add_question(zeroconf.DNSQuestion(name, kind, const._CLASS_IN))
        if rng.random() < 0.4:
            for record in service_records(rng, host)[0]:
                out.add_answer_at_time(record, 0)
    return out


def probe(rng, host):
    out = zeroconf.DNSOutgoing(const._FLAGS_QR_QUERY)
    _, beside = service_records(rng, host)
    out.add_question(zeroconf.DNSQuestion(
        beside[0].name, const._TYPE_ANY, const._CLASS_IN))
    out.add_authorative_answer(beside[0])
    return out


def without_compression(data):
    """The same message, its names in full."""
    at, body = 12, b""
    counts = struct.unpack_from("!4H", data, 4)

    def name(at):
        labels, jumped = b"", None
        while data[at]:
            if data[at] & 0xc0:
                jumped = jumped or at + 2
                at = struct.unpack_from("!H", data, at)[0] & 0x3fff
                continue
            labels += data[at:at + data[at] + 1]
            at += data[at] + 1
        return labels + b"\0", jumped or at + 1

    for _ in range(counts[0]):
        full, at = name(at)
        body += full + data[at:at + 4]
        at += 4
    for _ in range(sum(counts[1:])):
        full, at = name(at)
        type_, _, _, size = struct.unpack_from("!HHIH", data, at)
        head, at, inside = data[at:at + 8], at + 10, data[at + 10:at + 10 + size]
        if type_ == const._TYPE_PTR:
            inside = name(at)[0]
        elif type_ == const._TYPE_SRV:
            inside = inside[:6] + name(at + 6)[0]
        elif type_ == const._TYPE_NSEC:
            target, after = name(at)
            inside = target + data[after:at + size]
        body += full + head + struct.pack("!H", len(inside)) + inside
        at += size
    return data[:12] + body


def generate(count, seed):
    rng = random.Random(seed)
    seen = set()
    while len(seen) < int(count):
        host = f"host-{rng.randrange(50)}.local."
        make = rng.choices([response, question, probe], [6, 3, 1])[0]
        for data in make(rng, host).packets():
            if rng.random() < 0.2:
                data = without_compression(data)
            if len(data) <= 1400 and data not in seen:
                seen.add(data)
                print(data.hex())


def mutate(path, seed):
    rng = random.Random(seed)
    for data in read_corpus(path):
        data = bytearray(data)
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.choice(
                [0, 1, 0xc0, 0xff, rng.randrange(256)])
        if rng.random() < 0.1:
            del data[rng.randrange(len(data)):]
        print(data.hex())


# ---- recording ----

def corpus(*paths):
    seen = set()
    for path in paths:
        with open(path, encoding="ascii") as file:
            for line in file:
                data = json.loads(line)["data"]
                if data not in seen:
                    seen.add(data)
                    print(data)


def read_corpus(path):
    with open(path, encoding="ascii") as file:
        return [bytes.fromhex(line) for line in file if line.strip()]


# ---- sending and comparing ----

def send(path, device, to):
    index = socket.if_nametoindex(device)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                    struct.pack("@4s4si", b"", b"", index))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    sock.bind(("", PORT))
    for data in read_corpus(path):
        sock.sendto(data, (to, PORT))
        time.sleep(0.0003)
    sock.sendto(END, (to, PORT))


def read(data):
    """(whether it can be read whole, its names, its addresses)

    None instead of true or false where this reader itself fails: it takes
    texts for UTF-8 that need not be.
    """
    try:
        message = zeroconf.DNSIncoming(data)
    except UnicodeDecodeError:
        return None, set(), set()
    if not message.valid:
        return False, set(), set()
    names = {question.name for question in message.questions}
    addresses = set()
    for record in message.answers:
        names.add(record.name)
        if isinstance(record, zeroconf.DNSPointer):
            names.add(record.alias)
        if isinstance(record, zeroconf.DNSAddress) and len(
                record.address) in (4, 16):
            addresses.add(ipaddress.ip_address(record.address))
    whole = len(message.questions) == struct.unpack_from("!H", data, 4)[0]
    return whole, names, addresses


def service_of(name):
    """Such as _http._tcp, or "" for a name that belongs to none."""
    labels = name.lower().rstrip(".").split(".")
    if len(labels) < 3 or labels[-1] != "local":
        return ""
    if labels[-2] not in ("_tcp", "_udp") or labels[-3][:1] != "_":
        return ""
    service = ".".join(labels[-3:-1])
    return "" if service == "_dns-sd._udp" else service


def breaks(rules, names, addresses):
    """What in it may not pass, or ""."""
    how, *words = rules
    services = {service_of(name) for name in names} - {""}
    wrong = services - set(words) if how == "only" else services & set(words)
    if how in ("same", "readable"):
        return ""
    if "link-local" in words and any(a.is_link_local for a in addresses):
        return "link-local"
    return min(wrong, default="")


def is_probe(data):
    """A query with records in its authority section."""
    flags, _, _, authority = struct.unpack_from("!4H", data, 2)
    return not flags & 0x8000 and authority > 0


def compare(path, captured, *rules):
    before = set(read_corpus(path))
    with open(captured, encoding="ascii") as file:
        after = [bytes.fromhex(json.loads(line)["data"]) for line in file]
    after = {data for data in after if data != END}
    wrong = []
    for data in after:
        whole, names, addresses = read(data)
        if whole is False and data not in before:
            wrong.append(["unreadable", data.hex()])
        elif whole and (what := breaks(rules, names, addresses)):
            wrong.append([what, data.hex()])
    for data in before - after if rules != ("readable",) else ():
        whole, names, addresses = read(data)
        # No probe for addresses crosses under multi-homed.
        if "multi-homed" in rules and is_probe(data) and addresses:
            continue
        if rules[0] == "same" or (
                whole and not breaks(rules, names, addresses)):
            wrong.append(["missing", data.hex()])
    print(json.dumps({
        "before": len(before), "after": len(after),
        "changed": len(after - before), "wrong": len(wrong),
        "first": wrong[:1]}))


def main():
    what, *rest = sys.argv[1:]
    {"generate": generate, "mutate": mutate, "corpus": corpus, "send": send,
     "compare": compare}[what](*rest)


if __name__ == "__main__":
    main()
