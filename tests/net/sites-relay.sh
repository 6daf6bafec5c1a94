#!/bin/bash
#
# Two sites without a common segment, one segment and one crierd each, and a
# carrier between their control sockets: what avahi publishes at the one is
# found by avahi at the other, and lost again; searches by unicast are answered
# across; nothing comes twice, and nothing goes back to where it is from.

. "$(dirname "$0")/peers.sh"
needs avahi-daemon avahi-daemon
needs avahi-browse avahi-utils
needs dbus-daemon dbus-daemon

segment attic cabin
host north attic=1
host south cabin=1
host tv attic=20
host phone cabin=10
addressed north/attic south/cabin tv/attic phone/cabin

configure() {
	cat >"$work/$1.yaml" <<-END
	control: { group: root }
	interfaces:
	  lan: { device: $2 }
	groups:
	  mdns: { preset: mdns, interfaces: [lan] }
	  ssdp: { preset: ssdp, interfaces: [lan] }
	END
}
configure north attic
configure south cabin
claim "a group with one segment is valid" "$crierd" -c "$work/north.yaml" \
	--check
start_joined north north "$work/north.yaml"
start_joined south south "$work/south.yaml"
start_ready carrier north "$PYTHON" "$lib/carrier.py" \
	"attic=$work/north.sock" "cabin=$work/south.sock"
did=$work/carrier.out

# ---- mDNS, by multicast both ways ----

start_avahi tv tv
start_avahi phone phone
seen=$work/browse.out
start_with_avahi phone browse avahi-browse -rp _googlecast._tcp
start_with_avahi tv publish avahi-publish -s Television _googlecast._tcp 8009 \
	id=1
claim "the other site finds it over IPv4" within 10 grep -q \
	'^=;[^;]*;IPv4;Television;.*;10.77.1.20;8009;"id=1"' "$seen"
claim "the other site finds it over IPv6" within 10 grep -q \
	'^=;[^;]*;IPv6;Television;.*;fd77:1::20;8009;"id=1"' "$seen"
shown() {
	holds "any(e['site'] == 'attic' and e['name'] == 'Television' and
		e['source'] in ('10.77.1.20', 'fd77:1::20') and
		e['interface'] is None and e['device'] is None
		for e in d['entries'])" json south discovered --group mdns
}
claim "the table says from which site it is" shown
claim "so does crierctl's" within 1 \
	bash -c "'$crierctl' -s '$work/south.sock' discovered |
		grep -q 'Television.*mdns, @attic'"
claim "at home it is of no site" holds \
	"[e['site'] for e in d['entries'] if e['name'] == 'Television'] == [None]
	" json north discovered --group mdns
claim "the carrier is told what an announcement tells of" at_least 1 \
	"d['what'] == 'relay' and d['kind'] == 'announcement' and any(
		e['key'] == 'television._googlecast._tcp' and
		e['expires_in'] == 4500 and not e['goodbye']
		for e in d['entries'])" "$did"
claim "and what was discovered, with what told of it" at_least 1 \
	"d['what'] == 'discovered' and d['at'] == 'attic' and
		d['site'] is None and d['payload'] and
		d['key'] == 'television._googlecast._tcp'" "$did"
stop publish
claim "its goodbye reaches the other site" within 5 \
	grep -q '^-;[^;]*;IPv4;Television;' "$seen"
claim "and the table there" within 5 at_least 1 \
	"d['what'] == 'expired' and d['at'] == 'cabin' and
		d['site'] == 'attic' and d['why'] == 'goodbye'" "$did"
claim "which has it no more" holds \
	"not any(e['name'] == 'Television' for e in d['entries'])" \
	json south discovered --group mdns
claim "the carrier is told that it is a goodbye" at_least 1 \
	"d['what'] == 'relay' and any(e['goodbye'] and e['expires_in'] == 0
		for e in d['entries'])" "$did"
stop browse

# One who starts to browse later asks, and the answer crosses.
start_with_avahi tv late avahi-publish -s Late _http._tcp 80
within 10 grep -q Established "$work/late.log" ||
	broken 'avahi-publish cannot publish'
asks() {
	with_avahi phone avahi-browse -rpt _http._tcp |
		grep -q '^=;[^;]*;IPv4;Late;.*;10.77.1.20;80;'
}
claim "a later search finds it" within 10 asks
stop late
stop tv
stop phone

# ---- SSDP, whose answers come by unicast ----

hex() {
	printf '%b' "$1" | od -An -tx1 -v | tr -d ' \n'
}
search=$(hex 'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n')$(hex \
	'MAN: "ssdp:discover"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n')
reply=$(hex 'HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=60\r\n')$(hex \
	'ST: ssdp:all\r\nUSN: uuid:77::upnp:rootdevice\r\n\r\n')
start_ready device tv "$PYTHON" "$lib/ask.py" device --to 239.255.255.250 \
	--port 1900 --iface attic --hex "$(hex M-SEARCH)" --hex2 "$reply" \
	--name device --source 10.77.1.20
ask phone --to 239.255.255.250 --port 1900 --iface cabin --hex "$search" \
	--answers 1 --timeout 10 >"$work/answers"
claim "a search at one site is answered by a device at the other" \
	has_lines 1 "'uuid:77' in d['text']" "$work/answers"
claim "from crier's address there and the group's port" has_lines 1 \
	"d['source'] == '10.77.2.1' and d['port'] == 1900" "$work/answers"
claim "the device was asked by the crier of its own site" at_least 1 \
	"d['source'] == '10.77.1.1'" "$work/device.out"
claim "where the search came in, its flow asks other sites" holds \
	"any(f['interface'] is None and f['port'] is None and
		f['answers'] == 1 and
		any(s.startswith('10.77.2.10:') for s in f['searchers'])
		for f in d)" json south flows
claim "where it was answered, its searcher is at the other" holds \
	"any(f['interface'] == 'lan' and any(
		s.startswith('10.77.2.10:') and s.endswith('@cabin')
		for s in f['searchers']) for f in d)" json north flows
claim "who answered is in the table of both" holds \
	"[e['site'] for e in d['entries']] == ['attic']" \
	json south discovered --group ssdp

# ---- altogether ----

claim "nothing was refused" has_lines 0 "d['error']" "$did"
claim "nothing that a site was brought was taken from it again" has_lines 0 \
	"d['what'] == 'relay' and d['site'] == 'cabin' and
		d['kind'] == 'announcement' and any('television' in e['key']
		for e in d['entries'])" "$did"
claim "it counts what went between sites" holds \
	"d['totals']['relayed'] > 0 and d['totals']['carried'] > 0 and
		d['totals']['answered'] == 1" json south status
claim "no queue was full and nothing failed" holds \
	"all(d['totals']['dropped'][k] == 0
		for k in ('queue', 'error', 'kernel'))" json south status
stop carrier
carried=$(json south status | query "d['totals']['carried']")
flows=$(json south flows | query 'len(d)')
ask phone --to 239.255.255.250 --port 1900 --iface cabin \
	--hex "$search$(hex 'again\r\n')" --answers 1 --timeout 1 >"$work/answers"
heard_it() {
	(($(counter south received ssdp) > $1))
}
claim "without a carrier a search is heard" within 5 heard_it 1
claim "and goes nowhere, with no flow" holds \
	"d['totals']['carried'] == $carried and
		d['limits']['flows']['used'] == $flows" json south status
for name in north south; do
	claim "crierd at $name ends with 0" stop "$name"
done
finish
