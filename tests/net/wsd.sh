#!/bin/bash
#
# wsdd on one segment is found by a WS-Discovery Probe from another, over both
# families; its Hello and its Bye cross.

. "$(dirname "$0")/peers.sh"
wants wsdd wsdd

cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces:
  home: { device: home }
  iot: { device: iot }
groups:
  wsd: { preset: wsd, interfaces: [home, iot] }
END

segment home iot
host router home=1 iot=1
host laptop home=10
host nas iot=20
addressed router/home router/iot laptop/home nas/iot
start_joined crierd router "$work/crierd.yaml"

endpoint=8a1d3c22-7d6c-4f4a-9d77-0a0b0c0d0e0f

probe() {
	local address=http://schemas.xmlsoap.org/ws/2004/08/addressing
	local wsd=http://schemas.xmlsoap.org/ws/2005/04/discovery

	cat <<-END
	<?xml version="1.0" encoding="utf-8"?>
	<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
	 xmlns:a="$address" xmlns:d="$wsd"
	 xmlns:wsdp="http://schemas.xmlsoap.org/ws/2006/02/devprof"><s:Header>
	<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>
	<a:Action>$wsd/Probe</a:Action>
	<a:MessageID>urn:uuid:$1</a:MessageID>
	</s:Header><s:Body><d:Probe><d:Types>wsdp:Device</d:Types></d:Probe></s:Body>
	</s:Envelope>
	END
}

hear() {
	start_ready "$1" laptop "$PYTHON" "$lib/ask.py" hear --to "$2" \
		--port 3702 --iface home
}

# heard_word NAME WORD: such a message of this endpoint.
heard_word() {
	at_least 1 "'discovery/$2<' in d['text'] and '$endpoint' in d['text']" \
		"$work/$1.out"
}

# finds ADDRESS FROM
finds() {
	local id

	id=$(cat /proc/sys/kernel/random/uuid)
	probe "$id" >"$work/probe"
	ask laptop --to "$1" --port 3702 --iface home --file "$work/probe" \
		--answers 1 --timeout 3 >"$work/answers"
	at_least 1 "'ProbeMatches' in d['text'] and '$endpoint' in d['text'] and
		'$id' in d['text'] and d['source'] == '$2' and
		d['port'] == 3702" "$work/answers"
}

hear four 239.255.255.250
hear six ff02::c
# One for each family: wsdd says goodbye in one of several alone.
start nas4 nas wsdd -4 -i iot -U $endpoint -n nas -v
claim "its Hello crosses over IPv4" within 10 heard_word four Hello
claim "crier knows it, where it is" holds "[(e['interface'], e['name'],
	e['metadata_version'] > 0, e['location'] != None) for e in
	d['entries']] == [('iot', 'urn:uuid:$endpoint', True, True)]" \
	json crierd discovered --group wsd
claim "a probe finds it over IPv4, answered from crier" within 10 \
	finds 239.255.255.250 10.77.1.1
stop nas4 INT
claim "its Bye crosses over IPv4" within 5 heard_word four Bye
claim "and crier forgets it" within 2 holds "d['entries'] == []" \
	json crierd discovered --group wsd
start nas6 nas wsdd -6 -i iot -U $endpoint -n nas -v
claim "its Hello crosses over IPv6" within 10 heard_word six Hello
claim "a probe finds it over IPv6, answered from crier" within 10 \
	finds ff02::c "$(link_local_of router home)"
claim "the flows count searches and answers" holds "{'10', 'fe'} ==
	{f['searchers'][0].strip('[')[:2] for f in d if f['answers']}" \
	json crierd flows
stop nas6 INT
claim "its Bye crosses over IPv6" within 5 heard_word six Bye
claim "crierd ends with 0" stop crierd
finish
