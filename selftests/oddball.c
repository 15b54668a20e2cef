// SPDX-License-Identifier: GPL-2.0
/*
 * Only the first child after unshare(CLONE_NEWPID) is init. Those after it are
 * born beside it with a parent that is not in the namespace: the oddballs.
 *
 *	creator ---------.-----------.
 *	    |            |           |       outside: creator and its children
 *	----+------------+-----------+----   inside: parents read as 0
 *	  init (1)   oddball (2)  oddball (3)
 *	    |            |
 *	  child        child                 these have ordinary parents
 */
#include <poll.h>
#include <sys/mount.h>

#include "pidns.h"

FIXTURE(oddball) {
	pid_t init;
	int idle[2];
};

FIXTURE_SETUP(oddball)
{
	require_privilege(_metadata);
	sync_open(_metadata, self->idle);
	unshare_pidns(_metadata);
	self->init = child_run(_metadata, child_idle, self->idle);
}

FIXTURE_TEARDOWN(oddball)
{
}

/* Who a child takes itself for. */
struct self {
	pid_t pid;
	pid_t ppid;
};

static void check_self(struct __test_metadata *const _metadata, void *arg)
{
	const struct self *wanted = arg;

	EXPECT_EQ(wanted->pid, getpid());
	EXPECT_EQ(wanted->ppid, getppid());
}

static void be_mortal(struct __test_metadata *const _metadata, void *arg)
{
	check_self(_metadata, arg);
	if (!_metadata->exit_code)
		raise(SIGTERM);
}

/*
 * The second child and those after it get the next pids, and die of a signal
 * without a handler, even of one that they send themselves. Init stays.
 */
TEST_F(oddball, later_children_are_not_init)
{
	for (pid_t nr = 2; nr <= 4; nr++) {
		struct self wanted = { .pid = nr, .ppid = 0 };

		assert_killed(_metadata,
			      child_run(_metadata, be_mortal, &wanted), SIGTERM);
	}
	sync_post(_metadata, self->idle);
	assert_exited_ok(_metadata, self->init);
}

/* That a later child exits ends neither init nor the namespace. */
TEST_F(oddball, exit_of_a_later_child_leaves_the_namespace)
{
	for (pid_t nr = 2; nr <= 3; nr++) {
		struct self wanted = { .pid = nr, .ppid = 0 };

		assert_exited_ok(_metadata,
				 child_run(_metadata, check_self, &wanted));
		EXPECT_EQ(0, waitpid(self->init, NULL, WNOHANG));
	}
	sync_post(_metadata, self->idle);
	assert_exited_ok(_metadata, self->init);
}

static void check_self_then_idle(struct __test_metadata *const _metadata,
				 void *arg)
{
	const struct self wanted = { .pid = 1, .ppid = 0 };

	die_with_parent(_metadata);
	check_self(_metadata, (void *)&wanted);
	sync_wait(_metadata, arg);
}

/* getppid() is 0 for each child of the creator, init among them. */
TEST(parent_reads_as_0_for_every_child_of_the_creator)
{
	int idle[2];
	pid_t init;

	require_privilege(_metadata);
	sync_open(_metadata, idle);
	unshare_pidns(_metadata);
	init = child_run(_metadata, check_self_then_idle, idle);
	for (pid_t nr = 2; nr <= 4; nr++) {
		struct self wanted = { .pid = nr, .ppid = 0 };

		assert_exited_ok(_metadata,
				 child_run(_metadata, check_self, &wanted));
	}
	EXPECT_EQ(getpid(), status_number(init, "PPid"));
	sync_post(_metadata, idle);
	assert_exited_ok(_metadata, init);
}

static void check_own_proc(struct __test_metadata *const _metadata, void *arg)
{
	long nspid[2] = {};

	(void)arg;
	if (unshare(CLONE_NEWNS) ||
	    mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL))
		_exit(KSFT_SKIP);
	EXPECT_EQ(0, status_number(0, "PPid"));
	EXPECT_EQ(0, status_number(1, "PPid"));
	EXPECT_EQ(1, status_numbers(0, "NSpid", nspid, ARRAY_SIZE(nspid)));
	EXPECT_EQ(2, nspid[0]);
}

/* A /proc of the namespace's own shows parent 0 too, and no pid from outside. */
TEST_F(oddball, parent_is_0_in_the_proc_of_the_namespace)
{
	pid_t child = child_run(_metadata, check_own_proc, NULL);
	int status = wait_status(_metadata, child);

	ASSERT_TRUE(WIFEXITED(status));
	if (WEXITSTATUS(status) == KSFT_SKIP)
		SKIP(return, "not allowed to mount a /proc here");
	EXPECT_EQ(KSFT_PASS, WEXITSTATUS(status));
	sync_post(_metadata, self->idle);
	assert_exited_ok(_metadata, self->init);
}

static void be_parent(struct __test_metadata *const _metadata, void *arg)
{
	struct self wanted = { .pid = getpid() + 1, .ppid = getpid() };

	(void)arg;
	assert_exited_ok(_metadata, child_run(_metadata, check_self, &wanted));
}

/* What init makes has parent 1. */
TEST(child_of_init_has_an_ordinary_parent)
{
	require_privilege(_metadata);
	unshare_pidns(_metadata);
	assert_exited_ok(_metadata, child_run(_metadata, be_parent, NULL));
}

/* What an oddball makes has the oddball's pid inside as parent. */
TEST_F(oddball, child_of_an_oddball_has_an_ordinary_parent)
{
	assert_exited_ok(_metadata, child_run(_metadata, be_parent, NULL));
	sync_post(_metadata, self->idle);
	assert_exited_ok(_metadata, self->init);
}

static void give_creator_a_child(struct __test_metadata *const _metadata,
				 void *arg)
{
	struct self wanted = { .pid = getpid() + 1, .ppid = 0 };
	pid_t child;

	child = child_run_flags(_metadata, CLONE_PARENT, check_self, &wanted);
	if (child < 0)
		_exit(errno);
	ASSERT_EQ((ssize_t)sizeof(child),
		  write_nointr(((int *)arg)[1], &child, sizeof(child)));
}

/*
 * With CLONE_PARENT an oddball gives the creator one more oddball: its parent
 * reads as 0, and the creator waits for it.
 */
TEST_F(oddball, clone_parent_makes_one_more)
{
	long nspid[32], outer = 0;
	int report[2], nr;
	siginfo_t info = {};
	pid_t inner;

	sync_open(_metadata, report);
	assert_exited_ok(_metadata,
			 child_run(_metadata, give_creator_a_child, report));
	ASSERT_EQ((ssize_t)sizeof(inner),
		  read_nointr(report[0], &inner, sizeof(inner)));

	/* It is not reaped yet, so that its status is there to be read. */
	ASSERT_EQ(0, sys_waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | __WALL));
	outer = info.si_pid;
	nr = status_numbers(outer, "NSpid", nspid, ARRAY_SIZE(nspid));
	ASSERT_LT(1, nr);
	EXPECT_EQ(inner, nspid[nr - 1]);
	EXPECT_EQ(getpid(), status_number(outer, "PPid"));
	assert_exited_ok(_metadata, outer);

	sync_post(_metadata, self->idle);
	assert_exited_ok(_metadata, self->init);
}

/* Init may not: what it made would not be its to reap. */
TEST(clone_parent_is_refused_to_init)
{
	int report[2];

	require_privilege(_metadata);
	sync_open(_metadata, report);
	unshare_pidns(_metadata);
	assert_exited(_metadata,
		      child_run(_metadata, give_creator_a_child, report), EINVAL);
}

/* How the creator waits; each fills in si_pid, si_code and si_status. */
static int by_wait4(pid_t pid, siginfo_t *info)
{
	int status;

	info->si_pid = wait4(pid, &status, 0, NULL);
	if (info->si_pid < 0)
		return -1;
	info->si_code = WIFEXITED(status) ? CLD_EXITED : CLD_KILLED;
	info->si_status = WIFEXITED(status) ? WEXITSTATUS(status) :
					      WTERMSIG(status);
	return 0;
}

static int by_waitid(pid_t pid, siginfo_t *info)
{
	return sys_waitid(P_PID, pid, info, WEXITED);
}

/* Among all children: the others are running, or there are none. */
static int by_waitid_all(pid_t pid, siginfo_t *info)
{
	(void)pid;
	return sys_waitid(P_ALL, 0, info, WEXITED);
}

static int by_pidfd(pid_t pid, siginfo_t *info)
{
	struct pollfd poll_fd = {
		.fd = sys_pidfd_open(pid, 0),
		.events = POLLIN,
	};
	int err;

	if (poll_fd.fd < 0 || poll(&poll_fd, 1, -1) != 1)
		return -1;
	err = sys_waitid(P_PIDFD, poll_fd.fd, info, WEXITED);
	close(poll_fd.fd);
	return err;
}

FIXTURE(creator_waits) {
	pid_t init;
	pid_t later;
	int init_end[2];
	int later_end[2];
};

FIXTURE_VARIANT(creator_waits) {
	int (*wait_for)(pid_t pid, siginfo_t *info);
};

/* clang-format off */
FIXTURE_VARIANT_ADD(creator_waits, by_wait4) { by_wait4 };
FIXTURE_VARIANT_ADD(creator_waits, by_waitid) { by_waitid };
FIXTURE_VARIANT_ADD(creator_waits, by_waitid_for_all) { by_waitid_all };
FIXTURE_VARIANT_ADD(creator_waits, by_pidfd) { by_pidfd };
/* clang-format on */

#define INIT_CODE	5
#define LATER_CODE	7

static void end_as_init(struct __test_metadata *const _metadata, void *arg)
{
	die_with_parent(_metadata);
	sync_wait(_metadata, arg);
	_exit(INIT_CODE);
}

static void end_as_later(struct __test_metadata *const _metadata, void *arg)
{
	die_with_parent(_metadata);
	sync_wait(_metadata, arg);
	_exit(LATER_CODE);
}

FIXTURE_SETUP(creator_waits)
{
	require_privilege(_metadata);
	sync_open(_metadata, self->init_end);
	sync_open(_metadata, self->later_end);
	unshare_pidns(_metadata);
	self->init = child_run(_metadata, end_as_init, self->init_end);
	self->later = child_run(_metadata, end_as_later, self->later_end);
}

FIXTURE_TEARDOWN(creator_waits)
{
}

static void expect_end(struct __test_metadata *const _metadata,
		       int (*wait_for)(pid_t pid, siginfo_t *info),
		       pid_t pid, int code, int status)
{
	siginfo_t info = {};

	ASSERT_EQ(0, wait_for(pid, &info)) {
		TH_LOG("wait: %s", strerror(errno));
	}
	EXPECT_EQ(pid, info.si_pid);
	EXPECT_EQ(code, info.si_code);
	EXPECT_EQ(status, info.si_status);
}

/* Both children, by their exit codes, and then there is none left. */
TEST_F(creator_waits, for_the_exit_of_its_children)
{
	sync_post(_metadata, self->later_end);
	expect_end(_metadata, variant->wait_for, self->later, CLD_EXITED,
		   LATER_CODE);
	sync_post(_metadata, self->init_end);
	expect_end(_metadata, variant->wait_for, self->init, CLD_EXITED,
		   INIT_CODE);
	EXPECT_EQ(-1, wait(NULL));
	EXPECT_EQ(ECHILD, errno);
}

/* Both children, by the signals that the creator kills them with. */
TEST_F(creator_waits, for_the_death_of_its_children)
{
	EXPECT_EQ(0, kill(self->later, SIGTERM));
	expect_end(_metadata, variant->wait_for, self->later, CLD_KILLED,
		   SIGTERM);
	EXPECT_EQ(0, kill(self->init, SIGKILL));
	expect_end(_metadata, variant->wait_for, self->init, CLD_KILLED,
		   SIGKILL);
	EXPECT_EQ(-1, wait(NULL));
	EXPECT_EQ(ECHILD, errno);
}

/*
 * SIGCHLD names the child by its pid outside: init's by its exit, an oddball's
 * by its death.
 */
TEST_F(oddball, sigchld_names_the_child_by_its_pid_outside)
{
	struct self wanted = { .pid = 2, .ppid = 0 };
	siginfo_t info;
	sigset_t set;
	pid_t later;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));

	later = child_run(_metadata, be_mortal, &wanted);
	ASSERT_EQ(SIGCHLD, sigwaitinfo(&set, &info));
	EXPECT_EQ(later, info.si_pid);
	EXPECT_EQ(CLD_KILLED, info.si_code);
	assert_killed(_metadata, later, SIGTERM);

	sync_post(_metadata, self->idle);
	ASSERT_EQ(SIGCHLD, sigwaitinfo(&set, &info));
	EXPECT_EQ(self->init, info.si_pid);
	EXPECT_EQ(CLD_EXITED, info.si_code);
	assert_exited_ok(_metadata, self->init);
}

TEST_HARNESS_MAIN
