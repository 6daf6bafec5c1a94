#!/bin/bash
#
# Searches by broadcast, in a binary protocol that crier knows nothing of
# (HDHomeRun's shape): devices on one segment are found from two others, by
# 200 searchers at once of whom half search for the very same, by those who
# were there before the device, and by two that share a source port.

. "$(dirname "$0")/peers.sh"

cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  home: { device: home }
  office: { device: office }
  iot: { device: iot }
groups:
  tuners:
    broadcast: true
    port: 65001
    interfaces: [home, office, iot]
    replies: proxy
    send: ${CRIER_SEND:-socket}
END

segment home office iot
host router home=1 office=1 iot=1
host phone home=10
host desk office=10
host tuner1 iot=21
host tuner2 iot=22
host tuner3 iot=23

for leg in phone/home/1 desk/office/2; do
	IFS=/ read -r name device s <<<"$leg"
	for n in {100..199}; do
		echo "address add 10.77.$s.$n/24 dev $device"
	done | ip -n "$prefix-$name" -batch -
done
start_joined crierd router "$work/crierd.yaml"

# A discover request: its type and length, a tag for any device, then what
# differs, which a device says again.
begin=0002000c0104000000010204ffffffff
reply=0003

device() {
	start_ready "$1" "$1" "$PYTHON" "$lib/ask.py" device \
		--to 255.255.255.255 --port 65001 --iface iot \
		--hex $begin --hex2 $reply --name "$1" --source "$2"
}

# The first text that a searcher says is "%d", its number.
search() {
	local host=$1 device=$2

	shift 2
	ask "$host" --to 255.255.255.255 --port 65001 --iface "$device" "$@"
}

start_search() {
	local name=$1 host=$2 device=$3

	shift 3
	start_ready "$name" "$host" "$PYTHON" "$lib/ask.py" ask \
		--to 255.255.255.255 --port 65001 --iface "$device" "$@"
}

device tuner1 10.77.3.21
search phone home --hex ${begin}2564 --answers 1 >"$work/answers"
claim "a device is found across, by broadcast" at_least 1 \
	"d['text'] == '\\0\\3tuner1\\0' + '0'" "$work/answers"
claim "its answer comes from crier's address and the group's port" has_lines 1 \
	"d['source'] == '10.77.1.1' and d['port'] == 65001" "$work/answers"
claim "the searcher is shown" holds "any(
	s.startswith('10.77.1.10:') for f in d for s in f['searchers'])" \
	json crierd flows

# Identical searches, which go on while the device comes.
start_search first phone home --hex ${begin}aa --again 0.4 --timeout 25 \
	--answers 2
start_search second desk office --hex ${begin}aa --again 0.4 --timeout 25 \
	--answers 2
start_search third phone home --hex ${begin}aa --again 0.4 --timeout 25 \
	--answers 2
for name in first second third; do
	claim "searches for the same: $name finds the first device" within 5 \
		at_least 1 "'tuner1' in d['text']" "$work/$name.out"
done
device tuner2 10.77.3.22
for name in first second third; do
	claim "a device that comes later is found by $name" within 8 \
		at_least 1 "'tuner2' in d['text']" "$work/$name.out"
	stop $name
done

# The same source port on two segments, and on one.
device tuner3 10.77.3.23
start_search a phone home --source-port 40000 --hex ${begin}a1 --answers 3
start_search b desk office --source-port 40000 --hex ${begin}b1 --answers 3
start_search c phone home --spread 10.77.1.150 --source-port 40000 \
	--hex ${begin}c1 --answers 3
for name in a b c; do
	ended $name
	claim "with one source port: $name has its three answers" \
		heard $name "d['satisfied'] == 1 and d['most'] == 3"
done
claim "and each its own" equal "3 3 3" echo \
	"$(lines_with "d['text'][-1] == '\\xa1'" "$work/a.out")" \
	"$(lines_with "d['text'][-1] == '\\xb1'" "$work/b.out")" \
	"$(lines_with "d['text'][-1] == '\\xc1'" "$work/c.out")"
for name in a b c; do
	stop $name
done
start_search a phone home --source-port 40000 --hex ${begin}d1 --answers 3
start_search b desk office --source-port 40000 --hex ${begin}d1 --answers 3
for name in a b; do
	ended $name
	claim "the same search from one source port: $name has its answers" \
		heard $name "d['satisfied'] == 1 and d['most'] == 3"
	stop $name
done

# 200 at once: from each segment 50 that search for the same, and 50 others.
flood() {
	start "$1" "$2" "$PYTHON" "$lib/ask.py" ask --to 255.255.255.255 \
		--port 65001 --iface "$3" --spread "$4" --searchers 50 \
		--answers 3 --timeout 20 --quiet "${@:5}"
}
flood same1 phone home 10.77.1.100 --hex ${begin}ee
flood same2 desk office 10.77.2.100 --hex ${begin}ee
flood other1 phone home 10.77.1.100 --first 50 --hex ${begin}012564
flood other2 desk office 10.77.2.100 --first 50 --hex ${begin}022564
for name in same1 same2 other1 other2; do
	ended $name
	claim "200 at once: all 50 of $name have their three answers" \
		heard $name "d['satisfied'] == 50"
	claim "200 at once: $name has each answer once" \
		heard $name "d['most'] == 3"
done
claim "the devices were asked once for the fifty that are the same" \
	equal "1 1 1" echo \
	"$(lines_with "d['text'][-1] == '\\xee'" "$work/tuner1.out")" \
	"$(lines_with "d['text'][-1] == '\\xee'" "$work/tuner2.out")" \
	"$(lines_with "d['text'][-1] == '\\xee'" "$work/tuner3.out")"
claim "no flow was refused or pushed out" holds \
	"d['limits']['flows']['refused'] == 0 ==
		d['limits']['flows']['evicted'] and
		d['limits']['flows']['used'] > 100" json crierd status
no_drops() {
	holds "all(d['totals']['dropped'][k] == 0
		for k in ('queue', 'error', 'kernel', 'rate'))" \
		json crierd status
}
claim "and nothing was lost" no_drops
claim "crierd ends with 0" stop crierd
finish
