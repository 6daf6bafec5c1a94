#!/usr/bin/python3
"""Says at an MQTT 5 broker what no crier-mqtt would say.

usage: mqtt-peer.py HOST CA USER PASSWORD [CLIENT-ID] <MESSAGES

Standard input has JSON objects, one after the other: `topic`, `payload` (a
text), `hex` or `size` instead of it, `retain`, `expires` (seconds), and `user`, a list
of names and values. A correct `digest` is added, unless there is one or
`bare` is true. `count` N says it N times, with {n} replaced by 0 to N-1 in
topic, payload and `user`; these without waiting (QoS 0), all else with QoS 1.
Prints for each of the latter {"topic": ..., "reason": the broker's code}, and
at the end {"sum": true}.
"""

import json
import socket
import ssl
import struct
import sys

EXPIRY, USER_PROPERTY = 0x02, 0x26


def text(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack("!H", len(data)) + data


def length(n):
    out = b""
    while True:
        n, digit = divmod(n, 128)
        out += bytes([digit | (128 if n else 0)])
        if not n:
            return out


def packet(kind, body):
    return bytes([kind]) + length(len(body)) + body


def digest(data):
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return f"{value:016x}"


class Broker:
    def __init__(self, host, ca, user, password, client):
        context = ssl.create_default_context(cafile=ca)
        self.sock = context.wrap_socket(
            socket.create_connection((host, 8883), timeout=20),
            server_hostname=host)
        self.rest = b""
        self.sock.sendall(packet(0x10, text("MQTT") + b"\x05\xc2\0\x3c\0"
                                 + text(client) + text(user)
                                 + text(password)))
        kind, body = self.read()
        if kind != 0x20 or body[1] != 0:
            sys.exit(f"refused: {kind} {body.hex()}")

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            sys.exit("the broker hung up")
        self.rest += data

    def read(self):
        while True:
            for n in range(2, min(len(self.rest), 5) + 1):
                if self.rest[n - 1] < 128:
                    size = sum((b & 127) << 7 * i
                               for i, b in enumerate(self.rest[1:n]))
                    if len(self.rest) >= n + size:
                        found = self.rest[0], self.rest[n:n + size]
                        self.rest = self.rest[n + size:]
                        return found
                    break
            self.more()

    def publish(self, m, n, qos):
        topic = m["topic"].replace("{n}", str(n))
        data = (bytes.fromhex(m["hex"]) if "hex" in m else
                bytes(m["size"]) if "size" in m else
                m.get("payload", "").replace("{n}", str(n)).encode())
        user = [(k, v.replace("{n}", str(n))) for k, v in m.get("user", [])]
        if not m.get("bare") and "digest" not in dict(user):
            user.append(("digest", digest(data)))
        properties = b""
        if "expires" in m:
            properties += struct.pack("!BI", EXPIRY, m["expires"])
        for name, value in user:
            properties += bytes([USER_PROPERTY]) + text(name) + text(value)
        body = text(topic) + (b"\0\1" if qos else b"")
        body += length(len(properties)) + properties + data
        self.sock.sendall(packet(
            0x30 | 2 * qos | bool(m.get("retain")), body))
        return topic

    def answer(self):
        """The reason code of a PUBACK."""
        while True:
            kind, body = self.read()
            if kind == 0x40:
                return body[2] if len(body) > 2 else 0
            if kind == 0xe0:
                return body[0] if body else 0


def objects(rest):
    decoder = json.JSONDecoder()
    while rest:
        found, end = decoder.raw_decode(rest)
        yield found
        rest = rest[end:].strip()


def main():
    host, ca, user, password = sys.argv[1:5]
    client = sys.argv[5] if len(sys.argv) > 5 else f"peer-{user}"
    broker = Broker(host, ca, user, password, client)
    for m in objects(sys.stdin.read().strip()):
        if "count" in m:
            for n in range(m["count"]):
                broker.publish(m, n, 0)
            continue
        topic = broker.publish(m, 0, 1)
        print(json.dumps({"topic": topic, "reason": broker.answer()}),
              flush=True)
    # All that was said before has been read when this is answered.
    broker.sock.sendall(b"\xc0\0")
    while broker.read()[0] != 0xd0:
        pass
    broker.sock.sendall(b"\xe0\0")
    print(json.dumps({"sum": True}), flush=True)


main()
