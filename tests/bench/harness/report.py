"""Medians, gates, and the table that people read."""

import statistics

from . import alone

# Of `crier` beside A of the same round, or by itself: relay, families, figure,
# whether it is a ratio, what must hold, and the bound for each fan-out.
GATES = [
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

# figure: heading, decimals, whether the ratio to A says something
FIGURES = {
    "ns_saturated": ("CPU, saturated: ns a copy", 0, True),
    "rate_saturated": ("  relayed, of too many: 1/s", 0, True),
    "ns_moderate": ("CPU, at 2,000/s: ns a copy", 0, True),
    "p50_us": ("delay p50: us", 1, True),
    "p99_us": ("delay p99: us", 1, True),
    "lossfree": ("free of loss up to: 1/s", 0, True),
    "calls_slow": ("system calls, at 100/s", 2, False),
    "calls_saturated": ("system calls, saturated", 3, False),
    "private_kib": ("private memory: KiB", 0, False),
}

# More than that for others, or less for the relay, is told.
DISTURBED, SATURATED = 0.05, 0.9


class Results:
    """Figures by cell, relay and round."""

    def __init__(self):
        self.figures = {}
        self.alone = {}
        self.notes = []
        self.gates = []

    def add(self, cell, relay, what, number, figures):
        key = (cell.family, cell.payload, cell.fanout)
        self.figures.setdefault(key, {}).setdefault(relay, {}) \
            .setdefault(number, {}).update(figures)
        if what == "cpu" and figures["wanted"] < SATURATED:
            self.note(f"not saturated: {cell}, {relay}: it took "
                      f"{figures['wanted']:.0%} of its core, the load is "
                      "too slow for it")
        if figures.get("lossfree_limited"):
            self.note(f"not the highest: {cell}, {relay}: more than "
                      f"{figures['lossfree']:.0f}/s could not be sent")

    def note(self, text):
        """Once each, and at once."""
        if text not in self.notes:
            self.notes.append(text)
            print("#", text, flush=True)

    @property
    def failed(self):
        return any(n.startswith("failed: ") for n in self.notes)

    def values(self, key, relay, figure):
        rounds = self.figures.get(key, {}).get(relay, {})
        return [r[figure] for r in rounds.values() if figure in r]

    def ratios(self, key, relay, figure):
        """To A, of the rounds that have both."""
        mine = self.figures.get(key, {}).get(relay, {})
        other = self.figures.get(key, {}).get("A", {})
        return [mine[n][figure] / other[n][figure] for n in mine
                if figure in mine[n] and other.get(n, {}).get(figure)]


def spread(values, decimals):
    text = f"{statistics.median(values):.{decimals}f}"
    if len(values) > 1:
        text += f" ({min(values):.{decimals}f}..{max(values):.{decimals}f})"
    return text


def name_of(key):
    family, payload, fanout = key
    family = family if family == "broadcast" else "IPv" + family
    kind = "" if payload == "opaque" else ", " + payload
    return f"{family}{kind}, fan-out {fanout}"


def show_cell(results, key):
    """A line for each figure of each relay."""
    cell = results.figures.get(key, {})
    print(f"\n{name_of(key):28}{'':13}{'median (least..most)':>26}"
          f"{'ratio to A':>20}")
    for figure, (head, decimals, as_ratio) in FIGURES.items():
        for relay in cell:
            values = results.values(key, relay, figure)
            if not values:
                continue
            ratio = results.ratios(key, relay, figure) if as_ratio else []
            print(f"  {head:28}{relay:12}{spread(values, decimals):>25}"
                  f"{spread(ratio, 2) if ratio else '':>20}")
            head = ""
    worst = max((v for relay in cell
                 for v in results.values(key, relay, "disturbed")), default=0)
    if worst > DISTURBED:
        print(f"  # others had the relay's core for up to {worst:.0%} of the "
              "time")
    print(end="", flush=True)


def show_alone(results):
    if not results.alone:
        return
    print(f"\n{'crierd alone':52}{'median (least..most)':>27}")
    for figure, (head, unit, _) in alone.FIGURES.items():
        if figure in results.alone:
            print(f"  {head:50}{spread(results.alone[figure], 2):>26} {unit}")


def gate(results, what, values, how, bound):
    value = statistics.median(values)
    kept = HOLDS[how](value, bound)
    results.gates.append({"what": what, "value": value, "how": how,
                          "bound": bound, "rounds": len(values),
                          "kept": kept})
    print(f"  {'ok    ' if kept else 'MISSED'} {what:59}{value:9.3f} "
          f"{how} {bound}")


def check_gates(results):
    """Prints each gate that was measured; returns whether all are kept."""
    print("\ngates, of the medians")
    for relay, families, figure, is_ratio, how, bounds in GATES:
        for family in families:
            for fanout, bound in bounds.items():
                key = (family, "opaque", fanout)
                of = results.ratios if is_ratio else results.values
                values = of(key, relay, figure)
                if values:
                    head = FIGURES[figure][0].split(":")[0]
                    gate(results, f"{relay}, {name_of(key)}: {head}"
                         f"{', ratio' if is_ratio else ''}",
                         values, how, bound)
    for figure, (head, unit, bound) in alone.FIGURES.items():
        if bound and figure in results.alone:
            gate(results, f"{head.strip()}, {unit}", results.alone[figure],
                 "<=", bound)
    if not results.gates:
        print("  none was measured")
    return all(g["kept"] for g in results.gates)


def as_json(results, settings):
    cells = []
    for key, relays in results.figures.items():
        for relay, rounds in relays.items():
            names = sorted({f for r in rounds.values() for f in r})
            cells.append({
                "family": key[0], "payload": key[1], "fanout": key[2],
                "relay": relay, "rounds": list(rounds.values()),
                "median": {f: statistics.median(
                    results.values(key, relay, f)) for f in names},
                "ratio_to_A": {f: statistics.median(r) for f in names
                               if (r := results.ratios(key, relay, f))}})
    return {"settings": settings, "notes": results.notes, "cells": cells,
            "alone": results.alone, "gates": results.gates}
