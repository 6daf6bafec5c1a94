#!/bin/bash
#
# A real minidlna is found from another segment by gssdp and by a plain
# M-SEARCH: through `replies: proxy`, where answers come from crier's address
# and LOCATION names the device, and through `source: preserve`, where the
# device answers the searcher itself over the router. gupnp fetches its
# description then. Announcements and goodbyes cross as well.

. "$(dirname "$0")/peers.sh"
wants minidlnad minidlna
wants_module gi python3-gi
"$PYTHON" -c 'import gi
gi.require_version("GSSDP", "1.6")
gi.require_version("GUPnP", "1.6")' 2>/dev/null ||
	skip 'no gssdp: install gir1.2-gssdp-1.6 and gir1.2-gupnp-1.6'

server=urn:schemas-upnp-org:device:MediaServer:1

configure() {
	cat >"$work/crierd.yaml" <<-END
	control: { group: root }
	interfaces:
	  home: { device: home }
	  iot: { device: iot }
	groups:
	  ssdp: { preset: ssdp, interfaces: [home, iot]$1 }
	END
}

segment home iot
host router home=1 iot=1
host phone home=10
host nas iot=20
addressed router/home router/iot phone/home nas/iot

cat >"$work/minidlna.conf" <<END
port=8200
network_interface=iot
media_dir=$work/media
db_dir=$work/db
log_dir=$work
friendly_name=Shelf
serial=77
notify_interval=895
END
mkdir "$work/media" "$work/db"

start_minidlna() {
	start nas nas minidlnad -S -f "$work/minidlna.conf" \
		-P "$work/minidlna.pid"
	within 10 serves || {
		sed 's/^/# /' "$work/nas.log" "$work/minidlna.log"
		broken 'minidlna does not come up'
	}
}

serves() {
	on nas bash -c '</dev/tcp/10.77.2.20/8200' 2>/dev/null
}

search_for() {
	printf 'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n'
	printf 'MAN: "ssdp:discover"\r\nMX: 1\r\nST: %s\r\n\r\n' "$1"
}

peer() {
	start_ready "$1" phone "$PYTHON" "$lib/ssdp-peer.py" "$2" home "$3"
}

location=http://10.77.2.20:8200/rootDesc.xml
came() {
	at_least 1 "d['event'] == 'add' and '$location' in d['locations']" \
		"$work/$1.out"
}

went() {
	at_least 1 "d['event'] == 'remove'" "$work/$1.out"
}

# answered_by ADDRESS TARGET...
answered_by() {
	local address=$1 target

	shift
	for target; do
		search_for "$target" >"$work/search"
		ask phone --to 239.255.255.250 --port 1900 --iface home \
			--file "$work/search" --answers 1 --timeout 4 \
			>"$work/answers"
		claim "[$mode] $target is answered from $address" at_least 1 \
			"d['source'] == '$address' and
			'ST: $target' in d['text'] and '$location' in d['text']" \
			"$work/answers"
		claim "[$mode] and by nobody else" has_lines 0 \
			"d['source'] != '$address'" "$work/answers"
	done
}

mode=proxy
configure ''
start_joined crierd router "$work/crierd.yaml"
peer early gssdp "$server"
start_minidlna
claim "[$mode] gssdp hears the announcement, or finds it" within 10 came early
peer late gssdp "$server"
claim "[$mode] gssdp finds it afterwards" within 10 came late
peer all gssdp ssdp:all
claim "[$mode] gssdp finds it by ssdp:all" within 10 came all
answered_by 10.77.1.1 "$server" upnp:rootdevice
claim "[$mode] answers come from the group's port" at_least 1 \
	"d['port'] == 1900" "$work/answers"
claim "[$mode] the flows count searches and answers" \
	holds "any(f['searches'] > 0 and f['answers'] > 0 and
		f['interface'] == 'iot' for f in d)" json crierd flows
stop nas
claim "[$mode] its goodbye arrives" within 5 went late
for name in early late all; do
	stop $name
done
claim "[$mode] crierd ends with 0" stop crierd

mode=preserve
route_between router phone nas
configure ', source: preserve'
start_joined crierd router "$work/crierd.yaml"
start_minidlna
peer late gssdp "$server"
claim "[$mode] gssdp finds it" within 10 came late
peer upnp gupnp "$server"
claim "[$mode] gupnp finds it, and its description" within 15 \
	at_least 1 "d.get('name') == 'Shelf' and '$location' in
		d['locations']" "$work/upnp.out"
answered_by 10.77.2.20 "$server"
claim "[$mode] there are no flows" holds "d == []" json crierd flows
stop nas
claim "[$mode] its goodbye arrives" within 5 went late
claim "[$mode] crierd ends with 0" stop crierd
finish
