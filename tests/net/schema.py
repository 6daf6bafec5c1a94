#!/usr/bin/python3
"""Asks a crierd everything that the schema of its control protocol knows, and
validates each answer and event.

usage: schema.py SCHEMA SOCKET ask      a line "METHOD ok" or "METHOD: why not"
       schema.py SCHEMA SOCKET events   subscribes to all events; on SIGTERM a
                                        line "EVENT ok" or "EVENT: why not" for
                                        each kind that came
       schema.py SCHEMA SOCKET refused  params that the schema forbids
"""

import json
import signal
import socket
import sys

import jsonschema


class Schema:
    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            self.root = json.load(f)
        jsonschema.Draft202012Validator.check_schema(self.root)

    def why_not(self, value, *path):
        part = {"$ref": "#/" + "/".join(path)} if path else {}
        whole = {**part, "$defs": self.root["$defs"]}
        if not path:
            whole["oneOf"] = self.root["oneOf"]
        error = jsonschema.exceptions.best_match(
            jsonschema.Draft202012Validator(whole).iter_errors(value))
        return error and f"{error.json_path}: {error.message}"[:300]


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(path)
        self.file = self.socket.makefile("rw", encoding="utf-8")

    def call(self, method, params):
        json.dump({"jsonrpc": "2.0", "id": 1, "method": method,
                   "params": params}, self.file)
        self.file.write("\n")
        self.file.flush()
        return json.loads(self.file.readline())


ASK = [
    ("status", {}), ("interfaces", {}), ("groups", {}),
    ("groups", {"name": "mdns"}), ("discovered", {}),
    ("discovered", {"group": "mdns", "limit": 1}), ("flows", {}),
    ("announce", {"name": "x", "group": "beacon", "payload": {"text": "x"},
                  "interval": "90s", "burst": 2, "goodbye": {"hex": "00"}}),
    ("announce", {"name": "y", "group": "mdns", "interval": 75, "service": {
        "name": "y", "type": "_http._tcp", "port": 80, "txt": ["a=b"]}}),
    ("announcements", {}), ("withdraw", {"name": "x"}),
    ("explain", {"group": "mdns", "interface": "a", "source": "10.77.1.10",
                 "kind": "search", "names": ["_http._tcp"]}),
    ("sites", {"site": "home", "broker": "mqtts://hub:8883",
               "state": "connected"}),
    ("sites", {"site": "home", "broker": "mqtts://hub:8883",
               "state": "waiting", "error": "refused", "own": 1, "queued": 2,
               "lost": 3, "published": 4, "taken": 5, "sites": [
                   {"site": "hut", "online": True, "entries": 1, "taken": 2,
                    "dropped": 3, "last_seen": "2026-01-31T12:00:00.5Z"},
                   {"site": "cabin", "last_seen": None},
                   {"site": "shed", "gone": True}]}),
    ("standby", {"enabled": True}), ("presets", {}), ("metrics", {}),
    ("log-level", {"level": "info"}), ("reload", {}),
    ("subscribe", {"events": ["config"], "payload": True,
                   "groups": ["mdns"]}),
    ("subscribe", {"events": ["datagram", "answer"], "carry": True}),
    ("relay", {"group": "beacon", "payload": "aGk="}),
    ("relay", {"group": "ssdp", "kind": "search", "payload": "aGk=",
               "channel": {"address": "239.255.255.250", "port": 1900},
               "origin": {"address": "10.78.0.9", "port": 4000,
                          "site": "cabin"}}),
    # Of the flow that this has made.
    ("answer", {"flow": None, "payload": "aGk=",
                "origin": {"address": None, "site": "cabin"}}),
    ("flows", {}), ("discovered", {}), ("status", {}),
]

REFUSED = [
    ("status", {"x": 1}), ("groups", {"name": 1}), ("withdraw", {}),
    ("discovered", {"limit": 0}), ("discovered", {"limit": "1"}),
    ("discovered", {"cursor": 1}), ("explain", {"group": "mdns"}),
    ("explain", {"group": "mdns", "interface": "a", "source": "10.77.1.10",
                 "kind": "shout"}),
    ("explain", {"group": "mdns", "interface": "a", "source": "10.77.1.10",
                 "port": 65536}),
    ("standby", {"enabled": "on"}), ("standby", {}),
    ("log-level", {"level": "loud"}), ("log-level", {"level": 3}),
    ("subscribe", {"events": []}), ("subscribe", {"events": ["rain"]}),
    ("subscribe", {"events": ["drop"], "payload": 1}),
    ("sites", {"site": "home", "broker": "b"}),
    ("sites", {"site": "a b", "broker": "b", "state": "waiting"}),
    ("sites", {"site": "home", "broker": "", "state": "waiting"}),
    ("sites", {"site": "home", "broker": "b", "state": "lost"}),
    ("sites", {"site": "home", "broker": "b", "state": "waiting", "own": -1}),
    ("sites", {"site": "home", "broker": "b", "state": "waiting",
               "error": "x" * 513}),
    ("sites", {"site": "home", "broker": "b", "state": "waiting",
               "sites": [{"online": True}]}),
    ("sites", {"site": "home", "broker": "b", "state": "waiting",
               "sites": [{"site": "hut", "last_seen": "yesterday"}]}),
    ("announce", {"name": "-x", "group": "beacon", "payload": {"text": "x"}}),
    ("announce", {"name": "x", "group": "beacon", "payload": {"text": 1}}),
    ("announce", {"name": "x", "group": "beacon",
                  "payload": {"text": "a", "hex": "00"}}),
    ("announce", {"name": "x", "group": "beacon", "payload": {"text": "x"},
                  "interval": "soon"}),
    ("announce", {"name": "x", "group": "beacon", "payload": {"text": "x"},
                  "burst": 0}),
    ("relay", {"group": "ssdp"}), ("relay", {"payload": "aGk="}),
    ("relay", {"group": "ssdp", "payload": "aGk"}),
    ("relay", {"group": "ssdp", "payload": "aGk=", "kind": "shout"}),
    ("relay", {"group": "ssdp", "payload": "aGk=", "origin": "cabin"}),
    ("relay", {"group": "ssdp", "payload": "aGk=",
               "origin": {"site": "a/b"}}),
    ("relay", {"group": "ssdp", "payload": "aGk=", "origin": {"port": 0}}),
    ("relay", {"group": "ssdp", "payload": "aGk=", "channel": {"x": 1}}),
    ("answer", {"flow": 0, "payload": "aGk="}), ("answer", {"flow": 1}),
    ("subscribe", {"events": ["datagram"], "carry": "yes"}),
]


def ask_one(schema, client, method, params):
    answer = client.call(method, params)
    print(method, schema.why_not(params, "$defs", "params", method)
          or schema.why_not(answer)
          or ("result" not in answer and json.dumps(answer))
          or schema.why_not(
              answer["result"], "$defs", "results", method) or "ok")
    return answer.get("result", {})


def ask(schema, path):
    asked = set()
    flow = None
    for method, params in ASK:
        client = Client(path)
        if params.get("flow", 0) is None:
            params["flow"] = flow
        result = ask_one(schema, client, method, params)
        if method == "relay":
            flow = result.get("flow")
        asked.add(method)
        # What it reported is there as long as its connection.
        if method == "sites":
            ask_one(schema, client, "status", {})
    for method in sorted(set(schema.root["$defs"]["results"]) - asked):
        print(method, "was not asked")


def refused(schema, path):
    for method, params in REFUSED:
        answer = Client(path).call(method, params)
        code = answer.get("error", {}).get("code")
        if not schema.why_not(params, "$defs", "params", method):
            print(method, json.dumps(params), "is allowed by the schema")
        elif schema.why_not(answer):
            print(method, schema.why_not(answer))
        else:
            print(method, "ok" if code == -32602
                  else f"{json.dumps(params)} gets {json.dumps(answer)}")


def events(schema, path):
    client = Client(path)
    client.socket.settimeout(None)
    words = schema.root["$defs"]["event_word"]["enum"]
    client.call("subscribe", {"events": words, "payload": True})
    came = {}

    def end(*_):
        for word in words:
            print(word, came.get(word, "did not come"))
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    print("ready", flush=True)
    for line in client.file:
        event = json.loads(line)
        word = event["params"]["event"]
        why = schema.why_not(event) or schema.why_not(
            event["params"], "$defs", "events", word)
        if why or word not in came:
            came[word] = why or "ok"


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    {"ask": ask, "events": events, "refused": refused}[sys.argv[3]](
        Schema(sys.argv[1]), sys.argv[2])
