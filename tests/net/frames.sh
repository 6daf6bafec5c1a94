#!/bin/bash
#
# `send: frame`: all that holds of sockets holds of ready-made packets, which
# one AF_PACKET socket carries for all segments; nobody on this host hears them,
# and a device that is slow holds up nobody but itself.

. "$(dirname "$0")/lib.sh"
needs tcpdump tcpdump
needs tc iproute2
needs setpriv util-linux

# as_frames TEST: that it passes with frames, in a network of its own.
as_frames() {
	env -u prefix -u CRIER_SKIP CRIER_SEND=frame CRIER_NET_LOCKED=1 "$lib/$1.sh"
}

for name in fanout broadcast search; do
	claim "what $name.sh claims of sockets holds of frames" \
		as_frames "$name"
done

configure() {
	cat >"$work/crierd.yaml" <<-END
	control: { group: root }
	interfaces: { a: { device: a }, b: { device: b }, c: { device: c } }
	groups:
	  beacon:
	    address: [239.255.42.42, "ff15::4242"]
	    port: 4242
	    dedup: off
	    send: $1
	    interfaces: [a, b, c]
	  kept:
	    address: 239.255.42.43
	    port: 4243
	    source: preserve
	    ttl: keep
	    send: $1
	    interfaces: [a, b]
	  port:
	    address: "ff15::4244"
	    port: 4244
	    source: own-port
	    send: $1
	    interfaces: [a, b]
	announcements:
	  gate: { group: beacon, payload: { text: gate }, interval: 1s }
	END
}

segment a b c
host router a=1 b=1 c=1
host ha a=10
host hb b=10
host hc c=10
configure frame
start_joined crierd router "$work/crierd.yaml"

packet_sockets() {
	# shellcheck disable=SC2016  # awk's own
	on router awk 'NR > 1 && $4 == "0000"' /proc/net/packet | wc -l
}
claim "one socket serves all segments and groups" equal 1 packet_sockets

listen gate hb --to ff15::4242 --port 4242 --iface b
claim "what crier announces itself leaves as a frame too" \
	within 5 heard_text gate "$work/gate.out"
stop gate

from() {
	has_lines 1 "d.get('source') == '$1' and d['port'] == $2 and
		d['ttl'] == $3" "$work/b.out"
}
listen b hb --to 239.255.42.43 --port 4243 --iface b
mcast ha send --to 239.255.42.43 --port 4243 --iface a --ttl 33 \
	--source-port 5555 >"$work/sent"
claim "preserve: the announcer's address, port and TTL" \
	within 5 from 10.77.1.10 5555 33
stop b
listen b hb --to ff15::4244 --port 4244 --iface b
mcast ha send --to ff15::4244 --port 4244 --iface a --source-port 5556 \
	>"$work/sent"
claim "own-port: the announcer's port alone" within 5 from fd77:2::1 5556 1
stop b

listen own router --to 239.255.42.42 --port 4242 --iface b
listen b hb --to 239.255.42.42 --port 4242 --iface b
mcast ha send --to 239.255.42.42 --port 4242 --iface a --text loud \
	>"$work/sent"
claim "a frame crosses" within 5 heard_text loud "$work/b.out"
stop own
stop b
claim "and this host's own programs hear none" \
	has_lines 0 "'digest' in d" "$work/own.out"

# The MTU of now: none of the pieces is larger, or it would be lost.
ip -n "$prefix-router" link set dev b mtu 600
mtu_is() {
	holds "[i['mtu'] for i in d if i['name'] == 'b'] == [$1]" \
		json crierd interfaces
}
within 5 mtu_is 600 || broken 'the MTU does not change'
start trace hb tcpdump -i b -n -U -w "$work/pieces" udp
within 10 grep -q 'listening on' "$work/trace.log" || broken 'no capture'
listen b hb --to 239.255.42.42 --port 4242 --iface b
mcast ha send --to 239.255.42.42 --port 4242 --iface a --size 5000 \
	>"$work/sent"
claim "a smaller MTU: it arrives in pieces, byte for byte" \
	within 5 has_lines 1 "d.get('size') == 5000" "$work/b.out"
stop b
stop trace
claim "which are the same bytes" holds "True" \
	"$PYTHON" - "$work/sent" "$work/b.out" <<-'END'
	import json, sys
	sent, heard = ({d["digest"] for line in open(f) if "digest" in
		(d := json.loads(line))} for f in sys.argv[1:])
	print(json.dumps(sent <= heard) if sent else sys.exit(1))
	END
ip -n "$prefix-router" link set dev b mtu 1500
within 5 mtu_is 1500 || broken 'the MTU does not change back'

# A device that sends 40,000 bits a second, with a queue that holds more than
# any socket's buffer.
tc -n "$prefix-router" qdisc add dev c root tbf rate 40kbit burst 2k \
	limit 200mb 2>"$work/tc" || broken "$(<"$work/tc")"
listen b hb --to 239.255.42.42 --port 4242 --iface b --timeout 60
mcast ha send --to 239.255.42.42 --port 4242 --iface a --size 1400 \
	--count 12000 --rate 4000 --quiet >"$work/sent"
mcast ha send --to 239.255.42.42 --port 4242 --iface a --text end --quiet \
	>"$work/mark"
within 10 heard_text end "$work/b.out"
stop b
queue_drops() {
	holds "sum(s['dropped']['queue'] for g in d for c in g['channels']
		for s in c['segments'] if s['interface'] == '$1') $2" \
		json crierd groups beacon
}
claim "a slow device loses what does not fit" queue_drops c '> 1000'
claim "and costs the others nothing" queue_drops b '== 0'
# The announcement, which is always the same, comes in between.
claim "which hear all of it, once" heard b "d['numbers'] == 12000 and
	d['heard'] - d['most'] == 12001"
tc -n "$prefix-router" qdisc delete dev c root

configure socket
claim "a reload turns to sockets" ctl crierd reload
claim "and closes the one for frames" within 5 equal 0 packet_sockets
claim "crierd ends with 0" stop crierd

# Without the capability, everything else goes on.
configure frame
sed -i 's/^  kept:$/  plain: { address: 239.255.42.46, port: 4246 }\n&/' \
	"$work/crierd.yaml"
start crierd router setpriv --bounding-set -all --inh-caps -all \
	--ambient-caps -all --no-new-privs "$crierd" \
	-c "$work/crierd.yaml" -s "$work/crierd.sock"
within 10 crierd_answers crierd || broken 'no crierd without capabilities'
claim "without CAP_NET_RAW its segments fail and say why" holds "all(
	s['state'] == 'failed' and
	'\"send: frame\" needs CAP_NET_RAW' in s['error']
	for c in d[0]['channels'] for s in c['segments'])" \
	json crierd groups beacon
claim "and the other groups work" holds "all(s['state'] == 'joined'
	for c in d[0]['channels'] for s in c['segments'])" \
	json crierd groups plain
# Nor can it ask for more room than others.
small=$(($(</proc/sys/net/core/rmem_max) < 4194304))
claim "it says whether its receive buffers are small" equal "$small" \
	grep -c 'set net.core.rmem_max to 4194304' "$work/crierd.log"
claim "crierd ends with 0 then, too" stop crierd
finish
