// SPDX-License-Identifier: GPL-2.0
/*
 * setns(2) to a pid namespace: it sets the default one and nothing else, to the
 * active one of the caller or to any below that.
 *
 *                  outer                refused: EINVAL
 *                  /   \
 *   caller's active    stranger         own: taken; stranger: EINVAL
 *        /    \
 *     child   child                     taken, whatever the default is
 *       |
 *   grandchild                          taken
 */
#define _GNU_SOURCE
#include <sys/mount.h>

#include "pidns.h"

static void expect_setns(struct __test_metadata *const _metadata, int fd,
			 int flags)
{
	EXPECT_EQ(0, setns(fd, flags)) {
		TH_LOG("setns: %s", strerror(errno));
	}
}

/* setns(2) fails with @err, and the caller stands where it stood. */
static void expect_refused(struct __test_metadata *const _metadata, int fd,
			   int flags, int err)
{
	struct snapshot old = snapshot_take(_metadata);

	EXPECT_EQ(-1, setns(fd, flags));
	EXPECT_EQ(err, errno) {
		TH_LOG("setns: %s", strerror(errno));
	}
	expect_unchanged(_metadata, &old);
}

struct joining {
	int go[2];
	int done[2];
};

static void join_the_parent(struct __test_metadata *const _metadata, void *arg)
{
	const struct joining *joining = arg;
	struct snapshot old;
	pid_t pid;
	int fd;

	sync_wait(_metadata, joining->go);
	old = snapshot_take(_metadata);
	fd = ns_open(getppid(), DEFAULT);
	ASSERT_LE(0, fd);
	expect_setns(_metadata, fd, CLONE_NEWPID);
	old.dflt = ns_id(fd);
	expect_unchanged(_metadata, &old);

	pid = child_hold(_metadata, 0);
	ASSERT_LT(0, pid);
	EXPECT_EQ(1, ioctl(fd, NS_GET_PID_IN_PIDNS, pid));
	sync_post(_metadata, joining->done);
	sync_wait(_metadata, joining->go);
	child_kill(_metadata, pid);
}

/*
 * A process joins the default namespace of another, where nobody lives yet: its
 * child is pid 1, the next one of the creator is not.
 *
 * 1. The creator forks another process, and unshares.
 * 2. The other one opens the creator's pid_for_children and joins it: its
 *    default namespace is another, nothing else is.
 * 3. It forks: pid 1.
 * 4. The creator forks: pid 2 of the same namespace.
 */
TEST(setns_joins_the_default_namespace_of_another_process)
{
	struct joining joining;
	pid_t other, pid;
	int fd;

	require_privilege(_metadata);
	sync_open(_metadata, joining.go);
	sync_open(_metadata, joining.done);
	other = child_run(_metadata, join_the_parent, &joining);
	unshare_pidns(_metadata);
	sync_post(_metadata, joining.go);
	sync_wait(_metadata, joining.done);

	pid = child_hold(_metadata, 0);
	ASSERT_LT(0, pid);
	fd = ns_open(0, DEFAULT);
	EXPECT_EQ(2, ioctl(fd, NS_GET_PID_IN_PIDNS, pid));
	child_kill(_metadata, pid);
	sync_post(_metadata, joining.go);
	assert_exited_ok(_metadata, other);
}

static void go_back(struct __test_metadata *const _metadata,
		    void *arg __maybe_unused)
{
	struct snapshot old = snapshot_take(_metadata);
	int own = ns_open(0, ACTIVE);
	pid_t pid;
	int fd;

	ASSERT_LE(0, own);
	ASSERT_EQ(old.active, old.dflt);
	unshare_pidns(_metadata);
	EXPECT_NE(old.dflt, task_ns_id(0, DEFAULT));
	expect_setns(_metadata, own, CLONE_NEWPID);
	expect_unchanged(_metadata, &old);

	pid = child_hold(_metadata, 0);
	ASSERT_LT(0, pid);
	fd = child_active_open(pid);
	EXPECT_EQ(old.active, ns_id(fd));
	EXPECT_EQ(pid, ioctl(fd, NS_GET_PID_IN_PIDNS, pid));
	child_kill(_metadata, pid);
}

/*
 * setns(2) to one's own active namespace undoes an unshare.
 *
 * 1. The caller, a pid 1, unshares.
 * 2. It joins its active namespace: all is as it was.
 * 3. It forks, and the child lives where the caller does.
 */
TEST(setns_to_the_active_namespace_undoes_an_unshare)
{
	require_privilege(_metadata);
	run_as_pid_1(_metadata, go_back, NULL);
}

/* Makes a new default namespace on each kernel: some refuse a second one. */
static int unshare_or_go_back(void)
{
	int own;

	if (!unshare(CLONE_NEWPID))
		return 0;
	if (errno != EINVAL)
		return -1;
	own = ns_open(0, ACTIVE);
	if (own < 0 || setns(own, CLONE_NEWPID))
		return -1;
	close(own);
	return unshare(CLONE_NEWPID);
}

static void unshare_on_each_kernel(struct __test_metadata *const _metadata,
				   void *arg __maybe_unused)
{
	struct snapshot me = snapshot_take(_metadata);
	int i, fd;
	pid_t pid;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, unshare_or_go_back()) {
			TH_LOG("%s", strerror(errno));
		}
		pid = child_hold(_metadata, 0);
		ASSERT_LT(0, pid);
		fd = child_active_open(pid);
		EXPECT_EQ(1, ioctl(fd, NS_GET_PID_IN_PIDNS, pid));
		EXPECT_EQ(me.active, ns_parent_id(fd));
		close(fd);
		child_kill(_metadata, pid);
	}
}

/*
 * Who goes back by setns(2) where unshare(2) is refused needs not know what
 * kernel it is on.
 *
 * 1. The caller, a pid 1, unshares three times, each time by that.
 * 2. Its child is pid 1 each time, in a child of the caller's namespace, and
 *    ends.
 */
TEST(setns_where_a_second_unshare_is_refused_does_on_each_kernel)
{
	require_privilege(_metadata);
	run_as_pid_1(_metadata, unshare_on_each_kernel, NULL);
}

/* The namespaces of the drawing at the top, seen by the caller. */
struct tree {
	int outer;
	int stranger;
	int below_stranger;
};

static void stay_below(struct __test_metadata *const _metadata, void *arg)
{
	const struct tree *tree = arg;

	expect_refused(_metadata, tree->outer, CLONE_NEWPID, EINVAL);
	expect_refused(_metadata, tree->stranger, CLONE_NEWPID, EINVAL);
	expect_refused(_metadata, tree->below_stranger, CLONE_NEWPID, EINVAL);
	/* It does not help to have left the active one. */
	unshare_pidns(_metadata);
	expect_refused(_metadata, tree->outer, CLONE_NEWPID, EINVAL);
	expect_refused(_metadata, tree->stranger, CLONE_NEWPID, EINVAL);
	expect_refused(_metadata, tree->below_stranger, CLONE_NEWPID, EINVAL);
}

/* Starts a pid 1 that has unshared: a child and a grandchild of the caller. */
static pid_t start_generations(struct __test_metadata *const _metadata)
{
	int ready[2];
	pid_t pid;

	sync_open(_metadata, ready);
	pid = child_run_flags(_metadata, CLONE_NEWPID, unshare_and_hold, ready);
	ASSERT_LT(0, pid) {
		TH_LOG("clone3: %s", strerror(errno));
	}
	sync_wait(_metadata, ready);
	return pid;
}

static void make_strangers(struct __test_metadata *const _metadata,
			   void *arg __maybe_unused)
{
	pid_t pid = start_generations(_metadata);
	struct tree tree = {
		.outer = ns_open(0, ACTIVE),
		.stranger = child_active_open(pid),
		.below_stranger = child_default_open(pid),
	};

	ASSERT_LE(0, tree.outer);
	ASSERT_LE(0, tree.stranger);
	ASSERT_LE(0, tree.below_stranger);
	run_as_pid_1(_metadata, stay_below, &tree);
	child_kill(_metadata, pid);
}

/*
 * setns(2) refuses an ancestor and a stranger with EINVAL, before an unshare
 * and after it, although the caller has the privilege; nothing changes.
 *
 * 1. A pid 1 starts another pid 1, which unshares: the strangers.
 * 2. It starts a second pid 1, the caller, with all of them open.
 * 3. The caller tries each of them.
 */
TEST(setns_refuses_an_ancestor_and_a_stranger)
{
	require_privilege(_metadata);
	run_as_pid_1(_metadata, make_strangers, NULL);
}

/*
 * What counts is the active namespace, not the default: after an unshare the
 * caller may go to any other namespace below it, and to and fro.
 *
 * 1. The caller starts a pid 1 that unshares: a child and a grandchild.
 * 2. It unshares itself: a sibling of the child.
 * 3. It joins the child, the grandchild, the child and its first default again.
 */
TEST(setns_takes_all_below_the_active_namespace_whatever_the_default_is)
{
	struct snapshot old;
	int fd[4], i;
	pid_t pid;

	require_privilege(_metadata);
	pid = start_generations(_metadata);
	unshare_pidns(_metadata);
	fd[0] = child_active_open(pid);
	fd[1] = child_default_open(pid);
	fd[2] = fd[0];
	fd[3] = ns_open(0, DEFAULT);

	old = snapshot_take(_metadata);
	for (i = 0; i < 4; i++) {
		ASSERT_LE(0, fd[i]);
		expect_setns(_metadata, fd[i], CLONE_NEWPID);
		old.dflt = ns_id(fd[i]);
		expect_unchanged(_metadata, &old);
	}
	EXPECT_EQ(2, ns_depth(fd[1]));
	child_kill(_metadata, pid);
}

/*
 * setns(2) needs privilege, even for the namespaces that the caller has.
 *
 * 1. The caller unshares, and opens both its namespaces.
 * 2. It gives up its privilege.
 * 3. Each of them is refused with EPERM, with CLONE_NEWPID and without.
 */
TEST(setns_without_privilege_is_refused_with_eperm)
{
	int active, dflt;

	require_privilege(_metadata);
	unshare_pidns(_metadata);
	active = ns_open(0, ACTIVE);
	dflt = ns_open(0, DEFAULT);
	ASSERT_LE(0, active);
	ASSERT_LE(0, dflt);

	drop_privilege(_metadata);
	expect_refused(_metadata, active, CLONE_NEWPID, EPERM);
	expect_refused(_metadata, dflt, CLONE_NEWPID, EPERM);
	expect_refused(_metadata, dflt, 0, EPERM);
}

static void ask_for_outer(struct __test_metadata *const _metadata, void *arg)
{
	const int *outer = arg;

	expect_refused(_metadata, *outer, CLONE_NEWPID, EPERM);
}

/*
 * The privilege that counts is that over the owner of the namespace: root of a
 * new user namespace has none over its own pid namespace, which is older. For
 * an ancestor it gets EPERM, not EINVAL: privilege is asked for first.
 *
 * 1. The caller enters a user namespace.
 * 2. It may unshare, but it may not go back.
 * 3. Its child, pid 1 of the new namespace, gets EPERM for the upper one.
 */
TEST(setns_needs_privilege_over_the_owner_of_the_namespace)
{
	int active;
	pid_t pid;

	if (enter_userns(_metadata))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	active = ns_open(0, ACTIVE);
	ASSERT_LE(0, active);
	unshare_pidns(_metadata);
	expect_refused(_metadata, active, CLONE_NEWPID, EPERM);

	pid = child_run(_metadata, ask_for_outer, &active);
	assert_exited_ok(_metadata, pid);
}

/*
 * Privilege over the owner alone is not enough, the caller must have some in
 * its own user namespace too: who made a user namespace is its master from
 * outside, yet gets EPERM until it enters that one as well.
 *
 * 1. Somebody without privilege makes a child with a user and a pid namespace.
 * 2. It may not join the pid namespace of it.
 * 3. It may join both at once, by pidfd.
 */
TEST(setns_needs_privilege_in_the_own_user_namespace)
{
	int fd, pidfd;
	pid_t pid;

	drop_privilege(_metadata);
	require_userns(_metadata);
	pid = child_hold(_metadata, CLONE_NEWUSER | CLONE_NEWPID);
	ASSERT_LT(0, pid);
	fd = child_active_open(pid);
	ASSERT_LE(0, fd);
	pidfd = sys_pidfd_open(pid, 0);
	ASSERT_LE(0, pidfd);

	expect_refused(_metadata, fd, CLONE_NEWPID, EPERM);
	expect_refused(_metadata, pidfd, CLONE_NEWPID, EPERM);
	expect_setns(_metadata, pidfd, CLONE_NEWUSER | CLONE_NEWPID);
	EXPECT_EQ(ns_id(fd), task_ns_id(0, DEFAULT));
	child_kill(_metadata, pid);
}

static void join_by_pidfd(struct __test_metadata *const _metadata,
			  void *arg __maybe_unused)
{
	pid_t pid = start_generations(_metadata);
	int pidfd = sys_pidfd_open(pid, 0);
	int active = child_active_open(pid);
	int dflt = child_default_open(pid);
	struct snapshot old;

	ASSERT_LE(0, pidfd);
	EXPECT_NE(ns_id(active), ns_id(dflt));
	old = snapshot_take(_metadata);

	expect_setns(_metadata, pidfd, CLONE_NEWPID);
	old.dflt = ns_id(active);
	expect_unchanged(_metadata, &old);
	expect_setns(_metadata, dflt, CLONE_NEWPID);
	old.dflt = ns_id(dflt);
	expect_unchanged(_metadata, &old);

	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(0, waitid(P_PID, pid, NULL, WEXITED | WNOWAIT));
	expect_refused(_metadata, pidfd, CLONE_NEWPID, ESRCH);
	assert_killed(_metadata, pid, SIGKILL);
	expect_refused(_metadata, pidfd, CLONE_NEWPID, ESRCH);
}

/*
 * By pidfd setns(2) joins the namespace where the other process lives, not the
 * one that its children go to; that one is got with an ioctl of the pidfd. Who
 * is dead, waited for or not, cannot be joined.
 *
 * 1. The caller starts a pid 1 that unshares.
 * 2. setns() with the pidfd: the default is the active one of the other.
 * 3. setns() with what PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE gives: its default.
 * 4. The other one is killed: ESRCH, before it is waited for and after.
 */
TEST(setns_by_pidfd_joins_the_active_namespace_of_the_other)
{
	require_privilege(_metadata);
	run_as_pid_1(_metadata, join_by_pidfd, NULL);
}

static void ask_for_parent(struct __test_metadata *const _metadata, void *arg)
{
	const int *pidfd = arg;

	expect_refused(_metadata, *pidfd, CLONE_NEWPID, EINVAL);
}

static void offer_oneself(struct __test_metadata *const _metadata,
			  void *arg __maybe_unused)
{
	int pidfd = sys_pidfd_open(getpid(), 0);

	ASSERT_LE(0, pidfd);
	run_as_pid_1(_metadata, ask_for_parent, &pidfd);
}

/*
 * By pidfd the rule is the same: a process of an upper namespace is refused.
 *
 * 1. A pid 1 opens a pidfd of itself.
 * 2. It starts a pid 1 below, which inherits the pidfd.
 * 3. That one's setns() with it is refused with EINVAL.
 */
TEST(setns_by_pidfd_refuses_a_process_of_an_ancestor)
{
	require_privilege(_metadata);
	run_as_pid_1(_metadata, offer_oneself, NULL);
}

/*
 * The type is checked before anything is done.
 *
 * 1. The caller unshares, and opens its default namespace.
 * 2. setns(2) with the flag of another type, or of two: EINVAL.
 * 3. Without a flag it is taken for what it is.
 */
TEST(setns_checks_the_type_of_the_namespace)
{
	struct snapshot old;
	int fd;

	require_privilege(_metadata);
	unshare_pidns(_metadata);
	fd = ns_open(0, DEFAULT);
	ASSERT_LE(0, fd);
	old = snapshot_take(_metadata);

	expect_refused(_metadata, fd, CLONE_NEWUTS, EINVAL);
	expect_refused(_metadata, fd, CLONE_NEWPID | CLONE_NEWUTS, EINVAL);
	expect_setns(_metadata, fd, 0);
	expect_unchanged(_metadata, &old);
}

static void look_up(struct __test_metadata *const _metadata,
		    void *arg __maybe_unused)
{
	int fd = ns_open(0, ACTIVE);
	pid_t pid;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, ioctl(fd, NS_GET_PARENT));
	EXPECT_EQ(EPERM, errno);
	close(fd);

	unshare_pidns(_metadata);
	pid = child_hold(_metadata, 0);
	ASSERT_LT(0, pid);
	fd = child_active_open(pid);
	EXPECT_EQ(task_ns_id(0, ACTIVE), ns_parent_id(fd));
	child_kill(_metadata, pid);
}

/*
 * The parent of the caller's own namespace is not shown to it, only that of a
 * namespace below.
 *
 * 1. The caller, a pid 1, asks for the parent of its namespace: EPERM.
 * 2. It unshares, and asks for that of its child's namespace: its own.
 */
TEST(parent_of_the_own_namespace_is_not_shown)
{
	run_as_pid_1(_metadata, look_up, NULL);
}

/* A new proc filesystem of the pid namespace @ns: a file, or -1 and errno. */
static int proc_of(struct __test_metadata *const _metadata, int ns)
{
	int fs = fsopen("proc", FSOPEN_CLOEXEC), proc = -1, err;

	ASSERT_LE(0, fs);
	if (!fsconfig(fs, FSCONFIG_SET_FD, "pidns", NULL, ns) &&
	    !fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		proc = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	err = errno;
	close(fs);
	errno = err;
	return proc;
}

struct strangers {
	int above;
	int beside;
};

static void ask_for_proc(struct __test_metadata *const _metadata, void *arg)
{
	const struct strangers *strangers = arg;
	int own = ns_open(0, ACTIVE);

	EXPECT_EQ(-1, proc_of(_metadata, strangers->above));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, proc_of(_metadata, strangers->beside));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_LE(0, proc_of(_metadata, own));
}

/*
 * By the rule of setns(2), without a step into the namespace.
 *
 * 1. The caller has a proc filesystem made for a child's namespace, in which the
 *    child is pid 1, and is alone.
 * 2. Another child is refused those of its parent and of its sibling, but not its
 *    own.
 */
TEST(proc_is_made_for_the_own_namespace_and_any_below)
{
	struct strangers strangers = { .above = ns_open(0, ACTIVE) };
	pid_t sibling, pid;
	int proc;

	require_root(_metadata, "makes a proc filesystem");
	sibling = child_hold(_metadata, CLONE_NEWPID);
	ASSERT_LT(0, sibling);
	strangers.beside = ns_open(sibling, ACTIVE);
	proc = proc_of(_metadata, strangers.beside);
	ASSERT_LE(0, proc) {
		TH_LOG("proc of a child's namespace: %s", strerror(errno));
	}
	EXPECT_EQ(0, faccessat(proc, "1", F_OK, 0));
	EXPECT_EQ(-1, faccessat(proc, "2", F_OK, 0));

	pid = child_run_flags(_metadata, CLONE_NEWPID, ask_for_proc, &strangers);
	ASSERT_LT(0, pid);
	assert_exited_ok(_metadata, pid);
	child_kill(_metadata, sibling);
}

TEST_HARNESS_MAIN
