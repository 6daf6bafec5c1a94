#!/bin/bash
#
# Segments follow the kernel: devices that come, go, are renamed, go down and
# up, or change their addresses; and one that fails stops no other.

. "$(dirname "$0")/lib.sh"

cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  a: { device: a }
  b: { device: b }
  tap: { device: ["tap*", "!tap-off"] }
groups:
  four: { address: 239.255.42.42, port: 4242, interfaces: [a, b, tap] }
  six: { address: "ff02::4242", port: 4242, interfaces: [a, b] }
END

segment a b tap1 tap-off other
host router a=1 b=1
host ha a=10
host hb b=10
host htap tap1=10
host hother other=10

# state INTERFACE STATE [GROUP [DEVICE]]
state() {
	holds "[s['state'] for c in d[0]['channels'] for s in c['segments']
		if s['interface'] == '$1' and
		(not '${4:-}' or s['device'] == '${4:-}')] == ['$2']" \
		json crierd groups "${3:-four}"
}
sends=0
# crosses LISTENER: what is sent on a is heard there.
crosses() {
	sends=$((sends + 1))
	mcast ha send --to 239.255.42.42 --port 4242 --iface a \
		--first "$sends" --quiet >"$work/sent"
	at_least 1 "d['number'] == $sends" "$work/$1.out"
}
link() {
	ip -n "$prefix-router" link "$@"
}

start_crierd crierd router "$work/crierd.yaml"
listen b hb --to 239.255.42.42 --port 4242 --iface b --timeout 600
claim "a pattern that matches nothing is absent" within 2 state tap absent
attach router tap1 1
claim "a device that matches later is joined" within 1 \
	state tap joined four tap1
listen tap htap --to 239.255.42.42 --port 4242 --iface tap1 --timeout 600
claim "and is sent to" within 1 crosses tap
attach router tap-off 1
attach router other 1
claim "an excluded device is not" within 1 state tap joined four tap1
claim "nor one that does not match" holds "not any(s['device'] in
	('tap-off', 'other') for c in d[0]['channels']
	for s in c['segments'])" json crierd groups four
link set dev tap-off down
link set dev tap-off name tap2
link set dev tap2 up
claim "a rename brings a device in" within 1 state tap joined four tap2
link set dev tap1 down
link set dev tap1 name tup1
link set dev tup1 up
claim "a rename takes a device out" within 1 state tap joined
claim "only tap2 is left" state tap joined four tap2
link delete dev tap2
link delete dev tup1
claim "a device that goes leaves the pattern absent" within 1 state tap absent

link set dev b down
claim "down is a state" within 1 state b down
claim "the rest goes on" within 1 state a joined
link set dev b up
claim "up again, joined again" within 1 state b joined
claim "and sent to" within 1 crosses b
ip -n "$prefix-router" address flush dev b scope global
claim "without an address it is no-address" within 1 state b no-address
claim "IPv6 has its link-local one still" within 1 state b joined six
# The segment still hears.
listen a ha --to 239.255.42.42 --port 4242 --iface a --timeout 600
mcast hb send --to 239.255.42.42 --port 4242 --iface b --first 7000 --quiet \
	>"$work/sent"
claim "and still hears" within 1 at_least 1 "d['number'] == 7000" "$work/a.out"
ip -n "$prefix-router" address add 10.88.0.1/24 broadcast + dev b
claim "with a new address it is joined" within 1 state b joined
sends_from_new() {
	crosses b && at_least 1 "d['source'] == '10.88.0.1'" "$work/b.out"
}
claim "and sends from that" within 1 sends_from_new

# IPv6 memberships die with an MTU below 1280 (kernel-facts 5.2).
listen b6 hb --to ff02::4242 --port 4242 --iface b --timeout 600
listen a6 ha --to ff02::4242 --port 4242 --iface a --timeout 600
within 5 has_link_local hb b || broken 'no link-local address'
link set dev b mtu 1000
within 2 not has_link_local router b
link set dev b mtu 1500
hears_six() {
	sends=$((sends + 1))
	mcast hb send --to ff02::4242 --port 4242 --iface b --first "$sends" \
		--quiet >"$work/sent"
	at_least 1 "d['number'] == $sends" "$work/a6.out"
}
claim "an MTU below 1280 and back: IPv6 is heard again" within 3 hears_six

# One whose queue is full loses, and nobody else.
on router tc qdisc replace dev b root tbf rate 8kbit burst 1600 limit 1600
attach router tap1 1 2>"$work/tap1" || broken 'tap1 cannot come back'
claim "a device of an old name is joined again" within 1 \
	state tap joined four tap1
stop tap
listen tap htap --to 239.255.42.42 --port 4242 --iface tap1 --timeout 600
mcast ha send --to 239.255.42.42 --port 4242 --iface a --count 200 --rate 500 \
	--size 1400 --first 10000 --quiet >"$work/sent"
claim "beside a full queue the others get everything" within 5 \
	has_lines 200 "d['number'] >= 10000" "$work/tap.out"
dropped() {
	holds "sum(s['dropped']['queue'] for c in d[0]['channels']
		for s in c['segments'] if s['device'] == 'b') >= 100" \
		json crierd groups four
}
claim "and what the queue lost is counted" dropped
on router tc qdisc delete dev b root

# What a bridge swallows is heard on the bridge alone.
link add name br type bridge mcast_snooping 0
link set dev br up
ip -n "$prefix-router" address add 10.89.0.1/24 dev br
link set dev tap1 master br
claim "a port of a bridge leaves the pattern" within 1 state tap absent
link set dev tap1 nomaster
claim "and comes back when it leaves the bridge" within 1 \
	state tap joined four tap1

claim "crierd ends with 0" stop crierd
finish
