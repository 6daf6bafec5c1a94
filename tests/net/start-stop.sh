#!/bin/bash
#
# How crierd starts, refuses to start, and stops.

. "$(dirname "$0")/lib.sh"

cat >"$work/good.yaml" <<END
control: { group: root, mode: "0640" }
interfaces:
  a: { device: a }
  later: { device: later }
groups:
  four: { address: 239.255.42.42, port: 4242, interfaces: [a, later] }
END
cat >"$work/bad.yaml" <<END
interfaces:
  a: { device: a }
groups:
  four:
    address: 239.255.42.42
    port: 4242
    ttl: 300
    interface: [a]
END

segment a
host router a=1

# runs STATUS OPTION...: that crierd ends by itself, with this status.
runs() {
	local wanted=$1 status=0

	shift
	on router timeout 10 "$crierd" "$@" >"$work/output" 2>"$work/errors" \
		</dev/null || status=$?
	[[ $status == "$wanted" ]] || {
		echo "exits with $status:"
		cat "$work/output" "$work/errors"
		return 1
	}
}
errors_say() {
	grep -Eq "$1" "$work/errors" || {
		cat "$work/errors"
		return 1
	}
}

claim "--help exits with 0" runs 0 --help
claim "--version exits with 0" runs 0 --version
claim "and says the version" grep -Eq '^crierd [0-9]+\.[0-9]+\.[0-9]+$' \
	"$work/output"
claim "an unknown option exits with 2" runs 2 --no-such-option
claim "an argument exits with 2" runs 2 something
claim "an unknown log level exits with 2" runs 2 --log-level loud

claim "--check of a good file exits with 0" \
	runs 0 -c "$work/good.yaml" --check
claim "and says ok" grep -qx "$work/good.yaml: ok" "$work/output"
claim "--check of a bad file exits with 78" \
	runs 78 -c "$work/bad.yaml" --check
for where in '7:10: groups\.four\.ttl: 300 is out of range, 1 to 255' \
	'8:5: groups\.four\.interface: .*interfaces'; do
	claim "and says $where" errors_say "^$work/bad.yaml:$where"
done
claim "--dump-config of a good file exits with 0" \
	runs 0 -c "$work/good.yaml" --dump-config
cp "$work/output" "$work/dump.yaml"
claim "its output is read back" runs 0 -c "$work/dump.yaml" --dump-config
claim "and dumps to the same again" cmp "$work/output" "$work/dump.yaml"

socket=$work/crierd.sock
claim "a bad file ends it with 78" runs 78 -c "$work/bad.yaml" -s "$socket"
claim "and says where" errors_say '7:10: groups\.four\.ttl: 300'
claim "a missing file too" runs 78 -c "$work/none.yaml" -s "$socket"
: >"$work/empty.yaml"
claim "an empty one too" runs 78 -c "$work/empty.yaml" -s "$socket"
claim "a directory too" runs 78 -c "$work" -s "$socket"
claim "and no socket is left" test ! -e "$socket"

start_crierd crierd router "$work/good.yaml"
claim "an absent device is a state, no error" \
	holds "[s['state'] for c in d[0]['channels'] for s in c['segments']
		if s['interface'] == 'later'] == ['absent']" \
	json crierd groups
claim "the socket has the mode of the configuration" \
	equal 'srw-r-----' stat -c %A "$socket"
claim "a second one exits with 1" runs 1 -c "$work/good.yaml" -s "$socket"
claim "and names the first one's pid" errors_say "${pid_of[crierd]}"
claim "the first one goes on" crierd_answers crierd

lines=$(wc -l <"$work/crierd.log")
says_more() {
	(($(wc -l <"$work/crierd.log") > lines))
}
kill -USR1 "${pid_of[crierd]}"
claim "SIGUSR1 logs the status" within 5 says_more
claim "and ends nothing" crierd_answers crierd
claim "SIGTERM stops it with 0" stop crierd
claim "and the socket is gone" test ! -e "$socket"

start_crierd crierd router "$work/good.yaml"
claim "SIGINT stops it with 0" stop crierd INT
claim "and the socket is gone again" test ! -e "$socket"

start_crierd crierd router "$work/good.yaml"
stop crierd KILL
claim "after a crash the socket is left" test -S "$socket"
start_crierd crierd router "$work/good.yaml"
claim "and the next one replaces it" crierd_answers crierd
stop crierd

echo precious >"$socket"
claim "a file that is no socket ends it with 1" \
	runs 1 -c "$work/good.yaml" -s "$socket"
claim "and stays" grep -q precious "$socket"
rm -f "$socket"

# Without a terminal, a log line begins with its priority, as journald and
# its like read it.
start_crierd crierd router "$work/good.yaml" --log-level debug
claim "a log line begins with its priority" \
	not grep -Evq '^<[0-7]>' "$work/crierd.log"
stop crierd
finish
