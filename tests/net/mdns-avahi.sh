#!/bin/bash
#
# A service that avahi publishes on one segment is found by avahi on another,
# with its address and port, in both directions and over both families, and
# its goodbye arrives.

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
start_joined crierd router "$work/crierd.yaml"
start_avahi phone phone
start_avahi tv tv

# across FROM TO NAME ADDRESS4 ADDRESS6: NAME, published on host FROM, is found
# on host TO, and lost again.
across() {
	local from=$1 to=$2 name=$3 address4=$4 address6=$5
	local seen=$work/browse-$to.out

	start_with_avahi "$to" "browse-$to" avahi-browse -rp _googlecast._tcp
	start_with_avahi "$from" "publish-$from" avahi-publish -s "$name" \
		_googlecast._tcp 8009 id=1
	claim "$to finds $name over IPv4" within 10 \
		grep -q "^=;[^;]*;IPv4;$name;.*;$address4;8009;\"id=1\"" "$seen"
	claim "$to finds $name over IPv6" within 10 \
		grep -q "^=;[^;]*;IPv6;$name;.*;$address6;8009;\"id=1\"" "$seen"
	stop "publish-$from"
	claim "its goodbye reaches $to over IPv4" within 5 \
		grep -q "^-;[^;]*;IPv4;$name;" "$seen"
	claim "its goodbye reaches $to over IPv6" within 5 \
		grep -q "^-;[^;]*;IPv6;$name;" "$seen"
	stop "browse-$to"
}

across tv phone Television 10.77.2.20 fd77:2::20
across phone tv Phone 10.77.1.10 fd77:1::10

# One who starts to browse later asks, and the answer crosses.
start_with_avahi tv publish-late avahi-publish -s Late _http._tcp 80
within 10 grep -q Established "$work/publish-late.log" ||
	broken 'avahi-publish cannot publish'
asks() {
	with_avahi phone avahi-browse -rpt _http._tcp |
		grep -q "^=;[^;]*;$1;Late;.*;$2;80;"
}
claim "a later search finds it over IPv4" within 10 asks IPv4 10.77.2.20
claim "a later search finds it over IPv6" within 10 asks IPv6 fd77:2::20
claim "no host takes the other for a rival" not \
	grep -q 'conflict' "$work/tv.log" "$work/phone.log"
finish
