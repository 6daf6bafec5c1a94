#!/bin/bash
#
# The control protocol as its schema has it: every method, every event, and
# what is refused, of a crierd at work.

. "$(dirname "$0")/peers.sh"

schema=$lib/../../docs/control.schema.json
"$PYTHON" -c 'import jsonschema' 2>/dev/null ||
	broken 'no jsonschema: install python3-jsonschema'

talk() {
	"$PYTHON" "$lib/schema.py" "$schema" "$work/crierd.sock" "$1"
}

# all_ok FILE: every line of it ends so, and there are some.
all_ok() {
	[[ -s $1 ]] && ! grep -v ' ok$' "$1"
}

segment a b
host router a=1 b=1
host ha a=10
host hb b=10
cat >"$work/crierd.yaml" <<-END
control: { group: root }
interfaces:
  a: { device: a }
  b: { device: b }
  away: { device: away }
groups:
  mdns: { preset: mdns, interfaces: [a, b, away] }
  ssdp: { preset: ssdp, interfaces: [a, b], hold: 1s }
  beacon:
    address: [239.255.42.42, "ff15::4242"]
    port: 4242
    interfaces: [a, b]
    hold: 1s
    deny: { sizes: 1-3 }
    rate: 20/s
END
start_crierd crierd router "$work/crierd.yaml"
all_but_away() {
	holds 'd["segments"]["joined"] >= 9' json crierd status
}
within 10 all_but_away || broken 'crierd does not join'
start events router "$PYTHON" "$lib/schema.py" "$schema" \
	"$work/crierd.sock" events
within 10 grep -q ready "$work/events.out" || broken "$(<"$work/events.log")"

# Announcements, a drop, a host that says too much.
send() {
	mcast "$1" send --to 239.255.42.42 --port 4242 --iface "${1#h}" \
		--quiet "${@:2}" >"$work/sent"
}
send ha --text xx
send ha --count 60
mcast hb send --to ff15::4242 --port 4242 --iface b --quiet >"$work/sent"

# A search that is answered, so that there is a flow too.
hex() {
	printf '%s\r\n' "$@" | od -An -v -tx1 | tr -d ' \n'
}
start_ready device hb "$PYTHON" "$lib/ask.py" device \
	--to 239.255.255.250 --port 1900 --iface b --name x \
	--hex "$(hex 'M-SEARCH * HTTP/1.1')" \
	--hex2 "$(hex 'HTTP/1.1 200 OK' 'ST: urn:x' 'USN: uuid:1::urn:x' \
		'CACHE-CONTROL: max-age=1' '')"
ask ha --to 239.255.255.250 --port 1900 --iface a --answers 1 --timeout 10 \
	--hex "$(hex 'M-SEARCH * HTTP/1.1' 'HOST: 239.255.255.250:1900' \
		'MAN: "ssdp:discover"' 'ST: urn:x' '')" >"$work/answers"
claim "a search is answered" at_least 1 "'uuid:1::urn:x' in d['text']" \
	"$work/answers"
claim "and has a flow" holds "len(d) == 1" json crierd flows

in_code() {
	sed -n '/rpc_method methods\[\]/,/^};/p' \
		"$lib/../../src/control/methods.c" |
		grep -oP '\.name = "\K[a-z-]+(?=")' | sort
}
in_schema() {
	query "'\\n'.join(sorted(d['\$defs']['results']))" <"$schema"
}
claim "the schema has the methods of the code" \
	equal "$(in_code)" in_schema
claim "and so has the reference" equal "$(in_code)" sh -c \
	"grep -oP '^### \\K[a-z-]+\$' '$lib/../../docs/control-protocol.md' |
		sort"
talk ask >"$work/asked"
claim "every result of every method is valid" all_ok "$work/asked"
talk refused >"$work/refused"
claim "what the schema forbids is refused" all_ok "$work/refused"
ip -n "$prefix-router" link set dev b down
nothing_lives() {
	holds 'd["limits"]["discovered"]["used"] == 0' json crierd status
}
claim "what was heard has expired" within 10 nothing_lives
stop events
grep -v '^ready' "$work/events.out" >"$work/events"
sed 's/^/# /' "$work/events"
claim "every event that came is valid" \
	not grep -vE ' (ok|did not come)$' "$work/events"
for event in discovered expired segment config announcement datagram drop \
	storm answer; do
	claim "$event came" grep -q "^$event ok\$" "$work/events"
done
finish
