# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Programs that start threads, in a process that has unshared: a thread is born in the
# active namespace, with its process.  Go and Java start some before anything else; runc is
# a small program in Go.  Mainline refuses the first of them with EINVAL: golang/go#19716,
# firecracker-microvm/firecracker#2344, kata-containers/kata-containers#1141,
# tinylabscom/mvm#3599, gentoo/portage#1577.
#
# package: runc
# package: python3-minimal
# package: qemu-user

check runc.starts_after_unshare 'a program in Go starts after unshare --pid' \
	'pthread_create failed: Invalid argument'
runc.starts_after_unshare() {
	unshare --pid runc --version
}

check java.starts_after_unshare 'a Java virtual machine does' 'pthread_create failed (EINVAL)'
java.starts_after_unshare() {
	unshare --pid java -Xint -version
}

check qemu-x86_64.starts_after_unshare 'an emulated program does' \
	'qemu_thread_create: Invalid argument'
qemu-x86_64.starts_after_unshare() {
	unshare --pid qemu-x86_64 /bin/true
}

check qemu-x86_64.supervises_init 'one that has forked the init of the namespace does, too' \
	'qemu_thread_create: Invalid argument'
qemu-x86_64.supervises_init() {
	unshare --pid bash -c 'sleep 3600 & exec qemu-x86_64 /bin/true'
}

check python3.threads 'Python starts threads after os.unshare(), with its own pid' \
	"can't start new thread"
python3.threads() {
	unshare --pid /usr/bin/python3 - <<-'END'
		import concurrent.futures, os
		with concurrent.futures.ThreadPoolExecutor(8) as pool:
		    seen = set(pool.map(lambda _: os.getpid(), range(100)))
		assert seen == {os.getpid()}, seen
	END
}

check python3.processes 'multiprocessing starts processes, the first of which is pid 1'
python3.processes() {
	want 'pids' '1 2 3' "$(
		unshare --pid /usr/bin/python3 - <<-'END'
			import multiprocessing as mp, os
			mp.set_start_method("fork")
			pids, end = mp.SimpleQueue(), mp.Barrier(3)
			def work():
			    pids.put(os.getpid())
			    end.wait()
			workers = [mp.Process(target=work) for _ in range(3)]
			for worker in workers:
			    worker.start()
			for worker in reversed(workers):  # pid 1 cannot be waited for before the others
			    worker.join()
			print(*sorted(pids.get() for _ in workers))
		END
	)"
}

check python3.pool 'a Pool, which has threads of its own, once there is an init' \
	"can't start new thread"
python3.pool() {
	want 'squares' 285 "$(
		unshare --pid /usr/bin/python3 - <<-'END'
			import multiprocessing as mp, subprocess
			def square(x):
			    return x * x
			init = subprocess.Popen(["sleep", "3600"], stdout=subprocess.DEVNULL)
			with mp.get_context("fork").Pool(2) as pool:
			    print(sum(pool.map(square, range(10))))
			    pool.close()
			    pool.join()
			init.kill()
		END
	)"
}
