#!/usr/bin/python3
"""A client of the control socket that does not behave.

usage: talk.py SOCKET say            sends standard input, prints the answers
                                     until the daemon has no more to say
       talk.py SOCKET idle COUNT     connects so often and says half a line
       talk.py SOCKET deaf COUNT     asks without end and never reads
       talk.py SOCKET babble SEED    sends noise, connecting again and again
       talk.py SOCKET slow LINE      sends LINE byte by byte, prints the answer

All but `say` and `slow` print {"ready": true} and go on until SIGTERM.
"""

import json
import random
import select
import signal
import socket
import sys
import time


def connect(path):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(10)
    sock.connect(path)
    return sock


def ready():
    print(json.dumps({"ready": True}), flush=True)


def read_all(sock):
    """What comes until the other end closes; a reset ends it too."""
    data = b""
    try:
        while chunk := sock.recv(65536):
            data += chunk
    except ConnectionResetError:
        pass
    return data


def say(path):
    sock = connect(path)
    try:
        sock.sendall(sys.stdin.buffer.read())
        sock.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        pass
    sys.stdout.buffer.write(read_all(sock))


def idle(path, count):
    clients = []
    for _ in range(int(count)):
        try:
            sock = connect(path)
            sock.sendall(b'{"jsonrpc":"2.0",')
            clients.append(sock)
        except OSError:
            pass
    ready()
    signal.pause()


def deaf(path, count):
    clients = [connect(path) for _ in range(int(count))]
    line = b'{"jsonrpc":"2.0","id":1,"method":"groups"}\n' * 100
    for sock in clients:
        sock.setblocking(False)
    ready()
    while True:
        _, writable, _ = select.select([], clients, [], 1)
        for sock in writable:
            try:
                sock.send(line)
            except OSError:
                clients.remove(sock)


def babble(path, seed):
    noise = random.Random(seed)
    ready()
    while True:
        try:
            sock = connect(path)
            sock.sendall(noise.randbytes(noise.randrange(1, 200000)))
            sock.close()
        except OSError:
            pass
        time.sleep(0.001)


def slow(path, line):
    sock = connect(path)
    for byte in line.encode() + b"\n":
        sock.sendall(bytes([byte]))
        time.sleep(0.005)
    sock.shutdown(socket.SHUT_WR)
    sys.stdout.buffer.write(read_all(sock))


def main():
    path, what, *rest = sys.argv[1:]
    {"say": say, "idle": idle, "deaf": deaf, "babble": babble,
     "slow": slow}[what](path, *rest)


if __name__ == "__main__":
    main()
