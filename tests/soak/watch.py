#!/usr/bin/python3
"""Looks on while crierd works: what the soak needs and crierctl does not say.

usage: watch.py answers SOCKET PID      asks for the status again and again,
                                        until SIGTERM: how long it took, and
                                        how long but for what both sides waited
                                        for a processor that others had
       watch.py quiet PID SECONDS SINCE [WAITED]
                                        waits until it has not run for so long,
                                        and tells how long after SINCE, in ms
                                        since 1970, it was last seen to run,
                                        and how long of that it waited for a
                                        processor that others had, which it had
                                        for WAITED ns then
       watch.py idle PID SINCE          how often and how long it has run in the
                                        second that began a second after SINCE
       watch.py memory PID              what it has, in KiB
       watch.py sums FILE IN SENT DROPS ANSWERED DROPS
                                        that its counters add up, where only
                                        the segment IN is spoken on, and others
                                        answer; the DROPS are of the devices

Each prints a line of JSON. `sums` takes what `crierctl --json groups` says,
prints a line for each sum that is wrong, and exits with 1 then.
"""

import json
import os
import signal
import socket
import sys
import time

ASK = b'{"jsonrpc":"2.0","id":1,"method":"status"}\n'
EVERY_S = 0.05
PATIENCE_S = 20
GIVE_UP_S = 30


def say(**fields):
    print(json.dumps(fields), flush=True)


# ---- answers ----

def ask(path):
    """As crierctl does it, without the start of a program, in ms."""
    start = time.monotonic()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(PATIENCE_S)
        sock.connect(path)
        sock.sendall(ASK)
        answer = b""
        while not answer.endswith(b"\n"):
            chunk = sock.recv(65536)
            if not chunk:
                raise OSError("it hangs up")
            answer += chunk
    if "result" not in json.loads(answer):
        raise OSError(f"it answers {answer!r}")
    return (time.monotonic() - start) * 1000


def waited_ms(*pids):
    return sum(has_run(pid)[2] for pid in pids) / 1000000


def answers(path, pid):
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
    took_ms, own_ms, failed = [], [], 0
    while not ended:
        before = waited_ms(pid, os.getpid())
        try:
            took_ms.append(ask(path))
            waited = waited_ms(pid, os.getpid()) - before
            own_ms.append(max(0, took_ms[-1] - waited))
        except OSError as e:
            print(e, file=sys.stderr)
            failed += 1
        time.sleep(EVERY_S)
    took_ms.sort()
    say(asked=len(took_ms), failed=failed,
        p99_ms=round(took_ms[len(took_ms) * 99 // 100], 1) if took_ms else None,
        worst_ms=round(took_ms[-1], 1) if took_ms else None,
        own_ms=round(max(own_ms), 1) if own_ms else None)


# ---- quiet ----

def has_run(pid):
    """How long its threads have had a processor, in ns, and how often; and how
    long they waited for one, in ns."""
    ns = times = waited = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            ran = f.read().split()
        ns += int(ran[0])
        times += int(ran[2])
        waited += int(ran[1])
    return ns, times, waited


def quiet(pid, seconds, since_ms, waited_ns=None):
    start = last = time.time()
    first = before = has_run(pid)
    while time.time() - last < float(seconds) and last - start < GIVE_UP_S:
        time.sleep(0.01)
        now = has_run(pid)
        if now != before:
            before, last = now, time.time()
    say(busy_ms=round(last * 1000) - int(since_ms),
        waited_ms=(before[2] - int(waited_ns or first[2])) // 1000000)


def idle(pid, since_ms):
    time.sleep(max(0, int(since_ms) / 1000 + 1 - time.time()))
    before = has_run(pid)
    time.sleep(1)
    ns, times, _ = (n - b for n, b in zip(has_run(pid), before))
    say(times=times, ran_us=ns // 1000)


# ---- memory ----

def memory(pid):
    kib = {}
    with open(f"/proc/{pid}/smaps_rollup") as f:
        for line in f:
            word = line.split()
            if word[-1] == "kB":
                kib[word[0]] = int(word[1])
    # What is clean is of files, and private or not as others come and go.
    say(private=kib["Private_Dirty:"], rss=kib["Rss:"])


# ---- sums ----

def all_drops(segment, *but):
    return sum(n for why, n in segment["dropped"].items() if why not in but)


# Why an answer that was taken is not handed on; all else was said of a search.
HANDING = ("queue", "error", "no_address")


def wrong_passage(inside, outside):
    """What becomes of a datagram is counted once for each segment out, or
    once where it was heard if it concerns all of them (settle() in
    src/relay/fanout.c). So, of a channel that one segment speaks on:

      received - dropped there, but for dropped.kernel
                       = sent + dropped, on each of the other segments

    which is, summed over these, of which there are `fan-out`:

      received = (sent + dropped) / fan-out + dropped where it was heard

    Answers are received where they were asked for and, unless dropped there,
    sent where the searcher is, of whom each search here has one. The two sums
    share their counters, so they are one:

      fan-out * (received - dropped) where it was heard + received elsewhere
                       = sent + dropped, on all
    """
    passed = inside["received"] - all_drops(inside, "kernel", *HANDING)
    answers = sum(s["received"] for s in outside)
    settled = inside["sent"] + sum(inside["dropped"][r] for r in HANDING)
    if not answers:
        if settled:
            yield f"{settled} sent back, or dropped, and nobody answered"
        for s in outside:
            if s["sent"] + all_drops(s, "kernel") != passed:
                yield (f"{s['interface']}: {passed} to be sent, {s['sent']} "
                       f"sent and {all_drops(s, 'kernel')} dropped")
        return
    settled += sum(s["sent"] + all_drops(s, "kernel") for s in outside)
    if len(outside) * passed + answers != settled:
        yield (f"{passed} for {len(outside)} segments and {answers} answers, "
               f"{settled} sent or dropped")


def arrived(segments):
    """What the kernel has dropped was never received, so

      sent by the loads = received + dropped.kernel + lost by the device
    """
    return sum(s["received"] + s["dropped"]["kernel"] for s in segments)


def sums(path, heard_on, sent, drops, answered, answer_drops):
    with open(path) as f:
        channels = [(f"{g['name']} {c['address']}", c["segments"])
                    for g in json.load(f) for c in g["channels"]]
    wrong = []
    heard, answers = int(drops), int(answer_drops)
    for name, segments in channels:
        inside = [s for s in segments if s["interface"] == heard_on]
        outside = [s for s in segments if s["interface"] != heard_on]
        heard += arrived(inside)
        answers += arrived(outside)
        wrong += [f"{name}: {w}" for w in wrong_passage(inside[0], outside)]
    for what, by, n in (("sent", sent, heard), ("answered", answered, answers)):
        if int(by) != n:
            wrong.append(f"{by} {what}, {n} received or dropped by the kernel")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit({"answers": answers, "quiet": quiet, "idle": idle,
              "memory": memory, "sums": sums}[sys.argv[1]](*sys.argv[2:]))
