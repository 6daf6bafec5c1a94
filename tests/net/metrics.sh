#!/bin/bash
#
# Prometheus reads the metrics, and its own tool finds nothing to say about
# them.

. "$(dirname "$0")/peers.sh"
promtool=${PROMTOOL:-promtool}
wants "$promtool" prometheus

cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  home: { device: home }
  iot: { device: iot }
groups:
  other: { address: 239.255.42.42, port: 4242, interfaces: [home, iot] }
  beacon: { address: "ff15::4242", port: 4242, interfaces: [home, iot] }
announcements:
  gate: { group: beacon, payload: { text: gate }, interval: 1s }
END

segment home iot
host router home=1 iot=1
host tv iot=20
addressed router/home router/iot
start_joined crierd router "$work/crierd.yaml"
for text in plain 'quo"te' 'back\slash' $'new\nline'; do
	mcast tv send --to 239.255.42.42 --port 4242 --iface iot \
		--text "$text" >/dev/null
done
within 5 holds "len(d['entries']) == 4" json crierd discovered ||
	broken 'nothing is discovered'

# What joins sites says so on a connection that it keeps.
cat >"$work/reporter.py" <<'END'
import json, signal, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile("rw")
print(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "sites", "params": {
    "site": "house", "broker": "mqtts://hub:8883", "state": "waiting",
    "error": 'no "route"\n\\', "queued": 3, "lost": 2, "sites": [
        {"site": "hut", "online": True, "entries": 4},
        {"site": "cabin"}]}}), file=f, flush=True)
print(f.readline(), flush=True)
signal.pause()
END
start reporter router "$PYTHON" "$work/reporter.py" "$work/crierd.sock"
within 5 grep -q result "$work/reporter.out" ||
	broken "nobody may report: $(<"$work/reporter.out")"

metrics() {
	ctl crierd metrics >"$work/metrics"
}

# metric PATTERN: that one line matches.
metric() {
	metrics && grep -qE "^$1\$" "$work/metrics"
}

checked() {
	metrics && "$promtool" check metrics <"$work/metrics"
}

claim 'promtool finds nothing to say' equal '' checked
claim 'traffic is counted for each segment' metric \
	'crier_segment_received_datagrams_total\{.*interface="iot".*\} 4'
claim 'and for the reasons of drops' metric \
	'crier_segment_dropped_datagrams_total\{.*reason="loop".*\} 0'
claim 'announcements are counted' within 5 metric \
	'crier_announcement_sent_total\{.*name="gate".*\} [1-9][0-9]*'
claim 'entries are counted where they were heard' metric \
	'crier_discovered_entries\{group="other",interface="iot",.*\} 4'
claim 'bounds are told' metric 'crier_limit_used\{limit="discovered"\} 4'
claim 'sites are told that something joins' metric \
	'crier_site_entries\{site="hut",seen_by="house",.*\} 4'
claim 'and that they are not there' metric \
	'crier_site_online\{site="cabin",seen_by="house",.*\} 0'
claim 'and its broker' metric \
	'crier_broker_connected\{broker="mqtts://hub:8883",site="house"\} 0'
ctl crierd status >"$work/status"
claim 'people are told, too' grep -q '^  house .* waiting ' "$work/status"
claim 'and why' grep -qF "no \"route\"\\n\\" "$work/status"
claim 'what is shown to people is the same as in JSON' equal \
	"$(json crierd metrics | query d | grep -c .)" grep -c . "$work/metrics"
stop reporter
no_sites() {
	metrics && ! grep -E '^crier_(site|broker)_' "$work/metrics"
}
claim 'with the connection goes what it said' within 5 no_sites
finish
