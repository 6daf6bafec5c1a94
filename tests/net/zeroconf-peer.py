#!/usr/bin/python3
"""Publishes or browses by python3-zeroconf.

usage: zeroconf-peer.py publish DEVICE-OR-ADDRESS NAME TYPE PORT ADDRESS...
       zeroconf-peer.py browse  DEVICE-OR-ADDRESS TYPE

With a device it speaks IPv6 there, with an IPv4 address IPv4. TYPE is such as
_http._tcp. A browser prints a JSON object a line for each service that comes
or goes. Both end at SIGTERM, a publisher with its goodbye.
"""

import ipaddress
import json
import signal
import socket
import sys

import zeroconf


def say(**fields):
    print(json.dumps(fields), flush=True)


def open_zeroconf(where):
    try:
        ipaddress.ip_address(where)
    except ValueError:
        return zeroconf.Zeroconf(interfaces=[socket.if_nametoindex(where)],
                                 ip_version=zeroconf.IPVersion.V6Only)
    return zeroconf.Zeroconf(interfaces=[where],
                             ip_version=zeroconf.IPVersion.V4Only)


class Listener(zeroconf.ServiceListener):
    def add_service(self, zc, type_, name):
        info = zc.get_service_info(type_, name, timeout=5000)
        say(event="add", name=name.split(".")[0],
            port=info.port if info else None,
            addresses=info.parsed_addresses() if info else [])

    def update_service(self, zc, type_, name):
        """Says nothing new."""

    def remove_service(self, zc, type_, name):
        say(event="remove", name=name.split(".")[0])


def publish(zc, name, type_, port, *addresses):
    type_ += ".local."
    info = zeroconf.ServiceInfo(
        type_, f"{name}.{type_}", port=int(port), server=f"{name}.local.",
        properties={"id": "1"}, parsed_addresses=list(addresses))
    zc.register_service(info)
    say(ready=True)


def browse(zc, type_):
    zeroconf.ServiceBrowser(zc, type_ + ".local.", Listener())
    say(ready=True)


def main():
    what, where, *rest = sys.argv[1:]
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    zc = open_zeroconf(where)
    {"publish": publish, "browse": browse}[what](zc, *rest)
    signal.sigwait([signal.SIGTERM])
    zc.unregister_all_services()
    zc.close()


if __name__ == "__main__":
    main()
