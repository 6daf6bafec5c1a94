#!/bin/bash
#
# crierd as systemd's service: restarts lose nothing, its rights are next to
# none, and what goes wrong is said and mended.

. "$(dirname "$0")/lib.sh"

write_config() {
	configure <<-END
	interfaces:
	  a: { device: a }
	  b: { device: b }
	groups:
	  beacon: { address: 239.255.42.42, port: 4242, interfaces: [a, b] }
	  ${1:-}
	END
}

journal() {
	inside journalctl -q -o cat -u crierd.service
}

journal_has() {
	journal >"$work/journal"
	grep -q "$1" "$work/journal"
}

status_of() {
	awk -v key="$1:" '$1 == key { print $2 }' \
		"$system_root/../status" 2>/dev/null
}

read_status() {
	inside cat "/proc/$(prop MainPID)/status" >"$system_root/../status"
}

first_seen() {
	inside "$crierctl_inside" --json discovered --group beacon |
		query "[e['first_seen'] for e in d['entries']][:1]"
}

counts_restarts() {
	equal "$1" prop NRestarts
}

segment a b
host router a=1 b=1
host ha a=10
host hb b=10
make_root
write_config
crierctl_inside=$(configured bindir)/crierctl
old_rmem=$(</proc/sys/net/core/rmem_max)
trap 'echo "$old_rmem" >/proc/sys/net/core/rmem_max
	shutdown_container; cleanup' EXIT
echo 4194304 >/proc/sys/net/core/rmem_max
boot router

listen ear hb --to 239.255.42.42 --port 4242 --iface b --timeout 600
claim "start succeeds" inside systemctl start crierd.service
claim "and returns when datagrams are relayed" within 1 relays begun
read_status
claim "it has no capability" equal 0000000000000000 status_of CapEff
claim "nor may it have one" equal 0000000000000000 status_of CapBnd
claim "its system calls are filtered" equal 2 status_of Seccomp
claim "it gets no new privileges" equal 1 status_of NoNewPrivs
claim "it is not root" not equal 0 status_of Uid
claim "the control socket has its mode and group" \
	equal '660 root crier' inside stat -c '%a %U %G' /run/crier/control.sock
claim "root may change things" inside "$crierctl_inside" log-level info

inside useradd -G crier member 2>"$work/useradd"
as() {
	inside setpriv --reuid="$1" --regid="$1" --init-groups \
		"$crierctl_inside" log-level info
}
claim "so may a member of the group" as member
claim "but not everybody" not as games
for unit in crierd crier-metrics; do
	claim "$unit.service is exposed by 1.2 at most" \
		inside systemd-analyze security --no-pager --offline=true \
		--threshold=12 "$unit.service"
done
claim "the units have no fault" inside systemd-analyze verify --man=no \
	crierd.service crierd.socket crier-metrics.service \
	crier-metrics.timer
inside mkdir -p /var/lib/prometheus/node-exporter
claim "metrics are written" inside systemctl start crier-metrics.service
claim "for node_exporter" inside grep -q '^crier_' \
	/var/lib/prometheus/node-exporter/crier.prom

stop ear
start_stream '' ha a hb b 239.255.42.42
seen=$(first_seen)
for round in 1 2 3; do
	claim "restart $round under 1,000 datagrams a second" \
		inside systemctl restart crierd.service
done
claim "first_seen is what it was ($seen)" equal "$seen" first_seen
end_stream '' ha a 239.255.42.42
claim "none of them was lost, none came twice" is_whole ''

# Killed: what waits in the sockets goes on.
listen ear hb --to 239.255.42.42 --port 4242 --iface b --timeout 600
restarts=$(prop NRestarts)
signal_main STOP
mcast ha send --to 239.255.42.42 --port 4242 --iface a --count 100 \
	--first 1000000 --quiet >"$work/sent"
signal_main KILL
claim "killed, it is back within 2 s" \
	within 2 counts_restarts $((restarts + 1))
claim "and what waited is relayed" within 5 at_least 100 "'digest' in d" \
	"$work/ear.out"
claim "it is up again" up
restarts=$(prop NRestarts)
signal_main STOP
claim "stopped, the watchdog brings it back" \
	within 25 counts_restarts $((restarts + 1))
claim "and it is up" up
claim "and it relays" within 5 relays again

# A bad file.
write_config 'bad: { address: 239.255.42.43, port: 4242, ttl: 300 }'
claim "a bad file is refused at reload" \
	not inside systemctl reload crierd.service
claim "the service goes on" up
claim "and the journal has place and cure" journal_has \
	'crierd.yaml:6:.*groups.bad.ttl: 300 is out of range, 1 to 255'
found_by() {
	[[ $(inside journalctl -q -o cat -u crierd.service "$@") \
		== *'groups.bad.ttl: 300 is out of range'* ]]
}
claim "which its place finds too" found_by CRIER_PATH=groups.bad.ttl \
	CRIER_LINE=6
claim "and no other" not found_by CRIER_PATH=groups.bad.ttl CRIER_LINE=5
invalid=$(grep -oP 'MESSAGE_INVALID +"\K[0-9a-f]+' \
	"$lib/../../src/service/messages.h")
inside journalctl --update-catalog 2>"$work/catalog"
explained() {
	inside journalctl -q -x "MESSAGE_ID=$invalid" >"$work/journal"
	grep -q 'crierd --check' "$work/journal" ||
		! cat "$work/catalog" "$work/journal"
}
claim "it is found by the message's id, and explained" explained
claim "the status says why the file is not in use" \
	equal 'the file is not in use: ' \
	grep -o 'the file is not in use: ' <(prop StatusText)
claim "with relaying" within 2 relays on
claim "a restart with a bad file fails" \
	not inside systemctl restart crierd.service
claim "with 78" equal 78 prop ExecMainStatus
claim "at once" equal failed prop ActiveState
claim "and is not tried again" equal 0 prop NRestarts
write_config
claim "a good one starts" inside systemctl start crierd.service
claim "a reload of it succeeds" inside systemctl reload crierd.service

# Under VRRP, as the example has it.
example=$lib/../../conf/examples/keepalived.conf
under_vrrp() {
	mkdir -p "$system_root/etc/crier"
	sed -n "/^#\t#!/,/^\$/s/^#\t//p" "$example" |
		sed "s|192\.0\.2\.1|$1|; s|crierctl|$crierctl_inside|" \
			>"$system_root/etc/crier/ask-vrrp"
	chmod 755 "$system_root/etc/crier/ask-vrrp"
	inside systemctl restart crierd.service
}
is_on_standby() {
	holds "d['standby'] is $1" inside "$crierctl_inside" --json status
}
inside mkdir -p /etc/systemd/system/crierd.service.d
grep -oP '^#\t\K(\[Service\]|ExecStartPost=.*)' "$example" \
	>"$system_root/etc/systemd/system/crierd.service.d/vrrp.conf"
write_config 'twin: { address: 239.255.42.45, port: 4245, interfaces: [a, b], standby: true }'
inside systemctl daemon-reload
under_vrrp 192.0.2.1
claim "without the shared address a router is silent after a start" \
	is_on_standby True
under_vrrp 10.77.1.1
claim "with it the router speaks" is_on_standby False
inside rm /etc/systemd/system/crierd.service.d/vrrp.conf

# Rights that are asked for.
inside mkdir -p /etc/systemd/system/crierd.service.d
inside ln -s "$(configured pkgdatadir)/raw.conf" \
	/etc/systemd/system/crierd.service.d/
write_config 'kept: { address: 239.255.42.44, port: 4244, source: preserve, interfaces: [a, b] }'
inside systemctl daemon-reload
claim "with the drop-in it starts" inside systemctl restart crierd.service
read_status
claim "and may have CAP_NET_RAW alone" \
	equal 0000000000002000 status_of CapPrm
claim "no other can come" equal 0000000000002000 status_of CapBnd
listen kept hb --to 239.255.42.44 --port 4244 --iface b --timeout 60
mcast ha send --to 239.255.42.44 --port 4244 --iface a --text kept --quiet \
	>"$work/sent"
claim "preserve keeps the source" within 5 at_least 1 \
	"d['source'].startswith('10.77.1.10')" "$work/kept.out"
write_config 'framed: { address: 239.255.42.45, port: 4245, send: frame, interfaces: [a, b] }'
claim "frames may be asked for, too" inside systemctl reload crierd.service
listen framed hb --to 239.255.42.45 --port 4245 --iface b --timeout 60
mcast ha send --to 239.255.42.45 --port 4245 --iface a --text framed --quiet \
	>"$work/sent"
claim "and arrive" within 5 heard_text framed "$work/framed.out"
claim "stop succeeds" inside systemctl stop crierd.service
claim "and the control socket stays" inside test -S /run/crier/control.sock
inside systemctl start crierd.service
claim "to stop the socket succeeds" inside systemctl stop crierd.socket
claim "and takes it along" equal inactive prop ActiveState
finish
