#!/bin/bash
#
# Clocks that step: that of the day from 1970 to now, as on a router without
# a battery, and back; that which counts a suspend; and the monotonic one, as
# after a pause of a virtual machine. A crierd with clocks of its own runs
# here: tests/faults/clock.c. The machine's are left alone.

. "$(dirname "$0")/peers.sh"
[[ $(getconf LONG_BIT) == 64 ]] || skip 'the clocks are made for 64 bits'
crierd=$top_builddir/tests/faults/crierd-clock
[[ -x $crierd ]] || broken "no $crierd"

cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  a: { device: a }
  b: { device: b }
groups:
  beacon: { address: 239.255.42.42, port: 4242, interfaces: [a, b], hold: 2h }
  ssdp: { preset: ssdp, interfaces: [a, b], rate: off }
  asked:
    address: 239.255.43.43
    port: 4343
    interfaces: [a, b]
    replies: proxy
    reply-timeout: 5m
    hold: 2h
  told: { address: 239.255.44.44, port: 4444, interfaces: [a, b], hold: 2h }
  again:
    address: 239.255.45.45
    port: 4545
    interfaces: [a, b]
    hold: 2h
    repeat: 1s
announcements:
  gate: { group: told, payload: { text: gate }, interval: 1s }
END

# --- The clocks -------------------------------------------------------------

day=86400
declare -A clock=([wall]=0 [monotonic]=0 [boot]=0)
# step CLOCK SECONDS: by so many more.
step() {
	clock[$1]=$((clock[$1] + $2))
	"$PYTHON" -c 'import struct, sys
with open(sys.argv[1], "r+b", 0) as file:
    file.write(struct.pack("=3q", *(int(s) * 10**9 for s in sys.argv[2:])))' \
		"$work/clock" "${clock[wall]}" "${clock[monotonic]}" \
		"${clock[boot]}"
}
# The seconds since 1970 that crierd sees.
wall() {
	echo $((EPOCHSECONDS + clock[wall]))
}
head -c 24 /dev/zero >"$work/clock"
export CRIER_CLOCK=$work/clock
step wall -$((EPOCHSECONDS - 60))

# --- What goes on meanwhile -------------------------------------------------

segment a b
host router a=1 b=1
host ha a=10
host hb b=10
start_joined crierd router "$work/crierd.yaml"
start monitor router "$crierctl" -s "$work/crierd.sock" --json monitor \
	--group ssdp --group asked --group told --group again
events() {
	"$PYTHON" -c 'import json, sys
for line in open(sys.argv[1]):
    if line.endswith("\n"):
        d = json.loads(line)
        print(json.dumps(d.get("params", d)))' "$work/monitor.out"
}
# has_events N EXPRESSION: that exactly, or some_events at least, so many are.
has_events() {
	events >"$work/events"
	has_lines "$1" "$2" "$work/events"
}
some_events() {
	events >"$work/events"
	at_least "$1" "$2" "$work/events"
}
begin=$SECONDS up=$(json crierd status | query "d['uptime_seconds']")
on ha "$PYTHON" "$lib/leave.py" none fill a 100
claim "it is 1970, and a hundred are discovered for half an hour" within 5 \
	some_events 100 "d['event'] == 'discovered' and d['time'] < '1971'"
listen ear hb --to 239.255.42.42 --port 4242 --iface b --timeout 600
listen told hb --to 239.255.44.44 --port 4444 --iface b --timeout 600
listen again hb --to 239.255.45.45 --port 4545 --iface b --timeout 600
mcast ha send --to 239.255.45.45 --port 4545 --source-port 4545 --iface a \
	--text again --quiet >"$work/sent"
start_ready hear hb "$PYTHON" "$lib/ask.py" hear --to 239.255.43.43 --port 4343 \
	--iface b
start_ready ask ha "$PYTHON" "$lib/ask.py" ask --to 239.255.43.43 --port 4343 \
	--iface a --text search --answers 100 --timeout 600
claim "a search waits for answers" within 5 at_least 1 "d['text'] == 'search'" \
	"$work/hear.out"
flow=$(grep search "$work/hear.out" | query "d['port']")
start stream ha "$PYTHON" "$lib/mcast.py" send --to 239.255.42.42 \
	--port 4242 --iface a --count 0 --rate 200 --quiet
within 5 at_least 100 "'digest' in d" "$work/ear.out" ||
	broken 'the stream does not cross'

# --- What must hold after a step --------------------------------------------

heard_lines() {
	lines_with "'digest' in d" "$work/$1.out"
}
goes_on() {
	within 2 at_least $(($(heard_lines ear) + 50)) "'digest' in d" \
		"$work/ear.out"
}
is_answered() {
	mcast hb send --to 10.77.2.1 --port "$flow" --source-port 4343 \
		--iface b --text "answer $*" --quiet >"$work/sent"
	within 2 at_least 1 "d.get('text') == 'answer $*'" "$work/ask.out"
}
# Between what has gone by, to the second, since `begin`.
counts_on() {
	local gone=$((SECONDS - begin))

	holds "$gone - 2 <= d['uptime_seconds'] - $up <= $gone + 2" \
		json crierd status
}
lifetimes() {
	holds "len(d['entries']) >= 100 and all(
		1800 - $((SECONDS - begin)) - 3 <= e['expires_in'] <= 1800
		for e in d['entries'])" json crierd discovered --group ssdp
}
# Every second, with a tenth of jitter.
few_more() {
	[[ $(($(heard_lines "$1") - $2)) -le $((3 + 2 * (SECONDS - since))) ]]
}
some_more() {
	within 6 at_least $(($2 + 2)) "'digest' in d" "$work/$1.out"
}
moment='^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$'
written_well() {
	holds "all(__import__('re').match(r'$moment', t) for t in [
		d['config']['loaded_at']])" json crierd status &&
		holds "all(__import__('re').match(r'$moment', e[t])
			for e in d['entries'] for t in ('first_seen', 'last_seen'))" \
			json crierd discovered &&
		has_events 0 "not __import__('re').match(r'$moment', d['time'])"
}
tells_time() {
	on ha "$PYTHON" "$lib/leave.py" none fill a 1
	within 2 some_events 1 "d['event'] != 'lost' and
		abs(__import__('datetime').datetime.fromisoformat(
		d['time'][:19] + '+00:00').timestamp() - $(wall)) <= 2"
}
# stepped TEXT: that all is as before.
stepped() {
	claim "$1: what is said goes on to cross" goes_on
	claim "nothing has expired" has_events 0 "d['event'] == 'expired'"
	claim "lifetimes go on, by the second" lifetimes
	claim "an answer to a search from before comes back" is_answered "$1"
	claim "no announcement is said more often" few_more told "$told"
	claim "nor more seldom" some_more told "$told"
	claim "nor what is repeated more often" few_more again "$again"
	claim "or more seldom" some_more again "$again"
	claim "the uptime counts on" counts_on
	claim "events tell the new time" tells_time
	claim "and all times are of RFC 3339" written_well
}
mark() {
	since=$SECONDS told=$(heard_lines told) again=$(heard_lines again)
}

mark
step wall $((EPOCHSECONDS - 60))
stepped "from 1970 to now"
mark
step wall $((75 * 365 * day))
step boot $((75 * 365 * day))
stepped "after a suspend of 75 years"
mark
step wall $((EPOCHSECONDS - day - $(wall)))
stepped "back to yesterday"
claim "it reloads" ctl crierd reload
claim "and nothing has expired by that" \
	has_events 0 "d['event'] == 'expired'"

# --- The monotonic clock ----------------------------------------------------

expired() {
	has_events 100 "d['event'] == 'expired' and d['group'] == 'ssdp'"
}
mark
step monotonic 2400
claim "after 40 minutes in which crierd stood still, the relay goes on" goes_on
claim "what was for half an hour expires, once each" within 5 expired
claim "what announces every second did not save it up" few_more told "$told"
claim "nor what repeats every second" few_more again "$again"
claim "it announces again" some_more told "$told"
claim "and repeats again" some_more again "$again"
claim "the search is over, and its port is free" within 2 \
	holds "not any(f['group'] == 'asked' for f in d)" json crierd flows
claim "others are discovered" on ha "$PYTHON" "$lib/leave.py" none fill a 3
claim "for half an hour from now" within 2 holds \
	"sorted(e['expires_in'] > 1790 for e in d['entries']) == [True] * 3" \
	json crierd discovered --group ssdp

stop stream
mcast ha send --to 239.255.42.42 --port 4242 --iface a --text end --quiet \
	>"$work/sent"
within 5 heard_text end "$work/ear.out"
stop ear
claim "of 200 datagrams a second none was lost and none came twice" heard ear \
	"d['heard'] - 1 == $(tail -n 1 "$work/stream.out" | query "d['sent']") \
	and d['most'] == 1"
claim "nothing was complained about" \
	not grep -q '^<[0-4]>' "$work/crierd.log"
claim "crierd ends with 0" stop crierd
finish
