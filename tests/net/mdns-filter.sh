#!/bin/bash
#
# A segment whose use in the group allows _googlecast._tcp alone sees just
# that of a device that announces _airplay._tcp too, by python3-zeroconf and
# in a capture; another segment sees both. Its questions are filtered as well,
# and those from other ports than 5353 are answered. Messages that were
# rewritten are valid.

. "$(dirname "$0")/peers.sh"
wants avahi-daemon avahi-daemon
wants avahi-publish avahi-utils
wants dbus-daemon dbus-daemon
wants tcpdump tcpdump
wants_module zeroconf python3-zeroconf

cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  home: { device: home }
  office: { device: office }
  iot: { device: iot }
groups:
  mdns:
    preset: mdns
    interfaces:
      - { name: home, allow: { services: [_googlecast._tcp] } }
      - office
      - iot
END

segment home office iot
host router home=1 office=1 iot=1
host phone home=10
host desk office=10
host tv iot=20
host box iot=21
addressed router/home router/office router/iot phone/home desk/office tv/iot

start_joined crierd router "$work/crierd.yaml"
capture home home udp port 5353
capture iot iot udp port 5353

peer() {
	start_ready "$1" "$2" "$PYTHON" "$lib/zeroconf-peer.py" "${@:3}"
}

mdns() {
	on "$1" "$PYTHON" "$lib/mdns-peer.py" "${@:2}"
}

came() {
	at_least 1 "d['event'] == 'add' and d['name'] == '$2'" "$work/$1.out"
}

went() {
	at_least 1 "d['event'] == 'remove' and d['name'] == '$2'" \
		"$work/$1.out"
}

# Nobody else asks yet.
peer homeair phone browse 10.77.1.10 _airplay._tcp
asked_at_home() {
	captures 2 "b'_airplay'.hex() in d['data']" home
}
within 5 asked_at_home || broken 'nobody asks at home'
# What was asked before this has crossed before it.
mdns phone once home 224.0.0.251 marker.local. A 0 >"$work/once"
marked() {
	captures 1 "b'marker'.hex() in d['data']" iot
}
claim "a question for a host crosses" within 5 marked
claim "one for a type that may not be seen does not" has_captured 0 \
	"b'_airplay'.hex() in d['data']" iot

# Browsers who are there first, over both families.
peer home4 phone browse 10.77.1.10 _googlecast._tcp
peer home6 phone browse home _googlecast._tcp
peer desk4 desk browse 10.77.2.10 _googlecast._tcp
peer deskair desk browse 10.77.2.10 _airplay._tcp
start_avahi tv tv
start_with_avahi tv cast avahi-publish -s Cast _googlecast._tcp 8009 id=1
start_with_avahi tv air avahi-publish -s Air _airplay._tcp 7000 id=2
peer boxcast box publish 10.77.3.21 BoxCast _googlecast._tcp 8009 10.77.3.21
peer boxair box publish 10.77.3.21 BoxAir _airplay._tcp 7000 10.77.3.21

for name in Cast BoxCast; do
	claim "home sees $name over IPv4" within 10 came home4 $name
	claim "office sees $name" within 10 came desk4 $name
done
claim "home sees Cast over IPv6" within 10 came home6 Cast
for name in Air BoxAir; do
	claim "office sees $name" within 10 came deskair $name
done
peer late phone browse 10.77.1.10 _googlecast._tcp
claim "a later browser at home finds Cast" within 10 came late Cast
claim "and BoxCast" within 10 came late BoxCast

# Types that one can browse.
# On a busy machine two seconds may be too few.
types_are() {
	mdns "$1" types "$2" 2 >"$work/types" &&
		equal "$3" query "d['types']" <"$work/types"
}
claim "home sees one service type" within 15 \
	types_are phone 10.77.1.10 "['_googlecast._tcp.local.']"
claim "office sees both" within 15 types_are desk 10.77.2.10 \
	"['_airplay._tcp.local.', '_googlecast._tcp.local.']"

# From another port than 5353: answered by unicast.
one_shot() {
	mdns phone once home "$1" "$2" "$3" >"$work/once"
	at_least 1 "d['source'] == '$4' and d['port'] == 5353 and
		d['id'] == 0x4321 and d['valid'] and '$5' in d['names']" \
		"$work/once"
}
claim "a one-shot question for the type is answered from crier" within 10 \
	one_shot 224.0.0.251 _googlecast._tcp.local. PTR 10.77.1.1 \
	cast._googlecast._tcp.local.
claim "and without _airplay._tcp" has_lines 0 \
	"any('airplay' in n for n in d['names'])" "$work/once"
claim "one for the host is answered" within 10 \
	one_shot 224.0.0.251 tv.local. A 10.77.1.1 tv.local.
claim "and over IPv6" within 10 \
	one_shot ff02::fb tv.local. AAAA "$(link_local_of router home)" tv.local.
mdns phone once home 224.0.0.251 _airplay._tcp.local. PTR >"$work/once"
claim "one for what is filtered is not" has_lines 0 "'data' in d" "$work/once"

# From port 5353 with the QU bit: the bit is cleared, the answer multicast.
crossed_without_qu() {
	captures 1 "d['source'] == '10.77.3.1' and d['data'].endswith(
		'0a74762d71752d74657374056c6f63616c0000010001')" iot
}
mdns phone once home 224.0.0.251 tv-qu-test.local. A 5353 qu >"$work/once"
claim "a question with the QU bit from port 5353 crosses without it" \
	within 5 crossed_without_qu

# What a device says in one message.
mdns box mixed iot 224.0.0.251 10.77.3.21
rewritten() {
	captures 1 "d['source'] == '10.77.1.1' and
		b'mixed'.hex() in d['data']" home
}
claim "a message with both types crosses" within 5 rewritten
captured home | grep "$(printf mixed | xxd -p)" >"$work/mixed.json"
mdns box check "$work/mixed.json" >"$work/checked"
claim "with the allowed one's records, the NSEC, and the address" at_least 1 \
	"d['valid'] and d['names'] == ['_googlecast._tcp.local.',
		'_services._dns-sd._udp.local.',
		'cast._googlecast._tcp.local.', 'mixed.local.'] and
		d['counts'] == [0, 4, 0, 2]" "$work/checked"

# All that reached home, from everybody.
stop air
stop cast
stop boxair
stop boxcast
claim "the goodbye of BoxCast reaches home" within 5 went late BoxCast
claim "that of Air reaches office" within 5 went deskair Air
claim "home's browser of _airplay._tcp never saw one" not \
	at_least 1 "d['event'] == 'add'" "$work/homeair.out"
captured home | grep -v '"source": "10.77.1.10"' >"$work/all.json"
claim "no datagram that came to home names _airplay._tcp" has_lines 0 \
	"b'_airplay'.hex() in d['data'] and d['source'] == '10.77.1.1'" \
	"$work/all.json"
mdns phone check "$work/all.json" >"$work/checked"
claim "all that came is valid to zeroconf" has_lines 0 \
	"not d['valid'] or not d['whole']" "$work/checked"
not_malformed() {
	tcpdump -vnr "$work/home.pcap" >"$work/text" 2>/dev/null &&
		[[ -s $work/text ]] &&
		! grep -E '\[\|domain|malformed|truncated|invalid' "$work/text"
}
claim "and to tcpdump" not_malformed
claim "the filters are counted" holds \
	"d['totals']['dropped']['filter'] > 0" json crierd status
claim "crierd ends with 0" stop crierd
finish
