// SPDX-License-Identifier: GPL-2.0-only
/*
 * What pid namespaces do at their limit, and to whom: for scripts/storm, which runs this as root
 * on each kernel and sets the figures side by side.
 *
 *	storm [ROW...]
 *
 * Each row is a storm of tasks that make and drop namespaces, and prints "storm NAME VALUE".  A
 * task makes one by unshare() and drops it by setns() back, or has a process live in it, by
 * clone(), exit() and wait().  At the end all is as before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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
#define PID_MAX		"/proc/sys/kernel/pid_max"
#define SHRINK		"/sys/kernel/slab/pid_namespace/shrink"
#define CGROUP		"/sys/fs/cgroup/storm"
#define ANOTHER_USER	1000
#define MAX_TASKS	16
#define ENDLESS		(~0UL)

struct counts {
	unsigned long calls;
	unsigned long refused;
	double longest;		/* seconds */
	double used;
};

struct storm {
	int tasks;
	int limit;
	unsigned long calls;	/* of each task */
	double seconds;
	bool clone;
	bool small;		/* in a cgroup of 2 MiB */
};

static int own_ns;
static long lifted;

static void die(const char *what)
{
	fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void say(const char *name, double value)
{
	printf("storm %s %.3f\n", name, value);
	fflush(stdout);
}

/* The objects in use, whoever made them. */
static long objects(void)
{
	return get("/proc/slabinfo", "pid_namespace");
}

/* Until it does not change any more, without what the allocator keeps for itself. */
static void settle(void)
{
	long was;

	do {
		was = objects();
		usleep(300000);
		if (!access(SHRINK, W_OK))
			put(SHRINK, 1);
	} while (objects() != was);
}

static bool make_and_drop(bool clone)
{
	pid_t pid;

	if (!clone) {
		if (unshare(CLONE_NEWPID))
			return false;
		must(setns(own_ns, CLONE_NEWPID));
		return true;
	}
	pid = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0);
	if (!pid)
		_exit(0);
	if (pid < 0)
		return false;
	must(waitpid(pid, NULL, 0));
	return true;
}

static void work(const struct storm *s, struct counts *c)
{
	double begin = now(), from, took, end = s->seconds ? begin + s->seconds : 0;

	while (c->calls < s->calls && (!end || now() < end)) {
		from = now();
		if (!make_and_drop(s->clone)) {
			if (errno != ENOSPC)
				die("unshare or clone");
			c->refused++;
		}
		took = now() - from;
		if (took > c->longest)
			c->longest = took;
		c->calls++;
	}
	c->used = now() - begin;
}

static void join_small_cgroup(void)
{
	put(CGROUP "/cgroup.procs", 0);
}

struct outcome {
	double calls, refused, longest, used;
	long peak;		/* objects more than before */
	int killed;
};

/* The storm, from its begin to its end; all tasks begin together. */
static struct outcome blow(const struct storm *s)
{
	struct counts *counts = mmap(NULL, MAX_TASKS * sizeof(*counts), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct outcome o = { 0 };
	int status, begin[2], left = s->tasks;
	double from, shown;
	long before;
	char byte;

	settle();
	before = objects();
	put(LIMIT, s->limit);
	must(pipe(begin));
	for (int i = 0; i < s->tasks; i++) {
		if (must(fork()))
			continue;
		if (s->small)
			join_small_cgroup();
		close(begin[1]);
		must(read(begin[0], &byte, 1));
		work(s, &counts[i]);
		_exit(0);
	}
	close(begin[0]);
	close(begin[1]);
	from = shown = now();
	while (left) {
		if (objects() - before > o.peak)
			o.peak = objects() - before;
		if (s->calls != ENDLESS && now() > shown + 10) {
			shown = now();
			printf("%lu of %lu calls, %.0f s\n", counts[0].calls, s->calls,
			       shown - from);
			fflush(stdout);
		}
		usleep(20000);
		while (left && must(waitpid(-1, &status, WNOHANG)) > 0) {
			o.killed += WIFSIGNALED(status);
			left--;
		}
	}
	for (int i = 0; i < s->tasks; i++) {
		o.calls += counts[i].calls;
		o.refused += counts[i].refused;
		if (counts[i].longest > o.longest)
			o.longest = counts[i].longest;
		if (counts[i].used > o.used)
			o.used = counts[i].used;
	}
	put(LIMIT, lifted);
	munmap(counts, MAX_TASKS * sizeof(*counts));
	return o;
}

/* 1. How many objects there are at once. */
static void peaks(void)
{
	static const struct storm storms[] = {
		{ .tasks = 1, .limit = 1, .calls = ENDLESS, .seconds = 3 },
		{ .tasks = 1, .limit = 10, .calls = ENDLESS, .seconds = 3 },
		{ .tasks = 4, .limit = 300, .calls = ENDLESS, .seconds = 3 },
		{ .tasks = 4, .limit = 10000, .calls = ENDLESS, .seconds = 3 },
	};
	char name[64];

	for (size_t i = 0; i < sizeof(storms) / sizeof(storms[0]); i++) {
		snprintf(name, sizeof(name), "objects_%d_tasks_limit_%d", storms[i].tasks,
			 storms[i].limit);
		say(name, blow(&storms[i]).peak);
	}
}

/* 1. What they cost the memory cgroup of who makes them. */
static void memory(void)
{
	const struct storm storm = {
		.tasks = 1, .limit = 10, .calls = ENDLESS, .seconds = 8, .small = true,
	};
	struct outcome o;

	put_text("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(CGROUP, 0755) && errno != EEXIST)
		die("mkdir " CGROUP);
	put(CGROUP "/memory.max", 2 << 20);
	o = blow(&storm);
	say("KiB_of_2048_limit_10", get(CGROUP "/memory.peak", NULL) / 1024.);
	say("times_at_2048_KiB_limit_10", get(CGROUP "/memory.events", "max"));
	say("killed_at_2048_KiB_limit_10", o.killed);
	rmdir(CGROUP);
}

/* 2. Per cent of the calls that are refused although not as many live. */
static void refusals(void)
{
	static const struct storm storms[] = {
		{ .tasks = 4, .limit = 10, .calls = 2000 },
		{ .tasks = 16, .limit = 40, .calls = 1000 },
		{ .tasks = 16, .limit = 64, .calls = 1000 },
	};
	struct outcome o;
	char name[64];

	for (size_t i = 0; i < sizeof(storms) / sizeof(storms[0]); i++) {
		snprintf(name, sizeof(name), "refused_%d_tasks_limit_%d_percent", storms[i].tasks,
			 storms[i].limit);
		o = blow(&storms[i]);
		say(name, 100 * o.refused / o.calls);
	}
}

/* 3. The same where a process lives in each. */
static void sandboxes(void)
{
	static const struct storm storms[] = {
		{ .tasks = 1, .limit = 1, .calls = 10000, .clone = true },
		{ .tasks = 1, .limit = 5, .calls = 1000, .clone = true },
		{ .tasks = 16, .limit = 16, .calls = 200, .clone = true },
	};
	struct outcome o;
	char name[64];

	for (size_t i = 0; i < sizeof(storms) / sizeof(storms[0]); i++) {
		o = blow(&storms[i]);
		snprintf(name, sizeof(name), "refused_%d_sandboxes_limit_%d_of_%.0f",
			 storms[i].tasks, storms[i].limit, o.calls);
		say(name, o.refused);
		snprintf(name, sizeof(name), "ms_%d_sandboxes_limit_%d", storms[i].tasks,
			 storms[i].limit);
		say(name, 1000 * o.used / storms[i].calls);
	}
}

struct writer {
	int fd;
	const char *page;
};

/* The page is missing, and nobody brings it. */
static void *write_for_ever(void *arg)
{
	const struct writer *writer = arg;

	must(write(writer->fd, writer->page, 5));
	return NULL;
}

/* Opens kernel.pid_max of a new namespace, as @fd.  Returns its init, which waits to be killed. */
static pid_t open_pid_max(int fd)
{
	pid_t pid;

	/* The table of files is shared: what the child opens is here as well. */
	pid = must(syscall(SYS_clone, CLONE_NEWPID | CLONE_FILES | SIGCHLD, NULL, NULL, NULL, 0));
	if (!pid) {
		int opened = must(open(PID_MAX, O_RDWR));

		must(dup2(opened, fd));
		close(opened);
		for (;;)
			pause();
	}
	return pid;
}

static void start_writers(int count)
{
	const struct rlimit files = { 4096, 4096 };
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct writer *writers = calloc(count, sizeof(*writers));
	struct uffd_msg fault;
	pthread_attr_t attr;
	pthread_t thread;
	char *page;
	pid_t init;
	int uffd;

	must(setrlimit(RLIMIT_NOFILE, &files));
	uffd = must(syscall(SYS_userfaultfd, O_CLOEXEC));
	must(ioctl(uffd, UFFDIO_API, &api));
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	area.range.start = (unsigned long)page;
	area.range.len = 4096;
	must(ioctl(uffd, UFFDIO_REGISTER, &area));
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 32768);
	for (int i = 0; i < count; i++) {
		writers[i] = (struct writer){ 100 + i, page };
		init = open_pid_max(writers[i].fd);
		/* The file is there before the writer comes. */
		while (fcntl(writers[i].fd, F_GETFD) < 0)
			usleep(1000);
		errno = pthread_create(&thread, &attr, write_for_ever, &writers[i]);
		if (errno)
			die("pthread_create");
		/* It waits for the page now: the namespace can die. */
		must(read(uffd, &fault, sizeof(fault)));
		must(kill(init, SIGKILL));
		must(waitpid(init, NULL, 0));
	}
}

/* 4. How many objects of dead namespaces are kept by writers, and by them for others. */
static void jam(void)
{
	cpu_set_t one;
	int status;
	long before;
	pid_t pid;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	settle();
	before = objects();
	pid = must(fork());
	if (!pid) {
		/* Each CPU has 1,024 kworkers for this at most: fill those of one. */
		must(sched_setaffinity(0, sizeof(one), &one));
		start_writers(1300);
		sleep(10);
		settle();
		say("objects_that_1300_writers_keep", objects() - before);
		before = objects();
		for (int i = 0; i < 400; i++)
			make_and_drop(false);
		sleep(10);
		settle();
		say("objects_of_400_others_that_they_jam", objects() - before);
		_exit(0);
	}
	must(waitpid(pid, &status, 0));
	if (status) {
		errno = ECHILD;
		die("the jam");
	}
}

/* 6. How long a call takes that is refused while all live, and somebody else makes and drops. */
static void refused_calls(void)
{
	const struct storm others = { .calls = ENDLESS, .seconds = 6 };
	const int calls = 2000;
	double begin;
	pid_t pid;

	settle();
	pid = must(fork());
	if (!pid) {
		struct counts c = { 0 };

		work(&others, &c);
		_exit(0);
	}
	if (!must(fork())) {
		struct __user_cap_header_struct header = {
			.version = _LINUX_CAPABILITY_VERSION_3,
		};
		struct __user_cap_data_struct caps[2] = { { ~0U, ~0U, 0 }, { ~0U, ~0U, 0 } };
		double from, took, longest = 0;

		syscall(SYS_capget, &header, caps);
		must(prctl(PR_SET_KEEPCAPS, 1));
		must(setresuid(ANOTHER_USER, ANOTHER_USER, ANOTHER_USER));
		caps[0].effective = caps[0].permitted;
		caps[1].effective = caps[1].permitted;
		must(syscall(SYS_capset, &header, caps));
		/* In a user namespace of its own, which may hold none: the limit is its own. */
		must(unshare(CLONE_NEWUSER));
		put(LIMIT, 0);
		begin = now();
		for (int i = 0; i < calls; i++) {
			from = now();
			if (!unshare(CLONE_NEWPID) || errno != ENOSPC)
				die("unshare was not refused");
			took = now() - from;
			if (took > longest)
				longest = took;
		}
		say("us_of_a_refused_call", 1e6 * (now() - begin) / calls);
		_exit(0);
	}
	wait(NULL);
	kill(pid, SIGKILL);
	wait(NULL);
}

/* 7. What wait() says to the parent that an init shares its handlers with. */
static int exit_at_once(void *arg)
{
	if (arg) {
		/* Somebody else is left, and killed. */
		if (!syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0))
			for (;;)
				pause();
	}
	syscall(SYS_exit, 0);
	return 0;
}

static void shared_handlers(void)
{
	static char stack[2][65536] __attribute__((aligned(16)));

	for (int other = 0; other < 2; other++) {
		pid_t pid = must(fork());

		if (!pid) {
			pid_t init = must(clone(exit_at_once, stack[other] + sizeof(stack[other]),
						CLONE_NEWPID | CLONE_VM | CLONE_SIGHAND | SIGCHLD,
						other ? &own_ns : NULL));
			long ret = waitpid(init, NULL, 0);

			say(other ? "echild_after_init_and_another" : "echild_after_init_alone",
			    ret < 0 && errno == ECHILD);
			_exit(0);
		}
		must(waitpid(pid, NULL, 0));
	}
}

/* Namespaces in a second, by so many tasks, far from the limit and at it. */
static void throughput(void)
{
	char name[64];

	for (int far = 1; far >= 0; far--) {
		for (int tasks = 1; tasks <= 8; tasks *= 2) {
			const struct storm storm = {
				.tasks = tasks, .limit = far ? 1000000 : 100, .calls = ENDLESS,
				.seconds = 3,
			};
			struct outcome o = blow(&storm);

			snprintf(name, sizeof(name), "per_second_%d_tasks_%s", tasks,
				 far ? "no_limit" : "limit_100");
			say(name, (o.calls - o.refused) / o.used);
			if (!far) {
				snprintf(name, sizeof(name), "ms_longest_%d_tasks_limit_100", tasks);
				say(name, 1000 * o.longest);
			}
		}
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} rows[] = {
	{ "peaks", peaks }, { "memory", memory }, { "refusals", refusals },
	{ "sandboxes", sandboxes }, { "jam", jam }, { "refused_calls", refused_calls },
	{ "shared_handlers", shared_handlers }, { "throughput", throughput },
};

int main(int argc __attribute__((unused)), char **argv)
{
	own_ns = must(open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
	lifted = get(LIMIT, NULL);
	put(LIMIT, lifted = 1000000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (wanted(rows[i].name, argv + 1))
			rows[i].run();
	}
	return 0;
}
