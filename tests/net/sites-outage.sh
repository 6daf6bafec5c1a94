#!/bin/bash
#
# A broker that is killed under traffic, again and again: what is alive is
# known at all sites within 5 s of each return, what has said goodbye meanwhile
# is gone, and no segment hears anything twice.
#
# CRIER_OUTAGES says how often, half of it with a broker that keeps what it
# knows on disk and half with one that forgets it: 6 here, 20 for the whole.

. "$(dirname "$0")/mqtt.sh"
outages=${CRIER_OUTAGES:-6}
sites=(attic cabin yard)

segment wan "${sites[@]}"
for name in "${sites[@]}"; do
	host "$name" "$name=1" "wan=${number_of_segment[$name]}"
	host "tv-$name" "$name=20"
	addressed "$name/$name" "tv-$name/$name"
done
prepare_broker "${sites[@]}"
sed '/^persistence/d' "$work/broker.conf" >"$work/forgetful.conf"
# More is said than one thing between two copies to the disk, so that what comes
# back is not the latest.
printf '%s\n' 'autosave_on_changes true' 'autosave_interval 5' \
	>>"$work/broker.conf"
arguments=()
for name in "${sites[@]}"; do
	configure_site "$name"
	start_site "$name"
	arguments+=("$name=$prefix-tv-$name=$work/$name.sock")
done

"$PYTHON" "$lib/outage.py" --broker "$prefix-broker" \
	--address "10.77.${number_of_segment[wan]}.99" --rounds "$outages" \
	--config "$work/broker.conf,$work/forgetful.conf" \
	"${arguments[@]}" >"$work/outage.out" 2>"$work/outage.log" ||
	broken "outage.py: $(tail -n 3 "$work/outage.log")"

# took NUMBER: how long it took after a return, in seconds.
took() {
	sed -n "s/.*\"round\": $1, \"took\": \([0-9.]*\),.*/\1/p" \
		"$work/outage.out"
}

# shown EXPRESSION: what was seen then, for who looks why a claim was lost.
shown() {
	grep -- "$1" "$work/outage.out" | cut -c 1-2000 | sed 's/^/#   /'
}

for ((number = 0; number <= outages; number++)); do
	claim "return $number: all is known after $(took "$number") s" \
		has_lines 1 "d['round'] == $number and d['took'] < 5 and
			d['left'] == []" "$work/outage.out" ||
		shown "\"round\": $number,"
done
claim "nothing was heard twice" has_lines 1 "d['sum'] and
	d['repeated'] == [] and d['heard'] > 0" "$work/outage.out" ||
	shown '"sum"'
claim "in the end all know the same" has_lines 1 "d['sum'] and
	d['left'] == []" "$work/outage.out" || shown '"sum"'
for name in "${sites[@]}"; do
	claim "$name: nothing of it was lost" holds \
		"[s['lost'] for s in d['sites']] == [0]" json "$name" status
	claim "$name: crier-mqtt ends with 0" stop "$name-mqtt"
done
finish
