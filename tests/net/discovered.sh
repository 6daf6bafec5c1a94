#!/bin/bash
#
# What crier has discovered on a segment, in groups that only listen, equals
# what avahi-browse and gssdp list there: 50 services of each kind, which come
# and go, and die without a word.

. "$(dirname "$0")/peers.sh"
needs avahi-daemon avahi-daemon
needs avahi-browse avahi-utils
needs dbus-daemon dbus-daemon
wants_module zeroconf python3-zeroconf
wants_module gi python3-gi

cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  lan: { device: lan }
groups:
  mdns: { preset: mdns, from: [lan], to: [] }
  ssdp: { preset: ssdp, from: [lan], to: [] }
END

segment lan
host router lan=1
host phone lan=10
host tv lan=20
host printer lan=30
addressed router/lan phone/lan tv/lan printer/lan
start_joined crierd router "$work/crierd.yaml"
start_avahi phone phone
start_avahi printer printer
start gssdp phone "$PYTHON" "$lib/ssdp-peer.py" gssdp lan ssdp:all

# same KIND: that both list the same now.
same() {
	json crierd discovered --group "$1" >"$work/$1.entries" || return
	if [[ $1 == mdns ]]; then
		with_avahi phone avahi-browse -arkpt >"$work/browsed" \
			2>"$work/browse.log" || return
	else
		cp "$work/gssdp.out" "$work/browsed"
	fi
	"$PYTHON" "$lib/same.py" "$1" "$work/$1.entries" "$work/browsed"
}

# has KIND COUNT: that so many are known, and by both.
has() {
	holds "len(d['entries']) == $2" json crierd discovered --group "$1" &&
		same "$1"
}

start many-mdns tv "$PYTHON" "$lib/many.py" mdns 10.77.1.20 10.77.1.20 50
start many-ssdp tv "$PYTHON" "$lib/many.py" ssdp lan 50
within 30 grep -q ready "$work/many-ssdp.out" || broken 'no SSDP services'
claim 'gssdp and crier know the same 50 resources' within 20 has ssdp 50
within 60 grep -q ready "$work/many-mdns.out" || broken 'no mDNS services'
start_with_avahi printer publish avahi-publish -s 'Printer, really' \
	_printer._tcp 515 note=here
claim 'avahi-browse and crier know the same 51 services' within 20 has mdns 51
claim 'an entry has the attributes of its service' holds \
	"[e for e in d['entries'] if e['name'] == 'Printer, really'][0]['txt']
		== ['note=here']" json crierd discovered --type _printer._tcp
claim 'an entry says who announced it' holds \
	"{e['source'] for e in d['entries']} == {'10.77.1.20'}" \
	json crierd discovered --type _ssh._tcp
claim 'a type chooses among them' holds \
	"len(d['entries']) == 12 and {e['type'] for e in d['entries']} ==
		{'_ssh._tcp'}" json crierd discovered --type _SSH._tcp

kill -USR1 "${pid_of[many-mdns]}" "${pid_of[many-ssdp]}"
claim 'half of the resources say goodbye' within 20 has ssdp 25
claim 'half of the services say goodbye' within 30 has mdns 26
kill -USR2 "${pid_of[many-mdns]}" "${pid_of[many-ssdp]}"
claim 'they come again' within 20 has ssdp 50
claim 'so do the services' within 60 has mdns 51

# The goodbye of a publisher that is stopped, and the end of one that is not.
stop publish
claim 'what avahi withdraws goes' within 10 has mdns 50
stop many-ssdp KILL
claim 'who dies without a word stays for its lifetime' holds \
	"len(d['entries']) == 50 and max(e['expires_in'] for e in d['entries'])
		<= 100" json crierd discovered --group ssdp
stop many-mdns
claim 'all services are gone' within 30 has mdns 0
ip -n "$prefix-router" link delete dev lan
claim 'a segment that is no more takes its entries along' within 5 holds \
	"d['entries'] == []" json crierd discovered
finish
