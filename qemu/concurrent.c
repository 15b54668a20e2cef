// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations on pid namespaces by many tasks at once, which do not wait for one another:
 *
 *	concurrent SEED SECONDS
 *
 * There are rounds.  In each, a world is made: a user namespace with a limit on pid namespaces,
 * and a pid namespace whose init starts workers, two for each CPU, and starts them again when they
 * end.  A worker does operations of the table below, as its dice fall; so do the tasks that it
 * makes, which are born all over the tree of namespaces, for some operations each.  They find one
 * another by a shared table of pids, and pass files to one another.  Everything runs as an
 * ordinary user, who is root in the user namespace.
 *
 * Nobody can predict what a call returns here; but an errno that the table does not have for it is
 * wrong.  Every other round ends as its tasks are asked to come to their ends, the others by a kill
 * of the world's init.  Then all tasks must be gone within a time, as many namespaces as the limit
 * says can be made and no more, and the slab caches have what they had before.
 *
 * The same seed gives the same dice, but not the same run.  Prints KTAP.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUND		10	/* seconds, about */
#define PATIENCE	120	/* seconds for what must come: a debug kernel is slow */
#define LET_GO		2	/* seconds for tracers to let go of whom they trace, by their ends */
#define USER		1000
#define TASKS		24	/* for each worker, by RLIMIT_NPROC */
#define MAX_WORKERS	16
#define MAX_DEPTH	4	/* of descendants of a worker */
#define TABLE		32
#define HELD		6
#define STACKS		4
#define STACK		(32 * 1024)
#define BINDS		4
#define MAX_ERRNO	134
#define MAX_WRONG	20
#define ENOUGH		10000	/* calls in which each operation must have worked */
#define MAX_OPS		48
#define NOTHING		-100000	/* an operation had nothing to do */

/* Newer than some headers. */
#ifndef __NR_listns
#define __NR_listns	470
#endif
#define GET_USERNS	_IO(0xb7, 1)
#define GET_PARENT	_IO(0xb7, 2)
#define GET_PID_FROM	_IOR(0xb7, 6, int)
#define GET_TGID_IN	_IOR(0xb7, 9, int)
#define GET_ID		_IOR(0xb7, 13, uint64_t)
#define PIDFD_GET_PID	_IO(0xff, 5)
#define PIDFD_GET_PID_FOR_CHILDREN _IO(0xff, 6)
#define NSFS_ROOT	-10003

struct ns_ids {
	uint32_t size, spare;
	uint64_t ns_id;
	uint32_t ns_type, spare2;
	uint64_t user_ns_id;
};

struct handle {
	struct file_handle head;
	char space[64];
};

/* A task that does operations. */
struct actor {
	uint64_t dice;
	int steps;		/* that are left */
	int depth;		/* below a worker */
	int pid;		/* as it sees it itself */
	int outer;		/* as the world sees it, 0: unknown */
	int child;		/* the last one */
	int stack;		/* its own one, or -1 */
	bool thread;		/* not the leader */
	bool calm;		/* stays in the world's user namespace, so that EINVAL is wrong */
	bool own_mounts;
	int fds[HELD];
};

/* What tasks run on that share their memory with who made them; of each process. */
static struct stack {
	int busy;		/* the kernel clears it when the task is gone */
	struct actor actor;
	char memory[STACK] __attribute__((aligned(16)));
} stacks[STACKS];

enum end { RUNNING, ASKED, KILLED };

static struct shared {
	_Atomic int stop, ready, wrong;
	_Atomic int pids[TABLE], inits[TABLE];	/* as the world sees them; some are gone */
	struct handle handles[TABLE];		/* of namespaces; may be torn, as is a bad one */
	_Atomic long made;			/* pid namespaces */
	_Atomic long answers[MAX_OPS][MAX_ERRNO];	/* by errno, 0: it worked */
	bool stuck, bad_limit;
} *shared;

static int pool[2];		/* where files are passed to whoever takes them */
static uint64_t seed;

/* What does not touch errno, which tasks that share their memory share as well. */
static long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 asm("r10") = d, r8 asm("r8") = e, r9 asm("r9") = f;
	long ret;

	asm volatile("syscall" : "=a"(ret)
		     : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
	return ret;
}

#define SYS_(nr, a, b, c, d, e, f, ...) \
	sys6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define sys(...) SYS_(__VA_ARGS__, 0, 0, 0, 0, 0, 0)

/* Has the child run @fn on a stack of its own, which clone3() of the C library cannot. */
static long clone_on(const struct clone_args *args, void (*fn)(struct stack *), struct stack *arg)
{
	long ret;

	asm volatile("syscall\n\t"
		     "test %%rax, %%rax\n\t"
		     "jnz 1f\n\t"
		     "mov %[arg], %%rdi\n\t"
		     "call *%[fn]\n\t"
		     "ud2\n"
		     "1:"
		     : "=a"(ret)
		     : "0"((long)__NR_clone3), "D"(args), "S"(sizeof(*args)), [fn] "r"(fn),
		       [arg] "r"(arg)
		     : "rcx", "r11", "memory", "cc");
	return ret;
}

static void say(const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	sys(__NR_write, 1, text, strlen(text));
}

#define wrong(format, ...) do { \
	if (shared->wrong++ < MAX_WRONG) \
		say("# wrong: " format "\n", ##__VA_ARGS__); \
} while (0)

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static void pause_us(long us)
{
	const struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	sys(__NR_nanosleep, &ts, NULL);
}

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return (x ^ (x >> 31)) | 1;
}

static unsigned int dice(struct actor *a, unsigned int sides)
{
	a->dice ^= a->dice << 13;
	a->dice ^= a->dice >> 7;
	a->dice ^= a->dice << 17;
	return (a->dice >> 20) % sides;
}

static long open_file(const char *path, int flags)
{
	return sys(__NR_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0);
}

static long write_file(const char *path, const char *text)
{
	long fd = open_file(path, O_WRONLY), ret;

	if (fd < 0)
		return fd;
	ret = sys(__NR_write, fd, text, strlen(text));
	sys(__NR_close, fd);
	return ret;
}

static long write_maps(int uid, int gid)
{
	char map[32];
	long ret;

	snprintf(map, sizeof(map), "0 %d 1", uid);
	ret = write_file("/proc/self/uid_map", map);
	if (ret >= 0)
		ret = write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %d 1", gid);
	return ret < 0 ? ret : write_file("/proc/self/gid_map", map);
}

/* Files that are held: those of namespaces, of processes, and others. */

static int *slot(struct actor *a)
{
	return &a->fds[dice(a, HELD)];
}

/* In place of another one. */
static long hold(struct actor *a, long fd)
{
	int *held = slot(a);

	if (fd < 0)
		return fd;
	if (*held >= 0)
		sys(__NR_close, *held);
	*held = fd;
	return 0;
}

static void hold_or_close(struct actor *a, long fd)
{
	if (dice(a, 2))
		sys(__NR_close, fd);
	else
		hold(a, fd);
}

/* The processes that it finds by their pids are those of its own namespace. */
static bool in_world(const struct actor *a)
{
	return a->outer && a->outer == a->pid;
}

/* Somebody, as the world's procfs names them. */
static int anybody(struct actor *a)
{
	int pid = dice(a, 3) ? shared->pids[dice(a, TABLE)] : shared->inits[dice(a, TABLE)];

	return pid ?: a->outer;
}

/* Somebody, as it can name them itself. */
static int neighbour(struct actor *a)
{
	if (a->child > 0 && !dice(a, 3))
		return a->child;
	return in_world(a) ? anybody(a) : 1 + (int)dice(a, 6);
}

static long open_ns(struct actor *a)
{
	static const char *const names[] = {
		"pid", "pid", "pid_for_children", "pid_for_children", "user", "mnt",
	};
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", anybody(a),
		 names[dice(a, a->calm ? 4 : 6)]);
	return open_file(path, O_RDONLY);
}

static long open_pidfd(struct actor *a)
{
	return sys(__NR_pidfd_open, neighbour(a), dice(a, 4) ? 0 : O_EXCL);
}

/* Births */

static void __attribute__((noreturn)) live(struct actor *a);

static void enroll(struct actor *a)
{
	char text[16] = "";

	a->pid = sys(__NR_getpid);
	/* That procfs is the world's. */
	a->outer = sys(__NR_readlink, "/proc/self", text, sizeof(text) - 1) > 0 ? atoi(text) : 0;
	/* The world's init is left alone: it is 1 there. */
	if (a->outer <= 1)
		return;
	shared->pids[dice(a, TABLE)] = a->outer;
	if (a->pid == 1)
		shared->inits[dice(a, TABLE)] = a->outer;
}

/* What a child begins with, which has a copy of all else. */
static void be_born(struct actor *a, uint64_t dice_of_parent)
{
	a->dice = mix(dice_of_parent);
	a->depth++;
	a->steps = 1 + dice(a, 12);
	a->child = 0;
	enroll(a);
}

static void __attribute__((noreturn)) live_in_copy(struct actor *a, uint64_t flags)
{
	int i;

	/* Those who run on the others did not come along. */
	for (i = 0; i < STACKS; i++)
		if (i != a->stack)
			stacks[i].busy = 0;
	a->thread = false;
	if (flags & CLONE_NEWNS)
		a->own_mounts = true;
	if (flags & CLONE_NEWUSER && dice(a, 2))
		write_maps(0, 0);
	be_born(a, a->dice ^ a->depth);
	if (flags & CLONE_NEWPID && a->pid != 1)
		wrong("clone(CLONE_NEWPID): the child is %d, not 1", a->pid);
	live(a);
}

static void live_on_stack(struct stack *stack)
{
	struct actor *a = &stack->actor;

	if (a->thread) {
		a->steps = 1 + dice(a, 8);
		if (sys(__NR_getpid) != a->pid)
			wrong("a thread of %d is of %ld", a->pid, sys(__NR_getpid));
	} else {
		be_born(a, a->dice);
	}
	live(a);
}

/* A child is made less often the further down it would be, so that there is an end. */
static bool fertile(struct actor *a)
{
	return dice(a, MAX_DEPTH) >= (unsigned int)a->depth;
}

static long made(struct actor *a, uint64_t flags, long pid)
{
	if (pid > 0)
		a->child = flags & CLONE_PARENT ? 0 : pid;
	if (pid > 0 && flags & CLONE_NEWPID)
		shared->made++;
	/* So that the next child has other dice. */
	dice(a, 2);
	return pid;
}

static uint64_t random_flags(struct actor *a)
{
	uint64_t flags = 0;

	if (!a->calm && !dice(a, 4))
		flags |= CLONE_NEWUSER;
	if (!dice(a, 6))
		flags |= CLONE_NEWNS;
	/* An init has no sibling. */
	if (a->pid != 1 && !dice(a, 5))
		flags |= CLONE_PARENT;
	return flags;
}

static long do_clone(struct actor *a, uint64_t flags, const int *tids, int nr_tids)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = flags,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
		.set_tid = (uintptr_t)tids,
		.set_tid_size = nr_tids,
	};
	long pid;

	if (!tids && !(flags & (CLONE_PIDFD | CLONE_PARENT)) && dice(a, 2))
		pid = sys(__NR_clone, flags | SIGCHLD, NULL, NULL, NULL, 0);
	else
		pid = sys(__NR_clone3, &args, sizeof(args));
	if (!pid)
		live_in_copy(a, flags);
	if (pid > 0 && flags & CLONE_PIDFD)
		hold(a, pidfd);
	return made(a, flags, pid);
}

static long op_fork(struct actor *a)
{
	if (!fertile(a))
		return NOTHING;
	return do_clone(a, dice(a, 3) ? 0 : CLONE_PIDFD, NULL, 0);
}

static long op_clone_parent(struct actor *a)
{
	if (!fertile(a) || a->pid == 1)
		return NOTHING;
	return do_clone(a, CLONE_PARENT, NULL, 0);
}

static long op_clone_newpid(struct actor *a)
{
	if (!fertile(a))
		return NOTHING;
	return do_clone(a, CLONE_NEWPID | random_flags(a) | (dice(a, 3) ? 0 : CLONE_PIDFD), NULL, 0);
}

static long op_set_tid(struct actor *a)
{
	const int tids[2] = { dice(a, 2) ? 1 : 2 + dice(a, 300), 2 + dice(a, 900) };

	if (!fertile(a))
		return NOTHING;
	return do_clone(a, dice(a, 2) ? CLONE_NEWPID : 0, tids, 1 + dice(a, 2));
}

static struct stack *take_stack(struct actor *a, bool thread)
{
	struct stack *stack;
	int i, free;

	for (i = 0; i < STACKS; i++) {
		free = 0;
		stack = &stacks[i];
		if (!__atomic_compare_exchange_n(&stack->busy, &free, 1, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			continue;
		stack->actor = *a;
		stack->actor.dice = mix(a->dice);
		stack->actor.stack = i;
		stack->actor.thread = thread;
		/* The table of files of a thread is not its own: it closes what it opens. */
		if (thread)
			memset(stack->actor.fds, -1, sizeof(stack->actor.fds));
		return stack;
	}
	return NULL;
}

static long clone_on_stack(struct actor *a, uint64_t flags)
{
	struct stack *stack = take_stack(a, flags & CLONE_THREAD);
	struct clone_args args = {
		.flags = flags | CLONE_VM | CLONE_CHILD_CLEARTID,
		.exit_signal = flags & CLONE_THREAD ? 0 : SIGCHLD,
		.stack_size = STACK,
	};
	long pid;

	if (!stack)
		return NOTHING;
	args.child_tid = (uintptr_t)&stack->busy;
	args.stack = (uintptr_t)stack->memory;
	pid = clone_on(&args, live_on_stack, stack);
	if (pid < 0)
		__atomic_store_n(&stack->busy, 0, __ATOMIC_RELEASE);
	return flags & CLONE_THREAD ? (dice(a, 2), pid) : made(a, flags, pid);
}

static long op_thread(struct actor *a)
{
	return clone_on_stack(a, CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_SYSVSEM |
			      CLONE_THREAD);
}

static long op_vfork(struct actor *a)
{
	return fertile(a) ? clone_on_stack(a, CLONE_VFORK) : NOTHING;
}

/* A process that shares the memory, as an init as well. */
static long op_clone_vm(struct actor *a)
{
	if (!fertile(a))
		return NOTHING;
	return clone_on_stack(a, (dice(a, 2) ? CLONE_NEWPID : 0) | (dice(a, 2) ? CLONE_VFORK : 0));
}

/* Changes of the own namespaces */

static long op_unshare(struct actor *a __attribute__((unused)))
{
	long ret = sys(__NR_unshare, CLONE_NEWPID);

	shared->made += !ret;
	return ret;
}

static long op_unshare_more(struct actor *a)
{
	uint64_t flags = CLONE_NEWPID | (random_flags(a) & ~CLONE_PARENT);
	long ret = sys(__NR_unshare, flags);

	if (!ret && flags & CLONE_NEWNS)
		a->own_mounts = true;
	if (!ret && flags & CLONE_NEWUSER && dice(a, 2))
		write_maps(0, 0);
	shared->made += !ret;
	return ret;
}

static long op_setns(struct actor *a)
{
	int fd = *slot(a);

	if (a->calm || fd < 0)
		return NOTHING;
	return sys(__NR_setns, fd, 0);
}

static long op_setns_pid(struct actor *a)
{
	char path[64];
	long fd, ret;

	if (a->calm)
		return NOTHING;
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", anybody(a),
		 dice(a, 2) ? "pid" : "pid_for_children");
	fd = open_file(path, O_RDONLY);
	if (fd < 0)
		return NOTHING;
	ret = sys(__NR_setns, fd, CLONE_NEWPID);
	sys(__NR_close, fd);
	return ret;
}

static long op_setns_back(struct actor *a __attribute__((unused)))
{
	long fd = open_file("/proc/thread-self/ns/pid", O_RDONLY), ret;

	if (fd < 0)
		return NOTHING;
	ret = sys(__NR_setns, fd, CLONE_NEWPID);
	sys(__NR_close, fd);
	return ret;
}

static long op_setns_pidfd(struct actor *a)
{
	long fd = open_pidfd(a), ret;

	if (fd < 0 || a->calm) {
		if (fd >= 0)
			sys(__NR_close, fd);
		return NOTHING;
	}
	ret = sys(__NR_setns, fd, CLONE_NEWPID | (dice(a, 4) ? 0 : CLONE_NEWUSER) |
		  (dice(a, 4) ? 0 : CLONE_NEWNS));
	sys(__NR_close, fd);
	return ret;
}

/* Ends */

static long op_exec(struct actor *a)
{
	static char *const argv[] = { "concurrent", "--quit", NULL };

	/* Workers are to live longer. */
	if (!a->depth && dice(a, 8))
		return NOTHING;
	return sys(__NR_execve, "/proc/self/exe", argv, argv + 2);
}

static long op_exit(struct actor *a)
{
	if (!a->depth && dice(a, 8))
		return NOTHING;
	return sys(__NR_exit_group, dice(a, 256));
}

/* The leader goes, and its threads may stay. */
static long op_exit_leader(struct actor *a)
{
	if (a->thread || (!a->depth && dice(a, 8)))
		return NOTHING;
	op_thread(a);
	return sys(__NR_exit, 0);
}

static long op_kill(struct actor *a)
{
	int pid = neighbour(a);

	if (!a->depth && pid == a->pid)
		return NOTHING;
	return sys(__NR_kill, pid, dice(a, 8) ? SIGKILL : SIGCHLD);
}

static long op_kill_init(struct actor *a)
{
	int pid = shared->inits[dice(a, TABLE)];

	return in_world(a) && pid ? sys(__NR_kill, pid, SIGKILL) : NOTHING;
}

static long op_kill_group(struct actor *a)
{
	int pid = neighbour(a);

	/* -1 is everybody. */
	return pid > 1 ? sys(__NR_kill, -pid, SIGKILL) : NOTHING;
}

static long op_kill_pidfd(struct actor *a)
{
	long fd = *slot(a), opened, ret;

	if (dice(a, 2))
		return fd < 0 ? NOTHING : sys(__NR_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	opened = open_pidfd(a);
	if (opened < 0)
		return NOTHING;
	ret = sys(__NR_pidfd_send_signal, opened, SIGKILL, NULL, 0);
	sys(__NR_close, opened);
	return ret;
}

static long op_reboot(struct actor *a)
{
	static const unsigned int commands[] = {
		LINUX_REBOOT_CMD_RESTART, LINUX_REBOOT_CMD_HALT, LINUX_REBOOT_CMD_POWER_OFF,
		LINUX_REBOOT_CMD_CAD_ON,
	};

	/* In the world itself it would be the end of all. */
	if (!a->outer || in_world(a))
		return NOTHING;
	return sys(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, commands[dice(a, 4)],
		   NULL);
}

/* Relations */

static long op_setpgid(struct actor *a)
{
	int who = dice(a, 2) ? 0 : a->child, group = dice(a, 3) ? neighbour(a) : 0;

	return sys(__NR_setpgid, who, group == 1 ? 0 : group);
}

static long op_setsid(struct actor *a __attribute__((unused)))
{
	return sys(__NR_setsid);
}

static long op_subreaper(struct actor *a)
{
	return sys(__NR_prctl, PR_SET_CHILD_SUBREAPER, dice(a, 2), 0, 0, 0);
}

static long op_ptrace(struct actor *a)
{
	int pid = in_world(a) ? neighbour(a) : a->child, i, status;
	long ret;

	/*
	 * Never another thread than the leader: exec() waits until the tracer has reaped it, and
	 * two who trace threads of one another would wait for ever.
	 */
	if (pid <= 0)
		return NOTHING;
	ret = sys(__NR_ptrace, PTRACE_SEIZE, pid, NULL, dice(a, 3) ? 0 : PTRACE_O_EXITKILL);
	/* One of three stays traced. */
	if (ret < 0 || !dice(a, 3))
		return ret;
	sys(__NR_ptrace, PTRACE_INTERRUPT, pid, NULL, NULL);
	for (i = 0; i < 20; i++) {
		if (sys(__NR_wait4, pid, &status, WNOHANG | __WALL, NULL))
			break;
		pause_us(200);
	}
	sys(__NR_ptrace, PTRACE_DETACH, pid, NULL, NULL);
	return 0;
}

static long op_setown(struct actor *a)
{
	const struct f_owner_ex owner = {
		.type = dice(a, 3) + F_OWNER_TID, .pid = neighbour(a),
	};
	long fd = open_file("/tmp/lock", O_RDWR), ret;

	if (fd < 0)
		return fd;
	ret = sys(__NR_fcntl, fd, F_SETOWN_EX, &owner);
	hold(a, fd);
	return ret;
}

static long op_lock(struct actor *a)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = dice(a, 16), .l_len = 1,
	};
	long fd = open_file("/tmp/lock", O_RDWR), ret;

	if (fd < 0)
		return fd;
	ret = sys(__NR_fcntl, fd, F_SETLK, &lock);
	lock.l_start = dice(a, 16);
	if (ret == -EAGAIN || ret == -EACCES || !ret)
		ret = sys(__NR_fcntl, fd, F_GETLK, &lock);
	/* That closes all locks of the process, so that some keep it. */
	hold_or_close(a, fd);
	return ret;
}

/* Looks */

static long op_open_ns(struct actor *a)
{
	return hold(a, open_ns(a));
}

static long op_open_pidfd(struct actor *a)
{
	return hold(a, open_pidfd(a));
}

static long op_ns_ioctl(struct actor *a)
{
	uint64_t id;
	int fd = *slot(a);

	if (fd < 0)
		return NOTHING;
	switch (dice(a, 5)) {
	case 0:
		return hold(a, sys(__NR_ioctl, fd, GET_USERNS, 0));
	case 1:
		return hold(a, sys(__NR_ioctl, fd, GET_PARENT, 0));
	case 2:
		return sys(__NR_ioctl, fd, GET_PID_FROM, 1 + dice(a, 40));
	case 3:
		return sys(__NR_ioctl, fd, GET_TGID_IN, neighbour(a));
	default:
		return sys(__NR_ioctl, fd, GET_ID, &id);
	}
}

static long op_pidfd_ioctl(struct actor *a)
{
	long fd = open_pidfd(a), ret;

	if (fd < 0)
		return NOTHING;
	ret = sys(__NR_ioctl, fd, dice(a, 2) ? PIDFD_GET_PID : PIDFD_GET_PID_FOR_CHILDREN, 0);
	sys(__NR_close, fd);
	return hold(a, ret);
}

static long op_listns(struct actor *a)
{
	struct ns_ids request = {
		.size = sizeof(request),
		.ns_type = dice(a, 2) ? CLONE_NEWPID : CLONE_NEWPID | CLONE_NEWUSER,
		.user_ns_id = dice(a, 2) ? UINT64_MAX : 0,
	};
	uint64_t ids[32];

	return sys(__NR_listns, &request, ids, 32, 0);
}

/* Namespaces by their handles, which may be of some that are gone. */
static long op_handle(struct actor *a)
{
	struct handle *known = &shared->handles[dice(a, TABLE)];
	struct handle handle = { .head.handle_bytes = sizeof(handle.space) };
	int mount;
	long fd, ret;

	if (dice(a, 2)) {
		handle = *known;
		if (!handle.head.handle_bytes)
			return NOTHING;
		return hold(a, sys(__NR_open_by_handle_at, NSFS_ROOT, &handle, O_CLOEXEC));
	}
	fd = open_ns(a);
	if (fd < 0)
		return NOTHING;
	ret = sys(__NR_name_to_handle_at, fd, "", &handle, &mount, AT_EMPTY_PATH);
	sys(__NR_close, fd);
	if (!ret)
		*known = handle;
	return ret;
}

static long op_sysctl(struct actor *a)
{
	static const char *const files[] = {
		"/proc/sys/kernel/pid_max", "/proc/sys/kernel/ns_last_pid",
	};
	int which = dice(a, 2);
	char text[32];
	long fd, ret;

	/* Most may not write it, and are not told so by open() of ns_last_pid. */
	if (dice(a, 2)) {
		snprintf(text, sizeof(text), "%d", (which ? 0 : 1000) + dice(a, 900));
		return write_file(files[which], text);
	}
	fd = open_file(files[which], O_RDONLY);
	if (fd < 0)
		return fd;
	ret = sys(__NR_read, fd, text, sizeof(text));
	/* The file of a namespace can outlive its processes. */
	hold_or_close(a, fd);
	return ret;
}

/* A file that is held, whatever it is. */
static long op_read(struct actor *a)
{
	int fd = *slot(a);
	char text[32];

	return fd < 0 ? NOTHING : sys(__NR_pread64, fd, text, sizeof(text), 0);
}

static long op_mount(struct actor *a)
{
	char source[64], target[64];
	long ret;

	if (!a->own_mounts) {
		ret = sys(__NR_unshare, CLONE_NEWNS);
		if (ret < 0)
			return ret;
		a->own_mounts = true;
	}
	snprintf(target, sizeof(target), "/tmp/bind%d", dice(a, BINDS));
	/* So that they do not pile up. */
	sys(__NR_umount2, target, MNT_DETACH);
	snprintf(source, sizeof(source), "/proc/%d/ns/%s", anybody(a),
		 dice(a, 2) ? "pid" : "pid_for_children");
	return sys(__NR_mount, source, target, NULL, MS_BIND, NULL);
}

/* Opens such a file, which keeps a namespace that nobody is in. */
static long op_open_mount(struct actor *a)
{
	char path[64];

	if (!a->own_mounts)
		return NOTHING;
	snprintf(path, sizeof(path), "/tmp/bind%d", dice(a, BINDS));
	return hold(a, open_file(path, O_RDONLY));
}

static void set_up_message(struct msghdr *header, struct iovec *io, char *control, size_t size)
{
	*header = (struct msghdr) {
		.msg_iov = io,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = size,
	};
}

static long op_send(struct actor *a)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec io = { &byte, 1 };
	struct msghdr header;
	struct cmsghdr *rights;
	int fd = *slot(a);

	if (fd < 0)
		return NOTHING;
	set_up_message(&header, &io, control, sizeof(control));
	rights = CMSG_FIRSTHDR(&header);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
	return sys(__NR_sendmsg, pool[0], &header, MSG_DONTWAIT);
}

static long op_receive(struct actor *a)
{
	char byte, control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec io = { &byte, 1 };
	struct msghdr header;
	int fd = -1;
	long ret;

	set_up_message(&header, &io, control, sizeof(control));
	ret = sys(__NR_recvmsg, pool[1], &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (ret < 0)
		return ret;
	if (CMSG_FIRSTHDR(&header))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(fd));
	return fd < 0 ? 0 : hold(a, fd);
}

static long op_close(struct actor *a)
{
	int *held = slot(a);
	long ret;

	if (*held < 0)
		return NOTHING;
	ret = sys(__NR_close, *held);
	*held = -1;
	return ret;
}

static long op_wait(struct actor *a __attribute__((unused)))
{
	int status;
	long pid = sys(__NR_wait4, -1, &status, WNOHANG | __WALL, NULL);

	/* Somebody who is traced, and was asked to stop. */
	if (pid > 0 && WIFSTOPPED(status))
		sys(__NR_ptrace, PTRACE_DETACH, pid, NULL, NULL);
	return pid;
}

static long op_rest(struct actor *a)
{
	pause_us(dice(a, 3000));
	return 0;
}

/*
 * A task is out of children because of RLIMIT_NPROC or of pid_max (EAGAIN), is told that the init
 * of the namespace has ended (ENOMEM), which may be its own: it is killed a moment later; or that
 * another one is just becoming init (EINVAL).
 *
 * UNEASY is what is refused by EPERM and EINVAL as well, but only to who has changed its user
 * namespace.  Who stays calm must never get EINVAL, whatever its default namespace is: that is
 * what this tree is about.  Nor must anybody get it for a thread.  What ENDS the caller does not
 * return if it works.
 */
#define BIRTH EAGAIN, ENOMEM

static const struct op {
	const char *name;
	long (*run)(struct actor *a);
	int weight;
	enum { PLAIN, UNEASY, ENDS } kind;
	int errors[8];
} ops[] = {
	{ "fork", op_fork, 60, PLAIN, { BIRTH, EINVAL } },
	{ "clone_parent", op_clone_parent, 15, PLAIN, { BIRTH, EINVAL } },
	{ "clone_newpid", op_clone_newpid, 60, UNEASY, { BIRTH, ENOSPC } },
	{ "set_tid", op_set_tid, 20, PLAIN, { BIRTH, ENOSPC, EPERM, EEXIST, EINVAL } },
	{ "thread", op_thread, 50, PLAIN, { BIRTH } },
	{ "vfork", op_vfork, 15, PLAIN, { BIRTH, EINVAL } },
	{ "clone_vm", op_clone_vm, 15, PLAIN, { BIRTH, EINVAL, ENOSPC, EPERM } },
	{ "unshare", op_unshare, 50, UNEASY, { ENOSPC } },
	{ "unshare_more", op_unshare_more, 15, UNEASY, { ENOSPC } },
	{ "setns", op_setns, 20, PLAIN, { EINVAL, EPERM, ESRCH, EBADF } },
	{ "setns_pid", op_setns_pid, 30, PLAIN, { EINVAL, EPERM } },
	{ "setns_back", op_setns_back, 20, PLAIN, { EPERM } },
	{ "setns_pidfd", op_setns_pidfd, 30, PLAIN, { EINVAL, EPERM, ESRCH } },
	{ "exec", op_exec, 10, ENDS, { EAGAIN, ENOMEM, ENOENT, EACCES } },
	{ "exit", op_exit, 10, ENDS, { } },
	{ "exit_leader", op_exit_leader, 10, ENDS, { } },
	{ "kill", op_kill, 12, PLAIN, { ESRCH, EPERM } },
	{ "kill_init", op_kill_init, 20, PLAIN, { ESRCH, EPERM } },
	{ "kill_group", op_kill_group, 5, PLAIN, { ESRCH, EPERM } },
	{ "kill_pidfd", op_kill_pidfd, 15, PLAIN, { ESRCH, EPERM, EINVAL, EBADF } },
	{ "reboot", op_reboot, 15, ENDS, { EPERM, EINVAL } },
	{ "setpgid", op_setpgid, 30, PLAIN, { EPERM, ESRCH, EACCES, EINVAL } },
	{ "setsid", op_setsid, 15, PLAIN, { EPERM } },
	{ "subreaper", op_subreaper, 15, PLAIN, { } },
	{ "ptrace", op_ptrace, 20, PLAIN, { EPERM, ESRCH } },
	{ "setown", op_setown, 15, PLAIN, { ESRCH } },
	{ "lock", op_lock, 15, PLAIN, { } },
	{ "open_ns", op_open_ns, 40, PLAIN, { ENOENT, EACCES, ESRCH } },
	{ "open_pidfd", op_open_pidfd, 20, PLAIN, { ESRCH, EINVAL, ENOENT } },
	{ "ns_ioctl", op_ns_ioctl, 30, PLAIN, { EPERM, EINVAL, ENOTTY, ESRCH } },
	{ "pidfd_ioctl", op_pidfd_ioctl, 20, PLAIN, { ESRCH, EACCES, EINVAL, ENOTTY } },
	{ "listns", op_listns, 15, PLAIN, { ENOENT } },
	{ "handle", op_handle, 20, PLAIN, { EPERM, ESTALE } },
	{ "sysctl", op_sysctl, 20, PLAIN, { EPERM, EACCES, EINVAL } },
	/* ENOENT: a sysctl of a namespace that was freed. */
	{ "read", op_read, 10, PLAIN, { EINVAL, ESPIPE, ENXIO, ENOENT } },
	{ "mount", op_mount, 20, PLAIN, { EPERM, EINVAL, ENOENT, EACCES, ENOSPC, ESRCH } },
	{ "open_mount", op_open_mount, 10, PLAIN, { } },
	{ "send", op_send, 20, PLAIN, { EAGAIN, ETOOMANYREFS } },
	{ "receive", op_receive, 20, PLAIN, { EAGAIN } },
	{ "close", op_close, 20, PLAIN, { } },
	{ "wait", op_wait, 60, PLAIN, { ECHILD } },
	{ "rest", op_rest, 60, PLAIN, { } },
};

#define NR_OPS (sizeof(ops) / sizeof(ops[0]))

_Static_assert(NR_OPS <= MAX_OPS, "shared->answers has no place for them");

static bool allowed(const struct op *op, const struct actor *a, int error)
{
	size_t i;

	if (op->kind == UNEASY && !a->calm && (error == EINVAL || error == EPERM))
		return true;
	for (i = 0; i < sizeof(op->errors) / sizeof(op->errors[0]); i++)
		if (op->errors[i] == error)
			return true;
	return false;
}

static int weights;	/* of all operations */

static void take_step(struct actor *a)
{
	const struct op *op = ops;
	int at;
	long ret;

	for (at = dice(a, weights); at >= op->weight; op++)
		at -= op->weight;
	/* Who has ended counts nothing any more. */
	if (op->kind == ENDS)
		shared->answers[op - ops][0]++;
	ret = op->run(a);
	if (op->kind == ENDS)
		shared->answers[op - ops][0]--;
	if (ret == NOTHING)
		return;
	if (ret >= 0) {
		shared->answers[op - ops][0]++;
		return;
	}
	shared->answers[op - ops][-ret < MAX_ERRNO ? -ret : MAX_ERRNO - 1]++;
	if (!allowed(op, a, -ret))
		wrong("%s: %s (%ld), by %d, which is %d in the world", op->name,
		      strerrorname_np(-ret) ?: "?", -ret, a->pid, a->outer);
}

static void live(struct actor *a)
{
	int i;

	while (a->steps-- > 0 && !shared->stop)
		take_step(a);
	if (a->thread || !dice(a, 4)) {
		for (i = 0; i < HELD && a->thread; i++)
			if (a->fds[i] >= 0)
				sys(__NR_close, a->fds[i]);
		/* Other threads may stay. */
		sys(__NR_exit, 0);
	}
	for (;;)
		sys(__NR_exit_group, 0);
}

/* The world: pid 1, who only starts and reaps. */

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	say("# no world: %s: %s\n", what, strerrorname_np(errno));
	_exit(2);
}

static void must_sys(long ret, const char *what)
{
	if (ret < 0)
		errno = -ret;
	must(ret >= 0, what);
}

static long start_worker(int number, uint64_t generation)
{
	struct actor a = { .dice = mix(seed ^ mix((generation << 8) + number)), .stack = -1 };
	long pid = sys(__NR_clone, SIGCHLD, NULL, NULL, NULL, 0);

	if (pid)
		return pid;
	memset(a.fds, -1, sizeof(a.fds));
	a.steps = 100 + dice(&a, 400);
	a.calm = number % 2;
	enroll(&a);
	live(&a);
}

static void set_up(int limit, int workers)
{
	const struct rlimit tasks = { TASKS * workers, TASKS * workers };
	char text[32];
	int i, fd;

	must_sys(write_maps(USER, USER), "uid_map");
	snprintf(text, sizeof(text), "%d", limit);
	must_sys(write_file("/proc/sys/user/max_pid_namespaces", text), "max_pid_namespaces");
	must(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount");
	must(!mount("proc", "/proc", "proc", 0, NULL), "/proc");
	must(!mount("tmpfs", "/tmp", "tmpfs", 0, NULL), "/tmp");
	for (i = 0; i <= BINDS; i++) {
		snprintf(text, sizeof(text), i < BINDS ? "/tmp/bind%d" : "/tmp/lock", i);
		fd = open(text, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		must(fd >= 0, text);
		close(fd);
	}
	must(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pool), "socketpair");
	must(!setrlimit(RLIMIT_NPROC, &tasks), "setrlimit");
	/* So that no group kill and no wait of theirs is for this one. */
	setsid();
}

/* The status of the next task in procfs, which the caller closes; NULL after the last. */
static FILE *next_status(DIR *proc, int *pid)
{
	struct dirent *entry;
	FILE *status = NULL;
	char path[64];

	while (!status && proc && (entry = readdir(proc))) {
		*pid = atoi(entry->d_name);
		snprintf(path, sizeof(path), "/proc/%d/status", *pid);
		if (*pid > 0)
			status = fopen(path, "re");
	}
	return status;
}

/*
 * Two who trace one another can both stand still, each until the other lets go of it; and so can
 * more of them in a circle, in which one may wait in vfork() for the next.  On any kernel only a
 * kill ends that.  Who stands still without a tracer is not killed here.
 */
static void kill_who_stands_still(void)
{
	DIR *proc = opendir("/proc");
	char line[512];
	int pid, tracer;
	FILE *status;
	bool still;

	while ((status = next_status(proc, &pid))) {
		still = false;
		tracer = 0;
		while (fgets(line, sizeof(line), status)) {
			still |= !strncmp(line, "State:\tt", 8);
			sscanf(line, "TracerPid: %d", &tracer);
		}
		fclose(status);
		if (still && tracer)
			sys(__NR_kill, pid, SIGKILL);
	}
	if (proc)
		closedir(proc);
}

static void __attribute__((noreturn)) run_world(int limit, int workers)
{
	long pids[MAX_WORKERS] = {}, pid;
	uint64_t generation = 0;
	double patient_until = 0;
	int i;

	set_up(limit, workers);
	shared->ready = 1;
	for (;;) {
		for (i = 0; i < workers && !shared->stop; i++) {
			if (pids[i] > 0)
				continue;
			pids[i] = start_worker(i, generation++);
			if (pids[i] < 0 && pids[i] != -EAGAIN)
				wrong("a worker: %s", strerrorname_np(-pids[i]));
		}
		pid = sys(__NR_wait4, -1, NULL, WNOHANG | __WALL, NULL);
		for (i = 0; i < workers; i++)
			if (pid > 0 && pids[i] == pid)
				pids[i] = 0;
		if (pid == -ECHILD && shared->stop)
			_exit(0);
		if (shared->stop && !patient_until)
			patient_until = now() + LET_GO;
		if (patient_until && now() > patient_until)
			kill_who_stands_still();
		if (pid <= 0)
			pause_us(2000);
	}
}

/* The keeper of a round, outside of it: the same user. */

static bool reaped(pid_t pid, int seconds, int *status)
{
	double end = now() + seconds;

	do {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		usleep(20000);
	} while (now() < end);
	return false;
}

/* One more namespace, in which somebody lives until the pipe is closed. */
static long live_in_another(const int *until)
{
	long pid = sys(__NR_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0);
	char byte;

	if (pid)
		return pid;
	close(until[1]);
	sys(__NR_read, until[0], &byte, 1);
	_exit(0);
}

/* As many as the limit says, and not one more.  In a process of its own. */
static void count_namespaces(int user_ns, int limit)
{
	double end = now() + PATIENCE;
	int until[2], count = 0;
	long pid = 0;

	must(!setns(user_ns, CLONE_NEWUSER) && !pipe2(until, O_CLOEXEC), "setns");
	while (count <= limit) {
		pid = live_in_another(until);
		count += pid > 0;
		/* What is freed after a grace period may still be on its way. */
		if (pid == -ENOSPC && count < limit && now() < end)
			usleep(20000);
		else if (pid < 0)
			break;
	}
	if (count != limit || pid != -ENOSPC)
		say("# of the limit of %d there were %d, then %s\n", limit, count,
		    pid < 0 ? strerrorname_np(-pid) : "none was refused");
	close(until[0]);
	close(until[1]);
	while (wait(NULL) > 0)
		;
	_exit(count != limit || pid != -ENOSPC);
}

static void become_user(void)
{
	must(!setresgid(USER, USER, USER) && !setresuid(USER, USER, USER), "setresuid");
	/* Its files in /proc are its own again. */
	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void __attribute__((noreturn)) keep(double seconds, enum end how, int limit, int workers)
{
	const struct clone_args args = {
		.flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS, .exit_signal = SIGCHLD,
	};
	double end = now() + seconds;
	char path[64];
	int status = 0, user_ns;
	pid_t world, pid;

	become_user();
	world = sys(__NR_clone3, &args, sizeof(args));
	must_sys(world, "clone3");
	if (!world) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_world(limit, workers);
	}
	while (!shared->ready && !reaped(world, 0, &status))
		;
	must(!status, "its init");
	snprintf(path, sizeof(path), "/proc/%d/ns/user", world);
	user_ns = open(path, O_RDONLY | O_CLOEXEC);
	must(user_ns >= 0, path);

	while (now() < end) {
		if (reaped(world, 0, &status)) {
			wrong("the world has ended by itself, with status %#x", status);
			_exit(1);
		}
	}
	if (how == ASKED)
		shared->stop = 1;
	else
		kill(world, SIGKILL);
	if (!reaped(world, PATIENCE, &status)) {
		shared->stuck = true;
		/* All are killed with it, and are to be seen before that. */
		pause();
	}
	if (status != (how == ASKED ? 0 : SIGKILL))
		wrong("the init of the world ended with status %#x", status);

	pid = fork();
	if (!pid)
		count_namespaces(user_ns, limit);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		shared->bad_limit = true;
	_exit(0);
}

/* All rounds: as root. */

static const char *const caches[] = {
	"pid_namespace", "pid_2", "pid_3", "pid_4", "pid_5", "pid_6", "user_namespace", "nsproxy",
	"pid",
};

#define NR_CACHES ((int)(sizeof(caches) / sizeof(caches[0])))
/* The rest of the guest uses these as well. */
#define COMMON 2
#define SLACK 24

static long objects(const char *cache)
{
	char line[512], name[64];
	long count, found = 0;
	FILE *file;

	/* KASAN keeps what was freed for a while: until the cache is shrunk. */
	snprintf(line, sizeof(line), "/sys/kernel/slab/%s/shrink", cache);
	write_file(line, "1");
	file = fopen("/proc/slabinfo", "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %ld", name, &count) == 2 && !strcmp(name, cache))
			found = count;
	if (file)
		fclose(file);
	return found;
}

static void count_objects(long *counts)
{
	int i;

	for (i = 0; i < NR_CACHES; i++)
		counts[i] = objects(caches[i]);
}

/* Waits until it is: the last namespaces go after a grace period, by a worker. */
static bool all_freed(const long *before)
{
	double end = now() + PATIENCE / 2;
	long after[NR_CACHES];
	bool freed;
	int i;

	do {
		count_objects(after);
		freed = true;
		for (i = 0; i < NR_CACHES; i++)
			freed &= after[i] <= before[i] + (i < NR_CACHES - COMMON ? 0 : SLACK);
		if (!freed)
			usleep(200000);
	} while (!freed && now() < end);
	for (i = 0; i < NR_CACHES && !freed; i++)
		say("# %s: %ld objects before, %ld after\n", caches[i], before[i], after[i]);
	return freed;
}

/* A file of a task in one line. */
static void show_file(const char *task, const char *name)
{
	char path[300], text[1500];
	ssize_t size;
	long fd;
	int i;

	snprintf(path, sizeof(path), "%s/%s", task, name);
	fd = open_file(path, O_RDONLY);
	size = fd < 0 ? 0 : sys(__NR_read, fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (size <= 0)
		return;
	printf("#   %s: ", name);
	for (i = 0; i < size; i++)
		putchar(text[i] == '\n' ? ' ' : text[i]);
	puts("");
}

/* The tasks of worlds: those that have a pid in more than one namespace. */
static int tasks_left(bool show)
{
	DIR *proc = opendir("/proc");
	char path[64], line[512];
	int left = 0, pid;
	FILE *status;

	while ((status = next_status(proc, &pid))) {
		while (fgets(line, sizeof(line), status)) {
			if (strncmp(line, "NSpid:\t", 7) || !strchr(line + 7, '\t'))
				continue;
			left++;
			snprintf(path, sizeof(path), "/proc/%d", pid);
			if (show) {
				printf("# left: %s", line);
				show_file(path, "stat");
				show_file(path, "wchan");
				show_file(path, "stack");
			}
		}
		fclose(status);
	}
	if (proc)
		closedir(proc);
	fflush(stdout);
	return left;
}

static long calls(void)
{
	long sum = 0;
	size_t i, j;

	for (i = 0; i < NR_OPS; i++)
		for (j = 0; j < MAX_ERRNO; j++)
			sum += shared->answers[i][j];
	return sum;
}

/* How often each operation worked, and what else it got; whether each has worked. */
static bool show_counts(void)
{
	bool all = true;
	size_t i;
	int error;

	for (i = 0; i < NR_OPS; i++) {
		printf("# %-12s %8ld", ops[i].name, shared->answers[i][0]);
		for (error = 1; error < MAX_ERRNO; error++)
			if (shared->answers[i][error])
				printf(" %s %ld", strerrorname_np(error) ?: "?",
				       shared->answers[i][error]);
		puts("");
		all &= shared->answers[i][0] > 0;
	}
	return all;
}

struct results {
	bool stuck[KILLED + 1], bad_limit, left;
};

/* Whether there can be another one. */
static bool run_round(int number, int rounds, double seconds, struct results *results)
{
	int workers = 2 * sysconf(_SC_NPROCESSORS_ONLN), status;
	/* So that it is reached never, now and then, and all the time. */
	const int limits[] = { 20 * workers, 5 * workers, workers + 3 };
	enum end how = number % 2 ? ASKED : KILLED;
	long made = shared->made, before[NR_CACHES];
	int limit;
	pid_t keeper;

	if (workers > MAX_WORKERS)
		workers = MAX_WORKERS;
	limit = limits[(number - 1) / 2 % 3];
	count_objects(before);
	shared->stop = shared->ready = 0;
	memset((void *)shared->pids, 0, sizeof(shared->pids));
	memset((void *)shared->inits, 0, sizeof(shared->inits));
	seed = mix(seed);
	fflush(stdout);
	keeper = fork();
	if (!keeper)
		keep(seconds, how, limit, workers);
	if (keeper < 0)
		return false;
	while (!reaped(keeper, 0, &status) && !shared->stuck)
		;
	if (shared->stuck || tasks_left(false)) {
		results->stuck[how] = true;
		tasks_left(true);
		if (shared->stuck) {
			kill(keeper, SIGKILL);
			waitpid(keeper, NULL, 0);
		}
		return false;
	}
	if (status) {
		wrong("round %d ended with status %#x", number, status);
		return false;
	}
	results->bad_limit |= shared->bad_limit;
	results->left |= !all_freed(before);
	printf("# round %d of %d: %ld calls so far, %ld namespaces, %d workers, limit %d, %s\n",
	       number, rounds, calls(), shared->made - made, workers, limit,
	       how == ASKED ? "ended when asked" : "was killed");
	fflush(stdout);
	return true;
}

static int failed;

static void verdict(bool ok, const char *name)
{
	static int number;

	failed += !ok;
	printf("%sok %d concurrent.%s\n", ok ? "" : "not ", ++number, name);
}

int main(int argc, char **argv)
{
	struct results results = {};
	int seconds, rounds, round;
	bool all_rounds = true, all_done;

	/* What op_exec() becomes. */
	if (argc == 2 && !strcmp(argv[1], "--quit"))
		return 0;
	if (argc != 3 || atoi(argv[2]) < 1) {
		fprintf(stderr, "usage: concurrent SEED SECONDS\n");
		return 2;
	}
	for (round = 0; round < (int)NR_OPS; round++)
		weights += ops[round].weight;
	seed = strtoull(argv[1], NULL, 10);
	seconds = atoi(argv[2]);
	rounds = seconds / ROUND < 2 ? 2 : seconds / ROUND;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		return 2;
	printf("TAP version 13\n1..6\n# seed %s, %d rounds\n", argv[1], rounds);
	for (round = 1; round <= rounds && all_rounds; round++)
		all_rounds = run_round(round, rounds, (double)seconds / rounds, &results);
	all_done = show_counts();
	printf("# %ld calls, %ld namespaces, %d wrong\n", calls(), shared->made, shared->wrong);
	verdict(all_rounds && !shared->wrong, "every_answer_is_one_that_there_can_be");
	verdict(!results.stuck[ASKED], "tasks_end_when_they_are_asked_to");
	verdict(!results.stuck[KILLED], "tasks_end_when_their_init_is_killed");
	verdict(!results.bad_limit, "limit_is_whole_again");
	verdict(!results.left, "everything_is_freed");
	verdict(all_done || calls() < ENOUGH, "nothing_was_left_undone");
	return failed != 0;
}
