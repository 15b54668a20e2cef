# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# crun and runc, which start the containers of podman, Docker and Kubernetes: the bundle
# is what `runc spec` makes of it, with busybox for a file system.
#
# shellcheck disable=SC2016 # what is quoted is for an inner shell
#
# package: crun
# package: runc
# package: busybox-static

# runtime ARGUMENT...: crun or runc, with its state in this directory.  On cgroup2 they limit
# devices by BPF, which this kernel has not; in the hierarchies of before it, without.
runtime() {
	local controller
	for controller in devices freezer; do
		mkdir -p "/run/cgroup1/$controller"
		mountpoint --quiet "/run/cgroup1/$controller" ||
			mount -t cgroup -o "$controller" "$controller" "/run/cgroup1/$controller"
	done
	unshare --mount sh -c 'mount --rbind /run/cgroup1 /sys/fs/cgroup && exec "$@"' sh \
		"${before[@]}" "$program" --root "$PWD/state" "$@"
}
before=()

# bundle COMMAND [PATH]: a bundle in this directory, in the pid namespace of PATH if given.
bundle() {
	local applet
	# The container has the name of the check, as has this directory.
	id=${PWD##*/}
	mkdir -p rootfs/{bin,dev,proc,sys,tmp,etc}
	cp /usr/bin/busybox rootfs/bin/
	for applet in sh ps sleep; do
		ln -s busybox "rootfs/bin/$applet"
	done
	"$program" spec
	# The end of a network namespace takes seconds here, and stops the next from being made.
	sed -i -z 's/{[^{}]*"type": "network"[^{}]*},//' config.json
	sed -i -e 's/"terminal": true/"terminal": false/' -e "s|\"sh\"|\"sh\", \"-c\", \"$1\"|" \
		-e "s|\"type\": \"pid\"|&${2:+, \"path\": \"$2\"}|" config.json
}

# pid_of_init: the container's pid 1, out here.
pid_of_init() {
	runtime state "$id" | sed -n 's/^ *"pid": *\([0-9]*\).*/\1/p'
}

# start: a bundle that sleeps.
start() {
	bundle 'exec sleep 3600'
	runtime run --detach "$id" </dev/null >/dev/null 2>log || die "$(<log)"
}

oci_run() {
	bundle 'echo $$'
	want 'pid' 1 "$(runtime run "$id")"
}

oci_namespace() {
	start
	want 'its parent' "$(pidns self)" "$(parent_of "$(pidns "$(pid_of_init)")")"
}

oci_exec() {
	start
	want 'ps' '1 sleep 3600' "$(runtime exec "$id" ps -o pid,args | sed -n 2p | xargs)"
}

oci_kill() {
	local pid
	start
	pid=$(pid_of_init)
	runtime kill "$id" KILL
	eventually test ! -e "/proc/$pid"
}

oci_delete() {
	start
	runtime delete --force "$id"
	want 'the list' '' "$(runtime list --quiet)"
}

oci_shared_pid_namespace() {
	local child
	unshare --pid --fork sleep 3600 &
	child=$(child_of $! sleep)
	bundle 'echo $(($$ > 1)); exec ps -o pid,args' "/proc/$child/ns/pid"
	want 'not pid 1; pid 1 is' '1 1 sleep 3600' "$(runtime run "$id" | sed -n '1p; 3p' | xargs)"
}

check crun.run 'the command of a bundle is pid 1'
crun.run() { program=crun && oci_run; }
check crun.namespace 'the namespace of the container is a child of that of the runtime'
crun.namespace() { program=crun && oci_namespace; }
check crun.exec 'a second command sees the first as pid 1'
crun.exec() { program=crun && oci_exec; }
check crun.kill 'a signal to the container ends its pid 1'
crun.kill() { program=crun && oci_kill; }
check crun.delete 'a container that runs is deleted'
crun.delete() { program=crun && oci_delete; }
check crun.shared_pid_namespace 'a container in the pid namespace of another, given by its path'
crun.shared_pid_namespace() { program=crun && oci_shared_pid_namespace; }

check runc.run 'the command of a bundle is pid 1'
runc.run() { program=runc && oci_run; }
check runc.namespace 'the namespace of the container is a child of that of the runtime'
runc.namespace() { program=runc && oci_namespace; }
check runc.exec 'a second command sees the first as pid 1'
runc.exec() { program=runc && oci_exec; }
check runc.kill 'a signal to the container ends its pid 1'
runc.kill() { program=runc && oci_kill; }
check runc.delete 'a container that runs is deleted'
runc.delete() { program=runc && oci_delete; }
check runc.shared_pid_namespace 'a container in the pid namespace of another, given by its path'
runc.shared_pid_namespace() { program=runc && oci_shared_pid_namespace; }

check crun.after_unshare 'a container started by whoever has unshared' \
	'clone: Invalid argument'
crun.after_unshare() {
	program=crun
	bundle 'echo $$'
	before=(unshare --pid)
	want 'pid' 1 "$(runtime run "$id")"
}
