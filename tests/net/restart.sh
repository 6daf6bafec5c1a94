#!/bin/bash
#
# What goes on over a restart, with a stand-in for the service manager that
# keeps an fd store as systemd does: no datagram is lost, none comes twice, and
# what was known is known.

. "$(dirname "$0")/lib.sh"

configure() {
	cat >"$work/crierd.yaml" <<-END
	control: { group: root }
	interfaces:
	  a: { device: a }
	  b: { device: b }
	groups:
	  four: { address: 239.255.42.42, port: 4242, interfaces: [a, b] }
	  six: { address: "ff15::4242", port: 4242, interfaces: [a, b] }
	  own: { address: 239.255.42.44, port: 4244, interfaces: [a, b], standby: true }
	$1
	END
}

count_events() {
	lines_with "d['event'] == '$1'" "$work/manager.out"
}

pid_of_crierd() {
	tail -n 100 "$work/manager.out" | "$PYTHON" -c 'import json, sys
print([d["pid"] for d in map(json.loads, sys.stdin) if "pid" in d][-1])'
}

# restart SIGNAL: ends crierd, and waits until the next one is ready.
restart() {
	local ready

	ready=$(count_events ready)
	kill -"$1" "$(pid_of_crierd)"
	within 20 at_least $((ready + 1)) "d['event'] == 'ready'" \
		"$work/manager.out" || {
		tail -n 5 "$work/manager.log"
		return 1
	}
}

first_seen() {
	json crierd discovered --group four | query \
		"[e['first_seen'] for e in d['entries']
			if e['interface'] == 'a'][:1]"
}

has_joined() {
	on router cat /proc/net/igmp | awk -v want="$1" '
		$1 ~ /^[0-9]+$/ { device = $2 }
		$1 == want && device == "a" { found = 1 }
		END { exit !found }'
}

segment a b
host router a=1 b=1
host ha a=10
host hb b=10
configure '  gone: { address: 239.255.42.43, port: 4243, interfaces: [a, b] }'
start manager router "$PYTHON" "$lib/manager.py" "$work/notify" \
	"$(realpath "$crierd")" -c "$work/crierd.yaml" -s "$work/crierd.sock"
within 10 at_least 1 "d['event'] == 'ready'" "$work/manager.out"
within 10 all_joined crierd || broken 'crierd does not join'
start_stream '' ha a hb b 239.255.42.42
start_stream 6 ha a hb b ff15::4242

claim "a name has no colon, and a stored socket no poll" \
	within 5 at_least 6 "d['event'] == 'stored'" "$work/manager.out"
ctl crierd announce gate --group own --text 'gate: open' --interval 1h \
	--goodbye 'gate: closed' >"$work/announce" 2>&1 ||
	broken "$(<"$work/announce")"
ctl crierd standby off >"$work/standby"
seen=$(first_seen)
for round in 1 2 3; do
	claim "restart $round" restart TERM
done
claim "first_seen is what it was ($seen)" equal "$seen" first_seen
claim "it was seen" test "$seen" != '[]'
claim "what was announced at run time is announced" holds \
	"[a['name'] for a in d if a['origin'] == 'runtime'] == ['gate']" \
	json crierd announcements
claim "with the same goodbye" ctl crierd withdraw gate
claim "the standby switch stays" holds "d['standby'] is False" \
	json crierd status
end_stream 6 ha a ff15::4242
claim "all came once over IPv6" is_whole 6
sent=$(sent_by 6)
claim "and counts" holds "sum(s['received'] for c in d[0]['channels']
	for s in c['segments'] if s['device'] == 'a') == $sent + 1" \
	json crierd groups six
end_stream '' ha a 239.255.42.42
claim "all came once over IPv4" is_whole ''

# Killed, it writes nothing: what waits in the sockets is there all the same.
listen ear hb --to 239.255.42.42 --port 4242 --iface b --timeout 600
kill -STOP "$(pid_of_crierd)"
mcast ha send --to 239.255.42.42 --port 4242 --iface a --count 100 \
	--first 1000000 --quiet >"$work/sent"
claim "killed, it comes again" restart KILL
claim "and relays what waited" within 5 at_least 100 "'digest' in d" \
	"$work/ear.out"

claim "a group is joined" has_joined 2B2AFFEF
configure ''
claim "a restart with a group less" restart TERM
claim "leaves that group" not has_joined 2B2AFFEF
claim "but no other" has_joined 2A2AFFEF
claim "what is not used is kept no more" within 5 at_least 1 \
	"d['event'] == 'removed' and d['name'] == 'udp-239.255.42.43-4243-1'" \
	"$work/manager.out"

kill -STOP "$(pid_of_crierd)"
kill -USR1 "${pid_of[manager]}"
within 5 at_least 1 "d['event'] == 'damaged'" "$work/manager.out"
claim "with a damaged state it starts" restart KILL
claim "says so" grep -q 'the state that it left is damaged' \
	"$work/manager.log"
within 10 all_joined crierd || echo '# not all are joined'
mcast ha send --to 239.255.42.42 --port 4242 --iface a --text anew --quiet \
	>"$work/sent"
claim "and relays" within 5 heard_text anew "$work/ear.out"
claim "the manager ends in peace" stop manager
finish
