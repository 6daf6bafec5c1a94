#!/usr/bin/python3
"""Clients of the control socket that go in the middle of something.

usage: leave.py SOCKET requests METHOD...   at each byte of such a request
       leave.py SOCKET replies              while a large answer is sent
       leave.py SOCKET events               while events with payloads are sent
       leave.py SOCKET reloads              while the daemon reloads for them
       leave.py SOCKET crowd COUNT          so many at once, with half a request
       leave.py SOCKET fill DEVICE COUNT    announces so many entries by SSDP

Each way of going is tried: at once, with what came unread, with one side shut
down before or both. Meanwhile a witness must be answered, and afterwards it
must be the only client that is left. Says the sums; exits with 1 and the
reason where that is not so.
"""

import json
import socket
import struct
import sys
import time

PATIENCE_S = 5
SERVED_S = 2
PARAMS = {
    "announce": {"name": "half", "group": "beacon", "interval": "1h",
                 "payload": {"text": "half"}},
    "withdraw": {"name": "half"},
    "discovered": {"limit": 1},
    "explain": {"group": "beacon", "interface": "a", "source": "10.77.1.10"},
    "standby": {"enabled": False},
    "log-level": {"level": "notice"},
    "subscribe": {"events": ["datagram", "discovered"], "payload": True},
}
EVENTS = ["discovered", "expired", "segment", "config", "announcement",
          "datagram", "drop", "storm", "answer"]
# Bytes that are read before one goes.
READ = [0, 1, 4095, 4096, 65536, 300000]


def request(method, params=None):
    call = {"jsonrpc": "2.0", "id": 1, "method": method}
    params = params or PARAMS.get(method)
    if params:
        call["params"] = params
    return json.dumps(call).encode() + b"\n"


def connect(path):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(PATIENCE_S)
    sock.connect(path)
    return sock


def shut(sock, how):
    try:
        sock.shutdown(how)
    except OSError:
        pass  # the other end may have gone already


# How one goes. What is unread makes a close a reset.
WAYS = {
    "close": lambda sock: None,
    "deaf": lambda sock: shut(sock, socket.SHUT_RD),
    "mute": lambda sock: shut(sock, socket.SHUT_WR),
    "both": lambda sock: shut(sock, socket.SHUT_RDWR),
}


def leave(sock, way):
    WAYS[way](sock)
    sock.close()


def send(sock, data):
    """False where there is no place for it, or nobody any more."""
    try:
        sock.sendall(data)
    except OSError:
        return False
    return True


def read(sock, size, patience_s):
    """So many bytes, or fewer where no more come for so long."""
    sock.settimeout(patience_s)
    left = size
    try:
        while left > 0 and (data := sock.recv(min(left, 65536))):
            left -= len(data)
    except OSError:
        pass
    return size - left


class Witness:
    """Another client, which must not notice."""

    def __init__(self, path):
        self.sock = connect(path)
        self.file = self.sock.makefile("rb")
        self.slowest = 0.0
        self.asked = 0

    def ask(self):
        begin = time.monotonic()
        self.sock.sendall(request("status"))
        status = json.loads(self.file.readline())["result"]
        self.slowest = max(self.slowest, time.monotonic() - begin)
        self.asked += 1
        if self.slowest > SERVED_S:
            sys.exit(f"others wait for {self.slowest:.1f} s")
        return status

    def is_last(self):
        """Waits until all others have gone."""
        deadline = time.monotonic() + PATIENCE_S
        while (used := self.ask()["limits"]["clients"]["used"]) != 1:
            if time.monotonic() > deadline:
                sys.exit(f"{used - 1} clients are left")
            time.sleep(0.01)


def requests(path, witness, *methods):
    """Each method, each number of its bytes, each way; and a whole request
    before, whose answer is not read."""
    gone = 0
    for method in methods:
        line = request(method)
        for size in range(len(line) + 1):
            for way in WAYS:
                for first in (b"", line):
                    sock = connect(path)
                    send(sock, first + line[:size])
                    leave(sock, way)
                    gone += 1
            witness.ask()
        witness.is_last()
    return gone


def replies(path, witness):
    """Large answers, alone and a hundred behind each other."""
    gone = most = 0
    line = request("discovered", {"limit": 1000})
    for times in (1, 100):
        for size in READ:
            for way in WAYS:
                sock = connect(path)
                send(sock, line * times)
                most = max(most, read(sock, size, PATIENCE_S))
                leave(sock, way)
                gone += 1
            witness.ask()
        witness.is_last()
    if most < READ[-1]:
        sys.exit(f"the largest answer has {most} bytes")
    return gone


def events(path, witness):
    """Subscribers, of which some never read, some end their side at once and
    some ask for something else, too."""
    gone = heard = 0
    line = request("subscribe", {"events": EVENTS, "payload": True})
    for more in (b"", request("status"), line[:20]):
        for size in READ:
            leaving = []
            for way in WAYS:
                for _ in range(4):
                    sock = connect(path)
                    send(sock, line + more)
                    leaving.append((sock, way))
            for sock, way in leaving[::4]:
                heard = max(heard, read(sock, size, 0.2))
            for sock, way in leaving:
                leave(sock, way)
            gone += len(leaving)
            witness.ask()
    witness.is_last()
    if heard < 4095:
        sys.exit(f"no more than {heard} bytes of events came")
    return gone


def reloads(path, witness):
    gone = 0
    before = witness.ask()["config"]["generation"]
    for way in WAYS:
        for _ in range(10):
            sock = connect(path)
            send(sock, request("reload"))
            leave(sock, way)
            gone += 1
        witness.ask()
    witness.is_last()
    if witness.ask()["config"]["generation"] == before:
        sys.exit("nothing was reloaded")
    return gone


def crowd(path, witness, count):
    gone = 0
    line = request("groups")
    for way in WAYS:
        for part in (line[:30], line, line + line[:30], line * 50):
            socks = []
            for _ in range(int(count)):
                try:
                    sock = connect(path)
                except OSError:
                    continue  # the backlog is full
                sock.setblocking(False)
                send(sock, part)
                socks.append(sock)
            for sock in socks:
                leave(sock, way)
            gone += len(socks)
            witness.is_last()
    return gone


def fill(device, count):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                    struct.pack("@4s4si", b"", b"",
                                socket.if_nametoindex(device)))
    sock.bind(("", 1900))
    for number in range(int(count)):
        usn = f"uuid:{number:08d}-0000-0000-0000-{'0' * 12}"
        sock.sendto(
            "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
            "CACHE-CONTROL: max-age=1800\r\nNT: upnp:rootdevice\r\n"
            f"NTS: ssdp:alive\r\nUSN: {usn}::upnp:rootdevice\r\n"
            "LOCATION: http://10.77.1.10/x\r\n\r\n".encode(),
            ("239.255.255.250", 1900))
        if number % 20 == 19:
            time.sleep(0.005)  # as many as its buffer takes


def main():
    path, what, *rest = sys.argv[1:]
    if what == "fill":
        fill(*rest)
        return
    witness = Witness(path)
    witness.is_last()
    begin = time.monotonic()
    gone = {"requests": requests, "replies": replies, "events": events,
            "reloads": reloads, "crowd": crowd}[what](path, witness, *rest)
    print(f"{gone} gone in {time.monotonic() - begin:.1f} s, "
          f"{witness.asked} requests of another answered, "
          f"the slowest in {witness.slowest:.3f} s")


if __name__ == "__main__":
    main()
