#!/bin/bash
#
# The same as multihomed.sh for systemd-resolved, which speaks mDNS of its own:
# with a leg on both segments it keeps its name, whatever crier relays.

. "$(dirname "$0")/peers.sh"
resolved=${RESOLVED:-/lib/systemd/systemd-resolved}
wants "$resolved" systemd-resolved
"$resolved" --help >/dev/null 2>&1 || skip "$resolved does not run here"
wants avahi-daemon avahi-daemon
wants avahi-resolve avahi-utils
wants dbus-daemon dbus-daemon
wants tcpdump tcpdump

cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  home: { device: home }
  iot: { device: iot }
groups:
  mdns: { preset: mdns, interfaces: [home, iot] }
END

segment home iot
host router home=1 iot=1
host phone home=10
host tv iot=20
host both home=30 iot=30
addressed router/home router/iot phone/home tv/iot both/home both/iot
start_joined crierd router "$work/crierd.yaml"
start_avahi phone phone
start_avahi tv tv

# It drops its privileges to a user of its own, which need not exist here, and
# writes to /run.
for name in passwd group; do
	grep -v '^systemd-resolve:' /etc/$name >"$work/$name"
done
echo 'systemd-resolve:x:985:985::/:/usr/sbin/nologin' >>"$work/passwd"
echo 'systemd-resolve:x:985:' >>"$work/group"
chmod 711 "$work"

# It has its own host name and /run, where it is told that mDNS is wanted on
# both legs, as networkd tells it. It does without D-Bus.
mkdir "$work/links"
for leg in home iot; do
	index=$(ip -n "$prefix-both" -j link show dev "$leg" |
		query "d[0]['ifindex']")
	printf 'ADMIN_STATE=configured\nOPER_STATE=routable\nMDNS=yes\n' \
		>"$work/links/$index"
done
cat >"$work/resolved.conf" <<END
[Resolve]
MulticastDNS=yes
LLMNR=no
DNSStubListener=no
END

start_resolved() {
	# shellcheck disable=SC2016 # the inner shell expands
	start both both unshare --uts sh -c 'set -e
		hostname both
		mount -t tmpfs tmpfs /run
		mount --bind "$0/passwd" /etc/passwd
		mount --bind "$0/group" /etc/group
		mkdir -p /run/systemd/resolved.conf.d /run/systemd/resolve \
			/run/systemd/netif
		cp "$0/resolved.conf" /run/systemd/resolved.conf.d/test.conf
		cp -r "$0/links" /run/systemd/netif/links
		chown 985:985 /run/systemd/resolve
		export SYSTEMD_LOG_LEVEL=debug SYSTEMD_LOG_TARGET=console
		exec "$1"' "$work" "$resolved"
}

# By its name, as the neighbours see it.
finds() {
	[[ $(with_avahi "$1" avahi-resolve -n4 both.local) == \
		*[[:space:]]"$2" ]]
}

keeps_its_name() {
	claim "$1: the phone finds it on its own segment" within 10 \
		finds phone 10.77.1.30
	claim "$1: the television on its own" within 10 finds tv 10.77.2.30
	claim "$1: its name stays" not grep -hi \
		'hostname conflict, changing\|changing published hostname' \
		"$work/both.log"
}

seen_as_other() {
	tcpdump -vnr "$work/iot.pcap" 2>/dev/null |
		grep -oE 'both-?[0-9]+\.local' | sort -u
}

capture iot iot udp port 5353
for n in 1 2 3; do
	start_resolved
	announced() {
		captures 1 "b'\\4both\\5local'.hex() in d['data'] and
			int(d['data'][4:6], 16) & 0x80 and
			d['source'] == '10.77.2.30' and
			d['time'] > $since" iot
	}
	since=$(date +%s)
	if ! within 10 announced; then
		is_running both ||
			skip "systemd-resolved does not run here: $(tail -n 1 \
				"$work/both.log")"
	fi
	keeps_its_name "start $n"
	((n == 3)) || stop both
done
for leg in home iot; do
	ip -n "$prefix-both" link set dev $leg down
	ip -n "$prefix-both" link set dev $leg up
	ip -n "$prefix-both" address replace \
		"fd77:${number_of_segment[$leg]}::30/64" dev $leg nodad
	keeps_its_name "$leg comes back"
done
stop crierd
start_joined crierd router "$work/crierd.yaml"
stop both
start_resolved
keeps_its_name "crierd and it anew"
claim "it was seen under no other name" equal '' seen_as_other
claim "crierd ends with 0" stop crierd
finish
