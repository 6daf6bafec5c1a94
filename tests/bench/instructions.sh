#!/bin/bash
#
# Instructions in user space for each datagram that arrives, by callgrind: they
# are the same on any machine and however busy it is. All features are on. What
# takes no part must cost a datagram nothing.
#
# usage: instructions.sh [FAN-OUT...]    1, 4 and 16

# shellcheck source=../net/lib.sh
. "$(dirname "$0")/../net/lib.sh"
needs valgrind valgrind
load=$top_builddir/tests/bench/load
[[ -x $load ]] || broken 'no load: "make bench" builds it'

datagrams=640 # ten full batches
largest=16
idle=48
features='rate: 1000000/s, allow: { sources: 10.0.0.0/8, sizes: 1-1400'

# configure FAN-OUT GROUPS DEVICES: with so many idle groups beside it, and
# devices that are down in it.
configure() {
	local i all=s0

	for ((i = 1; i <= $1; i++)); do
		all+=", s$i"
	done
	echo 'control: { group: root }'
	echo 'interfaces:'
	for ((i = 0; i <= $1; i++)); do
		echo "  s$i: { device: s$i }"
	done
	(($3 == 0)) || echo "  idle: { device: 'idle*' }"
	(($3 == 0)) || all+=', idle'
	echo 'groups:'
	echo "  beacon: { address: 239.255.42.42, port: 4242, $features },"
	echo "    interfaces: [$all] }"
	echo "  mdns: { preset: mdns, $features,"
	echo "    services: _http._tcp }, interfaces: [$all] }"
	for ((i = 0; i < $2; i++)); do
		echo "  idle$i: { address: 239.255.43.$i, port: 4343," \
			"interfaces: [$all] }"
	done
}

received() {
	json crierd status | query "d['totals']['received']"
}

# All but the devices that are down.
has_joined() {
	holds "d['segments']['joined'] > 0 and
		d['segments']['joined'] + d['segments']['down'] ==
		sum(d['segments'].values())" json crierd status
}

# measure GROUP PORT PAYLOAD: sets `instructions`. The burst waits in the
# socket, so that it is read in full batches.
measure() {
	start crierd router valgrind --tool=callgrind \
		--toggle-collect=udp_receive \
		--callgrind-out-file="$work/callgrind" \
		"$crierd" -c "$work/crierd.yaml" -s "$work/crierd.sock"
	within 60 has_joined >"$work/joined" 2>&1 ||
		broken 'crierd does not join'
	kill -STOP "${pid_of[crierd]}"
	on far "$load" s0 "$1" "$2" --payload "$3" --count $datagrams \
		--rate 20000 >"$work/sent" || broken 'cannot send'
	kill -CONT "${pid_of[crierd]}"
	within 60 equal $datagrams received >"$work/received" ||
		broken 'some were lost'
	stop crierd
	instructions=$(sed -n 's/.*Collected : \([0-9]*\)$/\1/p' \
		"$work/crierd.log")
	((instructions > 0)) || broken 'callgrind has counted nothing'
	instructions=$((instructions / datagrams))
}

namespace router
namespace far
for ((i = 0; i <= largest; i++)); do
	ip -n "$prefix-router" -batch - <<-END || broken "no segment $i"
		link add name s$i type veth peer name s$i netns $prefix-far
		address add 10.78.$i.1/24 dev s$i
		link set dev s$i up
		END
	ip -n "$prefix-far" -batch - <<-END || broken "no segment $i"
		address add 10.78.$i.2/24 dev s$i
		link set dev s$i up
		END
done
for ((i = 0; i < idle; i++)); do
	echo "link add name idle$i type veth peer name eldi$i"
done | ip -n "$prefix-router" -batch - || broken 'no idle devices'

(($#)) || set -- 1 4 16
for fanout; do
	configure "$fanout" 0 0 >"$work/crierd.yaml"
	measure 239.255.42.42 4242 opaque
	echo "# fan-out $fanout, opaque: $instructions instructions a datagram"
	((fanout != 4)) || alone=$instructions
	measure 224.0.0.251 5353 mdns
	echo "# fan-out $fanout, mDNS with filters: $instructions"
done

# within_2_percent: of what it takes alone.
within_2_percent() {
	echo "$alone alone, $instructions beside them"
	((instructions * 100 < alone * 102))
}
[[ -n ${alone:-} ]] || finish
configure 4 32 0 >"$work/crierd.yaml"
measure 239.255.42.42 4242 opaque
claim "32 idle groups add less than 2 %: $alone, $instructions" within_2_percent
configure 4 0 $idle >"$work/crierd.yaml"
measure 239.255.42.42 4242 opaque
claim "$idle idle segments add less than 2 %: $alone, $instructions" \
	within_2_percent
finish
