# shellcheck shell=bash
#
# mqtt.sh: peers.sh, and sites that an MQTT broker joins.
#
# A site NAME is a segment NAME with a host that is called like it, which has
# crierd, crier-mqtt and a leg on the segment "wan". The broker is on host
# "broker", with TLS, a password for each site and the access list that is
# shipped.

. "$(dirname "${BASH_SOURCE[0]}")/peers.sh"
wants mosquitto mosquitto
wants mosquitto_passwd mosquitto
wants openssl openssl
crier_mqtt=${CRIER_MQTT:-$top_builddir/crier-mqtt}
[[ -x $crier_mqtt ]] || skip 'built --without-mqtt'
examples=$lib/../../conf/examples

# authority NAME: one that signs certificates, in $work/NAME.pem and .key.
authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
		-nodes -keyout "$work/$1.key" -out "$work/$1.pem" -days 2 \
		-subj "/CN=$1" 2>/dev/null || broken "no authority $1"
}

# certificate NAME AUTHORITY ALTNAME [OPTION...]: OPTIONs are of openssl x509.
certificate() {
	local name=$1 by=$2 for=$3

	shift 3
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-keyout "$work/$name.key" -out "$work/$name.csr" \
		-subj "/CN=$name" 2>/dev/null &&
		openssl x509 -req -in "$work/$name.csr" -CA "$work/$by.pem" \
			-CAkey "$work/$by.key" -CAcreateserial -days 1 \
			-extfile <(echo "subjectAltName=$for") \
			-out "$work/$name.pem" "$@" 2>/dev/null ||
		broken "no certificate $name"
}

# prepare_broker USER...: what it needs, once. The password of USER is USER-pw.
prepare_broker() {
	local user

	host broker wan=99
	authority ca
	certificate broker ca "IP:10.77.${number_of_segment[wan]}.99"
	: >"$work/passwords"
	for user; do
		mosquitto_passwd -b "$work/passwords" "$user" "$user-pw"
	done
	# What the broker keeps while it is down, it may read again.
	mkdir -p "$work/broker-data"
	cat >"$work/broker.conf" <<-END
	listener 8883 10.77.${number_of_segment[wan]}.99
	cafile $work/ca.pem
	certfile $work/broker.pem
	keyfile $work/broker.key
	allow_anonymous false
	password_file $work/passwords
	acl_file $examples/mosquitto.acl
	persistence true
	persistence_location $work/broker-data/
	user root
	END
}

broker_listens() {
	on broker ss -Hltn "sport = :8883" | grep -q .
}

start_broker() {
	start broker broker mosquitto -c "$work/broker.conf"
	within 10 broker_listens || broken 'mosquitto does not come up'
}

# site NAME: its segment and host.
site() {
	segment "$1"
	host "$1" "$1=1" "wan=${number_of_segment[$1]}"
	addressed "$1/$1"
}

# configure_site NAME [LINE...]: for crierd and crier-mqtt; LINEs go to the end
# of the latter.
configure_site() {
	local name=$1 line

	shift
	cat >"$work/$name.yaml" <<-END
	control: { group: root }
	interfaces:
	  lan: { device: $name }
	groups:
	  mdns: { preset: mdns, interfaces: [lan] }
	  ssdp: { preset: ssdp, interfaces: [lan] }
	END
	{
		cat <<-END
		site: $name
		brokers: mqtts://10.77.${number_of_segment[wan]}.99
		user: $name
		password: $name-pw
		tls: { ca: $work/ca.pem }
		control: { socket: $work/$name.sock }
		groups: { mdns: {}, ssdp: {} }
		END
		for line; do
			echo "$line"
		done
	} >"$work/$name-mqtt.yaml"
}

start_mqtt() {
	start "$1-mqtt" "$1" "$crier_mqtt" -c "$work/$1-mqtt.yaml" \
		--log-level debug
}

start_site() {
	start_joined "$1" "$1" "$work/$1.yaml"
	start_mqtt "$1"
}

# is_connected SITE: crierd's status says so.
is_connected() {
	holds "[s['state'] for s in d['sites']] == ['connected']" \
		json "$1" status
}

# sees_site SITE OTHER: that the other is online.
sees_site() {
	holds "any(o['site'] == '$2' and o['online']
		for s in d['sites'] for o in s['sites'])" json "$1" status
}

# knows SITE NAME [FROM]: that its table has an entry, from another site.
knows() {
	holds "any(e['name'] == '$2' and e['site'] == '${3:-$3}'
		for e in d['entries'])" json "$1" discovered
}
