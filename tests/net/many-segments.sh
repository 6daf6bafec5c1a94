#!/bin/bash
#
# 64 segments in one group, found by a pattern: what is heard on one is sent
# once on each of the 63 others, over both families and by broadcast.

. "$(dirname "$0")/lib.sh"

n=64
cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  all: { device: "s*" }
groups:
  many:
    address: [239.255.64.64, "ff02::6464", "ff15::6464"]
    broadcast: true
    port: 6464
    interfaces: [all]
END

names=() router=() far=() devices=''
for ((i = 1; i <= n; i++)); do
	names+=("s$i")
	router+=("s$i=1")
	far+=("s$i=10")
	devices+=${devices:+,}s$i
done
segment "${names[@]}"
host router "${router[@]}"
host far "${far[@]}"
within 10 has_link_local far s$n || broken 'no link-local address'
within 10 has_link_local router s$n || broken 'no link-local address'
start_crierd crierd router "$work/crierd.yaml"
claim "all 64 are joined, on four channels" within 10 \
	holds "d['segments']['joined'] == 4 * $n" json crierd status
claim "each has its line in groups" \
	holds "all(len(c['segments']) == $n for c in d[0]['channels'])" \
	json crierd groups

for address in 239.255.64.64 ff02::6464 ff15::6464 255.255.255.255; do
	# The host that hears is the one that sends: it has a leg everywhere.
	listen ear far --to $address --port 6464 --iface "$devices" --foreign
	for ((i = 1; i <= n; i++)); do
		mcast far send --to $address --port 6464 --iface s$i \
			--first $i --quiet
	done >"$work/sent"
	claim "$address: every datagram is heard on the 63 others" within 10 \
		at_least $((n * (n - 1))) "'digest' in d" "$work/ear.out"
	# What comes last ends it: a second copy would have come before.
	mcast far send --to $address --port 6464 --iface s1 --text end \
		--quiet >"$work/sent"
	within 10 at_least $((n - 1)) "d['digest'] == '$(digest_of end)'" \
		"$work/ear.out"
	stop ear
	claim "$address: none is heard twice" \
		heard ear "d['heard'] == d['distinct'] == $((n * n - 1))"
done
claim "nothing was dropped by a queue or the kernel" \
	holds "not any(d['totals']['dropped'][k]
		for k in ('queue', 'error', 'kernel'))" json crierd status
claim "crierd ends with 0" stop crierd
finish
