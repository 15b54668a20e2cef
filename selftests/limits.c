// SPDX-License-Identifier: GPL-2.0
/*
 * What unshare(2) and clone(2) refuse with CLONE_NEWPID, with which errno, and
 * which comes first. A refused call leaves the caller exactly as it was, makes
 * no child, and counts against no limit.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "pidns.h"

/* How many levels there are below the initial namespace. */
#define MAX_LEVEL 32

static void expect_unshare(struct __test_metadata *const _metadata,
			   unsigned long flags, int err)
{
	struct snapshot old = snapshot_take(_metadata);

	EXPECT_EQ(-1, syscall(__NR_unshare, flags)) {
		TH_LOG("unshare(%#lx)", flags);
	}
	EXPECT_EQ(err, errno) {
		TH_LOG("unshare(%#lx): %s", flags, strerror(errno));
	}
	expect_unchanged(_metadata, &old);
}

static void expect_fork(struct __test_metadata *const _metadata,
			pid_t (*fork_by)(unsigned long flags),
			unsigned long flags, int err)
{
	struct snapshot old = snapshot_take(_metadata);
	pid_t pid = fork_by(flags);

	if (pid == 0)
		_exit(KSFT_FAIL);
	EXPECT_EQ(-1, pid);
	EXPECT_EQ(err, errno) {
		TH_LOG("clone(%#lx): %s", flags, strerror(errno));
	}
	expect_unchanged(_metadata, &old);
	EXPECT_EQ(-1, waitpid(-1, NULL, __WALL | WNOHANG));
	EXPECT_EQ(ECHILD, errno);
}

static pid_t fork_by_clone3(unsigned long flags)
{
	return clone3_fork(flags);
}

/* All ways to ask for a pid namespace fail with @err; nobody has a child. */
static void expect_all(struct __test_metadata *const _metadata,
		       unsigned long flags, int err)
{
	expect_unshare(_metadata, CLONE_NEWPID | flags, err);
	expect_fork(_metadata, clone_fork, CLONE_NEWPID | flags, err);
	expect_fork(_metadata, fork_by_clone3, CLONE_NEWPID | flags, err);
}

struct descent {
	/* How many levels there are below the test. */
	int levels;
	int bottom[2];
	int end[2];
};

/* Each level makes the next one, as long as that works. */
static void descend(struct __test_metadata *const _metadata, void *arg)
{
	struct descent *descent = arg;
	pid_t pid;
	int i;

	if (!unshare(CLONE_NEWPID)) {
		descent->levels++;
		pid = child_run(_metadata, descend, descent);
		assert_exited_ok(_metadata, pid);
		return;
	}
	EXPECT_EQ(ENOSPC, errno);
	for (i = 0; i < 10; i++)
		expect_all(_metadata, 0, ENOSPC);
	pid = child_hold(_metadata, 0);
	ASSERT_LT(0, pid) {
		TH_LOG("plain fork: %s", strerror(errno));
	}
	child_kill(_metadata, pid);
	sync_post(_metadata, descent->bottom);
	sync_wait(_metadata, descent->end);
}

/*
 * There are 32 levels below the initial namespace. The 33rd is refused with
 * ENOSPC, by unshare and by clone; the caller may still fork, and what was
 * refused does not count.
 *
 * 1. The test enters a user namespace, and starts a child that unshares and
 *    forks, the child of which does the same, and so on.
 * 2. The last one tries all calls ten times, and forks.
 * 3. The test lowers the limit to one more than there are: it may unshare once,
 *    but not twice.
 */
TEST(level_33_is_refused_with_enospc_and_leaks_nothing)
{
	struct descent *descent;
	char max[16];
	pid_t pid;

	descent = mmap(NULL, sizeof(*descent), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, descent);
	sync_open(_metadata, descent->bottom);
	sync_open(_metadata, descent->end);
	if (limit_pidns(_metadata, 1000))
		SKIP(return, "no user namespaces: %s", strerror(errno));

	pid = child_run(_metadata, descend, descent);
	close(descent->bottom[1]);
	sync_wait(_metadata, descent->bottom);
	if (task_ns_id(0, ACTIVE) == PID_NS_INIT_ID)
		EXPECT_EQ(MAX_LEVEL, descent->levels);
	EXPECT_GE(MAX_LEVEL, descent->levels);

	snprintf(max, sizeof(max), "%d", descent->levels + 1);
	ASSERT_EQ(0, proc_write("/proc/sys/user/max_pid_namespaces", max));
	EXPECT_EQ(0, unshare(CLONE_NEWPID));
	expect_unshare(_metadata, CLONE_NEWPID, ENOSPC);
	sync_post(_metadata, descent->end);
	assert_exited_ok(_metadata, pid);
}

/*
 * At the limit of the user namespace each call is refused with ENOSPC, and what
 * was refused does not count.
 *
 * 1. The caller enters a user namespace that may hold one pid namespace.
 * 2. It unshares: there is one.
 * 3. It tries all calls a hundred times.
 * 4. It raises the limit to two: there is room for one, and for one only.
 */
TEST(limit_of_the_user_namespace_is_refused_with_enospc_and_leaks_nothing)
{
	pid_t pid;
	int i;

	if (limit_pidns(_metadata, 1))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	unshare_pidns(_metadata);
	for (i = 0; i < 100; i++)
		expect_all(_metadata, 0, ENOSPC);

	ASSERT_EQ(0, proc_write("/proc/sys/user/max_pid_namespaces", "2"));
	pid = child_hold(_metadata, CLONE_NEWPID);
	ASSERT_LT(0, pid) {
		TH_LOG("clone3: %s", strerror(errno));
	}
	expect_unshare(_metadata, CLONE_NEWPID, ENOSPC);
	child_kill(_metadata, pid);
}

struct meeting {
	int ready[2];
	int end[2];
};

static void use_up(struct __test_metadata *const _metadata, void *arg)
{
	const struct meeting *meeting = arg;

	ASSERT_EQ(0, enter_userns(_metadata)) {
		TH_LOG("user namespace: %s", strerror(errno));
	}
	unshare_pidns(_metadata);
	expect_all(_metadata, 0, ENOSPC);
	sync_post(_metadata, meeting->ready);
	sync_wait(_metadata, meeting->end);
}

/*
 * The limit of an outer user namespace counts for those within, too.
 *
 * 1. The test enters a user namespace that may hold one pid namespace.
 * 2. A child enters one below, which knows no limit, and unshares.
 * 3. There is no other for the child, and none for the test.
 */
TEST(limit_of_an_outer_user_namespace_counts)
{
	struct meeting meeting;
	pid_t pid;

	sync_open(_metadata, meeting.ready);
	sync_open(_metadata, meeting.end);
	if (limit_pidns(_metadata, 1))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	pid = child_run(_metadata, use_up, &meeting);
	close(meeting.ready[1]);
	sync_wait(_metadata, meeting.ready);
	expect_unshare(_metadata, CLONE_NEWPID, ENOSPC);
	sync_post(_metadata, meeting.end);
	assert_exited_ok(_metadata, pid);
}

/*
 * Without CAP_SYS_ADMIN each call is refused with EPERM, before an unshare and
 * after it.
 *
 * 1. The caller gives up its privilege in a child, and tries all calls.
 * 2. It unshares, gives it up itself, and tries them again.
 */
TEST(newpid_without_privilege_is_refused_with_eperm)
{
	pid_t pid;

	require_privilege(_metadata);
	pid = clone3_fork(0);
	ASSERT_LE(0, pid);
	if (pid == 0) {
		drop_privilege(_metadata);
		expect_all(_metadata, 0, EPERM);
		child_end(_metadata);
	}
	assert_exited_ok(_metadata, pid);

	unshare_pidns(_metadata);
	drop_privilege(_metadata);
	expect_all(_metadata, 0, EPERM);
}

/*
 * With a new user namespace it takes no privilege: the new pid namespace
 * belongs to that one.
 *
 * 1. The caller gives up its privilege.
 * 2. A child of clone(CLONE_NEWUSER | CLONE_NEWPID) is pid 1.
 * 3. unshare(CLONE_NEWUSER | CLONE_NEWPID) works, too, and the first child
 *    after it is pid 1.
 */
TEST(newpid_with_a_new_user_namespace_takes_no_privilege)
{
	pid_t pid;
	int fd, owner, i;

	drop_privilege(_metadata);
	require_userns(_metadata);
	for (i = 0; i < 2; i++) {
		__u64 flags = CLONE_NEWUSER | CLONE_NEWPID;

		if (i) {
			ASSERT_EQ(0, unshare(flags)) {
				TH_LOG("unshare: %s", strerror(errno));
			}
			flags = 0;
		}
		pid = child_hold(_metadata, flags);
		ASSERT_LT(0, pid) {
			TH_LOG("clone: %s", strerror(errno));
		}
		fd = child_active_open(pid);
		ASSERT_LE(0, fd);
		EXPECT_EQ(1, ioctl(fd, NS_GET_PID_IN_PIDNS, pid));
		EXPECT_EQ(task_ns_id(0, ACTIVE), ns_parent_id(fd));
		owner = ioctl(fd, NS_GET_USERNS);
		ASSERT_LE(0, owner);
		EXPECT_EQ(task_ns_id(pid, "user"), ns_id(owner));
		child_kill(_metadata, pid);
	}
}

/* What a child in a pid namespace of somebody else's user namespace may do. */
static void own_nothing(struct __test_metadata *const _metadata, void *arg)
{
	const int *pidfd = arg;

	expect_all(_metadata, 0, EINVAL);
	/* A user namespace of one's own is no descendant of the owner either. */
	expect_all(_metadata, CLONE_NEWUSER, EINVAL);

	ASSERT_EQ(0, setns(*pidfd, CLONE_NEWUSER)) {
		TH_LOG("setns: %s", strerror(errno));
	}
	EXPECT_EQ(0, unshare(CLONE_NEWPID));
}

/*
 * The user namespace of the caller must be that of the parent of the new pid
 * namespace or a descendant, or the call is refused with EINVAL.
 *
 * 1. The caller starts a pid 1 with a user namespace of its own, and joins its
 *    pid namespace only.
 * 2. Its next child lives there, without being in the user namespace that owns
 *    it: all calls are refused, with CLONE_NEWUSER too.
 * 3. When the child has entered that user namespace, it may unshare.
 */
TEST(newpid_below_a_stranger_is_refused_with_einval)
{
	pid_t owner, pid;
	int fd, pidfd;

	require_privilege(_metadata);
	owner = child_hold(_metadata, CLONE_NEWUSER | CLONE_NEWPID);
	if (owner < 0)
		SKIP(return, "no user namespaces: %s", strerror(errno));
	fd = child_active_open(owner);
	pidfd = sys_pidfd_open(owner, 0);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, pidfd);
	ASSERT_EQ(0, setns(fd, CLONE_NEWPID));

	pid = child_run(_metadata, own_nothing, &pidfd);
	assert_exited_ok(_metadata, pid);
	child_kill(_metadata, owner);
}

/*
 * The owner of the default namespace has no say, as it is not the parent of the
 * new one.
 *
 * 1. The caller starts a pid 1 with a user namespace of its own, and joins its
 *    pid namespace only.
 * 2. clone(CLONE_NEWPID) and unshare(CLONE_NEWPID) of the caller work: the new
 *    namespaces are children of its active one.
 */
TEST(owner_of_the_default_namespace_has_no_say)
{
	pid_t owner, pid;
	int fd;

	require_privilege(_metadata);
	owner = child_hold(_metadata, CLONE_NEWUSER | CLONE_NEWPID);
	if (owner < 0)
		SKIP(return, "no user namespaces: %s", strerror(errno));
	fd = child_active_open(owner);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setns(fd, CLONE_NEWPID));

	pid = child_hold(_metadata, CLONE_NEWPID);
	ASSERT_LT(0, pid) {
		TH_LOG("clone3: %s", strerror(errno));
	}
	EXPECT_EQ(task_ns_id(0, ACTIVE), ns_parent_id(child_active_open(pid)));
	child_kill(_metadata, pid);

	unshare_pidns(_metadata);
	EXPECT_EQ(task_ns_id(0, ACTIVE), ns_parent_id(ns_open(0, DEFAULT)));
	child_kill(_metadata, owner);
}

static int never_run(void *arg __maybe_unused)
{
	_exit(KSFT_FAIL);
}

#define THREAD (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)

static pid_t fork_on_a_stack(unsigned long flags)
{
	static char stack[64 * 1024];

	return clone(never_run, stack + sizeof(stack), flags, NULL);
}

/*
 * A thread cannot live in another pid namespace than its process: EINVAL,
 * before privilege is asked for.
 *
 * 1. The caller asks for a thread with CLONE_NEWPID.
 * 2. It does so after an unshare.
 * 3. It gives up its privilege: it is EINVAL still.
 */
TEST(thread_in_another_namespace_is_refused_with_einval)
{
	require_privilege(_metadata);
	expect_fork(_metadata, fork_on_a_stack, THREAD | CLONE_NEWPID, EINVAL);
	unshare_pidns(_metadata);
	expect_fork(_metadata, fork_on_a_stack, THREAD | CLONE_NEWPID, EINVAL);
	drop_privilege(_metadata);
	expect_fork(_metadata, fork_on_a_stack, THREAD | CLONE_NEWPID, EINVAL);
}

/* The kinds of namespaces that can be made in one call with a pid namespace. */
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | \
		    CLONE_NEWTIME)

/* The flags that unshare(2) takes; what a namespace is called in /proc. */
static const struct {
	unsigned long flag;
	const char *ns;
} taken[] = {
	{ CLONE_VM, NULL },
	{ CLONE_FS, NULL },
	{ CLONE_FILES, NULL },
	{ CLONE_SIGHAND, NULL },
	{ CLONE_THREAD, NULL },
	{ CLONE_SYSVSEM, NULL },
	/* The bit of CLONE_PARENT_SETTID, which is UNSHARE_EMPTY_MNTNS here. */
	{ 0x00100000, "mnt" },
	{ CLONE_NEWNS, "mnt" },
	{ CLONE_NEWCGROUP, "cgroup" },
	{ CLONE_NEWUTS, "uts" },
	{ CLONE_NEWIPC, "ipc" },
	{ CLONE_NEWUSER, "user" },
	{ CLONE_NEWPID, "pid" },
	{ CLONE_NEWNET, "net" },
	{ CLONE_NEWTIME, "time" },
};

/* Does unshare(2) take @flag on this kernel? */
static bool is_taken(unsigned long flag)
{
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(taken); i++) {
		if (taken[i].flag != flag)
			continue;
		if (!taken[i].ns)
			return true;
		fd = ns_open(0, taken[i].ns);
		close(fd);
		return fd >= 0;
	}
	return false;
}

/* unshare(2) takes @arg in a child, which ends with it. */
static void call_unshare(struct __test_metadata *const _metadata, void *arg)
{
	const unsigned long *flags = arg;

	EXPECT_EQ(0, unshare(*flags)) {
		TH_LOG("unshare(%#lx): %s", *flags, strerror(errno));
	}
}

/*
 * unshare(2) takes the flags of a table, each of them with CLONE_NEWPID too,
 * and refuses every other bit of its argument with EINVAL.
 *
 * 1. For each bit, a child calls unshare(2) with it alone,
 * 2. and another one with CLONE_NEWPID besides.
 */
TEST(unshare_takes_the_flags_that_it_knows_and_refuses_all_others)
{
	unsigned int bit;
	pid_t pid;

	require_privilege(_metadata);
	for (bit = 0; bit < 8 * sizeof(long); bit++) {
		unsigned long flags = 1UL << bit;

		if (!is_taken(flags)) {
			expect_unshare(_metadata, flags, EINVAL);
			flags |= CLONE_NEWPID;
			expect_unshare(_metadata, flags, EINVAL);
			continue;
		}
		pid = child_run(_metadata, call_unshare, &flags);
		assert_exited_ok(_metadata, pid);
		flags |= CLONE_NEWPID;
		pid = child_run(_metadata, call_unshare, &flags);
		assert_exited_ok(_metadata, pid);
	}
}

static void *wait_for_end(void *arg)
{
	const int *end = arg;
	char byte;

	return read_nointr(end[0], &byte, 1) == 1 ? NULL : arg;
}

/*
 * Flags that can only be taken when there is nothing to share are refused with
 * EINVAL in a process of two threads; CLONE_NEWPID with them does not make a
 * namespace, while CLONE_NEWPID alone is taken.
 *
 * 1. The caller starts a thread.
 * 2. It tries CLONE_THREAD, CLONE_SIGHAND, CLONE_VM and CLONE_NEWUSER with
 *    CLONE_NEWPID.
 * 3. It tries CLONE_NEWPID alone.
 */
TEST(unshare_in_a_process_of_two_threads_refuses_what_they_share)
{
	static const unsigned long flags[] = {
		CLONE_THREAD, CLONE_SIGHAND, CLONE_VM, CLONE_NEWUSER,
	};
	pthread_t thread;
	void *failed;
	int end[2];
	size_t i;

	require_privilege(_metadata);
	sync_open(_metadata, end);
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_end, end));
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		expect_unshare(_metadata, flags[i] | CLONE_NEWPID, EINVAL);
	unshare_pidns(_metadata);
	sync_post(_metadata, end);
	ASSERT_EQ(0, pthread_join(thread, &failed));
	EXPECT_EQ(NULL, failed);
}

/*
 * When several things are wrong, the errno is that of the first check: unknown
 * flags, then privilege, then the owner, then the limits.
 *
 * 1. In a user namespace that may hold no pid namespace: ENOSPC.
 * 2. Without privilege there: EPERM.
 * 3. With an unknown flag, too: EINVAL.
 */
TEST(unshare_checks_flags_then_privilege_then_limits)
{
	if (limit_pidns(_metadata, 0))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	expect_all(_metadata, 0, ENOSPC);
	drop_privilege(_metadata);
	expect_all(_metadata, 0, EPERM);
	expect_unshare(_metadata, CLONE_NEWPID | CLONE_PTRACE, EINVAL);
}

static void own_nothing_at_the_limit(struct __test_metadata *const _metadata,
				     void *arg __maybe_unused)
{
	expect_all(_metadata, 0, EINVAL);
	drop_privilege(_metadata);
	expect_all(_metadata, 0, EPERM);
}

/*
 * The owner is looked at before the limits, and after the privilege.
 *
 * 1. The caller enters a user namespace, and joins the pid namespace of a child
 *    with a user namespace of its own.
 * 2. It lowers its limit to nothing.
 * 3. Its next child, who lives there, gets EINVAL, not ENOSPC, and without
 *    privilege EPERM.
 */
TEST(unshare_checks_privilege_then_owner_then_limits)
{
	pid_t owner, pid;
	int fd;

	if (limit_pidns(_metadata, 1))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	owner = child_hold(_metadata, CLONE_NEWUSER | CLONE_NEWPID);
	ASSERT_LT(0, owner);
	fd = child_active_open(owner);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setns(fd, CLONE_NEWPID));
	ASSERT_EQ(0, proc_write("/proc/sys/user/max_pid_namespaces", "0"));

	pid = child_run(_metadata, own_nothing_at_the_limit, NULL);
	assert_exited_ok(_metadata, pid);
	child_kill(_metadata, owner);
}

FIXTURE(refused)
{
};

FIXTURE_SETUP(refused)
{
}

FIXTURE_TEARDOWN(refused)
{
}

/* The kind of namespaces that cannot be made; those before it can, and are undone. */
FIXTURE_VARIANT(refused)
{
	unsigned long flag;
};

FIXTURE_VARIANT_ADD(refused, mnt)
{
	.flag = CLONE_NEWNS,
};

FIXTURE_VARIANT_ADD(refused, uts)
{
	.flag = CLONE_NEWUTS,
};

FIXTURE_VARIANT_ADD(refused, ipc)
{
	.flag = CLONE_NEWIPC,
};

FIXTURE_VARIANT_ADD(refused, cgroup)
{
	.flag = CLONE_NEWCGROUP,
};

FIXTURE_VARIANT_ADD(refused, net)
{
	.flag = CLONE_NEWNET,
};

FIXTURE_VARIANT_ADD(refused, time)
{
	.flag = CLONE_NEWTIME,
};

/* The caller's user namespace may hold @max namespaces of the kinds in @flags, each. */
static void limit_kinds(struct __test_metadata *const _metadata, unsigned long flags,
			const char *max)
{
	char path[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(taken); i++) {
		if (!(taken[i].flag & flags))
			continue;
		snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", taken[i].ns);
		ASSERT_EQ(0, proc_write(path, max)) {
			TH_LOG("%s: %s", path, strerror(errno));
		}
	}
}

/*
 * Where another namespace cannot be made, the pid namespace of the same call
 * does not count, and neither do those of other kinds.
 *
 * 1. The caller enters a user namespace that may hold three namespaces of each
 *    kind, and of one kind none.
 * 2. All calls for one of each are refused with ENOSPC.
 * 3. It lowers the limits to one. Once what the calls made is freed, the caller
 *    may unshare, with one of each kind but that.
 */
TEST_F(refused, newpid_with_a_namespace_that_is_refused_leaks_nothing)
{
	unsigned long flags = CLONE_NEWPID;
	size_t i;
	int err;

	if (!is_taken(variant->flag))
		SKIP(return, "the kernel has no such namespaces");
	for (i = 0; i < ARRAY_SIZE(taken); i++)
		if (taken[i].flag & NAMESPACES && is_taken(taken[i].flag))
			flags |= taken[i].flag;
	if (enter_userns(_metadata))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	limit_kinds(_metadata, flags & ~variant->flag, "3");
	limit_kinds(_metadata, variant->flag, "0");

	expect_unshare(_metadata, flags, ENOSPC);
	expect_fork(_metadata, fork_by_clone3, flags, ENOSPC);
	/* The bit of CLONE_NEWTIME means something else there. */
	if (variant->flag != CLONE_NEWTIME)
		expect_fork(_metadata, clone_fork, flags & ~CLONE_NEWTIME, ENOSPC);

	flags &= ~variant->flag;
	limit_kinds(_metadata, flags, "1");
	for (i = 0; i < 1000; i++) {
		err = unshare(flags) ? errno : 0;
		if (err != ENOSPC)
			break;
		poll(NULL, 0, 10);
	}
	EXPECT_EQ(0, err) {
		TH_LOG("unshare(%#lx): %s", flags, strerror(err));
	}
}

/* Exits with 0, or with the errno of unshare(2). */
static void own_a_namespace(struct __test_metadata *const _metadata,
			    void *arg __maybe_unused)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWPID))
		_exit(errno);
	_exit(0);
}

/*
 * A pid namespace that is freed lets go of its owner.
 *
 * 1. The caller enters a user namespace that may hold one further.
 * 2. Twenty children, one after the other, unshare a user and a pid namespace
 *    and end.  Each may, as soon as those of the one before are freed.
 */
TEST(owner_of_a_freed_namespace_is_freed)
{
	pid_t pid;
	int i, tries, status;

	if (enter_userns(_metadata))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	ASSERT_EQ(0, proc_write("/proc/sys/user/max_user_namespaces", "1"));

	for (i = 0; i < 20; i++) {
		for (tries = 0; tries < 10000; tries++) {
			pid = child_run(_metadata, own_a_namespace, NULL);
			ASSERT_LT(0, pid);
			status = wait_status(_metadata, pid);
			if (status != ENOSPC << 8)
				break;
			poll(NULL, 0, 1);
		}
		ASSERT_EQ(0, status) {
			TH_LOG("child %d: %s", i, strerror(status >> 8));
		}
	}
}

TEST_HARNESS_MAIN
