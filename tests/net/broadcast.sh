#!/bin/bash
#
# Both kinds of IPv4 broadcast cross as what they were: 255.255.255.255 stays
# that, a segment's own broadcast address becomes each other segment's own.
#
# CRIER_SEND=frame: by frames instead of sockets.

. "$(dirname "$0")/lib.sh"

send="send: ${CRIER_SEND:-socket}"
cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  a: { device: a }
  b: { device: b }
  c: { device: c }
  bare: { device: bare }
groups:
  both:
    broadcast: true
    port: [6666, 6667]
    $send
    interfaces: [a, b, c, bare]
  mixed:
    address: 239.255.66.66
    broadcast: true
    port: 6668
    $send
    from: [a]
    to: [b]
END

segment a b c bare
host router a=1 b=1 c=1
host ha a=10
host near a=11
host hb b=10
host hc c=10
host hbare bare=10
# A segment whose leg has no address cannot send.
plug router bare
ip -n "$prefix-router" link set dev bare up
start_crierd crierd router "$work/crierd.yaml"
joined_but_bare() {
	holds "d['segments']['joined'] > 0 and
		d['segments']['no-address'] == 2 and
		sum(d['segments'].values()) == d['segments']['joined'] + 2" \
		json crierd status
}
claim "a leg without an address is no-address, all else is joined" \
	within 5 joined_but_bare

# crosses WHAT TO-A TO-B TO-C: sent to TO-A on a.
crosses() {
	local what=$1 n

	listen near near --to "$2" --port 6666 --iface a
	listen b hb --to "$3" --port 6666 --iface b
	listen c hc --to "$4" --port 6666 --iface c
	for n in 0 300 1473 65507; do
		mcast ha send --to "$2" --port 6666 --iface a --size $n \
			--first $n --ttl 64
	done >"$work/sent"
	within 5 has_lines 4 "'digest' in d" "$work/c.out"
	within 5 has_lines 4 "'digest' in d" "$work/b.out"
	claim "$what: each once on b, byte for byte" \
		same_payloads "$work/sent" "$work/b.out"
	claim "$what: each once on c, byte for byte" \
		same_payloads "$work/sent" "$work/c.out"
	claim "$what: with the TTL 1, the default" \
		has_lines 4 "d['ttl'] == 1" "$work/b.out"
	claim "$what: from the router's address and the group's port" \
		has_lines 4 "d['source'] == '10.77.2.1' and d['port'] == 6666" \
		"$work/b.out"
	# The last word, from b: what would have come back came before it.
	mcast hb send --to "$3" --port 6666 --iface b --text end >"$work/end"
	within 5 has_lines 5 "'digest' in d" "$work/near.out"
	claim "$what: none twice on a" same_payloads \
		<(cat "$work/sent" "$work/end") "$work/near.out"
	stop near
	stop b
	stop c
}

listen other hb --to 10.77.2.255 --port 6666 --iface b
listen bare hbare --to 255.255.255.255 --port 6666 --iface bare
crosses "255.255.255.255" 255.255.255.255 255.255.255.255 255.255.255.255
claim "255.255.255.255: nothing to the subnet's address" \
	has_lines 0 "'digest' in d" "$work/other.out"
stop other
listen other hb --to 255.255.255.255 --port 6666 --iface b
crosses "the subnet's" 10.77.1.255 10.77.2.255 10.77.3.255
claim "the subnet's: nothing to 255.255.255.255" \
	has_lines 0 "'digest' in d" "$work/other.out"
claim "a leg without an address sends nothing" \
	has_lines 0 "'digest' in d" "$work/bare.out"
stop other
stop bare

no_address() {
	holds "sum(s['dropped']['no_address'] for c in d[0]['channels']
		for s in c['segments'] if s['device'] == 'bare') == $1" \
		json crierd groups both
}
claim "and that is counted" no_address 10

# The other port of the group, and a group that has both.
listen b hb --to 255.255.255.255 --port 6667 --iface b
mcast ha send --to 255.255.255.255 --port 6667 --iface a >"$work/sent"
claim "the group's other port crosses too" within 5 \
	same_payloads "$work/sent" "$work/b.out"
stop b
listen b4 hb --to 255.255.255.255 --port 6668 --iface b
listen bm hb --to 239.255.66.66 --port 6668 --iface b
mcast ha send --to 255.255.255.255 --port 6668 --iface a >"$work/sent4"
mcast ha send --to 239.255.66.66 --port 6668 --iface a --first 1 >"$work/sentm"
claim "broadcast beside an address: the broadcast crosses" within 5 \
	same_payloads "$work/sent4" "$work/b4.out"
claim "broadcast beside an address: the multicast crosses" within 5 \
	same_payloads "$work/sentm" "$work/bm.out"
stop b4
stop bm

# The broadcast address follows the address.
ip -n "$prefix-router" address flush dev b scope global
ip -n "$prefix-router" address add 10.99.0.1/16 broadcast + dev b
ip -n "$prefix-hb" address add 10.99.0.10/16 broadcast + dev b
listen b hb --to 10.99.255.255 --port 6666 --iface b
follows() {
	mcast ha send --to 10.77.1.255 --port 6666 --iface a --first 77 \
		>"$work/sent"
	at_least 1 "d['source'] == '10.99.0.1'" "$work/b.out"
}
claim "a new address of a leg is followed" within 3 follows
claim "crierd ends with 0" stop crierd
finish
