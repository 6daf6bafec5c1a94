#!/bin/bash
#
# The kernel tells of more changes than the netlink socket can hold: crierd is
# stopped meanwhile. Afterwards it knows devices, addresses and states as the
# kernel has them within a second, also while changes go on.

. "$(dirname "$0")/lib.sh"

cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  a: { device: a }
  b: { device: b }
  c: { device: c }
  d: { device: d }
  more: { device: "x*" }
groups:
  beacon:
    address: [239.255.42.42, "ff15::4242"]
    broadcast: true
    port: 4242
END

segment a b c d
host router a=1 b=1 c=1 d=1
host ha a=10
host hb b=10
host hd d=10
ip -n "$prefix-router" -batch - <<-END || broken 'no x0'
	link add name x0 type veth peer name y0
	link set dev y0 up
	address add 10.80.0.1/24 broadcast + dev x0
	link set dev x0 up
END
start_joined crierd router "$work/crierd.yaml"
pid=${pid_of[crierd]}

# The state of crierd, as the kernel has it.
is_stopped() {
	[[ $(sed 's/.*) \(.\).*/\1/' "/proc/$pid/stat") == T ]]
}
freeze() {
	kill -STOP "$pid" && within 2 is_stopped
}
# dropped: how many messages its netlink sockets have lost.
dropped() {
	"$PYTHON" -c 'import os, re, sys
pid = sys.argv[1]
own = set()
for fd in os.listdir(f"/proc/{pid}/fd"):
    try:
        own.update(re.findall(r"socket:\[(\d+)\]",
                              os.readlink(f"/proc/{pid}/fd/{fd}")))
    except FileNotFoundError:
        pass
with open(f"/proc/{pid}/net/netlink") as file:
    names = next(file).split()
    print(sum(int(row[names.index("Drops")]) for row in map(str.split, file)
              if row[names.index("Inode")] in own))' "$pid"
}
# agrees: that crierd has each device as `ip` does, and no other.
agrees() {
	json crierd interfaces >"$work/has" &&
		ip -n "$prefix-router" -j -d address show >"$work/is" &&
		"$PYTHON" -c 'import json, sys

def has():
    for i in json.load(open(sys.argv[1])):
        if i["state"] != "absent":
            yield (i["device"], i["index"], i["mtu"], i["state"] == "up",
                   sorted(i["addresses"]))

def address(a, device):
    scope = "%" + device if a["scope"] == "link" and ":" in a["local"] else ""
    return "%s%s/%d" % (a["local"], scope, a["prefixlen"])

def real():
    for d in json.load(open(sys.argv[2])):
        if d["ifname"][0] in "abcdx":
            yield (d["ifname"], d["ifindex"], d["mtu"], "LOWER_UP" in d["flags"],
                   sorted(address(a, d["ifname"]) for a in d["addr_info"]))

differ = set(map(str, has())) ^ set(map(str, real()))
print("\n".join(sorted(differ)))
sys.exit(bool(differ))' "$work/has" "$work/is"
}
claim "at the start it knows what the kernel has" within 5 agrees

# change FIRST: hundreds of them, and what was there before is not there after.
change() {
	local i

	{
		for i in {1..150}; do
			echo "address add 10.80.$(($1 + i % 3)).$i/32 dev a"
			echo "address add fd80:$1::$i/64 dev b nodad"
		done
		for i in {1..149}; do
			echo "address delete 10.80.$(($1 + i % 3)).$i/32 dev a"
			echo "address delete fd80:$1::$i/64 dev b"
		done
		for i in {1..100}; do
			echo 'link set dev c down'
			echo "link set dev c mtu $((1300 + $1 + i % 2)) up"
		done
		echo 'link delete dev d'
		echo "link add name x$1 type veth peer name y$1"
		echo "link set dev y$1 up"
		echo "address add 10.8$1.0.1/24 broadcast + dev x$1"
		echo "link set dev x$1 up"
	} | ip -n "$prefix-router" -batch - && attach router d 1
}
overrun() {
	freeze || return
	change "$1" || return
	(($(dropped) > drops)) || return
	kill -CONT "$pid"
}
drops=$(dropped)
claim "hundreds of changes are more than the socket holds" overrun 1
claim "it knows what the kernel has within a second" within 1 agrees
claim "and is joined there" within 2 all_joined crierd
echo "# $(dropped) messages were lost"

says() {
	mcast "$1" send --to 239.255.42.42 --port 4242 --iface "$2" \
		--text "$3-$(now_ms)" --quiet >"$work/sent"
	at_least 1 "'digest' in d" "$work/again.out"
}
# crosses FROM DEVICE TO DEVICE: that what is said does, before long.
crosses() {
	local status=0

	listen again "$3" --to 239.255.42.42 --port 4242 --iface "$4"
	within 2 says "$1" "$2" text || status=1
	stop again
	return "$status"
}
claim "what is said on a device that is new crosses" crosses hd d hb b
claim "and what is said elsewhere is sent there" crosses ha a hd d

drops=$(dropped)
claim "a second time, too" overrun 2
claim "and it knows what the kernel has within a second" within 1 agrees
claim "and is joined there" within 2 all_joined crierd

# While it asks for all anew, there is more to lose.
flap() {
	local i

	while [[ -e $work/flap ]]; do
		for i in {1..100}; do
			echo "address add 10.90.0.$i/32 dev a"
			echo 'link set dev c down'
			echo "address delete 10.90.0.$i/32 dev a"
			echo 'link set dev c up'
		done | ip -n "$prefix-router" -batch -
	done
}
again_and_again() {
	local i

	touch "$work/flap"
	flap &
	for i in {1..10}; do
		freeze || return
		sleep 0.3
		kill -CONT "$pid"
		sleep 0.1
	done
	rm "$work/flap"
	wait $!
	(($(dropped) > drops))
}
drops=$(dropped)
claim "ten times more, while the changes go on" again_and_again
claim "and it knows what the kernel has within a second" within 1 agrees
claim "and is joined there" within 2 all_joined crierd
claim "what is said crosses" crosses hd d hb b
echo "# $(dropped) messages were lost in all"
used() {
	echo $(($(sed 's/.*) //' "/proc/$pid/stat" | awk '{ print $12 + $13 }')))
}
ticks=$(used)
sleep 1
claim "then it rests" test $(($(used) - ticks)) -le 5
claim "crierd ends with 0" stop crierd
finish
