// SPDX-License-Identifier: GPL-2.0-only
/*
 * What scripts/bench boots as the only program of a guest: takes each measure that its
 * arguments name, a few times, and prints "bench NAME VALUE" to the console.
 *
 *	init CLOCK REPEATS ORDER [MEASURE...]
 *
 * CLOCK is instructions or nanoseconds; ORDER is up, or down for the last measure first.
 *
 * What it forks is a real process, if a small one: static, with the C library's fork().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
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
static uint64_t now(void)
{
	struct timespec ts;

#ifdef __x86_64__
	if (!wall_clock)
		return __builtin_ia32_rdtsc();
#endif
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static __attribute__((noinline)) void spin(void)
{
	for (unsigned int i = CHUNK_TURNS; i; i--)
		asm volatile("" : "+r"(i));
}

/* The least that a chunk of spinning has taken is the chunk and nothing else. */
static void calibrate(void)
{
	uint64_t begin, cost, least = UINT64_MAX;

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
 * A namespace is destroyed by a kworker, and its memory freed by RCU after a grace
 * period.  Gives way to them until they are through, and returns what that has cost
 * itself.  Sleep would not do: the counter jumps over the time in which the CPU is idle.
 */
static double drain(void)
{
	for (int i = 0; i < DRAIN_CHUNKS; i++)
		spin();
	return DRAIN_CHUNKS * chunk_cost;
}

/* One number: all that the machine did for one turn of @body, destruction included. */
static double take(void (*body)(unsigned int), unsigned int loops)
{
	uint64_t begin;

	drain();
	begin = now();
	body(loops);
	begin += drain();
	return (double)(int64_t)(now() - begin) / loops;
}

static void take_all(void (*body)(unsigned int), unsigned int loops, const char *name,
		     const char *suffix, long number)
{
	/* Warms up. */
	take(body, loops);
	take(body, loops);
	for (int i = 0; i < repeats; i++)
		say(name, suffix, number, take(body, loops));
}

static void loop(const struct measure *m)
{
	take_all(m->body, m->loops, m->name, "", -1);
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

static void fork_exit_wait(unsigned int n)
{
	pid_t pid;

	while (n--) {
		pid = must(fork());
		if (!pid)
			_exit(0);
		wait_for(pid);
	}
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
	pid_t pid;

	while (n--) {
		pid = must(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0));
		if (!pid)
			_exit(0);
		wait_for(pid);
	}
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
		if (!(depth & (depth - 1)))
			take_all(m->body, m->loops, m->name, "_", depth);
		if (depth == MAX_LEVEL)
			break;
		pid = must(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0));
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

/* A namespace of @count processes. */
static pid_t populate(int count)
{
	int ready[2];
	char byte;
	pid_t pid;

	must(pipe(ready));
	pid = must(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0));
	if (!pid) {
		while (--count) {
			if (!must(fork()))
				for (;;)
					pause();
		}
		must(write(ready[1], "", 1));
		for (;;)
			pause();
	}
	must(read(ready[0], &byte, 1));
	close(ready[0]);
	close(ready[1]);
	drain();
	return pid;
}

static double kill_one(int count)
{
	pid_t pid = populate(count);
	uint64_t begin = now();

	must(kill(pid, SIGKILL));
	must(waitpid(pid, NULL, __WALL));
	begin += drain();
	return now() - begin;
}

/* Small ones are over soon: the mean of many tells more. */
static void kills(const struct measure *m)
{
	static const int counts[] = { 1, 100, 1000, 5000 };

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		int times = counts[i] < 100 ? 100 : 1 + 500 / counts[i];

		kill_one(counts[i]);
		for (int r = 0; r < repeats; r++) {
			double sum = 0;

			for (int t = 0; t < times; t++)
				sum += kill_one(counts[i]);
			say(m->name, "_", counts[i], sum / times);
		}
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

/*
 * Bytes in the slabs of all caches, but for what belongs to the file that keeps a
 * namespace alive.
 */
static double slab_bytes(void)
{
	static const char *const of_files[] = { "filp", "dentry", "inode_cache" };
	FILE *stream = fopen("/proc/slabinfo", "r");
	unsigned long pages, slabs;
	char line[256], name[64];
	double sum = 0;

	if (!stream)
		die("/proc/slabinfo");
	while (fgets(line, sizeof(line), stream)) {
		bool skip = false;

		if (sscanf(line, "%63s %*u %*u %*u %*u %lu : tunables %*u %*u %*u : slabdata %*u %lu",
			   name, &pages, &slabs) != 3)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(of_files); i++)
			skip |= !strcmp(name, of_files[i]);
		if (getenv("VERBOSE"))
			printf("slab %s %lu\n", name, pages * slabs);
		if (!skip)
			sum += (double)pages * slabs * PAGE;
	}
	fclose(stream);
	return sum;
}

static double memory_stat(void)
{
	return number_in("/cgroup/bench/memory.stat", "kernel");
}

static double mem_used(void)
{
	return -1024 * number_in("/proc/meminfo", "MemFree:");
}

/* Bytes for each of many live namespaces, in a cgroup of its own. */
static void bytes(const struct measure *m)
{
	static const struct {
		const char *suffix;
		double (*bytes)(void);
	} views[] = {
		{ "", slab_bytes },
		{ "_with_file_memcg", memory_stat },
		{ "_with_file_memfree", mem_used },
	};
	double before[ARRAY_SIZE(views)];
	const int count = 10000;

	lift_limit("/cgroup/bench/cgroup.procs", "0");
	/* The table of files is as large as it will get. */
	must(dup2(own_ns, (repeats + 1) * count + 100));
	add_namespaces(count);
	for (int r = 0; r < repeats; r++) {
		drain();
		for (size_t i = 0; i < ARRAY_SIZE(views); i++)
			before[i] = views[i].bytes();
		add_namespaces(count);
		drain();
		for (size_t i = 0; i < ARRAY_SIZE(views); i++)
			say(m->name, views[i].suffix, -1, (views[i].bytes() - before[i]) / count);
	}
}

static const struct measure measures[] = {
	{ "getpid", loop, getpid_loop, 1000000 },
	{ "setns_self", loop, setns_self, 100000 },
	{ "unshare_setns", loop, unshare_setns, 10000 },
	{ "unshare_newuts", unshare_newuts_differ, unshare_newuts, 40000 },
	{ "thread_create", loop, thread_create, 5000 },
	{ "fork_exit_wait", loop, fork_exit_wait, 1000 },
	{ "unshare_fork_setns", loop, unshare_fork_setns, 1000 },
	{ "clone_newpid_exit_wait", loop, clone_newpid_exit_wait, 1000 },
	{ "unshare_setns_depth", depths, unshare_setns, 5000 },
	{ "unshare_setns_live", lives, unshare_setns, 5000 },
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
 * SCHED_IDLE lets a kworker have the CPU as soon as there is a namespace to destroy.
 * Else the scheduler would do now that and now let some hundred of them pile up, which
 * takes a third less and shows in no figure that is the same twice.
 */
static void set_up(void)
{
	const struct rlimit files = { 2 * MANY, 2 * MANY };
	const struct sched_param none = { 0 };

	must(mkdir("/proc", 0755));
	must(mkdir("/cgroup", 0755));
	must(mount("proc", "/proc", "proc", 0, NULL));
	must(mount("cgroup2", "/cgroup", "cgroup2", 0, NULL));
	lift_limit("/cgroup/cgroup.subtree_control", "+memory");
	must(mkdir("/cgroup/bench", 0755));
	lift_limit("/proc/sys/user/max_pid_namespaces", "1000000");
	must(setrlimit(RLIMIT_NOFILE, &files));
	must(sched_setscheduler(0, SCHED_IDLE, &none));
	own_ns = open_ns("/proc/self/ns/pid");
	/* The kernel has things to do in its first seconds; they cost the host nothing. */
	sleep(10);
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
		m = &measures[down ? ARRAY_SIZE(measures) - 1 - i : i];
		if (!wanted(m, argv + 4))
			continue;
		/* In a process of its own, so that none starts with what another left. */
		pid = must(fork());
		if (!pid) {
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
