"""What is measured by which command: blocks of cells, relays and phases."""

from collections import namedtuple

Block = namedtuple("Block", "what families payloads fanouts relays rounds")

# Each can be measured alone; the others need a cell.
ALONE = ("start", "memory", "table")
PHASES = ("cpu", "moderate", "lossfree", "syscalls")


class Times:
    """Seconds of each phase."""

    def __init__(self, scale):
        self.warm = 0.2 * scale
        self.flood = 1.0 * scale
        self.moderate = 1.0 * scale
        self.step = 0.5 * scale
        self.calls = 1.0 * scale


class Plan:
    """alone: {what: rounds}."""

    def __init__(self, blocks, alone, scale=1.0):
        self.blocks, self.alone, self.scale = blocks, alone, scale

    def times(self):
        return Times(self.scale)

    def cells(self):
        """(family, payload, fanout), each once, in order."""
        found = {}
        for b in self.blocks:
            for family in b.families:
                for payload in b.payloads:
                    # There are no broadcasts of mDNS.
                    if (family, payload) == ("broadcast", "mdns"):
                        continue
                    for fanout in b.fanouts:
                        found.setdefault((family, payload, fanout),
                                         []).append(b)
        return found


def quick():
    """Below four minutes: what has a gate, and little besides."""
    mine = ["A", "crier", "crier-frame"]
    return Plan([
        Block("cpu", ["4", "6"], ["opaque"], [1, 4, 16], mine, 5),
        Block("cpu", ["4"], ["mixed"], [1, 4, 16], mine, 1),
        Block("moderate", ["4"], ["opaque"], [1, 16], mine, 1),
        Block("lossfree", ["4", "6"], ["opaque"], [1, 4, 16], mine, 1),
        Block("syscalls", ["4"], ["opaque"], [1, 4, 16], mine[1:], 1),
    ], {"start": 3, "memory": 1}, 0.7)


def full():
    """All of it."""
    everybody = ["A", "P", "crier", "crier-plain", "crier-frame"]
    some = ["A", "crier", "crier-frame"]
    wide = [1, 4, 16, 64]
    families = ["4", "6", "broadcast"]
    return Plan([
        Block("cpu", families, ["opaque"], wide, everybody, 5),
        Block("cpu", families, ["mixed", "mdns"], wide, some, 5),
        Block("moderate", families, ["opaque"], wide, everybody, 5),
        Block("moderate", families, ["mdns"], wide, some, 5),
        Block("lossfree", families, ["opaque"], wide, some, 5),
        Block("syscalls", families, ["opaque"], wide, everybody, 1),
    ], {"start": 5, "memory": 5, "table": 1}, 0.7)


def smoke():
    """Some seconds: whether all of it works."""
    return Plan([
        Block("cpu", ["4", "6", "broadcast"], ["opaque"], [2],
              ["A", "P", "crier", "crier-plain", "crier-frame"], 1),
        Block("moderate", ["4"], ["mdns"], [2], ["A", "crier"], 1),
        Block("lossfree", ["6"], ["opaque"], [2], ["crier"], 1),
        Block("syscalls", ["4"], ["opaque"], [2], ["A", "crier"], 1),
    ], {"start": 1, "memory": 1}, 0.2)


def chosen(args):
    """What the command line says."""
    return Plan(
        [Block(w, args.family, args.payload, args.fanout, args.relays, 5)
         for w in args.what if w in PHASES],
        {w: 5 for w in args.what if w in ALONE})


def plan(args):
    p = quick() if args.quick else full() if args.full \
        else smoke() if args.smoke else chosen(args)
    p.scale *= args.scale
    if args.rounds:
        p.blocks = [b._replace(rounds=args.rounds) for b in p.blocks]
        p.alone = dict.fromkeys(p.alone, args.rounds)
    return p
