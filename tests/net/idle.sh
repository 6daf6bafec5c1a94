#!/bin/bash
#
# Idle, the daemon makes no system call at all.

. "$(dirname "$0")/lib.sh"
needs strace strace

cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  a: { device: a }
  b: { device: b }
  gone: { device: "gone*" }
groups:
  mdns: { preset: mdns, interfaces: [a, b, gone] }
  ssdp: { preset: ssdp, interfaces: [a, b] }
  wide: { broadcast: true, port: 6666, interfaces: [a, b] }
END

segment a b
host router a=1 b=1
host ha a=10
for leg in router/a router/b ha/a; do
	within 5 has_link_local "${leg%/*}" "${leg#*/}" ||
		broken "$leg has no link-local address"
done
start_crierd crierd router "$work/crierd.yaml"
within 5 holds "d['segments']['joined'] >= 10" json crierd status ||
	broken 'crierd does not join'

# calls SECONDS: those begun while somebody looked on. What was under way when
# strace came, and when it went, is the wait for something to happen.
calls() {
	timeout "$1" strace -f -qq -p "${pid_of[crierd]}" -o "$work/trace" \
		2>"$work/strace.log" </dev/null
	grep -Evc '<detached|<unfinished|resumed>|restart_syscall' \
		"$work/trace"
}

timeout 1 strace -f -qq -p "${pid_of[crierd]}" -o "$work/trace" \
	>"$work/strace.log" 2>&1
grep -q 'not permitted' "$work/strace.log" &&
	skip 'strace may not look at processes here'

# That strace sees anything at all: a datagram wakes the daemon.
watch() {
	calls 3 >"$work/busy"
}
watch &
watcher=$!
within 2 grep -q . "$work/trace"
mcast ha send --to 255.255.255.255 --port 6666 --iface a --count 20 --rate 10 \
	--quiet >"$work/sent"
wait $watcher
claim "strace sees what a datagram causes" test "$(<"$work/busy")" -gt 0

# What is remembered of it (2 s of dedup) is forgotten without a timer.
claim "idle, no system call in 5 seconds" equal 0 calls 5
sed 's/^/# /' "$work/trace"
claim "crierd ends with 0" stop crierd
finish
