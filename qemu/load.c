// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads of pid namespaces, for scripts/load, which runs this as root in a guest:
 *
 *	load PERCENT [CASE...]
 *
 * PERCENT is how much of each load.  After each of them, what it has made must be gone again, by
 * the count of objects in the slab caches; these have to be debugged (slab_debug=), as only then
 * they have a cache of their own and an exact count; and the kernel must have no more memory than
 * before that it cannot reclaim.  Prints KTAP.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define LIMIT		"/proc/sys/user/max_pid_namespaces"
#define CGROUPS		"/sys/fs/cgroup"
#define BOMB		CGROUPS "/load-bomb"
#define LEVELS		32	/* MAX_PID_NS_LEVEL */
#define BACK_WITHIN	120	/* seconds */
#define ENDS_WITHIN	1800
#define SPARE_KB	(64 * 1024)
/* Caches keep some that is empty; 17 bytes that each of a million namespaces leaks are more. */
#define SLACK_KIB	(16 * 1024)
#define SIZE(a)		(sizeof(a) / sizeof((a)[0]))

static struct shared {
	_Atomic bool wrong;
	_Atomic long depth;
	_Atomic long forks;
	_Atomic long refused;
	_Atomic bool begin;
} *shared;

/* What children that share our memory count, without a stack of their own. */
static _Atomic long unshared, not_unshared;
static long percent;
static int own_ns;

static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	printf("\n");
	fflush(stdout);
	va_end(args);
}

#define wrong(...) ({ say("wrong: " __VA_ARGS__); shared->wrong = true; })

static void die(const char *what)
{
	wrong("%s: %s", what, strerror(errno));
	_exit(1);
}

/* That many at 100 per cent. */
static long scaled(long count)
{
	count = count * percent / 100;
	return count ? count : 1;
}

struct objects {
	long namespaces;	/* pid_namespace */
	long pids;		/* pid, but those of the tasks that there are */
	long deep;		/* pid_2, pid_3, ... */
	long kernel_kib;	/* what it has allocated and cannot reclaim */
};

static struct objects objects(void)
{
	FILE *stream = fopen("/proc/slabinfo", "re");
	char line[512], name[64];
	struct objects o = { 0 };
	long used, tasks = 0;

	if (!stream)
		die("/proc/slabinfo");
	while (fgets(line, sizeof(line), stream)) {
		if (sscanf(line, "%63s %ld", name, &used) != 2)
			continue;
		if (!strcmp(name, "pid_namespace"))
			o.namespaces = used;
		else if (!strcmp(name, "pid"))
			o.pids = used;
		else if (!strncmp(name, "pid_", 4) && name[4] >= '0' && name[4] <= '9')
			o.deep += used;
	}
	fclose(stream);
	/* The kernel's own threads come and go. */
	stream = fopen("/proc/loadavg", "re");
	if (!stream || fscanf(stream, "%*s %*s %*s %*d/%ld", &tasks) != 1)
		die("/proc/loadavg");
	fclose(stream);
	o.pids -= tasks;
	o.kernel_kib = get("/proc/meminfo", "SUnreclaim:") + get("/proc/meminfo", "Percpu:");
	return o;
}

static bool same(struct objects a, struct objects b)
{
	return a.namespaces == b.namespaces && a.pids == b.pids && a.deep == b.deep;
}

/* Until it does not change any more. */
static struct objects settled(void)
{
	struct objects was, is = objects();

	do {
		was = is;
		usleep(500000);
		is = objects();
	} while (!same(was, is));
	return is;
}

static void come_back_to(struct objects before)
{
	double begin = now();
	struct objects is;

	/* There may be less than before: of what came before the load. */
	do {
		is = objects();
		if (is.namespaces <= before.namespaces && is.pids <= before.pids &&
		    is.deep <= before.deep &&
		    is.kernel_kib <= before.kernel_kib + SLACK_KIB) {
			say("all is back after %.1f s; the kernel has %+ld KiB", now() - begin,
			    is.kernel_kib - before.kernel_kib);
			return;
		}
		usleep(100000);
	} while (now() < begin + BACK_WITHIN);
	wrong("after %d s there are %ld namespaces, %ld pids, %ld deep pids and %ld KiB more than before",
	      BACK_WITHIN, is.namespaces - before.namespaces, is.pids - before.pids,
	      is.deep - before.deep, is.kernel_kib - before.kernel_kib);
}

/*
 * A child that waits to be killed and touches nothing: it may share our memory, with our stack,
 * and so takes little.  With @unshare it makes a namespace for children that it never has.
 */
static pid_t start_idle(unsigned long flags, bool unshare)
{
	register long r10 asm("r10") = 0, r8 asm("r8") = 0;
	register long more asm("r12") = unshare;
	long ret;

	asm volatile("syscall\n"
		     "test %%rax, %%rax\n"
		     "jnz 4f\n"
		     "test %%r12, %%r12\n"
		     "jz 3f\n"
		     "mov %[unshare], %%eax\n"
		     "mov %[newpid], %%edi\n"
		     "syscall\n"
		     "test %%rax, %%rax\n"
		     "jnz 2f\n"
		     "lock incq %[unshared]\n"
		     "jmp 3f\n"
		     "2: lock incq %[not_unshared]\n"
		     "3: mov %[pause], %%eax\n"
		     "syscall\n"
		     "jmp 3b\n"
		     "4:"
		     : "=a"(ret), [unshared] "+m"(unshared), [not_unshared] "+m"(not_unshared)
		     : "a"((long)SYS_clone), "D"(flags | CLONE_VM | SIGCHLD), "S"(0L), "d"(0L),
		       "r"(r10), "r"(r8), "r"(more), [unshare] "i"(SYS_unshare),
		       [newpid] "i"(CLONE_NEWPID), [pause] "i"(SYS_pause)
		     : "rcx", "r11", "cc", "memory");
	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	return ret;
}

/* The same with memory of its own, as init of a namespace. */
static pid_t start_init(void)
{
	pid_t pid = must(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0));

	while (!pid)
		pause();
	return pid;
}

static void kill_and_reap(pid_t pid)
{
	must(kill(pid, SIGKILL));
	must(waitpid(pid, NULL, 0));
}

static void progress(double *shown, const char *what, long done, long of)
{
	if (now() < *shown + 10)
		return;
	*shown = now();
	say("%s: %ld of %ld", what, done, of);
}

/* Each process is the init of one namespace and has another one for its children. */
static void live(void)
{
	long want = scaled(50000), count = 0, before, kib = 0;
	pid_t *pids = calloc(want, sizeof(*pids));
	double shown = now();

	before = get("/proc/meminfo", "MemAvailable:");
	while (2 * count < want) {
		if (count % 100 == 0) {
			kib = get("/proc/meminfo", "MemAvailable:");
			if (kib < SPARE_KB)
				break;
			progress(&shown, "live", 2 * count, want);
		}
		pids[count] = start_idle(CLONE_NEWPID | CLONE_FS | CLONE_FILES, true);
		if (pids[count] < 0) {
			say("clone: %s", strerror(errno));
			break;
		}
		count++;
	}
	while (unshared + not_unshared < count)
		usleep(10000);
	kib = get("/proc/meminfo", "MemAvailable:");
	say("%ld of %ld namespaces at once, by %ld processes; they take %ld MiB, %ld are left",
	    count + unshared, want, count, (before - kib) / 1024, kib / 1024);
	if (not_unshared)
		wrong("%ld processes could not unshare", not_unshared);
	if (count + unshared < want)
		wrong("more do not fit into this guest");
	if (objects().namespaces < count + unshared)
		wrong("the slab cache has %ld namespaces alone", objects().namespaces);
	for (long i = 0; i < count; i++)
		must(kill(pids[i], SIGKILL));
	for (long i = 0; i < count; i++)
		must(waitpid(pids[i], NULL, 0));
}

static void make_and_free(long count, bool tell)
{
	double shown = now();
	pid_t pid;

	for (long i = 0; i < count; i++) {
		if (i % 10) {
			must(unshare(CLONE_NEWPID));
			must(setns(own_ns, CLONE_NEWPID));
		} else {
			pid = must(syscall(SYS_clone, CLONE_NEWPID | CLONE_VFORK | SIGCHLD, NULL,
					   NULL, NULL, 0));
			if (!pid)
				_exit(0);
			must(waitpid(pid, NULL, 0));
		}
		if (tell)
			progress(&shown, "made and freed by one of two", i, count);
	}
}

/* By two tasks; one namespace in ten has a process. */
static void churn(void)
{
	long count = scaled(1000000) / 2;
	double begin = now();
	pid_t other = must(fork());

	make_and_free(count, other);
	if (!other)
		_exit(0);
	must(waitpid(other, NULL, 0));
	say("%ld namespaces made and freed in %.0f s", 2 * count, now() - begin);
}

/* Forks without end; every second child stays, so that the end finds some. */
static void fork_at_the_bottom(void)
{
	pid_t stay[50], pid;
	size_t staying = 0;
	bool stays = false;

	if (syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0) >= 0 || errno != ENOSPC)
		wrong("below level %d: %s, not ENOSPC", LEVELS, strerror(errno));
	for (;; stays = !stays) {
		pid = must(fork());
		if (!pid) {
			while (stays)
				pause();
			_exit(0);
		}
		shared->forks++;
		if (stays)
			stay[staying++] = pid;
		else
			must(waitpid(pid, NULL, 0));
		if (staying == SIZE(stay)) {
			while (staying)
				kill_and_reap(stay[--staying]);
		}
	}
}

/* Each level is the init of a namespace, and the child of the one above. */
static void descend(void)
{
	for (long depth = 1; depth < LEVELS; depth++) {
		if (must(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0))) {
			for (;;)
				pause();
		}
		shared->depth = depth + 1;
	}
	fork_at_the_bottom();
}

static void chain(void)
{
	long rounds = scaled(20), was;
	pid_t top;

	for (long i = 0; i < rounds; i++) {
		shared->forks = 0;
		shared->depth = 0;
		top = must(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0));
		if (!top)
			descend();
		while (shared->forks < 50 + 7 * i && !shared->wrong)
			usleep(1000);
		if (shared->depth != LEVELS)
			wrong("it is %ld levels deep", shared->depth);
		kill_and_reap(top);
		was = shared->forks;
		usleep(20000);
		if (shared->forks != was)
			wrong("somebody forks after the death of the topmost init");
	}
	say("%ld chains of %d levels", rounds, LEVELS);
}

static void explode(void)
{
	for (;;)
		fork();
}

/* The cgroup bounds it; nobody ends it but the exit of init. */
static void bomb(void)
{
	const long rounds = scaled(5), most = 300;
	double begin;
	pid_t init;
	char byte;
	int go[2];

	if (mkdir(BOMB, 0755) && errno != EEXIST)
		die("mkdir " BOMB);
	put(BOMB "/pids.max", most);
	for (long i = 0; i < rounds; i++) {
		must(pipe2(go, O_CLOEXEC));
		init = must(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0));
		if (!init) {
			close(go[1]);
			/* It has to get its turn among them. */
			setpriority(PRIO_PROCESS, 0, -20);
			put_text(BOMB "/cgroup.procs", "0");
			if (!must(fork())) {
				setpriority(PRIO_PROCESS, 0, 0);
				explode();
			}
			must(read(go[0], &byte, 1));
			_exit(0);
		}
		close(go[0]);
		while (get(BOMB "/pids.events", "max") <= 100 * i)
			usleep(10000);
		sleep(1);
		close(go[1]);
		begin = now();
		must(waitpid(init, NULL, 0));
		say("init was gone %.1f s after it was told to exit", now() - begin);
		if (get(BOMB "/cgroup.events", "populated"))
			wrong("somebody is left in the cgroup");
	}
	if (rmdir(BOMB))
		wrong("rmdir " BOMB ": %s", strerror(errno));
	say("%ld bombs of %ld processes", rounds, most);
}

/* Joins the namespace and forks into it until that fails; all these children must be killed. */
static void inject_into(int ns)
{
	long made = 0, reaped = 0;
	int status;

	must(setns(ns, CLONE_NEWPID));
	while (start_idle(0, false) >= 0) {
		made++;
		shared->forks++;
	}
	if (errno != ENOMEM)
		wrong("clone into the namespace: %s, not ENOMEM", strerror(errno));
	while (waitpid(-1, &status, 0) > 0) {
		reaped++;
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			wrong("an injected child ended with %#x", status);
	}
	if (made != reaped)
		wrong("%ld of %ld injected children could be reaped", reaped, made);
}

static void inject(void)
{
	long want = scaled(5000);
	pid_t init, injectors[4];
	double begin, shown = now();
	int ns, status;
	char path[64];

	init = start_init();
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", init);
	ns = must(open(path, O_RDONLY | O_CLOEXEC));
	shared->forks = 0;
	for (size_t i = 0; i < SIZE(injectors); i++) {
		injectors[i] = must(fork());
		if (!injectors[i]) {
			inject_into(ns);
			_exit(0);
		}
	}
	while (shared->forks < want) {
		progress(&shown, "injected", shared->forks, want);
		usleep(1000);
	}
	begin = now();
	kill_and_reap(init);
	say("%ld injected children, by %zd processes; init was gone %.1f s after it was killed",
	    shared->forks, SIZE(injectors), now() - begin);
	for (size_t i = 0; i < SIZE(injectors); i++) {
		must(waitpid(injectors[i], &status, 0));
		if (status)
			wrong("an injector ended with %#x", status);
	}
	close(ns);
}

static void blow(long limit, long calls)
{
	pid_t tasks[8];
	double begin;
	int status;

	put(LIMIT, limit);
	shared->refused = 0;
	shared->begin = false;
	for (size_t i = 0; i < SIZE(tasks); i++) {
		tasks[i] = must(fork());
		if (tasks[i])
			continue;
		while (!shared->begin)
			usleep(1000);
		for (long call = 0; call < calls; call++) {
			if (!unshare(CLONE_NEWPID)) {
				/* Long enough for the others to find it there. */
				usleep(200);
				must(setns(own_ns, CLONE_NEWPID));
				continue;
			}
			if (errno != ENOSPC)
				wrong("unshare: %s, not ENOSPC", strerror(errno));
			shared->refused++;
		}
		_exit(0);
	}
	begin = now();
	shared->begin = true;
	for (size_t i = 0; i < SIZE(tasks); i++) {
		must(waitpid(tasks[i], &status, 0));
		if (status)
			wrong("a task ended with %#x", status);
	}
	say("limit %ld: %ld of %ld calls were refused, in %.0f s", limit, shared->refused,
	    calls * (long)SIZE(tasks), now() - begin);
	put(LIMIT, 1000000);
}

/* Where all can have one at once, and where they cannot. */
static void storm(void)
{
	blow(8, scaled(2000));
	/* Those that end count, but who is refused has waited for them. */
	if (shared->refused)
		wrong("there was room for all, and %ld calls were refused", shared->refused);
	blow(4, scaled(2000));
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "live", live }, { "churn", churn }, { "chain", chain }, { "bomb", bomb },
	{ "inject", inject }, { "storm", storm },
};

/* In a process of its own, which must come to its end, and without an orphan. */
static void run(void (*load)(void))
{
	struct objects before = settled();
	double end = now() + ENDS_WITHIN;
	int status;
	pid_t pid;

	shared->wrong = false;
	fflush(stdout);
	pid = must(fork());
	if (!pid) {
		load();
		fflush(stdout);
		_exit(0);
	}
	while (!must(waitpid(pid, &status, WNOHANG))) {
		if (now() > end) {
			wrong("it does not come to its end");
			/* What hangs may not be killed either: the host ends the guest. */
			return;
		}
		usleep(20000);
	}
	if (status)
		wrong("it ended with %#x", status);
	come_back_to(before);
}

int main(int argc, char **argv)
{
	int count = 0, number = 0;

	percent = argc > 1 ? atol(argv[1]) : 0;
	if (percent <= 0) {
		fprintf(stderr, "usage: load PERCENT [CASE...]\n");
		return 2;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	own_ns = must(open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
	put_text("/proc/sys/kernel/pid_max", "4194304");
	put_text("/proc/sys/kernel/threads-max", "200000");
	put(LIMIT, 1000000);
	put_text(CGROUPS "/cgroup.subtree_control", "+pids");
	for (size_t i = 0; i < SIZE(cases); i++)
		count += wanted(cases[i].name, argv + 2);
	printf("KTAP version 1\n1..%d\n", count);
	for (size_t i = 0; i < SIZE(cases); i++) {
		if (!wanted(cases[i].name, argv + 2))
			continue;
		run(cases[i].run);
		printf("%s %d %s\n", shared->wrong ? "not ok" : "ok", ++number, cases[i].name);
		fflush(stdout);
	}
	return 0;
}
