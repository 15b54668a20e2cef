// SPDX-License-Identifier: GPL-2.0-only
/*
 * What scripts/bench boots as the only program of a guest: takes each measure that its
 * arguments name, a few times, and prints "bench NAME VALUE" to the console.
 *
 *	init CLOCK REPEATS ORDER [MEASURE...]
 *
 * CLOCK is instructions or nanoseconds; ORDER is up, or down for another order of the measures.
 *
 * What it forks is a real process, if a small one: static, and by the bare system call, with
 * CLONE_NEWPID or without: the C library's fork() does more in the child, and the two would
 * not compare.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/param.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Turns of spin() in a chunk, and the chunks that a drain takes: 40 ms under icount. */
#define CHUNK_TURNS 10000
#define DRAIN_CHUNKS 2000

#define MAX_LEVEL 32
#define MANY 50000
#define WARM_UPS 2
/* Processes in a namespace, namespaces in a repeat, and processes in a repeat, if it can be. */
#define MAX_PROCESSES 5000
#define MAX_KILLS 500
#define KILLED 2000
#define ROUNDS 4
#define PAGE 4096

struct measure {
	const char *name;
	void (*run)(const struct measure *m);
	void (*body)(unsigned int loops);
	unsigned int loops;
};

static int repeats;
static bool wall_clock;
static int own_ns;
static double chunk_cost;

static void die(const char *what)
{
	printf("bench: %s: %s\n", what, strerror(errno));
	tcdrain(1);
	_exit(1);
}

#define must(call) ({ long ret_ = (long)(call); if (ret_ < 0) die(#call); ret_; })

static void say(const char *name, const char *suffix, long number, double value)
{
	if (number >= 0)
		printf("bench %s%s%ld %.3f\n", name, suffix, number, value);
	else
		printf("bench %s%s %.3f\n", name, suffix, value);
	/* The transmitter's interrupts are not to be part of what is measured next. */
	tcdrain(1);
}

/*
 * The time stamp counter of an emulated CPU under -icount shift=0 is its instruction
 * count, and reading it is no system call.
 */
static __u64 now(void)
{
	struct timespec ts;

#ifdef __x86_64__
	if (!wall_clock)
		return __builtin_ia32_rdtsc();
#endif
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void spin(void)
{
	for (unsigned int i = CHUNK_TURNS; i; i--)
		asm volatile("" : "+r"(i));
}

/* The least that a chunk of spinning has taken is the chunk and nothing else. */
static void calibrate(void)
{
	__u64 begin, cost, least = ~0ULL;

	for (int i = 0; i < 100; i++) {
		begin = now();
		spin();
		cost = now() - begin;
		if (cost < least)
			least = cost;
	}
	chunk_cost = least;
}

/*
 * A namespace is destroyed by a kworker, alone or with all that died in one tick, and its
 * memory freed after a grace period.  Gives way to them for as long as two batches in a
 * row may take, and returns what that has cost itself.  Sleep would not do: the counter
 * jumps over the time in which the CPU is idle.
 */
static double drain(void)
{
	for (int i = 0; i < DRAIN_CHUNKS; i++)
		spin();
	return DRAIN_CHUNKS * chunk_cost;
}

/* Time passes in which the kernel does all that it had put off; it costs the host little. */
static void settle(void)
{
	sleep(10);
}

/* One number: all that the machine did for one turn of @body, destruction included. */
static double take(void (*body)(unsigned int), unsigned int loops)
{
	__u64 begin;

	begin = now();
	body(loops);
	begin += drain();
	return (double)(int64_t)(now() - begin) / loops;
}

static void take_all(void (*body)(unsigned int), unsigned int loops, const char *name,
		     const char *suffix, long number)
{
	for (int i = 0; i < WARM_UPS; i++)
		take(body, loops);
	for (int i = 0; i < repeats; i++)
		say(name, suffix, number, take(body, loops));
}

static void loop(const struct measure *m)
{
	take_all(m->body, m->loops, m->name, "", -1);
}

static void be(int policy)
{
	const struct sched_param param = { policy == SCHED_FIFO };

	must(sched_setscheduler(0, policy, &param));
}

/* As an ordinary process; see set_up(). */
static void busy(const struct measure *m)
{
	be(SCHED_OTHER);
	loop(m);
}

static int open_ns(const char *name)
{
	return must(open(name, O_RDONLY | O_CLOEXEC));
}

static void wait_for(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, __WALL));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		die("a child failed");
}

static void getpid_loop(unsigned int n)
{
	while (n--)
		syscall(SYS_getpid);
}

static void setns_self(unsigned int n)
{
	while (n--)
		must(setns(own_ns, CLONE_NEWPID));
}

static void unshare_setns(unsigned int n)
{
	while (n--) {
		must(unshare(CLONE_NEWPID));
		must(setns(own_ns, CLONE_NEWPID));
	}
}

static void unshare_newuts(unsigned int n)
{
	while (n--)
		must(unshare(CLONE_NEWUTS));
}

static void unshare_newuts_differ(const struct measure *m)
{
	must(unshare(CLONE_NEWPID));
	loop(m);
}

static pid_t bare_fork(unsigned long flags)
{
	return must(syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0));
}

static void bare_fork_exit_wait(unsigned long flags, unsigned int n)
{
	pid_t pid;

	while (n--) {
		pid = bare_fork(flags);
		if (!pid)
			_exit(0);
		wait_for(pid);
	}
}

static void fork_exit_wait(unsigned int n)
{
	bare_fork_exit_wait(0, n);
}

static void unshare_fork_setns(unsigned int n)
{
	while (n--) {
		must(unshare(CLONE_NEWPID));
		fork_exit_wait(1);
		must(setns(own_ns, CLONE_NEWPID));
	}
}

static void clone_newpid_exit_wait(unsigned int n)
{
	bare_fork_exit_wait(CLONE_NEWPID, n);
}

static void *nothing(void *arg)
{
	return arg;
}

static void thread_create(unsigned int n)
{
	pthread_t thread;

	while (n--) {
		errno = pthread_create(&thread, NULL, nothing, NULL);
		if (errno)
			die("pthread_create");
		pthread_join(thread, NULL);
	}
}

/* Goes down the levels; the namespace that is made in level n is n + 1 deep. */
static void depths(const struct measure *m)
{
	pid_t pid;

	for (int depth = 1; depth <= MAX_LEVEL; depth++) {
		own_ns = open_ns("/proc/self/ns/pid");
		/* A power of two. */
		if (!(depth & (depth - 1)))
			take_all(m->body, m->loops, m->name, "_", depth);
		if (depth == MAX_LEVEL)
			break;
		pid = bare_fork(CLONE_NEWPID);
		if (pid) {
			wait_for(pid);
			_exit(0);
		}
		/* Its own /proc, or /proc/self leads nowhere. */
		must(unshare(CLONE_NEWNS));
		must(mount("proc", "/proc", "proc", 0, NULL));
	}
}

static void lift_limit(const char *name, const char *value)
{
	int fd = must(open(name, O_WRONLY));

	must(write(fd, value, strlen(value)));
	close(fd);
}

/* One more namespace, kept alive by a file. */
static void add_namespaces(int count)
{
	while (count--) {
		must(unshare(CLONE_NEWPID));
		open_ns("/proc/self/ns/pid_for_children");
		must(setns(own_ns, CLONE_NEWPID));
	}
}

/* unshare_setns with so many others alive. */
static void lives(const struct measure *m)
{
	static const int lives[] = { 1, 100, 1000, 10000, MANY };
	int live = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lives); i++) {
		add_namespaces(lives[i] - live);
		live = lives[i];
		take_all(m->body, m->loops, m->name, "_", live);
	}
}

static int report_and_pause(void *arg)
{
	if (getpid() != 1)
		be(SCHED_FIFO);
	must(write(*(int *)arg, "", 1));
	for (;;)
		pause();
}

/*
 * A namespace of @count processes, all of them asleep.  They share their memory: to tear
 * that down would be most of the work, and is not the namespace's.  They go before their
 * init, so that all have ended when it begins to wait for them: else it looks at those
 * that have not, again and again, and how many these are is a matter of luck.
 */
static pid_t populate(int count)
{
	const size_t size = 1024;
	int ready[2];
	char *stacks;
	char byte;
	pid_t pid;

	must(pipe(ready));
	pid = bare_fork(CLONE_NEWPID);
	if (!pid) {
		stacks = malloc(count * size);
		if (!stacks)
			die("malloc");
		for (int i = 1; i < count; i++)
			must(clone(report_and_pause, stacks + i * size,
				   CLONE_VM | SIGCHLD, &ready[1]));
		report_and_pause(&ready[1]);
	}
	for (int i = 0; i < count; i++)
		must(read(ready[0], &byte, 1));
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* The mean of @times namespaces, which are killed one after another. */
static double kill_and_wait(int count, int times)
{
	pid_t pids[MAX_KILLS];
	__u64 begin;

	for (int i = 0; i < times; i++)
		pids[i] = populate(count);
	drain();
	begin = now();
	for (int i = 0; i < times; i++) {
		must(kill(pids[i], SIGKILL));
		must(waitpid(pids[i], NULL, __WALL));
	}
	begin += drain();
	return (double)(int64_t)(now() - begin) / times;
}

/* The mean of some rounds: after each the slabs are in a somewhat different state. */
static double kill_rounds(int count)
{
	int times = count < KILLED ? MIN(KILLED / count, MAX_KILLS) : 1;
	double sum = 0;

	for (int i = 0; i < ROUNDS; i++)
		sum += kill_and_wait(count, times);
	return sum / ROUNDS;
}

static void kills(const struct measure *m)
{
	static const int counts[] = { 1, 100, 1000, MAX_PROCESSES };

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		kill_rounds(counts[i]);
		for (int r = 0; r < repeats; r++)
			say(m->name, "_", counts[i], kill_rounds(counts[i]));
	}
}

/* The number after @key in a file of lines, each with a key. */
static double number_in(const char *file, const char *key)
{
	FILE *stream = fopen(file, "r");
	char line[256], name[64];
	double value;

	if (!stream)
		die(file);
	while (fgets(line, sizeof(line), stream)) {
		if (sscanf(line, "%63s %lf", name, &value) == 2 && !strcmp(name, key)) {
			fclose(stream);
			return value;
		}
	}
	errno = ENOENT;
	die(key);
	return 0;
}

/* What the slabs hold; apart, what belongs to the files that keep namespaces alive. */
struct slabs {
	double bytes;
	double file_bytes;
	double file_size;	/* of one file with its dentry and inode */
};

static struct slabs slabs(void)
{
	static const char format[] =
		"%63s %*u %*u %lu %*u %lu : tunables %*u %*u %*u : slabdata %*u %lu";
	FILE *stream = fopen("/proc/slabinfo", "r");
	unsigned long size, pages, count;
	struct slabs sum = { 0 };
	char line[256], name[64];

	if (!stream)
		die("/proc/slabinfo");
	while (fgets(line, sizeof(line), stream)) {
		if (sscanf(line, format, name, &size, &pages, &count) != 4)
			continue;
		if (!strcmp(name, "filp") || !strcmp(name, "dentry") ||
		    !strcmp(name, "inode_cache")) {
			sum.file_bytes += (double)pages * count * PAGE;
			sum.file_size += size;
		} else {
			sum.bytes += (double)pages * count * PAGE;
		}
	}
	fclose(stream);
	return sum;
}

static double charged(void)
{
	return number_in("/cgroup/bench/memory.stat", "kernel");
}

static double slab_in_meminfo(void)
{
	return 1024 * number_in("/proc/meminfo", "Slab:");
}

/*
 * Bytes for each of many live namespaces, without the file that keeps one alive: by
 * slabinfo and by meminfo, and charged to the cgroup of who made them.  So many that the
 * slabs which are partly full before and after do not count.
 */
static void bytes(const struct measure *m)
{
	const int count = 25000;
	double charge, slab;
	struct slabs from, to;

	lift_limit("/cgroup/bench/cgroup.procs", "0");
	/* The table of files is as large as it will get. */
	must(dup2(own_ns, (repeats + 1) * count + 100));
	add_namespaces(count);
	for (int r = 0; r < repeats; r++) {
		settle();
		from = slabs();
		charge = charged();
		slab = slab_in_meminfo();
		add_namespaces(count);
		settle();
		to = slabs();
		charge = charged() - charge;
		slab = slab_in_meminfo() - slab - (to.file_bytes - from.file_bytes);
		say(m->name, "", -1, (to.bytes - from.bytes) / count);
		say(m->name, "_memcg", -1, charge / count - to.file_size);
		say(m->name, "_meminfo", -1, slab / count);
	}
}

/*
 * Those from FIRST to LAST can be taken in any order.  The heavy ones after them leave
 * the allocators of pages, of slabs and of per-CPU memory in another state, which later
 * forks notice by some percent, and threads notice forks.
 */
#define FIRST 1
#define LAST 8
static const struct measure measures[] = {
	{ "thread_create", loop, thread_create, 3000 },
	{ "getpid", loop, getpid_loop, 100000 },
	{ "setns_self", loop, setns_self, 20000 },
	{ "unshare_setns", loop, unshare_setns, 40000 },
	{ "unshare_setns_busy", busy, unshare_setns, 20000 },
	{ "unshare_newuts", unshare_newuts_differ, unshare_newuts, 10000 },
	{ "fork_exit_wait", loop, fork_exit_wait, 1500 },
	{ "unshare_fork_setns", loop, unshare_fork_setns, 1500 },
	{ "clone_newpid_exit_wait", loop, clone_newpid_exit_wait, 1500 },
	{ "unshare_setns_depth", depths, unshare_setns, 40000 },
	{ "unshare_setns_live", lives, unshare_setns, 40000 },
	{ "kill_ns", kills, NULL, 0 },
	{ "bytes_per_namespace", bytes, NULL, 0 },
};

static bool wanted(const struct measure *m, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++) {
		if (!strcmp(*names, m->name))
			return true;
	}
	return false;
}

/*
 * SCHED_IDLE lets a kworker have the CPU as soon as there is a namespace to destroy.  To
 * an ordinary process the scheduler now gives way at once and now lets some of them pile
 * up, which takes less.  That is what most namespaces are made by, but not the same
 * twice, and so measured apart: what ends in _busy.
 */
static void set_up(void)
{
	const struct rlimit files = { 2 * MANY, 2 * MANY };

	must(mkdir("/proc", 0755));
	must(mkdir("/cgroup", 0755));
	must(mount("proc", "/proc", "proc", 0, NULL));
	must(mount("cgroup2", "/cgroup", "cgroup2", 0, NULL));
	lift_limit("/cgroup/cgroup.subtree_control", "+memory");
	must(mkdir("/cgroup/bench", 0755));
	lift_limit("/proc/sys/user/max_pid_namespaces", "1000000");
	/* A fixed length, a large one, for the CPU's list of free pages; see scripts/bench. */
	lift_limit("/proc/sys/vm/percpu_pagelist_high_fraction", "8");
	must(setrlimit(RLIMIT_NOFILE, &files));
	/* There if it is to be loaded. */
	if (!access("/pidns.ko", R_OK))
		must(syscall(SYS_finit_module, must(open("/pidns.ko", O_RDONLY)), "", 0));
	be(SCHED_IDLE);
	own_ns = open_ns("/proc/self/ns/pid");
	calibrate();
#ifdef __x86_64__
	/* Each turn is two instructions. */
	if (!wall_clock && (chunk_cost < 2 * CHUNK_TURNS || chunk_cost > 2.01 * CHUNK_TURNS))
		die("the counter does not count instructions");
#endif
}

int main(int argc, char **argv)
{
	const struct measure *m;
	bool down;
	pid_t pid;

	setvbuf(stdout, NULL, _IOLBF, 0);
	errno = EINVAL;
	if (argc < 4)
		die("init CLOCK REPEATS ORDER [MEASURE...]");
	wall_clock = !strcmp(argv[1], "nanoseconds");
	repeats = atoi(argv[2]);
	down = !strcmp(argv[3], "down");
	set_up();
	for (size_t i = 0; i < ARRAY_SIZE(measures); i++) {
		m = &measures[down && i >= FIRST && i <= LAST ? FIRST + LAST - i : i];
		if (!wanted(m, argv + 4))
			continue;
		/* In a process of its own, so that none starts with what another left. */
		pid = must(fork());
		if (!pid) {
			settle();
			m->run(m);
			exit(0);
		}
		wait_for(pid);
	}
	printf("bench end\n");
	tcdrain(1);
	reboot(RB_POWER_OFF);
	return 1;
}
