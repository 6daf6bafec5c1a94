#!/bin/bash
#
# What the world around crier does to it: devices that flap 20 times a second
# beside a stream, a kernel that gives a socket one membership alone, a full
# disk where the metrics go.

. "$(dirname "$0")/lib.sh"

# --- one membership a socket ------------------------------------------------

segment s1 s2 s3 s4 s5
host narrow s1=1 s2=1 s3=1 s4=1 s5=1
host far s1=10 s2=10 s3=10 s4=10 s5=10
cat >"$work/narrow.yaml" <<END
control: { group: root }
interfaces:
  all: { device: "s*" }
groups:
  five: { address: 239.255.5.5, port: 5555, interfaces: [all] }
END
one_membership() {
	# shellcheck disable=SC2016 # for the other shell
	on narrow sh -c 'cd /proc/sys/net/ipv4 &&
		echo 1 >igmp_max_memberships && [ "$(cat igmp_max_memberships)" = 1 ]'
}
one_membership || skip 'igmp_max_memberships cannot be set here'
start_crierd narrow narrow "$work/narrow.yaml"
claim "with one membership a socket, five segments are joined" within 5 \
	holds "d['segments']['joined'] == 5" json narrow status
listen ear far --to 239.255.5.5 --port 5555 --iface s1,s2,s3,s4,s5 --foreign
for ((i = 1; i <= 5; i++)); do
	mcast far send --to 239.255.5.5 --port 5555 --iface s$i --first $i \
		--quiet
done >"$work/sent"
claim "and what is said on each is heard on the four others" within 5 \
	at_least 20 "'digest' in d" "$work/ear.out"
stop ear
claim "once" heard ear "d['heard'] == d['distinct'] == 20"
claim "that crierd ends with 0" stop narrow

# --- devices that flap ------------------------------------------------------

segment a b c d
host router a=1 b=1 c=1 d=1
host ha a=10
host hb b=10
host hc c=10
host hd d=10
cat >"$work/flap.yaml" <<END
control: { group: root }
interfaces:
  a: { device: a }
  b: { device: b }
  c: { device: c }
  d: { device: d }
groups:
  beacon:
    address: [239.255.42.42, "ff15::4242"]
    broadcast: true
    port: 4242
    interfaces: [a, b, c, d]
  mdns: { preset: mdns, interfaces: [a, b, c, d] }
  ssdp: { preset: ssdp, interfaces: [a, b, c, d] }
END
start_joined crierd router "$work/flap.yaml"

# flap N COMMAND...: so often, 20 times a second where the machine can.
flap() {
	local n=$1 i next

	shift
	next=$(now_ms)
	for ((i = 0; i < n; i++)); do
		"$@" || return
		next=$((next + 50))
		while (($(now_ms) < next)); do
			sleep 0.005
		done
	done
}
down_and_up() {
	ip -n "$prefix-router" -batch - <<-END
	link set dev c down
	link set dev c up
	END
}
gone_and_back() {
	unplug router d && attach router d 1
}

# says HOST DEVICE TEXT: something new, and that the listener heard any of it.
says() {
	mcast "$1" send --to 239.255.42.42 --port 4242 --iface "$2" \
		--text "$3-$(now_ms)" --quiet >"$work/sent"
	at_least 1 "'digest' in d" "$work/again.out"
}
# crosses FROM DEVICE TO DEVICE TEXT: that what is said does, before long.
crosses() {
	local status=0

	listen again "$3" --to 239.255.42.42 --port 4242 --iface "$4"
	within 5 says "$1" "$2" "$5" || status=1
	stop again
	return "$status"
}

start_stream 1 ha a hb b 239.255.42.42
claim "a device goes down and up a hundred times, 20 times a second" \
	flap 100 down_and_up
claim "and the stream beside it goes on" crierd_answers crierd
end_stream 1 ha a 239.255.42.42
claim "of which none is lost and none comes twice" is_whole 1
claim "when that ends, all is joined within 5 s" within 5 all_joined crierd
claim "and what is said there is heard" crosses hc c hb b from-c
claim "and what is said elsewhere is heard there" crosses ha a hc c to-c

start_stream 2 ha a hb b 239.255.42.42
claim "a device is deleted and made anew 60 times" flap 60 gone_and_back
end_stream 2 ha a 239.255.42.42
claim "of the stream beside it none is lost and none comes twice" is_whole 2
claim "when that ends, all is joined within 5 s again" \
	within 5 all_joined crierd
claim "and what is said on the new one is heard" crosses hd d hb b from-d
claim "and what is said elsewhere is heard on it" crosses ha a hd d to-d
files() {
	find "/proc/${pid_of[crierd]}/fd" -mindepth 1 | wc -l
}
few_files() {
	(($(files) <= before))
}
before=$(files)
flap 20 gone_and_back
within 5 all_joined crierd
claim "20 more leave no descriptor open" within 5 few_files

# --- a full disk ------------------------------------------------------------

mkdir "$work/bin" "$work/disk"
cat >"$work/bin/systemctl" <<'END'
#!/bin/sh
echo active
END
cat >"$work/bin/crierctl" <<END
#!/bin/sh
exec "$crierctl" -s "$work/crierd.sock" "\$@"
END
chmod +x "$work"/bin/*
# What the unit runs, for sh.
unit=$lib/../../systemd/crier-metrics.service.in
sed -n "/^ExecStart=/,/'\$/p" "$unit" |
	sed -e "1s|^.*-euc '||" -e "\$s|'\$||" -e 's|\\$||' \
		-e 's|\$\$|$|g' -e "s|@bindir@|$work/bin|" |
	tr -d '\n' >"$work/collect"

# collects ROOM: runs it on a disk with so much room, where there are old
# metrics; what is there then, and its exit status.
collects() {
	# shellcheck disable=SC2016 # for the other shell
	on router sh -c 'mount -t tmpfs -o size=1m tmpfs "$1/disk" || exit 99
		cd "$1/disk" && echo old >crier.prom &&
		{ head -c "$2" /dev/zero >fill || true; } 2>/dev/null
		PATH=$1/bin:$PATH sh -euc "$(cat "$1/collect")" 2>"$1/why"
		echo "status $?"
		for file in crier*; do
			[ ! -e "$file" ] || echo "$file $(grep -c ^crier_ "$file")"
		done' sh "$work" "$1"
}
wrote_some() {
	collects 0 >"$work/collected"
	grep -qx 'status 0' "$work/collected" &&
		grep -qE '^crier.prom [1-9]' "$work/collected"
}
claim "with room, the metrics are written" wrote_some
claim "on a full disk it fails, and there is no half a file" \
	equal 'status 1' collects 2000000
claim "and it says why" grep -qi 'no space' "$work/why"

claim "crierd ends with 0" stop crierd
finish
