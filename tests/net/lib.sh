# shellcheck shell=bash
#
# lib.sh: small networks for the tests, made of network namespaces.
#
# Life cycle of a test:
#   1. `. lib.sh` makes sure that it can run here: it exits with 77 where
#      namespaces are impossible, with 99 where the set-up is broken.
#   2. `segment` and `host` lay out a network. Every segment is a bridge in a
#      namespace of its own, "switch"; every leg of a host is a veth into it,
#      called like the segment.
#   3. `start_crierd`, `start_avahi`, `start` run programs in it.
#   4. `claim` says what must hold: a line "ok" or "not ok" each.
#   5. `finish` ends it. Whatever happens, a trap stops the programs that were
#      started here and deletes the namespaces that were made here.
#
# Names are unique, by the shell's pid, so that runs do not meet.

set -uo pipefail

PYTHON=${PYTHON:-/usr/bin/python3}
lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top_builddir=${top_builddir:-$lib/../../build}
prefix=${prefix:-crier-$$}
work='' # a directory of this run; set by begin
lost=0 claims=0 ports=0
declare -A pid_of=() host_of=() number_of_segment=() hosts=()

skip() {
	echo "# skipped: $*"
	exit 77
}

broken() {
	echo "# broken set-up: $*"
	exit 99
}

# --- Claims -----------------------------------------------------------------

# claim TEXT COMMAND...: that the command succeeds.
claim() {
	local text=$1

	shift
	claims=$((claims + 1))
	if "$@" >"$work/claim" 2>&1; then
		echo "ok $claims - $text"
		return 0
	fi
	lost=$((lost + 1))
	echo "not ok $claims - $text"
	echo "# failed: $*"
	tail -n 20 "$work/claim" | sed 's/^/#   /'
	return 1
}

# within SECONDS COMMAND...: tries again until it succeeds or time is up.
within() {
	local deadline

	deadline=$(($(now_ms) + $1 * 1000))
	shift
	until "$@"; do
		(($(now_ms) < deadline)) || return 1
		sleep 0.02
	done
}

not() {
	! "$@"
}

# equal WANTED COMMAND...: that it prints exactly this.
equal() {
	local wanted=$1 got

	shift
	got=$("$@")
	[[ $got == "$wanted" ]] || {
		echo "wanted: $wanted"
		echo "got:    $got"
		return 1
	}
}

now_ms() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# query EXPRESSION: of the JSON on standard input, as `d`; true and false and
# numbers as Python prints them. Fails where it cannot be evaluated.
query() {
	"$PYTHON" -c 'import json, sys
d = json.load(sys.stdin)
print(eval("(" + sys.argv[1] + ")"))' "$1" 2>/dev/null
}

# holds EXPRESSION COMMAND...: that it is true of the JSON it prints.
holds() {
	local expression=$1 text

	shift
	text=$("$@") || return
	[[ $(query "$expression" <<<"$text") == True ]] || {
		echo "is not true: $expression, of"
		echo "$text"
		return 1
	}
}

# lines_with EXPRESSION FILE: how many of its JSON lines it is true of, as
# `d`. Lines that lack what it asks for do not count.
lines_with() {
	"$PYTHON" -c 'import json, sys
n = 0
for line in open(sys.argv[2]):
    if line.endswith("\n"):
        d = json.loads(line)
        try:
            n += bool(eval("(" + sys.argv[1] + ")"))
        except KeyError:
            pass
print(n)' "$1" "$2"
}

# has_lines N EXPRESSION FILE: that exactly, or at_least, so many match.
has_lines() {
	equal "$1" lines_with "$2" "$3"
}

at_least() {
	(($(lines_with "$2" "$3") >= $1))
}

# digests FILE: the payloads of the datagrams in it, in order.
digests() {
	"$PYTHON" -c 'import json, sys
for line in open(sys.argv[1]):
    if line.endswith("\n") and "digest" in (d := json.loads(line)):
        print(d["digest"])' "$1"
}

# same_payloads SENDER LISTENER: each once, in this order, and no other.
same_payloads() {
	diff <(digests "$1") <(digests "$2")
}

digest_of() {
	printf %s "$1" | sha256sum | cut -c 1-16
}

# heard_text TEXT FILE: that a listener heard this payload.
heard_text() {
	grep -q "\"$(digest_of "$1")\"" "$2"
}

# quiet_for MS FILE: waits until it has not grown for so long.
quiet_for() {
	local since size=-1

	since=$(now_ms)
	while (($(now_ms) - since < $1)); do
		if [[ $(stat -c %s "$2") != "$size" ]]; then
			size=$(stat -c %s "$2")
			since=$(now_ms)
		fi
		sleep 0.02
	done
}

# --- The network ------------------------------------------------------------

# on HOST COMMAND...: runs it there.
on() {
	local host=$1

	shift
	ip netns exec "$prefix-$host" "$@"
}

namespace() {
	ip netns add "$prefix-$1" 2>"$work/namespace" ||
		skip "cannot make namespaces: $(<"$work/namespace")"
	hosts[$1]=1
	# Addresses are ours alone: no detection of duplicates, no waiting.
	on "$1" sh -c 'cd /proc/sys/net/ipv6/conf/default 2>/dev/null || exit 0
		echo 0 >accept_dad
		echo 0 >dad_transmits
		echo 0 >router_solicitations
		echo 0 >accept_ra'
	ip -n "$prefix-$1" link set dev lo up
}

# segment NAME...: Ethernet segments, numbered in order of appearance.
segment() {
	local name

	for name; do
		number_of_segment[$name]=$((${#number_of_segment[@]} + 1))
		ip -n "$prefix-switch" -batch - <<-END || broken "no $name"
		link add name $name type bridge mcast_snooping 0
		link set dev $name up
		END
	done
}

# host NAME [SEGMENT=NUMBER...]: a host with a leg on each of the segments.
# On segment S the host with number N is 10.77.S.N and fd77:S::N.
host() {
	local name=$1 leg

	shift
	namespace "$name"
	for leg; do
		attach "$name" "${leg%=*}" "${leg#*=}"
	done
}

# plug HOST SEGMENT [OPTION...]: a leg, down and without an address. OPTIONs
# are those of `ip link add`.
plug() {
	local host=$1 name=$2

	shift 2
	ports=$((ports + 1))
	ip -n "$prefix-$host" link add name "$name" "$@" type veth \
		peer name "port$ports" netns "$prefix-switch" &&
		ip -n "$prefix-switch" link set dev "port$ports" master "$name" up
}

# attach HOST SEGMENT NUMBER [OPTION...]: a leg, up and with its addresses.
attach() {
	local host=$1 name=$2 number=$3 s=${number_of_segment[$2]}

	shift 3
	plug "$host" "$name" "$@" || broken "cannot plug $host into $name"
	ip -n "$prefix-$host" -batch - <<-END || broken "no leg on $name"
		address add 10.77.$s.$number/24 broadcast + dev $name
		address add fd77:$s::$number/64 dev $name nodad
		link set dev $name up
		END
}

# unplug HOST SEGMENT: the device is deleted.
unplug() {
	ip -n "$prefix-$1" link delete dev "$2"
}

link_local_of() {
	ip -n "$prefix-$1" -o -6 address show dev "$2" scope link |
		sed -n 's|.*inet6 \([^/]*\)/.*|\1|p'
}

# Every leg of these hosts can send over IPv6.
has_link_local() {
	[[ -n $(link_local_of "$1" "$2") ]]
}

# --- Programs ---------------------------------------------------------------

# start NAME HOST COMMAND...: in the background; it writes to $work/NAME.out
# and, what it complains about, to $work/NAME.log. A session of its own keeps
# an interrupt of the test from it, which ends it in order then.
start() {
	local name=$1 host=$2

	shift 2
	# Here and now, or one would read what an earlier NAME wrote.
	: >"$work/$name.out"
	: >"$work/$name.log"
	setsid ip netns exec "$prefix-$host" "$@" </dev/null \
		>"$work/$name.out" 2>"$work/$name.log" &
	pid_of[$name]=$!
	host_of[$name]=$host
}

is_running() {
	kill -0 "${pid_of[$1]}" 2>/dev/null
}

# stop NAME [SIGNAL]: ends it; its exit status is returned.
stop() {
	local pid=${pid_of[$1]:-} status=0

	[[ -n $pid ]] || return 0
	kill -"${2:-TERM}" "$pid" 2>/dev/null
	within 10 not kill -0 "$pid" 2>/dev/null || kill -KILL "$pid"
	wait "$pid" 2>/dev/null || status=$?
	unset "pid_of[$1]"
	return "$status"
}

# start_crierd NAME HOST FILE [OPTION...]: and waits until it answers.
start_crierd() {
	local name=$1 host=$2 file=$3

	shift 3
	start "$name" "$host" "$crierd" -c "$file" -s "$work/$name.sock" "$@"
	within 10 crierd_answers "$name" || {
		sed 's/^/# /' "$work/$name.log"
		broken "crierd does not come up on $host"
	}
}

crierd_answers() {
	ctl "$1" status >/dev/null 2>&1
}

# ctl NAME COMMAND...: asks a crierd.
ctl() {
	local name=$1

	shift
	"$crierctl" -s "$work/$name.sock" "$@"
}

# json NAME COMMAND...: the same, in JSON.
json() {
	local name=$1

	shift
	"$crierctl" -s "$work/$name.sock" --json "$@"
}

# all_joined NAME: that every segment of a crierd is.
all_joined() {
	holds "d['segments']['joined'] == sum(d['segments'].values()) > 0" \
		json "$1" status
}

# start_joined NAME HOST FILE: a crierd that hears on all its segments.
start_joined() {
	start_crierd "$@"
	within 5 all_joined "$1" || {
		json "$1" groups | sed 's/^/# /'
		broken "crierd does not join on $2"
	}
}

mcast() {
	local host=$1

	shift
	ip netns exec "$prefix-$host" "$PYTHON" "$lib/mcast.py" "$@"
}

# listen NAME HOST OPTION...: a listener, when it hears already.
listen() {
	local name=$1 host=$2

	shift 2
	start "$name" "$host" "$PYTHON" "$lib/mcast.py" listen "$@"
	within 10 grep -q ready "$work/$name.out" || {
		sed 's/^/# /' "$work/$name.log"
		broken "the listener on $host does not come up"
	}
}

# heard NAME EXPRESSION: that the sums of a listener that has ended fulfil it.
heard() {
	holds "$2" tail -n 1 "$work/$1.out"
}

# --- A stream, of which nothing may be missing ------------------------------

# start_stream NAME FROM OUT TO IN ADDRESS: 1,000 datagrams a second to port
# 4242 of a group, from host FROM by its device OUT, and a listener on host TO;
# when they cross.
start_stream() {
	local name=$1 from=$2 out=$3 to=$4 in=$5 address=$6

	listen "ear$name" "$to" --to "$address" --port 4242 --iface "$in" \
		--timeout 600
	start "stream$name" "$from" "$PYTHON" "$lib/mcast.py" send \
		--to "$address" --port 4242 --iface "$out" --count 0 \
		--rate 1000 --quiet
	within 10 at_least 100 "'digest' in d" "$work/ear$name.out" ||
		broken 'the stream does not cross'
}

# end_stream NAME FROM OUT ADDRESS: ends it with a last word, and its listener
# when that is heard.
end_stream() {
	local name=$1 from=$2 out=$3 address=$4

	stop "stream$name"
	mcast "$from" send --to "$address" --port 4242 --iface "$out" \
		--text end --quiet >"$work/sent"
	within 20 heard_text end "$work/ear$name.out"
	stop "ear$name"
}

# sent_by NAME: how many datagrams a stream had, the last word apart.
sent_by() {
	tail -n 1 "$work/stream$1.out" | query "d['sent']"
}

# is_whole NAME: of a stream that has ended none was lost, and none came twice.
is_whole() {
	heard "ear$1" "d['heard'] - 1 == $(sent_by "$1") and d['most'] == 1"
}

# start_avahi NAME HOST [LINE...]: an avahi-daemon whose host name is NAME,
# with a D-Bus of its own. LINEs go into the [server] section.
#
# avahi keeps its pid in /run/avahi-daemon, so each has a /run of its own; `ip
# netns exec` gives every command a mount namespace anyway.
start_avahi() {
	local name=$1 host=$2 line

	shift 2
	mkdir -p "$work/$name"
	cat >"$work/$name/bus.conf" <<-END
	<busconfig>
	<type>system</type>
	<listen>unix:path=$work/$name/bus</listen>
	<auth>EXTERNAL</auth>
	<policy context="default">
	<allow user="*"/>
	<allow own="*"/>
	<allow send_destination="*"/>
	<allow receive_sender="*"/>
	</policy>
	</busconfig>
	END
	{
		echo '[server]'
		echo "host-name=$name"
		for line; do
			echo "$line"
		done
		echo '[publish]'
		echo 'publish-workstation=no'
		echo 'publish-hinfo=no'
	} >"$work/$name/avahi.conf"
	start "$name-bus" "$host" dbus-daemon --nofork --nopidfile \
		--config-file="$work/$name/bus.conf"
	within 10 test -S "$work/$name/bus" ||
		broken "the D-Bus of $name does not come up"
	start "$name" "$host" env \
		DBUS_SYSTEM_BUS_ADDRESS="unix:path=$work/$name/bus" \
		sh -c 'mount -t tmpfs tmpfs /run && exec "$@"' sh \
		avahi-daemon --no-drop-root --no-chroot --no-rlimits \
		--no-proc-title --file="$work/$name/avahi.conf"
	within 10 grep -q 'Server startup complete' "$work/$name.log" || {
		sed 's/^/# /' "$work/$name.log"
		broken "avahi does not come up on $host"
	}
}

# with_avahi NAME COMMAND...: a client of that avahi-daemon.
with_avahi() {
	local name=$1

	shift
	DBUS_SYSTEM_BUS_ADDRESS="unix:path=$work/$name/bus" \
		on "${host_of[$name]}" "$@"
}

# start_with_avahi AVAHI NAME COMMAND...: the same in the background.
start_with_avahi() {
	local avahi=$1 name=$2

	shift 2
	start "$name" "${host_of[$avahi]}" env \
		DBUS_SYSTEM_BUS_ADDRESS="unix:path=$work/$avahi/bus" "$@"
}

# --- Begin and end ----------------------------------------------------------

cleanup() {
	local name pid

	trap - EXIT
	if ((lost > 0)); then
		for name in "${!pid_of[@]}"; do
			[[ -s $work/$name.log ]] || continue
			echo "# $name:"
			tail -n 40 "$work/$name.log" | sed 's/^/#   /'
		done
	fi
	for name in "${!pid_of[@]}"; do
		kill "${pid_of[$name]}" 2>/dev/null
	done
	for name in "${!hosts[@]}"; do
		# Only what runs in our own namespaces.
		within 3 nobody_in "$name" ||
			for pid in $(ip netns pids "$prefix-$name"); do
				kill -KILL "$pid"
			done
		ip netns delete "$prefix-$name"
	done
	wait 2>/dev/null
	rm -rf "$work"
}

nobody_in() {
	[[ -z $(ip netns pids "$prefix-$1" 2>/dev/null) ]]
}

begin() {
	local tool

	crierd=${CRIERD:-$top_builddir/crierd}
	crierctl=${CRIERCTL:-$top_builddir/crierctl}
	[[ -z ${CRIER_SKIP_NET:-} ]] || skip 'CRIER_SKIP_NET is set'
	[[ " ${CRIER_SKIP:-} " != *" $(basename "$0" .sh) "* ]] ||
		skip 'CRIER_SKIP names it'
	((EUID == 0)) || skip 'namespaces need root'
	for tool in ip flock "$PYTHON" "$crierd" "$crierctl"; do
		command -v "$tool" >/dev/null || broken "no $tool"
	done
	work=$(mktemp -d "${TMPDIR:-/tmp}/$prefix-XXXXXX") ||
		broken 'no directory for temporary files'
	# A sanitizer keeps what was freed for a while; a bound on memory could
	# not be tested otherwise.
	export ASAN_OPTIONS=${ASAN_OPTIONS:-}:quarantine_size_mb=16
	trap cleanup EXIT
	trap 'exit 130' INT TERM HUP
	namespace switch
}

# needs COMMAND PACKAGE: the tests that use it cannot run without.
needs() {
	command -v "$1" >/dev/null || broken "no $1: install $2"
}

finish() {
	echo "1..$claims"
	((lost == 0))
	exit
}

# Two tests of a build run at once, since most of their time they wait for the
# network; but alone those that claim how soon something happens. flock holds
# the lock, not this shell, whose children would inherit it.
enter_lane() {
	local lane status at=$top_builddir/tests/net

	export CRIER_NET_LOCKED=1
	case $(basename "$0" .sh) in
	explain | faults | idle | mdns-filter | overrun | rejoin | reload | \
		restart | rewrite | run | segments | soak | start-stop | storms | two-criers)
		exec flock -o "$at.0" flock -o "$at.1" "$0" "$@"
		;;
	esac
	for lane in 0 1; do
		flock -o -n -E 250 "$at.$lane" "$0" "$@"
		status=$?
		((status == 250)) || exit "$status"
	done
	exec flock -o "$at.$((RANDOM % 2))" "$0" "$@"
}

[[ -n ${CRIER_NET_LOCKED:-} || ! -d $top_builddir/tests ]] || enter_lane "$@"
begin
