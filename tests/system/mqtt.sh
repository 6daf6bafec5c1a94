#!/bin/bash
#
# crier-mqtt as systemd's service: its rights are next to none, it comes and
# goes with crierd, and joins its site with another one by a broker with TLS.

. "$(dirname "$0")/../net/mqtt.sh"
. "$(dirname "$0")/lib.sh"
wants mosquitto_sub mosquitto-clients
unit=crier-mqtt.service

# A group whose datagrams are not decoded; the segment is called as the site.
crierd_of() {
	cat <<-END
	control: { group: ${2:-crier} }
	interfaces:
	  lan: { device: $1 }
	groups:
	  beacon: { address: 239.255.42.42, port: 4242, interfaces: [lan] }
	END
}

# mqtt_of SITE DIRECTORY SOCKET: the authority is in the directory.
mqtt_of() {
	cat <<-END
	site: $1
	brokers: mqtts://10.77.${number_of_segment[wan]}.99
	user: $1
	tls: { ca: $2/ca.pem }
	control: { socket: $3 }
	groups: { beacon: {} }
	END
}

# configure_mqtt [LINE...]: in the container.
configure_mqtt() {
	{
		mqtt_of attic "$etc" /run/crier/control.sock
		printf '%s\n' "$@"
	} >"$system_root$etc/crier-mqtt.yaml"
}

is_connected_inside() {
	equal "Connected to mqtts://10.77.${number_of_segment[wan]}.99." \
		prop StatusText $unit
}

# connects_anew: it is, by a connection that has not been claimed yet.
connections=0
connects_anew() {
	local n

	n=$(grep -c ' connected from .* as crier-attic-' "$work/broker.log")
	echo "$n connections"
	((n > connections)) && is_connected_inside && connections=$n
}

# said_online WORD: what the broker keeps of attic, for the other site.
said_online() {
	equal "$1" on broker mosquitto_sub \
		-h "10.77.${number_of_segment[wan]}.99" -p 8883 \
		--cafile "$work/ca.pem" -u cabin -P cabin-pw -V mqttv5 \
		-t crier/1/attic/online -C 1 -W 2
}

is() {
	equal "$1" prop ActiveState "${2:-$unit}"
}

stays_stopped() {
	not within 2 is active crierd.service && is inactive
}

status_of() {
	inside cat "/proc/$(prop MainPID $unit)/status" |
		awk -v key="$1:" '$1 == key { print $2 }'
}

# crosses TEXT FROM ON TO: said by a host on its segment, and heard by the other
# one, by what listens as TO.
crosses() {
	mcast "$2" send --to 239.255.42.42 --port 4242 --iface "$3" \
		--text "$1" --quiet >"$work/sent"
	heard_text "$1" "$work/$4.out"
}

has_group() {
	inside grep -qw "$(inside getent group crier | cut -d: -f3)" \
		"/proc/$(prop MainPID $unit)/status"
}

segment wan
site attic
site cabin
host tv attic=20
host phone cabin=10
prepare_broker attic cabin
start_broker
make_root
etc=$(configured sysconfdir)/crier
crierd_of attic | configure
cp "$work/ca.pem" "$system_root$etc/"
boot attic
crierd_of cabin root >"$work/cabin.yaml"
{
	mqtt_of cabin "$work" "$work/cabin.sock"
	echo 'password: cabin-pw'
} >"$work/cabin-mqtt.yaml"
start_site cabin
claim "the other site is connected" \
	within 10 grep -q 'connected to mqtts:' "$work/cabin-mqtt.log"

# ---- Begin ----

claim "crierd starts" inside systemctl start crierd.service
claim "and nothing else, by default" is inactive
claim "without a configuration a start is no failure" \
	inside systemctl start $unit
claim "and does nothing" is inactive
echo attic-pw >"$system_root$etc/password"
inside chgrp crier-mqtt "$etc/password"
chmod 640 "$system_root$etc/password"
configure_mqtt "password-file: $etc/password"
claim "with one it starts" inside systemctl start $unit
claim "and connects" within 10 connects_anew
claim "of which the other site is told" within 5 said_online online
listen tv tv --to 239.255.42.42 --port 4242 --iface attic --timeout 600
listen phone phone --to 239.255.42.42 --port 4242 --iface cabin --timeout 600
claim "what is said here is heard there" \
	within 10 crosses from-attic tv attic phone
claim "and the other way" within 10 crosses from-cabin phone cabin tv

# ---- Rights ----

claim "it has no capability" equal 0000000000000000 status_of CapEff
claim "nor may it have one" equal 0000000000000000 status_of CapBnd
claim "its system calls are filtered" equal 2 status_of Seccomp
claim "it gets no new privileges" equal 1 status_of NoNewPrivs
claim "it is its own user" equal "$(inside id -u crier-mqtt)" status_of Uid
claim "which is not root" not equal 0 status_of Uid
claim "it is in the group crier" has_group
claim "it is exposed by 1.2 at most, as crierd is" \
	inside systemd-analyze security --no-pager --offline=true \
	--threshold=12 $unit
claim "the unit has no fault" \
	inside systemd-analyze verify --man=no $unit

# ---- It comes and goes with crierd ----

claim "it can be enabled" inside systemctl enable $unit
claim "crierd stops" inside systemctl stop crierd.service
claim "and is not started by what it left behind" stays_stopped
claim "the other site is told" within 5 said_online offline
claim "crierd starts" inside systemctl start crierd.service
claim "and brings it along" within 5 is active
claim "which connects" within 10 connects_anew
claim "crierd restarts" inside systemctl restart crierd.service
claim "and it with it" within 10 is active
claim "connected again" within 10 connects_anew
signal_main KILL crierd.service
claim "after crierd was killed it is connected again" \
	within 20 connects_anew
claim "and carries" within 10 crosses again tv attic phone
signal_main KILL $unit
claim "killed itself, it comes back" within 20 connects_anew

# ---- Its configuration ----

configure_mqtt "password-file: $etc/password" 'site: attic'
claim "a file with a fault fails the reload" \
	not inside systemctl reload $unit
claim "with what it is" inside sh -c \
	"journalctl -q -o cat -u $unit | grep -q 'site: .*twice'"
claim "and the service goes on" is_connected_inside
claim "a restart with it fails" not inside systemctl restart $unit
claim "with 78" equal 78 prop ExecMainStatus $unit
claim "and is not tried again" is failed
configure_mqtt 'password-file: /run/credentials/crier-mqtt.service/password'
inside mkdir -p "/etc/systemd/system/$unit.d"
cat >"$system_root/etc/systemd/system/$unit.d/password.conf" <<END
[Service]
LoadCredential=password:$etc/password
END
chmod 600 "$system_root$etc/password"
inside systemctl daemon-reload
claim "with root's password, handed over, it starts" \
	inside systemctl restart $unit
claim "and connects" within 10 connects_anew
claim "a good file is loaded anew" inside systemctl reload $unit
claim "and it connects" within 10 connects_anew
claim "it stops" inside systemctl stop $unit
claim "in order" equal success prop Result $unit
finish
