#!/usr/bin/python3
"""Kills a broker again and again under traffic, and looks what sites know.

usage: outage.py --broker NAMESPACE --address A --config FILE[,FILE...]
                 --rounds N [--away S] NAME=NAMESPACE=SOCKET...

A site NAME has a host in NAMESPACE, with one device, NAME, which announces by
SSDP and hears what crosses to there; SOCKET is its crierd's. In each round
every host announces something new, something else of what it has, and says a
goodbye: some of it just before the broker is killed, some while it is away.
FILEs are configurations of mosquitto, each for its share of the rounds.
Prints a JSON object a line: of each round, how long after the return every
site knew all that is alive and nothing that is not, and at the end the sums.
The broker that it leaves is the last one that it started; it ends at its end.
"""

import argparse
import ctypes
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

GROUP, PORT = "239.255.255.250", 1900
CLONE_NEWNET = 0x40000000
LIFETIME_S = 300
DEADLINE_S = 20
libc = ctypes.CDLL(None, use_errno=True)


def say(**fields):
    print(json.dumps(fields), flush=True)


def enter(path):
    with open(path, encoding="ascii") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            sys.exit(f"{path}: {os.strerror(ctypes.get_errno())}")


class Inside:
    """Sockets that are made in it belong to that namespace."""

    def __init__(self, name):
        self.path = f"/run/netns/{name}"

    def __enter__(self):
        enter(self.path)

    def __exit__(self, *_):
        enter(f"/proc/{os.getppid()}/ns/net")


class Site:
    def __init__(self, text):
        self.name, namespace, self.path = text.split("=")
        self.serial = 0
        self.alive = {}  # USN: the serial of its latest announcement
        self.sent = {}  # payload: (USN, serial), once each
        self.heard = {}  # payload: how often
        self.rest = b""
        self.control = None
        with Inside(namespace):
            self.open()

    def open(self):
        index = socket.if_nametoindex(self.name)
        where = socket.inet_aton(GROUP) + b"\0\0\0\0" + index.to_bytes(
            4, sys.byteorder)
        self.out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                            b"\0\0\0\0\0\0\0\0" + where[8:])
        self.out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        self.out.bind(("", 0))
        self.ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.ear.bind((GROUP, PORT))
        self.ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                            where)
        self.ear.setblocking(False)

    def send(self, usn, what):
        self.serial += 1
        lines = ["NOTIFY * HTTP/1.1", f"HOST: {GROUP}:{PORT}",
                 f"NTS: ssdp:{what}", "NT: upnp:rootdevice", f"USN: {usn}",
                 f"BOOTID.UPNP.ORG: {self.serial}"]
        if what == "alive":
            lines += [f"CACHE-CONTROL: max-age={LIFETIME_S}",
                      f"LOCATION: http://192.0.2.1/{self.serial}",
                      "SERVER: test"]
        data = "\r\n".join(lines + ["", ""]).encode()
        self.out.sendto(data, (GROUP, PORT))
        self.sent[data] = usn
        return data

    def announce(self, usn=None):
        usn = usn or f"uuid:{self.name}-{self.serial}::upnp:rootdevice"
        self.alive[usn] = self.send(usn, "alive")

    def leave(self, usn):
        del self.alive[usn]
        self.send(usn, "byebye")

    def change(self):
        """Something new, something else, and a goodbye."""
        self.announce()
        usns = random.sample(sorted(self.alive), 2)
        self.announce(usns[0])
        self.leave(usns[1])

    def hear(self):
        while True:
            try:
                data = self.ear.recv(65536)
            except BlockingIOError:
                return
            self.heard[data] = self.heard.get(data, 0) + 1

    def table(self):
        """{USN: site} of its crierd."""
        if self.control is None:
            self.control = socket.socket(socket.AF_UNIX)
            self.control.connect(self.path)
            self.lines = self.control.makefile("rb")
        self.control.sendall(
            b'{"jsonrpc":"2.0","id":1,"method":"discovered","params":'
            b'{"group":"ssdp","limit":500}}\n')
        result = json.loads(self.lines.readline())["result"]
        return {(e["name"], e["site"], e["location"])
                for e in result["entries"]}


def location(data):
    for line in data.decode().split("\r\n"):
        if line.startswith("LOCATION: "):
            return line[len("LOCATION: "):]
    return None


def wanted(sites, at):
    """What the table of `at` should have."""
    return {(usn, None if s is at else s.name, location(data))
            for s in sites for usn, data in s.alive.items()}


def differences(sites):
    found = []
    for s in sites:
        is_, want = s.table(), wanted(sites, s)
        found += [[s.name, "lacks", *e[:2]] for e in want - is_]
        found += [[s.name, "still has", *e[:2]] for e in is_ - want]
        s.hear()
        # What is alive must have been heard, too: a table is not a segment.
        found += [[s.name, "did not hear", usn, o.name]
                  for o in sites if o is not s
                  for usn, data in o.alive.items() if data not in s.heard]
    return found


def wait_for_all(sites, limit_s):
    begun = time.monotonic()
    while True:
        left = differences(sites)
        took = time.monotonic() - begun
        if not left or took > limit_s:
            return round(took, 2), left
        time.sleep(0.05)


class Broker:
    def __init__(self, o):
        self.o = o
        self.process = None

    def listens(self):
        with Inside(self.o.broker):
            sock = socket.socket()
        with sock:
            sock.settimeout(1)
            return sock.connect_ex((self.o.address, 8883)) == 0

    def start(self, config):
        with Inside(self.o.broker):
            self.process = subprocess.Popen(
                ["mosquitto", "-c", config],
                stdin=subprocess.DEVNULL, stdout=sys.stderr,
                stderr=sys.stderr)
        deadline = time.monotonic() + 10
        while not self.listens():
            if time.monotonic() > deadline:
                sys.exit("mosquitto does not come up")
            time.sleep(0.02)

    def end(self, number=signal.SIGKILL):
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()
        self.process = None


def repeated(sites):
    """What somebody heard more often than it was said."""
    found = []
    for s in sites:
        s.hear()
        for data, times in s.heard.items():
            origin = [o for o in sites if data in o.sent]
            if origin and times > 1:
                found.append([s.name, origin[0].name, times,
                              data.decode().split("\r\n")[2:6]])
    return found


def run(o, sites, broker):
    configs = o.config.split(",")
    broker.start(configs[0])
    for _ in range(4):
        for s in sites:
            s.announce()
    took, left = wait_for_all(sites, DEADLINE_S)
    say(round=0, took=took, left=left)
    for number in range(1, o.rounds + 1):
        for s in sites:
            s.change()
        # Some of that is on its way now.
        time.sleep(random.uniform(0, 0.1))
        broker.end()
        time.sleep(random.uniform(0, 0.3))
        for s in sites:
            s.change()
        time.sleep(random.uniform(0, o.away))
        broker.start(configs[(number - 1) * len(configs) // o.rounds])
        took, left = wait_for_all(sites, DEADLINE_S)
        say(round=number, took=took, left=left, alive=sum(
            len(s.alive) for s in sites))
    # What comes twice may come late.
    time.sleep(2)
    say(sum=True, rounds=o.rounds, repeated=repeated(sites),
        sent=sum(len(s.sent) for s in sites),
        heard=sum(sum(s.heard.values()) for s in sites),
        left=differences(sites))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--broker", required=True)
    parser.add_argument("--address", required=True)
    parser.add_argument("--config", required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--away", type=float, default=1.0,
                        help="seconds that the broker is away, at most")
    parser.add_argument("sites", nargs="+")
    o = parser.parse_args()
    sites = [Site(text) for text in o.sites]
    broker = Broker(o)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        run(o, sites, broker)
    finally:
        broker.end()


main()
