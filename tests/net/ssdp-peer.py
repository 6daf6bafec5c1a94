#!/usr/bin/python3
"""Browses by gssdp and gupnp, as real control points do.

usage: ssdp-peer.py gssdp DEVICE TARGET
       ssdp-peer.py gupnp DEVICE TARGET

Prints a JSON object a line for each resource (gssdp: as soon as it is known;
gupnp: once its description has been fetched) that comes or goes. Ends at
SIGTERM.
"""

import json
import signal
import sys

import gi

gi.require_version("GSSDP", "1.6")
gi.require_version("GUPnP", "1.6")
from gi.repository import GLib, GSSDP, GUPnP  # noqa: E402


def say(**fields):
    print(json.dumps(fields), flush=True)


def open_gssdp(device, target):
    client = GSSDP.Client(interface=device)
    client.init(None)
    browser = GSSDP.ResourceBrowser.new(client, target)
    browser.connect("resource-available", lambda _, usn, locations: say(
        event="add", usn=usn, locations=list(locations)))
    browser.connect("resource-unavailable", lambda _, usn: say(
        event="remove", usn=usn))
    return client, browser


def open_gupnp(device, target):
    context = GUPnP.Context(interface=device)
    context.init(None)
    point = GUPnP.ControlPoint.new(context, target)
    point.connect("device-proxy-available", lambda _, proxy: say(
        event="add", usn=proxy.get_udn(), name=proxy.get_friendly_name(),
        locations=[proxy.get_location()]))
    point.connect("device-proxy-unavailable", lambda _, proxy: say(
        event="remove", usn=proxy.get_udn()))
    return context, point


def main():
    what, device, target = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    owner, browser = {"gssdp": open_gssdp, "gupnp": open_gupnp}[what](
        device, target)
    browser.set_active(True)
    say(ready=True)
    loop = GLib.MainLoop()
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, loop.quit)
    loop.run()
    del owner


if __name__ == "__main__":
    main()
