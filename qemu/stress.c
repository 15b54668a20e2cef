// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress MODULE ROUNDS
 *
 * Loads and unloads the module, ROUNDS times, while all that it has to do with is done at once:
 * see the table of loads.  Each load checks what it sees; the kernel, built to check itself, says
 * on its console what it finds.  In the end what was made must be gone again, by the count of the
 * slab caches.  Prints KTAP.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE _IO(0xFF, 6)
#define FAILSLAB "/sys/kernel/debug/failslab/"
#define PARAMETERS "/sys/module/pidns/parameters/"
#define SLOTS 16
#define MAKERS 3

/* A process whose default pid namespace is known and stays so, for others to look at. */
struct slot {
	_Atomic unsigned int turn;	/* odd while it is not to be looked at */
	_Atomic pid_t pid;
	_Atomic unsigned long dflt;	/* the inode number of the namespace */
};

static struct shared {
	_Atomic bool wrong;
	_Atomic unsigned long threads, refused, created, workers, looks, failed_allocations;
	_Atomic unsigned long kills, set_tids, pidfds, joins;
	/* Clones that were held up, where their pidfd is written and where they have failed. */
	_Atomic unsigned long held_by_memory, held_by_file;
	_Atomic unsigned long busy;	/* how often rmmod found the module in use */
	_Atomic bool fails;		/* a clone is under way that fails */
	struct slot slots[SLOTS];
} *shared;

static pid_t stress;
static pid_t pid_max;

static void wrong(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("# wrong: ", stdout);
	vfprintf(stdout, format, args);
	fputs("\n", stdout);
	va_end(args);
	shared->wrong = true;
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return ok ? 0 : -1;
}

/* A number from a file; 0 if there is none. */
static unsigned long number_in(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) < 0)
			text[0] = 0;
		close(fd);
	}
	return strtoul(text, NULL, 10);
}

static uint32_t dice(uint32_t sides)
{
	static _Thread_local uint64_t state;

	if (!state)
		state = 88172645463325252ull ^ ((uint64_t)syscall(SYS_gettid) << 20);
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % sides;
}

/* In how many namespaces has the calling thread a pid, as this procfs shows them? 0: unknown. */
static int depth(void)
{
	char text[4096], *at;
	int fd = open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	int count = 0;

	if (fd >= 0)
		close(fd);
	if (size <= 0)
		return 0;
	text[size] = 0;
	at = strstr(text, "\nNSpid:");
	if (!at)
		return 0;
	for (at += 7; *at && *at != '\n'; at++)
		count += *at == '\t';
	return count;
}

static unsigned long inode(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

/* Forks; the child dies with its parent. */
static pid_t fork_child(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* Gives the caller a default namespace that has an init. */
static bool make_odd(void)
{
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return false;
	pid = fork_child();
	if (!pid) {
		if (depth() > 2 || getpid() != 1)
			wrong("the first child after unshare() is not the init of a child");
		for (;;)
			pause();
	}
	return pid > 0;
}

/* A child of an odd task is born in its default namespace. */
static void check_child(const char *whose)
{
	pid_t pid = fork_child();

	if (!pid) {
		int at = depth();

		if (at && at != 2)
			wrong("a child of %s has pids in %d namespaces, not in 2", whose, at);
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, __WALL);
}

static void *thread(void *unused)
{
	int at = depth();

	if (at && at != 1)
		wrong("a thread has pids in %d namespaces, not in the one of its group", at);
	shared->threads++;
	if (!dice(4))
		check_child("a thread");
	return unused;
}

static int start_thread(pthread_t *id)
{
	int err = pthread_create(id, NULL, thread, NULL);

	if (err == EINVAL)
		shared->refused++;
	else if (err && err != EAGAIN && err != ENOMEM)
		wrong("a thread: %s", strerror(err));
	return err;
}

/* Threads, and children between them, of a process that others look at. */
static void make_threads(struct slot *slot)
{
	if (!make_odd())
		_exit(0);
	slot->pid = getpid();
	slot->dflt = inode("/proc/self/ns/pid_for_children");
	slot->turn++;
	for (int i = 0; i < 30; i++) {
		pthread_t ids[4];
		int count = 0;

		while (count < 4 && !start_thread(&ids[count]))
			count++;
		if (!dice(3))
			check_child("a maker");
		while (count--)
			pthread_join(ids[count], NULL);
		usleep(dice(2000));
	}
	_exit(0);
}

static void load_threads(int number)
{
	struct slot *slot = &shared->slots[number];
	pid_t pid = fork_child();

	if (!pid)
		make_threads(slot);
	if (pid < 0)
		return;
	waitpid(pid, NULL, __WALL);
	/* It may have been killed before it said that it may be looked at. */
	if (!(slot->turn & 1))
		return;
	slot->turn++;
}

struct args3 {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};

/* clone3() of a thread that ends at once, without a look at its stack; CLONE_FILES is as asked. */
static long clone_thread(struct args3 *args)
{
	static char stack[4096];
	long result;

	args->flags |= CLONE_VM | CLONE_FS | CLONE_SIGHAND | CLONE_SYSVSEM | CLONE_THREAD;
	args->stack = (uintptr_t)stack;
	args->stack_size = sizeof(stack);
	asm volatile("syscall\n\t"
		     "test %%rax, %%rax\n\t"
		     "jnz 1f\n\t"
		     "mov %[exit], %%eax\n\t"
		     "xor %%edi, %%edi\n\t"
		     "syscall\n"
		     "1:"
		     : "=a"(result)
		     : "0"((long)SYS_clone3), "D"(args), "S"(sizeof(*args)), [exit] "i"(SYS_exit)
		     : "rcx", "r11", "memory", "cc");
	return result;
}

static void in_child(void (*fn)(void))
{
	pid_t pid = fork_child();

	if (!pid) {
		if (make_odd())
			fn();
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, __WALL);
}

/* Threads with a pid that is asked for, with a pidfd, and with namespaces of their own. */
static void make_special_threads(void)
{
	for (int i = 0; i < 40; i++) {
		/* Any other would be EINVAL, as it is without the module. */
		pid_t tid = pid_max / 2 + dice(pid_max / 2);
		int pidfd = -1;
		struct args3 args = { .flags = CLONE_FILES };
		long got;

		switch (dice(3)) {
		case 0:
			args.set_tid = (uintptr_t)&tid;
			args.set_tid_size = 1;
			got = clone_thread(&args);
			if (got > 0 && got != tid)
				wrong("a thread with the pid %d asked for has %ld", tid, got);
			shared->set_tids += got > 0;
			break;
		case 1:
			args.flags |= CLONE_PIDFD;
			args.pidfd = (uintptr_t)&pidfd;
			got = clone_thread(&args);
			if (got > 0)
				close(pidfd);
			shared->pidfds += got > 0;
			break;
		default:
			args.flags |= CLONE_NEWUTS;
			got = clone_thread(&args);
			break;
		}
		if (got < 0 && got != -EINVAL && got != -EEXIST && got != -EAGAIN && got != -ENOMEM)
			wrong("a special thread: %s", strerror(-got));
		shared->threads += got > 0;
		shared->refused += got == -EINVAL;
	}
}

static void load_special_threads(int unused)
{
	in_child(make_special_threads);
}

/* One namespace after another. */
static void make_namespaces(void)
{
	for (int i = 0; i < 20; i++) {
		pid_t pid;

		if (unshare(CLONE_NEWPID))
			shared->refused++;
		else
			shared->created++;
		pid = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
		if (!pid) {
			int at = depth();

			if (getpid() != 1 || (at && at != 2))
				wrong("a new namespace does not lie below the active one");
			_exit(0);
		}
		if (pid < 0) {
			shared->refused++;
			continue;
		}
		shared->created++;
		waitpid(pid, NULL, __WALL);
	}
}

static void load_namespaces(int unused)
{
	in_child(make_namespaces);
}

/* Is what was seen of a slot what was there all the time? */
static void check_look(const struct slot *slot, unsigned int turn, unsigned long dflt,
		       unsigned long seen, const char *how)
{
	if (!seen || slot->turn != turn)
		return;
	shared->looks++;
	if (seen != dflt)
		wrong("by %s the default namespace of a maker seemed to be %lu, not %lu", how,
		      seen, dflt);
}

/* Looks at makers in the middle of a clone, in each way that there is. */
static void load_looks(int unused)
{
	const struct slot *slot = &shared->slots[dice(MAKERS)];
	unsigned int turn = slot->turn;
	pid_t pid = slot->pid;
	unsigned long dflt = slot->dflt;
	char path[64];
	struct stat st;
	int pidfd, fd;

	if (!(turn & 1) || slot->turn != turn) {
		usleep(200);
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/pid_for_children", pid);
	check_look(slot, turn, dflt, inode(path), "/proc");
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return;
	fd = ioctl(pidfd, PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE, 0);
	if (fd >= 0) {
		check_look(slot, turn, dflt, fstat(fd, &st) ? 0 : st.st_ino, "ioctl()");
		if (!dice(2) && !setns(fd, CLONE_NEWPID)) {
			check_child("who has joined by a file");
			shared->joins++;
		}
		close(fd);
	}
	if (!setns(pidfd, CLONE_NEWPID | (dice(2) ? CLONE_NEWUTS : 0)))
		shared->joins++;
	close(pidfd);
	fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		setns(fd, CLONE_NEWPID);
		close(fd);
	}
}

/* Reads all of a maker's threads in /proc. */
static void load_proc(int unused)
{
	pid_t pid = shared->slots[dice(MAKERS)].pid;
	char path[300], text[4096];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = pid ? opendir(path) : NULL;
	if (!dir) {
		usleep(200);
		return;
	}
	while ((entry = readdir(dir))) {
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/task/%s/status", pid, entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		while (read(fd, text, sizeof(text)) > 0)
			;
		close(fd);
	}
	closedir(dir);
}

/* Threads that the kernel makes: the poller of a ring, and a worker for a request. */
static void make_workers(void)
{
	for (int i = 0; i < 10; i++) {
		struct io_uring_params params = { .flags = IORING_SETUP_SQPOLL };
		char *rings;
		struct io_uring_sqe *sqes;
		int fd = syscall(SYS_io_uring_setup, 4, &params);

		if (fd >= 0) {
			shared->workers++;
			close(fd);
		} else if (errno == EINVAL) {
			shared->refused++;
		}
		params = (struct io_uring_params){};
		fd = syscall(SYS_io_uring_setup, 4, &params);
		if (fd < 0)
			continue;
		rings = mmap(NULL, params.sq_off.array + 4 * sizeof(uint32_t),
			     PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
		sqes = mmap(NULL, 4 * sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			    IORING_OFF_SQES);
		if (rings != MAP_FAILED && sqes != MAP_FAILED) {
			sqes[0] = (struct io_uring_sqe){ .opcode = IORING_OP_NOP,
							 .flags = IOSQE_ASYNC };
			*(uint32_t *)(rings + params.sq_off.array) = 0;
			__atomic_store_n((uint32_t *)(rings + params.sq_off.tail), 1,
					 __ATOMIC_RELEASE);
			syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
		}
		close(fd);
	}
}

static void load_workers(int unused)
{
	in_child(make_workers);
}

static bool can_fail;

/* Each of the next allocations fails, one at a time. */
static void fail_allocations(void)
{
	for (int nth = 1; nth <= 60; nth++) {
		struct args3 args = { .flags = dice(2) ? CLONE_FILES : 0 };
		int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
		char text[16];
		long got;

		if (fd < 0)
			return;
		dprintf(fd, "%d", nth);
		switch (dice(3)) {
		case 0:
			got = unshare(CLONE_NEWPID) ? -errno : 0;
			break;
		case 1:
			got = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
			if (!got)
				_exit(0);
			got = got < 0 ? -errno : 0;
			break;
		default:
			got = clone_thread(&args);
			break;
		}
		if (pread(fd, text, sizeof(text), 0) > 0 && text[0] == '0')
			shared->failed_allocations++;
		if (pwrite(fd, "0", 1, 0) != 1)
			wrong("fail-nth cannot be reset");
		close(fd);
		while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
			;
		if (got < 0 && got != -ENOMEM && got != -EINVAL && got != -EAGAIN && got != -ENOSPC)
			wrong("after a failed allocation: %s", strerror(-got));
	}
}

static void load_failures(int unused)
{
	in_child(fail_allocations);
}

/* Holds up a clone until rmmod, which is not to wait for it, has refused for a while. */
static void hold(_Atomic unsigned long *held)
{
	unsigned long enough = shared->busy + 20;

	for (int i = 0; i < 30000 && shared->busy < enough; i++)
		usleep(1000);
	*held += shared->busy >= enough;
}

/* Until the module is there, as a rule: without it the clone is refused and nothing held up. */
static long clone_to_hold(struct args3 *args)
{
	long got = clone_thread(args);

	for (int i = 0; i < 3000 && got == -EINVAL; i++) {
		shared->refused++;
		usleep(1000);
		got = clone_thread(args);
	}
	return got;
}

static int *held_pidfd;

/* Its clone is stuck until the page of its pidfd is there. */
static void *make_with_held_pidfd(void *unused)
{
	struct args3 args = { .flags = CLONE_FILES | CLONE_PIDFD,
			      .pidfd = (uintptr_t)held_pidfd };

	if (make_odd()) {
		long got = clone_to_hold(&args);

		if (got < 0 && got != -EINVAL && got != -ENOMEM)
			wrong("a thread with a pidfd that is held up: %s", strerror(-got));
	}
	return unused;
}

static void hold_by_memory(void)
{
	long uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct pollfd poll_fd = { .fd = uffd, .events = POLLIN };
	struct uffdio_zeropage page;
	bool returned = false;
	pthread_t id;
	int asked;

	held_pidfd = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (uintptr_t)held_pidfd;
	range.range.len = 4096;
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &range) ||
	    pthread_create(&id, NULL, make_with_held_pidfd, NULL))
		return;
	do {
		asked = poll(&poll_fd, 1, 100);
		returned = !asked && !pthread_tryjoin_np(id, NULL);
	} while (!asked && !returned);
	if (returned)
		return;
	if (asked == 1)
		hold(&shared->held_by_memory);
	page = (struct uffdio_zeropage){ .range = range.range };
	ioctl(uffd, UFFDIO_ZEROPAGE, &page);
	pthread_join(id, NULL);
}

/* The clone fails, as its own pid is taken, and then gives back the files that it has copied. */
static void make_with_held_file(const char *path)
{
	pid_t tid = getpid();
	struct args3 args = { .set_tid = (uintptr_t)&tid, .set_tid_size = 1 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long got;

	if (fd < 0) {
		wrong("%s: %s", path, strerror(errno));
		_exit(0);
	}
	if (make_odd()) {
		shared->fails = true;
		got = clone_to_hold(&args);
		shared->fails = false;
		if (got != -EEXIST && got != -EINVAL && got != -ENOMEM)
			wrong("a thread with a pid that is taken: %s",
			      got < 0 ? strerror(-got) : "it was made");
	}
	_exit(0);
}

/*
 * The server of a file system that is one file, as long as its user lives: holds up the clone
 * that closes it.
 */
static void serve(int fuse, pid_t user)
{
	static char in[1 << 16];
	const struct fuse_in_header *asked = (void *)in;
	struct pollfd poll_fd = { .fd = fuse, .events = POLLIN };

	for (;;) {
		int ready = poll(&poll_fd, 1, 100);
		struct {
			struct fuse_out_header header;
			struct fuse_init_out init;
		} out = { .header.len = sizeof(out.header) };

		if (!ready && !waitpid(user, NULL, WNOHANG | __WALL))
			continue;
		if (ready != 1 || read(fuse, in, sizeof(in)) <= 0)
			return;
		out.header.unique = asked->unique;
		switch (asked->opcode) {
		case FUSE_INIT:
			out.header.len = sizeof(out);
			out.init = (struct fuse_init_out){ .major = FUSE_KERNEL_VERSION,
							   .minor = FUSE_KERNEL_MINOR_VERSION,
							   .max_write = 4096 };
			break;
		case FUSE_FLUSH:
			if (shared->fails)
				hold(&shared->held_by_file);
			break;
		case FUSE_FORGET:
		case FUSE_BATCH_FORGET:
		case FUSE_INTERRUPT:
			continue;
		default:
			out.header.error = -ENOSYS;
		}
		if (write(fuse, &out, out.header.len) < 0 && errno != ENOENT)
			wrong("FUSE: %s", strerror(errno));
	}
}

static void hold_by_file(void)
{
	int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char path[] = "/tmp/stress-XXXXXX", options[64];
	int file = mkstemp(path);
	pid_t pid;

	snprintf(options, sizeof(options), "fd=%d,rootmode=100600,user_id=0,group_id=0", fuse);
	if (fuse < 0 || file < 0 || unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("fuse", path, "fuse", 0, options)) {
		wrong("no file system in user space: %s", strerror(errno));
	} else {
		pid = fork_child();
		if (!pid) {
			close(fuse);
			make_with_held_file(path);
		}
		serve(fuse, pid);
		/* Whatever waits for an answer gets none, but ends. */
		close(fuse);
		if (pid > 0)
			waitpid(pid, NULL, __WALL);
		umount2(path, MNT_DETACH);
	}
	unlink(path);
}

/* User space holds up a clone in its middle: where its pidfd is written, or where it has failed. */
static void load_stalls(int unused)
{
	pid_t pid = fork_child();

	if (!pid) {
		if (dice(2))
			hold_by_memory();
		else
			hold_by_file();
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, __WALL);
	/* Else rmmod would refuse in each round. */
	usleep(dice(3000000));
}

/* Kills makers, whatever they are doing. */
static void load_kills(int unused)
{
	const struct slot *slot = &shared->slots[dice(MAKERS)];

	usleep(20000 + dice(50000));
	if ((slot->turn & 1) && !kill(slot->pid, SIGKILL))
		shared->kills++;
}

static const struct load {
	const char *name;
	void (*fn)(int number);
	int count;
} loads[] = {
	{ "threads", load_threads, MAKERS },
	{ "special threads", load_special_threads, 1 },
	{ "namespaces", load_namespaces, 1 },
	{ "looks", load_looks, 1 },
	{ "proc", load_proc, 1 },
	{ "workers", load_workers, 1 },
	{ "failures", load_failures, 1 },
	{ "stalls", load_stalls, 1 },
	{ "kills", load_kills, 1 },
};

/* The process group of all loads and what they make. */
static pid_t group;

static void start(void)
{
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		for (int number = 0; number < loads[i].count; number++) {
			pid_t pid = fork_child();

			if (pid < 0)
				wrong("fork: %s", strerror(errno));
			group = group ? group : pid;
			setpgid(pid, group);
			if (pid)
				continue;
			/* Else hardly a round would come to its end. */
			nice(10);
			while (getppid() == stress)
				loads[i].fn(number);
			_exit(0);
		}
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* How many objects of a slab cache are in use? */
static long objects(const char *cache)
{
	char line[512], name[64];
	FILE *file;
	long count, found = -1;

	/* KASAN keeps what was freed for a while: until the cache is shrunk. */
	snprintf(line, sizeof(line), "/sys/kernel/slab/%s/shrink", cache);
	if (write_text(line, "1"))
		wrong("%s cannot be shrunk: %s", cache, strerror(errno));
	file = fopen("/proc/slabinfo", "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %ld", name, &count) == 2 && !strcmp(name, cache))
			found = count;
	}
	if (file)
		fclose(file);
	return found;
}

static const char *const caches[] = { "nsproxy", "pid_namespace", "pid_2" };
#define CACHES ((int)(sizeof(caches) / sizeof(caches[0])))

/* Seconds: for a module that nobody uses, and for one in use. */
static double longest, longest_refusal;

static bool load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool loaded = fd >= 0 && !syscall(SYS_finit_module, fd, "", 0);

	if (!loaded)
		wrong("insmod %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return loaded;
}

static void at_least(double *most, double value)
{
	if (value > *most)
		*most = value;
}

static bool unload_module(void)
{
	const double began = now();
	double last = began;

	/* In use while a clone is inside. */
	while (syscall(SYS_delete_module, "pidns", O_NONBLOCK)) {
		if (errno != EAGAIN || now() > began + 60) {
			wrong("rmmod: %s", strerror(errno));
			return false;
		}
		at_least(&longest_refusal, now() - last);
		shared->busy++;
		usleep(1000);
		last = now();
	}
	at_least(&longest, now() - last);
	return true;
}

static bool failed;

static void verdict(bool ok, const char *name)
{
	static int number;

	failed |= !ok;
	printf("%sok %d stress.%s\n", ok ? "" : "not ", ++number, name);
}

/* What the loads have done: what was never done shows nothing. */
static bool counts(unsigned long below_active, unsigned long thread_in_active)
{
	const struct {
		const char *name;
		unsigned long count;
	} done[] = {
		{ "threads", shared->threads },
		{ "threads with a pid that was asked for", shared->set_tids },
		{ "threads with a pidfd", shared->pidfds },
		{ "threads of the kernel", shared->workers },
		{ "namespaces", shared->created },
		{ "calls refused, as the module was not there", shared->refused },
		{ "namespaces by the module's count", below_active },
		{ "threads by the module's count", thread_in_active },
		{ "clones held up where their pidfd is written", shared->held_by_memory },
		{ "clones held up where they have failed", shared->held_by_file },
		{ "looks at a default namespace", shared->looks },
		{ "joins of one", shared->joins },
		{ "kills", shared->kills },
	};
	bool all = true;

	for (size_t i = 0; i < sizeof(done) / sizeof(done[0]); i++) {
		printf("# %lu %s\n", done[i].count, done[i].name);
		all = all && done[i].count;
	}
	printf("# %lu allocations that failed\n", shared->failed_allocations);
	return all && (shared->failed_allocations || !can_fail);
}

int main(int argc, char **argv)
{
	unsigned long below_active = 0, thread_in_active = 0;
	long before[CACHES], after[CACHES], rounds, round = 0;
	bool ok = true, gone = false;

	if (argc != 3) {
		fprintf(stderr, "usage: stress MODULE ROUNDS\n");
		return 2;
	}
	rounds = strtol(argv[2], NULL, 10);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		return 2;
	/* Who loses its parent comes back to this process. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	stress = getpid();
	setvbuf(stdout, NULL, _IOLBF, 0);
	pid_max = number_in("/proc/sys/kernel/pid_max");
	can_fail = !write_text(FAILSLAB "ignore-gfp-wait", "N") &&
		   !write_text(FAILSLAB "verbose", "0");
	if (!can_fail)
		puts("# this kernel cannot make allocations fail");
	puts("TAP version 13\n1..5");

	/* What is made once and kept is made before the count. */
	if (!fork_child()) {
		make_odd();
		_exit(0);
	}
	wait(NULL);
	sleep(2);
	for (int i = 0; i < CACHES; i++)
		before[i] = objects(caches[i]);

	start();
	while (round < rounds && ok) {
		ok = load_module(argv[1]);
		if (ok) {
			usleep(dice(300000));
			below_active += number_in(PARAMETERS "below_active");
			thread_in_active += number_in(PARAMETERS "thread_in_active");
			ok = unload_module();
		}
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		round++;
		if (!(round % 20))
			printf("# %ld of %ld rounds\n", round, rounds);
	}
	verdict(ok && round == rounds, "module_comes_and_goes_under_load");

	/* Inits too: their maker may have died before they could ask to die with it. */
	while (!kill(-group, SIGKILL)) {
		while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
			;
		usleep(10000);
	}
	verdict(!shared->wrong, "nobody_sees_anything_wrong");
	verdict(counts(below_active, thread_in_active), "nothing_was_left_undone");
	printf("# rmmod took %.1f s at most; refused %lu times, in %.1f s at most\n", longest,
	       shared->busy, longest_refusal);
	verdict(shared->held_by_memory && shared->held_by_file && longest < 20,
		"rmmod_waits_for_nobody_whom_user_space_holds_up");

	/* The last of them go after a grace period, by a worker. */
	for (int i = 0; i < 30 && !gone; i++) {
		gone = true;
		sleep(1);
		for (int c = 0; c < CACHES; c++) {
			after[c] = objects(caches[c]);
			gone = gone && after[c] <= before[c];
		}
	}
	for (int c = 0; c < CACHES; c++)
		printf("# %s: %ld objects before, %ld after\n", caches[c], before[c], after[c]);
	verdict(gone, "nothing_is_left");
	return failed;
}
