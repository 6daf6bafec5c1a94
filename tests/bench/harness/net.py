"""Namespaces, programs in them, and what the kernel says about both.

A network has two namespaces: "router", where a relay runs, and "far", which
holds the other ends of all devices. Device `in` is where datagrams come from,
o1, o2 ... are where they go.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time

IN = "in"


class Skip(Exception):
    """It cannot be measured here."""


class Broken(Exception):
    """Something that must work does not."""


def wait_for(what, seconds, condition):
    """Until it holds; what it returned then."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise Broken(f"{what}: not within {seconds} s")
        time.sleep(0.01)
    return result


def processors():
    """The one of the relay, and those of everything else."""
    mine = sorted(os.sched_getaffinity(0))
    return mine[-1], mine[:-1] or mine


class Host:
    """Owns namespaces, programs and a directory; ends all of them."""

    def __init__(self, build):
        self.build = build
        self.relay_cpu, self.other_cpus = processors()
        self.programs = []
        self.namespaces = []
        self.work = tempfile.mkdtemp(prefix=f"crier-{os.getpid()}-")
        os.sched_setaffinity(0, self.other_cpus)

    def path(self, name):
        return os.path.join(self.work, name)

    def tool(self, name):
        path = os.path.join(self.build, name)
        if not os.access(path, os.X_OK):
            raise Broken(f"no {path}: \"make bench\" builds it")
        return path

    def remove(self, name):
        os.unlink(self.path(name))

    def start(self, namespace, *command, cpu=None, env=None, **options):
        """Its pid is that of the command itself: all before it only exec.

        What it complains about is in the file `log`.
        """
        words = ["ip", "netns", "exec", namespace]
        if cpu is not None:
            words += ["taskset", "-c", str(cpu)]
        log = tempfile.TemporaryFile(dir=self.work)
        p = subprocess.Popen(
            words + [str(c) for c in command], stdin=subprocess.DEVNULL,
            stderr=log, text=True, start_new_session=True,
            env={**os.environ, **(env or {})},
            **{"stdout": subprocess.PIPE, **options})
        p.log = log
        self.programs.append(p)
        return p

    def end(self, p, sig=signal.SIGTERM, seconds=10):
        """Returns what it printed."""
        if p.poll() is None:
            p.send_signal(sig)
        return self.finish(p, seconds)

    def finish(self, p, seconds):
        try:
            out, _ = p.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            p.kill()
            p.communicate()
            raise Broken(f"{p.args[-1]}: does not end") from None
        finally:
            if p in self.programs and p.returncode is not None:
                self.programs.remove(p)
        return out

    def complaints(self, p):
        p.log.seek(0)
        return p.log.read().decode(errors="replace").strip()[-400:]

    def close(self):
        for p in self.programs:
            p.kill()
        for p in self.programs:
            p.wait()
        for name in self.namespaces:
            # One that was just being started when we were interrupted.
            left = subprocess.run(["ip", "netns", "pids", name], text=True,
                                  stdout=subprocess.PIPE, check=False).stdout
            for pid in left.split():
                os.kill(int(pid), signal.SIGKILL)
            subprocess.run(["ip", "netns", "delete", name], check=False,
                           stderr=subprocess.DEVNULL)
        shutil.rmtree(self.work, ignore_errors=True)


def ip(*words, batch=None):
    p = subprocess.run(["ip", *words], input=batch, text=True, timeout=60,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode:
        raise Broken(f"ip {' '.join(words)}: {p.stderr.strip()[:200]}")
    return p.stdout


class Net:
    """A router with `fanout` devices to send on, and the far ends.

    Where nobody listens, the far end is a port of a bridge that is down, which
    drops what comes before IP sees it: a veth does the receiving on the core
    of the sender, and what other hosts do with a datagram is no cost of a
    relay.
    """

    made = 0

    def __init__(self, host, fanout):
        self.host = host
        self.fanout = fanout
        self.outs = [f"o{i}" for i in range(1, fanout + 1)]
        self.devices = [IN, *self.outs]
        Net.made += 1
        name = f"crier-{os.getpid()}-{Net.made}-"
        self.router, self.far = name + "router", name + "far"
        for ns in (self.router, self.far):
            self._add(ns)
        for ns in (self.router, self.far):
            self._connect(ns)
        self._wait()
        ip("-n", self.far, "link", "add", "name", "pit", "type", "bridge")
        self.heard = set(self.outs)
        self.hear_on([])

    def hear_on(self, devices):
        """The far ends of these have IP, the others drop."""
        devices = set(devices)
        ip("-n", self.far, "-batch", "-", batch="".join(
            [f"link set dev {d} master pit\n" for d in self.heard - devices] +
            [f"link set dev {d} nomaster\n" for d in devices - self.heard]))
        self.heard = devices

    def _add(self, ns):
        # Before it is made, since an interrupt may come in between.
        self.host.namespaces.append(ns)
        try:
            ip("netns", "add", ns)
        except Broken as e:
            raise Skip(f"cannot make namespaces: {e}") from None
        # Nobody else has our addresses: no waiting, no noise.
        settings = "".join(
            f"echo {value} >/proc/sys/net/ipv6/conf/default/{key};"
            for key, value in {"accept_dad": 0, "dad_transmits": 0,
                               "router_solicitations": 0,
                               "accept_ra": 0}.items())
        ip("netns", "exec", ns, "sh", "-c", settings)
        if ns == self.router:
            return
        ip("-n", self.router, "-batch", "-", batch="".join(
            f"link add name {d} type veth peer name {d} netns {ns}\n"
            for d in self.devices))

    def _connect(self, ns):
        last = 1 if ns == self.router else 2
        ip("-n", ns, "-batch", "-", batch="link set dev lo up\n" + "".join(
            f"address add 10.77.{i}.{last}/24 broadcast + dev {d}\n"
            f"link set dev {d} up\n" for i, d in enumerate(self.devices)))

    def _wait(self):
        """Until each device can send, over IPv6 too."""
        def usable(ns):
            table = ip("netns", "exec", ns, "cat", "/proc/net/if_inet6")
            rows = [line.split() for line in table.splitlines()]
            # 40 is IFA_F_TENTATIVE.
            return {r[5] for r in rows if r[3] == "20" and
                    not int(r[4], 16) & 0x40} >= set(self.devices)
        for ns in (self.router, self.far):
            wait_for("addresses", 15, lambda: usable(ns))

    def close(self):
        for ns in (self.router, self.far):
            ip("netns", "delete", ns)
            self.host.namespaces.remove(ns)

    # ---- what runs in it ----

    def load(self, cell, seconds, rate=0):
        """Sends; returns what was sent, as sent, seconds and rate."""
        p = self.host.start(
            self.far, self.host.tool("tests/bench/load"), IN, cell.group,
            cell.port, "--seconds", seconds, "--rate", int(rate),
            "--payload", cell.payload)
        return pairs(self._must(p, self.host.finish(p, seconds + 20)))

    def sink(self, cell, devices):
        p = self.host.start(
            self.far, self.host.tool("tests/bench/sink"), ",".join(devices),
            cell.group, cell.port)
        if p.stdout.readline() != "ready\n":
            self._must(p, self.host.finish(p, 5))
            raise Broken("the sink does not hear")
        return p

    def end_sink(self, p):
        return pairs(self._must(p, self.host.end(p, seconds=60)))

    def _must(self, p, out):
        if p.returncode:
            raise Broken(f"{p.args[3:]}: {self.host.complaints(p)}")
        return out


def pairs(text):
    return {k: float(v) for k, v in
            (word.split("=") for word in text.split())}


# ---- what the kernel says of a process, and of its namespace ----

def read(pid, name):
    with open(f"/proc/{pid}/{name}") as f:
        return f.read()


def cpu_ns(pid):
    """On a processor, and waiting for one: nanoseconds of all threads."""
    ran = waited = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        words = read(pid, f"task/{task}/schedstat").split()
        ran += int(words[0])
        waited += int(words[1])
    return ran, waited


def is_asleep(pid):
    """Neither running nor waiting for its turn."""
    return read(pid, "stat").rpartition(")")[2].split()[0] == "S"


def sent_by_device(pid):
    """Packets that each device of its namespace has sent."""
    sent = {}
    for line in read(pid, "net/dev").splitlines()[2:]:
        name, numbers = line.split(":")
        sent[name.strip()] = int(numbers.split()[9])
    return sent


def private_kib(pid):
    return sum(int(line.split()[1])
               for line in read(pid, "smaps_rollup").splitlines()
               if line.startswith(("Private_Clean:", "Private_Dirty:")))
