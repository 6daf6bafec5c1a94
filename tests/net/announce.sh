#!/bin/bash
#
# Announcements of crier's own: a service that avahi-browse and zeroconf
# resolve, with its goodbye; beacons with what is filled in, their burst and
# goodbye; those of run time, which survive a reload; and a name that somebody
# else announces, where crier falls silent. avahi's and zeroconf's own
# announcements pass unharmed beside them.

. "$(dirname "$0")/peers.sh"
needs avahi-daemon avahi-daemon
needs avahi-browse avahi-utils
needs dbus-daemon dbus-daemon
wants_module zeroconf python3-zeroconf

# configure [LINE...]: with more announcements.
configure() {
	cat >"$work/crierd.yaml" <<-END
	control: { group: root }
	interfaces:
	  home: { device: home }
	  iot: { device: iot }
	groups:
	  mdns: { preset: mdns, interfaces: [home, iot] }
	  beacon: { address: 239.255.42.42, port: 4242,
	    interfaces: [home, iot] }
	announcements:
	  web:
	    group: mdns
	    service: { name: Router's page, type: _http._tcp, port: 8080,
	      txt: [path=/], host: front }
	    interval: 5s
	END
	printf '%s\n' "$@" >>"$work/crierd.yaml"
}

gate='
  gate:
    group: beacon
    payload: { text: "gate at %{address} on %{interface}" }
    interval: 1h
    burst: 3
    goodbye: { text: "gate leaves %{interface}" }'
configure "$gate"

segment home iot
host router home=1 iot=1
host phone home=10
host laptop home=11
host tv iot=20
addressed router/home router/iot phone/home laptop/home tv/iot
start_avahi phone phone
start_avahi tv tv
listen beacon-home phone --to 239.255.42.42 --port 4242 --iface home \
	--timeout 120
listen beacon-iot tv --to 239.255.42.42 --port 4242 --iface iot --timeout 120
start_joined crierd router "$work/crierd.yaml"

# ---- a service ----

# resolves AVAHI NAME TYPE ANSWER: that avahi-browse there does, to ANSWER.
resolves() {
	with_avahi "$1" avahi-browse -rkpt "$3" >"$work/browsed" 2>&1
	grep -q "^=;.*;$3;local;$4" "$work/browsed" && grep -q "$2" \
		"$work/browsed"
}

# says NAME EXPRESSION: that it is true of `a`, an announcement.
says() {
	holds "(lambda a: $2)([x for x in d if x['name'] == '$1'][0])" \
		json crierd announcements
}

# texts NAME TEXT N: that the listener heard it so often.
texts() {
	equal "$3" grep -c "\"$(digest_of "$2")\"" "$work/$1.out"
}

page='front.local;10.77.1.1;8080;"path=/"'
claim 'avahi-browse resolves the service at home' within 10 \
	resolves phone Router _http._tcp "$page"
claim 'and on the other segment, with its address there' within 10 \
	resolves tv Router _http._tcp 'front.local;10.77.2.1;8080;"path=/"'
start_ready browse laptop "$PYTHON" "$lib/zeroconf-peer.py" browse \
	10.77.1.11 _http._tcp
claim 'zeroconf resolves it' within 10 at_least 1 \
	"d['event'] == 'add' and d['port'] == 8080 and
		'10.77.1.1' in d['addresses']" "$work/browse.out"
claim 'both are told in crierctl announcements' says web \
	"a['origin'] == 'config' and a['group'] == 'mdns' and a['sent'] >= 4
		and a['interval'] == 5 and a['next_in'] <= 6"

start_with_avahi tv publish avahi-publish -s Television _http._tcp 80 id=1
claim "avahi's own announcement passes beside it" within 10 \
	resolves phone Television _http._tcp 'tv.local;10.77.2.20;80;"id=1"'
stop publish

# ---- beacons ----

claim 'a beacon comes in a burst, filled in for the segment' within 5 \
	texts beacon-home 'gate at 10.77.1.1 on home' 3
claim 'likewise on the other one' within 5 \
	texts beacon-iot 'gate at 10.77.2.1 on iot' 3
claim 'one is added at run time' ctl crierd announce door --group beacon \
	--text 'door on %{interface}' --interval 1h --goodbye 'door shut'
claim 'it is heard' within 5 texts beacon-home 'door on home' 1
claim 'a name is given once' not ctl crierd announce door --group beacon \
	--text x
claim 'the file has the word about its own' not ctl crierd withdraw gate

configure
claim 'a reload that removes one' ctl crierd reload
claim 'says its goodbye' within 5 texts beacon-iot 'gate leaves iot' 1
claim 'one of run time survives it' says door "a['origin'] == 'runtime'"
claim 'and is not said anew' texts beacon-home 'door on home' 1

ip -n "$prefix-router" link set dev home down
within 5 holds "d['segments']['down'] > 0" json crierd status
ip -n "$prefix-router" link set dev home up
claim 'a segment that comes up is told anew' within 10 \
	texts beacon-home 'door on home' 2
ip -n "$prefix-router" address delete 10.77.2.1/24 dev iot
ip -n "$prefix-router" address add 10.77.2.99/24 dev iot
within 5 holds "any('10.77.2.99' in a for i in d for a in i['addresses'])" \
	json crierd interfaces
claim 'and one that changes its address' within 10 \
	texts beacon-iot 'door on iot' 2
claim 'one is withdrawn' ctl crierd withdraw door
claim 'with its goodbye' within 5 texts beacon-home 'door shut' 1
claim 'who is not there cannot be' not ctl crierd withdraw door

# ---- a rival ----

claim 'a service is added at run time' ctl crierd announce lamp --group mdns \
	--service-name Lamp --service-type _lamp._udp --service-port 99
claim 'it is found' within 10 resolves phone Lamp _lamp._udp '.*;99;'
start_ready rival laptop "$PYTHON" "$lib/mdns-rival.py" 10.77.1.11 Lamp \
	_lamp._udp 77
claim 'crier falls silent where somebody else has the name' within 10 \
	says lamp "a['state'] == 'silent' and '10.77.1.11' in a['error']"
stop rival
claim 'and speaks again once the other is gone' within 20 \
	says lamp "a['state'] == 'active'"

# ---- the end ----

start_with_avahi phone watch avahi-browse -akp
within 10 grep -q '^+;.*_lamp._udp' "$work/watch.out" ||
	broken 'avahi does not see it'
claim 'crierd stops' stop crierd
claim 'with goodbyes for its services' within 5 \
	grep -q '^-;.*_http._tcp;local' "$work/watch.out"
claim 'also of run time' within 5 \
	grep -q '^-;.*_lamp._udp;local' "$work/watch.out"
finish
