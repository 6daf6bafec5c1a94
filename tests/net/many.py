#!/usr/bin/python3
"""Publishes many services at once, which come and go at a signal.

usage: many.py mdns DEVICE-OR-ADDRESS HOST-ADDRESS COUNT
       many.py ssdp DEVICE COUNT

The even ones go at SIGUSR1, with a goodbye, and come again at SIGUSR2. Says
{"ready": true} when all are published, {"done": N} after the N-th signal. Ends
at SIGTERM, with a goodbye; at SIGKILL of course without.
"""

import concurrent.futures
import json
import signal
import sys

# Names that are awkward for who writes them down.
AWKWARD = ["plain", "two words", "at@home", "semi;colon", "quo\"te",
           "back\\slash", "Gerät", "日本語", "per%cent", "comma,and(more)"]
TYPES = ["_http._tcp", "_ipp._tcp", "_ssh._tcp", "_sensor._udp"]


def say(**fields):
    print(json.dumps(fields), flush=True)


class Mdns:
    def __init__(self, where, address, count):
        import zeroconf
        self.zc = zeroconf.Zeroconf(
            interfaces=[where], ip_version=zeroconf.IPVersion.V4Only)
        self.infos = []
        for i in range(int(count)):
            type_ = TYPES[i % len(TYPES)] + ".local."
            name = f"{AWKWARD[i % len(AWKWARD)]} {i}"
            self.infos.append(zeroconf.ServiceInfo(
                type_, f"{name}.{type_}", port=1000 + i,
                server=f"many-{i % 7}.local.", properties={"i": str(i)},
                parsed_addresses=[address]))
        self.come(self.infos)

    def come(self, infos):
        self.each(lambda info: self.zc.register_service(
            info, cooperating_responders=True), infos)

    def go(self, infos):
        self.each(self.zc.unregister_service, infos)

    def each(self, what, infos):
        """At the same time, since each takes a second."""
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for done in [pool.submit(what, info) for info in infos]:
                done.result()

    def half(self):
        return self.infos[::2]

    def end(self):
        self.zc.unregister_all_services()
        self.zc.close()


class Ssdp:
    def __init__(self, device, count):
        import gi
        gi.require_version("GSSDP", "1.6")
        from gi.repository import GSSDP
        self.client = GSSDP.Client(interface=device)
        self.client.init(None)
        self.group = GSSDP.ResourceGroup.new(self.client)
        self.group.set_max_age(100)
        self.ids = {}
        self.come(range(int(count)))
        self.group.set_available(True)

    def come(self, numbers):
        for i in numbers:
            uuid = f"uuid:00000000-0000-0000-0000-{i:012d}"
            target = f"urn:crier-test:device:Thing{i % 4}:1"
            self.ids[i] = self.group.add_resource_simple(
                target, f"{uuid}::{target}", f"http://10.77.1.20:80/{i}.xml")

    def go(self, numbers):
        for i in numbers:
            self.group.remove_resource(self.ids.pop(i))

    def half(self):
        return range(0, 50, 2)

    def end(self):
        self.group.set_available(False)


def main():
    kind, *rest = sys.argv[1:]
    if kind == "mdns":
        signals = {signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        many = Mdns(*rest)
        say(ready=True)
        number = 0
        while (got := signal.sigwait(signals)) != signal.SIGTERM:
            (many.go if got == signal.SIGUSR1 else many.come)(many.half())
            number += 1
            say(done=number)
        many.end()
        return
    many = Ssdp(*rest)
    from gi.repository import GLib
    loop = GLib.MainLoop()
    state = {"number": 0}

    def changed(change):
        change(many.half())
        state["number"] += 1
        say(done=state["number"])
        return True

    def ended():
        many.end()
        # The byebyes are queued.
        GLib.timeout_add(2000, loop.quit)
        return False

    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGUSR1, changed,
                         many.go)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGUSR2, changed,
                         many.come)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, ended)
    say(ready=True)
    loop.run()


if __name__ == "__main__":
    main()
