#!/bin/bash
#
# Over a corpus of some 700 distinct mDNS messages, recorded from avahi and
# zeroconf and made by a generator: what crierd takes records out of is read
# by python3-zeroconf and by tcpdump, and names nothing that was to be taken
# out; what names none of it, and all where nothing filters, passes byte for
# byte. What was rewritten once is not rewritten again. The same corpus with
# bytes changed does crierd no harm.

. "$(dirname "$0")/peers.sh"
wants avahi-daemon avahi-daemon
wants avahi-publish avahi-utils
wants dbus-daemon dbus-daemon
wants tcpdump tcpdump
wants_module zeroconf python3-zeroconf

cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  in: { device: in }
  same: { device: same }
  cast: { device: cast }
  most: { device: most }
  link: { device: link }
  some: { device: some }
presets:
  bare:
    address: 224.0.0.251
    port: 5353
    ttl: 255
    payload: mdns
groups:
  same: { preset: bare, from: [in], to: [same] }
  cast:
    preset: bare
    from: [in]
    to: [cast]
    allow: { services: [_googlecast._tcp] }
  most:
    preset: bare
    from: [in]
    to: [most]
    deny: { services: [_googlecast._tcp, _airplay._tcp, _hap._tcp] }
  link: { preset: bare, strip: link-local, from: [in], to: [link] }
  some:
    preset: bare
    strip: [link-local, multi-homed]
    from: [in]
    to: [{ name: some, allow: { services: [_ipp._tcp, _http._tcp] } }]
END
declare -A rules=(
	[same]=same
	[cast]='only _googlecast._tcp'
	[most]='without _googlecast._tcp _airplay._tcp _hap._tcp'
	[link]='without link-local'
	[some]='only _ipp._tcp _http._tcp link-local multi-homed'
)
settings=(same cast most link some)

segment live in "${settings[@]}"
host one live=21
host two live=22
host sender in=10
host router in=1 same=1 cast=1 most=1 link=1 some=1
record() {
	"$PYTHON" "$lib/record.py" "$@"
}

# --- Recording --------------------------------------------------------------

addressed one/live two/live
capture live live udp port 5353
start_avahi one one
publish() {
	start_with_avahi one "$1" avahi-publish -s "${@:2}"
}
publish p1 'Living Room' _googlecast._tcp 8009 id=1 md=Chromecast fn=TV
publish p2 'Büro (HP)' _ipp._tcp 631 rp=ipp/print \
	--subtype=_universal._sub._ipp._tcp
publish p3 Air _airplay._tcp 7000 deviceid=AA:BB:CC:DD:EE:FF features=0x1
publish p4 Air _raop._tcp 7001
publish p5 Web _http._tcp 80 path=/
peer() {
	start_ready "$1" two "$PYTHON" "$lib/zeroconf-peer.py" "${@:2}"
}
peer z1 publish 10.77.1.22 Lamp _hap._tcp 80 10.77.1.22
peer z2 publish live Cast _googlecast._tcp 8009 fd77:1::22
peer z3 browse 10.77.1.22 _ipp._tcp
peer z4 browse live _googlecast._tcp
for name in p1 p2 p3 p4 p5; do
	within 10 grep -q Established "$work/$name.log" ||
		broken "$name does not publish"
done
with_avahi one avahi-browse -art >"$work/browsed" 2>&1
on two "$PYTHON" "$lib/mdns-peer.py" types 10.77.1.22 1 >"$work/types"
on two "$PYTHON" "$lib/mdns-peer.py" mixed live 224.0.0.251 10.77.1.22
for name in p1 p2 p3 p4 p5 z1 z2 z3 z4 one; do
	stop $name
done
captured live >/dev/null
record corpus "$work/live.json" >"$work/recorded"
record generate 640 "$$" >"$work/generated"
sort -u "$work/recorded" "$work/generated" >"$work/corpus"
at_least_lines() {
	(($(wc -l <"$2") >= $1)) || {
		wc -l "$2"
		return 1
	}
}
claim "enough was recorded of real programs" \
	at_least_lines 40 "$work/recorded"
claim "and enough in all" at_least_lines 600 "$work/corpus"
echo "# recorded $(wc -l <"$work/recorded"), in all $(wc -l <"$work/corpus")"

# --- Sending ----------------------------------------------------------------

# pass CORPUS: through a crierd that knows nothing yet, captured everywhere.
pass() {
	local name

	start_joined crierd router "$work/crierd.yaml"
	for name in "${settings[@]}"; do
		capture "$name" "$name" udp port 5353
	done
	on sender "$PYTHON" "$lib/record.py" send "$1" in 224.0.0.251
	for name in "${settings[@]}"; do
		within 10 captures 1 "d['data'] == 'ffff' + 20 * '0'" "$name" ||
			broken "the last message does not reach $name"
		stop "$name"
		captured "$name" >/dev/null
	done
}

passes() {
	# shellcheck disable=SC2086
	record compare "$1" "$work/$2.json" ${4:-${rules[$2]}} >"$work/compared"
	holds "d['wrong'] == 0 and $3" cat "$work/compared"
}

reads() {
	tcpdump -vnr "$work/$1.pcap" >"$work/text" 2>/dev/null
	not grep -m 3 -E '\[\|domain|malformed|truncated|invalid' "$work/text"
}

pass "$work/corpus"
claim "unfiltered: every message passes byte for byte" \
	passes "$work/corpus" same "d['changed'] == 0"
for name in cast most link some; do
	claim "$name: what may pass does, what may not does not" \
		passes "$work/corpus" "$name" "d['changed'] > 20"
	echo "# $name: $(<"$work/compared")"
	claim "$name: tcpdump reads it all" reads "$name"
done
cp "$work/cast.json" "$work/cast.once"
cp "$work/some.json" "$work/some.once"
claim "crierd ends with 0" stop crierd

# --- Again: nothing is left to take out -------------------------------------

for name in cast some; do
	record corpus "$work/$name.once" | grep -v "^ffff0*$" >"$work/again"
	pass "$work/again"
	claim "$name: what was rewritten is not rewritten again" \
		passes "$work/again" $name \
		"d['changed'] == 0 and d['after'] == d['before']"
	stop crierd
done

# --- Bytes changed at random ------------------------------------------------

record mutate "$work/corpus" "$$" | sort -u >"$work/mutated"
pass "$work/mutated"
claim "mutated: unfiltered, every message passes byte for byte" \
	passes "$work/mutated" same "d['changed'] == 0"
for name in cast most link some; do
	claim "mutated, $name: what was changed can be read" \
		passes "$work/mutated" $name True readable
done
claim "and crierd ends with 0" stop crierd
finish
