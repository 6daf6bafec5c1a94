"""The relays that are compared, and how each is started.

A relay has a name and start(net, cell), which returns its process once it
hears on all devices, or raises Skip.
"""

import json
import shlex
import socket
import struct

from .net import IN, Broken, Skip, read, sent_by_device, wait_for

GROUPS = {
    ("4", "opaque"): ("239.255.42.42", 4242),
    ("6", "opaque"): ("ff02::4242", 4242),
    ("broadcast", "opaque"): ("255.255.255.255", 4242),
    ("4", "mdns"): ("224.0.0.251", 5353),
    ("6", "mdns"): ("ff02::fb", 5353),
}
# The same in all sizes, so that no two in a row can be sent as one.
GROUPS.update({(family, "mixed"): GROUPS[family, "opaque"]
               for family in ("4", "6", "broadcast")})


class Cell:
    """What is relayed: over which family, to how many, of which payload."""

    def __init__(self, family, fanout, payload):
        self.family, self.fanout, self.payload = family, fanout, payload
        self.group, self.port = GROUPS[family, payload]

    def __str__(self):
        family = self.family if self.family == "broadcast" \
            else f"IPv{self.family}"
        kind = "" if self.payload == "opaque" else f", {self.payload}"
        return f"{family}{kind}, fan-out {self.fanout}"


def is_joined(pid, cell, devices):
    """A broadcast is joined by whoever has the port."""
    if cell.family == "broadcast":
        return f":{cell.port:04X} " in read(pid, "net/udp")
    if cell.family == "6":
        wanted = socket.inet_pton(socket.AF_INET6, cell.group).hex()
        joined = {row.split()[1] for row in
                  read(pid, "net/igmp6").splitlines()
                  if row.split()[2] == wanted}
        return joined >= set(devices)
    # As a number of this host, in which the bytes are those of the network.
    wanted, = struct.unpack("=I", socket.inet_aton(cell.group))
    joined, device = set(), None
    for row in read(pid, "net/igmp").splitlines()[1:]:
        words = row.split()
        if not row.startswith("\t"):
            device = words[1]
        elif int(words[0], 16) == wanted:
            joined.add(device)
    return joined >= set(devices)


class Relay:
    """Any one, by a command line with {in} {out} {devices} {group} {port}."""

    def copies(self, pid, net):
        """How many it has sent by each device that it relays to."""
        sent = sent_by_device(pid)
        return {d: sent[d] for d in net.outs}

    def __init__(self, name, command=None):
        self.name = name
        self.line = command

    def command(self, net, cell):
        line = self.line
        for key, value in {
                "in": IN, "out": " ".join(net.outs),
                "devices": " ".join(net.devices), "group": cell.group,
                "port": str(cell.port)}.items():
            line = line.replace("{" + key + "}", value)
        return shlex.split(line)

    def devices(self, net):
        """Where it must hear before it is measured: some only send on others.
        """
        return [IN]

    def start(self, net, cell):
        p = net.host.start(net.router, *self.command(net, cell),
                           cpu=net.host.relay_cpu, stdout=-3)
        try:
            wait_for(f"{self.name} hears", 10, lambda: self.hears(p, net, cell))
        except (Broken, OSError):
            why = net.host.complaints(p)
            net.host.end(p)
            raise Broken(f"{self.name} does not hear: {why}") from None
        return p

    def hears(self, p, net, cell):
        if p.poll() is not None:
            raise Broken("it has ended")
        return is_joined(p.pid, cell, self.devices(net))


class Reference(Relay):
    """A and P of reference.c."""

    def command(self, net, cell):
        return [net.host.tool("tests/bench/reference"), self.name, cell.group,
                cell.port, *net.devices]

    def devices(self, net):
        return net.devices


FULL = {
    "opaque": "    allow: { sources: [10.0.0.0/8, \"fe80::/10\"], "
              "sizes: 1-1400 }\n    rate: 1000000/s\n",
    "mdns": "    preset: mdns\n    allow: { services: [_sensor._udp] }\n"
            "    rate: 1000000/s\n",
}
FULL["mixed"] = FULL["opaque"]
PLAIN = {
    "opaque": "    dedup: off\n",
    "mdns": "    preset: mdns\n    rate: off\n    dedup: off\n"
            "    strip: []\n    replies: none\n",
}
PLAIN["mixed"] = PLAIN["opaque"]
HEAD = """\
control: { group: root }
interfaces:
  all: { device: [in, "o*"] }
groups:
  bench:
"""


class Crier(Relay):
    """crierd: with all features (the default), without, or with frames."""

    variants = {"crier": (FULL, ""), "crier-plain": (PLAIN, ""),
                "crier-frame": (FULL, "    send: frame\n")}

    def configuration(self, cell):
        text, send = self.variants[self.name]
        to = "broadcast: true" if cell.family == "broadcast" \
            else f"address: \"{cell.group}\""
        return f"{HEAD}    {to}\n    port: {cell.port}\n" \
            f"{text[cell.payload]}{send}"

    def command(self, net, cell):
        file = net.host.path(self.name + ".yaml")
        with open(file, "w") as f:
            f.write(self.configuration(cell))
        return [net.host.tool("crierd"), "-c", file, "-s",
                net.host.path(self.name + ".sock"), "--log-level", "warning"]

    def devices(self, net):
        return net.devices

    def start(self, net, cell):
        p = net.host.start(net.router, *self.command(net, cell)[:3], "--check")
        said = net.host.finish(p, 10)
        if "not built yet" in said:
            raise Skip(f"{self.name}: crierd says that this is not built yet")
        if p.returncode:
            raise Broken(f"{self.name}: {said} {net.host.complaints(p)}")
        return super().start(net, cell)

    def copies(self, pid, net):
        """What it says itself: a device counts as one packet what crierd
        sends as one and the kernel takes apart further on. That all of them
        arrive is seen by the sink where nothing may be lost."""
        sent = dict.fromkeys(net.outs, 0)
        for group in ask(net.host.path(self.name + ".sock"), "groups"):
            for channel in group["channels"]:
                for s in channel["segments"]:
                    if s["device"] in sent:
                        sent[s["device"]] += s["sent"]
        return sent

    def hears(self, p, net, cell):
        """Every segment is joined; one for the subnet's broadcast besides."""
        if not super().hears(p, net, cell):
            return False
        s = ask(net.host.path(self.name + ".sock"), "status")["segments"]
        return s["joined"] == sum(s.values()) > 0


def ask(path, method):
    """One question to a crierd's control socket."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(path)
        s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1,
                              "method": method}).encode() + b"\n")
        text = b""
        while not text.endswith(b"\n"):
            piece = s.recv(1 << 20)
            if not piece:
                raise Broken(f"{method}: no answer")
            text += piece
    answer = json.loads(text)
    if "error" in answer:
        raise Broken(f"{method}: {answer['error']['message']}")
    return answer["result"]


BUILT_IN = {"A": Reference, "P": Reference, "crier": Crier,
            "crier-plain": Crier, "crier-frame": Crier}
