#!/usr/bin/python3
"""Names that mean harm, and what prints them.

usage: hostile.py send DEVICE          announces them by mDNS, SSDP, WS-Discovery
                                       and plain text, and searches for them
       hostile.py names FILE GROUP     that `crierctl --json discovered` of FILE
                                       has each, and nothing of them is lost
       hostile.py plain FILE           that a terminal may be shown it
       hostile.py json FILE            the same, each line or all being JSON
       hostile.py metrics FILE         that each line is one of Prometheus' format

All but `send` exit with 1 and say why.
"""

import json
import re
import socket
import struct
import sys

# Escape sequences, as bytes and as characters; ends of lines; what turns the
# direction of writing; no UTF-8; the signs of formats that names end up in.
NAMES = [
    b"esc\x1b[2J\x1b]0;x\x07\x1b[31m",
    b"c1\x9b2J\x9d0;x\x9c",
    b"c1-utf8\xc2\x9b2J\xc2\x9d0;x\xc2\x9c\xc2\x85",
    b"lines\nFORGED\r\nFORGED\x0bFORGED\x0c",
    b"separators\xe2\x80\xa8FORGED\xe2\x80\xa9FORGED",
    b"bidi\xe2\x80\xaegnp\xe2\x81\xa6\xd8\x9c\xe2\x80\x8f",
    b"nul\0del\x7fback\x08\x08\x08",
    b"overlong\xc0\x8a\xe0\x80\x8a surrogate\xed\xa0\x80",
    b"cut\xf0\x9f\x92",
    b'quotes"\\"\'`$(x)\\n\\x1b\\',
    b"braces{}%s%n{{x}},=}",
    b"wide\xf0\x9f\x93\xba\xcc\x88\xe2\x80\x8d\xef\xbb\xbf",
    b"<&>]]>&lt;!--",
]
LONG = b"long" + b"\x1b[31m" * 49 + b"e"

HOSTILE = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f"
                     "\u2028-\u202e\u2066-\u2069]")


# ---- what is sent ----

def label(text):
    return bytes([len(text)]) + text


def record(name, kind, data):
    return name + struct.pack("!HHIH", kind, 1, 4500, len(data)) + data


def mdns(name):
    kind = label(b"_http") + label(b"_tcp") + label(b"local") + b"\0"
    instance = label(name[:63]) + kind
    host = label(name[:63]) + label(b"local") + b"\0"
    return struct.pack("!6H", 0, 0x8400, 0, 3, 0, 0) + \
        record(kind, 12, instance) + \
        record(instance, 33, struct.pack("!3H", 0, 0, 80) + host) + \
        record(instance, 16, label(b"k=" + name[:253]))


def mdns_question(name):
    return struct.pack("!6H", 0, 0, 1, 0, 0, 0) + label(name[:63]) + \
        label(b"local") + b"\0" + struct.pack("!HH", 12, 1)


def in_header(name):
    """One header has one line."""
    return re.sub(rb"[\r\n\0]", b" ", name)


def notify(name):
    name = in_header(name)
    return (b"NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\nNT: " + name +
            b"\r\nUSN: uuid:" + name + b"\r\nSERVER: " + name +
            b"\r\nLOCATION: http://" + name +
            b"\r\nCACHE-CONTROL: max-age=1800\r\n\r\n")


def msearch(name):
    return (b'M-SEARCH * HTTP/1.1\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: ' +
            in_header(name) + b"\r\n\r\n")


def hello(name):
    """XML has no control characters below a blank."""
    text = name.decode("utf-8", "replace")
    text = re.sub("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "?", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    ws = "http://schemas.xmlsoap.org/ws"
    return (f'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
            f'xmlns:a="{ws}/2004/08/addressing" '
            f'xmlns:d="{ws}/2005/04/discovery"><e:Header>'
            f'<a:Action>{ws}/2005/04/discovery/Hello</a:Action>'
            f'<a:MessageID>urn:uuid:1</a:MessageID></e:Header><e:Body>'
            f'<d:Hello><a:EndpointReference><a:Address>{text}</a:Address>'
            f'</a:EndpointReference><d:XAddrs>http://{text}</d:XAddrs>'
            f'<d:MetadataVersion>1</d:MetadataVersion></d:Hello></e:Body>'
            f'</e:Envelope>').encode()


def send(device):
    index = struct.pack("@4s4si", b"", b"", socket.if_nametoindex(device))
    protocols = [("224.0.0.251", 5353, 5353, mdns),
                 ("224.0.0.251", 5353, 0, mdns_question),
                 ("239.255.255.250", 1900, 0, notify),
                 ("239.255.255.250", 1900, 0, msearch),
                 ("239.255.255.250", 3702, 0, hello),
                 ("239.255.42.42", 4242, 0, lambda name: name)]
    # Each from a port of its own: what is plain is known by that.
    for name in NAMES + [LONG]:
        for group, port, source, make in protocols:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                                index)
                sock.bind(("", source))
                sock.sendto(make(name), (group, port))


# ---- what is printed ----

def wanted(name, group):
    """As the table keeps it: NUL and ends of lines are blanks, and each byte
    that is no UTF-8 is U+FFFD in JSON."""
    if group == "ssdp":
        name = b"uuid:" + in_header(name).strip(b" \t")
    else:
        name = in_header(name[:63])
    return re.sub("[\udc80-\udcff]", "\ufffd",
                  name.decode("utf-8", "surrogateescape"))


def names(path, group):
    with open(path, encoding="utf-8") as file:
        found = {e["name"] for e in json.load(file)["entries"]
                 if e["group"] == group}
    lost = [n for n in (wanted(n, group) for n in NAMES) if n not in found]
    for name in lost:
        print("lost:", ascii(name), "of", ascii(sorted(found)))
    return not lost


def plain(path):
    with open(path, "rb") as file:
        data = file.read()
    good = bool(data)
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            text = "\x1b"
        if HOSTILE.search(text) or text.startswith("FORGED"):
            print(f"line {number}: {ascii(line)}")
            good = False
    return good


def as_json(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        json.loads(text)
    except ValueError:
        for line in text.splitlines():
            json.loads(line)
    return plain(path)


def metrics(path):
    label = r'[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"'
    sample = re.compile(rf"[a-zA-Z_:][\w:]*(\{{{label}(,{label})*\}})? \d+")
    seen = set()
    good = True
    with open(path, encoding="utf-8") as file:
        for line in file.read().split("\n")[:-1]:
            series = line.rsplit(" ", 1)[0]
            if not line.startswith("# ") and (
                    not sample.fullmatch(line) or series in seen):
                print("no sample, or twice:", ascii(line))
                good = False
            seen.add(series)
    return good and len(seen) > 10 and plain(path)


def main():
    what, *rest = sys.argv[1:]
    if what == "send":
        send(*rest)
        return 0
    return not {"names": names, "plain": plain, "json": as_json,
                "metrics": metrics}[what](*rest)


if __name__ == "__main__":
    sys.exit(main())
