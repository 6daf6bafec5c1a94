#!/bin/bash
#
# Names that mean harm, of services, hosts, devices of the kernel and in the
# configuration, in whatever crier prints: nothing of them moves a cursor, turns
# the direction of writing or begins a line; JSON and Prometheus' format stay
# valid, and JSON says them whole.

. "$(dirname "$0")/peers.sh"

odd=$'x\e[2J\xc2\x9b"\\'
cat >"$work/crierd.yaml" <<'END'
control: { group: root }
presets:
  odd:
    address: 239.255.42.42
    port: 4242
    notes: "note\e[2J\u009b\u202e\nFORGED"
interfaces:
  home: { device: home }
  iot: { device: iot }
  odd: { device: "x*" }
groups:
  mdns: { preset: mdns }
  ssdp: { preset: ssdp, deny: { targets: "c1*" } }
  wsd: { preset: wsd }
  text: { preset: odd }
announcements:
  odd:
    group: text
    payload: { text: "own\e[2J\u009b\u202e\nFORGED" }
    interval: 1s
  service:
    group: mdns
    service: { name: "own\e[2J\u009b\u202e\nFORGED", type: _http._tcp,
      port: 80, txt: ["a=\e[2J"] }
END

segment home iot
host router home=1 iot=1
host evil home=66
addressed router/home router/iot evil/home
# Its name alone is a message.
ip -n "$prefix-router" link add name "$odd" type dummy 2>"$work/link" ||
	ip -n "$prefix-router" link add name "$odd" type veth \
		peer name peer 2>"$work/link" || broken "$(<"$work/link")"
ip -n "$prefix-router" address add 10.77.9.1/24 dev "$odd"
ip -n "$prefix-router" link set dev "$odd" up

start_crierd crierd router "$work/crierd.yaml" --log-level debug

hostile() {
	"$PYTHON" "$lib/hostile.py" "$@"
}
announce() {
	on evil "$PYTHON" "$lib/hostile.py" send home
}
# watch NAME OPTION...: what happens from here on.
watch() {
	local name=$1

	shift
	start "$name" router "$crierctl" -s "$work/crierd.sock" "$@"
}
watch monitor monitor --payload
watch monitor-json --json monitor --payload
watch drops monitor --drops --payload
watch drops-json --json monitor --drops --payload

# subscribed: an announcement of crier's own comes each second.
subscribed() {
	[[ -s $work/monitor.out && -s $work/monitor-json.out ]]
}
within 10 subscribed || broken 'nothing happens'
within 10 holds "d['segments']['joined'] >= 12" json crierd status ||
	broken 'crierd does not join'
announce

known() {
	json crierd discovered >"$work/discovered" &&
		hostile names "$work/discovered" mdns &&
		hostile names "$work/discovered" ssdp
}
# Those without a decoder are excerpts, in plain ASCII.
excerpts() {
	holds "len(d['entries']) >= 13" json crierd discovered --group text
}
claim 'JSON has each name, and nothing of it is lost' within 20 known
claim 'what has no decoder is there, too' within 5 excerpts
claim 'so is a device of the kernel' holds \
	"any(i['device'] == 'x\\x1b[2J\\x9b\"\\\\' for i in d)" \
	json crierd interfaces

# printed KIND COMMAND...: that what it prints is of this kind.
printed() {
	local kind=$1

	shift
	"$@" >"$work/printed" 2>&1
	hostile "$kind" "$work/printed"
}
for command in status interfaces groups discovered flows announcements \
	presets 'explain --group text --from home --source 10.77.1.66'; do
	# shellcheck disable=SC2086  # it has words
	{
		claim "$command" printed plain ctl crierd $command
		claim "$command, on 80 columns" printed plain env COLUMNS=80 \
			"$crierctl" -s "$work/crierd.sock" $command
		claim "$command, in JSON" printed json json crierd $command
	}
done
claim 'metrics' printed metrics ctl crierd metrics
claim 'which name the device' grep -q 'device="x' "$work/printed"
claim 'metrics, in JSON' printed json json crierd metrics

claim 'the monitor has seen them' within 10 grep -q braces "$work/monitor.out"
claim 'and drops' within 10 grep -q 'filter' "$work/drops.out"
for name in monitor monitor-json drops drops-json; do
	stop $name
	claim "$name ends with no error" equal '' cat "$work/$name.log"
done
claim 'the monitor' hostile plain "$work/monitor.out"
claim 'the monitor, in JSON' hostile json "$work/monitor-json.out"
claim 'drops' hostile plain "$work/drops.out"
claim 'drops, in JSON' hostile json "$work/drops-json.out"

# --- What crierd says of its configuration, and writes into its log -----------

sed 's/^groups:/&\n  "\\e[2J\\u202e\\nFORGED": {}/
	s/preset: mdns/preset: "\\u009bmdns\\nFORGED"/
	s/"x\*"/"\\u202e\\e\/"/' "$work/crierd.yaml" >"$work/bad.yaml"
claim 'notes of a configuration' printed plain "$crierd" --check \
	-c "$work/crierd.yaml"
claim 'which are there' grep -qF 'note\x1b[2J' "$work/printed"
claim 'errors of one' printed plain "$crierd" --check -c "$work/bad.yaml"
claim 'which are there, too' grep -qF '\x1b[2J\u202e\nFORGED' "$work/printed"
claim 'its dump' printed plain "$crierd" --dump-config -c "$work/crierd.yaml"
cp "$work/printed" "$work/dump.yaml"
claim 'which reads back' "$crierd" --check -c "$work/dump.yaml"
claim 'as itself' printed plain diff -s "$work/dump.yaml" <(
	"$crierd" --dump-config -c "$work/dump.yaml")

cp "$work/bad.yaml" "$work/crierd.yaml"
claim 'a reload that is refused, to who asked' printed plain \
	ctl crierd reload
claim 'and in words' grep -qF '\x1b[2J\u202e\nFORGED' "$work/printed"
claim 'a reload that is refused, in JSON' printed plain json crierd reload
ip -n "$prefix-router" link set dev "$odd" down
claim 'the log names the device' within 10 grep -qF '(x\x1b[2J\xc2\x9b"\)' \
	"$work/crierd.log"
claim 'crierd ends with 0' stop crierd
claim 'and its log' hostile plain "$work/crierd.log"
finish
