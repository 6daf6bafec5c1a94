#!/bin/bash
#
# Whatever a client of the control socket does, the relay goes on, others are
# answered, and who may not change things does not.

. "$(dirname "$0")/lib.sh"
needs setpriv util-linux

cat >"$work/crierd.yaml" <<END
control: { mode: "0666", group: daemon }
limits: { clients: 64 }
interfaces:
  a: { device: a }
  b: { device: b }
groups:
  four: { address: 239.255.42.42, port: 4242, interfaces: [a, b] }
END

segment a b
host router a=1 b=1
host ha a=10
host hb b=10
chmod 755 "$work"
start_joined crierd router "$work/crierd.yaml"
socket=$work/crierd.sock

say() {
	"$PYTHON" "$lib/talk.py" "$socket" say
}

# answers CODE TEXT: that the text, as printf takes it, draws this error.
answers() {
	# shellcheck disable=SC2059
	printf "$2" | say >"$work/answer"
	holds "d['error']['code'] == $1 and d['jsonrpc'] == '2.0'" \
		cat "$work/answer"
}

# --- What is said -----------------------------------------------------------

ask='{"jsonrpc":"2.0","id":7,"method":"status"}'
answer_of() {
	printf '%s\n' "$1" | say
}
claim "a request is answered, with its id" \
	holds "d['id'] == 7 and 'totals' in d['result']" answer_of "$ask"
claim "two at once are answered in order" \
	equal 78 sh -c 'grep -o "\"id\": *[0-9]*" | tr -dc 0-9' \
	< <(printf '%s\n%s\n' "$ask" "${ask/7/8}" | say)
claim "an id may be a text" \
	holds "d['id'] == 'x'" answer_of "${ask/7/\"x\"}"
claim "a notification is not answered" \
	equal '' answer_of '{"jsonrpc":"2.0","method":"status"}'
claim "no JSON: -32700" answers -32700 'hello\n'
claim "half a JSON: -32700" answers -32700 '{"jsonrpc":\n'
claim "bytes that are no UTF-8: -32700" answers -32700 '"\377\376"\n'
claim "a NUL: -32700" answers -32700 '{"a":\0}\n'
claim "a number: -32600" answers -32600 '1\n'
claim "no method: -32600" answers -32600 '{"jsonrpc":"2.0","id":1}\n'
claim "not 2.0: -32600" answers -32600 '{"id":1,"method":"status"}\n'
claim "a batch: -32600" answers -32600 "[$ask]\n"
claim "an unknown method: -32601" answers -32601 "${ask/status/stats}\n"
claim "a wrong parameter: -32602" answers -32602 \
	'{"jsonrpc":"2.0","id":1,"method":"groups","params":{"name":1}}\n'
claim "an unknown group: -32001" answers -32001 \
	'{"jsonrpc":"2.0","id":1,"method":"groups","params":{"name":"x"}}\n'

long_line() {
	printf '%s' "$ask"
	head -c $(($1 - ${#ask})) /dev/zero | tr '\0' ' '
	printf '\n'
}
long_answer() {
	long_line "$1" | say
}
claim "a line of 64 KiB is answered" \
	holds "d['id'] == 7 and 'result' in d" long_answer 65536
claim "a longer one: -32600" \
	holds "d['error']['code'] == -32600" long_answer 65537
endless() {
	{
		head -c 300000 /dev/zero | tr '\0' 'x'
		printf '\n%s\n' "$ask"
	} | say
}
claim "and the connection is closed: what follows is not answered" \
	holds "d['error']['code'] == -32600" endless
deep() {
	head -c 60000 /dev/zero | tr '\0' '['
	echo
}
claim "60,000 open brackets do no harm" \
	holds "d['error']['code'] in (-32700, -32600)" sh -c 'cat' \
	< <(deep | say)

# --- Who may ----------------------------------------------------------------

as() {
	local user=$1 groups=$2

	shift 2
	setpriv --reuid "$user" --regid 65534 --groups "$groups" "$@"
}
# The programs may lie where nobody else can go.
install -m 755 "$crierctl" "$work/crierctl"
nobody() {
	as 65534 65534 "$work/crierctl" -s "$socket" "$@"
}
member() {
	as 65534 "$(getent group daemon | cut -d: -f3)" \
		"$work/crierctl" -s "$socket" "$@"
}
if nobody status >"$work/nobody" 2>&1; then
	claim "anybody may read" nobody --json groups
	claim "nobody may not reload" not nobody reload
	claim "nor change the log level" not nobody log-level debug
	claim "nor switch the standby" not nobody standby off
	nobody reload >"$work/nobody" 2>&1
	status=$?
	claim "crierctl says 1 then" test $status = 1
	claim "a member of the control group may reload" member reload
else
	echo "# nobody cannot run crierctl here: $(<"$work/nobody")"
	claim "anybody may read" false
fi
claim "root may reload" ctl crierd reload

# --- crierctl ---------------------------------------------------------------

exits_with() {
	local wanted=$1 status=0

	shift
	"$@" >"$work/output" 2>&1 </dev/null || status=$?
	[[ $status == "$wanted" ]] || {
		echo "exits with $status:"
		cat "$work/output"
		return 1
	}
}
for command in status interfaces groups "groups four" presets \
	"explain --group four --from a --source 10.77.1.10" "log-level debug" \
	"log-level info" "standby on" "standby off"; do
	# shellcheck disable=SC2086
	claim "crierctl $command" exits_with 0 ctl crierd $command
	# shellcheck disable=SC2086
	claim "crierctl --json $command prints JSON" \
		holds "d is None or True" json crierd $command
done
claim "no colours where no terminal is" not grep -q $'\e' \
	<(ctl crierd status; ctl crierd groups; ctl crierd interfaces)
claim "usage: no command exits with 2" exits_with 2 "$crierctl" -s "$socket"
claim "usage: an unknown one exits with 2" exits_with 2 ctl crierd stats
claim "usage: an argument too many exits with 2" \
	exits_with 2 ctl crierd status more
claim "no daemon: exits with 3" \
	exits_with 3 "$crierctl" -s "$work/nowhere.sock" status
claim "an unknown group: exits with 1" exits_with 1 ctl crierd groups foru
claim "and names the nearest one" grep -q 'four' "$work/output"

# --- Under abuse ------------------------------------------------------------

listen ear hb --to 239.255.42.42 --port 4242 --iface b --timeout 600
start stream ha "$PYTHON" "$lib/mcast.py" send --to 239.255.42.42 \
	--port 4242 --iface a --count 0 --rate 1000 --quiet
memory_kib() {
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' \
		"/proc/${pid_of[crierd]}/status"
}
memory=$(memory_kib)
talk() {
	local name=$1

	shift
	start "$name" router "$PYTHON" "$lib/talk.py" "$socket" "$@"
	within 10 grep -q ready "$work/$name.out" || broken "$name is not ready"
}
answers_soon() {
	timeout 2 "$crierctl" -s "$socket" --json status >"$work/status"
}
talk deaf deaf 3
talk babble1 babble 1
talk babble2 babble 2
talk idle idle 10
claim "with deaf, silent and babbling clients it answers within 2 s" \
	within 2 answers_soon
claim "a slow one is answered too" holds "d['id'] == 7" \
	"$PYTHON" "$lib/talk.py" "$socket" slow "$ask"
for _ in {1..20}; do
	within 5 answers_soon || broken 'no answer'
done
stop babble1
stop babble2
talk crowd idle 200
refused() {
	holds "d['error']['code'] == -32004" answer_of "$ask"
}
claim "more than \`clients\` are refused, and told so" refused
stop crowd
stop idle
claim "when they are gone others are answered" within 5 answers_soon
claim "the refused are counted" \
	holds "d['limits']['clients']['refused'] > 0" json crierd status
stop deaf

stop stream
mcast ha send --to 239.255.42.42 --port 4242 --iface a --text end --quiet \
	>"$work/sent"
within 5 heard_text end "$work/ear.out"
stop ear
claim "meanwhile no datagram of 1,000 a second was lost" heard ear \
	"d['heard'] - 1 == $(tail -n 1 "$work/stream.out" | query "d['sent']")"
echo "# $memory KiB before, $(memory_kib) KiB after"
claim "and the memory stayed bounded" \
	test $(($(memory_kib) - memory)) -lt 65536
claim "crierd ends with 0" stop crierd
finish
