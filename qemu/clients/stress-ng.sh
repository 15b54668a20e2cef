# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# stress-ng: what makes and ends processes, threads, sessions and namespaces, two workers
# of each for a bounded time.
#
# package: stress-ng

before=()
stress() {
	"${before[@]}" stress-ng --"$1" 2 --timeout 4 --verify 2>&1
}

check stress-ng.clone 'clones with flags of all kinds, CLONE_NEWPID too'
stress-ng.clone() { stress clone; }
check stress-ng.fork 'forks and waits'
stress-ng.fork() { stress fork; }
check stress-ng.vfork 'vforks and waits'
stress-ng.vfork() { stress vfork; }
check stress-ng.pthread 'starts threads and joins them'
stress-ng.pthread() { stress pthread; }
check stress-ng.session 'makes sessions, whose leaders end before and after their children'
stress-ng.session() { stress session; }
check stress-ng.daemon 'makes daemons, which are orphans'
stress-ng.daemon() { stress daemon; }
check stress-ng.zombie 'leaves zombies, and reaps them'
stress-ng.zombie() { stress zombie; }
check stress-ng.unshare 'unshares each kind of namespace, and all of them'
stress-ng.unshare() { stress unshare; }

check stress-ng.daemon_in_a_namespace 'orphans in a namespace, whose init reaps them'
stress-ng.daemon_in_a_namespace() {
	before=(unshare --pid --fork --mount-proc)
	stress daemon
}
