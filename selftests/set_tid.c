// SPDX-License-Identifier: GPL-2.0
/*
 * The set_tid array of clone3(2) gives the pids of the child from the namespace
 * that it is born in outwards, and that may be another one than the caller's:
 * after an unshare it is the default one, with CLONE_NEWPID the new one.
 *
 *   level of the caller:       1           set_tid, 1st, 2nd, ... element:
 *                            /   \
 *   default, new:           2     2        { in level 2, in 1, in 0 }
 *                           |
 *   default, deeper:        3              { in level 3, in 2, in 1, in 0 }
 *
 * The caller is pid 1 of a namespace of its own, in which the pids below are
 * free.
 */
#define _GNU_SOURCE
#include "pidns.h"

static pid_t clone3_set_tid(__u64 flags, const pid_t *tid, size_t nr)
{
	struct __clone_args args = {
		.flags = flags,
		.exit_signal = SIGCHLD,
		.set_tid = ptr_to_u64(tid),
		.set_tid_size = nr,
	};

	return sys_clone3(&args, sizeof(args));
}

/* A child of clone3(2) with @tid that stays until child_kill(). */
static pid_t hold_set_tid(struct __test_metadata *const _metadata, __u64 flags,
			  const pid_t *tid, size_t nr)
{
	pid_t pid = clone3_set_tid(flags, tid, nr);

	if (pid == 0) {
		die_with_parent(_metadata);
		for (;;)
			pause();
	}
	EXPECT_LT(0, pid) {
		TH_LOG("clone3: %s", strerror(errno));
	}
	return pid;
}

static void expect_refused(struct __test_metadata *const _metadata, __u64 flags,
			   const pid_t *tid, size_t nr, int err)
{
	struct snapshot old = snapshot_take(_metadata);
	pid_t pid = clone3_set_tid(flags, tid, nr);

	if (pid == 0)
		_exit(KSFT_FAIL);
	EXPECT_EQ(-1, pid);
	EXPECT_EQ(err, errno) {
		TH_LOG("clone3 with %zu pids: %s", nr, strerror(errno));
	}
	expect_unchanged(_metadata, &old);
}

static void set_pids_by_default(struct __test_metadata *const _metadata,
				void *arg __maybe_unused)
{
	pid_t init, second, third;
	int fd;

	unshare_pidns(_metadata);
	fd = ns_open(0, DEFAULT);
	ASSERT_LE(0, fd);

	init = hold_set_tid(_metadata, 0, (pid_t []){ 1, 1001 }, 2);
	EXPECT_EQ(1001, init);
	EXPECT_EQ(1, ioctl(fd, NS_GET_PID_IN_PIDNS, init));

	second = hold_set_tid(_metadata, 0, (pid_t []){ 77, 2002 }, 2);
	EXPECT_EQ(2002, second);
	EXPECT_EQ(77, ioctl(fd, NS_GET_PID_IN_PIDNS, second));

	third = hold_set_tid(_metadata, 0, (pid_t []){ 88 }, 1);
	EXPECT_EQ(88, ioctl(fd, NS_GET_PID_IN_PIDNS, third));

	child_kill(_metadata, third);
	child_kill(_metadata, second);
	child_kill(_metadata, init);
}

/*
 * After an unshare the first element is the pid in the default namespace, the
 * second that in the active one of the caller.
 *
 * 1. The caller unshares.
 * 2. Its first child is made with { 1, 1001 }, the second with { 77, 2002 },
 *    the third with { 88 } alone.
 * 3. It looks at what clone3(2) returned, and at the pids in the default one.
 */
TEST(set_tid_after_unshare_begins_in_the_default_namespace)
{
	run_as_pid_1(_metadata, set_pids_by_default, NULL);
}

static void set_pids_of_new(struct __test_metadata *const _metadata,
			    void *arg __maybe_unused)
{
	int dflt, new;
	pid_t pid;

	unshare_pidns(_metadata);
	dflt = ns_open(0, DEFAULT);
	ASSERT_LE(0, dflt);

	pid = hold_set_tid(_metadata, CLONE_NEWPID, (pid_t []){ 1, 1003 }, 2);
	EXPECT_EQ(1003, pid);
	new = child_active_open(pid);
	ASSERT_LE(0, new);
	EXPECT_EQ(1, ioctl(new, NS_GET_PID_IN_PIDNS, pid));
	EXPECT_EQ(task_ns_id(0, ACTIVE), ns_parent_id(new));
	EXPECT_EQ(-1, ioctl(dflt, NS_GET_PID_IN_PIDNS, pid));
	EXPECT_EQ(ESRCH, errno);
	child_kill(_metadata, pid);
}

/*
 * With CLONE_NEWPID the first element is the pid in the new namespace, the
 * second that in the active one of the caller; the default one has none.
 *
 * 1. The caller unshares.
 * 2. It makes a child with CLONE_NEWPID and { 1, 1003 }.
 * 3. It looks at what clone3(2) returned, and at the pid in each namespace.
 */
TEST(set_tid_with_newpid_after_unshare_begins_in_the_new_namespace)
{
	run_as_pid_1(_metadata, set_pids_of_new, NULL);
}

static void set_other_first_pids(struct __test_metadata *const _metadata,
				 void *arg __maybe_unused)
{
	pid_t pid;
	int fd;

	unshare_pidns(_metadata);
	expect_refused(_metadata, 0, (pid_t []){ 2 }, 1, EINVAL);
	expect_refused(_metadata, 0, (pid_t []){ 2, 1001 }, 2, EINVAL);
	expect_refused(_metadata, CLONE_NEWPID, (pid_t []){ 2 }, 1, EINVAL);
	expect_refused(_metadata, CLONE_NEWPID, (pid_t []){ 2, 1001 }, 2,
		       EINVAL);

	fd = ns_open(0, DEFAULT);
	pid = hold_set_tid(_metadata, 0, (pid_t []){ 1, 1001 }, 2);
	EXPECT_EQ(1, ioctl(fd, NS_GET_PID_IN_PIDNS, pid));
	expect_refused(_metadata, 0, (pid_t []){ 1 }, 1, EEXIST);
	expect_refused(_metadata, 0, (pid_t []){ 2, 1001 }, 2, EEXIST);
	child_kill(_metadata, pid);
}

/*
 * The first child of a namespace is pid 1 or is not made at all, and a refused
 * try is as if it had not been.
 *
 * 1. The caller unshares.
 * 2. It asks for pid 2, without CLONE_NEWPID and with it: EINVAL.
 * 3. It asks for pid 1, and gets it, and the outer pid that it had asked for.
 * 4. Who asks for a pid that is taken gets EEXIST.
 */
TEST(set_tid_refuses_another_first_pid_than_1)
{
	run_as_pid_1(_metadata, set_other_first_pids, NULL);
}

/* Gives the caller a default namespace two levels below it. */
static void join_grandchild(struct __test_metadata *const _metadata)
{
	int ready[2], fd;
	pid_t pid;

	sync_open(_metadata, ready);
	pid = clone3_fork(CLONE_NEWPID);
	ASSERT_LE(0, pid);
	if (pid == 0) {
		die_with_parent(_metadata);
		unshare_pidns(_metadata);
		sync_post(_metadata, ready);
		for (;;)
			pause();
	}
	sync_wait(_metadata, ready);
	fd = child_default_open(pid);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setns(fd, CLONE_NEWPID));
	close(fd);
}

/*
 * Pids for each level of a child, up to the initial namespace, where pid 1 is
 * taken: EEXIST says that the count was right.
 */
static void count_levels(struct __test_metadata *const _metadata,
			 void *arg __maybe_unused)
{
	static const pid_t two[] = { 1, 1001, 1, 1 };
	static const pid_t three[] = { 1, 50, 1001, 1, 1 };

	unshare_pidns(_metadata);
	expect_refused(_metadata, 0, two, 3, EEXIST);
	expect_refused(_metadata, 0, two, 4, EINVAL);
	expect_refused(_metadata, CLONE_NEWPID, two, 3, EEXIST);
	expect_refused(_metadata, CLONE_NEWPID, two, 4, EINVAL);

	join_grandchild(_metadata);
	expect_refused(_metadata, 0, three, 4, EEXIST);
	expect_refused(_metadata, 0, three, 5, EINVAL);
	expect_refused(_metadata, CLONE_NEWPID, two, 3, EEXIST);
	expect_refused(_metadata, CLONE_NEWPID, two, 4, EINVAL);
}

/*
 * There may be as many elements as the child has levels: one more than its
 * namespace has ancestors, wherever the default is.
 *
 * 1. The caller, at level 1, unshares: a child at level 2 takes three elements,
 *    and EINVAL is for the fourth, with CLONE_NEWPID too.
 * 2. It joins a namespace at level 3: a plain child takes four elements, one of
 *    CLONE_NEWPID three as before.
 */
TEST(set_tid_takes_as_many_pids_as_the_child_has_levels)
{
	require_root(_metadata, "sets pids of the initial namespace");
	if (task_ns_id(0, ACTIVE) != PID_NS_INIT_ID)
		SKIP(return, "needs the initial pid namespace to know levels");
	run_as_pid_1(_metadata, count_levels, NULL);
}

TEST_HARNESS_MAIN
