#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The files of config/ read by the programs that they are for: libvirt's schemas, systemd,
# tuned, AppArmor's parser, kmod. Each of these also has to refuse a copy that was broken.
#
# usage: config_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
root=$(cd "$here/../.." && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
config=$root/config
PATH=$PATH:/usr/sbin:/sbin

# Package by package, as devtools/setup has them.
for tool in virt-xml-validate:libvirt-clients xmllint:libxml2-utils systemd-analyze:systemd systemd-sysusers:systemd \
	apparmor_parser:apparmor tuned-adm:tuned modprobe:kmod strace:strace setpriv:util-linux pgrep:procps; do
	command -v "${tool%:*}" >/dev/null || skip "${tool%:*} is missing: install the package ${tool#*:}, or run devtools/setup"
done

/usr/bin/python3 -c 'import perf' 2>/dev/null || skip "tuned's plugins need the Python module perf: install the package linux-perf, or run devtools/setup"

work=$(mktemp -d -t nahanni-config.XXXXXX) || skip "no temporary folder"
on_exit "rm -rf '$work'"
log=$work/log

# holds NAME COMMAND...
holds()
{
	local name=$1
	shift
	"$@" >"$log" 2>&1
	check "$name" $? "$log"
}

# refuses NAME WORDS COMMAND...: what was broken is seen, and named
refuses()
{
	local name=$1 words=$2
	shift 2
	if "$@" >"$log" 2>&1; then
		check "$name" 1 "$log"
	else
		grep -qE -- "$words" "$log"
		check "$name" $? "$log"
	fi
}

# silent COMMAND...: succeeds and says nothing; warnings are failures too
# shellcheck disable=SC2317	# a command of the two above
silent()
{
	local said
	said=$("$@" 2>&1) && [ -z "$said" ] && return
	echo "$said"
	return 1
}

libvirt()
{
	local name
	for name in joint split; do
		holds "libvirt: $name.xml is of the schema" virt-xml-validate "$config/libvirt/$name.xml" domain
		sed 's/<emulatorpin /<emulatorpins /' "$config/libvirt/$name.xml" >"$work/broken.xml"
		refuses "libvirt: $name.xml with a misspelled element is not" 'emulatorpins|fails to validate' virt-xml-validate "$work/broken.xml" domain
		sed "s/cpuset='0-1'/cpuset='two'/" "$config/libvirt/$name.xml" >"$work/broken.xml"
		refuses "libvirt: $name.xml with a word for a CPU is not" 'cputune|fails to validate' virt-xml-validate "$work/broken.xml" domain
	done
}

# unit FILE SED: a copy with the daemon's path as it is here
unit()
{
	local program=/bin/true
	[ ! -x "$build/app/nahanni-worker" ] || program=$build/app/nahanni-worker
	sed -e "s,/usr/local/bin/nahanni-worker,$program," -e "${2-}" "$config/$1" >"$work/units/$(basename "$1")"
}

units()
{
	local file
	mkdir -p "$work/units"
	for file in nahanni-worker.service systemd/nahanni.slice systemd/nahanni-partition.service; do
		unit "$file"
	done
	for file in "$work"/units/*; do
		holds "systemd: $(basename "$file") is accepted without a word" silent systemd-analyze verify --man=no "$file"
	done
	unit nahanni-worker.service 's/^ProtectSystem=/ProtectSystems=/'
	refuses "systemd: a key that is unknown is seen" 'ProtectSystems' silent systemd-analyze verify --man=no "$work/units/nahanni-worker.service"
	unit nahanni-worker.service 's/@system-service$/@system-services/'
	refuses "systemd: a set of system calls that is unknown is seen" 'system-services' silent systemd-analyze verify --man=no "$work/units/nahanni-worker.service"
	unit systemd/nahanni.slice 's/^AllowedCPUs=.*/AllowedCPUs=one/'
	refuses "systemd: a list of CPUs that is none is seen" "affinity 'one'" silent systemd-analyze verify --man=no "$work/units/nahanni.slice"
	unit nahanni-worker.service
	unit systemd/nahanni.slice
}

# Of 10 for none to 0: the limit is a little above what it has.
exposure()
{
	systemd-analyze security --offline=yes --no-pager "$work/units/nahanni-worker.service" | sed -n 's/.*Overall exposure/systemd: exposure/p'
	holds "systemd: nahanni-worker.service exposes 1.0 at most" \
		systemd-analyze security --offline=yes --threshold=10 "$work/units/nahanni-worker.service"
	unit nahanni-worker.service '/^SystemCallFilter=/d; /^CapabilityBoundingSet=/d'
	refuses "systemd: without its filter and with capabilities it exposes more" 'exposure level' \
		systemd-analyze security --offline=yes --threshold=10 "$work/units/nahanni-worker.service"
}

sysusers()
{
	mkdir -p "$work/root/etc"
	holds "sysusers: the user is made" systemd-sysusers --root="$work/root" "$config/systemd/nahanni-sysusers.conf"
	# A system user's number: logind leaves its files in /dev/shm alone.
	# shellcheck disable=SC2016	# awk's fields
	holds "sysusers: a system user, in group kvm" awk -F: '
		FILENAME ~ /passwd$/ && $1 == "nahanni" && $3 < 1000 && $7 ~ /nologin$/ { user = 1 }
		FILENAME ~ /group$/ && $1 == "kvm" && $4 == "nahanni" { member = 1 }
		END { exit !(user && member) }' "$work/root/etc/passwd" "$work/root/etc/group"
}

apparmor()
{
	local size path mode
	printf 'abi <abi/3.0>,\nprofile nahanni-test {\n' >"$work/profile"
	cat "$config/libvirt/apparmor-nahanni" >>"$work/profile"
	echo '}' >>"$work/profile"
	holds "apparmor: the rules are parsed" apparmor_parser -Q -K "$work/profile"
	sed '/from-host/s/ r,/ x,/' "$work/profile" >"$work/broken"
	refuses "apparmor: a mode that does not exist is refused" 'syntax error|mode' apparmor_parser -Q -K "$work/broken"
	# What the definition opens is allowed, the host's area for reading only.
	while read -r size path; do
		mode=rw
		[ "$size" != readonly=on ] || mode=r
		holds "apparmor: split.xml's $path is allowed as $mode" grep -qxF "\"$path\" $mode," "$config/libvirt/apparmor-nahanni"
		holds "nahanni-worker.conf: $path is there" grep -qE "^(path|peer) = $path\$" "$config/nahanni-worker.conf"
	done < <(sed -n "s/.*value='memory-backend-file,id=[^,]*,share=on,\(readonly=on\)*,*size=\([^,]*\),mem-path=\([^']*\)'.*/\1 \3/p" \
		"$config/libvirt/split.xml" | sed 's,^ ,- ,')
}

kmod()
{
	local module option
	cp "$config/modprobe/nahanni-kvm.conf" "$work/kvm.conf"
	modprobe -c -C "$work/kvm.conf" >"$work/options" 2>"$log"
	# shellcheck disable=SC2016	# the inner shell's
	holds "modprobe: two options of kvm are read, nothing is doubted" \
		sh -c '[ ! -s "$1" ] && [ "$(grep -ac "^options kvm " "$2")" = 2 ]' - "$log" "$work/options"
	sed 's/^options/option/' "$config/modprobe/nahanni-kvm.conf" >"$work/kvm.conf"
	# shellcheck disable=SC2016	# the inner shell's
	refuses "modprobe: a word that is unknown is seen" 'bad line' silent sh -c 'modprobe -c -C "$1" >/dev/null' - "$work/kvm.conf"
	# Where this kernel has KVM its parameters have these names.
	[ -d /sys/module/kvm/parameters ] || return 0
	while read -r _ module option; do
		holds "modprobe: $module has ${option%%=*}" test -e "/sys/module/$module/parameters/${option%%=*}"
	done < <(grep '^options' "$config/modprobe/nahanni-kvm.conf")
}

# The daemon as its unit has it, as far as this goes without systemd: no capability, no new
# privileges; and each system call it makes is one that the filter lets pass.
calls()
{
	local daemon=$build/app/nahanni-worker shm=/dev/shm/nahanni-config-test.$$ pid
	if [ ! -x "$daemon" ]; then
		echo "no nahanni-worker in this build: its system calls are not looked at"
		return
	fi
	if [ "$(id -u)" != 0 ]; then
		echo "not root, so no capabilities to take away: the daemon's system calls are not looked at"
		return
	fi
	on_exit "rm -f '$shm'"
	mkdir "$work/run"
	printf '[worker]\nlcores = %s\n\n[link one]\nid = 1\nservice = echo\npath = %s\nsize = 1M\ndata-bytes = 64K\nmode = 0660\ngroup = %s\n' \
		"$(($(nproc) - 1))" "$shm" 1 >"$work/worker.conf"
	RUNTIME_DIRECTORY=$work/run strace -f -qq -o "$work/trace" setpriv --no-new-privs --bounding-set=-all --inh-caps=-all --groups 0,1 \
		"$daemon" --config "$work/worker.conf" >"$work/daemon.log" 2>&1 &
	on_exit "kill $! 2>/dev/null"
	holds "calls: the daemon serves without capabilities" wait_for grep -q serving "$work/daemon.log"
	pid=$(pgrep -P $!)
	cat /proc/"$pid"/task/*/comm >"$work/threads"
	kill -HUP "$pid"
	holds "calls: it reloads" wait_for grep -q reloaded "$work/daemon.log"
	kill -TERM "$pid"
	wait $!
	unit nahanni-worker.service
	holds "calls: each one passes the unit's filter" "$here/calls.py" "$work/units/nahanni-worker.service" "$work/trace"
	unit nahanni-worker.service '/^SystemCallFilter=fchown/d'
	refuses "calls: without fchown and pinning it would not" 'refuses.*sched_setaffinity' "$here/calls.py" "$work/units/nahanni-worker.service" "$work/trace"
	holds "tuned: the host's profile leaves each thread of it where it is" \
		"$here/profile.py" "$config/tuned" nahanni-host "$work/threads"
}

tuned()
{
	local profile
	printf '%s\n' rte-worker-2 'CPU 1/KVM' qemu-system-x86 ipc-perf dpdk-testpmd >"$work/lcores-host"
	printf '%s\n' rte-worker-2 ipc-perf dpdk-testpmd >"$work/lcores-guest"
	for profile in host guest; do
		holds "tuned: nahanni-$profile is loaded, each option is known, lcores stay" \
			"$here/profile.py" "$config/tuned" "nahanni-$profile" "$work/lcores-$profile"
		printf '%s\n' rte-worker-2 ksoftirqd/2 >"$work/others"
		refuses "tuned: nahanni-$profile moves other threads" 'ksoftirqd/2 would be moved' "$here/profile.py" "$config/tuned" "nahanni-$profile" "$work/others"
		broken_profile "without its variable" "$profile" '/^isolated_cores/d' nahanni-variables.conf 'isolated_cores is set'
		broken_profile "without CPUs" "$profile" 's/^isolated_cores=2-5/isolated_cores=/' nahanni-variables.conf 'isolated_cores is set to something'
		broken_profile "with CPUs that are not there" "$profile" 's/^isolated_cores=2-5/isolated_cores=8000/' nahanni-variables.conf 'are online'
		broken_profile "with an option that is unknown" "$profile" 's/^ps_blacklist/ps_blocklist/' "nahanni-$profile/tuned.conf" 'knows no ps_blocklist'
		broken_profile "with a plugin that is unknown" "$profile" 's/^\[irqbalance\]/[irqbalancer]/' "nahanni-$profile/tuned.conf" plugin_irqbalancer
		broken_profile "with a function that is unknown" "$profile" 's/cpulist2hex_invert/cpulist3hex/' "nahanni-$profile/tuned.conf" cpulist3hex
	done
}

# broken_profile HOW PROFILE SED FILE WORDS
broken_profile()
{
	rm -rf "$work/tuned"
	cp -R "$config/tuned" "$work/tuned"
	sed -i "$3" "$work/tuned/$4"
	cmp -s "$config/tuned/$4" "$work/tuned/$4" && check "tuned: nothing to break in $4" 1
	refuses "tuned: nahanni-$2 $1 is refused" "$5" "$here/profile.py" "$work/tuned" "nahanni-$2" "$work/lcores-$2"
}

# Nothing is forgotten: each file is told of, and installed.
told()
{
	local file
	while read -r file; do
		holds "README.md has $file" grep -qE "^\|.*\b$file\b" "$config/README.md"
		holds "meson.build has $file" grep -qE "['/]$(basename "$file")'" "$config/meson.build"
	done < <(cd "$config" && find . -type f ! -name meson.build ! -name README.md ! -name 'ipc-perf-*.cfg' -printf '%P\n' | sort)
}

# One line without a placeholder comes of the command in the file, which is the guide's too.
parameters()
{
	local side command
	for side in host guest; do
		command=$(sed -n 's/^#     \(sed .*\)/\1/p' "$config/kernel/$side.cmdline")
		# shellcheck disable=SC2034	# the command has them
		(cd "$config/kernel" && ISOLATED=2-5 HOUSEKEEPING=0-1 HUGEPAGES=8 && eval "$command") >"$work/line"
		holds "kernel: $side.cmdline becomes one line without a placeholder" \
			awk '/@/ || !/isolcpus=managed_irq,domain,2-5 nohz_full=2-5 irqaffinity=0-1 / { bad = 1 } END { exit bad || NR != 1 }' "$work/line"
		holds "kernel: the guide has the command of $side.cmdline" grep -qF "$command" "$root/doc/guides/tuning.rst"
	done
}

told
parameters
libvirt
units
exposure
sysusers
apparmor
kmod
tuned
calls
finish
