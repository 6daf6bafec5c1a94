# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # these are of `run` and of lib.sh
#
# loads.sh: the network of the soak, and what is said in it: the load itself, and
# beside it all else that a relay does, so that each way is under load and each
# counter is part of a sum.

# Channels that are spoken on besides: "NAME GROUP PORT PAYLOAD".
channels=(
	"mdns 224.0.0.251 5353 mdns"
	"six ff02::4242 4242 opaque"
	"framed 239.255.44.44 4444 opaque"
	"kept 239.255.45.45 4545 opaque"
)
# What of each is said in a second, and searched for: less than any rate.
beside_rate=100 search_rate=50

# configure: with all that costs a datagram something. So few are remembered that
# a busy machine fills that, too, before memory is looked at. A flow lives so
# shortly that it does not count against the silence.
configure() {
	local i all=s0

	for ((i = 1; i <= fanout; i++)); do
		all+=", s$i"
	done
	echo 'control: { group: root }'
	echo 'interfaces:'
	for ((i = 0; i <= fanout; i++)); do
		echo "  s$i: { device: s$i }"
	done
	cat <<-END
	limits: { remembered: 4096 }
	groups:
	  beacon:
	    address: $address
	    port: $port
	    rate: 1000000/s
	    allow: { sources: 10.0.0.0/8, sizes: 1-1400 }
	    interfaces: [$all]
	  mdns:
	    preset: mdns
	    allow: { services: _http._tcp }
	    interfaces: [$all]
	  six: { address: "ff02::4242", port: 4242, interfaces: [$all] }
	  framed:
	    address: 239.255.44.44
	    port: 4444
	    send: frame
	    interfaces: [$all]
	  kept:
	    address: 239.255.45.45
	    port: 4545
	    source: preserve
	    interfaces: [$all]
	  asked:
	    address: 239.255.46.46
	    port: 4646
	    replies: proxy
	    reply-timeout: 500ms
	    interfaces: [s0, s1, s2]
	END
}

lay_out() {
	local i

	namespace router
	namespace far
	for ((i = 0; i <= fanout; i++)); do
		ip -n "$prefix-router" -batch - <<-END || broken "no segment $i"
		link add name s$i type veth peer name s$i netns $prefix-far
		address add 10.78.$i.1/24 dev s$i
		address add fd78:$i::1/64 dev s$i nodad
		link set dev s$i up
		END
		ip -n "$prefix-far" -batch - <<-END || broken "no segment $i"
		address add 10.78.$i.2/24 dev s$i
		address add fd78:$i::2/64 dev s$i nodad
		link set dev s$i up
		END
	done
}

# --- The load -----------------------------------------------------------------

# flood OPTION...: of the host on s0, to the group; sets `flooded` to how many,
# and `reached` to how many a second. Paced, or the load would send many in one
# piece, which a device drops as one; and of many sizes, or crierd would, which is
# much cheaper.
sent=0
flood() {
	on far "$load" s0 "$address" "$port" --payload mixed "$@" >"$work/sent" ||
		broken 'no load'
	flooded=$(how_many "$work/sent")
	reached=$(sed -n 's/.* rate=//p' "$work/sent")
	mark_end
	((sent += flooded))
}

# mark_end: sets `ended_ms`, when the last datagram was sent, and `waited_ns`: how
# long crierd had waited by then for a processor that others had.
mark_end() {
	ended_ms=$(now_ms)
	read -r _ waited_ns _ <"/proc/${pid_of[crierd]}/schedstat"
}

how_many() {
	sed -n 's/^sent=\([0-9]*\) .*/\1/p' "$1"
}

# --- What is said beside it -----------------------------------------------------

# beside SECONDS: on all channels, of a host on s0; one on s1 answers searches.
answered=0
beside() {
	local channel name group port payload

	for channel in "${channels[@]}"; do
		read -r name group port payload <<<"$channel"
		start "$name" far "$load" s0 "$group" "$port" \
			--payload "$payload" --rate $beside_rate \
			--count "$(scaled $beside_rate "$1")"
	done
	start searches far "$PYTHON" "$soak/searches.py" s0 s1 239.255.46.46 \
		4646 $search_rate "$(scaled $search_rate "$1")"
}

# scaled RATE SECONDS: how many that is, which need not be whole.
scaled() {
	"$PYTHON" -c 'import sys
print(max(1, round(float(sys.argv[1]) * float(sys.argv[2]))))' "$@"
}

# beside_ends: waits for it, and counts it.
beside_ends() {
	local channel name last

	for channel in "${channels[@]}" searches; do
		read -r name _ <<<"$channel"
		within 20 not is_running "$name" || broken "$name goes on"
		stop "$name"
	done
	for channel in "${channels[@]}"; do
		read -r name _ <<<"$channel"
		((sent += $(how_many "$work/$name.out")))
	done
	searched=$(<"$work/searches.out")
	# One that was stopped, where the load was too much, has no sums.
	[[ $(query "'asked' in d" <<<"$searched") == True ]] ||
		searched='{"asked": 0, "answered": 0, "ended_ms": 0}'
	((sent += $(query "d['asked']" <<<"$searched")))
	((answered += $(query "d['answered']" <<<"$searched")))
	# On a slow machine it may end after the load.
	last=$(query "d['ended_ms']" <<<"$searched")
	((ended_ms = last > ended_ms ? last : ended_ms))
}
