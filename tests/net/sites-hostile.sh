#!/bin/bash
#
# A site that has been taken over, "mallory", with its own password and what it
# likes to say. The access list that is shipped keeps it from speaking for
# others and from hearing what is not for it; what it says for itself is
# limited by `take`, and pushes out nothing of another site's.

. "$(dirname "$0")/mqtt.sh"

segment wan home
host home home=1 "wan=${number_of_segment[home]}"
host tv home=20
addressed home/home tv/home
prepare_broker home cabin mallory shunned
wan=10.77.${number_of_segment[wan]}.99
start_broker
configure_site home
cat >>"$work/home-mqtt.yaml" <<-END
limits: { known: 300 }
END
sed -i '/^groups: /d' "$work/home-mqtt.yaml"
cat >>"$work/home-mqtt.yaml" <<-END
groups:
  mdns:
    take:
      deny: { services: [_bad._tcp] }
  ssdp:
    take:
      from: ["*", "!shunned"]
      rate: 50/s
      deny:
        sources: [203.0.113.0/24]
        targets: ["urn:bad:*"]
        sizes: 1200-65507
END
claim 'the configuration is valid' \
	"$crier_mqtt" -c "$work/home-mqtt.yaml" --check
start_site home
claim 'home is connected' within 15 is_connected home

# says USER: what is on standard input. See mqtt-peer.py.
says() {
	on broker "$PYTHON" "$lib/mqtt-peer.py" "$wan" "$work/ca.pem" "$1" \
		"$1-pw" "${2:-peer-$1}" >"$work/said" 2>"$work/said.log" ||
		broken "mqtt-peer.py: $(tail -n 2 "$work/said.log")"
}

# notify SITE NAME [TARGET]: an announcement by SSDP in JSON, to be completed.
notify() {
	printf '"topic":"crier/1/%s/ssdp/announce/%s","retain":true,' "$1" "$2"
	printf '"expires":300,"payload":"NOTIFY * HTTP/1.1\\r\\nHOST: '
	printf '239.255.255.250:1900\\r\\nNTS: ssdp:alive\\r\\nNT: %s\\r\\n' \
		"${3:-upnp:rootdevice}"
	printf 'USN: uuid:%s\\r\\nCACHE-CONTROL: max-age=300\\r\\n' "$2"
	printf 'LOCATION: http://192.0.2.1/\\r\\n\\r\\n"'
}

# stamped HOPS [MORE]: the properties that a crier-mqtt would send.
stamped() {
	printf '"user":[["hops","%s"],["heard","%s"],["kind","announcement"]' \
		"$1" "$EPOCHREALTIME"
	printf '%s]' "${2:+,$2}"
}

# refused: the broker has refused all that was said.
refused() {
	has_lines 0 "d['reason'] != 135" "$work/said" &&
		has_lines "$1" "d['reason'] == 135" "$work/said"
}

# of_site SITE FIELD: what crier-mqtt says of it.
of_site() {
	json home status | query "next((s['$2'] for s in d['sites'][0]['sites']
		if s['site'] == '$1'), 0)"
}

says_of() {
	[[ $(of_site "$1" "$2") == "$3" ]]
}

# dropped N: that so many of mallory's messages were, since `before`.
dropped() {
	(($(of_site mallory dropped) - before == $1))
}

knows_of() {
	holds "sum(e['site'] == '$1' and e['name'].startswith('uuid:$2')
		for e in d['entries']) == $3" \
		json home discovered --group ssdp
}

# ---- What it may not say, and not hear ----

says cabin <<<"{$(notify cabin good),$(stamped cabin)}"
claim 'what a site says for itself is known' within 5 knows_of cabin good 1
says mallory <<-END
	{$(notify cabin forged),$(stamped cabin)}
	{"topic":"crier/1/cabin/ssdp/announce/good","retain":true,"bare":true}
	{"topic":"crier/1/cabin/online","payload":"offline","retain":true}
	{"topic":"crier/1/cabin/ssdp/search","payload":"M-SEARCH"}
	{"topic":"crier/1/cabin/ssdp/datagram","payload":"x"}
	{"topic":"crier/1/home/online","payload":"offline","retain":true}
	{"topic":"crier/1/home/ssdp/answer/cabin","payload":"x"}
	{"topic":"crier/1/home/ssdp/answer/home","payload":"x"}
	{"topic":"crier/2/mallory/online","payload":"x"}
	{"topic":"other/1/mallory/online","payload":"x"}
END
claim 'it cannot speak for others, nor elsewhere' refused 10
claim 'and none of that is known' knows_of cabin '' 1
hears() {
	on broker mosquitto_sub -h "$wan" -p 8883 --cafile "$work/ca.pem" \
		-V mqttv5 -u "$1" -P "$1-pw" -t "$2" -F '%t' -W 2 \
		>"$work/heard-$1" 2>"$work/heard.log" &
	listener=$!
	within 5 grep -q announce "$work/heard-$1"
}
for name in home mallory; do
	hears "$name" '#'
	says cabin <<<'{"topic":"crier/1/home/ssdp/answer/cabin","size":1}'
	wait "$listener"
done
claim 'home hears answers that are for it' grep -q \
	'^crier/1/home/ssdp/answer/cabin' "$work/heard-home"
claim 'mallory does not' not grep -q answer "$work/heard-mallory"
claim 'though it hears announcements' grep -q \
	'^crier/1/cabin/ssdp/announce/good' "$work/heard-mallory"

# ---- What is not what it should be ----

says mallory <<<"{$(notify mallory own),$(stamped mallory)}"
claim 'what it says properly is known' within 5 knows_of mallory own 1
before=$(of_site mallory dropped)
bad=$(notify mallory bad)
says mallory <<-END
	{$bad,$(stamped mallory '["digest","0123456789abcdef"]')}
	{$bad,$(stamped mallory '["digest","short"]')}
	{$bad,$(stamped mallory '["kind","announcement"]')}
	{$bad,$(stamped 'mallory,')}
	{$bad,$(stamped mallory/x)}
	{$bad,$(stamped cabin)}
	{$bad,$(stamped mallory '["origin","nowhere"]')}
	{$bad,$(stamped mallory '["origin-port","65536"]')}
	{$bad,$(stamped mallory '["segment","caf\u00e9"]')}
	{$bad,$(stamped mallory '["goodbye","perhaps"]')}
	{$bad,"bare":true}
	{"topic":"crier/1/mallory/ssdp/announce/bad","size":65508}
END
claim 'what is malformed is dropped, each' within 5 dropped 12
claim 'and is not known' knows_of mallory bad 0
before=$(of_site mallory dropped)
says mallory <<-END
	{$bad,$(stamped home)}
	{$bad,$(stamped home,mallory)}
	{$bad,$(stamped mallory,home)}
	{$bad,$(stamped cabin,home,mallory)}
END
claim 'what says that it was here already is dropped' within 5 dropped 4
claim 'and is not known either' knows_of mallory bad 0
# mosquitto itself passes on no control characters.
before=$(of_site mallory dropped)
says mallory <<-END
	{"topic":"crier/1/mallory/ssdp/announce/caf\u00e9","payload":"x"}
	{"topic":"crier/1/mallory/ssdp/announce/a/b","payload":"x"}
	{"topic":"crier/1/mallory/\"]}/announce/a","payload":"x"}
	{"topic":"crier/1/mallory/ssdp/announce/$(printf 'k%.0s' {1..201})",
	"payload":"x"}
END
claim 'topics that are none are passed over' within 2 dropped 0
says mallory <<<'{"topic":"crier/1/mallory/ssdp/announce/big","size":200000}'
claim 'the broker is told how much home takes, and it stays' is_connected home

# ---- Filters ----

before=$(of_site mallory dropped)
large=$(notify mallory large | sed "s/LOCATION/X: $(printf 'x%.0s' \
	{1..1200})\\\\r\\\\nLOCATION/")
# PTR of _bad._tcp.local to "a" there; TTL 120.
service=$(printf '%s' 00008400000000010000000 0045f626164045f746370056c6f \
	63616c00000c000100000078000401 61c00c)
says mallory <<-END
	{$(notify mallory source),$(stamped mallory '["origin","203.0.113.9"]')}
	{$(notify mallory target urn:bad:thing),$(stamped mallory)}
	{$large,$(stamped mallory)}
	{"topic":"crier/1/mallory/mdns/announce/s","hex":"$service",
	"retain":true,$(stamped mallory)}
END
claim 'its source, target, size and service are filtered' within 5 dropped 4
claim 'and none is known' knows_of mallory '' 1
says shunned <<<"{$(notify shunned here),$(stamped shunned)}"
claim 'nor is a site that is not to be taken from' within 5 \
	says_of shunned dropped 1
claim 'which is not known' knows_of shunned '' 0

# ---- Floods ----

rss() {
	awk '/^VmRSS/ { print $2 }' "/proc/${pid_of[$1]}/status"
}
mcast tv listen --to 239.255.255.250 --port 1900 --iface home --quiet \
	--timeout 8 >"$work/ear.out" 2>/dev/null &
ear=$!
begun=$(now_ms)
flood() {
	says mallory <<-END
		{"count":$1,$(notify mallory "$2{n}"),$(stamped mallory \
			'["n","{n}"]' | sed 's/"heard","[^"]*"/"heard","{n}"/')}
	END
}
flood 3000 flood
says cabin <<<"{$(notify cabin late),$(stamped cabin)}"
took=$(now_ms)
claim 'a flood from one site holds up no other' within 5 knows_of cabin late 1
took=$(($(now_ms) - took))
claim "($took ms)" test "$took" -lt 3000
wait "$ear"
lasted=$(($(now_ms) - begun))
claim "it is relayed at its rate ($lasted ms)" holds \
	"100 < d['heard'] < 50 * ($lasted / 1000 + 2) + 2" tail -n 1 "$work/ear.out"
# Besides what cabin has there is room for some of what mallory says.
claim 'it pushes out nothing of another' says_of cabin entries 2
claim 'nor from the table' knows_of cabin '' 2
# between LEAST MOST: so many of mallory's are kept.
between() {
	local n

	n=$(of_site mallory entries)
	((n >= $1 && n <= $2))
}
claim 'and has its share of what is kept, and no more' between 100 300
before=$(of_site mallory dropped)
says mallory <<-END
	{"count":2000,"topic":"crier/1/mallory/ssdp/datagram","payload":"{n}",
	"user":[["heard","{n}"],["kind","other"]]}
END
dropped_most() {
	(($(of_site mallory dropped) - before > 1500))
}
claim 'what has no name is dropped beyond the rate' within 5 dropped_most
mqtt_before=$(rss home-mqtt) crierd_before=$(rss home)
flood 3000 again
flood 3000 more
grown=$(($(rss home-mqtt) - mqtt_before))
claim "crier-mqtt grows no more by floods ($grown KiB)" test "$grown" -lt 8192
grown=$(($(rss home) - crierd_before))
claim "nor does crierd ($grown KiB)" test "$grown" -lt 8192

# ---- What is shown of it ----

says mallory <<-END
	{"topic":"crier/1/mallory/online","retain":true,
	"payload":"\u001b[31monline\"}"}
	{$(notify mallory own | sed 's/USN: uuid:own/&\\u001b[2J\\"}/'),$(stamped \
		mallory)}
END
claim 'it is not online for saying something else' within 5 \
	says_of mallory online False
shows_plainly() {
	ctl home "$1" >"$work/shown" && [[ -s $work/shown ]] &&
		! tr -d '\n\t' <"$work/shown" | LC_ALL=C grep -q '[[:cntrl:]]'
}
for name in status discovered metrics; do
	claim "$name shows no control characters" shows_plainly "$name"
done
claim 'and its JSON is such' holds "len(d['sites'][0]['sites']) >= 3" \
	json home status
claim 'home was connected all the time' equal 1 \
	grep -c 'connected to mqtts' "$work/home-mqtt.log"
claim 'crier-mqtt ends with 0' stop home-mqtt
claim 'and crierd' stop home
finish
