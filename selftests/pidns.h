/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers shared by the tests of pid namespaces.
 *
 * A task has two: the *active* namespace, where it was born and which its pids
 * are shown in, and the *default* one, which its children are born in. In /proc
 * they are ns/pid and ns/pid_for_children.
 *
 * A pid argument of 0 means the calling thread.
 */
#ifndef __SELFTESTS_PIDNS_H
#define __SELFTESTS_PIDNS_H

#include <dirent.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../namespaces/wrappers.h"
#include "../pidfd/pidfd.h"

/* An emulated CPU of a busy machine can be ten times as slow as one that is idle. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 300

/* What kernel.pid_max starts with in a namespace: the most that there may be. */
#define PID_MAX_START	(sizeof(long) > 4 ? 4194304L : 32768L)

/* Names below /proc/PID/ns. */
#define ACTIVE	"pid"
#define DEFAULT	"pid_for_children"

/**
 * proc_open() - Open a file of a task in /proc.
 * @pid: Task, or 0 for the calling thread.
 * @name: Path below the directory of the task.
 * @flags: For open(2).
 *
 * Return: A file descriptor, or -1 and errno.
 */
static inline int proc_open(pid_t pid, const char *name, int flags)
{
	char path[128];

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	else
		snprintf(path, sizeof(path), "/proc/thread-self/%s", name);
	return open(path, flags | O_CLOEXEC);
}

/**
 * proc_write() - Write a string to a file.
 * @path: Path of the file.
 * @text: What to write.
 *
 * Return: 0, or -1 and errno.
 */
static inline int proc_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t len = strlen(text);
	int err;

	if (fd < 0)
		return -1;
	err = write_nointr(fd, text, len) == len ? 0 : errno;
	close(fd);
	errno = err;
	return err ? -1 : 0;
}

/**
 * dir_lists() - Look for a name among those that a directory shows.
 * @path: Path of the directory.
 * @name: The name.
 *
 * Return: 1 if it is there, 0 if not, or -1 and errno.
 */
static inline int dir_lists(const char *path, const char *name)
{
	struct dirent *entry;
	bool there = false;
	DIR *dir;
	int err;

	dir = opendir(path);
	if (!dir)
		return -1;
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		there |= !strcmp(entry->d_name, name);
	err = errno;
	closedir(dir);
	errno = err;
	return err ? -1 : there;
}

/**
 * task_state() - Read what a task does.
 * @task: Its directory, like /proc/self, or /proc/PID/task/TID.
 *
 * Return: The letter that proc_pid_stat(5) explains, or 0.
 */
static inline char task_state(const char *task)
{
	char path[64], text[256] = "", *at = NULL;
	int fd;

	snprintf(path, sizeof(path), "%s/stat", task);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) > 0)
		at = strrchr(text, ')');
	close(fd);
	return at ? at[2] : 0;
}

/**
 * ns_open() - Open a namespace of a task.
 * @pid: Task, or 0 for the calling thread.
 * @name: ACTIVE, DEFAULT, or another name below /proc/PID/ns.
 *
 * Return: A file descriptor, or -1 and errno.
 */
static inline int ns_open(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "ns/%s", name);
	return proc_open(pid, path, O_RDONLY);
}

/**
 * ns_id() - Read the unique id of a namespace.
 * @fd: An open namespace.
 *
 * Return: The id, or 0 (which no namespace has) and errno.
 */
static inline __u64 ns_id(int fd)
{
	__u64 id;

	return ioctl(fd, NS_GET_ID, &id) ? 0 : id;
}

/**
 * ns_id_close() - Read the unique id of a namespace, and close it.
 * @fd: An open namespace, or -1 and errno.
 *
 * Return: The id, or 0 and errno.
 */
static inline __u64 ns_id_close(int fd)
{
	__u64 id;

	if (fd < 0)
		return 0;
	id = ns_id(fd);
	close(fd);
	return id;
}

/**
 * task_ns_id() - Read the unique id of a namespace of a task.
 * @pid: Task, or 0 for the calling thread.
 * @name: As for ns_open().
 *
 * Return: The id, or 0 and errno.
 */
static inline __u64 task_ns_id(pid_t pid, const char *name)
{
	return ns_id_close(ns_open(pid, name));
}

/**
 * ns_parent_id() - Read the unique id of a namespace's parent.
 * @fd: An open pid or user namespace, below the caller's own.
 *
 * Return: The id, or 0 and errno.
 */
static inline __u64 ns_parent_id(int fd)
{
	return ns_id_close(ioctl(fd, NS_GET_PARENT));
}

/**
 * ns_depth() - Count the levels between a namespace and the caller's active one.
 * @fd: An open pid namespace.
 *
 * The kernel refuses to show what is above the caller, so that this is the
 * level only for a caller in the initial namespace.
 *
 * Return: 0 for the caller's active namespace, 1 for its children, and so on.
 */
static inline int ns_depth(int fd)
{
	int depth = 0;
	int parent;

	for (parent = ioctl(fd, NS_GET_PARENT); parent >= 0; depth++) {
		int next = ioctl(parent, NS_GET_PARENT);

		close(parent);
		parent = next;
	}
	return depth;
}

/**
 * may_list_all() - Does listns(2) show the caller what is not its own?
 *
 * Return: True for root in the initial user and pid namespaces.
 */
static inline bool may_list_all(void)
{
	return !geteuid() && task_ns_id(0, "user") == USER_NS_INIT_ID &&
	       task_ns_id(0, ACTIVE) == PID_NS_INIT_ID;
}

/**
 * ns_listed() - Look a pid namespace up in listns(2).
 * @id: Its unique id.
 *
 * listns(2) shows active namespaces only: those that a task has, as its active
 * or its default one, and those with an open file.
 *
 * Return: 1 if it is listed, 0 if not, -1 and errno when listns(2) fails.
 */
static inline int ns_listed(__u64 id)
{
	struct ns_id_req req = {
		.size = sizeof(req),
		.ns_type = PID_NS,
	};
	__u64 ids[64];
	ssize_t nr, i;

	while ((nr = sys_listns(&req, ids, ARRAY_SIZE(ids), 0)) > 0) {
		for (i = 0; i < nr; i++)
			if (ids[i] == id)
				return 1;
		req.ns_id = ids[nr - 1];
	}
	/* ENOENT: no namespace has a greater id than the last one read. */
	return nr < 0 && errno != ENOENT ? -1 : 0;
}

/**
 * status_numbers() - Read the numbers of a line of /proc/PID/status.
 * @pid: Task, or 0 for the calling thread.
 * @key: Name of the line, such as "NSpid".
 * @val: Where to put them.
 * @max: Room in @val.
 *
 * Return: How many were found, or -1 and errno.
 */
static inline int status_numbers(pid_t pid, const char *key, long *val, int max)
{
	int fd = proc_open(pid, "status", O_RDONLY);
	size_t len = strlen(key);
	char *line = NULL;
	size_t room = 0;
	int nr = -1;
	FILE *file;

	if (fd < 0)
		return -1;
	file = fdopen(fd, "r");
	if (!file) {
		close(fd);
		return -1;
	}
	errno = ENODATA;
	while (nr < 0 && getline(&line, &room, file) > 0) {
		char *at = line + len + 1, *end;

		if (strncmp(line, key, len) || line[len] != ':')
			continue;
		for (nr = 0; nr < max; nr++, at = end) {
			val[nr] = strtol(at, &end, 10);
			if (end == at)
				break;
		}
	}
	free(line);
	fclose(file);
	return nr;
}

/**
 * status_number() - Read a line of /proc/PID/status that holds one number.
 * @pid: Task, or 0 for the calling thread.
 * @key: Name of the line, such as "PPid".
 *
 * Return: The number, or -1 and errno.
 */
static inline long status_number(pid_t pid, const char *key)
{
	long val;

	return status_numbers(pid, key, &val, 1) == 1 ? val : -1;
}

/**
 * inner_pid() - Read the pid of a task in its own active namespace.
 * @pid: The task.
 *
 * Return: The pid, or -1.
 */
static inline long inner_pid(pid_t pid)
{
	long nspid[33];
	int nr = status_numbers(pid, "NSpid", nspid, ARRAY_SIZE(nspid));

	return nr > 0 ? nspid[nr - 1] : -1;
}

/**
 * clone3_fork() - Make a process that goes on here, as fork(2) does.
 * @flags: CLONE_* flags, none of which may need a stack.
 *
 * Return: As fork(2).
 */
static inline pid_t clone3_fork(__u64 flags)
{
	struct __clone_args args = {
		.flags = flags,
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
	};

	return sys_clone3(&args, sizeof(args));
}

/**
 * clone_fork() - Make a process that goes on here, by the old clone(2).
 * @flags: CLONE_* flags, none of which may need a stack.
 *
 * Return: As fork(2).
 */
static inline pid_t clone_fork(unsigned long flags)
{
	fflush(stdout);
	fflush(stderr);
#if defined(__s390__)
	return syscall(__NR_clone, 0UL, flags | SIGCHLD, 0UL, 0UL, 0UL);
#else
	return syscall(__NR_clone, flags | SIGCHLD, 0UL, 0UL, 0UL, 0UL);
#endif
}

/**
 * pidfd_ns_open() - Open a pid namespace of a task without the help of /proc.
 * @pid: The task, as the caller's active namespace numbers it.
 * @request: PIDFD_GET_PID_NAMESPACE or PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE.
 *
 * For callers whose /proc is that of another namespace.
 *
 * Return: A file descriptor, or -1 and errno.
 */
static inline int pidfd_ns_open(pid_t pid, unsigned long request)
{
	int pidfd = sys_pidfd_open(pid, 0);
	int fd, err;

	if (pidfd < 0)
		return -1;
	fd = ioctl(pidfd, request, 0);
	err = errno;
	close(pidfd);
	errno = err;
	return fd;
}

/**
 * child_active_open() - Open the active namespace of a task by its pid alone.
 * @pid: As for pidfd_ns_open().
 *
 * Return: A file descriptor, or -1 and errno.
 */
static inline int child_active_open(pid_t pid)
{
	return pidfd_ns_open(pid, PIDFD_GET_PID_NAMESPACE);
}

/**
 * child_default_open() - Open the default namespace of a task by its pid alone.
 * @pid: As for pidfd_ns_open().
 *
 * Return: A file descriptor, or -1 and errno.
 */
static inline int child_default_open(pid_t pid)
{
	return pidfd_ns_open(pid, PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE);
}

/**
 * sync_open() - Make a pipe that processes meet over.
 * @_metadata: The running test.
 * @pipe_fd: The pipe; each end is closed by execve(2).
 */
static inline void sync_open(struct __test_metadata *const _metadata,
			     int pipe_fd[2])
{
	ASSERT_EQ(0, pipe2(pipe_fd, O_CLOEXEC)) {
		TH_LOG("pipe: %s", strerror(errno));
	}
}

/**
 * sync_post() - Let the other side of a pipe go on.
 * @_metadata: The running test.
 * @pipe_fd: The pipe.
 */
static inline void sync_post(struct __test_metadata *const _metadata,
			     const int pipe_fd[2])
{
	ASSERT_EQ(1, write_nointr(pipe_fd[1], ".", 1)) {
		TH_LOG("post: %s", strerror(errno));
	}
}

/**
 * sync_wait() - Wait for one sync_post() on the other side of a pipe.
 * @_metadata: The running test.
 * @pipe_fd: The pipe.
 */
static inline void sync_wait(struct __test_metadata *const _metadata,
			     const int pipe_fd[2])
{
	char byte;

	ASSERT_EQ(1, read_nointr(pipe_fd[0], &byte, 1)) {
		TH_LOG("wait: %s", strerror(errno));
	}
}

/**
 * wait_status() - Wait for a child.
 * @_metadata: The running test.
 * @pid: The child.
 *
 * Return: Its status, for WIFEXITED() and its like.
 */
static inline int wait_status(struct __test_metadata *const _metadata,
			      pid_t pid)
{
	int status = -1;

	ASSERT_EQ(pid, TEMP_FAILURE_RETRY(waitpid(pid, &status, __WALL))) {
		TH_LOG("waitpid: %s", strerror(errno));
	}
	return status;
}

/**
 * assert_exited() - Wait for a child that must exit with a given code.
 * @_metadata: The running test.
 * @pid: The child.
 * @code: Its exit code.
 */
static inline void assert_exited(struct __test_metadata *const _metadata,
				 pid_t pid, int code)
{
	int status = wait_status(_metadata, pid);

	ASSERT_TRUE(WIFEXITED(status)) {
		TH_LOG("child %d: killed by signal %d", pid, WTERMSIG(status));
	}
	ASSERT_EQ(code, WEXITSTATUS(status));
}

/**
 * assert_exited_ok() - Wait for a child whose claims must all have held.
 * @_metadata: The running test.
 * @pid: A child of child_run(), or one that exits with its exit_code.
 */
static inline void assert_exited_ok(struct __test_metadata *const _metadata,
				    pid_t pid)
{
	assert_exited(_metadata, pid, KSFT_PASS);
}

/**
 * assert_killed() - Wait for a child that must die of a given signal.
 * @_metadata: The running test.
 * @pid: The child.
 * @sig: The signal.
 */
static inline void assert_killed(struct __test_metadata *const _metadata,
				 pid_t pid, int sig)
{
	int status = wait_status(_metadata, pid);

	ASSERT_TRUE(WIFSIGNALED(status)) {
		TH_LOG("child %d: exited with %d", pid, WEXITSTATUS(status));
	}
	ASSERT_EQ(sig, WTERMSIG(status));
}

/**
 * typedef child_fn - What a child does; it may use EXPECT and ASSERT.
 * @_metadata: the test that it belongs to.
 * @arg: what the test gives it.
 */
typedef void (*child_fn)(struct __test_metadata *const _metadata, void *arg);

/**
 * child_end() - End a child so that its parent learns of a failed EXPECT.
 * @_metadata: The running test.
 */
static inline void child_end(struct __test_metadata *const _metadata)
{
	_exit(_metadata->exit_code);
}

/**
 * child_run_flags() - Start a child whose failures are not lost.
 * @_metadata: The running test.
 * @flags: CLONE_* flags, none of which may need a stack.
 * @fn: What it does.
 * @arg: Passed to @fn.
 *
 * A failed ASSERT ends the child by a signal, a failed EXPECT by its exit code,
 * in a namespace's pid 1 too: assert_exited_ok() sees both.
 *
 * Return: The child, or -1 and errno.
 */
static inline pid_t child_run_flags(struct __test_metadata *const _metadata,
				    __u64 flags, child_fn fn, void *arg)
{
	pid_t pid = clone3_fork(flags);

	if (pid)
		return pid;
	fn(_metadata, arg);
	_exit(_metadata->exit_code);
}

/**
 * child_run() - Start a child in the default namespace.
 * @_metadata: The running test.
 * @fn: What it does.
 * @arg: Passed to @fn.
 *
 * Return: The child, which assert_exited_ok() waits for.
 */
static inline pid_t child_run(struct __test_metadata *const _metadata,
			      child_fn fn, void *arg)
{
	pid_t pid = child_run_flags(_metadata, 0, fn, arg);

	ASSERT_LT(0, pid) {
		TH_LOG("fork: %s", strerror(errno));
	}
	return pid;
}

/**
 * die_with_parent() - Leave no child behind when a test fails.
 * @_metadata: The running test.
 *
 * For children that wait for their parent. Not for those whose end is claimed
 * to have another cause.
 */
static inline void die_with_parent(struct __test_metadata *const _metadata)
{
	ASSERT_EQ(0, prctl(PR_SET_PDEATHSIG, SIGKILL));
}

/**
 * child_hold() - Start a child that does nothing until it is killed.
 * @_metadata: The running test.
 * @flags: As for child_run_flags().
 *
 * It dies with the thread that started it.
 *
 * Return: The child, which child_kill() ends, or -1 and errno.
 */
static inline pid_t child_hold(struct __test_metadata *const _metadata,
			       __u64 flags)
{
	pid_t pid = clone3_fork(flags);

	if (pid)
		return pid;
	die_with_parent(_metadata);
	for (;;)
		pause();
}

/**
 * child_stay() - A child that does nothing until it is killed, whoever lives.
 * @_metadata: The running test.
 * @arg: Nothing.
 */
static inline void child_stay(struct __test_metadata *const _metadata __maybe_unused,
			      void *arg __maybe_unused)
{
	for (;;)
		pause();
}

/**
 * child_kill() - End a child of child_hold().
 * @_metadata: The running test.
 * @pid: The child.
 */
static inline void child_kill(struct __test_metadata *const _metadata,
			      pid_t pid)
{
	/* Less than that is a group of processes, or all of them. */
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	assert_killed(_metadata, pid, SIGKILL);
}

/**
 * child_idle() - A child that only lives until one sync_post().
 * @_metadata: The running test.
 * @pipe_fd: The pipe.
 *
 * It dies with the thread that started it.
 */
static inline void child_idle(struct __test_metadata *const _metadata,
			      void *pipe_fd)
{
	die_with_parent(_metadata);
	/* Had the parent died before, this shows it: nobody else can write. */
	close(((int *)pipe_fd)[1]);
	sync_wait(_metadata, pipe_fd);
}

/**
 * enter_userns() - Enter a new user namespace as its root.
 * @_metadata: The running test.
 *
 * Return: 0, or -1 and errno when the kernel refuses to make one.
 */
static inline int enter_userns(struct __test_metadata *const _metadata)
{
	unsigned int uid = geteuid(), gid = getegid();
	char map[32];

	if (unshare(CLONE_NEWUSER))
		return -1;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	ASSERT_EQ(0, proc_write("/proc/self/uid_map", map));
	ASSERT_EQ(0, proc_write("/proc/self/setgroups", "deny"));
	snprintf(map, sizeof(map), "0 %u 1", gid);
	ASSERT_EQ(0, proc_write("/proc/self/gid_map", map));
	return 0;
}

/**
 * drop_privilege() - Give up all capabilities, and stay the same user.
 * @_metadata: The running test.
 */
static inline void drop_privilege(struct __test_metadata *const _metadata)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};

	ASSERT_EQ(0, syscall(__NR_capset, &header, none)) {
		TH_LOG("capset: %s", strerror(errno));
	}
}

/**
 * require_privilege() - Be allowed to make pid namespaces, or skip the test.
 * @_metadata: The running test.
 *
 * Root stays as it is, everybody else becomes root of a new user namespace.
 */
static inline void require_privilege(struct __test_metadata *const _metadata)
{
	if (geteuid() && enter_userns(_metadata))
		SKIP(_exit(KSFT_SKIP), "needs root or a user namespace: %s",
		     strerror(errno));
}

/**
 * require_userns() - Be allowed to make user namespaces, or skip the test.
 * @_metadata: The running test.
 */
static inline void require_userns(struct __test_metadata *const _metadata)
{
	pid_t pid = clone3_fork(CLONE_NEWUSER);

	if (pid < 0)
		SKIP(_exit(KSFT_SKIP), "no user namespaces: %s", strerror(errno));
	if (!pid)
		_exit(KSFT_PASS);
	assert_exited_ok(_metadata, pid);
}

/**
 * require_root() - Be root of the whole machine, or skip the test.
 * @_metadata: The running test.
 * @why: What needs it.
 */
static inline void require_root(struct __test_metadata *const _metadata,
				const char *why)
{
	if (geteuid() || task_ns_id(0, "user") != USER_NS_INIT_ID)
		SKIP(_exit(KSFT_SKIP), "needs root: %s", why);
}

/**
 * unshare_pidns() - Give the caller a new default namespace.
 * @_metadata: The running test.
 */
static inline void unshare_pidns(struct __test_metadata *const _metadata)
{
	ASSERT_EQ(0, unshare(CLONE_NEWPID)) {
		TH_LOG("unshare(CLONE_NEWPID): %s", strerror(errno));
	}
}

/**
 * run_as_pid_1() - Run a function as pid 1 of a namespace, whose master it so is.
 * @_metadata: The running test.
 * @fn: The function, whose claims must all hold.
 * @arg: For @fn.
 */
static inline void run_as_pid_1(struct __test_metadata *const _metadata,
				child_fn fn, void *arg)
{
	pid_t pid;

	require_privilege(_metadata);
	pid = child_run_flags(_metadata, CLONE_NEWPID, fn, arg);
	ASSERT_LT(0, pid) {
		TH_LOG("clone3: %s", strerror(errno));
	}
	assert_exited_ok(_metadata, pid);
}

/**
 * unshare_and_hold() - For a child: unshare, say so, and live until it is killed.
 * @_metadata: The running test.
 * @arg: The pipe of a sync_post().
 */
static inline void unshare_and_hold(struct __test_metadata *const _metadata,
				    void *arg)
{
	die_with_parent(_metadata);
	unshare_pidns(_metadata);
	sync_post(_metadata, arg);
	for (;;)
		pause();
}

/**
 * limit_pidns() - Enter a user namespace that may hold few pid namespaces.
 * @_metadata: The running test.
 * @max: How many.
 *
 * Return: 0, or -1 and errno when the kernel refuses to make one.
 */
static inline int limit_pidns(struct __test_metadata *const _metadata,
			      unsigned int max)
{
	char text[16];

	if (enter_userns(_metadata))
		return -1;
	snprintf(text, sizeof(text), "%u", max);
	ASSERT_EQ(0, proc_write("/proc/sys/user/max_pid_namespaces", text)) {
		TH_LOG("max_pid_namespaces: %s", strerror(errno));
	}
	return 0;
}

/**
 * unshare_when_freed() - Unshare the pid namespace, once the limit allows it.
 *
 * A namespace that nobody holds is taken apart by a work item: one that counts
 * against a limit can still do so for a moment.
 *
 * Return: 0, or -1 and errno: ENOSPC if it is full after 10 seconds and more.
 */
static inline int unshare_when_freed(void)
{
	int i;

	for (i = 0; i < 10000; i++) {
		if (!unshare(CLONE_NEWPID))
			return 0;
		if (errno != ENOSPC)
			return -1;
		poll(NULL, 0, 1);
	}
	errno = ENOSPC;
	return -1;
}

/**
 * struct snapshot - What a refused call may not change.
 * @pid: getpid().
 * @tid: gettid().
 * @nspid: Line NSpid of /proc/thread-self/status.
 * @levels: How many numbers @nspid has.
 * @active: Id of the active pid namespace.
 * @dflt: Id of the default one.
 * @user: Id of the user namespace.
 */
struct snapshot {
	pid_t pid;
	pid_t tid;
	long nspid[33];
	int levels;
	__u64 active;
	__u64 dflt;
	__u64 user;
};

/**
 * snapshot_take() - Note where the calling thread stands.
 * @_metadata: The running test.
 *
 * Return: The snapshot.
 */
static inline struct snapshot
snapshot_take(struct __test_metadata *const _metadata)
{
	struct snapshot now = {
		.pid = getpid(),
		.tid = syscall(__NR_gettid),
		.active = task_ns_id(0, ACTIVE),
		.dflt = task_ns_id(0, DEFAULT),
		.user = task_ns_id(0, "user"),
	};

	now.levels = status_numbers(0, "NSpid", now.nspid,
				    ARRAY_SIZE(now.nspid));
	ASSERT_LT(0, now.levels);
	ASSERT_NE(0ULL, now.active);
	ASSERT_NE(0ULL, now.dflt);
	ASSERT_NE(0ULL, now.user);
	return now;
}

/**
 * expect_unchanged() - Expect the calling thread to stand where it stood.
 * @_metadata: The running test.
 * @old: An earlier snapshot.
 */
static inline void expect_unchanged(struct __test_metadata *const _metadata,
				    const struct snapshot *old)
{
	struct snapshot now = snapshot_take(_metadata);

	EXPECT_EQ(old->pid, now.pid);
	EXPECT_EQ(old->tid, now.tid);
	ASSERT_EQ(old->levels, now.levels);
	EXPECT_EQ(0, memcmp(old->nspid, now.nspid,
			    now.levels * sizeof(now.nspid[0])));
	EXPECT_EQ(old->active, now.active);
	EXPECT_EQ(old->dflt, now.dflt);
	EXPECT_EQ(old->user, now.user);
}

#endif /* __SELFTESTS_PIDNS_H */
