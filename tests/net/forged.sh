#!/bin/bash
#
# Datagrams under sources that are not their sender's: an address of this host
# is never relayed, in IPv6 and, where the kernel is told to let it in, IPv4;
# nor what is on-link elsewhere. Who is not a host on the link gets no answers,
# and no answer of his is carried.

. "$(dirname "$0")/peers.sh"
needs tcpdump tcpdump

cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  home: { device: home }
  iot: { device: iot }
groups:
  beacon:
    address: [239.255.42.42, "ff15::4242", "ff02::4242"]
    port: 4242
    interfaces: [home, iot]
  ask:
    address: [239.255.43.43, 224.0.0.43, "ff15::4343", "ff02::4343"]
    port: 4343
    broadcast: true
    replies: proxy
    reply-timeout: 60s
    interfaces: [home, iot]
END

segment home iot
host router home=1 iot=1
host evil home=66 iot=66
host tv iot=20
addressed router/home router/iot evil/home evil/iot tv/iot
# What the kernel alone would keep out: the test is about crier.
for device in home iot; do
	on router sh -c "cd /proc/sys/net/ipv4/conf && echo 1 >$device/accept_local &&
		echo 0 >$device/rp_filter && echo 0 >all/rp_filter" ||
		broken 'no accept_local'
done
start_joined crierd router "$work/crierd.yaml"

# forge DEVICE OPTION...
forge() {
	on evil "$PYTHON" "$lib/forge.py" "$@" >/dev/null ||
		broken 'nothing can be forged'
}

mac_of() {
	ip -n "$prefix-$1" -j link show dev "$2" | query "d[0]['address']"
}

# is_dropped REASON SOURCE TO PORT: of one datagram on home, which is neither
# relayed nor in the table.
is_dropped() {
	local why=$1 source=$2 to=$3 port=$4 group=beacon before sent

	((port == 4242)) || group=ask
	before=$(counter crierd "dropped.$why" "$group" home)
	sent=$(counter crierd sent "$group")
	forge home --source "$source" --source-port "$port" --to "$to" \
		--port "$port" --text "$why $source"
	within 5 equal $((before + 1)) counter crierd "dropped.$why" "$group" \
		home && equal "$sent" counter crierd sent "$group" &&
		holds "d['entries'] == []" json crierd discovered &&
		holds 'd == []' json crierd flows
}

# --- Addresses of this host, and of hosts elsewhere --------------------------

listen tv tv --to 239.255.42.42 --port 4242 --iface iot
listen tv6 tv --to ff15::4242 --port 4242 --iface iot
link_local=$(link_local_of router home)
for source in 10.77.1.1 10.77.2.1 127.0.0.2; do
	claim "$source, an address of this host, is own" \
		is_dropped own $source 255.255.255.255 4343
done
for source in 10.77.1.1 10.77.2.1; do
	claim "$source is, sent to a group" \
		is_dropped own $source 239.255.42.42 4242
done
for source in fd77:1::1 fd77:2::1 "$link_local"; do
	claim "$source is" is_dropped own "$source" ff15::4242 4242
	claim "$source is, on the link" is_dropped own "$source" ff02::4343 4343
done
claim 'a source that is on-link elsewhere is a loop' \
	is_dropped loop 10.77.2.99 239.255.42.42 4242
claim 'in IPv6, too' is_dropped loop fd77:2::99 ff15::4242 4242
claim 'and in a search' is_dropped loop 10.77.2.99 239.255.43.43 4343

# That both would have heard, had it been relayed.
forge home --source 10.77.1.77 --to 239.255.42.42 --port 4242 --text real
forge home --source fd77:1::77 --to ff15::4242 --port 4242 --text real
claim 'a host of the segment is heard' within 5 heard_text real "$work/tv.out"
claim 'in IPv6, too' within 5 heard_text real "$work/tv6.out"
stop tv
stop tv6
claim 'and nothing else was' heard tv "d['heard'] == 1"
claim 'in IPv6, neither' heard tv6 "d['heard'] == 1"

# --- Who gets no answers ------------------------------------------------------

device() {
	start_ready "$1" tv "$PYTHON" "$lib/ask.py" device --to "$2" \
		--port 4343 --iface iot --hex 77686f --hex2 6d65 --name tv
}
device tv4 239.255.43.43
device tv6 ff15::4343
device tvl 224.0.0.43
device tvb 255.255.255.255
# All that crier sends there.
capture home home udp src port 4343

# asked HOST TEXT: that the search has crossed, and so an answer was on its way
# to crier.
asked() {
	within 5 grep -q "\"text\": \"$2\"" "$work/$1.out"
}
# gets_nothing DEVICE SOURCE TO: of a search "from" there.
gets_nothing() {
	forge home --source "$2" --to "$3" --port 4343 --text "who $2 $3"
	asked "$1" "who $2 $3" && holds 'd == []' json crierd flows
}
claim 'a searcher from off the link gets no flow' \
	gets_nothing tv4 203.0.113.9 239.255.43.43
claim 'in IPv6, neither' gets_nothing tv6 2001:db8::9 ff15::4343
claim 'who has no address, neither' gets_nothing tvl 0.0.0.0 224.0.0.43
claim 'in IPv6, neither, who has none' gets_nothing tv6 :: ff15::4343
# One answer would have reached each host of the segment.
for source in 10.77.1.255 10.77.1.0; do
	claim "all hosts are no searcher: $source" \
		gets_nothing tvb $source 255.255.255.255
	claim "all hosts are none, by a group: $source" \
		gets_nothing tv4 $source 239.255.43.43
done

# --- Whose answers are not carried --------------------------------------------

has_answer() {
	ask evil --to 239.255.43.43 --port 4343 --iface home --text 'who is' \
		--answers 1 --quiet >"$work/answer"
	has_lines 1 "d['satisfied'] == 1" "$work/answer"
}
claim 'a host on the link gets its answer' has_answer
port=$(json crierd flows | query "d[0]['port']")
answers() {
	json crierd flows | query "sum(f['answers'] for f in d)"
}
refused() {
	echo $(($(counter crierd dropped.filter ask iot) +
		$(counter crierd dropped.own ask iot)))
}
# is_refused SOURCE: an answer of his.
is_refused() {
	local before had

	before=$(refused) had=$(answers)
	forge iot --source "$1" --to 10.77.2.1 --port "$port" \
		--mac "$(mac_of router iot)" --text "liar $1"
	within 5 equal $((before + 1)) refused && equal "$had" answers
}
claim 'an answer from off the link is refused' is_refused 203.0.113.9
claim 'from a host of another segment' is_refused 10.77.1.77
claim 'from this host itself' is_refused 10.77.2.1
claim 'from all hosts' is_refused 10.77.2.255
had=$(answers)
forge iot --source 10.77.2.77 --to 10.77.2.1 --port "$port" \
	--mac "$(mac_of router iot)" --text late
claim 'from any other host on the link it is taken' within 5 equal \
	$((had + 1)) answers

claim 'no answer went to who was not a host on the link' has_captured 0 \
	"d['to'] != '10.77.1.66'" home
claim 'and those that were due did' captures 1 "d['to'] == '10.77.1.66'" home
claim 'crierd ends with 0' stop crierd
finish
