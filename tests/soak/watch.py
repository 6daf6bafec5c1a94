#!/usr/bin/python3
"""Looks on while crierd works: what the soak needs and crierctl does not say.

usage: watch.py answers SOCKET          asks for the status again and again,
                                        until SIGTERM: how long it took
       watch.py quiet PID SECONDS SINCE waits until it has not run for so long,
                                        and tells how long after SINCE, in ms
                                        since 1970, it was last seen to run
       watch.py idle PID SINCE          how often and how long it has run in the
                                        second that began a second after SINCE
       watch.py memory PID              what it has, in KiB
       watch.py sums FILE IN SENT DEVICE_DROPS
                                        that its counters add up, where only
                                        the segment IN is spoken on

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


def answers(path):
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
    took_ms, failed = [], 0
    while not ended:
        try:
            took_ms.append(ask(path))
        except OSError as e:
            print(e, file=sys.stderr)
            failed += 1
        time.sleep(EVERY_S)
    took_ms.sort()
    say(asked=len(took_ms), failed=failed,
        p99_ms=round(took_ms[len(took_ms) * 99 // 100], 1) if took_ms else None,
        worst_ms=round(took_ms[-1], 1) if took_ms else None)


# ---- quiet ----

def has_run(pid):
    """How long its threads have had a processor, in ns, and how often."""
    ns = times = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            ran = f.read().split()
        ns += int(ran[0])
        times += int(ran[2])
    return ns, times


def quiet(pid, seconds, since_ms):
    start = last = time.time()
    before = has_run(pid)
    while time.time() - last < float(seconds) and last - start < GIVE_UP_S:
        time.sleep(0.01)
        now = has_run(pid)
        if now != before:
            before, last = now, time.time()
    say(busy_ms=round(last * 1000) - int(since_ms))


def idle(pid, since_ms):
    time.sleep(max(0, int(since_ms) / 1000 + 1 - time.time()))
    before = has_run(pid)
    time.sleep(1)
    ns, times = (n - b for n, b in zip(has_run(pid), before))
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


def wrong_sums(channels, heard_on, sent, device_drops):
    """What becomes of a datagram is counted once for each segment out, or
    once where it was heard if it concerns all of them (settle() in
    src/relay/fanout.c). So, of a channel that one segment speaks on:

      received - dropped there, but for dropped.kernel
                       = sent + dropped, on each of the other segments

    which is, summed over these, of which there are `fan-out`:

      received = (sent + dropped) / fan-out + dropped where it was heard

    What the kernel has dropped was never received, so over all channels

      sent by the loads = received + dropped.kernel + lost by the device
    """
    arrived = device_drops
    for name, segments in channels:
        inside = [s for s in segments if s["interface"] == heard_on][0]
        arrived += inside["received"] + inside["dropped"]["kernel"]
        passed = inside["received"] - all_drops(inside, "kernel")
        for s in segments:
            if s is inside:
                continue
            settled = s["sent"] + all_drops(s, "kernel")
            if settled != passed:
                yield (f"{name}, {s['interface']}: {passed} to be sent, "
                       f"{settled} sent or dropped")
            if s["received"] or s["dropped"]["kernel"]:
                yield f"{name}, {s['interface']}: heard something"
    if arrived != sent:
        yield f"{sent} sent, {arrived} received or dropped by the kernel"


def sums(path, heard_on, sent, device_drops):
    with open(path) as f:
        channels = [(f"{g['name']} {c['address']}", c["segments"])
                    for g in json.load(f) for c in g["channels"]]
    wrong = list(wrong_sums(channels, heard_on, int(sent), int(device_drops)))
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit({"answers": answers, "quiet": quiet, "idle": idle,
              "memory": memory, "sums": sums}[sys.argv[1]](*sys.argv[2:]))
