#!/bin/bash
#
# What a search of N bytes makes crier send is bounded, however greedy the
# devices are and whoever is said to ask, for mDNS, SSDP and WS-Discovery over
# both families: N bytes to each other segment, each answer once to each who
# waits, of whom one host is at most 128, and to who joins at most 32 KiB of each
# of these segments.

. "$(dirname "$0")/peers.sh"

# Segments that are searched, answers of each device, bytes of each.
others=3 answers=30 size=1400
kept=32768
rate=500

segment home a b c
host router home=1 a=1 b=1 c=1
host phone home=10
host tv a=20
host nas b=20
addressed router/{home,a,b,c} phone/home tv/a nas/b
# Those that the phone says it is; or answers to them would wait for ARP.
for i in 11 12 15; do
	ip -n "$prefix-phone" address add 10.77.1.$i/24 dev home
	ip -n "$prefix-phone" address add fd77:1::$i/64 dev home nodad
done

# Asked twice by the test is within a moment, however slow the machine.
cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces: { home: { device: home }, a: {}, b: {}, c: {} }
groups:
  mdns: { preset: mdns, dedup: 30s, reply-timeout: 60s }
  ssdp: { preset: ssdp, dedup: 30s, reply-timeout: 60s }
  wsd: { preset: wsd, dedup: 30s, reply-timeout: 60s }
END
sed -i 's/\([abc]\): {}/\1: { device: \1 }/g' "$work/crierd.yaml"
start_joined crierd router "$work/crierd.yaml"

# --- The shortest searches of each kind; the number makes them different ------

name_of() {
	# shellcheck disable=SC2059  # it is bytes
	printf "\\$(printf %03o ${#1})%s" "$1"
}

search_of() {
	local ws=http://schemas.xmlsoap.org/ws

	case $1 in
	mdns)
		printf '\0\0\0\0\0\1\0\0\0\0\0\0'
		name_of "$2"
		printf '\0\0\14\0\1'
		;;
	ssdp)
		printf 'M-SEARCH * HTTP/1.1\r\nMAN:"ssdp:discover"\r\nST:%s\r\n\r\n' \
			"$2"
		;;
	wsd)
		printf '<Envelope xmlns="http://www.w3.org/2003/05/soap-envelope"'
		printf ' xmlns:a="%s/2004/08/addressing"><Header>' $ws
		printf '<a:Action>%s/2005/04/discovery/Probe</a:Action>' $ws
		printf '<a:MessageID>%s</a:MessageID></Header><Body>' "$2"
		printf '<Probe xmlns="%s/2005/04/discovery"/></Body></Envelope>' $ws
		;;
	esac
}

# figures GROUP: {"sent", "bytes", "home", "waits", "rate"}: datagrams and bytes
# that were sent on the other segments, bytes that were sent home, and drops.
figures() {
	json crierd groups "$1" | query "(lambda home, out: json.dumps({
		'sent': sum(s['sent'] for s in out),
		'bytes': sum(s['sent_bytes'] for s in out),
		'home': sum(s['sent_bytes'] for s in home),
		'to_home': sum(s['sent'] for s in home),
		'waits': sum(s['dropped']['loop'] for s in out),
		'rate': sum(s['dropped']['rate'] for s in home)}))(
		*[[s for c in d[0]['channels'] for s in c['segments']
			if (s['interface'] == 'home') == k] for k in (True, False)])"
}

# since: what has become more since `before`.
since() {
	echo "[$before, $(figures "$group")]" |
		query "json.dumps({k: d[1][k] - d[0][k] for k in d[1]})"
}

more() {
	since | query "d['$1']"
}

# forge SOURCE OPTION...: from the phone, which says that it is SOURCE.
forge() {
	on phone "$PYTHON" "$lib/forge.py" home --to "$address" --port "$port" \
		--source "$@" >/dev/null || broken 'nothing is sent'
}

# settled: waits until nothing is sent for a moment.
settled() {
	local was=''

	until [[ $(figures "$group") == "$was" ]]; do
		was=$(figures "$group")
		sleep 0.3
	done
}

# --- What is bounded ----------------------------------------------------------

# amplifies GROUP ADDRESS PORT FROM: where hosts are FROM0, FROM1, ...
amplifies() {
	local group=$1 address=$2 port=$3 from=$4 what="$1, $2" n before
	local factor

	search_of "$group" x >"$work/search"
	n=$(stat -c %s "$work/search")

	before=$(figures "$group")
	forge "${from}0" --file "$work/search"
	claim "$what: $n bytes leave once on each other segment" within 5 \
		equal $((others * n)) more bytes
	claim "$what: and nothing else does" equal "$others 0" echo \
		"$(more sent) $(more home)"

	# A host that asks, and another the same when all has been answered.
	start_ready tv tv "$PYTHON" "$lib/greedy.py" "$group" a "$address" \
		"$port" "$answers" "$size"
	start_ready nas nas "$PYTHON" "$lib/greedy.py" "$group" b "$address" \
		"$port" "$answers" "$size"
	search_of "$group" y >"$work/search"
	before=$(figures "$group")
	forge "${from}0" --file "$work/search"
	claim "$what: each answer goes once to who asked" within 10 \
		equal $((2 * answers)) more to_home
	claim "$what: and all that they are" equal $((2 * answers * size)) \
		more home
	before=$(figures "$group")
	forge "${from}1" --file "$work/search"
	claim "$what: another who asks the same waits" within 5 \
		equal "$others" more waits
	settled
	claim "$what: and gets what is kept, of each segment" at_most \
		$((2 * kept)) $((2 * (kept - 2 * size))) more home
	claim "$what: at no other cost" equal 0 more bytes
	factor=$(($(more home) / n))
	notes+=("$what: $n bytes ask $((others * n)); who joins gets $(more home), $factor times")

	# Said to be from 200 ports of one host: the oldest give way.
	before=$(figures "$group")
	forge "${from}2" --file "$work/search" --count 200 --ports 200
	settled
	claim "$what: of 200 ports of one host 128 wait" holds \
		"max(len(f['searchers']) for f in d) == 130" json crierd flows
	claim "$what: nobody is asked again" equal 0 more bytes
	before=$(figures "$group")
	forge "${from}0" --file "$work/search"
	claim "$what: who asks again asks once" within 5 equal "$others" \
		more sent
	settled
	claim "$what: and each answer goes once to each" at_most \
		$((130 * 2 * answers)) $((130 * answers)) more to_home
	factor=$(($(more home) / n))
	notes+=("$what: asked again for 130: $(more home), $factor times")
	stop tv
	stop nas
	before=$(figures "$group")
	forge "${from}0" --file "$work/search" --count 100
	settled
	claim "$what: who repeats himself is sent 16 times" at_most \
		$((16 * others)) $((10 * others)) more sent
}

# at_most MOST LEAST COMMAND...
at_most() {
	local most=$1 least=$2 got

	shift 2
	got=$("$@")
	echo "$got, of $least to $most"
	((got <= most && got >= least))
}

# floods GROUP ADDRESS PORT FROM: 3000 different searches of one source.
floods() {
	local group=$1 address=$2 port=$3 from=$4 before begun took

	# A name has the length that stands before it.
	search_of "$group" n00000 | sed 's/00000/%05d/' >"$work/search"
	before=$(figures "$group")
	begun=$(now_ms)
	forge "${from}5" --file "$work/search" --count 3000
	settled
	took=$((($(now_ms) - begun) / 1000 + 1))
	claim "$1, $2: a flood of searches keeps to the rate" at_most \
		$((others * rate * (1 + took))) $((others * rate)) more sent
	claim "$1, $2: and what is too much counts" test "$(more rate)" -gt 0
}

notes=()
amplifies mdns 224.0.0.251 5353 10.77.1.1
amplifies mdns ff02::fb 5353 fd77:1::1
amplifies ssdp 239.255.255.250 1900 10.77.1.1
amplifies ssdp ff02::c 1900 fd77:1::1
amplifies wsd 239.255.255.250 3702 10.77.1.1
amplifies wsd ff02::c 3702 fd77:1::1
floods mdns 224.0.0.251 5353 10.77.1.1
floods ssdp 239.255.255.250 1900 10.77.1.1
floods wsd ff02::c 3702 fd77:1::1
claim 'crierd ends with 0' stop crierd
printf '# %s\n' "${notes[@]}"
finish
