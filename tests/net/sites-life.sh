#!/bin/bash
#
# What a site goes through: restarts of crier-mqtt and of crierd, another
# configuration and a bad one, a broker that stands still, a certificate that
# has expired, another site of the same name, and its death.
#
# CRIER_FREEZE says how many seconds the broker stands still, 5 here. Beyond
# twice the 30 s of the keepalive it is given up meanwhile.

. "$(dirname "$0")/mqtt.sh"
freeze=${CRIER_FREEZE:-5}
sites=(home cabin)

segment wan "${sites[@]}"
for name in "${sites[@]}"; do
	host "$name" "$name=1" "wan=${number_of_segment[$name]}"
	host "tv-$name" "$name=20"
	addressed "$name/$name" "tv-$name/$name"
done
prepare_broker "${sites[@]}"
wan=10.77.${number_of_segment[wan]}.99
start_broker
for name in "${sites[@]}"; do
	configure_site "$name"
	cat >>"$work/$name.yaml" <<-END
	  raw:
	    address: 239.1.2.3
	    port: 4242
	    interfaces: [lan]
	    hold: 5s
	END
	sed -i 's/^groups: .*/groups: { ssdp: {}, mdns: {}, raw: {} }/' \
		"$work/$name-mqtt.yaml"
done

# ---- What it says before it runs ----

exits() {
	local wanted=$1 status=0

	shift
	"$@" </dev/null >"$work/printed" 2>&1 || status=$?
	[[ $status == "$wanted" ]] || {
		echo "exits with $status:"
		cat "$work/printed"
		return 1
	}
}

claim '--check of a good file exits with 0' \
	exits 0 "$crier_mqtt" -c "$work/home-mqtt.yaml" --check
"$crier_mqtt" -c "$work/home-mqtt.yaml" --dump-config >"$work/dump.yaml"
claim 'what --dump-config prints is valid' \
	exits 0 "$crier_mqtt" -c "$work/dump.yaml" --check
claim 'and has no password' not grep -q '^[^#]*home-pw' "$work/dump.yaml"
sed 's/^site:.*/site: "no name"/; s/^user:/users:/' "$work/home-mqtt.yaml" \
	>"$work/bad.yaml"
claim '--check of a bad file exits with 78' \
	exits 78 "$crier_mqtt" -c "$work/bad.yaml" --check
claim 'and says one fault with its line' \
	grep -q 'bad.yaml:1:.*site' "$work/printed"
claim 'and the other' grep -q 'bad.yaml:3:.*users' "$work/printed"
claim 'to run with it does so, too' exits 78 "$crier_mqtt" -c "$work/bad.yaml"
claim 'a file that is not there: 78, too' \
	exits 78 "$crier_mqtt" -c "$work/nowhere.yaml"
claim 'a socket that cannot be: 1' exits 1 "$crier_mqtt" \
	-c "$work/home-mqtt.yaml" -s "/$(printf 'x%.0s' {1..200})"
claim 'an unknown option: 2' exits 2 "$crier_mqtt" --nonsense

# ---- Two sites ----

for name in "${sites[@]}"; do
	start_site "$name"
done
for name in "${sites[@]}"; do
	claim "$name is connected" within 15 is_connected "$name"
done
# ssdp SITE NAME SECONDS [byebye]: a host there says so.
ssdp() {
	mcast "tv-$1" send --to 239.255.255.250 --port 1900 --iface "$1" \
		--quiet --text "NOTIFY * HTTP/1.1"$'\r\n'"HOST: \
239.255.255.250:1900"$'\r\n'"NTS: ssdp:${4:-alive}"$'\r\n'"NT: \
upnp:rootdevice"$'\r\n'"USN: uuid:$2"$'\r\n'"CACHE-CONTROL: \
max-age=$3"$'\r\n'"LOCATION: http://192.0.2.1/"$'\r\n\r\n' >/dev/null
}

# retained TOPIC [WORD]: that the broker has it, or has that word in it.
retained() {
	on broker mosquitto_sub -h "$wan" -p 8883 --cafile "$work/ca.pem" \
		-V mqttv5 -u "${3:-cabin}" -P "${3:-cabin}-pw" -t "$1" \
		-C 1 -W 1 2>/dev/null | grep -aq -- "${2:-.}"
}

ssdp home lamp 600
ssdp home radio 600
claim 'cabin knows what home announces' within 5 knows cabin uuid:lamp home
claim 'all of it' within 5 knows cabin uuid:radio home

# ---- crier-mqtt is restarted ----

claim 'crier-mqtt ends with 0' stop home-mqtt
claim 'the broker says that it is offline' retained crier/1/home/online offline
claim 'cabin sees that' within 5 not sees_site cabin home
claim 'what it has announced stays' retained crier/1/home/ssdp/announce/+ \
	lamp
ssdp home radio 600 byebye
ssdp home clock 600
start_mqtt home
claim 'it is back' within 15 sees_site cabin home
ssdp home clock 600
claim 'what is announced then is known' within 5 knows cabin uuid:clock home
claim 'what said goodbye meanwhile is at the broker no more' within 15 \
	not retained crier/1/home/ssdp/announce/uuid%3Aradio
claim 'what did not is' retained \
	crier/1/home/ssdp/announce/uuid%3Alamp

# ---- crierd is restarted, and has forgotten all ----

stop cabin
start_joined cabin cabin "$work/cabin.yaml"
claim 'a crierd without its state is told again' within 15 \
	knows cabin uuid:lamp home

# ---- Another configuration ----

before=$(grep -c 'connected to mqtts' "$work/home-mqtt.log")
sed -i 's/ssdp: {}/ssdp: { take: { rate: 10\/s } }/' "$work/home-mqtt.yaml"
kill -HUP "${pid_of[home-mqtt]}"
claim 'SIGHUP has it take another configuration' within 5 grep -q \
	'configuration is loaded anew' "$work/home-mqtt.log"
is_back() {
	(($(grep -c 'connected to mqtts' "$work/home-mqtt.log") > before)) &&
		is_connected home && sees_site cabin home
}
claim 'it is connected again' within 15 is_back
cp "$work/home-mqtt.yaml" "$work/good.yaml"
cp "$work/bad.yaml" "$work/home-mqtt.yaml"
kill -HUP "${pid_of[home-mqtt]}"
claim 'a bad one is refused' within 5 grep -q \
	'configuration stays as it was: the new one is not valid' \
	"$work/home-mqtt.log"
claim 'with the line of its fault' grep -q 'home-mqtt.yaml:1:' \
	"$work/home-mqtt.log"
ssdp home shelf 600
claim 'and the old one goes on' within 5 knows cabin uuid:shelf home
cp "$work/good.yaml" "$work/home-mqtt.yaml"

# ---- The broker stands still ----

# More than a connection has on its way at once waits meanwhile.
kill -STOP "${pid_of[broker]}"
on tv-home "$PYTHON" -c 'import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
             socket.inet_aton(sys.argv[1]))
for n in range(300):
    for turn in range(2):
        s.sendto("\r\n".join((
            "NOTIFY * HTTP/1.1", "HOST: 239.255.255.250:1900",
            "NTS: ssdp:alive", "NT: upnp:rootdevice", f"USN: uuid:frozen{n}",
            "CACHE-CONTROL: max-age=600",
            f"LOCATION: http://192.0.2.1/{turn}", "", "")).encode(),
            ("239.255.255.250", 1900))
    time.sleep(0.002)' "10.77.${number_of_segment[home]}.20"
claim 'what is announced waits for a broker that stands still' within 5 holds \
	"[s['queued'] > 200 and s['lost'] == 0 for s in d['sites']] == [True]" \
	json home status
# It is given up by then, or not yet.
sleep "$freeze"
claim "which is borne for $freeze s" is_running home-mqtt
kill -CONT "${pid_of[broker]}"
thawed() {
	holds "sum(e['name'].startswith('uuid:frozen') and
		e['location'] == 'http://192.0.2.1/1' for e in d['entries']) == 300
		" json cabin discovered --group ssdp
}
claim 'all of it is known when it goes on, and the newest' within 15 thawed
claim 'nothing was lost' holds "[s['lost'] for s in d['sites']] == [0]" \
	json home status

# ---- Its certificate has expired ----

cp "$work/broker.pem" "$work/valid.pem"
openssl x509 -req -in "$work/broker.csr" -CA "$work/ca.pem" \
	-CAkey "$work/ca.key" -days 0 -extfile <(echo \
	"subjectAltName=IP:$wan") -out "$work/broker.pem" 2>/dev/null ||
	broken 'no expired certificate'
stop broker
start_broker
claim 'an expired certificate is refused, and that is said' within 10 \
	grep -q 'certificate has expired' "$work/home-mqtt.log"
claim 'in status, too' within 10 holds \
	"'expired' in d['sites'][0]['error']" json home status
claim 'home is not shown as connected' not is_connected home
cp "$work/valid.pem" "$work/broker.pem"
stop broker
start_broker
for name in "${sites[@]}"; do
	claim "with a good one $name is back" within 20 is_connected "$name"
done

# ---- Another of the same name ----

sed 's/^control:.*/control: { socket: '"${work//\//\\/}"'\/cabin.sock }/' \
	"$work/home-mqtt.yaml" >"$work/twin-mqtt.yaml"
start twin-mqtt cabin "$crier_mqtt" -c "$work/twin-mqtt.yaml"
within 15 grep -q 'connected to mqtts' "$work/twin-mqtt.log" ||
	broken 'the twin does not connect'
# Both have settled, and neither ends the other's connection.
within 10 sees_site cabin home
ssdp home mine 600
ssdp cabin yours 600
for name in home twin; do
	claim "$name says that another has its name" within 10 grep -q \
		'somebody else publishes as site "home"' "$work/$name-mqtt.log"
done
claim 'both stay connected' is_connected home
claim 'the twin, too' not grep -q 'broker mqtts' "$work/twin-mqtt.log"
stop twin-mqtt

# ---- It dies ----

claim 'home is there before it dies' within 15 sees_site cabin home
ssdp home mayfly 5
mcast tv-home send --to 239.1.2.3 --port 4242 --iface home --text hello \
	--quiet >/dev/null
# A PTR record of _fly._tcp.local to "a" there, with a TTL of 5 s.
on tv-home "$PYTHON" -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 5353))
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
             socket.inet_aton(sys.argv[1]))
s.sendto(bytes.fromhex("000084000000000100000000045f666c79045f746370056c6f63"
                       "616c00000c0001000000050004" "0161c00c"),
         ("224.0.0.251", 5353))' "10.77.${number_of_segment[home]}.20"

# has N GROUP: that cabin knows so many of home's in a group.
has() {
	holds "sum(e['site'] == 'home' for e in d['entries']) == $1" \
		json cabin discovered --group "$2"
}
claim 'cabin knows what will not live long, by SSDP' within 4 \
	knows cabin uuid:mayfly home
claim 'by a group without a decoder' within 2 has 1 raw
claim 'by mDNS' within 2 has 1 mdns
stop home-mqtt KILL
stop home KILL
died=$(now_ms)
claim 'what had a lifetime of 5 s is gone, by SSDP' within 10 \
	not knows cabin uuid:mayfly home
claim 'by a group that holds it so long' within 5 has 0 raw
claim 'by mDNS' within 5 has 0 mdns
took=$(($(now_ms) - died))
claim "not later than that ($took ms)" test "$took" -lt 7000
claim 'the broker has it no more, either' within 3 \
	not retained crier/1/home/ssdp/announce/uuid%3Amayfly
claim 'what has a long one is not' knows cabin uuid:lamp home
claim 'the broker knows that home is gone' within 10 \
	retained crier/1/home/online offline
claim 'crier-mqtt at cabin ends with 0' stop cabin-mqtt
claim 'and crierd' stop cabin
finish
