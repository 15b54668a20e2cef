# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# bubblewrap, the sandbox of Flatpak: it clones with CLONE_NEWPID, and with --pidns
# joins a namespace first and unshares below it.
#
# package: bubblewrap

sandbox() {
	bwrap --dev-bind / / --proc /proc "$@"
}

check bwrap.unshare_pid 'bwrap is pid 1 in the sandbox, and the command is its child'
bwrap.unshare_pid() {
	want 'ps' '1 bwrap 2 ps' "$(sandbox --unshare-pid ps -e -o pid,comm --no-headers | xargs)"
}

check bwrap.as_pid_1 'the command itself is pid 1'
bwrap.as_pid_1() {
	want 'ps' '1 ps' "$(sandbox --unshare-pid --as-pid-1 ps -e -o pid,comm --no-headers | xargs)"
}

# given: a namespace with somebody in it, open as file 9.
given() {
	local child
	unshare --pid --fork sleep 3600 &
	child=$(child_of $! sleep)
	exec 9<"/proc/$child/ns/pid"
}

check bwrap.pidns 'with --pidns the command lives in the namespace given'
bwrap.pidns() {
	given
	want 'lives in' "$(stat -L -c %i /dev/fd/9)" \
		"$(bwrap --dev-bind / / --pidns 9 stat -L -c %i /proc/self/ns/pid)"
}

check bwrap.pidns_and_unshare_pid 'with --unshare-pid as well, in one of its own below that'
bwrap.pidns_and_unshare_pid() {
	local inner
	given
	bwrap --dev-bind / / --pidns 9 --unshare-pid sleep 61 &
	eventually pgrep --full '^sleep 61'
	inner=$(pidns "$(pgrep --full '^sleep 61')")
	want 'its parent' "$(stat -L -c %i /dev/fd/9)" "$(parent_of "$inner")"
}

check bwrap.after_unshare 'a sandbox started by whoever has unshared, a child of where that lives' \
	'Creating new namespace failed: Invalid argument'
bwrap.after_unshare() {
	local child
	unshare --pid bwrap --dev-bind / / --unshare-pid --as-pid-1 sleep 3600 &
	child=$(child_of $! sleep)
	want 'its parent' "$(pidns self)" "$(parent_of "$(pidns "$child")")"
}
