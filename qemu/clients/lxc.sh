# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# LXC, which clones its container with CLONE_NEWPID, and joins it from outside.
#
# shellcheck disable=SC2016 # what is quoted is for an inner shell
#
# package: lxc
# package: busybox-static

# container: a tree of busybox and the file that describes it, in this directory.
container() {
	local applet
	mkdir -p tree/{usr/bin,dev,proc,sys,tmp,etc} /var/lib/lxc
	ln -s usr/bin tree/bin
	cp /usr/bin/busybox tree/bin/
	for applet in sh ps sleep; do
		ln -s busybox "tree/bin/$applet"
	done
	printf '%s\n' "lxc.rootfs.path = dir:$PWD/tree" 'lxc.net.0.type = none' \
		'lxc.mount.auto = proc' >config
}

check lxc-execute.run 'an application is the child of the init that LXC gives it'
lxc-execute.run() {
	container
	want 'pid and parent' '2 1' "$(lxc-execute --name run --rcfile config -- sh -c 'echo $$ $PPID')"
}

# The init that LXC gives it may not have started it yet.
attached_sees_sleep() {
	[[ $(lxc-attach --name attach -- ps -o args) == *'sleep 3600'* ]]
}

check lxc-attach.run 'a second command sees the first'
lxc-attach.run() {
	container
	lxc-execute --name attach --rcfile config -- sleep 3600 &
	lxc-wait --name attach --state RUNNING --timeout 200
	eventually attached_sees_sleep
}

check lxc-execute.after_unshare 'a container started by whoever has unshared' \
	'Invalid argument - Failed to clone a new set of namespaces'
lxc-execute.after_unshare() {
	container
	want 'pid and parent' '2 1' \
		"$(unshare --pid lxc-execute --name after --rcfile config -- sh -c 'echo $$ $PPID')"
}
