"""What is measured of one relay in one cell. All are of a whole run: from
before the first datagram until the last copy has left, so that it does not
matter when exactly the kernel is asked.
"""

import re
import signal
import time

from .net import (Broken, cpu_ns, is_asleep, private_kib, read,
                  sent_by_device, wait_for)

MODERATE_RATE = 2000
SLOW_RATE = 100
# Of a search for the highest rate: how often each is tried at most, and how
# much of the core others may have meanwhile.
TRIES = 5
DISTURBED = 0.03


class Run:
    """A relay at work: started by `with`, ended at the end."""

    def __init__(self, relay, net, cell):
        self.relay, self.net, self.cell = relay, net, cell

    def __enter__(self):
        self.p = self.relay.start(self.net, self.cell)
        self.pid = self.p.pid
        return self

    def __exit__(self, *_):
        self.net.host.end(self.p)

    def copies(self):
        """By device; of those that it relays to."""
        return self.relay.copies(self.pid, self.net)

    def drain(self):
        """Until nothing has left for a while, and not because somebody else
        has the core. One that never sleeps is given a second."""
        before = None
        start = time.monotonic()
        while True:
            time.sleep(0.03)
            if self.p.poll() is not None:
                raise Broken(f"{self.relay.name} has ended: "
                             f"{self.net.host.complaints(self.p)}")
            now = sum(sent_by_device(self.pid).values())
            passed = time.monotonic() - start
            if now == before and (is_asleep(self.pid) or passed > 1):
                return
            if passed > 30:
                raise Broken(f"{self.relay.name}: does not fall silent")
            before = now

    def send(self, seconds, rate=0):
        """What that came to: sent, seconds, rate; copies, on the device with
        fewest too; ns of the processor, and of waiting for it."""
        copies, (ran, waited) = self.copies(), cpu_ns(self.pid)
        r = self.net.load(self.cell, seconds, rate)
        self.drain()
        (ran_now, waited_now), now = cpu_ns(self.pid), self.copies()
        by_device = [now[d] - copies[d] for d in copies]
        r.update(copies=sum(by_device), least=min(by_device),
                 ns=ran_now - ran, waited=waited_now - waited)
        # The kernel itself reports its memberships now and then.
        if r["least"] <= min(20, r["sent"] / 4):
            raise Broken(f"{self.relay.name} relays nothing")
        return r


def saturated(run, t):
    """ns of the processor for each copy, while more arrives than it can take;
    and how much of its core it wanted, which is 1 when saturated."""
    run.send(t.warm)
    r = run.send(t.flood)
    return {"ns_saturated": r["ns"] / r["copies"],
            "rate_saturated": r["copies"] / run.cell.fanout / r["seconds"],
            "wanted": (r["ns"] + r["waited"]) / 1e9 / r["seconds"],
            "disturbed": disturbed(r)}


def listened(run, seconds, rate):
    """The same as send(), with what a sink heard."""
    sink = run.net.sink(run.cell, sorted(run.net.heard))
    try:
        r = run.send(seconds, rate)
    except BaseException:
        run.net.host.end(sink)
        raise
    heard = run.net.end_sink(sink)
    if heard["overflow"]:
        raise Broken("the sink is too slow")
    r["whole"] = heard["least"] == r["sent"] <= r["least"] \
        and not heard["twice"]
    r.update({k: heard[k] for k in ("twice", "p50_us", "p99_us")})
    r["missing"] = r["sent"] - heard["least"]
    return r


def moderate(run, t):
    """ns for each copy and the delay, at a rate that leaves it idle mostly."""
    run.send(t.warm, MODERATE_RATE)
    r = listened(run, t.moderate, MODERATE_RATE)
    return {"ns_moderate": r["ns"] / r["copies"], "p50_us": r["p50_us"],
            "p99_us": r["p99_us"], "missing": r["missing"],
            "twice": r["twice"], "private_kib": private_kib(run.pid)}


def disturbed(r):
    """How much of the time it wanted its core somebody else had it."""
    return r["waited"] / (r["ns"] + r["waited"])


def is_free(run, t, rate):
    """Whether nothing is lost at this rate, and at which it was in truth.

    A loss is believed when it comes twice; one that came while somebody else
    had the core says nothing. What cannot be sent as fast is the limit.
    """
    losses = slow = 0
    for _ in range(TRIES):
        r = listened(run, t.step, rate)
        if r["whole"] and r["rate"] >= 0.95 * rate:
            return "free", rate
        slow += r["whole"]
        losses += not r["whole"] and disturbed(r) < DISTURBED
        if slow == 3:
            return "limit", r["rate"]
        if losses == 2:
            break
    return "lost", 0


def lossfree(run, t):
    """The highest rate at which the sink hears all, by halving the interval
    (as a ratio, until it is 3 %)."""
    flood = run.send(t.warm)
    likely = flood["copies"] / run.cell.fanout / flood["seconds"]
    low, high, middle = likely / 20, likely * 1.4, likely * 0.7
    best, said = 0, ""
    while high / low > 1.03 and said != "limit":
        said, rate = is_free(run, t, middle)
        best = max(best, rate)
        low, high = (low, middle) if said == "lost" else (middle, high)
        middle = (high * low) ** 0.5
    if not best:
        raise Broken(f"{run.cell}: {run.relay.name} loses at any rate")
    return {"lossfree": best, "lossfree_limited": said == "limit"}


def system_calls(run, t):
    """For each datagram that arrives: at a slow rate, and saturated."""
    run.send(t.warm)
    return {"calls_slow": count_calls(run, t.calls, SLOW_RATE),
            "calls_saturated": count_calls(run, t.flood, 0)}


def count_calls(run, seconds, rate):
    out = run.net.host.path("strace")
    p = run.net.host.start(run.net.router, "strace", "-c", "-f", "-o", out,
                           "-p", run.pid, stdout=-3)

    def is_traced():
        if p.poll() is not None:
            raise Broken(f"strace: {run.net.host.complaints(p)}")
        return all(not s.startswith("TracerPid:\t0") for s in
                   read(run.pid, "status").splitlines()
                   if s.startswith("TracerPid:"))
    wait_for("strace", 10, is_traced)
    r = run.send(seconds, rate)
    run.net.host.end(p, signal.SIGINT)
    with open(out) as f:
        # A table between lines of dashes; the calls are its fourth column.
        rows = re.split(r"^-[- ]+$", f.read(), flags=re.MULTILINE)
    if len(rows) != 3:
        raise Broken("strace counts nothing")
    total = sum(int(row.split()[3]) for row in rows[1].strip().splitlines())
    return total / (r["copies"] / run.cell.fanout)


# what: how, and the devices on which somebody listens, of those there are: the
# first and the last one that a copy goes to, if it is about the delay.
PHASES = {
    "cpu": (saturated, lambda outs: []),
    "moderate": (moderate, lambda outs: {outs[0], outs[-1]}),
    "lossfree": (lossfree, lambda outs: outs[-1:]),
    "syscalls": (system_calls, lambda outs: []),
}
