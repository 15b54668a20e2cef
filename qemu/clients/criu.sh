# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# CRIU, which gives processes back the pids that they had; criu-ns does that in a pid
# namespace of its own, so that these are free.
#
# package: criu

# complaint: what criu check does not get over, for which it needs more than this kernel has,
# or else is older than what it finds.
complaint() {
	{ grep -m 1 'when initializing' log || tail -n 1 log; } | sed 's/^Error ([^)]*): //'
}

# dumped: a process, pid 2 of a namespace, that is written to images/ and ended.
dumped() {
	local init child
	criu check >/dev/null 2>log || skip "criu check: $(complaint)"
	mkdir images
	setsid unshare --pid --fork --mount-proc sh -c 'sleep 3601 & wait' </dev/null >/dev/null 2>&1 &
	eventually pgrep --full '^sleep 3601'
	init=$(pgrep --full '^sh -c sleep 3601')
	child=$(pgrep --full '^sleep 3601')
	criu-ns dump --tree "$init" --images-dir images --shell-job --log-file dump.log >/dev/null ||
		die "dump: $(grep -m1 Error images/dump.log)"
	eventually test ! -e "/proc/$child"
}

check criu-ns.dump_and_restore 'a pid 1 and its child are dumped, and restored with their pids'
criu-ns.dump_and_restore() {
	local child
	dumped
	criu-ns restore --restore-detached --images-dir images --shell-job \
		--log-file restore.log >/dev/null
	eventually pgrep --full '^sleep 3601'
	child=$(pgrep --full '^sleep 3601')
	want 'pid in its namespace' 2 "$(awk '/^NSpid:/ { print $NF }' "/proc/$child/status")"
}

# restore_twice WORD...: what a program does that uses the functions of criu-ns, a script, to
# restore two processes (checkpoint-restore/criu#1670).
restore_twice() {
	/usr/bin/python3 - "$(type -P criu-ns)" "$@" <<-'END'
		import importlib.machinery, importlib.util, sys
		loader = importlib.machinery.SourceFileLoader("criu_ns", sys.argv.pop(1))
		criu_ns = importlib.util.module_from_spec(importlib.util.spec_from_loader("criu_ns", loader))
		loader.exec_module(criu_ns)
		words = sys.argv[:]
		for _ in range(2):
		    sys.argv[:] = words
		    assert criu_ns.wrap_restore() == 0
	END
}

two_sleep() {
	[[ $(pgrep --count --full '^sleep 3601') == 2 ]]
}

check criu-ns.two_restores 'one process restores twice, each time into a namespace of its own' \
	'OSError: [Errno 22] EINVAL'
criu-ns.two_restores() {
	dumped
	restore_twice restore --restore-detached --images-dir images --shell-job \
		--log-file restore.log
	eventually two_sleep
}

check criu-ns.two_namespaces 'the same, but all that CRIU does in there is to say its version' \
	'OSError: [Errno 22] EINVAL'
criu-ns.two_namespaces() {
	restore_twice --version >versions
	want 'CRIUs' 2 "$(grep -c '^Version' versions)"
}
