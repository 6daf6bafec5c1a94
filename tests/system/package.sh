#!/bin/bash
#
# The package as its user meets it: installed, configured in ten lines, upgraded
# under traffic, removed. Not part of `make check`, since it needs the package:
#   ./bootstrap deb && tests/system/package.sh build/deb/crier_*.deb
# With crier-mqtt_*.deb as a second argument, of that package, too.

package=$(realpath "${1:?usage: package.sh FILE.deb [CRIER-MQTT.deb]}")
mqtt_package=${2:+$(realpath "$2")}
. "$(dirname "$0")/lib.sh"

dpkg_in() {
	inside env DEBIAN_FRONTEND=noninteractive dpkg "$@" \
		>"$work/dpkg" 2>&1 || ! tail -n 20 "$work/dpkg"
}

# At boot the last file that names it has its way.
rmem_max_at_boot() {
	inside systemd-analyze cat-config sysctl.d |
		sed -n 's/^net\.core\.rmem_max *= *//p' | tail -n 1
}

# is_other PID: crierd runs, as another process than this one.
is_other() {
	local pid

	pid=$(prop MainPID)
	echo "was $1, is $pid"
	((pid > 1 && pid != $1))
}

# What there is of the files that the package had, and of all else by the name
# of crier, which its scripts and systemd have made. Overlayfs marks what is
# deleted by a character device.
left() {
	while read -r path; do
		[[ $path == *crier* ]] || continue
		[[ ! -e $system_root$path && ! -L $system_root$path ]] ||
			echo "$path"
	done <"$work/files"
	find "$system_root/../upper" -name '*crier*' ! -type c \
		! -path '*/upper/crier.deb'
}

# The package of sites: installed, configured, removed and purged.
claim_of_mqtt() {
	local unit=crier-mqtt.service

	cp "$mqtt_package" "$system_root/crier-mqtt.deb"
	claim "crier alone has nothing of sites" \
		not inside test -e /usr/sbin/crier-mqtt
	claim "crier-mqtt installs" dpkg_in -i /crier-mqtt.deb
	inside dpkg -L crier-mqtt >>"$work/files"
	claim "it is not enabled" \
		equal disabled prop UnitFileState $unit
	claim "and does not run" equal inactive prop ActiveState $unit
	claim "its user is in the group crier" \
		inside sh -c 'id -nG crier-mqtt | grep -qw crier'
	cat >"$system_root/etc/crier/crier-mqtt.yaml" <<-END
	site: here
	brokers: mqtt://127.0.0.1
	groups: { mdns: {} }
	END
	claim "crier-mqtt --check has nothing against three lines" \
		inside crier-mqtt --check
	claim "it starts, though there is no broker" \
		inside systemctl start $unit
	claim "which it says" within 10 inside sh -c "systemctl show -p \
		StatusText $unit | grep -q 'Not connected: broker mqtt://127'"
	claim "it upgrades while it runs" dpkg_in -i /crier-mqtt.deb
	claim "and runs" within 10 equal active prop ActiveState $unit
	claim "it is removed" dpkg_in -r crier-mqtt
	claim "and does not run any more" \
		not inside systemctl is-active $unit
	claim "it is purged" dpkg_in -P crier-mqtt
	claim "with its configuration" \
		not inside test -e /etc/crier/crier-mqtt.yaml
	rm "$system_root/crier-mqtt.deb"
}

segment a b
host router a=1 b=1
host ha a=10
host hb b=10
make_root
boot router
claim "it installs" dpkg_in -i /crier.deb
claim "and does not fail where there is no configuration" \
	not inside systemctl is-failed crierd.service
claim "its socket listens" inside systemctl is-active crierd.socket
inside dpkg -L crier >"$work/files"
claim "its files are there" test "$(grep -c crier "$work/files")" -ge 20
claim "it raises the limit of receive buffers" equal 4194304 rmem_max_at_boot
echo 'net.core.rmem_max = 8388608' >"$system_root/etc/sysctl.d/60-own.conf"
claim "below which it does not bring an administrator's" \
	equal 8388608 rmem_max_at_boot
configure <<-END
interfaces:
  home: { device: a }
  iot: { device: b }
groups:
  mdns: { preset: mdns, interfaces: [home, iot] }
  beacon: { address: 239.255.42.42, port: 4242, interfaces: [home, iot] }
END
claim "crierd --check has nothing against ten lines" inside crierd --check
claim "it starts" inside systemctl start crierd.service
listen ear hb --to 239.255.42.42 --port 4242 --iface b --timeout 600
claim "it relays" within 5 relays begun
claim "crierctl shows what was heard" inside sh -c \
	'crierctl discovered | tee /dev/stderr | grep -q beacon'
[[ -z $mqtt_package ]] || claim_of_mqtt
stop ear
start_stream '' ha a hb b 239.255.42.42
main=$(prop MainPID)
((main > 1)) || broken 'crierd does not run'
claim "it upgrades while it runs" dpkg_in -i /crier.deb
claim "by a restart" is_other "$main"
claim "after which it is up" up
end_stream '' ha a 239.255.42.42
claim "that loses and doubles nothing" is_whole ''
claim "it is removed" dpkg_in -r crier
claim "and does not run any more" \
	not inside systemctl is-active crierd.service
claim "nor does its socket" not inside systemctl is-active crierd.socket
claim "it is purged" dpkg_in -P crier
claim "and leaves no file" equal '' left
finish
