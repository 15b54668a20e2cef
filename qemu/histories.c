// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does what histories say that the model in model/ has made, and compares what the kernel answers
 * and shows with what they predict:
 *
 *	histories DIRECTORY FIRST LAST [patient]
 *
 * There is a file for each seed.  It is one world: a pid and a user namespace of its own, with a
 * director that is pid 1 there and reads the file, and actors, which are tasks and do one call at a
 * time as they are told.  As the file says what each call makes of the actors, it is known what to
 * wait for, and nothing depends on time; but a kernel that refuses a namespace while one that has
 * ended is not freed yet is asked again by who is patient.  A line of a file is one of
 *
 *	call STEP ACTOR NAME FLAGS A B CHILD OUTER ANSWER STATUS [NUMBER...]
 *	space SLOT ACTOR WHICH		the namespace of that actor is a new one: nSLOT from here on
 *	user SLOT ACTOR			likewise, a user namespace
 *	task ACTOR PID WORDS...		what /proc must show of the actor, or will when it has ended
 *	free PID			the number can be given again, or can soon
 *
 * Prints TAP: a case for each, with the first difference if there is one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
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
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ACTORS	48
#define MAX_SLOTS	256
#define MAX_IDS		4096
#define MAX_NUMBERS	40
#define TEXT		1024
#define LINE		4096
#define HISTORY		16	/* lines shown before a difference */
#define PATIENCE	20000	/* milliseconds for what must come */
#define NO_ANSWER	-1000	/* of a call that ends its caller */
#define STACK		(64 * 1024)
#define PF_EXITING	0x4
#define PF_FORKNOEXEC	0x40
#define ACTOR_FD(actor)	(100 + (actor))	/* an actor's end of its channel, in each program */
#define MOUNTED		"/tmp/mounted"
/* What is newer than some headers: listns(), NS_GET_ID, and NS_GET_PID_FROM_PIDNS and those after it. */
#define LISTNS		470
#define GET_ID		_IOR(0xb7, 13, uint64_t)
#define TRANSLATE(how)	_IOR(0xb7, ((how) & 1 ? 8 : 6) + ((how) >> 1), int)

enum action {
	CLONE, UNSHARE, MAPS, SETNS, SETNS_PIDFD, SETPGID, SETSID, SUBREAPER, KILL, KILL_PIDFD,
	WAIT, EXIT, EXIT_THREAD, EXEC, REBOOT, TRACE, UNTRACE, OPEN, CLOSE, PASS, SHOW, MOUNT,
	UNMOUNT, OPEN_MOUNT, PARENT, OWNER, LIST, TRANSLATE_PID, LIMIT, PID_MAX, LAST_PID, LOOK,
	NR_ACTIONS
};

static const char *const names[NR_ACTIONS] = {
	"clone", "unshare", "maps", "setns", "setns_pidfd", "setpgid", "setsid", "subreaper",
	"kill", "kill_pidfd", "wait", "exit", "exit_thread", "exec", "reboot", "trace", "untrace",
	"open", "close", "pass", "show", "mount", "unmount", "open_mount", "parent", "owner",
	"list", "translate", "limit", "pid_max", "last_pid", "look",
};

struct request {
	enum action action;
	uint64_t flags;
	int a, b;
	int child;
	bool patient;	/* ENOSPC passes when the namespaces that were freed are gone */
	int nr_numbers;
	int numbers[MAX_NUMBERS];
};

struct reply {
	long ret;	/* or a negative errno */
	int status;
};

static int channel[MAX_ACTORS];	/* the director's ends */
static int held = -1;	/* of a process: the namespace that it has open */

/* What actors do. */

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t len = strlen(text);
	bool written;

	if (fd < 0)
		return -1;
	written = write(fd, text, len) == len;
	close(fd);
	return written ? 0 : -1;
}

static int write_maps(int uid, int gid)
{
	char map[32];

	snprintf(map, sizeof(map), "0 %d 1", uid);
	if (write_text("/proc/self/uid_map", map) || write_text("/proc/self/setgroups", "deny"))
		return -1;
	snprintf(map, sizeof(map), "0 %d 1", gid);
	return write_text("/proc/self/gid_map", map);
}

static int __attribute__((noreturn)) play(void *actor);

/*
 * Replaces the program by itself, which is to play @actor with what is open now, and says so first if
 * somebody waits for an answer.
 */
static int play_anew(int actor, bool answers)
{
	char words[3][16];
	char *argv[] = { "histories", "--play", words[0], words[1], words[2], NULL };

	snprintf(words[0], sizeof(words[0]), "%d", actor);
	snprintf(words[1], sizeof(words[1]), "%d", held);
	snprintf(words[2], sizeof(words[2]), "%d", answers);
	/* The leader may have exited before. */
	return execv("/proc/thread-self/exe", argv);
}

/* In the memory of its parent, which waits. */
static int play_elsewhere(void *actor)
{
	play_anew((intptr_t)actor, false);
	_exit(127);
}

static long do_clone(const struct request *request)
{
	struct clone_args args = {
		.flags = request->flags,
		.exit_signal = request->flags & CLONE_PARENT ? 0 : SIGCHLD,
		.set_tid = request->nr_numbers ? (uintptr_t)request->numbers : 0,
		.set_tid_size = request->nr_numbers,
	};
	void *actor = (void *)(intptr_t)request->child;
	char *stack = NULL;
	long pid;

	if (request->flags & (CLONE_THREAD | CLONE_VFORK)) {
		stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
		if (stack == MAP_FAILED)
			return -1;
	}
	if (request->flags & CLONE_VFORK) {
		pid = clone(play_elsewhere, stack + STACK, request->flags | args.exit_signal, actor);
		munmap(stack, STACK);
		return pid;
	}
	if (request->flags & CLONE_THREAD) {
		return clone(play, stack + STACK, request->flags | CLONE_VM | CLONE_FS |
			     CLONE_FILES | CLONE_SIGHAND | CLONE_SYSVSEM, actor);
	}
	/* Half of those that both calls can make. */
	if (request->child % 2 && !request->nr_numbers)
		pid = syscall(__NR_clone, request->flags | SIGCHLD, 0L, 0L, 0L, 0L);
	else
		pid = syscall(__NR_clone3, &args, sizeof(args));
	if (!pid)
		play(actor);
	return pid;
}

/* Takes a file in place of the one that is held. */
static void hold(int fd)
{
	if (held >= 0)
		close(held);
	held = fd;
}

static int write_number(const char *path, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	return write_text(path, text);
}

/* Returns one more than is read: what is read can be -1. */
static int read_number(const char *path)
{
	char text[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) < 0)
		return -1;
	close(fd);
	return atoi(text) + 1;
}

static int do_sysctl(const struct request *request, const char *path)
{
	return request->flags ? write_number(path, request->a) : read_number(path);
}

static int do_untrace(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_INTERRUPT, pid, 0, 0))
		return -1;
	errno = EPROTO;
	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
		return -1;
	return ptrace(PTRACE_DETACH, pid, 0, 0);
}

static int do_reboot(int what)
{
	static const unsigned int commands[] = {
		LINUX_REBOOT_CMD_RESTART, LINUX_REBOOT_CMD_POWER_OFF, LINUX_REBOOT_CMD_HALT,
		LINUX_REBOOT_CMD_CAD_OFF,
	};

	return syscall(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, commands[what], NULL);
}

static long id_of(int fd)
{
	uint64_t id;

	if (ioctl(fd, GET_ID, &id))
		return -1;
	return id;
}

/* The id of a namespace that is related to the one that is open. */
static long id_of_related(unsigned long command)
{
	int fd = ioctl(held, command);
	long id;

	if (fd < 0)
		return -1;
	id = id_of(fd);
	close(fd);
	return id;
}

/* The id of the one that listns() shows. */
static long id_of_listed(void)
{
	struct {
		uint32_t size, spare;
		uint64_t after;
		struct {
			uint32_t type, spare;
			uint64_t owner;
		} of;
	} request = { .size = sizeof(request), .of.type = CLONE_NEWPID };
	uint64_t ids[2];
	long nr = syscall(LISTNS, &request, ids, 2, 0);

	if (nr == 1)
		return ids[0];
	if (nr >= 0)
		errno = ERANGE;
	return -1;
}

/* The file of a namespace is mounted over an empty one. */
static int do_unmount(void)
{
	return umount2(MOUNTED, MNT_DETACH);
}

static int do_mount(void)
{
	char source[32];

	snprintf(source, sizeof(source), "/proc/thread-self/fd/%d", held);
	if (do_unmount() && errno != EINVAL)
		return -1;
	return mount(source, MOUNTED, NULL, MS_BIND, NULL);
}

static int open_mount(void)
{
	int fd = open(MOUNTED, O_RDONLY);

	if (fd < 0)
		return -1;
	if (id_of(fd) < 0) {
		close(fd);
		errno = EBADF;
		return -1;
	}
	hold(fd);
	return 0;
}

/* What is about the file that is open. */
static bool needs_file(enum action action)
{
	return action == CLOSE || action == SHOW || action == MOUNT || action == PARENT ||
	       action == OWNER || action == TRANSLATE_PID;
}

static long act(const struct request *request, int fd, struct reply *reply)
{
	if (held < 0 && needs_file(request->action)) {
		errno = EBADF;
		return -1;
	}
	switch (request->action) {
	case CLONE:
		return do_clone(request);
	case UNSHARE:
		return unshare(request->flags);
	case MAPS:
		return write_maps(0, 0);
	case SETNS:
		return setns(held, CLONE_NEWPID);
	case SETNS_PIDFD:
		return setns(fd, CLONE_NEWPID);
	case SETPGID:
		return setpgid(request->a, request->b);
	case SETSID:
		return setsid();
	case SUBREAPER:
		return prctl(PR_SET_CHILD_SUBREAPER, request->a);
	case KILL:
		return kill(request->a, request->b);
	case KILL_PIDFD:
		return syscall(__NR_pidfd_send_signal, fd, request->b, NULL, 0);
	case WAIT:
		return waitpid(request->a, &reply->status, WNOHANG | __WALL);
	case EXIT:
		_exit(request->a);
	case EXIT_THREAD:
		return syscall(__NR_exit, 0);
	case EXEC:
		return play_anew(request->a, true);
	case REBOOT:
		return do_reboot(request->a);
	case TRACE:
		return ptrace(PTRACE_SEIZE, request->a, 0, 0);
	case UNTRACE:
		return do_untrace(request->a);
	case OPEN:
		hold(dup(fd));
		return 0;
	case CLOSE:
		hold(-1);
		return 0;
	case SHOW:
		return 0;
	case MOUNT:
		return do_mount();
	case UNMOUNT:
		return do_unmount();
	case OPEN_MOUNT:
		return open_mount();
	case PARENT:
		return id_of_related(NS_GET_PARENT);
	case OWNER:
		return id_of_related(NS_GET_USERNS);
	case LIST:
		return id_of_listed();
	case TRANSLATE_PID:
		return ioctl(held, TRANSLATE(request->flags), request->a);
	case LIMIT:
		return write_number("/proc/sys/user/max_pid_namespaces", request->a);
	case PID_MAX:
		return do_sysctl(request, "/proc/sys/kernel/pid_max");
	case LAST_PID:
		return do_sysctl(request, "/proc/sys/kernel/ns_last_pid");
	case LOOK:
		reply->status = getppid();
		return (long)gettid() << 16 | getpid();
	default:
		errno = ENOSYS;
		return -1;
	}
}

static struct reply act_patiently(const struct request *request, int fd)
{
	struct reply reply = {};
	int i;

	for (i = 0; i < PATIENCE; i++) {
		reply.ret = act(request, fd, &reply);
		if (reply.ret < 0)
			reply.ret = -errno;
		if (!request->patient || reply.ret != -ENOSPC)
			break;
		poll(NULL, 0, 1);
	}
	return reply;
}

/* Sends a message, and with it a file if @fd is not -1. */
static void send_message(int socket, void *message, size_t size, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = {};
	struct iovec io = { .iov_base = message, .iov_len = size };
	struct msghdr header = { .msg_iov = &io, .msg_iovlen = 1 };
	struct cmsghdr *rights;

	if (fd >= 0) {
		header.msg_control = control;
		header.msg_controllen = sizeof(control);
		rights = CMSG_FIRSTHDR(&header);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
	}
	if (sendmsg(socket, &header, 0) != (ssize_t)size)
		_exit(2);
}

static int receive_message(int socket, void *message, size_t size)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec io = { .iov_base = message, .iov_len = size };
	struct msghdr header = {
		.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(socket, &header, MSG_CMSG_CLOEXEC) != (ssize_t)size)
		_exit(2);
	if (CMSG_FIRSTHDR(&header))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(fd));
	return fd;
}

static int __attribute__((noreturn)) play(void *actor)
{
	int socket = ACTOR_FD((intptr_t)actor);
	struct request request;
	struct reply reply;
	int fd;

	for (;;) {
		fd = receive_message(socket, &request, sizeof(request));
		reply = act_patiently(&request, fd);
		if (fd >= 0)
			close(fd);
		fd = request.action == SHOW && reply.ret == 0 ? held : -1;
		send_message(socket, &reply, sizeof(reply), fd);
	}
}

/* The director. */

static long seed;
static int case_number;
static bool patient;
static char history[HISTORY][LINE];
static int nr_lines;
static uint64_t space_ids[MAX_SLOTS], user_ids[MAX_SLOTS];
static int pids[MAX_ACTORS];

/* The world is not as predicted: it ends here. */
static void differ(const char *what, const char *want, const char *seen)
{
	int i;

	for (i = nr_lines > HISTORY ? nr_lines - HISTORY : 0; i < nr_lines; i++)
		printf("#   %s", history[i % HISTORY]);
	printf("# line %d: %s\n#   the model: %s\n#   the kernel: %s\n", nr_lines, what, want,
	       seen);
	fflush(stdout);
	_exit(1);
}

static void differ_by(const char *what, long want, long seen)
{
	char texts[2][64];
	const char *name;
	int i;

	for (i = 0; i < 2; i++) {
		long number = i ? seen : want;

		name = number < 0 ? strerrorname_np(-number) : NULL;
		snprintf(texts[i], sizeof(texts[i]), "%ld%s%s", number, name ? " " : "",
			 name ? name : "");
	}
	differ(what, texts[0], texts[1]);
}

static int open_ns(int pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static uint64_t ns_id(int pid, const char *name)
{
	int fd = open_ns(pid, name);
	long id;

	if (fd < 0)
		return 0;
	id = id_of(fd);
	close(fd);
	return id < 0 ? 0 : id;
}

static int slot_of(const uint64_t *ids, uint64_t id)
{
	int i;

	for (i = 0; i < MAX_SLOTS; i++)
		if (id && ids[i] == id)
			return i;
	return -1;
}

static int actor_of(int pid)
{
	int i;

	for (i = 0; i < MAX_ACTORS; i++)
		if (pid && pids[i] == pid)
			return i;
	return -1;
}

static bool read_file(int pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	len = read(fd, text, size - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return len > 0;
}

/* Appends a line of /proc/PID/status, with commas between its words. */
static void append(char *text, const char *status, const char *name, const char *before)
{
	size_t used = strlen(text);
	const char *at = strstr(status, name);

	used += snprintf(text + used, TEXT - used, " %s", before);
	for (at = at ? at + strlen(name) : ""; *at && *at != '\n' && used < TEXT - 1; at++)
		text[used++] = *at == '\t' ? ',' : *at;
	text[used] = '\0';
}

static bool read_stat(int pid, char *state, int *parent, unsigned int *flags)
{
	char stat[TEXT];
	const char *at;

	at = read_file(pid, "stat", stat, sizeof(stat)) ? strrchr(stat, ')') : NULL;
	return at && sscanf(at, ") %c %d %*d %*d %*d %*d %u", state, parent, flags) == 3;
}

/* What /proc shows of a task, in the words of the model. */
static void observe(int pid, const char *want, char *text)
{
	char status[LINE], state;
	int parent, tgid = 0, threads = 0;
	const char *word = "alive", *at;
	unsigned int flags;
	uint64_t active;

	snprintf(text, TEXT, "gone");
	if (!read_stat(pid, &state, &parent, &flags) ||
	    !read_file(pid, "status", status, sizeof(status)))
		return;
	at = strstr(status, "\nTgid:\t");
	tgid = at ? atoi(at + 7) : 0;
	at = strstr(status, "\nThreads:\t");
	threads = at ? atoi(at + 10) : 0;
	active = ns_id(pid, "pid");
	if (tgid != pid) {
		snprintf(text, TEXT, "thread of p%d n%d > n%d", actor_of(tgid),
			 slot_of(space_ids, active),
			 slot_of(space_ids, ns_id(pid, "pid_for_children")));
		append(text, status, "\nNSpid:\t", "");
		return;
	}
	if (state == 'Z' || state == 'X' || flags & PF_EXITING) {
		word = state == 'S' || state == 'I' ? "dying" : "exiting";
		if (state == 'Z')
			word = "zombie";
		/* One thread of an init waits for others, and the leader has exited. */
		if (state == 'Z' && threads > 1)
			word = strncmp(want, "dying", 5) ? "left" : "dying";
		snprintf(text, TEXT, "%s of p%d n%d", word, actor_of(parent),
			 slot_of(space_ids, active));
	} else {
		snprintf(text, TEXT, "alive of p%d n%d > n%d u%d", actor_of(parent),
			 slot_of(space_ids, active),
			 slot_of(space_ids, ns_id(pid, "pid_for_children")),
			 slot_of(user_ids, ns_id(pid, "user")));
	}
	append(text, status, "\nNSpid:\t", "");
	append(text, status, "\nNSpgid:\t", "g");
	append(text, status, "\nNSsid:\t", "s");
}

/* Waits until a task is as it is predicted to be. */
static void follow(int actor, int pid, const char *want)
{
	time_t end = time(NULL) + PATIENCE / 1000;
	char seen[TEXT], what[32];
	int i;

	for (i = 0; time(NULL) < end; i++) {
		observe(pid, want, seen);
		/* Only the end of a task takes its time. */
		if (!strcmp(want, seen) || (i > 50 && !strncmp(want, "alive", 5)))
			break;
		usleep(i < 20 ? 20 : 200);
	}
	snprintf(what, sizeof(what), "p%d", actor);
	if (strcmp(want, seen))
		differ(what, want, seen);
}

/*
 * Waits until no task, group or session has a number any more: who has ended is out of /proc a
 * moment before that. Only F_SETOWN looks a number up that no task has.
 */
static void follow_number(int pid)
{
	time_t end = time(NULL) + PATIENCE / 1000;
	char what[32];

	while (time(NULL) < end) {
		if (fcntl(channel[0], F_SETOWN, pid))
			return;
		fcntl(channel[0], F_SETOWN, 0);
		usleep(20);
	}
	snprintf(what, sizeof(what), "pid %d", pid);
	differ(what, "free", "in use");
}

/* Waits until a child of vfork() counts as having executed a program, which its parent may precede. */
static void follow_exec(int pid)
{
	time_t end = time(NULL) + PATIENCE / 1000;
	unsigned int flags;
	int parent;
	char state;

	while (time(NULL) < end) {
		if (!read_stat(pid, &state, &parent, &flags) || !(flags & PF_FORKNOEXEC))
			return;
		usleep(20);
	}
	differ("a child of vfork()", "a program of its own", "none");
}

/* Has @actor do it. */
static struct reply direct(int actor, struct request *request, int fd, bool answers)
{
	struct pollfd ready[] = {
		{ .fd = channel[actor], .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
	};
	struct reply reply = { .ret = -ETIMEDOUT };

	/* A thread that has executed a program leads the process, and answers as that. */
	if (request->action == EXEC && request->a != actor)
		ready[1].fd = channel[request->a];

	if (!actor) {
		reply = act_patiently(request, fd);
	} else {
		send_message(channel[actor], request, sizeof(*request), fd);
		if (!answers)
			return (struct reply) { .ret = NO_ANSWER };
		if (poll(ready, 2, 2 * PATIENCE) == 1)
			fd = receive_message(ready[ready[1].revents != 0].fd, &reply, sizeof(reply));
		/* Another actor is to have what this one has shown. */
		if (request->action == SHOW && reply.ret == 0) {
			struct request open = { .action = OPEN };

			reply = direct(request->a, &open, fd, true);
			close(fd);
		}
	}
	return reply;
}

/* Return: whether it is one of the model's: the maps of users are the director's to write. */
static bool do_call(char *text)
{
	struct request request = {};
	int step, actor, outer, status, used, wanted, fd = -1;
	struct reply reply;
	char name[16];
	long answer;

	if (sscanf(text, "call %d %d %15s %ji %d %d %d %d %ld %i%n", &step, &actor, name,
		   (intmax_t *)&request.flags, &request.a, &request.b, &request.child, &outer,
		   &answer, &status, &used) != 10)
		differ("no call", "", text);
	while (request.action < NR_ACTIONS && strcmp(names[request.action], name))
		request.action++;
	for (text += used; sscanf(text, "%d%n", &wanted, &used) == 1; text += used)
		request.numbers[request.nr_numbers++] = wanted;
	request.patient = patient && answer != -ENOSPC;
	if (request.action == OPEN)
		fd = open_ns(request.a, request.b ? "pid_for_children" : "pid");
	else if (request.action == SETNS_PIDFD || request.action == KILL_PIDFD)
		fd = syscall(__NR_pidfd_open, request.a, 0);
	else if (request.action == PASS)
		request.action = SHOW;
	reply = direct(actor, &request, fd, answer != NO_ANSWER);
	if (fd >= 0)
		close(fd);
	if (reply.ret >= 0 && (request.action == PARENT || request.action == LIST))
		reply.ret = slot_of(space_ids, reply.ret);
	if (reply.ret >= 0 && request.action == OWNER)
		reply.ret = slot_of(user_ids, reply.ret);
	if (reply.ret != answer)
		differ_by(name, answer, reply.ret);
	if (answer >= 0 && reply.status != status)
		differ_by("status", status, reply.status);
	if (request.action == CLONE && answer >= 0) {
		pids[request.child] = outer;
		if (request.flags & CLONE_VFORK)
			follow_exec(outer);
	}
	return request.action != MAPS;
}

/* A namespace that was made just now must be a new one, and not one that is gone, either. */
static void learn(uint64_t *ids, int slot, uint64_t id)
{
	static uint64_t all[MAX_IDS];
	static int nr_ids;
	char seen[16];
	bool known = false;
	int i;

	for (i = 0; i < nr_ids; i++)
		known |= all[i] == id;
	snprintf(seen, sizeof(seen), id ? "n%d" : "none", slot_of(ids, id));
	if (!id || known)
		differ("a namespace", "a new one", seen);
	if (nr_ids < MAX_IDS)
		all[nr_ids++] = id;
	ids[slot] = id;
}

static void do_line(char *text, int *calls)
{
	int slot, actor, which, used;

	if (sscanf(text, "space %d %d %d", &slot, &actor, &which) == 3) {
		learn(space_ids, slot, ns_id(pids[actor], which ? "pid_for_children" : "pid"));
	} else if (sscanf(text, "user %d %d", &slot, &actor) == 2) {
		learn(user_ids, slot, ns_id(pids[actor], "user"));
	} else if (sscanf(text, "task %d %d %n", &actor, &slot, &used) == 2) {
		text[strcspn(text, "\n")] = '\0';
		follow(actor, slot, text + used);
		if (!strcmp(text + used, "gone") && pids[actor] == slot)
			pids[actor] = 0;
	} else if (sscanf(text, "free %d", &slot) == 1) {
		follow_number(slot);
	} else {
		*calls += do_call(text);
	}
}

/* Its own mounts, and what tasks are to find in each program. */
static bool make_world(int uid, int gid)
{
	int i, fd, ends[2];
	sigset_t child;

	if (write_maps(uid, gid) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL) || mount("tmpfs", "/tmp", "tmpfs", 0, NULL))
		return false;
	fd = open(MOUNTED, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	close(fd);
	for (i = 0; i < MAX_ACTORS; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) ||
		    dup2(ends[1], ACTOR_FD(i)) < 0)
			return false;
		channel[i] = ends[0];
		close(ends[1]);
	}
	/* Who is traced would stop for it. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	return !sigprocmask(SIG_BLOCK, &child, NULL);
}

static int direct_world(const char *file, int uid, int gid)
{
	int calls = 0;
	char text[LINE];
	FILE *lines;

	lines = fopen(file, "re");
	if (!lines || !make_world(uid, gid)) {
		printf("# no world: %s\n", strerror(errno));
		return 2;
	}
	/* Its group and its session are of the world as well. */
	setsid();
	pids[0] = 1;
	learn(space_ids, 0, ns_id(1, "pid"));
	learn(user_ids, 0, ns_id(1, "user"));
	while (fgets(text, sizeof(text), lines)) {
		memcpy(history[nr_lines++ % HISTORY], text, sizeof(text));
		do_line(text, &calls);
	}
	printf("ok %d seed_%ld # %d calls\n", case_number, seed, calls);
	return 0;
}

static int run(const char *file)
{
	struct clone_args args = {
		.flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS,
		.exit_signal = SIGCHLD,
	};
	int uid = geteuid(), gid = getegid(), status;
	pid_t pid;

	fflush(stdout);
	pid = syscall(__NR_clone3, &args, sizeof(args));
	if (pid < 0) {
		printf("# no world: %s\n", strerror(errno));
		return 2;
	}
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		status = direct_world(file, uid, gid);
		fflush(stdout);
		_exit(status);
	}
	while (waitpid(pid, &status, 0) != pid)
		;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	printf("# the director ended by signal %d\n", WTERMSIG(status));
	return 2;
}

int main(int argc, char **argv)
{
	struct reply reply = {};
	char path[PATH_MAX];
	bool failed = false;
	int actor;

	/* What the program does that a task has executed. */
	if (argc == 5 && !strcmp(argv[1], "--play")) {
		actor = atoi(argv[2]);
		held = atoi(argv[3]);
		if (atoi(argv[4]))
			send_message(ACTOR_FD(actor), &reply, sizeof(reply), -1);
		play((void *)(intptr_t)actor);
	}
	patient = argc == 5 && !strcmp(argv[4], "patient");
	if (argc != 4 + patient) {
		fprintf(stderr, "usage: histories DIRECTORY FIRST LAST [patient]\n");
		return 2;
	}
	printf("TAP version 13\n1..%ld\n", atol(argv[3]) - atol(argv[2]) + 1);
	for (seed = atol(argv[2]); seed <= atol(argv[3]); seed++) {
		case_number++;
		snprintf(path, sizeof(path), "%s/%ld", argv[1], seed);
		if (!run(path))
			continue;
		printf("not ok %d seed_%ld\n", case_number, seed);
		failed = true;
	}
	return failed;
}
