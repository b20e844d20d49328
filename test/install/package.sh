# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Installs the package below the build folder and builds the examples against it, as
# a user does: in a copy of the installed sources, by their Makefile. Needs $build and
# test/shell/checks.sh; gives $prefix, $plugins, and $examples with a folder a language.

# shellcheck disable=SC2154	# the test sets build
place=$build/test/install
prefix=$place/package
plugins=$prefix/lib/plugins
examples=$place/examples
source_root=$(cd "$here/../.." && pwd -P)
export PKG_CONFIG_PATH=
# Meson names the libraries of the build; these tests are about the installed ones.
unset LD_LIBRARY_PATH

# The programs and libraries that are installed, and not the tests beside them.
installed_targets()
{
	meson introspect --targets "$1" | /usr/bin/python3 -c '
import json, os, sys
for target in json.load(sys.stdin):
    if target["installed"]:
        print(os.path.relpath(target["filename"][0], sys.argv[1]))' "$(realpath "$1")"
}

# A build of its own, since the prefix is in the files. It stays for the next time.
package_install()
{
	local folder=$place/package-build dpdk=disabled
	local targets
	[ ! -e "$build/drivers/librte_net_nahanni.so" ] || dpdk=enabled
	{
		mkdir -p "$place" || return
		[ -f "$folder/build.ninja" ] ||
			meson setup "$folder" "$source_root" --prefix "$prefix" -Ddpdk=$dpdk -Ddpdk_plugin_dir=lib/plugins || return
		mapfile -t targets < <(installed_targets "$folder")
		ninja -C "$folder" -j 2 "${targets[@]}" || return
		rm -rf "$prefix"
		meson install -C "$folder" --no-rebuild
	} >"$place/package.log" 2>&1
	local status=$?
	PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name libnahanni.pc)")
	return $status
}

# examples_build LANGUAGE COMPILER FLAGS: with a list of all files that the compiler read
examples_build()
{
	local folder=$examples/$1 goals=plain
	[ ! -e "$plugins" ] || goals=all
	rm -rf "$folder"
	mkdir -p "$examples"
	cp -R "$prefix/share/nahanni/examples" "$folder" || return
	make -j 2 -C "$folder" "$goals" CC="$2" CFLAGS="$3 -O2 -Wall -Wextra -Werror -MD" >"$examples/$1.log" 2>&1
}

# told STATUS NAME LOGS...: with the last line of the first log
told()
{
	local status=$1 name=$2
	shift 2
	check "$name: $(tail -n 1 "$1")" "$status" "$@"
}

# A busy machine makes the package in both tests' time, but once.
package_and_examples()
{
	package_install
	check "the package is installed below $prefix" $? "$place/package.log"
	examples_build c gcc -std=gnu11
	check "the examples build as C11" $? "$examples/c.log"
	examples_build c++ g++ -std=c++20
	check "the examples build as C++20" $? "$examples/c++.log"
	[ "$failed" = 0 ] || finish
}
