#!/bin/bash
#
# What `crierctl explain` says is what happens: for each reason to drop, and
# for what is sent, a datagram is described to it, really sent, and looked for
# in a capture and in the counters.

. "$(dirname "$0")/peers.sh"
wants tcpdump tcpdump
wants_module zeroconf python3-zeroconf

cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  home: { device: home }
  iot: { device: iot }
  bare: { device: bare }
  site: { device: site, peers: [10.77.4.2] }
  gone: { device: gone }
groups:
  plain:
    address: [239.255.70.1, "ff02::7001"]
    broadcast: true
    port: 7001
    interfaces: [home, iot, bare, gone]
  oneway: { address: 239.255.70.2, port: 7002, from: [home], to: [iot] }
  guests:
    address: 239.255.70.3
    port: 7003
    searchers: [home]
    devices: [iot]
  sources:
    address: 239.255.70.4
    port: 7004
    interfaces: [home, iot]
    deny: { sources: [10.77.1.66] }
  allowed:
    address: 239.255.70.5
    port: 7005
    interfaces: [home, iot]
    allow: { sources: [10.77.1.66, 10.77.2.0/24] }
  sizes:
    address: 239.255.70.6
    port: 7006
    interfaces: [home, iot]
    allow: { sizes: 1-100 }
  use:
    address: 239.255.70.7
    port: 7007
    interfaces: [home, { name: iot, deny: { sizes: 50-60 } }]
  ttl:
    address: 239.255.70.8
    port: 7008
    interfaces: [home, iot]
    ttl: decrement
  standby:
    address: 239.255.70.9
    port: 7009
    interfaces: [home, iot]
    standby: true
  rate:
    address: 239.255.70.10
    port: 7010
    interfaces: [home, iot]
    rate: 1/s
  peers: { address: 239.255.70.11, port: 7011, interfaces: [home, site] }
  ssdp:
    preset: ssdp
    interfaces: [home, iot]
    replies: none
    allow: { targets: ["urn:good:*"] }
  mdns:
    preset: mdns
    interfaces: [home, iot]
    deny: { services: [_airplay._tcp] }
END

segment home iot bare site
host router home=1 iot=1 site=1
host sender home=10 iot=10 site=9
host peer site=2
plug router bare
ip -n "$prefix-router" link set dev bare up
# Other sources: one that a filter names, and one that belongs elsewhere.
ip -n "$prefix-sender" address add 10.77.1.66/24 dev home
ip -n "$prefix-sender" address add 10.77.2.77/32 dev home
# shellcheck disable=SC2016 # the inner shell expands
on router sh -c 'for f in /proc/sys/net/ipv4/conf/*/rp_filter; do
	echo 0 >$f
done'
addressed router/home router/iot sender/home
start_crierd crierd router "$work/crierd.yaml"
joined_but_bare() {
	holds "d['segments']['joined'] > 20 and
		d['segments']['no-address'] == 2 and
		d['segments']['absent'] == 3" json crierd status
}
within 5 joined_but_bare || {
	json crierd status
	broken 'the segments do not come up'
}
for name in home iot bare site; do
	capture $name $name udp
done

# explain VERDICT GROUP FROM OUT OPTION...: that it says so of OUT.
explain() {
	holds "[e['verdict'] for e in d if e['interface'] == '$4'] == ['$1']" \
		json crierd explain --group "$2" --from "$3" "${@:5}"
}

# One datagram has been counted as VERDICT in GROUP, on SEGMENT, and what it
# says is, or is not, on OUT.
number=0
never=()
row() {
	local title=$1 verdict=$2 group=$3 from=$4 out=$5 before key
	local -a describe=() send=()

	shift 5
	while [[ $1 != -- ]]; do
		describe+=("$1")
		shift
	done
	shift
	send=("$@")
	number=$((number + 1))
	mark="row-$number-$title"
	claim "$title: explained as $verdict" \
		explain "$verdict" "$group" "$from" "$out" "${describe[@]}"
	key=dropped.$verdict
	[[ $verdict != sent ]] || key=sent
	before=$(counter crierd "$key" "$group" "$counted")
	"${send[@]}" >"$work/sent" 2>&1 || broken "$title: $(<"$work/sent")"
	claim "$title: counted as $verdict" within 3 \
		equal $((before + 1)) counter crierd "$key" "$group" "$counted"
	if [[ $verdict == sent ]]; then
		claim "$title: and captured" within 3 \
			captures 1 "$from_crier and b'$mark'.hex() in d['data']" \
			"$out"
	else
		never+=("$out $mark")
	fi
}
from_crier="d['source'] in ('10.77.1.1', '10.77.2.1', '10.77.4.1',
	'$(link_local_of router home)', '$(link_local_of router iot)')"

# say TO PORT OPTION...: the mark, from the sender's home leg.
say() {
	mcast sender send --iface home --to "$1" --port "$2" --text "$mark" \
		--ttl 4 "${@:3}"
}

# --- Every group has two segments, so one counter moves, but here -----------

counted=iot
row plain sent plain home iot --source 10.77.1.10 -- say 239.255.70.1 7001
row six sent plain home iot --source "$(link_local_of sender home)" -- \
	say ff02::7001 7001
row broadcast sent plain home iot --source 10.77.1.10 \
	--destination 255.255.255.255 -- say 255.255.255.255 7001
row directed sent plain home iot --source 10.77.1.10 \
	--destination 10.77.1.255 -- say 10.77.1.255 7001
counted=bare
row no-address no_address plain home bare --source 10.77.1.10 -- \
	say 239.255.70.1 7001
counted=''
own() {
	mcast router send --iface home --to 239.255.70.2 --port 7002 --loop \
		--text "$mark"
}
row own own oneway home iot --source 10.77.1.1 -- own
row elsewhere loop oneway home iot --source 10.77.2.77 -- \
	say 239.255.70.2 7002 --source 10.77.2.77
back() {
	mcast sender send --iface iot --to 239.255.70.3 --port 7003 \
		--text "$mark" "$@"
}
row announcement direction guests home iot --source 10.77.1.10 --port 7003 \
	--kind announcement -- say 239.255.70.3 7003 --source-port 7003
row search sent guests home iot --source 10.77.1.10 --port 4444 \
	--kind search -- say 239.255.70.3 7003 --source-port 4444
row back direction guests iot home --source 10.77.2.10 --port 4444 \
	--kind search -- back --source-port 4444
row forth sent guests iot home --source 10.77.2.10 --port 7003 \
	--kind announcement -- back --source-port 7003
row denied filter sources home iot --source 10.77.1.66 -- \
	say 239.255.70.4 7004 --source 10.77.1.66
row not-denied sent sources home iot --source 10.77.1.10 -- \
	say 239.255.70.4 7004
row not-allowed filter allowed home iot --source 10.77.1.10 -- \
	say 239.255.70.5 7005
row allowed sent allowed home iot --source 10.77.1.66 -- \
	say 239.255.70.5 7005 --source 10.77.1.66

# sized BYTES PORT: that begins with the mark.
sized() {
	local text

	printf -v text "%-$1s" "$mark"
	mcast sender send --iface home --to "$2" --port "$3" --text "$text"
}
row at-size sent sizes home iot --source 10.77.1.10 --size 100 -- \
	sized 100 239.255.70.6 7006
row over-size size sizes home iot --source 10.77.1.10 --size 101 -- \
	sized 101 239.255.70.6 7006
row use-size size use home iot --source 10.77.1.10 --size 60 -- \
	sized 60 239.255.70.7 7007
row use-other sent use home iot --source 10.77.1.10 --size 61 -- \
	sized 61 239.255.70.7 7007
row ttl-ends ttl ttl home iot --source 10.77.1.10 --ttl 1 -- \
	say 239.255.70.8 7008 --ttl 1
row ttl-left sent ttl home iot --source 10.77.1.10 --ttl 2 -- \
	say 239.255.70.8 7008 --ttl 2
row standby standby standby home iot --source 10.77.1.10 -- \
	say 239.255.70.9 7009
ctl crierd standby off >"$work/off"
row active sent standby home iot --source 10.77.1.10 -- say 239.255.70.9 7009

# A stranger on a segment that has peers, and a peer.
to_tunnel() {
	mcast "$1" send --iface site --to 10.77.4.1 --port 7011 --text "$mark"
}
row stranger filter peers site home --source 10.77.4.9 -- to_tunnel sender
row peer sent peers site home --source 10.77.4.2 -- to_tunnel peer
row to-peers sent peers home site --source 10.77.1.10 -- say 239.255.70.11 7011

# The decoders' names.
search_for() {
	say 239.255.255.250 1900 --text "M-SEARCH * HTTP/1.1"$'\r'"
HOST: 239.255.255.250:1900"$'\r'"
MAN: \"ssdp:discover\""$'\r'"
MX: 1"$'\r'"
ST: $1"$'\r'"
USER-AGENT: $mark"$'\r\n\r\n'
}
row target filter ssdp home iot --source 10.77.1.10 --port 4000 \
	--kind search --type urn:bad:x -- search_for urn:bad:x
row target-good sent ssdp home iot --source 10.77.1.10 --port 4000 \
	--kind search --type urn:good:x -- search_for urn:good:x
announce() {
	on sender "$PYTHON" "$lib/mdns-peer.py" announce home 224.0.0.251 \
		"$mark" "$1"
}
row service filter mdns home iot --source 10.77.1.10 --kind announcement \
	--type _airplay._tcp -- announce _airplay._tcp
row service-good sent mdns home iot --source 10.77.1.10 --kind announcement \
	--type _hap._tcp -- announce _hap._tcp

# The rate: looked at, never spent.
row in-rate sent rate home iot --source 10.77.1.10 -- say 239.255.70.10 7010
tries=0
# On a busy machine a second goes by in the middle of it: then once more.
spent() {
	tries=$((tries + 1))
	within 3 explain sent rate home iot --source 10.77.1.10 || return
	mark="row-rate-a"
	say 239.255.70.10 7010 --count 2
	for _ in 1 2 3; do
		explain rate rate home iot --source 10.77.1.10 || return
	done
}
claim "rate: explained as rate while nothing is left, and not spent" \
	within 20 spent
claim "rate: counted as rate" \
	equal "$tries" counter crierd dropped.rate rate
claim "rate: another host is not concerned" \
	explain sent rate home iot --source 10.77.1.11
claim "rate: explained as sent when there is room again" within 3 \
	explain sent rate home iot --source 10.77.1.10
row rate-again sent rate home iot --source 10.77.1.10 -- \
	say 239.255.70.10 7010

claim "a device that is absent is an error in words" holds \
	"[e['verdict'] for e in d if e['interface'] == 'gone'] == ['error'] and
	any('absent' in e['rule'] for e in d)" json crierd explain \
	--group plain --from home --source 10.77.1.10

# What was dropped was sent nowhere: by now it would be there.
dropped() {
	local entry

	for entry in "${never[@]}"; do
		has_captured 0 "$from_crier and
			b'${entry#* }'.hex() in d['data']" "${entry%% *}" ||
			return
	done
}
claim "nothing of what was explained as dropped is in a capture" dropped
claim "crierd ends with 0" stop crierd
finish
