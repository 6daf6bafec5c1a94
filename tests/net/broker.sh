#!/bin/bash
#
# The connection to an MQTT broker: with and without TLS, with brokers that do
# not want us, that go away, that do not answer, and that are hostile. The
# client is src/mqtt/broker.c alone, driven by broker.c beside this file.

. "$(dirname "$0")/peers.sh"
client=${BROKER:-$top_builddir/tests/net/broker}
[[ -x $client ]] || skip 'built without MQTT'
needs mosquitto mosquitto
needs mosquitto_pub mosquitto-clients
needs openssl openssl
bad="$lib/broker-peer.py"
segment net
host site net=1
cd "$work" || broken 'no directory'
# mosquitto drops its privileges before it reads what it is to serve.
chmod 755 "$work"

# --- Certificates -----------------------------------------------------------

authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$1.key" -out "$1.crt" -days 30 -subj "/CN=$1"
}

# certificate NAME CA ALTERNATIVE FROM TO
certificate() {
	: >"$1.db"
	cat >"$1.conf" <<-END
	[ca]
	default_ca = it
	[it]
	database = $1.db
	new_certs_dir = .
	rand_serial = yes
	default_md = sha256
	policy = any
	x509_extensions = more
	[any]
	commonName = supplied
	[more]
	subjectAltName = $3
	END
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$1.key" -out "$1.csr" -subj "/CN=$1" &&
		openssl ca -batch -notext -config "$1.conf" -in "$1.csr" \
			-out "$1.crt" -cert "$2.crt" -keyfile "$2.key" \
			-startdate "$4" -enddate "$5"
}

certificates() {
	local from to

	from=$(date -u -d yesterday +%Y%m%d%H%M%SZ)
	to=$(date -u -d '10 days' +%Y%m%d%H%M%SZ)
	authority ca && authority stranger &&
		certificate good ca DNS:localhost,IP:127.0.0.1 "$from" "$to" &&
		certificate other ca DNS:other.example,IP:10.9.9.9 \
			"$from" "$to" &&
		certificate old ca DNS:localhost 20200101000000Z \
			20210101000000Z &&
		certificate client ca DNS:client "$from" "$to" &&
		openssl ec -in client.key -aes256 -passout pass:secret \
			-out locked.key &&
		mkdir hashed && cp ca.crt hashed/"$(openssl x509 -hash \
			-noout -in ca.crt)".0 && chmod 644 ./*.key
}
certificates >certificates.log 2>&1 || {
	sed 's/^/# /' certificates.log
	broken 'no certificates'
}

# --- Brokers ----------------------------------------------------------------

listener() { # PORT CERTIFICATE [LINE...]
	printf 'listener %s 127.0.0.1\n' "$1"
	printf '%s\n' "certfile $work/$2.crt" "keyfile $work/$2.key" "${@:3}"
}

printf 'someone:secret\n' >passwords
chmod 600 passwords
mosquitto_passwd -U passwords || broken 'no passwords'
chmod 644 passwords
cat >access <<END
topic readwrite open/#
topic read \$SYS/#
topic readwrite will
END
{
	echo 'per_listener_settings true'
	printf '%s\n' 'listener 1101 127.0.0.1' 'allow_anonymous true'
	printf '%s\n' "listener 1102 10.77.1.1" 'allow_anonymous true'
	printf '%s\n' 'listener 1103 127.0.0.1' "password_file $work/passwords"
	printf '%s\n' 'listener 1104 127.0.0.1' 'allow_anonymous true' \
		"acl_file $work/access"
	listener 2001 good 'allow_anonymous true'
	listener 2002 other 'allow_anonymous true'
	listener 2003 old 'allow_anonymous true'
	listener 2004 good 'allow_anonymous true' "cafile $work/ca.crt" \
		'require_certificate true'
} >broker.conf

answers() { # PORT
	on site mosquitto_pub -h 127.0.0.1 -p "$1" -t up -n 2>/dev/null
}

start_broker() {
	start broker site mosquitto -c "$work/broker.conf"
	within 10 answers 1101 || {
		sed 's/^/# /' broker.log
		broken 'mosquitto does not come up'
	}
}

# --- The client -------------------------------------------------------------

client() { # NAME OPTION... URL...
	local name=$1

	shift
	start "$name" site "$client" "$@"
}

says() { # NAME TEXT
	grep -qF -- "$2" "$1.out"
}

says_times() { # N NAME TEXT
	(($(grep -cF -- "$3" "$2.out") >= $1))
}

# claim_says TEXT SAID OPTION...: of a client that lives for it.
claim_says() {
	local text=$1 said=$2

	shift 2
	client c "$@"
	claim "$text" within 5 says c "$said" || sed 's/^/#   /' c.out
	claim '  and it ends in order' stop c
}

# resident_kb NAME [WHICH]: as it is, or as it was at most.
resident_kb() {
	awk "/^${2:-VmRSS}/"' { print $2 }' "/proc/${pid_of[$1]}/status"
}

# report NAME WORD: a figure, as it is now.
report() {
	local before

	before=$(grep -c '^report' "$1.out")
	kill -USR1 "${pid_of[$1]}"
	within 5 more_reports "$1" "$before" || return
	grep '^report' "$1.out" | tail -n 1 | sed "s/.*$2 \([^ ]*\).*/\1/"
}

more_reports() {
	(($(grep -c '^report' "$1.out") > $2))
}

# goes_on NAME MS: that its loop has never stood still for so long.
goes_on() {
	local worst

	worst=$(report "$1" worst_ms) && echo "stood still for $worst ms" &&
		((worst < $2))
}

start_broker

# --- Without TLS ------------------------------------------------------------

client c --subscribe 'open/#' --publish open/on --last open/on \
	mqtt://127.0.0.1:1101
claim 'loopback is spoken to without TLS' within 5 says c up:
claim 'what is published comes back' within 5 says c 'message: open/on here'
on site mosquitto_pub -h 127.0.0.1 -p 1101 -t open/x -m hello
claim 'and what others publish comes' within 5 says c 'message: open/x hello'
claim 'it ends in order' stop c
claim 'and its last word was taken' equal 'bye' \
	on site mosquitto_sub -h 127.0.0.1 -p 1101 -t open/on -C 1 -W 5
claim 'with the will' equal 'lost' \
	on site mosquitto_sub -h 127.0.0.1 -p 1101 -t will -C 1 -W 5
claim_says 'a name with several addresses is tried at each' up: \
	mqtt://localhost:1101
claim_says 'others are not, unless they are named' \
	'is not to be spoken to without TLS' mqtt://10.77.1.1:1102
claim_says 'which they can be' up: --plain 10.77.1.1 \
	mqtt://10.77.1.1:1102
claim_says 'nobody there' 'Connection refused' mqtt://127.0.0.1:1199
claim_says 'no such name' 'broker mqtt://no.invalid:1' mqtt://no.invalid:1
claim_says 'the next of several brokers is tried' \
	'up: mqtt://127.0.0.1:1101' \
	mqtt://127.0.0.1:1199 mqtt://127.0.0.1:1101

# --- With TLS ---------------------------------------------------------------

claim_says 'TLS, by a name' up: --ca ca.crt mqtts://localhost:2001
claim_says 'TLS, by an address' up: --ca ca.crt mqtts://127.0.0.1:2001
claim_says 'with a directory of CAs' up: --ca hashed \
	mqtts://localhost:2001
claim_says 'a CA that is not theirs' \
	'cannot be trusted: unable to get local issuer certificate' \
	--ca stranger.crt mqtts://localhost:2001
claim_says 'not one of the system, either' 'cannot be trusted: ' \
	mqtts://localhost:2001
claim_says 'another name' 'cannot be trusted: hostname mismatch' \
	--ca ca.crt mqtts://localhost:2002
claim_says 'another address' 'cannot be trusted: IP address mismatch' \
	--ca ca.crt mqtts://127.0.0.1:2002
claim_says 'a certificate that has expired' \
	'cannot be trusted: certificate has expired' \
	--ca ca.crt mqtts://localhost:2003
client c --insecure mqtts://localhost:2003
claim 'which is taken where nothing is verified' within 5 says c up:
claim 'and that is said aloud' says c 'warned: broker'
claim 'and it ends in order' stop c
claim_says 'a client without its certificate' 'certificate required' \
	--ca ca.crt mqtts://localhost:2004
claim_says 'and with it' up: --ca ca.crt --cert client.crt \
	--key client.key mqtts://localhost:2004
claim_says 'a key with a password is not asked for' 'key locked.key: ' \
	--ca ca.crt --cert client.crt --key locked.key mqtts://localhost:2004
claim_says 'a key of another certificate' 'key good.key: ' \
	--ca ca.crt --cert client.crt --key good.key mqtts://localhost:2004
claim_says 'no file of that name' 'CA none.crt: No such file or directory' \
	--ca none.crt mqtts://localhost:2001
claim_says 'TLS where there is none' \
	'broker mqtts://localhost:1101: ' --ca ca.crt mqtts://localhost:1101
claim_says 'none where there is TLS' 'before it answered' \
	mqtt://127.0.0.1:2001

# --- Who is who -------------------------------------------------------------

claim_says 'a password' up: --user someone --password secret \
	mqtt://127.0.0.1:1103
claim_says 'a wrong one' 'not authorized (135)' --user someone \
	--password wrong mqtt://127.0.0.1:1103
echo wrong >password
client c --user someone --password-file password mqtt://127.0.0.1:1103
within 5 says c 'not authorized (135)'
printf 'secret\r\nand more\n' >password
claim 'its file is read at each attempt' within 10 says c up:
claim 'and it ends in order' stop c
head -c 5000 /dev/zero | tr '\0' x >password
claim_says 'a file that is too long' 'password file password: ' \
	--user someone --password-file password mqtt://127.0.0.1:1103
client c --publish closed/x --subscribe 'open/#' mqtt://127.0.0.1:1104
claim 'what an access list forbids is told' within 5 says c \
	'refused: not authorized (135)'
claim 'and it is connected all the same' not says c down
stop c
client one --config one mqtt://127.0.0.1:1101
within 5 says one up:
client two --config two mqtt://127.0.0.1:1101
within 5 says two up:
claim 'two sites of one name stay connected' not says one down
client again --config two mqtt://127.0.0.1:1101
claim 'one that comes back ends its old connection' within 5 says two \
	'closed the connection'
for name in one two again; do
	stop "$name"
done

# --- A broker that goes away ------------------------------------------------

client c --ca ca.crt --subscribe 'open/#' --publish open/on \
	mqtts://localhost:2001
within 5 says c up: || broken 'no connection'
for i in 1 2 3 4 5; do
	stop broker KILL
	start_broker
	claim "it is back after loss $i" within 5 says_times $((i + 1)) c \
		'up: '
done
claim 'and it has said what it had to each time' within 5 \
	says_times 6 c 'message: open/on here'
stop c KILL
claim 'whoever dies is told of by its will' equal 'lost' \
	on site mosquitto_sub -h 127.0.0.1 -p 1101 -t will -C 1 -W 5

# --- A broker that stands still ---------------------------------------------

client c --flood 60000 mqtt://127.0.0.1:1101
within 5 says c up:
sleep 1
before=$(resident_kb c)
kill -STOP "${pid_of[broker]}"
sent=$(report c sent)
sleep 5
after=$(resident_kb c)
claim 'what a broker does not take does not pile up' \
	test "$((after - before))" -lt 16384
claim 'and is bounded by the window' \
	test "$(($(report c sent) - sent))" -le 256
echo "# $before KiB before, $after KiB after"
claim 'the loop goes on' goes_on c 1000
sent=$(report c sent)
kill -CONT "${pid_of[broker]}"
more_sent() {
	(($(report c sent) > sent + 1000))
}
claim 'it goes on where it was' within 10 more_sent
claim 'without a loss' not says c down
kill -STOP "${pid_of[broker]}"
ended=$(now_ms)
claim 'and it can be ended then, in order' stop c
claim '  within two seconds' test $(($(now_ms) - ended)) -lt 2000
kill -CONT "${pid_of[broker]}"

# --- Brokers that do not behave ---------------------------------------------

# misbehaves MODE TEXT SAID
misbehaves() {
	local before after

	start bad site "$PYTHON" "$bad" 3001 "$1"
	within 10 grep -q ready bad.out || broken 'no bad broker'
	client c "${@:4}" mqtt://127.0.0.1:3001
	within 5 grep -q connect bad.out
	before=$(resident_kb c)
	claim "$2" within 20 says c "$3" || sed 's/^/#   /' c.out
	after=$(resident_kb c VmHWM)
	claim "  with memory that is bounded: $((after - before)) KiB more" \
		test $((after - before)) -lt "${room:-16384}"
	claim '  and a loop that goes on' goes_on c 1000
	claim '  which ends in order' stop c
	stop bad
}
misbehaves silent 'a broker that says nothing' 'no answer in 15 s'
claim 'it was told how much to send' grep -q 'maximum packet size 131072' \
	bad.out
misbehaves close 'one that closes' 'before it answered'
misbehaves garbage 'one that sends garbage' 'down: '
misbehaves three 'one of MQTT 3.1.1' 'it does not speak MQTT 5'
misbehaves twice 'one that greets twice' 'does not speak MQTT 5 properly'
misbehaves refuse 'one that does not know us' 'wrong user or password (134)'
misbehaves no-retain 'one that forgets' 'it keeps no retained messages'
misbehaves huge 'one that sends too much' \
	'it sends more than 131072 bytes in one packet' --subscribe x
# This one is only found out when there is nothing to read for a moment.
room=65536 misbehaves split 'and one that hides it' \
	'it sends more than 131072 bytes in one packet' --subscribe x
misbehaves qos2 'one that never releases' 'down: ' --subscribe x
misbehaves trickle 'one that takes its time' 'no answer in 15 s'
# Of this one libmosquitto does not free the packet.
ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 \
	misbehaves property 'one that sends an unknown property' \
	'does not speak MQTT 5 properly'
misbehaves mute 'one that does not answer any more' \
	'it has not answered for 2 s'
misbehaves odd 'one that acknowledges what was not sent' \
	'up: ' --subscribe x
misbehaves flood 'one that sends without end' 'up: ' --subscribe x
misbehaves small 'one that takes little' 'up: ' --publish x
claim '  is given what it takes' grep -q 'published, QoS 0' bad.out
finish
