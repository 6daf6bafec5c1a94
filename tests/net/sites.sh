#!/bin/bash
#
# Three sites without a common segment, and a mosquitto with TLS between them:
# what avahi publishes at the one is found by avahi-browse at the others within
# a second, and gone within a second of its goodbye; searches are answered
# across; what one may do is limited, and a wrong certificate or password is
# told in one line.

. "$(dirname "$0")/mqtt.sh"
wants avahi-daemon avahi-daemon
wants avahi-browse avahi-utils
wants dbus-daemon dbus-daemon

segment wan
site attic
site cabin
site yard
host tv attic=20
host phone cabin=10
host tablet yard=10
addressed tv/attic phone/cabin tablet/yard
prepare_broker attic cabin yard
start_broker
for name in attic cabin yard; do
	configure_site "$name"
	claim "the configuration of $name is valid" \
		"$crier_mqtt" -c "$work/$name-mqtt.yaml" --check
	start_site "$name"
done
for name in attic cabin yard; do
	claim "$name is connected" within 10 is_connected "$name"
done
claim "attic sees cabin" within 5 sees_site attic cabin
claim "yard sees attic" within 5 sees_site yard attic

# ---- mDNS ----

start_avahi tv tv
start_avahi phone phone
start_avahi tablet tablet
for name in phone tablet; do
	start_with_avahi "$name" "browse-$name" avahi-browse -rp _ipp._tcp
done
start_with_avahi tv printer avahi-publish -s Printer _ipp._tcp 631 rp=one
within 10 grep -q Established "$work/printer.log" ||
	broken 'avahi-publish cannot publish'
since=$(now_ms)
for name in phone tablet; do
	claim "$name finds it" within 10 grep -q \
		'^=;[^;]*;IPv4;Printer;.*;10.77.[0-9]*.20;631;"rp=one"' \
		"$work/browse-$name.out"
done
took=$(($(now_ms) - since))
claim "within a second ($took ms)" test "$took" -lt 1000
claim "crierd at cabin says where it is from" within 2 knows cabin Printer attic
claim "the broker keeps it" within 2 bash -c "
	$(declare -p prefix); ip netns exec $prefix-broker mosquitto_sub \
		-h 10.77.${number_of_segment[wan]}.99 -p 8883 \
		--cafile $work/ca.pem -u yard -P yard-pw -V mqttv5 \
		-t crier/1/attic/mdns/announce/printer._ipp._tcp -C 1 -W 2 |
		grep -aq Printer"
stop printer
since=$(now_ms)
for name in phone tablet; do
	claim "$name loses it" within 10 grep -q \
		'^-;[^;]*;IPv4;Printer;' "$work/browse-$name.out"
done
took=$(($(now_ms) - since))
# The hosts themselves wait a second after a goodbye (RFC 6762, 10.1).
claim "within a second of a goodbye ($took ms)" test "$took" -lt 2000
claim "the broker has let go of it" bash -c "
	! ip netns exec $prefix-broker mosquitto_sub \
		-h 10.77.${number_of_segment[wan]}.99 -p 8883 \
		--cafile $work/ca.pem -u yard -P yard-pw -V mqttv5 \
		-t crier/1/attic/mdns/announce/printer._ipp._tcp -C 1 -W 1 |
		grep -aq Printer"

# One who searches later is answered from elsewhere.
start_with_avahi tv late avahi-publish -s Late _http._tcp 80
within 10 grep -q Established "$work/late.log" ||
	broken 'avahi-publish cannot publish'
asks() {
	with_avahi "$1" avahi-browse -rpt _http._tcp |
		grep -q '^=;[^;]*;IPv4;Late;.*;80;'
}
claim "a later search at cabin finds it" within 10 asks phone
claim "and one at yard" within 10 asks tablet

# ---- SSDP, whose answers come by unicast ----

hex() {
	# shellcheck disable=SC2059
	printf "$1" | od -An -tx1 -v | tr -d ' \n'
}
search=$(hex 'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n')$(hex \
	'MAN: "ssdp:discover"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n')
reply=$(hex 'HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=60\r\n')$(hex \
	'ST: ssdp:all\r\nUSN: uuid:77::upnp:rootdevice\r\n\r\n')
start_ready device tv "$PYTHON" "$lib/ask.py" device --to 239.255.255.250 \
	--port 1900 --iface attic --hex "$(hex M-SEARCH)" --hex2 "$reply" \
	--name device --source "10.77.${number_of_segment[attic]}.20"
ask phone --to 239.255.255.250 --port 1900 --iface cabin --hex "$search" \
	--answers 1 --timeout 10 >"$work/answers"
claim "a search at cabin is answered by a device at attic" \
	has_lines 1 "'uuid:77' in d['text']" "$work/answers"
claim "from crier's address there" has_lines 1 \
	"d['source'] == '10.77.${number_of_segment[cabin]}.1'" "$work/answers"
stop device

# ---- Who comes later, who leaves, who is not let in ----

stop yard-mqtt
stop yard
stop browse-tablet
claim "attic sees that yard is gone" within 5 not sees_site attic yard
start_site yard
claim "yard, come late, learns all that is alive" within 10 \
	knows yard Late attic

configure_site yard 'tls: { ca: /etc/ssl/certs/ca-certificates.crt }'
sed -i "0,/^tls: .*ca.pem/{/^tls: .*ca.pem/d}" "$work/yard-mqtt.yaml"
stop yard-mqtt
start_mqtt yard
claim "a certificate that nobody vouches for is refused, and that is said" \
	within 10 grep -qi 'certificate' "$work/yard-mqtt.log"
claim "in status, too" within 5 holds \
	"'certificate' in d['sites'][0]['error']" json yard status
stop yard-mqtt
configure_site yard
sed -i 's/^password: .*/password: wrong/' "$work/yard-mqtt.yaml"
start_mqtt yard
claim "so is a wrong password" within 10 \
	grep -qi 'password\|not authori[sz]ed' "$work/yard-mqtt.log"

# A site that goes without a word.
stop attic-mqtt KILL
claim "the others see that attic is gone" within 10 not sees_site cabin attic
finish
