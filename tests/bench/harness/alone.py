"""What crierd costs by itself, whatever it relays: until it is ready, to
reload, and in memory, by groups, by segments and by entries.
"""

import socket
import statistics
import time

from .net import IN, Broken, Net, private_kib, wait_for
from .relays import ask

DEVICES, GROUPS = 64, 32
ENTRIES, MANY_ENTRIES = 1000, 100000
ASKED = 300


def many_groups(groups, devices):
    """Groups of both families, each on all of the devices."""
    names = [IN, *(f"o{i}" for i in range(1, devices))]
    text = "control: { group: root }\ninterfaces:\n"
    text += "".join(f"  {n}: {{ device: {n} }}\n" for n in names)
    text += "groups:\n"
    for i in range(groups):
        text += f"  g{i}: {{ address: [239.255.77.{i}, \"ff02::77:{i}\"], " \
            f"port: {7000 + i} }}\n"
    return text


class Daemon:
    """A crierd on the router, of which it is known when it was started and
    when it said that it was ready."""

    def __init__(self, net, text):
        self.net = net
        self.file = net.host.path("alone.yaml")
        self.socket = net.host.path("alone.sock")
        self.write(text)

    def write(self, text):
        with open(self.file, "w") as f:
            f.write(text)

    def __enter__(self):
        host = self.net.host
        path = host.path("notify.sock")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(path)
            try:
                # Of all that comes before it only the last exec counts.
                self.p = host.start(
                    self.net.router, "bash", "-c",
                    "echo $EPOCHREALTIME; exec \"$@\"", "bash",
                    host.tool("crierd"), "-c", self.file, "-s", self.socket,
                    "--log-level", "warning", cpu=host.relay_cpu,
                    env={"NOTIFY_SOCKET": path})
                self.ready_ms = self._until_ready(s)
            finally:
                host.remove("notify.sock")
        self.pid = self.p.pid
        self.joined_at_ready = self.joined()
        wait_for("crierd joins", 20, lambda: self.joined() == self.segments)
        return self

    def _until_ready(self, s):
        s.settimeout(10)
        try:
            while b"READY=1" not in s.recv(4096).split(b"\n"):
                pass
        except TimeoutError:
            self.net.host.end(self.p)
            raise Broken("crierd is not ready within 10 s, or was built "
                         "without systemd") from None
        return (time.time() - float(self.p.stdout.readline())) * 1000

    def __exit__(self, *_):
        self.net.host.end(self.p)

    def joined(self):
        s = ask(self.socket, "status")["segments"]
        self.segments = sum(s.values())
        return s["joined"]

    def reload_ms(self, text=None):
        if text:
            self.write(text)
        start = time.monotonic()
        ask(self.socket, "reload")
        return (time.monotonic() - start) * 1000

    def kib(self):
        return private_kib(self.pid)

    def entries(self):
        return ask(self.socket, "status")["limits"]["discovered"]["used"]


def start_and_reload(host, rounds):
    """With 64 devices and 32 groups; and by how much each of them adds."""
    of = {}

    def keep(**figures):
        for name, value in figures.items():
            of.setdefault(name, []).append(value)

    net = Net(host, DEVICES - 1)
    try:
        for _ in range(rounds):
            with Daemon(net, many_groups(GROUPS, DEVICES)) as d:
                all_of_it, ready = d.kib(), d.ready_ms
                keep(ready_ms=ready, joined=d.joined_at_ready / d.segments,
                     memory_many_kib=all_of_it, reload_ms=d.reload_ms(),
                     reload_one_more_ms=d.reload_ms(
                         many_groups(GROUPS + 1, DEVICES)))
            with Daemon(net, many_groups(GROUPS // 2, DEVICES)) as d:
                keep(group_kib=(all_of_it - d.kib()) / (GROUPS // 2),
                     group_ms=(ready - d.ready_ms) / (GROUPS // 2))
            with Daemon(net, many_groups(GROUPS, DEVICES // 2)) as d:
                # In each of the groups, over both families.
                n = DEVICES // 2
                keep(device_kib=(all_of_it - d.kib()) / n,
                     device_ms=(ready - d.ready_ms) / n)
    finally:
        net.close()
    return of


HOUSE = """\
control: { group: root }
limits: { discovered: 131072 }
interfaces:
  all: { device: [in, o1] }
groups:
  mdns: { preset: mdns, rate: off }
"""


def memory(host, rounds):
    """At rest, and with 1,000 services of as many hosts in the table."""
    of = {"start_kib": [], "entries_kib": []}
    net = Net(host, 1)
    try:
        for _ in range(rounds):
            with Daemon(net, HOUSE) as d:
                of["start_kib"].append(d.kib())
                announce(net, d, ENTRIES)
                of["entries_kib"].append(d.kib())
    finally:
        net.close()
    return of


def table(host, _):
    """With 100,000: what each takes, and how soon `status` answers."""
    net = Net(host, 1)
    try:
        with Daemon(net, HOUSE) as d:
            before = d.kib()
            announce(net, d, MANY_ENTRIES)
            each = (d.kib() - before) * 1024 / MANY_ENTRIES
            asked = []
            for _ in range(ASKED):
                start = time.monotonic()
                ask(d.socket, "status")
                asked.append((time.monotonic() - start) * 1000)
                time.sleep(0.002)
    finally:
        net.close()
    return {"entry_bytes": [each], "status_ms": [statistics.median(asked)],
            "status_worst_ms": [max(asked)]}


def announce(net, daemon, entries):
    host = net.host
    p = host.start(net.far, host.tool("tests/bench/announce"), IN, entries,
                   10000)
    host.finish(p, entries / 10000 + 30)
    if p.returncode:
        raise Broken(f"announce: {host.complaints(p)}")
    wait_for(f"{entries} entries", 10, lambda: daemon.entries() == entries)


# figure: what it is, unit, bound
FIGURES = {
    "ready_ms": (f"{DEVICES} devices, {GROUPS} groups: until READY", "ms",
                 250),
    "joined": ("  of the segments, joined by then", "", None),
    "reload_ms": ("  a reload that changes nothing", "ms", 50),
    "reload_one_more_ms": ("  a reload that adds a group", "ms", None),
    "memory_many_kib": ("  private memory", "KiB", None),
    "group_kib": ("one more group on 64 devices: memory", "KiB", None),
    "group_ms": ("one more group on 64 devices: until READY", "ms", None),
    "device_kib": ("one more device in 32 groups: memory", "KiB", None),
    "device_ms": ("one more device in 32 groups: until READY", "ms", None),
    "start_kib": ("private memory at start", "KiB", 4096),
    "entries_kib": (f"private memory with {ENTRIES} entries", "KiB", 6144),
    "entry_bytes": (f"an entry, of {MANY_ENTRIES}: memory", "bytes", None),
    "status_ms": ("  `status` answers within, in the middle", "ms", None),
    "status_worst_ms": ("  at worst", "ms", None),
}
