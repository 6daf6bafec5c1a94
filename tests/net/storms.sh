#!/bin/bash
#
# Whatever else carries the same datagrams between the same segments, there is
# no storm: beside avahi's own reflector, beside a second crierd that keeps
# sources too, beside a repeater that delays by a second, one datagram makes a
# bounded number of copies, and then there is silence.

. "$(dirname "$0")/peers.sh"
wants avahi-daemon avahi-daemon
wants avahi-publish avahi-utils
wants dbus-daemon dbus-daemon
wants tcpdump tcpdump

configure() {
	cat <<-END
	control: { group: root }
	interfaces:
	  a: { device: a }
	  b: { device: b }
	groups:
	  keeps:
	    address: [239.255.42.42, "ff02::4242", "ff15::4242"]
	    broadcast: true
	    port: 4242
	    source: preserve
	    interfaces: [a, b]
	  own:
	    address: [239.255.43.43, "ff02::4343"]
	    port: 4343
	    interfaces: [a, b]
	  mdns: { preset: mdns, interfaces: [a, b] }
	END
}

segment a b
host one a=1 b=1
host two a=2 b=2
host ha a=10
host hb b=10
addressed one/a one/b two/a two/b ha/a hb/b
configure >"$work/crierd.yaml"
start_joined crierd1 one "$work/crierd.yaml"

# --- avahi's reflector, as the second router --------------------------------

# silent_within SECONDS MS FILE...: that the captures stop growing for so long.
silent_within() {
	local deadline ms=$2 size=-1 since now

	deadline=$(($(now_ms) + $1 * 1000))
	shift 2
	since=$(now_ms)
	while :; do
		now=$(stat -c %s "$@" | tr '\n' ' ')
		if [[ $now != "$size" ]]; then
			size=$now
			since=$(now_ms)
		fi
		(($(now_ms) - since < ms)) || return 0
		(($(now_ms) < deadline)) || return 1
		sleep 0.02
	done
}

capture a a udp port 5353
capture b b udp port 5353
start_avahi two two '[reflector]' enable-reflector=yes
start_avahi ha ha
start_avahi hb hb
start_with_avahi hb publish avahi-publish -s Television _http._tcp 80
finds() {
	with_avahi ha avahi-browse -rpt _http._tcp |
		grep -q '^=;[^;]*;IPv4;Television;.*;10.77.2.10;'
}
claim "beside avahi's reflector a service is found" within 10 finds
claim "and nobody renames himself" not grep -q conflict "$work"/{two,ha,hb}.log
claim "and then there is silence" silent_within 15 2000 "$work"/{a,b}.pcap
# avahi announces a record three times, in both families: a hundred at most.
most_copies() {
	"$PYTHON" "$lib/pcap.py" "$work/$1.pcap" | "$PYTHON" -c '
import collections, json, sys
seen = collections.Counter()
for line in sys.stdin:
    d = json.loads(line)
    seen[d["digest"], d["source"]] += 1
most = max(seen.values(), default=0)
print("most copies of one datagram:", most, "of", sum(seen.values()))
sys.exit(most > int(sys.argv[1]) or sum(seen.values()) > int(sys.argv[2]))' \
		"$2" "$3"
}
for name in a b; do
	claim "no datagram was sent again and again on $name" \
		most_copies $name 8 400
done
stop publish
claim "nor after a goodbye" silent_within 15 2000 "$work"/{a,b}.pcap
for name in a b; do
	claim "which made no storm on $name" most_copies $name 8 500
done
claim "crierd saw no storm" not grep -qi storm "$work/crierd1.log"
for name in ha hb two; do
	stop $name
	stop $name-bus
done
stop a
stop b

# --- a second crierd, with sources kept -------------------------------------

sent_by_both() {
	local name sum=0

	for name in crierd1 crierd2; do
		sum=$((sum + $(json $name status |
			query "d['totals']['sent']")))
	done
	echo "$sum"
}

# dies_out WHAT TO PORT COPIES [OPTION...]: 20 datagrams from ha, of each at
# most so many copies with one source on a segment.
dies_out() {
	local what=$1 to=$2 port=$3 copies=$4 name before

	shift 4
	capture a a udp port "$port"
	capture b b udp port "$port"
	mcast ha send --to "$to" --port "$port" --iface a --count 20 \
		--rate 200 --seed "$what" "$@" >"$work/sent"
	claim "$what: all reach b" within 5 captures 20 True b
	claim "$what: and then there is silence" \
		silent_within 12 2500 "$work"/{a,b}.pcap
	for name in a b; do
		claim "$what: at most $copies of each on $name" \
			most_copies $name "$copies" $((60 * copies))
		stop $name
	done
	before=$(sent_by_both)
	claim "$what: nothing is sent any more" equal "$before" sent_by_both
}

start_joined crierd2 two "$work/crierd.yaml"
# Both send from the announcer's address, so that one host's look like two of
# the same.
dies_out "preserve, IPv4" 239.255.42.42 4242 2 --source-port 5000
kept() {
	has_captured "$1" "d['source'] == '$2' and d['port'] == 5000" b
}
claim "preserve, IPv4: with the announcer's address" \
	captures 20 "d['source'] == '10.77.1.10' and d['port'] == 5000" b
dies_out "preserve, IPv6 site" ff15::4242 4242 2 --source-port 5000 \
	--source fd77:1::10
claim "preserve, IPv6 site: with the announcer's address" \
	captures 20 "d['source'] == 'fd77:1::10' and d['port'] == 5000" b
dies_out "preserve, IPv6 link" ff02::4242 4242 1 --source-port 5000
claim "preserve, IPv6 link: with the announcer's port" \
	captures 20 "d['source'] in ('$(link_local_of one b)',
		'$(link_local_of two b)') and d['port'] == 5000" b
dies_out "preserve, 255.255.255.255" 255.255.255.255 4242 2
dies_out "preserve, subnet broadcast" 10.77.1.255 4242 2
claim "the second ends with 0" stop crierd2

# --- a repeater that delays by a second -------------------------------------

# repeats WHAT TO PORT COPIES [OPTION...]: one datagram, both ways.
repeats() {
	local what=$1 to=$2 port=$3 copies=$4 name

	shift 4
	start_ready repeater two "$PYTHON" "$lib/repeater.py" "$to" "$port" 1 \
		a b
	capture a a udp port "$port"
	capture b b udp port "$port"
	mcast ha send --to "$to" --port "$port" --iface a --text "$what" \
		"$@" >"$work/sent"
	claim "$what: the repeater repeats it" within 5 grep -q repeated \
		"$work/repeater.out"
	claim "$what: and then there is silence" \
		silent_within 20 2500 "$work"/{a,b}.pcap
	for name in a b; do
		claim "$what: a bounded number of copies on $name" \
			most_copies $name "$copies" $((3 * copies))
		stop $name
	done
	stop repeater
}
repeats "a delay of 1 s, IPv4" 239.255.43.43 4343 2
repeats "a delay of 1 s, IPv6" ff02::4343 4343 2
repeats "a delay of 1 s, sources kept" 239.255.42.42 4242 2
claim "the first ends with 0" stop crierd1
finish
