// SPDX-License-Identifier: GPL-2.0
/*
 * When init exits, it waits until all other tasks of its namespace are gone, and
 * for nothing else. A struct pid can stay for longer than its task, or be there
 * before it:
 *
 *	outside:    creator ------ member of ----.
 *	               |                         |
 *	----------- init ------- member of ----- group 2 -----
 *	inside:        |                         |
 *	            child 2 (gone) --- led ------'
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <termios.h>

#include "slow_page.h"

#define INIT_CODE	42

/* Long enough for a slow machine, and short of the harness's own limit. */
#define SOON_MS		15000

/*
 * Expects a child to exit, without a hand from outside. One that does not gets
 * the one that is known to help: it leaves its process group.
 */
static void expect_end_soon(struct __test_metadata *const _metadata, pid_t pid)
{
	struct pollfd exited = {
		.fd = sys_pidfd_open(pid, 0),
		.events = POLLIN,
	};

	ASSERT_LE(0, exited.fd);
	EXPECT_EQ(1, poll(&exited, 1, SOON_MS)) {
		TH_LOG("init waits, and there is nobody to wait for");
		setpgid(pid, pid);
	}
	close(exited.fd);
}

static void expect_exit_soon(struct __test_metadata *const _metadata, pid_t pid)
{
	expect_end_soon(_metadata, pid);
	assert_exited(_metadata, pid, INIT_CODE);
}

static void expect_death_soon(struct __test_metadata *const _metadata, pid_t pid)
{
	ASSERT_EQ(0, kill(pid, SIGKILL));
	expect_end_soon(_metadata, pid);
	assert_killed(_metadata, pid, SIGKILL);
}

/* Makes a child that leads a group of its own, as whose id its pid stays in use. */
static pid_t lead_group(struct __test_metadata *const _metadata)
{
	pid_t leader = child_hold(_metadata, 0);

	ASSERT_LT(0, leader);
	ASSERT_EQ(0, setpgid(leader, leader));
	return leader;
}

/* Joins the group of a child, and ends that child. */
static void outlive_leader(struct __test_metadata *const _metadata)
{
	pid_t leader = lead_group(_metadata);

	ASSERT_EQ(0, setpgid(0, leader));
	child_kill(_metadata, leader);
	EXPECT_EQ(leader, getpgrp());
}

static void init_in_group(struct __test_metadata *const _metadata,
			  void *arg __maybe_unused)
{
	EXPECT_EQ(1, getpid());
	outlive_leader(_metadata);
	_exit(_metadata->exit_code ?: INIT_CODE);
}

FIXTURE(group) {
};

FIXTURE_VARIANT(group) {
	/* Makes init, which runs the function. */
	pid_t (*start)(struct __test_metadata *const _metadata, child_fn fn);
};

static pid_t by_clone(struct __test_metadata *const _metadata, child_fn fn)
{
	return child_run_flags(_metadata, CLONE_NEWPID, fn, NULL);
}

static pid_t by_unshare(struct __test_metadata *const _metadata, child_fn fn)
{
	unshare_pidns(_metadata);
	return child_run(_metadata, fn, NULL);
}

/* clang-format off */
FIXTURE_VARIANT_ADD(group, by_clone) { by_clone };
FIXTURE_VARIANT_ADD(group, by_unshare) { by_unshare };
/* clang-format on */

FIXTURE_SETUP(group)
{
	require_privilege(_metadata);
}

FIXTURE_TEARDOWN(group)
{
}

/*
 * 1. Init makes a child that leads a group, and joins it.
 * 2. It kills the child, reaps it, and exits.
 */
TEST_F(group, init_may_be_in_one_that_its_own_child_led)
{
	pid_t init = variant->start(_metadata, init_in_group);

	ASSERT_LT(0, init);
	expect_exit_soon(_metadata, init);
}

/* The same, where another thread is the last. */
static void *exit_after_leader(void *arg)
{
	char state;

	while ((state = task_state("/proc/self")) != 'Z') {
		if (!state)
			_exit(KSFT_FAIL);
	}
	syscall(__NR_exit, *(int *)arg);
	return NULL;
}

static void init_whose_leader_exits_first(struct __test_metadata *const _metadata,
					  void *arg __maybe_unused)
{
	static int code;
	pthread_t thread;

	outlive_leader(_metadata);
	code = _metadata->exit_code ?: INIT_CODE;
	ASSERT_EQ(0, pthread_create(&thread, NULL, exit_after_leader, &code));
	syscall(__NR_exit, KSFT_FAIL);
}

/*
 * 1. Init joins the group of a child, which it kills and reaps.
 * 2. Its first thread exits, and another one after that.
 */
TEST_F(group, last_thread_of_init_may_be_in_one_that_its_own_child_led)
{
	pid_t init = variant->start(_metadata, init_whose_leader_exits_first);

	ASSERT_LT(0, init);
	expect_exit_soon(_metadata, init);
}

static void *idle_thread(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void init_with_threads(struct __test_metadata *const _metadata,
			      void *arg __maybe_unused)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&thread, NULL, idle_thread, NULL));
	init_in_group(_metadata, NULL);
}

/* The same with threads that exit together: any of them is the last. */
TEST_F(group, any_thread_of_init_may_be_in_one_that_its_own_child_led)
{
	pid_t init = variant->start(_metadata, init_with_threads);

	ASSERT_LT(0, init);
	expect_exit_soon(_metadata, init);
}

static void lower_init_in_group(struct __test_metadata *const _metadata,
				void *ready)
{
	EXPECT_EQ(1, getpid());
	outlive_leader(_metadata);
	sync_post(_metadata, ready);
	child_stay(_metadata, NULL);
}

static void init_above(struct __test_metadata *const _metadata,
		       void *arg __maybe_unused)
{
	int ready[2];

	sync_open(_metadata, ready);
	ASSERT_LT(0, child_run_flags(_metadata, CLONE_NEWPID,
				     lower_init_in_group, ready));
	sync_wait(_metadata, ready);
	_exit(_metadata->exit_code ?: INIT_CODE);
}

/*
 * 1. An init makes a namespace below its own, whose init is in the group of a
 *    child that is gone.
 * 2. The upper one exits, of which the lower one dies.
 */
TEST_F(group, init_of_a_namespace_below_may_be_in_one)
{
	pid_t init = variant->start(_metadata, init_above);

	ASSERT_LT(0, init);
	expect_exit_soon(_metadata, init);
}

static void lead_session(struct __test_metadata *const _metadata,
			 void *arg __maybe_unused)
{
	ASSERT_LT(0, setsid());
	ASSERT_LT(0, child_run_flags(_metadata, CLONE_NEWPID, child_stay, NULL));
	child_run(_metadata, child_stay, NULL);
}

static void init_of_session(struct __test_metadata *const _metadata,
			    void *arg __maybe_unused)
{
	assert_exited_ok(_metadata, child_run(_metadata, lead_session, NULL));
	_exit(_metadata->exit_code ?: INIT_CODE);
}

/*
 * 1. A child of init leads a session, makes members of it, one of which is in a
 *    namespace below, and exits.
 * 2. Init reaps it, and exits.
 */
TEST_F(group, members_of_a_session_end_with_the_namespace_of_its_leader)
{
	pid_t init = variant->start(_metadata, init_of_session);

	ASSERT_LT(0, init);
	expect_exit_soon(_metadata, init);
}

/*
 * Who made a namespace can be in a group that a child inside has led. That
 * holds memory, but not init.
 *
 * 1. The creator unshares, and makes init and an oddball that leads a group.
 * 2. It joins the group, kills the oddball and reaps it.
 * 3. It kills init, which is gone soon.
 */
TEST(creator_may_be_in_a_group_that_an_oddball_led)
{
	pid_t init;

	require_privilege(_metadata);
	unshare_pidns(_metadata);
	init = child_hold(_metadata, 0);
	ASSERT_LT(0, init);
	outlive_leader(_metadata);

	expect_death_soon(_metadata, init);
	EXPECT_EQ(-1, clone3_fork(0));
	EXPECT_EQ(ENOMEM, errno);
	ASSERT_EQ(0, setpgid(0, 0));
}

/*
 * So can another process outside.
 *
 * 1. A process is made before the unshare.
 * 2. Of init and an oddball that leads a group, it joins the latter's.
 * 3. The oddball is killed and reaped, then init.
 */
TEST(process_outside_may_be_in_a_group_that_an_oddball_led)
{
	pid_t init, oddball, other;

	require_privilege(_metadata);
	other = child_hold(_metadata, 0);
	ASSERT_LT(0, other);
	unshare_pidns(_metadata);
	init = child_hold(_metadata, 0);
	ASSERT_LT(0, init);
	oddball = lead_group(_metadata);
	ASSERT_EQ(0, setpgid(other, oddball));

	child_kill(_metadata, oddball);
	expect_death_soon(_metadata, init);
	EXPECT_EQ(oddball, getpgid(other));
	/* The group is there still, and takes signals. */
	EXPECT_EQ(0, kill(-oddball, SIGKILL));
	assert_killed(_metadata, other, SIGKILL);
}

/* Takes a terminal, of which @group is in the foreground. Return: the terminal. */
static int terminal_of(struct __test_metadata *const _metadata, pid_t group)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int terminal;

	ASSERT_LE(0, master);
	ASSERT_EQ(0, grantpt(master));
	ASSERT_EQ(0, unlockpt(master));
	terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	ASSERT_LE(0, terminal);
	ASSERT_EQ(0, ioctl(terminal, TIOCSCTTY, 0));
	ASSERT_EQ(0, tcsetpgrp(terminal, group));
	return terminal;
}

static void refer_to_oddball(struct __test_metadata *const _metadata,
			     void *arg __maybe_unused)
{
	struct f_owner_ex owner = { .type = F_OWNER_PGRP };
	int pidfd, dir, terminal;
	pid_t init, oddball;
	int pipe_fd[2];

	ASSERT_LT(0, setsid());
	unshare_pidns(_metadata);
	init = child_hold(_metadata, 0);
	ASSERT_LT(0, init);
	oddball = lead_group(_metadata);

	pidfd = sys_pidfd_open(oddball, 0);
	ASSERT_LE(0, pidfd);
	dir = proc_open(oddball, "", O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, dir);
	sync_open(_metadata, pipe_fd);
	owner.pid = oddball;
	ASSERT_EQ(0, fcntl(pipe_fd[0], F_SETOWN_EX, &owner));
	terminal = terminal_of(_metadata, oddball);

	child_kill(_metadata, oddball);
	expect_death_soon(_metadata, init);
	EXPECT_EQ(-1, sys_pidfd_send_signal(pidfd, 0, NULL, 0));
	EXPECT_EQ(ESRCH, errno);
	/* Hangs up on the creator, who leads the session. */
	signal(SIGHUP, SIG_IGN);
	close(terminal);
}

/*
 * What refers to a pid without being one of its tasks, holds nobody up either.
 *
 * 1. There are a pidfd of an oddball, its directory in /proc, a file that its
 *    group owns, and a terminal with its group in the foreground.
 * 2. The oddball is killed and reaped, then init.
 */
TEST(references_to_a_pid_may_stay)
{
	if (access("/dev/ptmx", R_OK | W_OK))
		SKIP(return, "no terminals: %s", strerror(errno));
	require_privilege(_metadata);
	assert_exited_ok(_metadata, child_run(_metadata, refer_to_oddball, NULL));
}

/* A thread that joins a namespace and stops in the midst of its fork(). */
struct slow_forker {
	struct slow_page slow;
	int ns;
	int err;
};

static void *fork_slowly(void *arg)
{
	struct slow_forker *forker = arg;
	struct __clone_args args = {
		.flags = CLONE_PIDFD,
		.exit_signal = SIGCHLD,
		.pidfd = ptr_to_u64(forker->slow.page),
	};
	pid_t pid;

	if (setns(forker->ns, CLONE_NEWPID)) {
		forker->err = errno;
		return NULL;
	}
	pid = sys_clone3(&args, sizeof(args));
	forker->err = pid < 0 ? errno : 0;
	if (!pid)
		for (;;)
			pause();
	return NULL;
}

/*
 * A fork() from outside that has got a pid for its child does not hold init up,
 * however long it takes, and gets no child.
 *
 * 1. The creator unshares and makes init.
 * 2. A thread joins the namespace, calls clone3(), and stops after the pid for
 *    its child was taken, in a page that userfaultfd(2) keeps from it.
 * 3. Init is killed, and gone soon.
 * 4. The page is filled. The thread gets ENOMEM.
 */
TEST(fork_from_outside_may_be_half_done)
{
	struct slow_forker forker = {};
	pthread_t thread;
	pid_t init;

	require_privilege(_metadata);
	slow_page_map(_metadata, &forker.slow);
	init = child_hold(_metadata, CLONE_NEWPID);
	ASSERT_LT(0, init);
	forker.ns = ns_open(init, ACTIVE);
	ASSERT_LE(0, forker.ns);
	ASSERT_EQ(0, pthread_create(&thread, NULL, fork_slowly, &forker));
	slow_page_await(_metadata, &forker.slow);

	expect_death_soon(_metadata, init);
	slow_page_fill(_metadata, &forker.slow);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(ENOMEM, forker.err);
}

/*
 * Neither does one into a namespace below, which would have become its init.
 *
 * 1. Init unshares, and does not fork.
 * 2. A thread outside joins the namespace below init's, and stops in clone3().
 * 3. Init is killed, and gone soon.
 * 4. The page is filled. The thread gets ENOMEM, although the namespace that it
 *    joined has never had an init that could have died.
 */
TEST(fork_into_a_namespace_below_may_be_half_done)
{
	struct slow_forker forker = {};
	pthread_t thread;
	int ready[2];
	pid_t init;

	require_privilege(_metadata);
	slow_page_map(_metadata, &forker.slow);
	sync_open(_metadata, ready);
	init = child_run_flags(_metadata, CLONE_NEWPID, unshare_and_hold, ready);
	ASSERT_LT(0, init);
	sync_wait(_metadata, ready);
	forker.ns = ns_open(init, DEFAULT);
	ASSERT_LE(0, forker.ns);
	ASSERT_EQ(0, pthread_create(&thread, NULL, fork_slowly, &forker));
	slow_page_await(_metadata, &forker.slow);

	expect_death_soon(_metadata, init);
	slow_page_fill(_metadata, &forker.slow);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(ENOMEM, forker.err);
}

/*
 * Nothing that it waits for comes, and nothing else may end its sleep. Some
 * libraries would sleep again.
 */
static void expect_quiet_sleep(struct __test_metadata *const _metadata)
{
	const struct timespec second = { .tv_sec = 1 };
	const __u64 none = 0;

	EXPECT_EQ(-1, syscall(__NR_rt_sigtimedwait, &none, NULL, &second, sizeof(none)));
	EXPECT_EQ(EAGAIN, errno) {
		TH_LOG("init was woken, and does not exit");
	}
}

static void exit_at_once(struct __test_metadata *const _metadata __maybe_unused,
			 void *arg __maybe_unused)
{
}

static void fork_and_wait(struct __test_metadata *const _metadata, void *arg)
{
	int *rounds = arg;

	die_with_parent(_metadata);
	for (;;) {
		assert_exited_ok(_metadata, child_run(_metadata, exit_at_once, NULL));
		__atomic_add_fetch(rounds, 1, __ATOMIC_SEQ_CST);
	}
}

static void sleep_beside_a_family(struct __test_metadata *const _metadata,
				  void *arg)
{
	int *rounds = arg;
	pid_t parent = child_run(_metadata, fork_and_wait, arg);

	expect_quiet_sleep(_metadata);
	EXPECT_LT(1, __atomic_load_n(rounds, __ATOMIC_SEQ_CST));
	child_kill(_metadata, parent);
}

/*
 * Who does not exit is not woken by the end of others.
 *
 * 1. Init makes a child, which makes children and waits for them: each time,
 *    two tasks are left.
 * 2. Init sleeps for a second, and is not disturbed.
 */
TEST(init_that_lives_is_not_woken_when_two_tasks_are_left)
{
	void *rounds = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t init;

	ASSERT_NE(MAP_FAILED, rounds);
	require_privilege(_metadata);
	init = child_run_flags(_metadata, CLONE_NEWPID, sleep_beside_a_family, rounds);
	ASSERT_LT(0, init);
	assert_exited_ok(_metadata, init);
}

/* What a thread sees of the one second for which its leader sleeps. */
struct quiet_second {
	bool over;
	bool seen;
};

static void *return_when_leader_sleeps(void *arg)
{
	struct quiet_second *second = arg;

	while (!second->seen && !__atomic_load_n(&second->over, __ATOMIC_SEQ_CST)) {
		usleep(1000);
		second->seen = task_state("/proc/self") == 'S';
	}
	/* It may be over since, and the leader asleep because it waits for this thread. */
	second->seen &= !__atomic_load_n(&second->over, __ATOMIC_SEQ_CST);
	return NULL;
}

static void sleep_beside_a_thread(struct __test_metadata *const _metadata,
				  void *arg __maybe_unused)
{
	struct quiet_second second = {};
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, return_when_leader_sleeps, &second));
	expect_quiet_sleep(_metadata);
	__atomic_store_n(&second.over, true, __ATOMIC_SEQ_CST);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_TRUE(second.seen);
}

/* The same with a thread of init, which leaves one. */
TEST(init_that_lives_is_not_woken_when_one_task_is_left)
{
	pid_t init;

	require_privilege(_metadata);
	init = child_run_flags(_metadata, CLONE_NEWPID, sleep_beside_a_thread, NULL);
	ASSERT_LT(0, init);
	assert_exited_ok(_metadata, init);
}

/* Files, so that it takes a while to forget what /proc has of their owner. */
#define MANY	20000

static void be_known_for_much(struct __test_metadata *const _metadata, void *ready)
{
	struct rlimit limit;
	struct dirent *entry;
	struct stat stat;
	DIR *dir;
	int i;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	dir = opendir("/proc/self/fd");
	ASSERT_NE(NULL, dir);
	for (i = 0; i < MANY && dup(dirfd(dir)) >= 0; i++)
		;
	if (i < MANY / 10)
		TH_LOG("%d files are too few to prove much", i);
	while ((entry = readdir(dir)))
		fstatat(dirfd(dir), entry->d_name, &stat, AT_SYMLINK_NOFOLLOW);
	sync_post(_metadata, ready);
	for (;;)
		pause();
}

static void leave_a_member(struct __test_metadata *const _metadata, void *ready)
{
	signal(SIGCHLD, SIG_IGN);
	child_run(_metadata, be_known_for_much, ready);
	close(((int *)ready)[1]);
	sync_wait(_metadata, ready);
	_exit(INIT_CODE);
}

/* Whether the number of a member can be given as soon as its init is reaped. */
static bool give_again(struct __test_metadata *const _metadata)
{
	struct __clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid_size = 1,
	};
	pid_t init, member, pid;
	int ready[2];

	sync_open(_metadata, ready);
	init = child_run_flags(_metadata, CLONE_NEWPID, leave_a_member, ready);
	ASSERT_LT(0, init);
	close(ready[1]);
	/* In a namespace of its own nobody else gets one. */
	member = init + 1;
	assert_exited(_metadata, init, INIT_CODE);
	close(ready[0]);

	args.set_tid = ptr_to_u64(&member);
	pid = sys_clone3(&args, sizeof(args));
	if (!pid)
		_exit(0);
	if (pid < 0) {
		ASSERT_EQ(EEXIST, errno);
		return false;
	}
	EXPECT_EQ(member, pid);
	assert_exited_ok(_metadata, pid);
	return true;
}

static void give_again_thrice(struct __test_metadata *const _metadata,
			      void *arg __maybe_unused)
{
	const struct sched_param param = {};
	int i;

	/*
	 * The member can be held up between the two by who has its CPU, which
	 * init and its parent shall not be when they are woken.
	 */
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_BATCH, &param));
	for (i = 0; i < 3 && !give_again(_metadata); i++)
		;
	EXPECT_GT(3, i);
}

/*
 * 1. Init has a member that nobody waits for, with many files that somebody has
 *    looked at in /proc, and exits.
 * 2. Its parent, pid 1 of the namespace above, reaps it.
 * 3. It makes a process with the number that the member had there.
 */
TEST(numbers_of_members_can_be_given_when_init_is_reaped)
{
	run_as_pid_1(_metadata, give_again_thrice, NULL);
}

TEST_HARNESS_MAIN
