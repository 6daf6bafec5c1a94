#!/bin/bash
#
# The benchmark's harness works: every relay relays, every figure is there, and
# what does not relay is told. It says nothing of how fast anything is.

. "$(dirname "$0")/lib.sh"
needs strace strace
needs taskset util-linux
compare=$lib/../bench/compare

smoke() {
	"$PYTHON" "$compare" --build "$top_builddir" --json "$work/$1.json" \
		"${@:2}" >"$work/$1.out" 2>&1
}

# says NAME EXPRESSION: that it is true of the figures of that run.
says() {
	holds "$2" cat "$work/$1.json"
}

smoke all --smoke
status=$?
sed 's/^/# /' "$work/all.out"
claim 'nothing fails' test "$status" -eq 0

# relayed FAMILY RELAY: that it took processor time to send copies.
relayed() {
	says all "[c for c in d['cells'] if c['family'] == '$1' and
		c['relay'] == '$2' and c['payload'] == 'opaque' and
		c['median']['ns_saturated'] > 0 and
		c['ratio_to_A']['ns_saturated'] > 0]"' != []'
}
for family in 4 6 broadcast; do
	for relay in A P crier crier-plain; do
		claim "$relay relays, family $family" relayed $family $relay
	done
done
claim 'frames are measured, or said to be skipped' says all \
	"any('crier-frame' in n for n in d['notes']) or
	any(c['relay'] == 'crier-frame' for c in d['cells'])"
claim 'announcements all arrive, once' says all \
	"[(c['median']['missing'], c['median']['twice']) for c in d['cells']
	if c['payload'] == 'mdns'] == [(0, 0), (0, 0)]"
claim 'each copy has its delay' says all \
	"all(c['median']['p50_us'] > 0 for c in d['cells']
	if c['payload'] == 'mdns')"
claim 'there is a rate without loss' says all \
	"any(c['median'].get('lossfree', 0) > 0 for c in d['cells'])"
# One call to hear and one to send at least, unless they are shared.
claim 'system calls are counted' says all \
	"all(1.5 < c['median']['calls_slow'] < 10 and
	0 < c['median']['calls_saturated'] < 3 for c in d['cells']
	if 'calls_slow' in c['median'])"
claim 'a start and a reload are timed' says all \
	"d['alone']['ready_ms'][0] > 0 and d['alone']['reload_ms'][0] > 0 and
	d['alone']['joined'] == [1]"
claim 'entries take memory' says all \
	"d['alone']['entries_kib'][0] > d['alone']['start_kib'][0] > 0"

# Another relay, which joins and does nothing.
smoke deaf --relays A --fanout 1 --family 4 --rounds 1 --scale 0.2 --relay \
	"deaf=$PYTHON $lib/mcast.py listen --to {group} --port {port} --iface {in}"
status=$?
sed 's/^/# /' "$work/deaf.out"
claim 'a relay that relays nothing is a failure' test "$status" -eq 1
claim 'and named' says deaf "'deaf relays nothing' in d['notes'][0] and
	[c['relay'] for c in d['cells']] == ['A']"
# Of a run that was interrupted nothing is left.
left() {
	ip netns list 2>"$work/list" | grep -q "^crier-$1-"
}
start early switch "$PYTHON" "$compare" --build "$top_builddir" --rounds 100
within 10 left "${pid_of[early]}" || broken 'no namespaces'
early=${pid_of[early]}
kill -INT "$early"
# It removes dozens of devices, on a machine that may be busy.
within 60 not is_running early
stop early
claim 'an interrupt leaves no namespace' not left "$early"
finish
