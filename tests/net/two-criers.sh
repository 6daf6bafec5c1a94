#!/bin/bash
#
# Two crierds between the same segments: one datagram makes at most one copy
# for each crierd on each segment, everybody hears it, and then there is
# silence.

. "$(dirname "$0")/lib.sh"

segment a b c
host one a=1 b=1 c=1
host two a=2 b=2 c=2
host ha a=10
host hb b=10
host hc c=10

configure() {
	cat <<-END
	control: { group: root }
	interfaces:
	  a: { device: a }
	  b: { device: b }
	  c: { device: c }
	groups:
	  four: { address: 239.255.42.42, port: 4242, interfaces: [$1] }
	  six:
	    address: ["ff02::4242", "ff15::4242"]
	    port: 4242
	    interfaces: [$1]
	  wide: { broadcast: true, port: 4242, interfaces: [$1] }
	  mdns: { preset: mdns, interfaces: [$1] }
	END
}

# copies FILE: the most copies of one payload that came from one source.
copies() {
	"$PYTHON" -c 'import collections, json, sys
seen = collections.Counter()
for line in open(sys.argv[1]):
    d = json.loads(line)
    if "digest" in d:
        seen[d["digest"], d["source"]] += 1
print(max(seen.values(), default=0))' "$1"
}

at_most_one_copy() {
	(($(copies "$1") <= 1))
}

distinct() {
	digests "$1" | sort -u | wc -l
}

# dies_out WHAT ADDRESS-A ADDRESS-B ADDRESS-C PORT
dies_out() {
	local what=$1 port=$5 n

	listen a ha --to "$2" --port "$port" --iface a
	listen b hb --to "$3" --port "$port" --iface b
	listen c hc --to "$4" --port "$port" --iface c
	mcast ha send --to "$2" --port "$port" --iface a --count 20 --rate 200 \
		--seed "$what" >"$work/sent"
	claim "$what: all reach b" within 5 \
		equal 20 distinct "$work/b.out"
	[[ $segments != *c* ]] ||
		claim "$what: all reach c" within 5 \
			equal 20 distinct "$work/c.out"
	# Ten times as long as a loop would take to show itself.
	for n in a b c; do
		quiet_for 300 "$work/$n.out"
	done
	for n in a b c; do
		stop $n
		claim "$what: at most one copy for each crierd on $n" \
			at_most_one_copy "$work/$n.out"
	done
}

sent_by_both() {
	{
		json crierd1 status
		json crierd2 status
	} | "$PYTHON" -c 'import json, sys
text, d, total = sys.stdin.read(), json.JSONDecoder(), 0
while text.strip():
    value, end = d.raw_decode(text.strip())
    total, text = total + value["totals"]["sent"], text.strip()[end:]
print(total)'
}

for segments in "a, b" "a, b, c"; do
	configure "$segments" >"$work/crierd.yaml"
	start_joined crierd1 one "$work/crierd.yaml"
	start_joined crierd2 two "$work/crierd.yaml"
	dies_out "[$segments] IPv4" 239.255.42.42{,,} 4242
	dies_out "[$segments] IPv6 link" ff02::4242{,,} 4242
	dies_out "[$segments] IPv6 site" ff15::4242{,,} 4242
	dies_out "[$segments] 255.255.255.255" 255.255.255.255{,,} 4242
	dies_out "[$segments] subnet broadcast" \
		10.77.1.255 10.77.2.255 10.77.3.255 4242
	dies_out "[$segments] mDNS" 224.0.0.251{,,} 5353
	before=$(sent_by_both)
	# Longer than `dedup` remembers.
	sleep 2.5
	claim "[$segments] and then there is silence" \
		equal "$before" sent_by_both
	claim "[$segments] the first ends with 0" stop crierd1
	claim "[$segments] the second ends with 0" stop crierd2
done
finish
