#!/bin/bash
#
# 100,000 hosts announce a service each: how much memory the table takes, how
# soon `status` answers meanwhile, and whether relaying at 5,000 datagrams a
# second loses any. Prints figures, and fails where a bound is not kept.
#
# usage: discovered.sh [HOSTS [RATE]]

n=${1:-100000}
rate=${2:-5000}
# shellcheck source=../net/lib.sh
. "$(dirname "$0")/../net/lib.sh"
bench=$top_builddir/tests/bench
for tool in announce load sink; do
	[[ -x $bench/$tool ]] || broken "no $tool: \"make bench\" builds it"
done

cat >"$work/crierd.yaml" <<END
control: { group: root }
limits: { discovered: 131072 }
interfaces:
  home: { device: home }
  iot: { device: iot }
groups:
  mdns: { preset: mdns, rate: off, interfaces: [home, iot] }
  beacon: { address: 239.255.42.42, port: 4242, rate: off,
    interfaces: [home, iot] }
END

segment home iot
host router
attach router home 1
attach router iot 1
ip -n "$prefix-router" address add 10.64.0.1/10 dev iot
host phone home=10
host tv iot=20
start_joined crierd router "$work/crierd.yaml"

memory_kib() {
	awk '/^VmRSS/ { print $2 }' "/proc/${pid_of[crierd]}/status"
}

# used: entries of the table, as seen by `status`.
used() {
	json crierd status | query "d['limits']['discovered']['used']"
}

# Seconds of the processor, in user space and in the kernel.
cpu() {
	awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' \
		"/proc/${pid_of[crierd]}/stat"
}

before=$(memory_kib) cpu_before=$(cpu)
on tv "$bench/announce" iot "$n" 10000 >"$work/announced" ||
	broken 'cannot announce'
claim "all $n are in the table" within 10 equal "$n" used
after=$(memory_kib) cpu_after=$(cpu)

# asks TIMES: milliseconds that `status` took, on one connection each, sorted.
asks() {
	"$PYTHON" - "$work/crierd.sock" "$1" <<-END
	import socket, sys, time
	for i in range(int(sys.argv[2])):
	    start = time.monotonic()
	    s = socket.socket(socket.AF_UNIX)
	    s.connect(sys.argv[1])
	    s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"status"}\n')
	    while not s.recv(65536).endswith(b"\n"):
	        pass
	    print((time.monotonic() - start) * 1000)
	    s.close()
	    time.sleep(0.01)
	END
}

# Half of all announce again meanwhile, so that the table works too.
seconds=10
start count phone "$bench/sink" home 239.255.42.42 4242 \
	--count $((rate * seconds)) --idle 2000
within 10 grep -q ready "$work/count.out" || broken 'nobody counts'
start again tv "$bench/announce" iot $((n / 2)) 4000
start send tv "$bench/load" iot 239.255.42.42 4242 \
	--count $((rate * seconds)) --rate "$rate"
asks 300 | sort -g >"$work/asked"
wait "${pid_of[send]}" "${pid_of[count]}"
unset "pid_of[send]" "pid_of[count]"
median=$(sed -n 150p "$work/asked")
worst=$(tail -n 1 "$work/asked")
heard=$(sed -n 's/.* heard=\([0-9]*\).*/\1/p' "$work/count.out")

echo "memory: $before KiB before, $after KiB with $n entries," \
	"$(((after - before) * 1024 / n)) bytes each"
echo "cpu: $cpu_before s before, $cpu_after s after $n were taken in and relayed"
echo "status: $median ms in the middle, $worst ms at worst, of 300"
echo "relayed at $rate/s: $heard of $((rate * seconds))"
echo "announced: $(<"$work/announced")"

less() {
	"$PYTHON" -c 'import sys; sys.exit(float(sys.argv[1]) >= float(sys.argv[2]))' "$@"
}
claim 'the whole takes less than 64 MiB' less "$after" 65536
claim 'status answers within 5 ms in the middle' less "$median" 5
claim 'nothing is lost' equal $((rate * seconds)) echo "$heard"
finish
