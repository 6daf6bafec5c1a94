#!/bin/bash
#
# One host that announces, and searches for, as much as it can fills what is
# bounded, and pushes out nobody: of 50 others all entries and all searches stay,
# and get their answers. It gives up its own oldest, and counters say how many.

. "$(dirname "$0")/peers.sh"

entries=600 flows=150 others=50 flood=3000

cat >"$work/crierd.yaml" <<END
control: { group: root }
limits: { discovered: $entries, flows: $flows, remembered: 400 }
interfaces:
  home: { device: home }
  iot: { device: iot }
groups:
  ssdp: { preset: ssdp, rate: off, reply-timeout: 300s,
    interfaces: [home, iot] }
END

segment home iot
host router home=1 iot=1
host phones home=10
host evil home=66
host tv iot=20
addressed router/home router/iot phones/home evil/home tv/iot
for ((i = 0; i < others; i++)); do
	echo "address add 10.77.1.$((100 + i))/24 dev home"
done | ip -n "$prefix-phones" -batch - || broken 'no addresses'
start_joined crierd router "$work/crierd.yaml"

notify() {
	printf 'NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\nNT: upnp:rootdevice\r\n'
	printf 'LOCATION: http://10.77.1.9/\r\nCACHE-CONTROL: max-age=1800\r\n'
	printf 'USN: uuid:%s::upnp:rootdevice\r\n\r\n' "$1"
}
search() {
	printf 'M-SEARCH * HTTP/1.1\r\nMAN: "ssdp:discover"\r\nMX: 1\r\n'
	printf 'ST: urn:%s\r\n\r\n' "$1"
}
notify honest-%d >"$work/notify"
notify evil-%d >"$work/evil-notify"
search honest-%d >"$work/search"
search evil-%d >"$work/evil-search"

# forge HOST FILE OPTION...: some hundred a second, or the kernel drops some.
forge() {
	local host=$1 file=$2

	shift 2
	on "$host" "$PYTHON" "$lib/forge.py" home --to 239.255.255.250 \
		--port 1900 --file "$work/$file" --rate 1500 "$@" >/dev/null ||
		broken 'nothing is sent'
}

limit() {
	json crierd status | query "d['limits']['$1']['$2']"
}

# of_others: their entries, by name, and what they are known by.
of_others() {
	json crierd discovered | query "sorted((e['source'], e['name'],
		e['first_seen']) for e in d['entries']
		if e['source'] != '10.77.1.66')"
}
searches_of_others() {
	json crierd flows | query "sorted((f['id'], s) for f in d
		for s in f['searchers'] if not s.startswith('10.77.1.66:'))"
}
kernel_drops() {
	json crierd status | query "d['totals']['dropped']['kernel']"
}

forge phones notify --source 10.77.1.100 --hosts $others \
	--count $((2 * others)) --source-port 1900
start_ready searchers phones "$PYTHON" "$lib/ask.py" ask \
	--to 239.255.255.250 --port 1900 --iface home --spread 10.77.1.100 \
	--searchers $others --file "$work/search" --answers 1 --timeout 280
within 10 equal $((2 * others)) limit discovered used ||
	broken 'they are not discovered'
within 10 equal $others limit flows used || broken 'they have no flows'
entries_before=$(of_others)
searches_before=$(searches_of_others)

forge evil evil-notify --source 10.77.1.66 --count $flood --source-port 1900
claim 'a flood of announcements fills the table' within 10 equal \
	"$entries $((2 * others + flood - entries))" echo \
	"$(limit discovered used) $(limit discovered evicted)"
claim 'and pushes out no entry of others' equal "$entries_before" of_others
forge evil evil-search --source 10.77.1.66 --count $flood --ports 1000
claim 'a flood of searches fills the flows' within 10 equal \
	"$flows $((others + flood - flows))" echo \
	"$(limit flows used) $(limit flows evicted)"
claim 'and pushes out no search of others' \
	equal "$searches_before" searches_of_others
claim 'none was refused' equal '0 0' echo \
	"$(limit discovered refused) $(limit flows refused)"
claim 'what the loop guard remembers is bounded, too' equal '400 True' echo \
	"$(limit remembered used) $(json crierd status |
		query "d['limits']['remembered']['evicted'] > $flood")"
claim 'the kernel lost nothing' equal 0 kernel_drops

# A device answers each of the others.
mac=$(ip -n "$prefix-router" -j link show dev iot | query "d[0]['address']")
for port in $(json crierd flows | query "' '.join(str(f['port']) for f in d
	if not f['searchers'][0].startswith('10.77.1.66:'))"); do
	on tv "$PYTHON" "$lib/forge.py" iot --source 10.77.2.20 \
		--source-port 1900 --to 10.77.2.1 --port "$port" --mac "$mac" \
		--text "HTTP/1.1 200 OK $port" >/dev/null
done
claim 'each of the others gets his answer' ended searchers
claim 'and none that is another'"'"'s' \
	heard searchers "d['satisfied'] == $others and d['most'] == 1"
stop searchers
claim 'crierd ends with 0' stop crierd
finish
