#!/bin/bash
#
# A service is found across crier by python3-zeroconf, from avahi and from
# another zeroconf, over both families, and its goodbye arrives.

. "$(dirname "$0")/lib.sh"
needs avahi-daemon avahi-daemon
needs avahi-publish avahi-utils
needs dbus-daemon dbus-daemon
"$PYTHON" -c 'import zeroconf' 2>/dev/null ||
	broken 'no zeroconf: install python3-zeroconf'

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
for leg in router/home router/iot phone/home tv/iot; do
	within 5 has_link_local "${leg%/*}" "${leg#*/}" ||
		broken "$leg has no link-local address"
done

# peer NAME HOST ARGUMENT...
peer() {
	local name=$1 host=$2

	shift 2
	start "$name" "$host" "$PYTHON" "$lib/zeroconf-peer.py" "$@"
	within 15 grep -q ready "$work/$name.out" || {
		sed 's/^/# /' "$work/$name.log"
		broken "zeroconf does not come up on $host"
	}
}

# came NAME SERVICE ADDRESS PORT
came() {
	at_least 1 "d['event'] == 'add' and d['name'] == '$2' and
		'$3' in d['addresses'] and d['port'] == $4" "$work/$1.out"
}

went() {
	at_least 1 "d['event'] == 'remove' and d['name'] == '$2'" \
		"$work/$1.out"
}

# The browser is there first, and hears the announcement.
peer browse4 phone browse 10.77.1.10 _http._tcp
peer browse6 phone browse home _http._tcp
peer publish4 tv publish 10.77.2.20 four _http._tcp 80 10.77.2.20
peer publish6 tv publish iot six _http._tcp 81 fd77:2::20
claim "zeroconf finds zeroconf over IPv4" within 10 \
	came browse4 four 10.77.2.20 80
claim "zeroconf finds zeroconf over IPv6" within 10 \
	came browse6 six fd77:2::20 81

# The publisher is there first, and is asked: the other way round.
peer back4 tv browse 10.77.2.20 _ipp._tcp
peer back6 tv browse iot _ipp._tcp
peer print4 phone publish 10.77.1.10 four-print _ipp._tcp 631 10.77.1.10
peer print6 phone publish home six-print _ipp._tcp 632 fd77:1::10
claim "the other way round over IPv4" within 10 \
	came back4 four-print 10.77.1.10 631
claim "the other way round over IPv6" within 10 \
	came back6 six-print fd77:1::10 632
peer late4 phone browse 10.77.1.10 _http._tcp
peer late6 phone browse home _http._tcp
claim "a later search finds it over IPv4" within 10 \
	came late4 four 10.77.2.20 80
claim "a later search finds it over IPv6" within 10 \
	came late6 six fd77:2::20 81

stop publish4
stop publish6
claim "the goodbye arrives over IPv4" within 5 went browse4 four
claim "the goodbye arrives over IPv6" within 5 went browse6 six

start_avahi avahi tv
start_with_avahi avahi publish avahi-publish -s cast _http._tcp 8009
claim "zeroconf finds what avahi publishes over IPv4" within 10 \
	came browse4 cast 10.77.2.20 8009
claim "zeroconf finds what avahi publishes over IPv6" within 10 \
	came browse6 cast fd77:2::20 8009
stop publish
claim "avahi's goodbye reaches zeroconf over IPv4" within 5 went browse4 cast
claim "avahi's goodbye reaches zeroconf over IPv6" within 5 went browse6 cast
finish
