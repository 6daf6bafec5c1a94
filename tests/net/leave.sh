#!/bin/bash
#
# A control client may go at any byte of a request, of an answer and of what it
# has subscribed to: others are served, and nothing of it is left.

. "$(dirname "$0")/lib.sh"

cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  a: { device: a }
  b: { device: b }
groups:
  beacon: { address: 239.255.42.42, port: 4242, interfaces: [a, b] }
  ssdp: { preset: ssdp, interfaces: [a, b], rate: off }
END

segment a b
host router a=1 b=1
host ha a=10
host hb b=10
start_joined crierd router "$work/crierd.yaml" --log-level notice
socket=$work/crierd.sock

files() {
	find "/proc/${pid_of[crierd]}/fd" -mindepth 1 | wc -l
}
# As a test of load counts them: what is clean is of files.
memory_kib() {
	sed -n 's/^Private_Dirty:[^0-9]*\([0-9]*\).*/\1/p' \
		"/proc/${pid_of[crierd]}/smaps_rollup"
}
leaves() {
	"$PYTHON" "$lib/leave.py" "$socket" "$@" >"$work/left" ||
		return
	# The event of a client that has gone comes before an answer to another.
	equal "$files" files
}
# gone TEXT ARGUMENT...
gone() {
	local text=$1

	shift
	claim "$text" leaves "$@" && echo "# $(<"$work/left")"
}

fill() {
	on ha "$PYTHON" "$lib/leave.py" "$socket" fill a "$1"
	holds "d['limits']['discovered']['used'] >= $1" json crierd status
}
claim "there are 3000 entries to ask for" within 20 fill 3000
listen ear hb --to 239.255.42.42 --port 4242 --iface b --timeout 600
start stream ha "$PYTHON" "$lib/mcast.py" send --to 239.255.42.42 \
	--port 4242 --iface a --count 0 --rate 1000 --size 1000 --quiet
within 10 at_least 100 "'digest' in d" "$work/ear.out" ||
	broken 'the stream does not cross'

files=$(files)
gone "a client goes at each byte of a request that asks" requests \
	status interfaces groups discovered announcements flows explain \
	presets metrics
gone "of one that subscribes" requests subscribe
gone "400 go at once, more than may be" crowd 400
most() {
	gone "at each byte of one that changes things" requests \
		announce withdraw standby log-level nonsense
	gone "in the middle of large answers" replies
	gone "in the middle of events with payloads" events
	gone "before the answer to a reload" reloads
	gone "200 at once" crowd 200
}
most
memory=$(memory_kib)
most
echo "# $memory KiB before most of that again, $(memory_kib) KiB after"
# A sanitizer keeps what was freed, see lib.sh; leaks it tells itself.
most_kib=1024
! grep -q __asan_init "$crierd" || most_kib=32768
claim "a second time costs no memory" \
	test $(($(memory_kib) - memory)) -lt $most_kib
stop stream
mcast ha send --to 239.255.42.42 --port 4242 --iface a --text end --quiet \
	>"$work/sent"
within 5 heard_text end "$work/ear.out"
stop ear
claim "meanwhile no datagram of 1,000 a second was lost" heard ear \
	"d['gaps'] == 0 and d['numbers'] == $(tail -n 1 "$work/stream.out" | query "d['sent']")"
claim "nothing was complained about" \
	not grep -q '^<[0-4]>' "$work/crierd.log"
claim "crierd ends with 0" stop crierd
finish
