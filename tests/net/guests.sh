#!/bin/bash
#
# Guests may search and see, nothing else: under `searchers` and `devices` a
# capture on the guests' segment has no search that came from elsewhere, and
# one on the devices' segment nothing that guests announce, or probe for.
# Searches reach the devices; announcements and answers come back.

. "$(dirname "$0")/peers.sh"
wants tcpdump tcpdump
wants avahi-daemon avahi-daemon
wants avahi-publish avahi-utils
wants dbus-daemon dbus-daemon
wants_module zeroconf python3-zeroconf

cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  guest: { device: guest }
  iot: { device: iot }
groups:
  mdns: { preset: mdns, searchers: [guest], devices: [iot] }
  ssdp: { preset: ssdp, searchers: [guest], devices: [iot] }
  wsd: { preset: wsd, searchers: [guest], devices: [iot] }
  plain:
    address: [239.255.77.77, "ff02::7777"]
    port: 7777
    replies: proxy
    searchers: [guest]
    devices: [iot]
END

segment guest iot
host router guest=1 iot=1
host visitor guest=10
host guestbox guest=11
host tv iot=20
host hub iot=21
addressed router/guest router/iot visitor/guest guestbox/guest tv/iot hub/iot
start_joined crierd router "$work/crierd.yaml"
capture guest guest udp
capture iot iot udp

peer() {
	start_ready "$1" "$2" "$PYTHON" "$lib/zeroconf-peer.py" "${@:3}"
}

came() {
	at_least 1 "d['event'] == 'add' and d['name'] == '$2'" "$work/$1.out"
}

# --- mDNS, by real programs on both sides that search and announce ----------

peer browse visitor browse 10.77.1.10 _http._tcp
start_avahi tv tv
start_with_avahi tv cast avahi-publish -s Television _http._tcp 80
claim "a guest finds a device, by mDNS" within 10 came browse Television
peer late visitor browse 10.77.1.10 _http._tcp
claim "and by a search afterwards" within 10 came late Television
on visitor "$PYTHON" "$lib/mdns-peer.py" once guest 224.0.0.251 \
	_http._tcp.local. PTR >"$work/once"
claim "a one-shot question is answered" at_least 1 \
	"'television._http._tcp.local.' in d['names'] and
		d['source'] == '10.77.1.1'" "$work/once"
# A guest's own device announces, and the devices' side searches for it.
peer back hub browse 10.77.2.21 _ipp._tcp
start_avahi guestbox guestbox
start_with_avahi guestbox print avahi-publish -s GuestPrinter _ipp._tcp 631
announced() {
	captures 2 "b'GuestPrinter'.hex() in d['data'] and
		int(d['data'][4:6], 16) & 0x80" guest
}
claim "(a guest announces a service)" within 10 announced

# --- SSDP and WS-Discovery, message by message ------------------------------

ssdp_search() {
	printf 'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n'
	printf 'MAN: "ssdp:discover"\r\nMX: 1\r\nST: %s\r\n\r\n' "$1"
}

ssdp_notify() {
	printf 'NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n'
	printf 'NT: upnp:rootdevice\r\nNTS: ssdp:alive\r\n'
	printf 'CACHE-CONTROL: max-age=1800\r\nLOCATION: http://10.0.0.1/\r\n'
	printf 'USN: uuid:%s::upnp:rootdevice\r\n\r\n' "$1"
}

wsd_message() {
	local wsd=http://schemas.xmlsoap.org/ws/2005/04/discovery

	printf '<?xml version="1.0"?><s:Envelope '
	printf 'xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
	printf 'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
	printf 'xmlns:d="%s"><s:Header><a:Action>%s/%s</a:Action>' \
		$wsd $wsd "$1"
	printf '<a:MessageID>urn:uuid:%s</a:MessageID></s:Header><s:Body>' "$2"
	printf '<d:%s><a:EndpointReference><a:Address>urn:uuid:%s</a:Address>' \
		"$1" "$2"
	printf '</a:EndpointReference></d:%s></s:Body></s:Envelope>' "$1"
}

# say HOST DEVICE TO PORT [OPTION...]: what is on standard input.
say() {
	local text

	# The dot keeps the line ends.
	text=$(cat; printf .)
	mcast "$1" send --to "$3" --port "$4" --iface "$2" \
		--text "${text%.}" "${@:5}" >/dev/null
}

# both_say HOST DEVICE MARK: searches and announcements, which have the mark.
both_say() {
	local host=$1 device=$2 mark=$3

	ssdp_search "urn:$mark-search" | say "$host" "$device" \
		239.255.255.250 1900
	ssdp_notify "$mark-notify" | say "$host" "$device" \
		239.255.255.250 1900 --source-port 1900
	ssdp_search "urn:$mark-search6" | say "$host" "$device" ff02::c 1900
	ssdp_notify "$mark-notify6" | say "$host" "$device" \
		ff02::c 1900 --source-port 1900
	wsd_message Probe "$mark-search" | say "$host" "$device" \
		239.255.255.250 3702
	wsd_message Hello "$mark-notify" | say "$host" "$device" \
		239.255.255.250 3702
	wsd_message Bye "$mark-notify6" | say "$host" "$device" ff02::c 3702
	printf '%s-search' "$mark" | say "$host" "$device" 239.255.77.77 7777
	printf '%s-notify' "$mark" | say "$host" "$device" 239.255.77.77 7777 \
		--source-port 7777
	printf '%s-notify6' "$mark" | say "$host" "$device" ff02::7777 7777 \
		--source-port 7777
}

# on_segment N MARK NAME: so many of crier's datagrams have the mark.
on_segment() {
	has_captured "$1" "b'$2'.hex() in d['data'] and (d['source'] in (
		'10.77.1.1', '10.77.2.1', '$router_guest', '$router_iot'))" "$3"
}

router_guest=$(link_local_of router guest)
router_iot=$(link_local_of router iot)
both_say guestbox guest guests
both_say hub iot devices
claim "the guests' searches reach the devices: SSDP, WSD and others" within 5 \
	on_segment 4 guests-search iot
claim "the devices' announcements reach the guests" within 5 \
	on_segment 6 devices-notify guest

# --- What must not be -------------------------------------------------------

claim "no announcement of a guest reaches the devices" \
	on_segment 0 guests-notify iot
claim "no search of the devices' side reaches the guests" \
	on_segment 0 devices-search guest
# avahi has announced twice, and probed three times; the hub has searched.
claim "nor any that guests make by mDNS, probes among them" \
	on_segment 0 GuestPrinter iot
claim "no mDNS question was sent to the guests" has_captured 0 \
	"d['to_port'] == 5353 and not int(d['data'][4:6], 16) & 0x80 and
		d['source'] in ('10.77.1.1', '$router_guest')" guest
claim "no mDNS answer was sent to the devices" has_captured 0 \
	"d['to_port'] == 5353 and int(d['data'][4:6], 16) & 0x80 and
		d['source'] in ('10.77.2.1', '$router_iot')" iot
claim "the devices' side never saw the guests' printer" \
	not came back GuestPrinter
direction() {
	(($(counter crierd dropped.direction "$1") > 0))
}
for group in mdns ssdp wsd plain; do
	claim "$group counts them as direction" direction $group
done
claim "crierd ends with 0" stop crierd
finish
