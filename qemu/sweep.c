// SPDX-License-Identifier: GPL-2.0-only
/*
 * What clone(), clone3(), unshare() and setns() say to any word of flags and to arguments that
 * are wrong: for scripts/load, which runs this as root on each kernel and compares.
 *
 *	sweep list SEED COUNT	prints each call with its arguments, and calls nothing
 *	sweep STATE SEED COUNT	prints "sweep STATE FIRST ERRNOS": two hexadecimal digits for
 *				each call from number FIRST on, 00 where it succeeds
 *
 * The first COUNT calls are drawn by the seed.  Those behind them take each argument through all
 * its values, with some words of flags.  All of them are made in a state of the caller:
 *
 *	fresh		its children are born where it lives itself
 *	unshared	after unshare(CLONE_NEWPID)
 *	dead		after that, and after the death of the init of the new namespace
 *
 * Each CPU has a worker, which never leaves it, as the hand-over to a child on another one is what
 * takes longest where CPUs are emulated; they share the calls of a kind.
 *
 * A child does nothing but exit, without a look at its memory, so that it may share anything with
 * the caller.  What a successful unshare() or setns() changes is undone by setns(); the user
 * namespace cannot be, so that another worker goes on from there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

/* The C library's header may be older than the kernel's. */
#define NEWTIME			0x80ULL
#define EMPTY_MNTNS_OF_UNSHARE	0x00100000ULL
#define INTO_CGROUP		(1ULL << 33)
#define AUTOREAP		(1ULL << 34)
#define NS_ALL	(NEWTIME | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | \
		 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define THREAD	(CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)

#define CGROUP		"/sys/fs/cgroup/sweep"
#define PID_MAX		4194304
#define FIRST_FREE	3000000	/* no pid comes as far by itself */
#define A_MILLION	1000000
#define NO_FD		1000
#define PAGE		4096UL
#define LINE		500	/* calls in a line of the output */
#define SIZE(a)		(sizeof(a) / sizeof((a)[0]))

enum call { CLONE, CLONE3, UNSHARE, SETNS, CALLS };
enum state { FRESH, UNSHARED, DEAD, STATES };

static const char *const call_names[] = { "clone", "clone3", "unshare", "setns" };
static const char *const state_names[] = { "fresh", "unshared", "dead" };

struct args {		/* struct clone_args, with what may follow it one day */
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup, more[2];
};

/* The values of each argument; the first is the one that is right. */
static const struct {
	const char *name;
	uint64_t size;
	bool more;	/* what follows the structure is not zero */
} sizes[] = {
	{ "88", 88 }, { "64", 64 }, { "72", 72 }, { "80", 80 }, { "0", 0 }, { "1", 1 },
	{ "63", 63 }, { "65", 65 }, { "87", 87 }, { "89", 89 }, { "96", 96 }, { "104", 104 },
	{ "89+more", 89, true }, { "96+more", 96, true }, { "4096", 4096 }, { "4097", 4097 },
	{ "max", ~0ULL },
};

static const char *const places[] = { "there", "null", "unmapped", "half_unmapped", "kernel" };

static const struct {
	const char *name;
	uint64_t value;
} exit_signals[] = {
	{ "SIGCHLD", SIGCHLD }, { "0", 0 }, { "1", 1 }, { "64", 64 }, { "65", 65 },
	{ "255", 255 }, { "256", 256 }, { "SIGCHLD+2^32", SIGCHLD + (1ULL << 32) },
	{ "max", ~0ULL },
};

static const char *const stacks[] = {
	"none", "there", "no_size", "no_address", "kernel", "wraps",
};

#define FREE	(-1000)	/* a pid that nobody has */
#define OWN	(-1001)	/* that of the caller */
#define HIGH	(-1002)	/* one that nobody has, next to the limit */

static const struct {
	const char *name;
	const char *place;
	uint64_t size;
	int tids[4];	/* the rest is free */
} set_tids[] = {
	{ "none", "null", 0 },
	{ "null,1", "null", 1 },
	{ "0_of_1", "there", 0, { FREE } },
	{ "free", "there", 1, { FREE } },
	{ "1", "there", 1, { 1 } },
	{ "2", "there", 1, { 2 } },
	{ "zero", "there", 1, { 0 } },
	{ "-1", "there", 1, { -1 } },
	{ "own", "there", 1, { OWN } },
	{ "high", "there", 1, { HIGH } },
	{ "pid_max", "there", 1, { PID_MAX } },
	{ "int_min", "there", 1, { INT32_MIN } },
	{ "1,free", "there", 2, { 1, FREE } },
	{ "1,1", "there", 2, { 1, 1 } },
	{ "1,own", "there", 2, { 1, OWN } },
	{ "1,-1", "there", 2, { 1, -1 } },
	{ "free,free", "there", 2, { FREE, FREE } },
	{ "free,1", "there", 2, { FREE, 1 } },
	{ "own,free", "there", 2, { OWN, FREE } },
	{ "1,free,free", "there", 3, { 1, FREE, FREE } },
	{ "1,1,1", "there", 3, { 1, 1, 1 } },
	{ "32_free", "there", 32, { FREE, FREE, FREE, FREE } },
	{ "33_free", "there", 33, { FREE, FREE, FREE, FREE } },
	{ "max", "there", ~0ULL, { FREE } },
	{ "unmapped", "unmapped", 1 },
	{ "half_unmapped", "half_unmapped", 2, { 1 } },
	{ "unmapped,33", "unmapped", 33 },
	{ "kernel", "kernel", 1 },
};

static const char *const cgroups[] = {
	"own", "zero", "no_fd", "regular_file", "pipe", "pid_ns", "int_max+1", "max",
};

static const char *const pidfds[] = { "there", "null", "same_as_parent_tid", "kernel" };
static const char *const tls[] = { "there", "null", "kernel", "not_canonical" };

/* What setns() is given: see open_fds(). */
enum fd {
	NS_PID, NS_USER, NS_NET, NS_UTS, NS_IPC, NS_MNT, NS_CGROUP, NS_TIME, NS_PID_CHILDREN,
	NS_TIME_CHILDREN, CHILD_PID, CHILD_PID_DEAD, CHILD_USER, CHILD_UTS, PIDFD_PARENT,
	PIDFD_SELF, PIDFD_CHILD, PIDFD_ZOMBIE, PIDFD_GONE, REGULAR, DIRECTORY, PIPE, PATH, CLOSED,
	MINUS_ONE, INT_LOWEST, FDS
};

static const char *const fd_names[FDS] = {
	"pid", "user", "net", "uts", "ipc", "mnt", "cgroup", "time", "pid_for_children",
	"time_for_children", "pid_of_child", "pid_of_dead_child", "user_of_child", "uts_of_child",
	"pidfd_of_parent", "pidfd_of_self", "pidfd_of_child", "pidfd_of_zombie", "pidfd_of_gone",
	"regular_file", "directory", "pipe", "o_path", "closed", "-1", "int_min",
};

/* The arguments beside the flags, as places in the tables above. */
enum field {
	A_SIZE, A_PLACE, A_SIGNAL, A_STACK, A_SET_TID, A_CGROUP, A_PIDFD, A_TLS, A_FD, FIELDS
};

static const struct {
	const char *name;
	int values;
	unsigned int calls;	/* that have it */
} fields[FIELDS] = {
	{ "size", SIZE(sizes), 1 << CLONE3 },
	{ "args", SIZE(places), 1 << CLONE3 },
	{ "exit_signal", SIZE(exit_signals), 1 << CLONE3 },
	{ "stack", SIZE(stacks), 1 << CLONE3 },
	{ "set_tid", SIZE(set_tids), 1 << CLONE3 },
	{ "cgroup", SIZE(cgroups), 1 << CLONE3 },
	{ "pidfd", SIZE(pidfds), 1 << CLONE | 1 << CLONE3 },
	{ "tls", SIZE(tls), 1 << CLONE | 1 << CLONE3 },
	{ "fd", FDS, 1 << SETNS },
};

struct word {
	enum call call;
	uint64_t flags;
	unsigned char at[FIELDS];
};

/* Words of flags with which each argument goes through all its values. */
static const uint64_t clone_flags[] = {
	SIGCHLD, CLONE_NEWPID | SIGCHLD, THREAD, THREAD | CLONE_SETTLS, THREAD | CLONE_NEWPID,
	CLONE_PIDFD | SIGCHLD, CLONE_PIDFD | CLONE_NEWPID, CLONE_PIDFD | THREAD,
	CLONE_PIDFD | CLONE_PARENT_SETTID, CLONE_PARENT_SETTID, CLONE_SETTLS | CLONE_NEWPID,
	CLONE_SETTLS, CLONE_NEWUSER | CLONE_NEWPID, CLONE_PARENT | CLONE_NEWPID,
};

static const uint64_t clone3_flags[] = {
	0, CLONE_NEWPID, THREAD, THREAD | CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWUSER | CLONE_NEWPID,
	CLONE_PIDFD, CLONE_PIDFD | CLONE_NEWPID, CLONE_PIDFD | THREAD,
	CLONE_PIDFD | CLONE_PARENT_SETTID, INTO_CGROUP, INTO_CGROUP | CLONE_NEWPID,
	INTO_CGROUP | THREAD, AUTOREAP, AUTOREAP | CLONE_NEWPID, CLONE_PARENT,
	CLONE_PARENT | CLONE_NEWPID, CLONE_SETTLS | CLONE_NEWPID, CLONE_SETTLS | THREAD,
	CLONE_NEWNS | CLONE_FS, NEWTIME | CLONE_NEWPID, 1ULL << 63 | CLONE_NEWPID,
};

static const uint64_t setns_flags[] = {
	0, CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNS,
	CLONE_NEWCGROUP, NEWTIME, CLONE_NEWPID | CLONE_NEWNS, CLONE_NEWPID | CLONE_NEWUSER, NS_ALL,
	NS_ALL & ~CLONE_NEWUSER, CLONE_NEWPID | CLONE_FS, CLONE_THREAD, 1, 1U << 31, 0xffffffff,
};

static const struct {
	const uint64_t *flags;
	int count;
	uint64_t known;		/* the flags that the call knows */
} of_call[] = {
	[CLONE] = { clone_flags, SIZE(clone_flags), 0xffffff00 },
	[CLONE3] = { clone3_flags, SIZE(clone3_flags), 0x3fffbfff80 },
	[UNSHARE] = { NULL, 0, NS_ALL | THREAD | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM |
			       EMPTY_MNTNS_OF_UNSHARE },
	[SETNS] = { setns_flags, SIZE(setns_flags), NS_ALL },
};

static uint64_t seed;
static long drawn, total;
static unsigned char *errnos;	/* in memory that the workers share */
static long *next;			/* the number of the next call, for each lane */
static int lane, lanes;			/* one for each CPU */
static int fds[FDS], file_fd, cgroup_fd;
static int dead_ns = -1;		/* a worker's default in the state DEAD */
static enum state state;
/* For the calls: a page, and behind it one that is not there. */
static char *page;
static pid_t tid_here;
static int pidfd_here;

static void die(const char *what)
{
	fprintf(stderr, "sweep: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* splitmix64: one call can be drawn without those before it. */
static uint64_t draw(uint64_t *at)
{
	uint64_t z = *at += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static uint64_t some_flags(enum call call, uint64_t *at)
{
	uint64_t flags = 0, bit;
	int bits;

	switch (draw(at) % 8) {
	case 0:
		return draw(at);
	case 1:
		return (uint32_t)draw(at);
	}
	for (bits = draw(at) % 7; bits; bits--) {
		do
			bit = 1ULL << draw(at) % 64;
		while (!(bit & of_call[call].known));
		/* One that takes long to make: not as often. */
		if (bit != CLONE_NEWNET || draw(at) % 16 == 0)
			flags |= bit;
	}
	if (draw(at) % 4 == 0)
		flags |= CLONE_NEWPID;
	if (call != SETNS && draw(at) % 4 == 0)
		flags |= THREAD;
	/* One of another call, or of none. */
	if (draw(at) % 16 == 0)
		flags |= 1ULL << draw(at) % 64;
	if (call == CLONE && draw(at) % 2)
		flags |= draw(at) % 8 ? SIGCHLD : draw(at) % 128;
	return flags;
}

static struct word drawn_word(long i)
{
	uint64_t at = seed * 0xd1342543de82ef95 + ((uint64_t)i << 20);
	struct word w = { .call = i % CALLS };

	w.flags = some_flags(w.call, &at);
	/* The exit of the child would end or stop the caller. */
	if (w.call == CLONE && ((w.flags & 0xff) == SIGKILL || (w.flags & 0xff) == SIGSTOP))
		w.flags &= ~0xffULL;
	if (w.call == SETNS) {
		w.flags = (uint32_t)w.flags;
		w.at[A_FD] = draw(&at) % FDS;
		/* Half of them a kind that fits. */
		if (draw(&at) % 2)
			w.at[A_FD] = PIDFD_PARENT + draw(&at) % 3;
		return w;
	}
	/* Else most of them would be refused for it. */
	if (w.flags & (CLONE_THREAD | CLONE_PARENT | AUTOREAP))
		w.at[A_SIGNAL] = 1;
	for (int f = 0; f < FIELDS; f++) {
		if (fields[f].calls & 1 << w.call && draw(&at) % 16 == 0)
			w.at[f] = draw(&at) % fields[f].values;
	}
	return w;
}

/* Puts the call with that number into @w; with none of that number, says how many there are. */
static long listed_word(long number, struct word *w)
{
	long count = 0;

	for (enum call call = 0; call < CALLS; call++) {
		for (int f = 0; f < FIELDS; f++) {
			long here = of_call[call].count * fields[f].values;

			if (!(fields[f].calls & 1 << call))
				continue;
			if (w && number >= count && number < count + here) {
				*w = (struct word){ .call = call };
				w->flags = of_call[call].flags[(number - count) / fields[f].values];
				if (w->flags & (CLONE_THREAD | CLONE_PARENT | AUTOREAP))
					w->at[A_SIGNAL] = 1;
				w->at[f] = (number - count) % fields[f].values;
			}
			count += here;
		}
	}
	return count;
}

static struct word word(long i)
{
	struct word w;

	if (i < drawn)
		return drawn_word(i);
	listed_word(i - drawn, &w);
	return w;
}

static const char *value_name(enum field f, int value)
{
	switch (f) {
	case A_SIZE:	return sizes[value].name;
	case A_PLACE:	return places[value];
	case A_SIGNAL:	return exit_signals[value].name;
	case A_STACK:	return stacks[value];
	case A_SET_TID:	return set_tids[value].name;
	case A_CGROUP:	return cgroups[value];
	case A_PIDFD:	return pidfds[value];
	case A_TLS:	return tls[value];
	default:	return fd_names[value];
	}
}

static void list(void)
{
	for (long i = 0; i < total; i++) {
		struct word w = word(i);

		printf("%s %#llx", call_names[w.call], (unsigned long long)w.flags);
		for (int f = 0; f < FIELDS; f++) {
			if (fields[f].calls & 1 << w.call && (w.at[f] || f == A_FD))
				printf(" %s=%s", fields[f].name, value_name(f, w.at[f]));
		}
		printf("\n");
	}
}

/* The child exits at once: it touches no memory, which may be the caller's, with its stack. */
static long call_clone(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	register uint64_t r10 asm("r10") = d, r8 asm("r8") = e;
	long ret;

	asm volatile("syscall\n"
		     "test %%rax, %%rax\n"
		     "jnz 1f\n"
		     "mov %[exit], %%eax\n"
		     "xor %%edi, %%edi\n"
		     "syscall\n"
		     "1:"
		     : "=a"(ret)
		     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), [exit] "i"(SYS_exit)
		     : "rcx", "r11", "cc", "memory");
	return ret;
}

/* An address that is what its name says. */
static uint64_t address(const char *name, const void *there)
{
	if (!strcmp(name, "null"))
		return 0;
	if (!strcmp(name, "kernel"))
		return 0xffffffff81000000;
	if (!strcmp(name, "not_canonical"))
		return 1ULL << 62;
	if (!strcmp(name, "unmapped"))
		return (uint64_t)page + PAGE;
	if (!strcmp(name, "half_unmapped"))
		return (uint64_t)page + PAGE - 4;
	return (uint64_t)there;
}

static uint64_t set_tid(int value, long i)
{
	static int tids[64];
	uint64_t at = address(set_tids[value].place, tids);
	int tid;

	for (size_t level = 0; level < SIZE(tids); level++) {
		tid = level < SIZE(set_tids[value].tids) ? set_tids[value].tids[level] : FREE;
		/*
		 * Another one in each call: others make calls as well, and a thread's becomes free
		 * some time after it is gone.
		 */
		if (tid == FREE)
			tid = FIRST_FREE + i % A_MILLION;
		if (tid == HIGH)
			tid = PID_MAX - 1 - i % 1000;
		tids[level] = tid == OWN ? getpid() : tid;
	}
	if (!strcmp(set_tids[value].place, "half_unmapped"))
		memcpy((void *)at, tids, 4);
	return at;
}

static uint64_t cgroup(int value)
{
	const char *name = cgroups[value];

	return !strcmp(name, "own") ? (uint64_t)cgroup_fd :
	       !strcmp(name, "no_fd") ? NO_FD :
	       !strcmp(name, "regular_file") ? (uint64_t)file_fd :
	       !strcmp(name, "pipe") ? (uint64_t)fds[PIPE] :
	       !strcmp(name, "pid_ns") ? (uint64_t)fds[NS_PID] :
	       !strcmp(name, "int_max+1") ? 1ULL << 31 :
	       !strcmp(name, "max") ? ~0ULL : 0;
}

static void set_stack(struct args *args, const char *name)
{
	static char stack[PAGE];

	if (!strcmp(name, "none"))
		return;
	args->stack = (uint64_t)stack;
	args->stack_size = sizeof(stack);
	if (!strcmp(name, "no_size"))
		args->stack_size = 0;
	else if (!strcmp(name, "no_address"))
		args->stack = 0;
	else if (!strcmp(name, "kernel"))
		args->stack = 0xffffffff81000000;
	else if (!strcmp(name, "wraps"))
		args->stack_size = ~0ULL;
}

static long call_clone3(const struct word *w, long i)
{
	uint64_t size = sizes[w->at[A_SIZE]].size, at;
	static pid_t child_tid;
	static char thread_area[64];
	struct args args = {
		.flags = w->flags,
		.pidfd = address(pidfds[w->at[A_PIDFD]], &pidfd_here),
		.child_tid = (uint64_t)&child_tid,
		.parent_tid = (uint64_t)&tid_here,
		.exit_signal = exit_signals[w->at[A_SIGNAL]].value,
		.tls = address(tls[w->at[A_TLS]], thread_area),
		.set_tid_size = set_tids[w->at[A_SET_TID]].size,
		.cgroup = w->flags & INTO_CGROUP ? cgroup(w->at[A_CGROUP]) : 0,
	};

	/* What an earlier call has left where this one may have to be zero. */
	memset(page + PAGE - 64, 0, 64);
	args.set_tid = set_tid(w->at[A_SET_TID], i);
	set_stack(&args, stacks[w->at[A_STACK]]);
	if (!strcmp(pidfds[w->at[A_PIDFD]], "same_as_parent_tid"))
		args.pidfd = args.parent_tid;
	if (sizes[w->at[A_SIZE]].more)
		memset(args.more, 1, sizeof(args.more));
	at = address(places[w->at[A_PLACE]], page);
	if (at == (uint64_t)page) {
		/* Zero as far as any size goes that the kernel reads. */
		memcpy(page, &args, sizeof(args));
	} else if (at == (uint64_t)page + PAGE - 4) {
		/* Readable up to the middle. */
		at = (uint64_t)page + PAGE - 40;
		memcpy((void *)at, &args, 40);
	}
	return call_clone(SYS_clone3, at, size, 0, 0, 0);
}

/* The child is gone when this returns; its pid may not be. */
static void reap(const struct word *w, pid_t pid)
{
	bool pidfd_there = !strcmp(pidfds[w->at[A_PIDFD]], "there");

	if (w->flags & CLONE_PIDFD) {
		int fd = w->call == CLONE ? tid_here :
			 pidfd_there ? pidfd_here : tid_here;

		if (fd > 2)
			close(fd);
	}
	if (w->flags & CLONE_THREAD) {
		while (!syscall(SYS_tgkill, getpid(), pid, 0))
			sched_yield();
	} else if (w->flags & CLONE_PARENT) {
		/* It is the director who waits for it. */
		while (!kill(pid, 0))
			sched_yield();
	} else {
		/* One that is reaped by itself makes this fail, but not before it is gone. */
		waitpid(pid, NULL, __WALL);
	}
}

static int call_once(const struct word *w, long i)
{
	static pid_t child_tid;
	static char thread_area[64];
	long ret;

	switch (w->call) {
	case CLONE:
		ret = call_clone(SYS_clone, w->flags, 0,
				 address(pidfds[w->at[A_PIDFD]], &tid_here), (uint64_t)&child_tid,
				 address(tls[w->at[A_TLS]], thread_area));
		break;
	case CLONE3:
		ret = call_clone3(w, i);
		break;
	case UNSHARE:
		ret = syscall(SYS_unshare, w->flags) ? -errno : 0;
		break;
	default:
		ret = syscall(SYS_setns, fds[w->at[A_FD]], w->flags) ? -errno : 0;
	}
	if (ret > 0)
		reap(w, ret);
	return ret < 0 ? -ret : 0;
}

/* As long as the parent is there. */
static void wait_for_the_end(void)
{
	must(prctl(PR_SET_PDEATHSIG, SIGKILL));
	for (;;)
		pause();
}

static pid_t start_init(unsigned long flags)
{
	pid_t pid = must(syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0));

	if (pid)
		return pid;
	wait_for_the_end();
	return 0;
}

static int open_ns(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	return must(open(path, O_RDONLY | O_CLOEXEC));
}

/* Brings the caller, fresh but for its default pid namespace, into the state. */
static void enter_state(enum call call)
{
	pid_t pid;

	if (state == DEAD && dead_ns >= 0) {
		must(setns(dead_ns, CLONE_NEWPID));
		return;
	}
	if (state == FRESH)
		return;
	must(unshare(CLONE_NEWPID));
	/* Else the first child would be the init, and its exit the end of the namespace. */
	if (state == DEAD || call == CLONE || call == CLONE3) {
		pid = start_init(0);
		if (state == DEAD) {
			dead_ns = open_ns(getpid(), "pid_for_children");
			must(kill(pid, SIGKILL));
			must(waitpid(pid, NULL, 0));
		}
	}
}

/* Undoes a call that succeeded; false if it cannot be undone. */
static bool undo(const struct word *w)
{
	int fd = w->at[A_FD];
	uint64_t kinds = w->flags & NS_ALL;

	if (w->call == UNSHARE) {
		if (w->flags & CLONE_NEWUSER)
			return false;
		if (w->flags & EMPTY_MNTNS_OF_UNSHARE)
			kinds |= CLONE_NEWNS;
	} else if (fd == CHILD_USER || (fd >= PIDFD_PARENT && w->flags & CLONE_NEWUSER)) {
		return false;
	} else if (fd < PIDFD_PARENT) {
		kinds = fd == CHILD_PID || fd == CHILD_PID_DEAD ? CLONE_NEWPID :
			NS_ALL & ~CLONE_NEWUSER;
	}
	if (kinds)
		must(setns(fds[PIDFD_PARENT], kinds));
	if (kinds & CLONE_NEWPID || (w->call == SETNS && fd < PIDFD_PARENT))
		enter_state(w->call);
	return true;
}

static void ignore_signals(void)
{
	/* As the kernel has it: that of the C library keeps two signals for itself. */
	const struct { void (*handler)(int); unsigned long flags; void *restorer; uint64_t mask; }
		ignore = { .handler = SIG_IGN };

	for (int sig = 1; sig <= 64; sig++) {
		if (sig != SIGKILL && sig != SIGSTOP && sig != SIGCHLD)
			must(syscall(SYS_rt_sigaction, sig, &ignore, NULL, 8));
	}
}

/* Goes on where the last worker ended, as far as possible. */
static void work(enum call call)
{
	double shown = now();

	/* A child may end with any of them. */
	ignore_signals();
	fds[PIDFD_SELF] = must(syscall(SYS_pidfd_open, getpid(), 0));
	enter_state(call);
	for (; next[lane] < total; next[lane]++) {
		long i = next[lane];
		struct word w = word(i);

		if (w.call != call || i / CALLS % lanes != lane)
			continue;
		errnos[i] = call_once(&w, i);
		if (call >= UNSHARE && !errnos[i] && !undo(&w)) {
			next[lane]++;
			break;
		}
		if (!lane && now() > shown + 10) {
			shown = now();
			printf("# %s %s: call %ld of %ld\n", state_names[state], call_names[call],
			       i, total);
			fflush(stdout);
		}
	}
	_exit(0);
}

/*
 * Has workers make the calls of one lane, each where the one before had to end.  The children that
 * are born as ours are reaped as well.
 */
static void follow_lane(enum call call)
{
	cpu_set_t cpu;
	int status = 0;
	pid_t worker, pid;

	CPU_ZERO(&cpu);
	CPU_SET(lane, &cpu);
	must(sched_setaffinity(0, sizeof(cpu), &cpu));
	next[lane] = 0;
	while (next[lane] < total) {
		worker = must(fork());
		if (!worker)
			work(call);
		do
			pid = must(waitpid(-1, &status, __WALL));
		while (pid != worker);
		if (status) {
			struct word w = word(next[lane]);

			fprintf(stderr, "sweep: %s: the caller ended with %#x in call %ld, %s %#llx\n",
				state_names[state], status, next[lane], call_names[w.call],
				(unsigned long long)w.flags);
			exit(1);
		}
	}
}

static void sweep(enum call call)
{
	pid_t followers[CPU_SETSIZE];
	bool failed = false;
	int status;

	for (lane = 0; lane < lanes; lane++) {
		followers[lane] = must(fork());
		if (!followers[lane]) {
			follow_lane(call);
			exit(0);
		}
	}
	for (lane = 0; lane < lanes; lane++) {
		must(waitpid(followers[lane], &status, 0));
		failed |= status;
	}
	if (failed)
		exit(1);
}

static void print_errnos(void)
{
	for (long first = 0; first < total; first += LINE) {
		printf("sweep %s %ld ", state_names[state], first);
		for (long i = first; i < total && i < first + LINE; i++)
			printf("%02x", errnos[i]);
		printf("\n");
	}
	fflush(stdout);
}

static void open_fds(void)
{
	int ends[2];
	pid_t pid;

	for (int i = NS_PID; i <= NS_TIME_CHILDREN; i++)
		fds[i] = open_ns(getpid(), fd_names[i]);

	pid = start_init(CLONE_NEWPID);
	fds[CHILD_PID_DEAD] = open_ns(pid, "pid");
	must(kill(pid, SIGKILL));
	must(waitpid(pid, NULL, 0));

	/* These two stay until we exit. */
	pid = start_init(CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWUTS);
	fds[CHILD_PID] = open_ns(pid, "pid");
	fds[CHILD_USER] = open_ns(pid, "user");
	fds[CHILD_UTS] = open_ns(pid, "uts");
	fds[PIDFD_CHILD] = must(syscall(SYS_pidfd_open, pid, 0));
	fds[PIDFD_PARENT] = must(syscall(SYS_pidfd_open, getpid(), 0));

	must(pipe2(ends, O_CLOEXEC));
	fds[PIPE] = ends[0];
	file_fd = fds[REGULAR] = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	fds[DIRECTORY] = must(open("/", O_RDONLY | O_CLOEXEC));
	fds[PATH] = must(open("/proc/self/ns/pid", O_PATH | O_CLOEXEC));
	cgroup_fd = must(open(CGROUP, O_RDONLY | O_CLOEXEC));
	fds[CLOSED] = NO_FD;
	fds[MINUS_ONE] = -1;
	fds[INT_LOWEST] = INT32_MIN;

	pid = must(fork());
	if (!pid)
		_exit(0);
	fds[PIDFD_GONE] = must(syscall(SYS_pidfd_open, pid, 0));
	must(waitpid(pid, NULL, 0));
}

/* Its parent must not reap it: it is another process's, which stays until we exit. */
static void open_zombie(void)
{
	siginfo_t info;
	int ends[2];
	pid_t pid;

	must(pipe2(ends, O_CLOEXEC));
	if (!must(fork())) {
		pid = must(fork());
		if (!pid)
			_exit(0);
		must(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
		must(write(ends[1], &pid, sizeof(pid)));
		wait_for_the_end();
	}
	must(read(ends[0], &pid, sizeof(pid)));
	fds[PIDFD_ZOMBIE] = must(syscall(SYS_pidfd_open, pid, 0));
}

static void *shared(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("mmap");
	return at;
}

/* What a call may say must not depend on how fast others are gone. */
static void lift_limits(void)
{
	static const char *const kinds[] = {
		"user", "pid", "net", "uts", "ipc", "mnt", "cgroup", "time",
	};
	char path[64];

	put_text("/proc/sys/kernel/pid_max", "4194304");
	for (size_t i = 0; i < SIZE(kinds); i++) {
		snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", kinds[i]);
		put_text(path, "1000000");
	}
}

static void run(void)
{
	mkdir(CGROUP, 0755);
	put_text(CGROUP "/cgroup.procs", "0");
	lift_limits();
	lanes = must(sysconf(_SC_NPROCESSORS_ONLN));
	next = shared(lanes * sizeof(*next));
	page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* Unmapped it would be where the next mapping comes. */
	must(mprotect(page + PAGE, PAGE, PROT_NONE));
	open_zombie();
	open_fds();
	errnos = shared(total);
	for (enum call call = 0; call < CALLS; call++) {
		double from = now();

		sweep(call);
		printf("# %s %s: %.0f s\n", state_names[state], call_names[call], now() - from);
		fflush(stdout);
	}
	print_errnos();
}

/* The one of that name, or none. */
static enum state state_of(const char *name)
{
	enum state found = 0;

	while (found < STATES && strcmp(name, state_names[found]))
		found++;
	return found;
}

int main(int argc, char **argv)
{
	state = argc == 4 ? state_of(argv[1]) : STATES;
	if (argc != 4 || (state == STATES && strcmp(argv[1], "list"))) {
		fprintf(stderr, "usage: sweep list|STATE SEED COUNT\n");
		return 2;
	}
	seed = strtoull(argv[2], NULL, 0);
	drawn = atol(argv[3]);
	total = drawn + listed_word(-1, NULL);
	if (state == STATES)
		list();
	else
		run();
	return 0;
}
