#!/bin/bash
#
# The package as its user meets it: installed, configured in ten lines, upgraded
# under traffic, removed. Not part of `make check`, since it needs the package:
#   ./bootstrap deb && tests/system/package.sh build/deb/crier_*.deb

package=$(realpath "${1:?usage: package.sh FILE.deb}")
. "$(dirname "$0")/lib.sh"

dpkg_in() {
	inside env DEBIAN_FRONTEND=noninteractive dpkg "$@" \
		>"$work/dpkg" 2>&1 || ! tail -n 20 "$work/dpkg"
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
stop ear
start_stream '' ha a hb b 239.255.42.42
main=$(prop MainPID)
claim "it upgrades while it runs" dpkg_in -i /crier.deb
claim "by a restart" not equal "$main" prop MainPID
claim "after which it is up" up
end_stream '' ha a 239.255.42.42
claim "that loses and doubles nothing" is_whole ''
claim "it is removed" dpkg_in -r crier
claim "and does not run any more" \
	not inside systemctl is-active crierd.service
claim "nor does its socket" not inside systemctl is-active crierd.socket
claim "it is purged" dpkg_in -P crier
claim "and leaves no file" equal '' inside find /etc/crier \
	/usr/share/crier /usr/lib/systemd/system -name '*crier*'
finish
