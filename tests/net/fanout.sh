#!/bin/bash
#
# A datagram is sent once on every other segment of its group, never back, byte
# for byte, with the TTL asked for, from the router's own address there.
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
groups:
  four:
    address: 239.255.42.42
    port: 4242
    ttl: 4
    $send
    interfaces: [a, b, { name: c, ttl: 8 }]
  link: { address: "ff02::4242", port: 4242, $send, interfaces: [a, b, c] }
  site:
    address: "ff15::4242"
    port: 4242
    ttl: 255
    $send
    interfaces: [a, b, c]
  kept:
    address: 239.255.42.43
    port: 4243
    ttl: keep
    $send
    interfaces: [a, b]
  less:
    address: [239.255.42.44, "ff15::44"]
    port: 4244
    ttl: decrement
    $send
    interfaces: [a, b]
  # Two groups on one address and port: each datagram is offered to each.
  one: { address: 239.255.42.45, port: 4245, ttl: 3, from: a, to: b, $send }
  two: { address: 239.255.42.45, port: 4245, ttl: 5, from: a, to: c, $send }
  loop: { address: 239.255.42.46, port: 4246, loop: true, interfaces: [a, b] }
END

segment a b c
host router a=1 b=1 c=1
host ha a=10
host near a=11
host hb b=10
host hc c=10
start_joined crierd router "$work/crierd.yaml"
for leg in router/a router/b router/c ha/a hb/b; do
	within 5 has_link_local "${leg%/*}" "${leg#*/}" ||
		broken "$leg has no link-local address"
done

# What is sent last comes last: when the marks have arrived, so has everything
# else, on the sender's segment too, where the mark from b must appear.
mark() {
	local address=$1 port=$2 listener

	shift 2
	mcast ha send --to "$address" --port "$port" --iface a --ttl 60 \
		--text end-a --quiet >"$work/mark"
	mcast hb send --to "$address" --port "$port" --iface b --ttl 60 \
		--text end-b --quiet >"$work/mark"
	for listener; do
		within 5 heard_text end-a "$work/$listener.out" &&
			within 5 heard_text end-b "$work/$listener.out" ||
			return
	done
}

unmarked() {
	grep -v -e "$(digest_of end-a)" -e "$(digest_of end-b)" "$1"
}

# crosses WHAT ADDRESS PORT TTL-B TTL-C SOURCE-B: from ha on a to b and c.
crosses() {
	local what=$1 address=$2 port=$3 ttl_b=$4 ttl_c=$5 source=$6 n
	local to=(--to "$address" --port "$port")

	listen near near "${to[@]}" --iface a
	listen back ha "${to[@]}" --iface a
	listen b hb "${to[@]}" --iface b
	listen c hc "${to[@]}" --iface c
	for n in 0 1 12 64 1400 1472 1473 9000 65507; do
		mcast ha send "${to[@]}" --iface a --ttl 33 --size $n \
			--first $n --source-port 5555
	done >"$work/sent"
	claim "$what: all of it gets through" \
		mark "$address" "$port" near c
	stop near
	stop back
	stop b
	stop c
	for n in near back b c; do
		unmarked "$work/$n.out" >"$work/$n"
	done
	claim "$what: each once on b, byte for byte" \
		same_payloads "$work/sent" "$work/b"
	claim "$what: each once on c, byte for byte" \
		same_payloads "$work/sent" "$work/c"
	claim "$what: none twice on a" same_payloads "$work/sent" "$work/near"
	claim "$what: none back at the sender" \
		has_lines 0 "'digest' in d" "$work/back"
	claim "$what: the TTL on b" has_lines 9 "d['ttl'] == $ttl_b" "$work/b"
	claim "$what: the TTL on c" has_lines 9 "d['ttl'] == $ttl_c" "$work/c"
	claim "$what: from the router's address and the group's port" \
		has_lines 9 "d['source'] == '$source' and d['port'] == $port" \
		"$work/b"
}

crosses IPv4 239.255.42.42 4242 4 8 10.77.2.1
crosses "IPv6 link" ff02::4242 4242 1 1 "$(link_local_of router b)"
crosses "IPv6 site" ff15::4242 4242 255 255 fd77:2::1

# What has queued up meanwhile goes down in long runs of one size, and arrives
# as it was.
burst() {
	local what=$1 address=$2 ttl=$3 to=(--to "$2" --port 4242)

	listen b hb "${to[@]}" --iface b
	listen c hc "${to[@]}" --iface c
	kill -STOP "${pid_of[crierd]}"
	mcast ha send "${to[@]}" --iface a --size 300 --count 500 --rate 0 \
		>"$work/sent"
	kill -CONT "${pid_of[crierd]}"
	claim "$what: a burst gets through" \
		within 10 has_lines 500 "'digest' in d" "$work/c.out"
	claim "$what: on b, too" \
		within 10 has_lines 500 "'digest' in d" "$work/b.out"
	claim "$what: each of it once on c, byte for byte, in order" \
		same_payloads "$work/sent" "$work/c.out"
	claim "$what: likewise on b" same_payloads "$work/sent" "$work/b.out"
	claim "$what: all with the TTL asked for" \
		has_lines 500 "d['ttl'] == $ttl" "$work/b.out"
	stop b
	stop c
}

burst "IPv4" 239.255.42.42 4
burst "IPv6" ff15::4242 255

# once_with TTL NAME: exactly one datagram, with this TTL.
once_with() {
	equal 1 lines_with "'digest' in d" "$work/$2.out" &&
		equal 1 lines_with "d.get('ttl') == $1" "$work/$2.out"
}

listen b hb --to 239.255.42.43 --port 4243 --iface b
mcast ha send --to 239.255.42.43 --port 4243 --iface a --ttl 1 >"$work/sent"
claim "keep: 1 stays 1" within 5 once_with 1 b
stop b
listen b hb --to 239.255.42.43 --port 4243 --iface b
mcast ha send --to 239.255.42.43 --port 4243 --iface a --ttl 255 --first 1 \
	>"$work/sent"
claim "keep: 255 stays 255" within 5 once_with 255 b
stop b

ttl_drops() {
	holds "sum(s['dropped']['ttl'] for c in d[0]['channels']
		for s in c['segments']) == $1" json crierd groups less
}
drops=0
for address in 239.255.42.44 ff15::44; do
	listen b hb --to $address --port 4244 --iface b
	mcast ha send --to $address --port 4244 --iface a --ttl 1 >"$work/sent"
	drops=$((drops + 1))
	claim "decrement: 1 is dropped and counted ($address)" \
		within 5 ttl_drops $drops
	mcast ha send --to $address --port 4244 --iface a --ttl 2 --first 2 \
		>"$work/sent"
	claim "decrement: 2 becomes 1, and was the only one ($address)" \
		within 5 once_with 1 b
	stop b
done

listen b hb --to 239.255.42.45 --port 4245 --iface b
listen c hc --to 239.255.42.45 --port 4245 --iface c
mcast ha send --to 239.255.42.45 --port 4245 --iface a >"$work/sent"
claim "two groups on one address: one sends it on b" within 5 once_with 3 b
claim "two groups on one address: the other on c" within 5 once_with 5 c
stop b
stop c

# A direction: nothing goes from where is only sent to.
listen near near --to 239.255.42.45 --port 4245 --iface a
mcast hb send --to 239.255.42.45 --port 4245 --iface b >"$work/sent"
listen b hb --to 239.255.42.45 --port 4245 --iface b
mcast ha send --to 239.255.42.45 --port 4245 --iface a --first 9 >"$work/mark"
claim "from and to: what comes afterwards crosses" within 5 once_with 3 b
stop b
stop near
claim "from and to: nothing crosses backwards" \
	same_payloads "$work/mark" "$work/near.out"

# Programs on the router.
listen own router --to 239.255.42.42 --port 4242 --iface b
listen loop router --to 239.255.42.46 --port 4246 --iface b
listen b hb --to 239.255.42.46 --port 4246 --iface b
mcast ha send --to 239.255.42.42 --port 4242 --iface a >"$work/sent"
mcast ha send --to 239.255.42.46 --port 4246 --iface a >"$work/sent"
claim "loop: true lets this host hear what crier sends" within 5 once_with 1 loop
claim "loop: true sends it on the segment" within 5 once_with 1 b
claim "loop: false does not" has_lines 0 "'digest' in d" "$work/own.out"
stop own
stop loop
stop b

own_drops() {
	holds "d['totals']['dropped']['own'] >= $1" json crierd status
}
listen b hb --to 239.255.42.42 --port 4242 --iface b
mcast router send --to 239.255.42.42 --port 4242 --iface a --loop \
	>"$work/sent"
claim "what this host's programs send counts as own" within 5 own_drops 1
stop b
claim "and is not relayed" has_lines 0 "'digest' in d" "$work/b.out"
claim "crierd ends with 0" stop crierd
finish
