#!/usr/bin/python3
"""A service manager with an fd store, as systemd's: for one program, which it
starts again whenever it ends.

usage: manager.py SOCKET PROGRAM [ARGUMENT...]

Prints a line of JSON for what happens: "started" (with its pid), "ready",
"ended" (with its status), and "stored" and "removed" with a name. SIGUSR1
damages what is stored under the names state-*. SIGTERM ends the program, then
the manager.
"""

import array
import json
import os
import select
import signal
import socket
import sys

FIRST_FD = 3


def say(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


class Manager:
    def __init__(self, path, command):
        self.path, self.command = path, command
        self.store = []  # (name, fd)
        self.pid = None
        self.ends = False
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)

    def start(self):
        self.pid = os.fork()
        if self.pid == 0:
            self.become()
        say("started", pid=self.pid)

    def become(self):
        # Above all places that they are to have, then into these.
        room = FIRST_FD + len(self.store)
        high = [os.dup(fd) for _, fd in self.store]
        while high and min(high) < room:
            high = [os.dup(fd) for fd in high]
        for i, fd in enumerate(high):
            os.dup2(fd, FIRST_FD + i, inheritable=True)
        os.environ["NOTIFY_SOCKET"] = self.path
        os.environ["LISTEN_PID"] = str(os.getpid())
        os.environ["LISTEN_FDS"] = str(len(self.store))
        os.environ["LISTEN_FDNAMES"] = ":".join(n for n, _ in self.store)
        # But not those of the manager itself.
        os.closerange(room, 1024)
        os.execv(self.command[0], self.command)

    def is_same(self, a, b):
        a, b = os.fstat(a), os.fstat(b)
        return (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)

    def notice(self):
        size = array.array("i").itemsize
        data, control, _, _ = self.socket.recvmsg(65536, 1024 * size)
        fds = array.array("i")
        for level, kind, value in control:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds.frombytes(value[:len(value) - len(value) % size])
        said = dict(line.split("=", 1) for line in data.decode().splitlines()
                    if "=" in line)
        name = said.get("FDNAME", "")
        if "FDSTOREREMOVE" in said:
            for stored, fd in self.store:
                if stored == name:
                    os.close(fd)
            self.store = [s for s in self.store if s[0] != name]
            say("removed", name=name)
        elif "FDSTORE" in said:
            # A colon would tear the list of names apart.
            assert name and ":" not in name and said["FDPOLL"] == "0", said
            for fd in fds:
                if any(self.is_same(fd, old) for _, old in self.store):
                    os.close(fd)
                    continue
                self.store.append((name, fd))
                say("stored", name=name)
        if said.get("READY") == "1":
            say("ready")

    def damage(self):
        for name, fd in self.store:
            size = os.fstat(fd).st_size if name.startswith("state-") else 0
            if size > 0:
                middle = size // 2
                byte = os.pread(fd, 1, middle)[0]
                os.pwrite(fd, bytes([byte ^ 1]), middle)

    def reap(self):
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return
        say("ended", status=os.waitstatus_to_exitcode(status))
        self.pid = None
        if not self.ends:
            self.start()

    def run(self):
        wake, waker = os.pipe()
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker)
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        self.start()
        while self.pid:
            ready, _, _ = select.select([self.socket, wake], [], [])
            # What the program said before it ended comes first.
            if self.socket in ready:
                self.notice()
                continue
            for number in os.read(wake, 64):
                if number == signal.SIGTERM:
                    self.ends = True
                    os.kill(self.pid, signal.SIGTERM)
                elif number == signal.SIGUSR1:
                    self.damage()
                    say("damaged")
                elif number == signal.SIGCHLD and self.pid:
                    self.reap()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    Manager(sys.argv[1], sys.argv[2:]).run()
