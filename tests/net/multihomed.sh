#!/bin/bash
#
# A host with a leg on both segments, running avahi, takes what crier relays
# for what it says itself and never renames itself: over announcements of its
# services, restarts of it and of crierd, and legs that go and come. The other
# hosts see it under its name all the time.

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
  iot: { device: iot }
groups:
  mdns: { preset: mdns, interfaces: [home, iot] }
END

segment home iot
host router home=1 iot=1
host phone home=10
host tv iot=20
host both home=30 iot=30
addressed router/home router/iot phone/home tv/iot both/home both/iot
start_joined crierd router "$work/crierd.yaml"
start_avahi phone phone
start_avahi tv tv

# finds HOST FAMILY NAME SEGMENT: by an address of its leg there. Over IPv4
# avahi tells of both kinds, and which one it shows depends on what came first.
finds() {
	local seen

	seen=$(with_avahi "$1" avahi-browse -rpt _nfs._tcp)
	echo "$seen"
	grep -qE "^=;[^;]*;$2;$3;[^;]*;[^;]*;both.local;(10\\.77\\.$4\\.30|fd77:$4::30);2049;" \
		<<<"$seen"
}

host_name() {
	with_avahi both dbus-send --system --print-reply=literal \
		--dest=org.freedesktop.Avahi / \
		org.freedesktop.Avahi.Server.GetHostName | tr -d ' '
}

# The n-th avahi has announced its names, twice: those before it did so too.
settled() {
	captures "$((2 * $1))" "b'\4both\5local'.hex() in d['data'] and
		int(d['data'][4:6], 16) & 0x80 and
		d['source'] == '10.77.2.30'" iot
}

keeps_its_name() {
	claim "$1: nobody is in conflict" not \
		grep -hiE 'conflict|collision' \
		"$work"/{phone,tv,both,share}.log
	claim "$1: its host name stays" equal both host_name
}

start_both() {
	# Or one would take the last one's for its own.
	rm -f "$work/both/bus"
	start_avahi both both
	start_with_avahi both share avahi-publish -s Share _nfs._tcp 2049
	within 10 grep -q Established "$work/share.log" ||
		broken 'avahi does not publish'
}

# Names such as both-2.local.
seen_as_other() {
	tcpdump -vnr "$work/iot.pcap" 2>/dev/null |
		grep -oE 'both-[0-9]+\.local' | sort -u
}

# Message by message, for another host with the same two legs: what one leg
# announces does not reach the other, also when the first address of it went.
legs() {
	on both "$PYTHON" "$lib/mdns-peer.py" addresses "$1" 224.0.0.251 \
		legs.local. "${@:2}"
}
has_reached_home() {
	has_captured "$1" "b'\4legs\5local'.hex() in d['data'] and
		d['source'] == '10.77.1.1'" home
}
# What is sent before this has crossed before it.
mark_crosses() {
	on tv "$PYTHON" "$lib/mdns-peer.py" announce iot 224.0.0.251 "$1" \
		_http._tcp
	within 5 captures 1 "b'$1'.hex() in d['data'] and
		d['source'] == '10.77.1.1'" home
}
capture home home udp port 5353
legs home 10.77.1.30,120 fd77:1::30,120
legs iot 10.77.2.30,120
mark_crosses first-mark
claim "one leg's address does not reach the other leg" has_reached_home 0
legs home fd77:1::30,0
legs iot 10.77.2.30,120 fd77:2::30,120
mark_crosses second-mark
claim "one address goes: nor does it then" has_reached_home 0
legs home 10.77.1.30,0
legs iot 10.77.2.30,120
mark_crosses third-mark
claim "the leg goes: now it is a host of the other segment" has_reached_home 1
stop home

capture iot iot udp port 5353
for n in 1 2 3; do
	start_both
	claim "start $n: the phone finds it on its own segment" within 10 \
		finds phone IPv4 Share 1
	claim "start $n: the television on its own" within 10 \
		finds tv IPv4 Share 2
	within 10 settled $n
	keeps_its_name "start $n"
	case $n in
	1) # in order, with a goodbye
		stop share
		stop both
		;;
	2)
		stop both KILL
		stop share
		;;
	3)
		break
		;;
	esac
	stop both-bus
done

# A leg goes and comes: it announces again, by both.
for leg in home iot; do
	ip -n "$prefix-both" link set dev $leg down
	within 5 grep -q "Withdrawing address record for 10.77.*on $leg" \
		"$work/both.log" || broken 'avahi sees no leg go'
	ip -n "$prefix-both" link set dev $leg up
	ip -n "$prefix-both" address replace \
		"fd77:${number_of_segment[$leg]}::30/64" dev $leg nodad
	claim "$leg comes back: the phone finds it" within 10 \
		finds phone IPv4 Share 1
	claim "$leg comes back: the television finds it" within 10 \
		finds tv IPv4 Share 2
	keeps_its_name "$leg comes back"
done

# crierd itself forgets all, and what it learns comes piece by piece.
for n in 1 2; do
	stop crierd
	start_joined crierd router "$work/crierd.yaml"
	start_with_avahi both "more$n" avahi-publish -s "More$n" _nfs._tcp 2049
	claim "crierd anew, $n: what is announced then is found" within 10 \
		finds phone IPv4 "More$n" 1
	keeps_its_name "crierd anew, $n"
done
claim "it was seen under no other name" equal '' seen_as_other
claim "crierd ends with 0" stop crierd
finish
