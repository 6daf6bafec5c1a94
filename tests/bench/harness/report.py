"""Medians, gates, and the table that people read."""

import statistics

# By figure, then fan-out; ratios to A of the same round, or plain figures.
GATES = [
    # relay, families, figure, is a ratio, may it be less, {fan-out: bound}
    ("crier", ["4"], "ns_saturated", True, "<=", {1: 1.15, 4: 1.10, 16: 1.05}),
    ("crier", ["6"], "ns_saturated", True, "<=", {1: 1.05, 4: .90, 16: .85}),
    ("crier-frame", ["4", "6"], "ns_saturated", True, "<=",
     {1: .95, 4: .75, 16: .68}),
    ("crier", ["4", "6"], "lossfree", True, ">=", {1: .90, 4: .90, 16: .90}),
    ("crier", ["4"], "calls_slow", False, "<=", {1: 4, 4: 7, 16: 19}),
    ("crier", ["4"], "calls_saturated", False, "<", {1: .3, 4: .5, 16: 1}),
]
HOLDS = {"<=": lambda a, b: a <= b, "<": lambda a, b: a < b,
         ">=": lambda a, b: a >= b}

FIGURES = {
    # figure: heading, factor, decimals, is a ratio to A of interest
    "ns_saturated": ("CPU ns/copy, saturated", 1, 0, True),
    "ns_moderate": ("CPU ns/copy, 2000/s", 1, 0, True),
    "lossfree": ("loss-free 1/s", 1, 0, True),
    "p50_us": ("p50 us", 1, 1, True),
    "calls_slow": ("calls, 200/s", 1, 2, False),
    "calls_saturated": ("calls, saturated", 1, 3, False),
    "private_kib": ("private KiB", 1, 0, False),
}


class Results:
    """Figures by cell, relay and round."""

    def __init__(self):
        self.figures = {}
        self.notes = []
        self.gates = []

    def add(self, cell, relay, number, figures):
        key = (cell.family, cell.payload, cell.fanout)
        self.figures.setdefault(key, {}).setdefault(relay, {}) \
            .setdefault(number, {}).update(figures)

    def note(self, text):
        """Once each, and at once: what is missing must be seen."""
        if text not in self.notes:
            self.notes.append(text)
            print("#", text, flush=True)

    def values(self, key, relay, figure):
        rounds = self.figures.get(key, {}).get(relay, {})
        return [r[figure] for r in rounds.values() if figure in r]

    def ratios(self, key, relay, figure, base="A"):
        """Of the rounds that have both."""
        mine = self.figures.get(key, {}).get(relay, {})
        other = self.figures.get(key, {}).get(base, {})
        return [mine[n][figure] / other[n][figure] for n in mine
                if figure in mine[n] and other.get(n, {}).get(figure)]


def spread(values, decimals):
    middle = statistics.median(values)
    text = f"{middle:.{decimals}f}"
    if len(values) > 1:
        text += f" ({min(values):.{decimals}f}..{max(values):.{decimals}f})"
    return text


def name_of(key):
    family, payload, fanout = key
    family = family if family == "broadcast" else "IPv" + family
    kind = "" if payload == "opaque" else ", " + payload
    return f"{family}{kind}, fan-out {fanout}"


def show(results, keys=None):
    """A block for each cell: a line for each figure, of each relay."""
    for key in keys or results.figures:
        print(f"\n{name_of(key)}")
        print(f"  {'':24}{'':14}{'median (least..most)':>30}"
              f"{'ratio to A':>24}")
        for figure, (head, _, decimals, as_ratio) in FIGURES.items():
            for relay in results.figures[key]:
                values = results.values(key, relay, figure)
                if not values:
                    continue
                ratio = results.ratios(key, relay, figure) if as_ratio else []
                print(f"  {head:24}{relay:14}{spread(values, decimals):>30}"
                      f"{spread(ratio, 2) if ratio else '':>24}")
                head = ""


def check_gates(results, rounds):
    """Prints each gate that was measured; returns whether all are kept."""
    for relay, families, figure, is_ratio, how, bounds in GATES:
        for family in families:
            for fanout, bound in bounds.items():
                key = (family, "opaque", fanout)
                values = (results.ratios if is_ratio else results.values)(
                    key, relay, figure)
                if values:
                    results.gates.append(gate(
                        f"{relay}, {name_of(key)}: {FIGURES[figure][0]}"
                        f"{', ratio to A' if is_ratio else ''}",
                        statistics.median(values), how, bound))
    if results.gates:
        print(f"\ngates (median of {rounds} round{'s' * (rounds != 1)})")
    for g in results.gates:
        print(f"  {'ok    ' if g['kept'] else 'MISSED'} {g['what']:66}"
              f"{g['value']:9.3f} {g['how']} {g['bound']}")
    return all(g["kept"] for g in results.gates)


def gate(what, value, how, bound):
    return {"what": what, "value": value, "how": how, "bound": bound,
            "kept": HOLDS[how](value, bound)}


def as_json(results, settings):
    cells = []
    for key, relays in results.figures.items():
        for relay, rounds in relays.items():
            names = {f for r in rounds.values() for f in r}
            cells.append({
                "family": key[0], "payload": key[1], "fanout": key[2],
                "relay": relay, "rounds": list(rounds.values()),
                "median": {f: statistics.median(
                    results.values(key, relay, f)) for f in sorted(names)},
                "ratio_to_A": {f: statistics.median(r)
                               for f in sorted(names)
                               if (r := results.ratios(key, relay, f))}})
    return {"settings": settings, "notes": results.notes, "cells": cells,
            "gates": results.gates}
