#!/bin/bash
#
# crierd shares port 5353 with an avahi-daemon on the same host, whichever
# starts first: both work, and what the host itself announces is not relayed
# by crier but heard on each segment from avahi.

. "$(dirname "$0")/lib.sh"
needs avahi-daemon avahi-daemon
needs avahi-browse avahi-utils
needs dbus-daemon dbus-daemon

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
start_avahi phone phone
start_avahi tv tv
start_with_avahi tv publish avahi-publish -s Television _googlecast._tcp 8009
within 10 grep -q Established "$work/publish.log" ||
	broken 'avahi-publish cannot publish'

# Of a name that was found over one family avahi gives the address of either.
finds() {
	with_avahi "$1" avahi-browse -rpt "$4" |
		grep -q "^=;[^;]*;$2;[^;]*;[^;]*;local;[^;]*;$3;"
}

both_work() {
	local when=$1

	claim "$when: the phone finds the television over IPv4" within 10 \
		finds phone IPv4 '\(10.77.2.20\|fd77:2::20\)' _googlecast._tcp
	claim "$when: the phone finds the television over IPv6" within 10 \
		finds phone IPv6 '\(10.77.2.20\|fd77:2::20\)' _googlecast._tcp
	start_with_avahi router "share" avahi-publish -s Share _smb._tcp 445
	claim "$when: the phone finds the router's own share there" within 10 \
		finds phone IPv4 '\(10.77.1.1\|fd77:1::1\)' _smb._tcp
	claim "$when: the television finds it on its own segment" within 10 \
		finds tv IPv4 '\(10.77.2.1\|fd77:2::1\)' _smb._tcp
	claim "$when: the router finds the television" within 10 \
		finds router IPv4 '\(10.77.2.20\|fd77:2::20\)' _googlecast._tcp
	stop share
	claim "$when: nobody renames himself" not \
		grep -q 'conflict' "$work"/{tv,phone,router}.log
}

start_avahi router router
start_joined crierd router "$work/crierd.yaml"
both_work "avahi first"
stop router
stop router-bus
stop crierd
start_joined crierd router "$work/crierd.yaml"
start_avahi router router
both_work "crierd first"
finish
