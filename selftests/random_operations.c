// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on pid namespaces: what the kernel does against a model of
 * it, and one kernel against another.
 *
 * A seed gives a world: a pid and a user namespace of its own, with a director
 * that is pid 1 there, and actors, which do one operation at a time as they
 * are told. The model predicts the result of each operation and what it makes
 * of the actors, so that it is known what to wait for, and nothing depends on
 * time. As the pids of the world belong to nobody else, a seed gives the same
 * trace, to the last pid, on each kernel that has the same semantics:
 *
 *   random_operations --trace             prints a line for each operation
 *   random_operations --seeds 5-5         takes other seeds than the usual
 *   random_operations --mainline          makes no namespace while active and
 *                                         default differ, as mainline refuses
 *
 * In a trace p3 is an actor, p0 the director, n2 a pid namespace, n0 that of
 * the world, u1 a user namespace. A dying init is one that waits for others to
 * leave its namespace.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <limits.h>
#include <linux/reboot.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "pidns.h"

#define TEXT		512
#define LINE		4096
#define MAX_ACTORS	40
#define MAX_SPACES	512
#define MAX_USERS	8
#define MAX_LEVEL	32	/* of a pid namespace: MAX_PID_NS_LEVEL */
#define WORLD_LEVEL	1	/* of the world's, below the initial one */
#define PATIENCE	10000	/* milliseconds for what must come */
#define NOBODY		30000	/* no pid */
#define HISTORY		12	/* operations shown before a failure */
#define OPERATIONS	200	/* of a seed */

/* What the operations of a seed are mostly about. */
enum kind { MIXED, DEEP, LIMITED, DEADLY, NR_KINDS };

/* The model. */

enum state { GONE, ALIVE, DYING, ZOMBIE };

struct space {
	int parent;
	int level;	/* in the world */
	int owner;
	int cursor;	/* where the kernel looks for the next pid */
	int init;	/* an actor, or -1 before the first child */
	bool dead;	/* its init has begun to exit */
	__u64 id;
};

struct user {
	int parent;
	int max;	/* user.max_pid_namespaces */
	__u64 id;
};

struct actor {
	enum state state;
	int parent;
	int active;
	int dflt;
	int user;
	int status;	/* for wait(2) */
	int pid[MAX_LEVEL + 1];
	bool touched;	/* by the operation */
	char seen[TEXT];
};

static struct space spaces[MAX_SPACES];
static struct user users[MAX_USERS];
static struct actor actors[MAX_ACTORS];
static int nr_spaces, nr_users;

static bool space_below(int space, int ancestor)
{
	while (space >= 0 && space != ancestor)
		space = spaces[space].parent;
	return space >= 0;
}

static bool user_below(int user, int ancestor)
{
	while (user >= 0 && user != ancestor)
		user = users[user].parent;
	return user >= 0;
}

static bool is_init(int actor)
{
	return spaces[actors[actor].active].init == actor;
}

/* The pid of @actor in @space, or 0. */
static int pid_in(int actor, int space)
{
	if (!space_below(actors[actor].active, space))
		return 0;
	return actors[actor].pid[spaces[space].level];
}

/* Does anything keep the namespace? Nobody has it open between operations. */
static bool space_is_held(int space)
{
	int i;

	for (i = 0; i < MAX_ACTORS; i++) {
		if (actors[i].state == GONE)
			continue;
		if (space_below(actors[i].active, space))
			return true;
		if (actors[i].state == ALIVE &&
		    space_below(actors[i].dflt, space))
			return true;
	}
	return false;
}

static int charged_to(int user)
{
	int i, nr = 0;

	for (i = 0; i < nr_spaces; i++)
		nr += user_below(spaces[i].owner, user) && space_is_held(i);
	return nr;
}

static int new_space(int parent, int owner)
{
	spaces[nr_spaces] = (struct space) {
		.parent = parent,
		.level = parent < 0 ? 0 : spaces[parent].level + 1,
		.owner = owner,
		.init = -1,
	};
	return nr_spaces++;
}

static int new_user(int parent)
{
	users[nr_users] = (struct user) { .parent = parent, .max = INT_MAX };
	return nr_users++;
}

/*
 * May @actor make a pid namespace? It does not matter whether a new user
 * namespace is to own it: that one has no limit of its own yet.
 */
static int create_error(int actor)
{
	int active = actors[actor].active;
	int user = actors[actor].user;

	if (!user_below(user, spaces[active].owner))
		return -EINVAL;
	if (WORLD_LEVEL + spaces[active].level + 1 > MAX_LEVEL)
		return -ENOSPC;
	for (; user >= 0; user = users[user].parent)
		if (charged_to(user) >= users[user].max)
			return -ENOSPC;
	return 0;
}

static bool pid_is_used(int space, int pid)
{
	int i;

	for (i = 0; i < MAX_ACTORS; i++)
		if (actors[i].state != GONE && pid_in(i, space) == pid)
			return true;
	return false;
}

/* As alloc_pid() does, from @space outward: cursors move even if it fails. */
static int alloc_pids(int actor, int space, const int *set_tid, int nr_set,
		      int *pid)
{
	int i, at;

	for (i = 0, at = space; i < nr_set; i++, at = spaces[at].parent) {
		if (at < 0 || set_tid[i] < 1)
			return -EINVAL;
		if (!user_below(spaces[at].owner, actors[actor].user))
			return -EPERM;
	}
	if (spaces[space].init < 0)
		spaces[space].cursor = 0;
	for (i = 0, at = space; at >= 0; i++, at = spaces[at].parent) {
		int nr = i < nr_set ? set_tid[i] : 0;

		if (nr && pid_is_used(at, nr))
			return -EEXIST;
		if (!nr) {
			nr = spaces[at].cursor > 1 ? spaces[at].cursor : 1;
			while (pid_is_used(at, nr))
				nr++;
			spaces[at].cursor = nr + 1;
		}
		if (spaces[at].init < 0 && nr != 1)
			return -EINVAL;
		pid[spaces[at].level] = nr;
	}
	for (at = space; at >= 0; at = spaces[at].parent)
		if (spaces[at].dead)
			return -ENOMEM;
	return 0;
}

static void touch(int actor)
{
	actors[actor].touched = true;
}

/* A zombie without a parent who would wait for it is gone. */
static void reap_by_dying_parents(void)
{
	int i;

	for (i = 1; i < MAX_ACTORS; i++)
		if (actors[i].state == ZOMBIE &&
		    actors[actors[i].parent].state == DYING) {
			actors[i].state = GONE;
			touch(i);
		}
}

static bool alone_in_its_space(int actor)
{
	int i;

	for (i = 0; i < MAX_ACTORS; i++)
		if (i != actor && actors[i].state != GONE &&
		    space_below(actors[i].active, actors[actor].active))
			return false;
	return true;
}

/* Whoever waits in its namespace for others to leave, and has done so. */
static void settle(void)
{
	bool changed = true;
	int i;

	while (changed) {
		changed = false;
		reap_by_dying_parents();
		for (i = 1; i < MAX_ACTORS; i++) {
			if (actors[i].state != DYING || !alone_in_its_space(i))
				continue;
			actors[i].state = ZOMBIE;
			touch(i);
			changed = true;
		}
	}
}

static void die(int actor, int status)
{
	int i, active = actors[actor].active;

	if (actors[actor].state != ALIVE)
		return;
	touch(actor);
	actors[actor].status = status;
	if (is_init(actor)) {
		actors[actor].state = DYING;
		spaces[active].dead = true;
		for (i = 1; i < MAX_ACTORS; i++)
			if (i != actor && space_below(actors[i].active, active))
				die(i, SIGKILL);
		return;
	}
	actors[actor].state = ZOMBIE;
	for (i = 1; i < MAX_ACTORS; i++) {
		if (actors[i].state == GONE || actors[i].parent != actor)
			continue;
		actors[i].parent = spaces[active].init;
		touch(i);
	}
}

/* What @sig from a process of @space does to an actor that it may signal. */
static void deliver(int actor, int space, int sig)
{
	if (!sig || actors[actor].state != ALIVE)
		return;
	if (is_init(actor) &&
	    (sig != SIGKILL || actors[actor].active == space))
		return;
	die(actor, sig);
}

/* Random numbers that are the same everywhere: xorshift64*. */

static __u64 random_state;

static __u32 random_below(__u32 limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1dULL >> 33) % limit;
}

/* An actor, alive (or, if @any, not gone), other than @but; -1 if there is none. */
static int random_actor(bool any, int but)
{
	int found[MAX_ACTORS];
	int i, nr = 0;

	for (i = 1; i < MAX_ACTORS; i++)
		if (i != but && actors[i].state != GONE &&
		    (any || actors[i].state == ALIVE))
			found[nr++] = i;
	return nr ? found[random_below(nr)] : -1;
}

/* As random_actor(); rather one whose end is the end of a namespace. */
static int random_victim(bool any, int but)
{
	int first = random_actor(any, but);
	int second = random_actor(any, but);

	return second >= 0 && is_init(second) ? second : first;
}

static int count_actors(bool any)
{
	int i, nr = 0;

	for (i = 1; i < MAX_ACTORS; i++)
		nr += actors[i].state == ALIVE || (any && actors[i].state);
	return nr;
}

/* What actors do. */

enum action {
	LOOK, CLONE, UNSHARE, MAP_USER, SETNS, KILL, WAIT, EXIT, LAST_PID,
	LIMIT, PARENT, OWNER, PID_IN, PIDFD_SIGNAL, REBOOT,
};

struct request {
	enum action action;
	__u64 flags;
	int arg;
	int sig;
	int child;		/* the part that a new process plays */
	bool patient;		/* ENOSPC passes when the freed ones are gone */
	int nr_set;
	int set_tid[MAX_LEVEL + 1];
};

struct reply {
	long ret;	/* or a negative errno */
	int status;
	long ids[2];
};

static int channel[MAX_ACTORS][2];

static long write_number(const char *path, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	return proc_write(path, text);
}

static long read_number(const char *path, int *number)
{
	char text[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 1)
		return -1;
	close(fd);
	*number = atoi(text);
	return 0;
}

static long map_user(int uid, int gid)
{
	char map[32];

	snprintf(map, sizeof(map), "0 %d 1", uid);
	if (proc_write("/proc/self/uid_map", map) ||
	    proc_write("/proc/self/setgroups", "deny"))
		return -1;
	snprintf(map, sizeof(map), "0 %d 1", gid);
	return proc_write("/proc/self/gid_map", map);
}

static void play(int actor);

static long do_clone(const struct request *request)
{
	struct __clone_args args = {
		.flags = request->flags,
		.exit_signal = request->flags & CLONE_PARENT ? 0 : SIGCHLD,
		.set_tid = request->nr_set ? ptr_to_u64(request->set_tid) : 0,
		.set_tid_size = request->nr_set,
	};
	long pid = sys_clone3(&args, sizeof(args));

	if (!pid)
		play(request->child);
	return pid;
}

static long ns_of(int fd, unsigned long what, struct reply *reply)
{
	int ns = ioctl(fd, what);

	if (ns < 0)
		return -1;
	reply->ids[0] = ns_id(ns);
	close(ns);
	return 0;
}

static long act(const struct request *request, int fd, struct reply *reply)
{
	switch (request->action) {
	case LOOK:
		reply->ids[0] = getppid();
		reply->ids[1] = syscall(__NR_gettid);
		return getpid();
	case CLONE:
		return do_clone(request);
	case UNSHARE:
		return unshare(request->flags);
	case MAP_USER:
		return map_user(0, 0);
	case SETNS:
		return setns(fd, CLONE_NEWPID);
	case KILL:
		return kill(request->arg, request->sig);
	case WAIT:
		return waitpid(request->arg, &reply->status, WNOHANG | __WALL);
	case EXIT:
		_exit(request->arg);
	case LAST_PID:
		return read_number("/proc/sys/kernel/ns_last_pid",
				   &reply->status);
	case LIMIT:
		return write_number("/proc/sys/user/max_pid_namespaces",
				    request->arg);
	case PARENT:
		return ns_of(fd, NS_GET_PARENT, reply);
	case OWNER:
		return ns_of(fd, NS_GET_USERNS, reply);
	case PID_IN:
		return ioctl(fd, NS_GET_PID_IN_PIDNS, request->arg);
	case PIDFD_SIGNAL:
		return sys_pidfd_send_signal(fd, request->sig, NULL, 0);
	case REBOOT:
		return syscall(__NR_reboot, LINUX_REBOOT_MAGIC1,
			       LINUX_REBOOT_MAGIC2, request->arg, NULL);
	}
	return -1;
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
		_exit(KSFT_FAIL);
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
		_exit(KSFT_FAIL);
	if (CMSG_FIRSTHDR(&header))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(fd));
	return fd;
}

static void play(int actor)
{
	struct request request;
	struct reply reply;
	int fd;

	for (;;) {
		fd = receive_message(channel[actor][1], &request,
				     sizeof(request));
		reply = act_patiently(&request, fd);
		if (fd >= 0)
			close(fd);
		send_message(channel[actor][1], &reply, sizeof(reply), -1);
	}
}

/* The director. */

static bool tracing, mainline;
static int step;
static bool failed;
static char history[HISTORY][LINE];
static char line[LINE];		/* of this operation */

__printf(1, 2)
static void say(const char *format, ...)
{
	size_t used = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + used, sizeof(line) - used, format, args);
	va_end(args);
}

/* What was predicted is not what was seen: the seed ends here. */
static void differ(const char *want, const char *seen)
{
	int i;

	if (failed)
		return;
	failed = true;
	for (i = HISTORY - 1; i > 0; i--)
		if (step >= i && !tracing)
			ksft_print_msg("%s\n", history[(step - i) % HISTORY]);
	ksft_print_msg("%s\n", line);
	ksft_print_msg("  the model: %s\n", want);
	ksft_print_msg("  the kernel: %s\n", seen);
}

static void end_line(void)
{
	memcpy(history[step % HISTORY], line, sizeof(line));
	if (tracing)
		printf("# trace %s\n", line);
	line[0] = '\0';
}

static void print_result(char *text, size_t size, long ret)
{
	const char *name = ret < 0 ? strerrorname_np(-ret) : NULL;

	if (name)
		snprintf(text, size, "%s", name);
	else
		snprintf(text, size, "%ld", ret);
}

/* Has @actor do it. */
static struct reply direct(int actor, struct request *request, int fd)
{
	struct pollfd ready = { .fd = channel[actor][0], .events = POLLIN };
	struct reply reply = { .ret = -ETIMEDOUT };

	if (!actor)
		return act_patiently(request, fd);
	send_message(channel[actor][0], request, sizeof(*request), fd);
	if (request->action == EXIT || request->action == REBOOT)
		return (struct reply) {};
	if (poll(&ready, 1, 2 * PATIENCE) == 1)
		receive_message(channel[actor][0], &reply, sizeof(reply));
	return reply;
}

/* The result of the operation, as it was predicted and as it was seen. */
static void expect(long want, long ret)
{
	char predicted[32], seen[32];

	print_result(predicted, sizeof(predicted), want);
	print_result(seen, sizeof(seen), ret);
	say(" = %s", seen);
	if (want != ret)
		differ(predicted, seen);
}

/* Describes an actor by the model. */
static void describe(int actor, char *text)
{
	static const char *const states[] = {
		"gone", "alive", "dying", "zombie",
	};
	const struct actor *at = &actors[actor];
	int i, used;

	used = snprintf(text, TEXT, "p%d %s", actor, states[at->state]);
	if (at->state == GONE)
		return;
	used += snprintf(text + used, TEXT - used, " of p%d n%d", at->parent,
			 at->active);
	if (at->state == ALIVE)
		used += snprintf(text + used, TEXT - used, " > n%d u%d",
				 at->dflt, at->user);
	for (i = 0; i <= spaces[at->active].level; i++)
		used += snprintf(text + used, TEXT - used, "%c%d",
				 i ? ',' : ' ', at->pid[i]);
}

static int space_by_id(__u64 id)
{
	int i;

	for (i = 0; i < nr_spaces; i++)
		if (spaces[i].id == id)
			return i;
	return -1;
}

static int user_by_id(__u64 id)
{
	int i;

	for (i = 0; i < nr_users; i++)
		if (users[i].id == id)
			return i;
	return -1;
}

static int actor_by_pid(int pid)
{
	int i;

	for (i = 0; i < MAX_ACTORS; i++)
		if (actors[i].state != GONE && actors[i].pid[0] == pid)
			return i;
	return -1;
}

/* Reads what /proc says of a process: its state, flags, parent and pids. */
static int read_proc(int pid, char *state, unsigned int *flags, int *parent,
		     char *pids, size_t size)
{
	char text[4096];
	ssize_t len;
	char *at;
	int fd;

	fd = proc_open(pid, "stat", O_RDONLY);
	if (fd < 0)
		return -1;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len < 0)
		return -1;
	text[len] = '\0';
	at = strrchr(text, ')');
	if (!at || sscanf(at, ") %c %d %*d %*d %*d %*d %u", state, parent,
			  flags) != 3)
		return -1;

	fd = proc_open(pid, "status", O_RDONLY);
	if (fd < 0)
		return -1;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len < 0)
		return -1;
	text[len] = '\0';
	at = strstr(text, "\nNSpid:\t");
	if (!at)
		return -1;
	at += strlen("\nNSpid:\t");
	*strchrnul(at, '\n') = '\0';
	snprintf(pids, size, "%s", at);
	for (at = pids; *at; at++)
		if (*at == '\t')
			*at = ',';
	return 0;
}

/* Describes an actor by what the kernel shows of it, in the same words. */
static void observe(int actor, char *text)
{
	unsigned int flags, pf_exiting = 0x4;
	int pid = actors[actor].pid[0];
	char pids[TEXT / 2], state;
	__u64 active;
	int parent;

	if (read_proc(pid, &state, &flags, &parent, pids, sizeof(pids))) {
		snprintf(text, TEXT, "p%d gone", actor);
		return;
	}
	active = task_ns_id(pid, ACTIVE);
	if (state == 'Z' || state == 'X' || flags & pf_exiting) {
		const char *word = "exiting";

		if (state == 'Z')
			word = "zombie";
		else if (state == 'S' || state == 'I')
			word = "dying";
		snprintf(text, TEXT, "p%d %s of p%d n%d %s", actor, word,
			 actor_by_pid(parent), space_by_id(active), pids);
		return;
	}
	snprintf(text, TEXT, "p%d alive of p%d n%d > n%d u%d %s", actor,
		 actor_by_pid(parent), space_by_id(active),
		 space_by_id(task_ns_id(pid, DEFAULT)),
		 user_by_id(task_ns_id(pid, "user")), pids);
}

/* Waits until an actor is as it is predicted to be, and says what has changed. */
static void follow(int actor)
{
	struct actor *at = &actors[actor];
	char want[TEXT], seen[TEXT];
	int i;

	describe(actor, want);
	for (i = 0; i < PATIENCE * 5; i++) {
		observe(actor, seen);
		/* Only the end of a process takes its time. */
		if (!strcmp(want, seen) || at->state == ALIVE)
			break;
		usleep(i < 20 ? 20 : 200);
	}
	if (strcmp(seen, at->seen))
		say("; %s", seen);
	memcpy(at->seen, seen, sizeof(seen));
	at->touched = false;
	if (strcmp(want, seen))
		differ(want, seen);
}

static void follow_all(void)
{
	enum state state;
	int i;

	settle();
	/* What ends first, for what others become depends on it. */
	for (state = GONE; state <= ZOMBIE; state++)
		for (i = 1; i < MAX_ACTORS; i++)
			if (actors[i].state == state && state != ALIVE &&
			    actors[i].touched && actors[i].pid[0])
				follow(i);
	for (i = 1; i < MAX_ACTORS; i++)
		if (actors[i].state == ALIVE && actors[i].touched)
			follow(i);
}

/* A namespace that was made just now must be a new one. */
static void learn_space(int space, __u64 id)
{
	int known = id ? space_by_id(id) : -1;

	if (!id || known >= 0) {
		char seen[32];

		snprintf(seen, sizeof(seen), id ? "n%d" : "none", known);
		differ("a new pid namespace", seen);
	}
	spaces[space].id = id;
}

static void learn_user(int user, __u64 id)
{
	if (!id || user_by_id(id) >= 0)
		differ("a new user namespace", id ? "one that is known" : "none");
	users[user].id = id;
}

/* What a process says of itself: the pids that the model has for it. */
static void look(int actor)
{
	struct request request = { .action = LOOK };
	struct actor *at = &actors[actor];
	int ppid = pid_in(at->parent, at->active);
	int pid = pid_in(actor, at->active);
	struct reply reply = direct(actor, &request, -1);
	char want[64], seen[64];

	snprintf(want, sizeof(want), "pid %d ppid %d tid %d", pid, ppid, pid);
	snprintf(seen, sizeof(seen), "pid %ld ppid %ld tid %ld", reply.ret,
		 reply.ids[0], reply.ids[1]);
	say(": %s", seen);
	if (strcmp(want, seen))
		differ(want, seen);
}

static const char *flags_text(__u64 flags)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s%s%s",
		 flags & CLONE_NEWUSER ? "|NEWUSER" : "",
		 flags & CLONE_NEWPID ? "|NEWPID" : "",
		 flags & CLONE_PARENT ? "|PARENT" : "");
	return text[0] ? text + 1 : "";
}

/* Would mainline refuse it with EINVAL, where this is not mainline? */
static bool needs_the_semantics(int actor, __u64 flags)
{
	return flags & CLONE_NEWPID &&
	       actors[actor].active != actors[actor].dflt;
}

static void write_maps(int actor)
{
	struct request request = { .action = MAP_USER };
	struct reply reply = direct(actor, &request, -1);

	if (reply.ret)
		differ("a user namespace with a map", "none");
}

/* The operations. Each may find that it has nothing to do: then it says false. */

static __u64 random_new_user(void)
{
	return nr_users == MAX_USERS || random_below(4) ? 0 : CLONE_NEWUSER;
}

static bool op_unshare(int actor)
{
	__u64 flags = CLONE_NEWPID | random_new_user();
	struct request request = { .action = UNSHARE };
	struct actor *at = &actors[actor];
	struct reply reply;
	int error = 0;

	if (flags & CLONE_NEWUSER && random_below(2))
		flags &= ~CLONE_NEWPID;
	if (mainline && needs_the_semantics(actor, flags))
		return false;
	request.flags = flags;
	if (flags & CLONE_NEWPID)
		error = create_error(actor);
	request.patient = !error;
	reply = direct(actor, &request, -1);
	say("p%d: unshare(%s)", actor, flags_text(flags));
	expect(error, reply.ret);
	if (!error && !failed) {
		if (flags & CLONE_NEWUSER) {
			at->user = new_user(at->user);
			learn_user(at->user, task_ns_id(at->pid[0], "user"));
			write_maps(actor);
		}
		if (flags & CLONE_NEWPID) {
			at->dflt = new_space(at->active, at->user);
			learn_space(at->dflt, task_ns_id(at->pid[0], DEFAULT));
		}
	}
	touch(actor);
	return true;
}

static int free_part(void)
{
	int i;

	for (i = 1; i < MAX_ACTORS; i++)
		if (actors[i].state == GONE)
			return i;
	return -1;
}

static void random_set_tid(int actor, __u64 flags, struct request *request)
{
	int space = flags & CLONE_NEWPID ? -1 : actors[actor].dflt;
	int i;

	if (random_below(5))
		return;
	request->nr_set = 1 + random_below(3);
	for (i = 0; i < request->nr_set; i++) {
		int other = random_actor(true, -1);

		/* Mostly what works, for a first child and for others. */
		request->set_tid[i] = 1000 + random_below(NOBODY - 1000);
		if (space < 0 || spaces[space].init < 0)
			request->set_tid[i] = random_below(4) ? 1 : 2;
		else if (!random_below(4) && pid_in(other, space))
			request->set_tid[i] = pid_in(other, space);
		else if (!random_below(8))
			request->set_tid[i] = 0;
		if (space >= 0)
			space = spaces[space].parent;
		else if (flags & CLONE_NEWPID)
			space = actors[actor].active, flags = 0;
		if (space < 0)
			break;
	}
	/* Outside of the world the pids are not ours to choose. */
	if (i < request->nr_set)
		request->nr_set = i + 1;
	if (!random_below(20))
		request->nr_set = MAX_LEVEL + 1;
}

static bool do_make(int actor, __u64 flags, struct request *request)
{
	int child = free_part();
	struct actor made = {
		.state = ALIVE,
		.parent = flags & CLONE_PARENT ? actors[actor].parent : actor,
		.user = actors[actor].user,
	};
	int space = -1, error = 0;
	struct reply reply;
	int i;

	if (child < 0 || nr_spaces == MAX_SPACES ||
	    (mainline && needs_the_semantics(actor, flags)))
		return false;
	request->action = CLONE;
	request->flags = flags;
	request->child = child;

	if (request->nr_set > MAX_LEVEL)
		error = -EINVAL;
	else if (flags & CLONE_PARENT && is_init(actor))
		error = -EINVAL;
	else if (flags & CLONE_NEWPID)
		error = create_error(actor);
	if (!error) {
		/* These two stay only if all goes well. */
		if (flags & CLONE_NEWUSER)
			made.user = new_user(made.user);
		space = actors[actor].dflt;
		if (flags & CLONE_NEWPID)
			space = new_space(actors[actor].active, made.user);
		error = alloc_pids(actor, space, request->set_tid,
				   request->nr_set, made.pid);
		if (error && flags & CLONE_NEWPID)
			nr_spaces--;
		if (error && flags & CLONE_NEWUSER)
			nr_users--;
		request->patient = true;
	}

	say("p%d: clone(%s", actor, flags_text(flags));
	for (i = 0; i < request->nr_set && i < 4; i++)
		say("%s%d", i ? "," : " set_tid ", request->set_tid[i]);
	say("%s)", i < request->nr_set ? ",..." : "");
	reply = direct(actor, request, -1);
	made.active = space;
	made.dflt = space;
	if (error) {
		expect(error, reply.ret);
		touch(actor);
		return true;
	}
	expect(made.pid[spaces[actors[actor].active].level], reply.ret);
	if (failed)
		return true;
	actors[child] = made;
	if (spaces[space].init < 0)
		spaces[space].init = child;
	if (flags & CLONE_NEWUSER) {
		learn_user(made.user, task_ns_id(made.pid[0], "user"));
		write_maps(child);
	}
	if (flags & CLONE_NEWPID)
		learn_space(space, task_ns_id(made.pid[0], ACTIVE));
	if (failed)
		return true;
	touch(actor);
	touch(child);
	look(child);
	return true;
}

static bool op_fork(int actor)
{
	struct request request = {};
	__u64 flags = random_new_user();

	if (!flags && actor && !random_below(6))
		flags = CLONE_PARENT;
	if (actor)
		random_set_tid(actor, flags, &request);
	return do_make(actor, flags, &request);
}

static bool op_clone_newpid(int actor)
{
	struct request request = {};
	__u64 flags = CLONE_NEWPID | random_new_user();

	random_set_tid(actor, flags, &request);
	return do_make(actor, flags, &request);
}

/* The namespace of an actor, one of its two, as a file; in @space its number. */
static int random_ns(int *space)
{
	int other = random_actor(false, -1);
	bool dflt;

	if (other < 0)
		return -1;
	dflt = random_below(2);
	*space = dflt ? actors[other].dflt : actors[other].active;
	return ns_open(actors[other].pid[0], dflt ? DEFAULT : ACTIVE);
}

static int install_error(int actor, int space)
{
	if (!user_below(spaces[space].owner, actors[actor].user))
		return -EPERM;
	if (!space_below(space, actors[actor].active))
		return -EINVAL;
	return 0;
}

static bool op_setns(int actor)
{
	struct request request = { .action = SETNS };
	int fd, error, space = -1, by = -1;
	struct reply reply;

	if (!random_below(3)) {
		by = random_actor(false, -1);
		space = actors[by].active;
		fd = sys_pidfd_open(actors[by].pid[0], 0);
	} else if (!random_below(3)) {
		space = actors[actor].active;
		fd = ns_open(actors[actor].pid[0], ACTIVE);
	} else {
		fd = random_ns(&space);
	}
	if (fd < 0)
		return false;
	error = install_error(actor, space);
	if (by >= 0 && !user_below(actors[by].user, actors[actor].user))
		error = -EPERM;
	say("p%d: setns(", actor);
	say(by >= 0 ? "pidfd of p%d)" : "n%d)", by >= 0 ? by : space);
	reply = direct(actor, &request, fd);
	close(fd);
	expect(error, reply.ret);
	if (!error)
		actors[actor].dflt = space;
	touch(actor);
	return true;
}

/* What a namespace says of itself to an actor. */
static bool op_ask(int actor)
{
	static const enum action actions[] = { PARENT, OWNER, PID_IN };
	struct request request = { .action = actions[random_below(3)] };
	int other = random_actor(true, -1);
	int space = -1, found, error;
	struct reply reply;
	int fd = random_ns(&space);

	if (fd < 0)
		return false;
	request.arg = pid_in(other, actors[actor].active) ?: NOBODY;
	reply = direct(actor, &request, fd);
	close(fd);
	switch (request.action) {
	case PARENT:
		say("p%d: NS_GET_PARENT(n%d)", actor, space);
		found = spaces[space].parent;
		error = space_below(found, actors[actor].active) ? 0 : -EPERM;
		if (reply.ret == 0)
			reply.ret = space_by_id(reply.ids[0]);
		break;
	case OWNER:
		say("p%d: NS_GET_USERNS(n%d)", actor, space);
		found = spaces[space].owner;
		error = user_below(found, actors[actor].user) ? 0 : -EPERM;
		if (reply.ret == 0)
			reply.ret = user_by_id(reply.ids[0]);
		break;
	default:
		say("p%d: NS_GET_PID_IN_PIDNS(n%d, %d)", actor, space,
		    request.arg);
		found = request.arg == NOBODY ? 0 : pid_in(other, space);
		error = found ? 0 : -ESRCH;
	}
	expect(error ?: found, reply.ret);
	return true;
}

static bool op_look(int actor)
{
	say("p%d", actor);
	look(actor);
	touch(actor);
	return true;
}

static bool op_last_pid(int actor)
{
	struct request request = { .action = LAST_PID };
	struct reply reply = direct(actor, &request, -1);

	say("p%d: ns_last_pid", actor);
	expect(spaces[actors[actor].active].cursor - 1,
	       reply.ret ?: reply.status);
	return true;
}

static int random_signal(void)
{
	static const int sigs[] = { SIGKILL, SIGKILL, SIGTERM, 0 };

	return sigs[random_below(ARRAY_SIZE(sigs))];
}

static bool op_kill(int actor)
{
	struct request request = { .action = KILL, .sig = random_signal() };
	int target = random_victim(true, actor);
	int space = actors[actor].active;
	struct reply reply;
	int error, i;

	if (target < 0)
		return false;
	request.arg = pid_in(target, space) ?: NOBODY;
	error = request.arg == NOBODY ? -ESRCH : 0;
	/* All below, but the init and the caller; the director is in n0. */
	if (space && !random_below(6)) {
		request.arg = -1;
		error = -ESRCH;
		for (i = 1; i < MAX_ACTORS; i++)
			if (i != actor && pid_in(i, space) > 1 &&
			    actors[i].state != GONE)
				error = 0;
	}
	say("p%d: kill(%d, %d)", actor, request.arg, request.sig);
	reply = direct(actor, &request, -1);
	expect(error, reply.ret);
	if (error)
		return true;
	if (request.arg > 0)
		deliver(target, space, request.sig);
	else
		for (i = 1; i < MAX_ACTORS; i++)
			if (i != actor && pid_in(i, space) > 1)
				deliver(i, space, request.sig);
	return true;
}

static bool op_pidfd_signal(int actor)
{
	struct request request = {
		.action = PIDFD_SIGNAL,
		.sig = random_signal(),
	};
	int target = random_victim(false, actor);
	int space = actors[actor].active;
	struct reply reply;
	int error, fd;

	if (target < 0)
		return false;
	fd = sys_pidfd_open(actors[target].pid[0], 0);
	error = pid_in(target, space) ? 0 : -EINVAL;
	say("p%d: pidfd_send_signal(p%d, %d)", actor, target, request.sig);
	reply = direct(actor, &request, fd);
	close(fd);
	expect(error, reply.ret);
	if (!error)
		deliver(target, space, request.sig);
	return true;
}

static bool op_exit(int actor)
{
	struct request request = { .action = EXIT, .arg = random_below(100) };

	direct(actor, &request, -1);
	say("p%d: exit(%d)", actor, request.arg);
	die(actor, request.arg << 8);
	return true;
}

/* Only by an init: what becomes of another caller is a race, and harmless. */
static bool op_reboot(int actor)
{
	struct request request = { .action = REBOOT };
	bool halt = random_below(2);

	if (!is_init(actor) || !actors[actor].active ||
	    !user_below(spaces[actors[actor].active].owner, actors[actor].user))
		return false;
	request.arg = halt ? LINUX_REBOOT_CMD_HALT : LINUX_REBOOT_CMD_RESTART;
	direct(actor, &request, -1);
	say("p%d: reboot(%s)", actor, halt ? "halt" : "restart");
	die(actor, halt ? SIGINT : SIGHUP);
	return true;
}

static bool op_wait(int actor)
{
	struct request request = { .action = WAIT };
	int i, target, found[MAX_ACTORS], nr = 0;
	struct reply reply;
	int error = 0, ret = 0;

	for (i = 1; i < MAX_ACTORS; i++)
		if (actors[i].state != GONE && actors[i].parent == actor)
			found[nr++] = i;
	if (nr && random_below(8))
		target = found[random_below(nr)];
	else
		target = random_actor(true, actor);
	if (target < 0)
		return false;
	request.arg = pid_in(target, actors[actor].active) ?: NOBODY;
	if (request.arg == NOBODY || actors[target].parent != actor)
		error = -ECHILD;
	else if (actors[target].state == ZOMBIE)
		ret = request.arg;
	say("p%d: wait(%d)", actor, request.arg);
	reply = direct(actor, &request, -1);
	expect(error ?: ret, reply.ret);
	if (ret && !failed) {
		say(" status 0x%x", reply.status);
		if (reply.status != actors[target].status) {
			char want[16], seen[16];

			snprintf(want, sizeof(want), "0x%x",
				 actors[target].status);
			snprintf(seen, sizeof(seen), "0x%x", reply.status);
			differ(want, seen);
		}
		actors[target].state = GONE;
		touch(target);
	}
	return true;
}

static bool op_limit(int actor)
{
	struct request request = { .action = LIMIT, .arg = 10000 };
	int user = actors[actor].user;
	struct reply reply;

	if (random_below(3)) {
		request.arg = charged_to(user) - 1 + random_below(4);
		if (request.arg < 0)
			request.arg = 0;
	}
	say("p%d: max_pid_namespaces of u%d: %d", actor, user, request.arg);
	reply = direct(actor, &request, -1);
	expect(0, reply.ret);
	users[user].max = request.arg;
	return true;
}

static const struct {
	bool (*op)(int actor);
	int weight[NR_KINDS];
} ops[] = {
	{ op_unshare,	   { 8, 2, 10, 10 } },
	{ op_fork,	   { 12, 4, 10, 16 } },
	{ op_clone_newpid, { 6, 30, 10, 8 } },
	{ op_setns,	   { 8, 4, 6, 6 } },
	{ op_ask,	   { 6, 4, 3, 1 } },
	{ op_look,	   { 2, 2, 1, 1 } },
	{ op_last_pid,	   { 2, 2, 1, 1 } },
	{ op_kill,	   { 3, 1, 3, 8 } },
	{ op_pidfd_signal, { 2, 1, 1, 4 } },
	{ op_exit,	   { 4, 1, 4, 8 } },
	{ op_reboot,	   { 1, 1, 1, 2 } },
	{ op_wait,	   { 10, 2, 6, 12 } },
	{ op_limit,	   { 1, 0, 6, 1 } },
};

static bool random_op(enum kind kind, int actor)
{
	unsigned int i;
	int at, sum = 0;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		sum += ops[i].weight[kind];
	at = random_below(sum);
	for (i = 0; at >= ops[i].weight[kind]; i++)
		at -= ops[i].weight[kind];
	return ops[i].op(actor);
}

/* Who acts: anybody, or in a deep world mostly one of the lowest level. */
static int random_player(enum kind kind)
{
	int i, lowest = random_actor(false, -1);

	if (kind != DEEP || !random_below(4))
		return lowest;
	for (i = 1; i < MAX_ACTORS; i++)
		if (actors[i].state == ALIVE &&
		    spaces[actors[i].active].level >
		    spaces[actors[lowest].active].level)
			lowest = i;
	return lowest;
}

/* One operation: the director sees to it that there are actors. */
static void one_step(enum kind kind)
{
	bool done = false;

	snprintf(line, sizeof(line), "%4d ", step);
	while (!done) {
		if (count_actors(false) < 4 && free_part() > 0 &&
		    count_actors(true) < MAX_ACTORS - 2)
			done = op_fork(0);
		else if (!random_below(16) || count_actors(false) == 0)
			done = op_wait(0);
		else
			done = random_op(kind, random_player(kind));
	}
	follow_all();
	end_line();
}

static void begin_world(void)
{
	int i;

	new_user(-1);
	new_space(-1, 0);
	users[0].id = task_ns_id(0, "user");
	spaces[0].id = task_ns_id(0, ACTIVE);
	spaces[0].init = 0;
	spaces[0].cursor = 2;
	actors[0] = (struct actor) { .state = ALIVE, .parent = -1, .pid = { 1 } };
	for (i = 0; i < MAX_ACTORS; i++)
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			       channel[i]))
			_exit(KSFT_FAIL);
}

static int direct_world(int seed)
{
	random_state = seed * 0x9e3779b97f4a7c15ULL + 1;
	begin_world();
	for (step = 0; step < OPERATIONS && !failed; step++)
		one_step(seed % NR_KINDS);
	return failed ? KSFT_FAIL : KSFT_PASS;
}

/* Pid 1 of a world that has its own /proc, or the reason why there is none. */
static int world(int seed, int uid, int gid)
{
	if (map_user(uid, gid)) {
		ksft_print_msg("no map: %s\n", strerror(errno));
		return KSFT_SKIP;
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL)) {
		ksft_print_msg("no /proc: %s\n", strerror(errno));
		return KSFT_SKIP;
	}
	return direct_world(seed);
}

static int run_seed(int seed)
{
	__u64 flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS;
	int uid = geteuid(), gid = getegid();
	int status = -1;
	pid_t pid;

	pid = clone3_fork(flags);
	if (pid < 0) {
		ksft_print_msg("no world: %s\n", strerror(errno));
		return KSFT_SKIP;
	}
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		status = world(seed, uid, gid);
		fflush(stdout);
		_exit(status);
	}
	if (TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) == pid &&
	    WIFEXITED(status))
		return WEXITSTATUS(status);
	ksft_print_msg("the director ended by signal %d\n", WTERMSIG(status));
	return KSFT_FAIL;
}

static int first_seed = 1, last_seed = 8;

FIXTURE(world)
{
};

FIXTURE_VARIANT(world)
{
	enum kind kind;
};

/* Some of all operations. */
FIXTURE_VARIANT_ADD(world, mixed)
{
	.kind = MIXED,
};

/* Namespaces below namespaces, down to the last level. */
FIXTURE_VARIANT_ADD(world, deep)
{
	.kind = DEEP,
};

/* User namespaces with limits that are reached. */
FIXTURE_VARIANT_ADD(world, limited)
{
	.kind = LIMITED,
};

/* Processes that come and go. */
FIXTURE_VARIANT_ADD(world, deadly)
{
	.kind = DEADLY,
};

FIXTURE_SETUP(world)
{
	if (task_ns_id(0, ACTIVE) != PID_NS_INIT_ID)
		SKIP(return, "needs the initial pid namespace, whose level is known");
}

FIXTURE_TEARDOWN(world)
{
}

/*
 * Each operation has the result, and each actor the pids, the parent and the
 * namespaces, that the model predicts.
 */
TEST_F(world, is_as_the_model_predicts)
{
	int seed;

	for (seed = first_seed; seed <= last_seed; seed++) {
		int code;

		if (seed % NR_KINDS != (int)variant->kind)
			continue;
		if (tracing)
			printf("# trace seed %d\n", seed);
		code = run_seed(seed);
		if (code == KSFT_SKIP)
			SKIP(break, "no user namespaces, or no /proc in them");
		EXPECT_EQ(KSFT_PASS, code) {
			TH_LOG("once more: %s%s --seeds %d-%d --trace",
			       program_invocation_name,
			       mainline ? " --mainline" : "", seed, seed);
		}
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "trace", no_argument, NULL, 't' },
		{ "mainline", no_argument, NULL, 'm' },
		{ "seeds", required_argument, NULL, 's' },
		{},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 't')
			tracing = true;
		else if (option == 'm')
			mainline = true;
		else if (option != 's' ||
			 sscanf(optarg, "%d-%d", &first_seed, &last_seed) != 2)
			return KSFT_FAIL;
	}
	optind = 1;
	return test_harness_run(1, argv);
}
