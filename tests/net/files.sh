#!/bin/bash
#
# The process may open no more files: at the start, at a reload, when clients
# come in bulk and when searches do. It says so, it does not spin, what runs
# goes on, and when there are descriptors again it takes up what it could not.

. "$(dirname "$0")/peers.sh"
needs prlimit util-linux

configure() {
	cat <<-END
	control: { group: root }
	interfaces:
	  a: { device: a }
	  b: { device: b }
	groups:
	  beacon: { address: 239.255.42.42, port: 4242, interfaces: [a, b] }
	  asked:
	    address: 239.255.43.43
	    port: 4343
	    interfaces: [a, b]
	    replies: proxy
	  mdns: { preset: mdns, interfaces: [a, b] }
	END
}
more() {
	configure
	echo '  ssdp: { preset: ssdp, interfaces: [a, b] }'
	echo '  wsd: { preset: wsd, interfaces: [a, b] }'
}

segment a b
host router a=1 b=1
host ha a=10
host hb b=10
addressed router/a router/b ha/a hb/b
configure >"$work/crierd.yaml"

# How many are open, when clients have gone that are about to.
files() {
	local n least=1000000

	for _ in {1..10}; do
		n=$(find "/proc/${pid_of[crierd]}/fd" -mindepth 1 | wc -l)
		least=$((n < least ? n : least))
		sleep 0.02
	done
	echo "$least"
}
# only N: it may open so many more.
only() {
	local n=0 fd=0

	files >"$work/claim"
	while [[ -e /proc/${pid_of[crierd]}/fd/$fd ]] || ((n++ < $1)); do
		fd=$((fd + 1))
	done
	prlimit --pid "${pid_of[crierd]}" --nofile=$fd:
}
# The processor's time that it has used, in ticks of 10 ms.
ticks() {
	sed 's/.*) //' "/proc/${pid_of[$1]}/stat" |
		awk '{ print $12 + $13 }'
}
# rests NAME: that it uses less than a tenth of a processor for a while.
rests() {
	local before

	before=$(ticks "$1")
	sleep 0.5
	(($(ticks "$1") - before < 5))
}

# --- At the start -----------------------------------------------------------

# has_ended NAME: it is a zombie, or nothing.
has_ended() {
	! grep -q '^State:[[:space:]]*[^Z[:space:]]' \
		"/proc/${pid_of[$1]}/status" 2>/dev/null
}
says_so() {
	grep -qi 'no file is left\|too many open files' "$work/low.log"
}
settles() {
	has_ended low || grep -q 'status: ' "$work/low.log"
}
# starts_with N: it ends with 1 and says why; or it has all it needs; or it
# says what it lacks, and rests.
starts_with() {
	local status=0

	rm -f "$work/low.sock"
	start low router prlimit --nofile="$1:$1" "$crierd" \
		-c "$work/crierd.yaml" -s "$work/low.sock"
	within 5 settles || status=1
	if has_ended low; then
		ended=$((ended + 1))
		wait "${pid_of[low]}" || status=$?
		unset "pid_of[low]"
		cat "$work/low.log"
		((status == 1)) && grep -qi 'too many open files' "$work/low.log"
		return
	fi
	if says_so && ! has_ended low; then
		lacked=$((lacked + 1))
		rests low || {
			echo 'it does not rest'
			status=1
		}
	else
		enough=$1
	fi
	cat "$work/low.log"
	stop low || status=$?
	echo "ends with $status"
	return "$status"
}
ended=0 lacked=0 enough=0
for n in 8 11 17 23 29 60; do
	claim "with $n files it starts, or says that it cannot" starts_with $n
done
echo "# $ended ended, $lacked lacked some, $enough are enough"
claim "some are too few to start, some too few to join, some enough" \
	test $((ended > 1 && lacked > 1 && enough > 0)) = 1

start_joined crierd router "$work/crierd.yaml"
listen ear hb --to 239.255.42.42 --port 4242 --iface b --timeout 600
start stream ha "$PYTHON" "$lib/mcast.py" send --to 239.255.42.42 \
	--port 4242 --iface a --count 0 --rate 500 --quiet
within 10 at_least 100 "'digest' in d" "$work/ear.out" ||
	broken 'the stream does not cross'

# --- At a reload ------------------------------------------------------------

reloads() {
	ctl crierd reload
}
too_many() {
	grep -qi 'too many open files' "$@"
}
more >"$work/crierd.yaml"
only 0
kill -HUP "${pid_of[crierd]}"
claim "without any a reload says so" within 5 too_many "$work/crierd.log"
only 1
claim "with one for a client it says so, too" not reloads
only 65
claim "what runs is the file of before" \
	holds "d['config']['generation'] == 1 and d['groups'] == 3" \
	json crierd status
only 4
claim "with four it reloads" reloads
# Whoever asks may find no place: what the reload left is taken up by and by.
claim "and says what it could not join" within 2 \
	grep -q 'no file is left' "$work/crierd.log"
claim "it rests" rests crierd
only 200
claim "when there are more all is joined by itself" within 10 all_joined crierd

# --- Clients ----------------------------------------------------------------

before=$(files)
only 20
start crowd router "$PYTHON" "$lib/talk.py" "$work/crierd.sock" idle 100
claim "a hundred clients come where there is room for twenty: it says so" \
	within 5 grep -qi 'control.*too many open files' "$work/crierd.log"
claim "and no more often than once a minute" \
	equal 1 grep -ci 'control.*too many open files' "$work/crierd.log"
claim "it rests, though others wait" rests crierd
stop crowd
claim "when they have gone, others are answered" within 3 crierd_answers crierd
few() {
	(($(files) <= before + 1))
}
claim "and nothing is left open" within 3 few

# --- Searches ---------------------------------------------------------------

start_ready device hb "$PYTHON" "$lib/ask.py" device --to 239.255.43.43 \
	--port 4343 --iface b --hex 7365 --name tv
answered() {
	ask ha --to 239.255.43.43 --port 4343 --iface a --answers 1 \
		--timeout 2 --text "search $1 %d" >"$work/answers"
	at_least 1 "d.get('satisfied') == 1" "$work/answers"
}
claim "a search is answered" answered first
only 0
claim "one that finds no file left is not" not answered second
claim "and it rests" rests crierd
only 200
claim "that is counted" \
	holds "d['limits']['flows']['refused'] > 0" json crierd status
claim "with files left searches are answered again" answered third

stop stream
mcast ha send --to 239.255.42.42 --port 4242 --iface a --text end --quiet \
	>"$work/sent"
within 5 heard_text end "$work/ear.out"
stop ear
claim "meanwhile no datagram of 500 a second was lost" heard ear \
	"d['heard'] - 1 == $(tail -n 1 "$work/stream.out" | query "d['sent']")"
claim "crierd ends with 0" stop crierd
finish
