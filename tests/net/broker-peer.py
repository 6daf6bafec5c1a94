#!/usr/bin/python3
"""A broker that does not behave, for broker.sh.

usage: broker-peer.py PORT MODE

It says what CONNECT asks for, a line for each connection, and then

silent      says nothing
close       closes the connection
garbage     sends what is no MQTT
three       answers as a broker of MQTT 3.1.1 does
twice       greets twice
refuse      does not know the user
no-retain   keeps no retained messages
small       takes one message at a time, of QoS 0 and up to 64 bytes
huge        sends a packet of 200 MB
split       the same, with its size in pieces
qos2        sends messages of QoS 2 and never releases them
flood       sends small messages without end
trickle     sends a greeting, a byte a second
property    sends a property that MQTT does not know
mute        wants to be told every two seconds that we live, and never answers
odd         acknowledges what was never sent, and then behaves
"""

import os
import socket
import sys
import threading
import time

OK = bytes([0x20, 3, 0, 0, 0])


def varint(n):
    out = b""
    while True:
        out += bytes([n % 128 | (0x80 if n > 127 else 0)])
        n //= 128
        if n == 0:
            return out


def publish(topic, payload, qos=0, mid=0):
    topic = topic.encode()
    body = len(topic).to_bytes(2, "big") + topic
    if qos:
        body += mid.to_bytes(2, "big")
    body += b"\0" + payload
    return bytes([0x30 | qos << 1]) + varint(len(body)) + body


def read_packet(s):
    head = s.recv(1, socket.MSG_WAITALL)
    if not head:
        raise EOFError
    n, shift = 0, 0
    while True:
        byte = s.recv(1, socket.MSG_WAITALL)[0]
        n |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    body = s.recv(n, socket.MSG_WAITALL) if n else b""
    return head[0], body


def answer(s):
    """Acknowledges what it is told, for as long as it lasts."""
    while True:
        kind, body = read_packet(s)
        if kind >> 4 == 3 and kind & 6:
            size = int.from_bytes(body[:2], "big")
            s.sendall(b"\x40\x02" + body[2 + size:4 + size])
        if kind >> 4 == 3:
            print("published, QoS", kind >> 1 & 3, flush=True)
        elif kind >> 4 == 12:
            s.sendall(b"\xd0\0")
        elif kind >> 4 == 8:
            s.sendall(b"\x90\x04" + body[:2] + b"\0\x01")
        elif kind >> 4 == 14:
            print("goodbye", body.hex(), flush=True)


def connack(properties):
    return bytes([0x20, 3 + len(properties), 0, 0,
                  len(properties)]) + properties


def serve(s, mode):
    kind, body = read_packet(s)
    # The one property of four bytes that a client of ours sends.
    at = body.find(b"\x27", 10)
    print("connect", kind >> 4, "maximum packet size",
          int.from_bytes(body[at + 1:at + 5], "big"), flush=True)
    if mode == "silent":
        time.sleep(60)
    elif mode == "garbage":
        s.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 1000)
    elif mode == "three":
        s.sendall(bytes([0x20, 2, 0, 1]))
    elif mode == "refuse":
        s.sendall(bytes([0x20, 3, 0, 134, 0]))
    elif mode == "no-retain":
        s.sendall(connack(b"\x25\0"))
        answer(s)
    elif mode == "small":
        s.sendall(connack(b"\x21\0\x01" b"\x24\0" b"\x27\0\0\0\x40"))
        answer(s)
    elif mode == "mute":
        s.sendall(connack(b"\x13\0\x02"))
        time.sleep(60)
    elif mode == "trickle":
        for byte in OK * 10:
            s.sendall(bytes([byte]))
            time.sleep(5)
    if mode in ("twice", "huge", "split", "qos2", "flood", "property",
                "odd"):
        s.sendall(OK)
    if mode == "twice":
        s.sendall(OK)
        answer(s)
    elif mode == "huge":
        s.sendall(b"\x30" + varint(200000000) + b"\0\x01x\0")
        for _ in range(3000):
            s.sendall(bytes(65536))
    elif mode == "split":
        # So that the size is not there when the packet begins.
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"\x30" + varint(200000000) + b"\0\x01x\0":
            s.sendall(bytes([byte]))
            time.sleep(0.1)
        for _ in range(3000):
            s.sendall(bytes(65536))
            time.sleep(0.01)
    elif mode == "qos2":
        for mid in range(1, 65536):
            s.sendall(publish("x", bytes(100000), 2, mid))
    elif mode == "flood":
        many = publish("x", b"y" * 100) * 500
        while True:
            s.sendall(many)
    elif mode == "property":
        s.sendall(b"\x30\x06\0\x01x\x02\x7f\0")
        answer(s)
    elif mode == "odd":
        for mid in (1, 2, 3, 65535):
            s.sendall(b"\x40\x02" + mid.to_bytes(2, "big"))
            s.sendall(b"\x90\x04" + mid.to_bytes(2, "big") + b"\0\x87")
            s.sendall(b"\x50\x02" + mid.to_bytes(2, "big"))
            s.sendall(b"\x70\x02" + mid.to_bytes(2, "big"))
        answer(s)


def one(s, mode):
    try:
        serve(s, mode)
    except (OSError, EOFError, IndexError):
        pass
    s.close()


def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("ready", os.getpid(), flush=True)
    while True:
        s, _ = listener.accept()
        threading.Thread(target=one, args=(s, sys.argv[2]),
                         daemon=True).start()


main()
