# shellcheck shell=bash
#
# lib.sh: a booted systemd with crier installed, in a container, between the
# segments that tests/net/lib.sh makes.
#
# A test lays out its network as those in tests/net do (see there for claim,
# segment, host, start and so on), then
#   boot HOST          boots the container in the namespace of that host
#   inside COMMAND...  runs a command in it, as root
#   configure          writes the configuration from standard input
#   up                 waits until crierd's service is active
#   prop NAME [UNIT]   prints a property of crierd.service, or another
#   signal_main NAME [UNIT]  sends a signal to its main process, or a unit's
# What it writes goes to a tmpfs and is gone with the test; a trap ends it.
# Exits with 77 where there is no systemd-nspawn or no overlay.

# A test may have it already, by one of those that bring it along.
[[ -n ${lib:-} ]] || . "$(dirname "${BASH_SOURCE[0]}")/../net/lib.sh"

system_root=''
nspawn=0 init=0

# The leader of the container: the one child of nspawn.
find_init() {
	init=$(cat "/proc/$nspawn/task/$nspawn/children" 2>/dev/null)
	init=${init%% *}
	[[ -n $init ]]
}

inside() {
	nsenter -t "$init" -m -u -i -n -p -C "$@"
}

is_booted() {
	find_init && inside systemctl is-active --quiet probe.target \
		2>/dev/null
}

# Whatever the prefix, systemd looks there too: /usr/lib and /usr/local/lib.
install_crier() {
	make -s -C "$top_builddir" install DESTDIR="$system_root" \
		>"$work/install" 2>&1 || broken "$(tail -n 3 "$work/install")"
}

# Nothing of the machine's own is started, and little of systemd's.
make_target() {
	local units=$system_root/etc/systemd/system

	mkdir -p "$units"
	cat >"$units/probe.target" <<-END
	[Unit]
	Description=Nothing but what a test asks for
	Requires=dbus.socket systemd-journald.service
	After=dbus.socket systemd-journald.service
	AllowIsolate=yes
	END
	cat >"$system_root/etc/systemd/journald.conf" <<-END
	[Journal]
	Storage=volatile
	ForwardToConsole=no
	RateLimitBurst=0
	END
}

# configured VARIABLE: a directory that configure was given. Below another make
# this one would also say which directory it enters.
configured() {
	make -s --no-print-directory -C "$top_builddir" \
		--eval="show: ; @echo \$($1)" show
}

configure() {
	mkdir -p "$(dirname "$system_root/$config")"
	cat >"$system_root/$config"
	chmod 644 "$system_root/$config"
}

shutdown_container() {
	if ((nspawn)); then
		kill -TERM "$nspawn" 2>/dev/null
		within 15 not kill -0 "$nspawn" 2>/dev/null ||
			kill -KILL "$nspawn" 2>/dev/null
		wait "$nspawn" 2>/dev/null
		nspawn=0
	fi
	if [[ -n $system_root ]]; then
		umount "$system_root" "${system_root%/root}" 2>/dev/null ||
			umount -l "$system_root" "${system_root%/root}"
		system_root=''
	fi
}

make_root() {
	local over=$work/over

	command -v systemd-nspawn >/dev/null ||
		skip 'no systemd-nspawn: install systemd-container'
	mkdir -p "$over"
	mount -t tmpfs -o size=400M tmpfs "$over" || skip 'no tmpfs'
	system_root=$over/root
	mkdir "$over/upper" "$over/work" "$system_root"
	mount -t overlay -o "lowerdir=/,upperdir=$over/upper,workdir=$over/work" \
		overlay "$system_root" 2>"$work/overlay" || {
		umount "$over"
		system_root=''
		skip "no overlay: $(<"$work/overlay")"
	}
	rm -f "$system_root/etc/machine-id" "$system_root/etc/resolv.conf"
	# That of a machine that is itself a container.
	rm -f "$system_root/usr/sbin/policy-rc.d"
	# A package brings its own.
	if [[ -n ${package:-} ]]; then
		config=etc/crier/crierd.yaml
		cp "$package" "$system_root/crier.deb"
	else
		config=$(configured sysconfdir)/crier/crierd.yaml
		install_crier
	fi
	make_target
}

# Before the network is taken away from under it.
trap 'shutdown_container; cleanup' EXIT

boot() {
	[[ -n $system_root ]] || make_root
	setsid systemd-nspawn -q -D "$system_root" --register=no --keep-unit \
		--network-namespace-path="/run/netns/$prefix-$1" \
		--console=read-only -b systemd.unit=probe.target \
		systemd.show_status=no >"$work/console" 2>&1 </dev/null &
	nspawn=$!
	within 60 is_booted || {
		tail -n 20 "$work/console"
		broken 'the container does not boot'
	}
	[[ -n ${package:-} ]] || inside systemd-sysusers || broken 'no users'
	inside systemctl daemon-reload
}

prop() {
	inside systemctl show --value -p "$1" "${2:-crierd.service}"
}

# signal_main SIGNAL [UNIT]: to its main process. Where there is none systemd
# says 0, which would be this test and all that it has started.
signal_main() {
	local pid

	pid=$(prop MainPID "${2:-crierd.service}")
	((pid > 1)) || broken "${2:-crierd.service} does not run"
	inside kill -"$1" "$pid"
}

# relays TEXT: of the group that the tests have, from ha to hb's listener, ear.
relays() {
	mcast ha send --to 239.255.42.42 --port 4242 --iface a --text "$1" \
		--quiet >"$work/sent"
	heard_text "$1" "$work/ear.out"
}

up() {
	within 10 equal active inside systemctl is-active crierd.service
}
