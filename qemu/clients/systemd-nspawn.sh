# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# systemd-nspawn, which clones its container with CLONE_NEWPID.
#
# shellcheck disable=SC2016 # what is quoted is for an inner shell
#
# package: systemd-container
# package: busybox-static

# spawn OPTION... COMMAND...: in a tree of busybox, with no systemd around it.  For its journal it
# would ask for the machine's ID, which a Debian that was not booted yet does not have.
spawn() {
	local applet
	mkdir -p tree/{usr/bin,dev,proc,sys,tmp,etc,root}
	ln -sfn usr/bin tree/bin
	cp /usr/bin/busybox tree/bin/
	for applet in sh ps sleep; do
		ln -sf busybox "tree/bin/$applet"
	done
	systemd-nspawn --quiet --register=no --keep-unit --link-journal=no --pipe --directory tree "$@"
}

check systemd-nspawn.pid_1 'the command is pid 1'
systemd-nspawn.pid_1() {
	want 'pid' 1 "$(spawn sh -c 'echo $$')"
}

check systemd-nspawn.as_pid2 'with --as-pid2 it is 2, and pid 1 is a stub of an init'
systemd-nspawn.as_pid2() {
	want 'pid' 2 "$(spawn --as-pid2 sh -c 'echo $$')"
}
