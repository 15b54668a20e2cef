# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# unshare(1), nsenter(1) and lsns(8): the tools with which people meet pid namespaces.
#
# shellcheck disable=SC2016 # what is quoted is for an inner shell
#
# package: util-linux

check unshare.fork 'with --fork the command is pid 1 and its parent reads as 0'
unshare.fork() {
	want 'pid and parent' '1 0' "$(unshare --pid --fork sh -c 'echo $$ $PPID')"
}

check unshare.first_child_is_pid_1 'without --fork the command stays; its first child is pid 1'
unshare.first_child_is_pid_1() {
	local seen
	seen=$(unshare --pid bash -c 'echo $((BASHPID == 1)); sh -c "echo \$\$ \$PPID"; :')
	want 'the command, and its child' '0 1 0' "$(xargs <<<"$seen")"
}

check unshare.second_child_is_enomem 'without --fork all is over when the first child has ended'
unshare.second_child_is_enomem() {
	local seen
	seen=$(unshare --pid bash -c '/bin/true; /bin/true; :' 2>&1) || :
	[[ $seen == *'fork: Cannot allocate memory'* ]] || die "the second command: $seen"
}

check unshare.mount_proc 'with --mount-proc ps sees what lives in the namespace, and nothing else'
unshare.mount_proc() {
	want 'ps' '1 ps' "$(unshare --pid --fork --mount-proc ps -e -o pid,comm --no-headers | xargs)"
}

check unshare.kill_child 'with --kill-child the namespace falls with unshare itself'
unshare.kill_child() {
	local child
	unshare --pid --fork --kill-child sleep 3600 &
	child=$(child_of $! sleep)
	kill -KILL $!
	eventually test ! -e "/proc/$child"
}

check unshare.map_root_user 'an ordinary user gets a pid namespace with a user namespace'
unshare.map_root_user() {
	want 'pid and uid' '1 0' "$(cd / && setpriv --reuid 65534 --regid 65534 --clear-groups \
		unshare --user --map-root-user --pid --fork --mount-proc sh -c 'echo $$ $(id -u)')"
}

check unshare.inside 'a command in a new namespace makes one below it'
unshare.inside() {
	local outer inner
	unshare --pid --fork unshare --pid --fork sleep 3600 &
	outer=$(child_of $! unshare)
	inner=$(child_of "$outer" sleep)
	want 'its parent' "$(pidns "$outer")" "$(parent_of "$(pidns "$inner")")"
}

check unshare.again 'a process that has unshared does so again' 'unshare failed: Invalid argument'
unshare.again() {
	want 'pid' 1 "$(unshare --pid unshare --pid --fork sh -c 'echo $$')"
}

check unshare.again_is_a_sibling 'its second namespace is not below the first' \
	'unshare failed: Invalid argument'
unshare.again_is_a_sibling() {
	local child
	unshare --pid unshare --pid --fork sleep 3600 &
	child=$(child_of $! sleep)
	want 'its parent' "$(pidns self)" "$(parent_of "$(pidns "$child")")"
}

check unshare.again_after_init_died 'a shell that cannot fork any more unshares again' \
	'unshare failed: Invalid argument'
unshare.again_after_init_died() {
	want 'pid' 1 \
		"$(unshare --pid bash -c '/bin/true; exec unshare --pid --fork sh -c "echo \$\$"')"
}

check nsenter.pid 'a command in the namespace of another process, which is not its init'
nsenter.pid() {
	local child
	unshare --pid --fork --mount-proc sleep 3600 &
	child=$(child_of $! sleep)
	want 'ps' 'sleep ps' \
		"$(nsenter --target "$child" --pid --mount ps -e -o comm --no-headers | xargs)"
}

check nsenter.back_to_the_active_namespace 'setns() to where one lives undoes an unshare'
nsenter.back_to_the_active_namespace() {
	want 'in the active namespace' "$(pidns self)" "$(unshare --pid bash -c '/bin/true
		exec nsenter --pid=/proc/$$/ns/pid stat -L -c %i /proc/thread-self/ns/pid')"
}

check lsns.tree 'the namespace of a child, its parent and its init'
lsns.tree() {
	local child
	unshare --pid --fork --mount-proc sleep 3600 &
	child=$(child_of $! sleep)
	want 'the parent' "$(pidns self)" "$(parent_of "$(pidns "$child")")"
	want 'the init' "$child" "$(init_of "$(pidns "$child")")"
}
