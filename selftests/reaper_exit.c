// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a namespace's pid 1 is the end of the namespace: everybody in it
 * and below it is killed, and its creator, who stands outside, learns of it.
 *
 *   active:   creator
 *               |  \
 *   default:  pid 1  oddball
 *             |   \
 *             |    orphans and other children
 *   below:   its own pid 1 and so on
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "pidns.h"

static void exit_with(struct __test_metadata *const _metadata __maybe_unused,
		      void *arg)
{
	_exit(*(int *)arg);
}

/* Blocks all signals that can be, and holds the pipe open until it dies. */
static void __noreturn resist(const int pipe_fd[2])
{
	sigset_t all;

	close(pipe_fd[0]);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	if (write_nointr(pipe_fd[1], ".", 1) != 1)
		_exit(KSFT_FAIL);
	for (;;)
		pause();
}

/* A child, an orphan, and pid 1 of two namespaces below. */
#define RESISTERS 4

struct family {
	/* Each of the family holds the writing end. */
	int alive[2];
	/* What ends pid 1. */
	int end[2];
	int code;
};

static void resist_by_fork(const struct family *family, __u64 flags)
{
	pid_t pid = clone3_fork(flags);

	if (pid < 0)
		_exit(KSFT_FAIL);
	if (pid == 0)
		resist(family->alive);
}

/* Pid 1: a child, an orphan, and a namespace below, by clone and by unshare. */
static void head_family(struct __test_metadata *const _metadata, void *arg)
{
	const struct family *family = arg;
	pid_t pid;

	EXPECT_EQ(1, getpid());
	resist_by_fork(family, 0);
	resist_by_fork(family, CLONE_NEWPID);

	pid = clone3_fork(0);
	ASSERT_LE(0, pid);
	if (pid == 0) {
		resist_by_fork(family, 0);
		unshare_pidns(_metadata);
		resist_by_fork(family, 0);
		_exit(KSFT_PASS);
	}
	assert_exited_ok(_metadata, pid);

	sync_wait(_metadata, family->end);
	_exit(_metadata->exit_code ?: family->code);
}

/* Starts pid 1 with its family, in the default namespace of the caller. */
static pid_t start_family(struct __test_metadata *const _metadata,
			  struct family *family)
{
	pid_t pid;
	int i;

	sync_open(_metadata, family->alive);
	sync_open(_metadata, family->end);
	pid = child_run(_metadata, head_family, family);
	for (i = 0; i < RESISTERS; i++)
		sync_wait(_metadata, family->alive);
	return pid;
}

/* Nobody is left who holds the writing end of the pipe. */
static void expect_nobody(struct __test_metadata *const _metadata,
			  const struct family *family)
{
	struct pollfd alive = {
		.fd = family->alive[0],
		.events = POLLIN,
	};

	close(family->alive[1]);
	EXPECT_EQ(1, poll(&alive, 1, 0));
	EXPECT_EQ(POLLHUP, alive.revents);
}

static void expect_enomem(struct __test_metadata *const _metadata, pid_t pid)
{
	if (pid == 0)
		_exit(KSFT_FAIL);
	EXPECT_EQ(-1, pid);
	EXPECT_EQ(ENOMEM, errno);
}

/* The default namespace takes no child any more, by any call. */
static void expect_dead(struct __test_metadata *const _metadata)
{
	expect_enomem(_metadata, fork());
	expect_enomem(_metadata, clone_fork(0));
	expect_enomem(_metadata, clone3_fork(0));
}

/*
 * Everybody in the namespace and in those below it is gone when pid 1 can be
 * waited for, whatever they blocked; the creator reads the code of pid 1.
 *
 * 1. The creator unshares and forks pid 1.
 * 2. Pid 1 has a child, an orphan, and two namespaces below, one by clone and
 *    one by an unshare of a child that is gone. Each blocks all signals.
 * 3. Pid 1 exits with 42: the creator waits for it and gets 42, and nobody
 *    holds the pipe that all of them had.
 */
TEST(exit_of_pid_1_kills_all_in_the_namespace_and_below)
{
	struct family family = { .code = 42 };
	pid_t pid;

	require_privilege(_metadata);
	unshare_pidns(_metadata);
	pid = start_family(_metadata, &family);

	sync_post(_metadata, family.end);
	assert_exited(_metadata, pid, 42);
	expect_nobody(_metadata, &family);
}

/*
 * It is the same when pid 1 is killed from outside; the creator reads the
 * signal.
 *
 * 1. As above.
 * 2. The creator kills pid 1.
 */
TEST(kill_of_pid_1_from_outside_kills_all_in_the_namespace_and_below)
{
	struct family family = {};
	pid_t pid;

	require_privilege(_metadata);
	unshare_pidns(_metadata);
	pid = start_family(_metadata, &family);

	child_kill(_metadata, pid);
	expect_nobody(_metadata, &family);
}

static void raise_kill(struct __test_metadata *const _metadata,
		       void *arg __maybe_unused)
{
	EXPECT_EQ(1, getpid());
	/* From inside, not even pid 1 itself can kill pid 1. */
	EXPECT_EQ(0, kill(1, SIGKILL));
	EXPECT_EQ(0, raise(SIGTERM));
}

/*
 * What kills pid 1 comes from outside or from its own fault: SIGKILL that it
 * sends to itself does not end it.
 *
 * 1. The creator unshares and forks pid 1.
 * 2. Pid 1 sends SIGKILL and SIGTERM to itself, lives, and exits.
 */
TEST(pid_1_survives_its_own_sigkill)
{
	pid_t pid;

	require_privilege(_metadata);
	unshare_pidns(_metadata);
	pid = child_run(_metadata, raise_kill, NULL);
	assert_exited_ok(_metadata, pid);
}

/*
 * After the end of pid 1 the next fork of the creator fails with ENOMEM, and so
 * does each later one; a further unshare gives it a namespace in working order.
 *
 * 1. The creator unshares, and its first child exits.
 * 2. Its fork(2), clone(2) and clone3(2) fail with ENOMEM.
 * 3. It unshares: another id, the same parent, and the next child is pid 1.
 * 4. Twice: there is no limit to the number of lives.
 */
TEST(unshare_after_the_end_of_pid_1_gives_a_fresh_namespace)
{
	__u64 dead, active;
	pid_t pid;
	int i, fd, code = 7;

	require_privilege(_metadata);
	active = task_ns_id(0, ACTIVE);
	unshare_pidns(_metadata);
	for (i = 0; i < 2; i++) {
		pid = child_run(_metadata, exit_with, &code);
		assert_exited(_metadata, pid, 7);
		expect_dead(_metadata);
		dead = task_ns_id(0, DEFAULT);

		unshare_pidns(_metadata);
		EXPECT_NE(dead, task_ns_id(0, DEFAULT));
		EXPECT_EQ(active, task_ns_id(0, ACTIVE));
	}
	pid = child_hold(_metadata, 0);
	ASSERT_LT(0, pid);
	fd = child_active_open(pid);
	EXPECT_EQ(active, ns_parent_id(fd));
	EXPECT_EQ(1, ioctl(fd, NS_GET_PID_IN_PIDNS, pid));
	child_kill(_metadata, pid);
}

/*
 * So does a creator that has given up its privilege over the owner of its active
 * namespace, for whom there is no setns(2) back.
 *
 * 1. The creator unshares its user and its pid namespace; its first child exits.
 * 2. setns() to its active namespace fails with EPERM, and fork(2) with ENOMEM.
 * 3. It unshares, and the next child is pid 1.
 */
TEST(unshare_is_the_way_on_for_who_has_no_setns_back)
{
	pid_t pid;
	int fd, code = 7;

	if (unshare(CLONE_NEWUSER | CLONE_NEWPID))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	pid = child_run(_metadata, exit_with, &code);
	assert_exited(_metadata, pid, 7);
	expect_dead(_metadata);
	fd = ns_open(0, ACTIVE);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, setns(fd, CLONE_NEWPID));
	EXPECT_EQ(EPERM, errno);

	unshare_pidns(_metadata);
	pid = child_hold(_metadata, 0);
	ASSERT_LT(0, pid);
	EXPECT_EQ(1, ioctl(child_active_open(pid), NS_GET_PID_IN_PIDNS, pid));
	child_kill(_metadata, pid);
}

struct joining {
	int go[2];
	int done[2];
};

static void join_the_parent(struct __test_metadata *const _metadata, void *arg)
{
	const struct joining *joining = arg;
	int fd;

	sync_wait(_metadata, joining->go);
	fd = ns_open(getppid(), DEFAULT);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setns(fd, CLONE_NEWPID));
	sync_post(_metadata, joining->done);

	sync_wait(_metadata, joining->go);
	expect_dead(_metadata);
	EXPECT_EQ(0, setns(fd, CLONE_NEWPID));
	EXPECT_EQ(ns_id(fd), task_ns_id(0, DEFAULT));
	expect_dead(_metadata);
}

/*
 * A dead namespace is dead for everybody who has it as the default: a process
 * that joined it by setns(2), before its end or after, gets ENOMEM too.
 *
 * 1. The creator forks another process, and unshares.
 * 2. The other one joins its default namespace.
 * 3. The creator forks pid 1, which exits.
 * 4. The other one cannot fork; it joins once more, which works, and still
 *    cannot fork.
 */
TEST(fork_into_a_dead_namespace_fails_for_those_who_joined_it)
{
	struct joining joining;
	pid_t other, pid;
	int code = 0;

	require_privilege(_metadata);
	sync_open(_metadata, joining.go);
	sync_open(_metadata, joining.done);
	other = child_run(_metadata, join_the_parent, &joining);
	unshare_pidns(_metadata);
	sync_post(_metadata, joining.go);
	sync_wait(_metadata, joining.done);

	pid = child_run(_metadata, exit_with, &code);
	assert_exited_ok(_metadata, pid);
	sync_post(_metadata, joining.go);
	assert_exited_ok(_metadata, other);
	expect_dead(_metadata);
}

/* Waits until a thread of a process, or the other one, is in one of some states; returns it. */
static char await_state(struct __test_metadata *const _metadata, pid_t pid,
			bool other, const char *states)
{
	char path[64], state;
	struct dirent *entry;
	DIR *threads;

	do {
		poll(NULL, 0, 1);
		snprintf(path, sizeof(path), "/proc/%d/task", pid);
		threads = opendir(path);
		ASSERT_NE(NULL, threads);
		do {
			entry = readdir(threads);
			ASSERT_NE(NULL, entry);
		} while (atoi(entry->d_name) <= 0 ||
			 (atoi(entry->d_name) == pid) == other);
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s", pid, entry->d_name);
		closedir(threads);
		state = task_state(path);
		ASSERT_NE(0, state);
	} while (!strchr(states, state));
	return state;
}

/*
 * Pid 1 goes last: while the creator has not waited for an oddball, a child of
 * its own in the namespace, it cannot wait for pid 1 either.
 *
 * 1. The creator unshares and forks pid 1 and an oddball.
 * 2. It kills pid 1, which kills the oddball.
 * 3. The oddball can be waited for. Pid 1 goes to sleep, and cannot yet.
 * 4. The creator waits for the oddball, and then gets pid 1.
 */
TEST(pid_1_cannot_be_waited_for_before_the_other_children_of_the_creator)
{
	pid_t init, oddball;
	siginfo_t info = {};

	require_privilege(_metadata);
	unshare_pidns(_metadata);
	init = child_hold(_metadata, 0);
	ASSERT_LT(0, init);
	oddball = child_hold(_metadata, 0);
	ASSERT_LT(0, oddball);

	ASSERT_EQ(0, kill(init, SIGKILL));
	ASSERT_EQ(0, waitid(P_PID, oddball, &info, WEXITED | WNOWAIT));
	EXPECT_EQ(CLD_KILLED, info.si_code);
	EXPECT_EQ(SIGKILL, info.si_status);
	/* Mainline sleeps in another state. */
	EXPECT_NE('Z', await_state(_metadata, init, false, "ISZ"));
	EXPECT_EQ(0, waitpid(init, NULL, WNOHANG));

	assert_killed(_metadata, oddball, SIGKILL);
	assert_killed(_metadata, init, SIGKILL);
}

static void *exit_when_told(void *arg)
{
	char dot;

	if (read_nointr(((int *)arg)[0], &dot, 1) != 1)
		_exit(KSFT_FAIL);
	syscall(__NR_exit, 0);
	return NULL;
}

static void leave_a_thread(struct __test_metadata *const _metadata, void *arg)
{
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, exit_when_told, arg));
	syscall(__NR_exit, 0);
}

/*
 * The same, where pid 1 is two threads, of which the first has exited: who waits
 * is the last one, and the first stays as long as it does.
 *
 * 1. The creator unshares and forks pid 1, whose first thread exits, and an oddball.
 * 2. It has the last thread of pid 1 exit, which kills the oddball and sleeps.
 * 3. The creator waits for the oddball, and then gets pid 1.
 */
TEST(last_thread_of_pid_1_goes_when_the_creator_has_waited)
{
	pid_t init, oddball;
	siginfo_t info = {};
	int go[2];

	require_privilege(_metadata);
	sync_open(_metadata, go);
	unshare_pidns(_metadata);
	init = child_run(_metadata, leave_a_thread, go);
	ASSERT_LT(0, init);
	await_state(_metadata, init, false, "Z");
	oddball = child_hold(_metadata, 0);
	ASSERT_LT(0, oddball);

	sync_post(_metadata, go);
	ASSERT_EQ(0, waitid(P_PID, oddball, &info, WEXITED | WNOWAIT));
	await_state(_metadata, init, true, "SDI");
	assert_killed(_metadata, oddball, SIGKILL);
	assert_exited_ok(_metadata, init);
}

/*
 * An oddball's end is an ordinary one: the namespace lives on and takes new
 * children, until pid 1 goes.
 *
 * 1. The creator unshares and forks pid 1 and an oddball.
 * 2. The oddball exits; another one is born and exits.
 * 3. Pid 1 exits last, and only then do forks fail.
 */
TEST(namespace_outlives_its_other_members)
{
	int i, code = 3;
	pid_t init;

	require_privilege(_metadata);
	unshare_pidns(_metadata);
	init = child_hold(_metadata, 0);
	ASSERT_LT(0, init);
	for (i = 0; i < 2; i++)
		assert_exited(_metadata,
			      child_run(_metadata, exit_with, &code), 3);
	EXPECT_EQ(0, waitpid(init, NULL, WNOHANG));
	child_kill(_metadata, init);
	expect_dead(_metadata);
}

struct bequest {
	pid_t init;
	int end[2];
};

static void bequeath(struct __test_metadata *const _metadata, void *arg)
{
	struct bequest *bequest = arg;
	pid_t pid;

	unshare_pidns(_metadata);
	pid = clone3_fork(0);
	ASSERT_LE(0, pid);
	if (pid == 0) {
		sync_wait(_metadata, bequest->end);
		EXPECT_EQ(1, getpid());
		EXPECT_EQ(0, getppid());
		_exit(_metadata->exit_code ?: 42);
	}
	/* The child has this memory as well: it may not write here. */
	bequest->init = pid;
}

/*
 * The namespace outlives its creator: pid 1 gets a new parent outside, and is
 * none the wiser.
 *
 * 1. The test makes itself a subreaper and forks a creator.
 * 2. The creator unshares, forks pid 1 and exits.
 * 3. The test is the parent of pid 1, whose own getppid() is 0 as before, and
 *    reads its code.
 */
TEST(namespace_outlives_its_creator)
{
	struct bequest *bequest;
	int fd;

	require_privilege(_metadata);
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	bequest = mmap(NULL, sizeof(*bequest), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, bequest);
	sync_open(_metadata, bequest->end);

	assert_exited_ok(_metadata, child_run(_metadata, bequeath, bequest));
	EXPECT_EQ(getpid(), status_number(bequest->init, "PPid"));
	fd = child_active_open(bequest->init);
	EXPECT_EQ(task_ns_id(0, ACTIVE), ns_parent_id(fd));

	sync_post(_metadata, bequest->end);
	assert_exited(_metadata, bequest->init, 42);
}

struct orphans {
	pid_t init;
	pid_t oddball;
};

static void leave_orphans(struct __test_metadata *const _metadata, void *arg)
{
	struct orphans *orphans = arg;

	unshare_pidns(_metadata);
	orphans->init = child_run(_metadata, child_stay, NULL);
	orphans->oddball = child_run(_metadata, child_stay, NULL);
}

/*
 * An oddball whose creator has died gets a new parent where that one lived, not
 * init, and init waits until it has been reaped there.
 *
 * 1. The test makes itself a subreaper and forks a creator.
 * 2. The creator unshares, forks pid 1 and an oddball, and exits.
 * 3. The test is the parent of both.
 * 4. It kills pid 1. The oddball dies, but pid 1 is not gone.
 * 5. The test waits for the oddball, and then pid 1 is gone, too.
 */
TEST(oddball_of_a_dead_creator_goes_to_the_reaper_outside)
{
	struct orphans *orphans;
	siginfo_t info = {};

	require_privilege(_metadata);
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	orphans = mmap(NULL, sizeof(*orphans), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)orphans);

	assert_exited_ok(_metadata, child_run(_metadata, leave_orphans, orphans));
	EXPECT_EQ(getpid(), status_number(orphans->init, "PPid"));
	EXPECT_EQ(getpid(), status_number(orphans->oddball, "PPid"));

	ASSERT_EQ(0, kill(orphans->init, SIGKILL));
	ASSERT_EQ(0, waitid(P_PID, orphans->oddball, &info, WEXITED | WNOWAIT));
	EXPECT_EQ(0, waitpid(orphans->init, NULL, WNOHANG));

	assert_killed(_metadata, orphans->oddball, SIGKILL);
	assert_killed(_metadata, orphans->init, SIGKILL);
}

static void unshare_and_exit(struct __test_metadata *const _metadata,
			     void *arg __maybe_unused)
{
	ASSERT_EQ(0, unshare_when_freed());
}

/*
 * A namespace without a child ends with its creator, and counts no more.
 *
 * 1. The test enters a user namespace that may hold one pid namespace.
 * 2. Ten children, one after the other, unshare and exit.
 * 3. The test can unshare itself after that.
 */
TEST(namespace_without_a_child_ends_with_its_creator)
{
	pid_t pid;
	int i;

	if (limit_pidns(_metadata, 1))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	for (i = 0; i < 10; i++) {
		pid = child_run(_metadata, unshare_and_exit, NULL);
		assert_exited_ok(_metadata, pid);
	}
	EXPECT_EQ(0, unshare_when_freed());
}

/*
 * The end of pid 1 takes a namespace below with it, the creator of which is a
 * member of the upper one.
 *
 * 1. The creator unshares and forks pid 1.
 * 2. Pid 1 unshares and forks a pid 1 below, with its family.
 * 3. The creator kills the upper pid 1: nobody is left.
 */
TEST(end_of_pid_1_ends_the_namespaces_that_its_members_created)
{
	struct family below = {};
	int ready[2];
	pid_t pid;
	char byte;

	require_privilege(_metadata);
	sync_open(_metadata, ready);
	unshare_pidns(_metadata);
	pid = clone3_fork(0);
	ASSERT_LE(0, pid);
	if (pid == 0) {
		unshare_pidns(_metadata);
		start_family(_metadata, &below);
		sync_post(_metadata, ready);
		for (;;)
			pause();
	}
	sync_wait(_metadata, ready);
	child_kill(_metadata, pid);

	/* The whole family had this pipe, and the byte was read. */
	close(ready[1]);
	EXPECT_EQ(0, read_nointr(ready[0], &byte, 1));
}

/* Pid 1, on the stack and with the handlers of its parent; it may use no more. */
static int exit_as_pid_1(void *with_a_child)
{
	if (with_a_child && !clone3_fork(0))
		for (;;)
			pause();
	syscall(__NR_exit, 0);
	return 0;
}

/* Waits for a pid 1 that has the caller's handlers of signals. */
static void wait_for_sharer(struct __test_metadata *const _metadata,
			    void *with_a_child)
{
	static char stack[65536];
	struct sigaction action;
	pid_t pid;

	pid = clone(exit_as_pid_1, stack + sizeof(stack),
		    CLONE_NEWPID | CLONE_VM | CLONE_SIGHAND | SIGCHLD, with_a_child);
	ASSERT_LT(0, pid) {
		TH_LOG("clone: %s", strerror(errno));
	}
	EXPECT_EQ(-1, waitpid(pid, NULL, 0));
	EXPECT_EQ(ECHILD, errno);
	ASSERT_EQ(0, sigaction(SIGCHLD, NULL, &action));
	EXPECT_TRUE(action.sa_handler == SIG_IGN);
}

/*
 * An ending pid 1 ignores SIGCHLD. A parent outside that shares its handlers
 * does so from then on as well, and cannot wait for it, whoever was left in the
 * namespace.
 *
 * 1. A child of the test makes pid 1 with CLONE_VM and CLONE_SIGHAND.
 * 2. Pid 1 exits, alone: its parent gets ECHILD, and ignores SIGCHLD.
 */
TEST(parent_that_shares_handlers_with_pid_1_gets_echild_if_it_was_alone)
{
	require_privilege(_metadata);
	assert_exited_ok(_metadata, child_run(_metadata, wait_for_sharer, NULL));
}

/*
 * The same where pid 1 leaves a child behind.
 */
TEST(parent_that_shares_handlers_with_pid_1_gets_echild_if_others_were_left)
{
	require_privilege(_metadata);
	assert_exited_ok(_metadata, child_run(_metadata, wait_for_sharer, _metadata));
}

TEST_HARNESS_MAIN
