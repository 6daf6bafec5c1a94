#!/bin/bash
#
# 20 reloads under a stream of 1,000 datagrams a second lose none in the groups
# that stay; nor does a reload that is refused.

. "$(dirname "$0")/lib.sh"

# configure TTL LINE...: of the group that changes, and more groups.
configure() {
	local ttl=$1

	shift
	{
		cat <<-END
		control: { group: root }
		interfaces:
		  a: { device: a }
		  b: { device: b }
		groups:
		  stays: { address: 239.255.42.42, port: 4242, interfaces: [a, b] }
		  stays6: { address: "ff15::4242", port: 4242, interfaces: [a, b] }
		  changes:
		    address: 239.255.42.43
		    port: 4243
		    ttl: $ttl
		    interfaces: [a, b]
		END
		printf '%s\n' "$@"
	} >"$work/crierd.yaml"
}

generation() {
	json crierd status | query "d['config']['generation']"
}

segment a b
host router a=1 b=1
host ha a=10
host hb b=10
configure 1
start_joined crierd router "$work/crierd.yaml"
start_stream '' ha a hb b 239.255.42.42
start_stream 6 ha a hb b ff15::4242

changed_to() {
	mcast ha send --to 239.255.42.43 --port 4243 --iface a --first "$1" \
		--quiet >"$work/sent"
	at_least 1 "d['ttl'] == $1" "$work/changes.out"
}

listen changes hb --to 239.255.42.43 --port 4243 --iface b --timeout 600
effective=0
for round in {1..20}; do
	if ((round % 2)); then
		configure $((round + 1)) '  comes-and-goes:' \
			'    { broadcast: true, port: 4244, interfaces: [a, b] }'
		ctl crierd reload >"$work/reload" 2>&1 || cat "$work/reload"
	else
		configure $((round + 1)) '  shares:' '    address: 239.255.42.42' \
			'    port: 4242' '    ttl: 9' '    from: [b]' \
			'    to: [a]'
		kill -HUP "${pid_of[crierd]}"
	fi
	within 5 equal $((round + 1)) generation &&
		within 5 changed_to $((round + 1)) &&
		effective=$((effective + 1))
done
claim "each of 20 reloads takes effect" test $effective = 20

# One that is refused.
cp "$work/crierd.yaml" "$work/good.yaml"
sed -i 's/ttl: 21/ttl: 300/' "$work/crierd.yaml"
claim "a bad file is refused" not ctl crierd reload
ctl crierd reload >"$work/refused" 2>&1
claim "the error says where and what" \
	grep -Eq ':[0-9]+:[0-9]+: groups\.changes\.ttl: .*1 to 255' \
	"$work/refused"
kill -HUP "${pid_of[crierd]}"
claim "the log says it too" within 5 grep -q 'groups\.changes\.ttl' \
	"$work/crierd.log"
claim "and the old configuration goes on" equal 21 generation
cp "$work/good.yaml" "$work/crierd.yaml"

end_stream '' ha a 239.255.42.42
end_stream 6 ha a ff15::4242
for family in '' 6; do
	sent=$(sent_by "$family")
	echo "# $sent datagrams were sent over IPv${family:-4}"
	claim "none of the stream is lost over IPv${family:-4}" \
		heard "ear$family" "d['heard'] - 1 == $sent"
	claim "none came twice over IPv${family:-4}" \
		heard "ear$family" "d['most'] == 1"
	claim "no counter of the group that stays was reset (IPv${family:-4})" \
		holds "sum(s['received'] for c in d[0]['channels']
			for s in c['segments'] if s['device'] == 'a') \
			== $sent + 1" json crierd groups "stays$family"
done
claim "crierd ends with 0" stop crierd
finish
