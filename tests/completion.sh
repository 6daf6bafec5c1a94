#!/bin/bash
#
# What bash offers after crierctl, crierd and crier-mqtt, with a stand-in for the daemon's
# answers; that the words are those of --help; and the syntax of zsh's.

root=${top_srcdir:-$(dirname "$0")/..}
built=${top_builddir:-$root/build}
work=$(mktemp -d) || exit 99
trap 'rm -r "$work"' EXIT
failed=0

# A crierctl that answers on the socket /live alone, as --json prints it. One
# type comes from somebody who tries what a shell makes of it.
cat >"$work/crierctl" <<'END'
#!/bin/sh
[ "$1 $2 $3" = '-s /live --json' ] || exit 3
case $4 in
groups) printf '    "name": "mdns",\n        "name": "inner",\n    "name": "beacon",\n' ;;
interfaces) printf '    "name": "lan",\n    "device": "eth0",\n' ;;
announcements) printf '    "name": "door",\n' ;;
discovered) printf '%s\n' '      "type": "_ipp._tcp",' \
	'      "type": "$(touch pwned)",' '      "type": "`touch pwned`",' \
	'      "type": "urn:a:b"' ;;
esac
END
chmod +x "$work/crierctl"

# shellcheck source=/dev/null
. "$root/completion/bash/crierctl"
# shellcheck source=/dev/null
. "$root/completion/bash/crierd"
# shellcheck source=/dev/null
. "$root/completion/bash/crier-mqtt"

# offers LINE [WORD...]: exactly these, in any order.
offers() {
	local line=$1 got expected

	shift
	COMP_LINE=$line COMP_POINT=${#line}
	cd "$work" || exit 99
	_crierctl "$work/crierctl"
	got=$(printf '%s\n' "${COMPREPLY[@]}" | sort | xargs)
	expected=$(printf '%s\n' "$@" | sort | xargs)
	cd - >/dev/null || exit 99
	[ "$got" = "$expected" ] && return
	echo "not ok: \"$line\": \"$got\" instead of \"$expected\""
	failed=1
}

offers 'crierctl st' status standby
offers 'crierctl --js' --json
offers 'crierctl -s /live groups ' mdns beacon
offers 'crierctl groups -s /live b' beacon
offers 'crierctl --socket=/live groups m' mdns
offers 'crierctl --socket /live groups m' mdns
offers 'crierctl -s /gone groups '
offers 'crierctl groups '
offers 'crierctl -s /live monitor --group=m' mdns
offers 'crierctl -s /live monitor --group m' mdns
offers 'crierctl -s /live monitor --group ' mdns beacon
offers 'crierctl -s /live explain --from=' lan eth0
offers 'crierctl -s /live discovered --interface e' eth0
offers 'crierctl -s /live discovered --type=' _ipp._tcp urn:a:b
offers 'crierctl -s /live discovered --type=urn:a:' b
offers 'crierctl -s /live withdraw ' door
offers 'crierctl -s /live status '
offers 'crierctl explain --kind=s' search
offers 'crierctl standby o' on off
offers 'crierctl log-level ' err warning notice info debug
offers 'crierctl discovered --' --socket= --json --help --group= --interface= \
	--type=
[ -e "$work/pwned" ] && { echo 'not ok: a name was run'; failed=1; }

# same WHAT A B
same() {
	[ "$2" = "$3" ] && [ -n "$2" ] && return
	echo "not ok: $1:"
	diff <(echo "$2") <(echo "$3")
	failed=1
}
options() { grep -oE -- '^ +(-., )? *--[a-z0-9-]+' | grep -oE -- '--.*' | sort; }

mapfile -t commands < <("$built/crierctl" --help |
	sed -n '/^Commands/,/^$/s/^  \([a-z-]*\) .*/\1/p')
same commands "$(printf '%s\n' "${commands[@]}")" "$(_crierctl_commands)"
same options "$("$built/crierctl" --help | options)" \
	"$(_crierctl_options '' | tr -d = | sort)"
for command in "${commands[@]}"; do
	same "$command" "$("$built/crierctl" "$command" --help | options)" \
		"$(_crierctl_options "$command" | tr -d = | sort)"
	grep -q "\\b$command\\b" "$root/completion/zsh/_crierctl" || {
		echo "not ok: zsh lacks $command"
		failed=1
	}
done
COMP_WORDS=(crierd --) COMP_CWORD=1
_crierd
same crierd "$("$built/crierd" --help | options)" \
	"$(printf '%s\n' "${COMPREPLY[@]}" | sort)"
if [ -x "$built/crier-mqtt" ]; then
	COMP_WORDS=(crier-mqtt --)
	_crier_mqtt
	same crier-mqtt "$("$built/crier-mqtt" --help | options)" \
		"$(printf '%s\n' "${COMPREPLY[@]}" | sort)"
fi

# The same from a daemon, whose answers look as the stand-in's.
live() {
	local crierd i

	"$built/crierd" -c "$work/crierd.yaml" -s "$work/live" 2>"$work/log" &
	crierd=$!
	for ((i = 0; i < 100; i++)); do
		[ -S "$work/live" ] && break
		sleep 0.1
	done
	"$built/crierctl" -s "$work/live" announce door --group beacon \
		--text hello >/dev/null || failed=1
	cp "$built/crierctl" "$work/crierctl"
	offers "crierctl -s $work/live groups " beacon other
	offers "crierctl -s $work/live withdraw " door
	offers "crierctl -s $work/live monitor --interface=" lan crier-none
	kill $crierd
	wait $crierd || failed=1
	[ $failed = 0 ] || cat "$work/log"
}
cat >"$work/crierd.yaml" <<END
control: { group: root }
interfaces: { lan: { device: crier-none } }
groups:
  beacon: { address: 239.7.7.7, port: 5907 }
  other: { address: 239.7.7.8, port: 5907 }
END
if [ "$1" = live ]; then
	live
	exit $failed
elif unshare -n true 2>/dev/null; then
	unshare -n "$0" live || failed=1
else
	echo 'No namespace: not tried with a daemon'
fi

if command -v zsh >/dev/null; then
	for file in _crierctl _crierd _crier-mqtt; do
		zsh -n "$root/completion/zsh/$file" || failed=1
	done
fi
exit $failed
