"""Carries what crierds hear between sites: one connection for events and one
for requests at each, as crier-mqtt does by way of a broker.

    carrier.py SITE=SOCKET SITE=SOCKET... [--groups A,B]

Says "ready", then a JSON object a line for all that it does."""

import argparse
import collections
import json
import selectors
import socket
import sys

# Answers may be read before the result that names their flow.
EARLY = 256


def say(**fields):
    print(json.dumps(fields), flush=True)


class Site:
    def __init__(self, name, path, groups):
        self.name = name
        self.events = socket.socket(socket.AF_UNIX)
        self.events.connect(path)
        self.requests = socket.socket(socket.AF_UNIX)
        self.requests.connect(path)
        self.answers = self.requests.makefile('rb')
        self.flows = {}  # of here: the sites that asked, and their flows
        self.early = collections.deque(maxlen=EARLY)
        self.call_on(self.events, 'subscribe',
                     events=['datagram', 'answer', 'discovered', 'expired'],
                     payload=True, groups=groups, carry=True)
        self.lines = self.events.makefile('rb')
        first = json.loads(self.lines.readline())
        if 'result' not in first:
            sys.exit(f'{name}: {first}')
        self.rest = b''

    def call_on(self, to, method, **params):
        line = json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': method,
                           'params': params})
        to.sendall(line.encode() + b'\n')

    def call(self, method, **params):
        self.call_on(self.requests, method, **params)
        return json.loads(self.answers.readline())


class Carrier:
    def __init__(self, sites):
        self.sites = sites

    def others(self, site):
        return [s for s in self.sites if s is not site]

    def datagram(self, site, e):
        for other in self.others(site):
            result = other.call(
                'relay', group=e['group'], payload=e['payload'],
                kind=e['kind'] if e['kind'] != 'unknown' else 'other',
                channel=e['channel'],
                origin={'address': e['source'], 'port': e['port'],
                        'site': site.name})
            say(what='relay', site=site.name, to=other.name, kind=e['kind'],
                group=e['group'], flow=e['flow'], entries=e['entries'],
                result=result.get('result'), error=result.get('error'))
            flows = result.get('result', {}).get('flows', [])
            if e['flow']:
                for flow in flows:
                    other.flows.setdefault(flow, []).append((site, e['flow']))
            self.take_early(other, flows)

    def take_early(self, site, flows):
        early = [a for a in site.early if a['flow'] in flows]
        for a in early:
            site.early.remove(a)
            self.answer(site, a)

    def answer(self, site, e):
        if e['flow'] not in site.flows:
            site.early.append(e)
            return
        for other, flow in site.flows[e['flow']]:
            result = other.call(
                'answer', flow=flow, payload=e['payload'],
                origin={'address': e['source'], 'port': e['port'],
                        'site': site.name})
            say(what='answer', site=site.name, to=other.name,
                source=e['source'], result=result.get('result'),
                error=result.get('error'))

    def event(self, site, e):
        if e['event'] == 'datagram':
            self.datagram(site, e)
        elif e['event'] == 'answer':
            self.answer(site, e)
        else:
            say(what=e['event'], at=site.name, site=e['site'], key=e['key'],
                name=e['name'], why=e.get('why'),
                payload=bool(e.get('payload')))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('sites', nargs='+')
    parser.add_argument('--groups')
    o = parser.parse_args()
    groups = o.groups.split(',') if o.groups else []
    sites = [Site(*s.split('=', 1), groups) for s in o.sites]
    carrier = Carrier(sites)
    selector = selectors.DefaultSelector()
    for site in sites:
        selector.register(site.events, selectors.EVENT_READ, site)
    say(what='ready')
    while True:
        for key, _ in selector.select():
            site = key.data
            data = site.events.recv(1 << 16)
            if not data:
                return
            *lines, site.rest = (site.rest + data).split(b'\n')
            for line in lines:
                carrier.event(site, json.loads(line)['params'])


main()
