# shellcheck shell=bash
#
# peers.sh: lib.sh, and what tests of searches and filters need besides: real
# peers and captures.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# wants COMMAND PACKAGE: skips the test where the program is missing.
wants() {
	command -v "$1" >/dev/null || skip "no $1: install $2"
}

# wants_module MODULE PACKAGE: the same for a module of Python.
wants_module() {
	"$PYTHON" -c "import $1" 2>/dev/null || skip "no $1: install $2"
}

# addressed LEG...: waits for the link-local addresses of each HOST/SEGMENT.
addressed() {
	local leg

	for leg; do
		within 5 has_link_local "${leg%/*}" "${leg#*/}" ||
			broken "$leg has no link-local address"
	done
}

# ready NAME: waits until what was started says that it is.
ready() {
	within 15 grep -q ready "$work/$1.out" || {
		sed 's/^/# /' "$work/$1.log"
		broken "$1 does not come up"
	}
}

# start_ready NAME HOST COMMAND...
start_ready() {
	start "$@"
	ready "$1"
}

# ended NAME: waits until it has said its sums.
ended() {
	within "${2:-30}" grep -q '"sum"' "$work/$1.out"
}

# ask HOST OPTION...: one searcher, or many, in the foreground.
ask() {
	local host=$1

	shift
	on "$host" "$PYTHON" "$lib/ask.py" ask "$@"
}

# route_between ROUTER HOST...: the router forwards, the hosts send to it what
# is not on their link.
route_between() {
	local router=$1 host leg address

	shift
	on "$router" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
		echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	for host; do
		leg=$(ip -n "$prefix-$host" -o -4 address show scope global |
			awk '{ print $2; exit }')
		address=$(ip -n "$prefix-$router" -o -4 address show dev "$leg" |
			sed -n 's|.*inet \([^/]*\)/.*|\1|p')
		ip -n "$prefix-$host" route add default via "$address"
		address=$(ip -n "$prefix-$router" -o -6 address show dev "$leg" \
			scope global | sed -n 's|.*inet6 \([^/]*\)/.*|\1|p')
		ip -n "$prefix-$host" -6 route add default via "$address"
	done
}

# capture NAME SEGMENT [FILTER]: all that crosses that segment, from here on.
capture() {
	local name=$1 segment=$2

	shift 2
	start "$name" switch tcpdump --immediate-mode -Un -s 0 -i "$segment" \
		-w "$work/$name.pcap" "${@:-udp}"
	within 10 grep -q 'listening on' "$work/$name.log" || {
		sed 's/^/# /' "$work/$name.log"
		broken "tcpdump does not come up on $segment"
	}
}

# captured NAME: the datagrams, a JSON object a line, also in $work/NAME.json.
captured() {
	"$PYTHON" "$lib/pcap.py" "$work/$1.pcap" | tee "$work/$1.json"
}

# has_captured N EXPRESSION NAME: that exactly so many match.
has_captured() {
	captured "$3" >/dev/null
	equal "$1" lines_with "$2" "$work/$3.json"
}

# captures N EXPRESSION NAME: that at least so many do.
captures() {
	captured "$3" >/dev/null
	at_least "$1" "$2" "$work/$3.json"
}

# counter NAME PATH GROUP [INTERFACE]: of a group, summed over its segments or
# those of one interface, such as dropped.loop.
counter() {
	json "$1" groups "$3" | query "sum(int(
		__import__('functools').reduce(lambda o, k: o[k],
			'$2'.split('.'), s))
		for c in d[0]['channels'] for s in c['segments']
		if s['interface'] == '${4:-}' or not '${4:-}')"
}
