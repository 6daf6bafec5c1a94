#!/bin/bash
#
# crierd's control socket as systemd holds it: who connects starts a crierd that
# can run, waits over a restart of it, and is turned away by one that cannot.

. "$(dirname "$0")/lib.sh"

good() {
	configure <<-END
	interfaces:
	  a: { device: a }
	  b: { device: b }
	groups:
	  beacon: { address: 239.255.42.42, port: 4242, interfaces: [a, b] }
	END
}

status() {
	inside "$crierctl_inside" status
}

# Three clients, of which none gets an answer, nor waits for one.
turned_away() {
	local i code

	for i in 1 2 3; do
		code=0
		inside timeout 3 "$crierctl_inside" status || code=$?
		((code == 3)) || ! echo "client $i: $code" || return
	done
}

# starts: how often crierd was begun, whatever became of it.
starts() {
	inside journalctl -q -o cat -u crierd.service |
		grep -c '^Starting crierd.service'
}

socket_is() {
	equal "$1" prop ActiveState crierd.socket
}

service_is() {
	equal "$1" prop ActiveState
}

# drop_in UNIT: of the run time alone, from standard input.
drop_in() {
	inside mkdir -p "/run/systemd/system/$1.d"
	cat >"$work/drop-in"
	inside tee "/run/systemd/system/$1.d/test.conf" <"$work/drop-in" \
		>"$work/tee"
	inside systemctl daemon-reload
}

segment a b
host router a=1 b=1
make_root
crierctl_inside=$(configured bindir)/crierctl
prom=/var/lib/prometheus/node-exporter/crier.prom
boot router
inside mkdir -p "${prom%/*}"
inside systemctl start crierd.socket || broken 'no socket'

claim "without a configuration clients are turned away" turned_away
claim "which is no failure" service_is inactive
claim "nor one of the socket" socket_is active

configure <<<'groups: {'
claim "and so they are with a bad one" turned_away
claim "which is one" service_is failed
claim "with 78" equal 78 prop ExecMainStatus
claim "each has started it once" equal 3 starts
claim "and the socket listens" socket_is active
good
claim "after it is mended a start succeeds" \
	inside systemctl start crierd.service
claim "and it answers" status

claim "metrics are written" inside systemctl start crier-metrics.service
claim "of a crierd that runs" inside test -s "$prom"
inside systemctl stop crierd.service 2>"$work/stop"
claim "asked for from a stopped one" \
	inside systemctl start crier-metrics.service
claim "there are none" not inside test -e "$prom"
claim "and it stays stopped" service_is inactive
claim "who asks by hand starts it" status

# Connected while nobody is there to accept.
drop_in crierd.service <<-END
[Service]
ExecStartPre=/bin/sh -c 'until [ -e /run/go ]; do sleep 0.02; done'
END
inside systemctl restart --no-block crierd.service
within 5 equal start-pre prop SubState || broken 'no slow start'
start client router nsenter -t "$init" -m -u -i -p -C \
	"$crierctl_inside" status
is_waiting() {
	inside ss -Hlx src /run/crier/control.sock |
		awk '$3 > 0 { n++ } END { exit !n }'
}
claim "who connects over a restart waits" within 5 is_waiting
inside touch /run/go
claim "and is answered" within 5 grep -q '^crier ' "$work/client.out"

# Clients without end, for systemd's own limit.
drop_in crierd.socket <<-END
[Socket]
TriggerLimitIntervalSec=1h
TriggerLimitBurst=3
END
configure <<<'groups: {'
inside systemctl stop crierd.service 2>"$work/stop"
inside systemctl restart crierd.socket
claim "what systemd's limit allows is turned away" turned_away
claim "while the socket listens" socket_is active
claim "one client more" not status
claim "is one too many" socket_is failed
good
claim "a start brings back the socket too" \
	inside systemctl start crierd.service
claim "and it answers anew" status
finish
