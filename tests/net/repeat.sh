#!/bin/bash
#
# `repeat`: what is live is said again at an interval, and to a segment that
# has come up; it ends with its lifetime, also where two criers repeat to each
# other, and no segment is told what came from it.

. "$(dirname "$0")/peers.sh"

cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  home: { device: home }
  iot: { device: iot }
groups:
  beacon:
    address: 239.255.42.42
    port: 4242
    interfaces: [home, iot]
    dedup: 500ms
    hold: 6s
    repeat: 2s
END
sed 's/repeat: 2s/repeat: 1h/; s/hold: 6s/hold: 1h/' "$work/crierd.yaml" \
	>"$work/slow.yaml"

segment home iot
host router home=1 iot=1
host second home=2 iot=2
host phone home=10
host tv iot=20
start_joined crierd router "$work/crierd.yaml"
listen at-home phone --to 239.255.42.42 --port 4242 --iface home --timeout 120
listen at-iot tv --to 239.255.42.42 --port 4242 --iface iot --timeout 120

# say TEXT [OPTION...]: from the television.
say() {
	mcast tv send --to 239.255.42.42 --port 4242 --iface iot --text "$@" \
		>/dev/null
}

# heard_times TEXT NAME N: that it was heard at least so often.
heard_times() {
	(($(grep -c "\"$(digest_of "$1")\"" "$work/$2.out") >= $3))
}

times() {
	grep -c "\"$(digest_of "$1")\"" "$work/$2.out"
}

known() {
	holds "len(d['entries']) == $1" json crierd discovered
}

say once
claim 'what was said once is known' within 5 known 1
claim 'it is repeated while it lives' within 10 heard_times once at-home 3
claim 'it ends with its lifetime' within 10 known 0
count=$(times once at-home)
quiet_for 3000 "$work/at-home.out"
claim 'and is repeated no more' equal "$count" times once at-home
claim 'its own segment was never told' equal 0 times once at-iot

# Two of them: each hears what the other repeats.
start_joined other second "$work/crierd.yaml"
say twice
within 5 known 1 || broken 'nothing is known'
claim 'two criers repeat it' within 10 heard_times twice at-home 3
claim 'they do not keep it alive for each other' within 40 \
	eval 'known 0 && holds "d[\"entries\"] == []" json other discovered'
quiet_for 4000 "$work/at-home.out"
claim 'and both fall silent' eval 'known 0 &&
	holds "d[\"entries\"] == []" json other discovered'
stop other

# A segment that comes up is told at once.
cp "$work/slow.yaml" "$work/crierd.yaml"
ctl crierd reload >/dev/null || broken 'no reload'
say late
within 5 heard_text late "$work/at-home.out" || broken 'nothing is heard'
ip -n "$prefix-router" link set dev home down
within 5 holds "d['segments']['down'] == 1" json crierd status
ip -n "$prefix-router" link set dev home up
claim 'a segment that has come up is told what is live' within 10 \
	heard_times late at-home 2
finish
