#!/usr/bin/python3
"""Compares what crier has discovered on a segment with what others list there.

usage: same.py mdns ENTRIES BROWSED    output of avahi-browse -a -r -k -p -t
       same.py ssdp ENTRIES BROWSED    output of ssdp-peer.py gssdp

ENTRIES is the result of `discovered`. Says what differs, and fails then.
"""

import json
import re
import sys


def unescape(text):
    """As avahi-browse -p escapes a name: \\DDD for a byte, \\ before others."""
    raw = re.sub(rb"\\(\d{3}|.)", lambda m: bytes([int(m[1])])
                 if m[1].isdigit() and len(m[1]) == 3 else m[1],
                 text.encode())
    return raw.decode()


def browsed_mdns(path):
    """{(name, type, host, port): addresses}"""
    found = {}
    for line in open(path, encoding="utf-8"):
        if not line.startswith("="):
            continue
        fields = line.rstrip("\n").split(";", 9)
        name, type_, host, address, port = (
            unescape(fields[3]), fields[4], fields[6], fields[7], fields[8])
        found.setdefault((name, type_, host, int(port)), set()).add(address)
    return found


def entries_mdns(entries):
    return {(e["name"], e["type"], e["host"], e["port"]):
            {a.split("%")[0] for a in e["addresses"]}
            for e in entries if e["protocol"] == "mdns"}


def browsed_ssdp(path):
    found = {}
    for line in open(path, encoding="utf-8"):
        d = json.loads(line)
        if d.get("event") == "add":
            found[d["usn"]] = set(d["locations"])
        elif d.get("event") == "remove":
            found.pop(d["usn"], None)
    return found


def entries_ssdp(entries):
    return {e["name"]: {e["location"]} for e in entries
            if e["protocol"] == "ssdp"}


def main():
    kind, entries_path, browsed_path = sys.argv[1:]
    with open(entries_path, encoding="utf-8") as file:
        entries = json.load(file)["entries"]
    if kind == "mdns":
        ours, theirs = entries_mdns(entries), browsed_mdns(browsed_path)
    else:
        ours, theirs = entries_ssdp(entries), browsed_ssdp(browsed_path)
    print(len(ours), "discovered,", len(theirs), "browsed")
    for key in sorted(set(ours) ^ set(theirs), key=repr):
        print("only", "discovered:" if key in ours else "browsed:", key)
    # What they see of a host is among what crier knows of it.
    lacking = {k: v - ours[k] for k, v in theirs.items()
               if k in ours and v - ours[k]}
    for key, addresses in lacking.items():
        print("without", addresses, "of", key)
    return 1 if set(ours) ^ set(theirs) or lacking else 0


if __name__ == "__main__":
    sys.exit(main())
