// SPDX-License-Identifier: GPL-2.0
/*
 * unshare(CLONE_NEWPID) gives the caller's future children a namespace, and
 * changes nothing else: not the caller, not the children that it has.
 *
 *	before			after			after the next fork
 *
 *	caller  (active A,	caller  (active A,	caller  (active A, default B)
 *	  |      default A)	  |      default B)	  |-- child (active A)
 *	child   (active A)	child   (active A)	  `-- first (active B, pid 1)
 */
#include "pidns.h"

#define NR_PIDS 32

/* What a task has of pids, as the kernel and the C library show it. */
struct pids {
	long nspid[NR_PIDS], nstgid[NR_PIDS];
	int nr_nspid, nr_nstgid;
	pid_t pid, raw_pid, tid, ppid, pgrp, sid;
};

static void read_pids(struct pids *pids)
{
	memset(pids, 0, sizeof(*pids));
	pids->nr_nspid = status_numbers(0, "NSpid", pids->nspid, NR_PIDS);
	pids->nr_nstgid = status_numbers(0, "NStgid", pids->nstgid, NR_PIDS);
	pids->pid = getpid();
	pids->raw_pid = syscall(__NR_getpid);
	pids->tid = syscall(__NR_gettid);
	pids->ppid = getppid();
	pids->pgrp = getpgrp();
	pids->sid = getsid(0);
}

/* The namespaces whose kind decides at once, by unshare(2)'s flag for them. */
static const struct {
	const char *name;
	int flag;
} others[] = {
	{ "cgroup",		CLONE_NEWCGROUP },
	{ "ipc",		CLONE_NEWIPC },
	{ "mnt",		CLONE_NEWNS },
	{ "net",		CLONE_NEWNET },
	{ "time",		0 },
	{ "time_for_children",	CLONE_NEWTIME },
	{ "user",		CLONE_NEWUSER },
	{ "uts",		CLONE_NEWUTS },
};

#define ALL_OTHERS (CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNS | \
		    CLONE_NEWNET | CLONE_NEWTIME | CLONE_NEWUSER | CLONE_NEWUTS)

FIXTURE(unshare) {
	__u64 active;
	__u64 before;
};

FIXTURE_VARIANT(unshare) {
	int flags;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(unshare, alone) { .flags = 0 };
FIXTURE_VARIANT_ADD(unshare, with_cgroup) { .flags = CLONE_NEWCGROUP };
FIXTURE_VARIANT_ADD(unshare, with_ipc) { .flags = CLONE_NEWIPC };
FIXTURE_VARIANT_ADD(unshare, with_mnt) { .flags = CLONE_NEWNS };
FIXTURE_VARIANT_ADD(unshare, with_net) { .flags = CLONE_NEWNET };
FIXTURE_VARIANT_ADD(unshare, with_time) { .flags = CLONE_NEWTIME };
FIXTURE_VARIANT_ADD(unshare, with_user) { .flags = CLONE_NEWUSER };
FIXTURE_VARIANT_ADD(unshare, with_uts) { .flags = CLONE_NEWUTS };
FIXTURE_VARIANT_ADD(unshare, with_files_fs_and_sysvsem) {
	.flags = CLONE_FILES | CLONE_FS | CLONE_SYSVSEM
};

FIXTURE_VARIANT_ADD(unshare, with_all) { .flags = ALL_OTHERS };
/* clang-format on */

FIXTURE_SETUP(unshare)
{
	require_privilege(_metadata);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (variant->flags & others[i].flag &&
		    !task_ns_id(0, others[i].name))
			SKIP(_exit(KSFT_SKIP), "no %s namespaces here",
			     others[i].name);
	self->active = task_ns_id(0, ACTIVE);
	self->before = task_ns_id(0, DEFAULT);
	ASSERT_NE(0ULL, self->active);
	ASSERT_EQ(self->active, self->before);
}

FIXTURE_TEARDOWN(unshare)
{
}

/*
 * Every number that the caller is known by stays: getpid() of the C library and
 * of the kernel, gettid(), getppid(), its group and session, NSpid and NStgid.
 */
TEST_F(unshare, keeps_the_callers_pid)
{
	struct pids before, after;

	read_pids(&before);
	ASSERT_LT(0, before.nr_nspid);
	ASSERT_LT(0, before.nr_nstgid);
	ASSERT_EQ(before.pid, before.raw_pid);

	ASSERT_EQ(0, unshare(CLONE_NEWPID | variant->flags)) {
		TH_LOG("unshare: %s", strerror(errno));
	}

	read_pids(&after);
	EXPECT_EQ(before.pid, after.pid);
	EXPECT_EQ(before.pid, after.raw_pid);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

/*
 * The active namespace stays; the default becomes a new one, whose parent is
 * the active one, and which is one level below it.
 */
TEST_F(unshare, changes_the_default_and_not_the_active_namespace)
{
	int fd;

	ASSERT_EQ(0, unshare(CLONE_NEWPID | variant->flags)) {
		TH_LOG("unshare: %s", strerror(errno));
	}

	EXPECT_EQ(self->active, task_ns_id(0, ACTIVE));
	fd = ns_open(0, DEFAULT);
	ASSERT_LE(0, fd);
	EXPECT_NE(0ULL, ns_id(fd));
	EXPECT_NE(self->active, ns_id(fd));
	EXPECT_EQ(self->active, ns_parent_id(fd));
	EXPECT_EQ(1, ns_depth(fd));
}

/* Of the other kinds of namespaces, those that the flags name change, no more. */
TEST_F(unshare, changes_no_namespace_that_was_not_named)
{
	__u64 before[ARRAY_SIZE(others)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(others); i++)
		before[i] = task_ns_id(0, others[i].name);

	ASSERT_EQ(0, unshare(CLONE_NEWPID | variant->flags)) {
		TH_LOG("unshare: %s", strerror(errno));
	}

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		bool named = variant->flags & others[i].flag;

		EXPECT_EQ(named, before[i] != task_ns_id(0, others[i].name)) {
			TH_LOG("%s namespace", others[i].name);
		}
	}
}

static void be_first_child(struct __test_metadata *const _metadata, void *arg)
{
	const __u64 *wanted = arg;

	EXPECT_EQ(1, getpid());
	EXPECT_EQ(1, syscall(__NR_gettid));
	EXPECT_EQ(*wanted, task_ns_id(0, ACTIVE));
	EXPECT_EQ(*wanted, task_ns_id(0, DEFAULT));
}

/* What was the caller's default is the first child's active namespace. */
TEST_F(unshare, takes_effect_for_the_next_child)
{
	__u64 wanted;

	ASSERT_EQ(0, unshare(CLONE_NEWPID | variant->flags)) {
		TH_LOG("unshare: %s", strerror(errno));
	}
	wanted = task_ns_id(0, DEFAULT);
	ASSERT_NE(0ULL, wanted);
	assert_exited_ok(_metadata, child_run(_metadata, be_first_child, &wanted));
}

/* Without CLONE_NEWPID the default is not touched, whatever else is unshared. */
TEST_F(unshare, without_newpid_keeps_the_default)
{
	ASSERT_EQ(0, unshare(variant->flags)) {
		TH_LOG("unshare: %s", strerror(errno));
	}
	EXPECT_EQ(self->active, task_ns_id(0, ACTIVE));
	EXPECT_EQ(self->active, task_ns_id(0, DEFAULT));
}

/* Nor is one that differs from the active namespace. */
TEST_F(unshare, without_newpid_keeps_another_default)
{
	__u64 before;

	unshare_pidns(_metadata);
	before = task_ns_id(0, DEFAULT);
	EXPECT_NE(self->active, before);
	ASSERT_EQ(0, unshare(variant->flags)) {
		TH_LOG("unshare: %s", strerror(errno));
	}
	EXPECT_EQ(self->active, task_ns_id(0, ACTIVE));
	EXPECT_EQ(before, task_ns_id(0, DEFAULT));
}

/* A child from before the unshare, and what it must still have after it. */
struct old_child {
	int noted[2];
	int unshared[2];
	pid_t parent;
	__u64 active;
	struct pids pids;
};

static void be_grandchild(struct __test_metadata *const _metadata, void *arg)
{
	const struct old_child *old = arg;

	EXPECT_EQ(old->active, task_ns_id(0, ACTIVE));
	EXPECT_EQ(old->pids.pid, getppid());
	EXPECT_LT(1, getpid());
}

static void be_old_child(struct __test_metadata *const _metadata, void *arg)
{
	struct old_child *old = arg;
	struct pids after;

	die_with_parent(_metadata);
	read_pids(&old->pids);
	sync_post(_metadata, old->noted);
	sync_wait(_metadata, old->unshared);
	read_pids(&after);

	EXPECT_EQ(0, memcmp(&old->pids, &after, sizeof(after)));
	EXPECT_EQ(old->parent, getppid());
	EXPECT_EQ(old->active, task_ns_id(0, ACTIVE));
	EXPECT_EQ(old->active, task_ns_id(0, DEFAULT));
	assert_exited_ok(_metadata, child_run(_metadata, be_grandchild, old));
}

/*
 * What was considered and not chosen is the caller as pid 1 and its children
 * given to their init. Here they keep pid, parent and both namespaces, though
 * the new namespace has its first child by then.
 *
 *  1. The caller makes a child, which notes its pids.
 *  2. The caller unshares, and makes the first child of the new namespace.
 *  3. The old child finds everything as it was; its own child is born beside it.
 *  4. The caller is still who waits for it.
 */
TEST(existing_children_stay_where_they_are)
{
	struct old_child old;
	int idle[2];
	pid_t child, first;

	require_privilege(_metadata);
	sync_open(_metadata, old.noted);
	sync_open(_metadata, old.unshared);
	sync_open(_metadata, idle);
	old.parent = getpid();
	old.active = task_ns_id(0, ACTIVE);
	child = child_run(_metadata, be_old_child, &old);
	sync_wait(_metadata, old.noted);

	unshare_pidns(_metadata);
	first = child_run(_metadata, child_idle, idle);
	sync_post(_metadata, old.unshared);

	EXPECT_EQ(old.parent, getpid());
	EXPECT_EQ(old.parent, status_number(child, "PPid"));
	assert_exited_ok(_metadata, child);
	sync_post(_metadata, idle);
	assert_exited_ok(_metadata, first);
}

/*
 * The caller does not become the new namespace's pid 1, nor a member of it: no
 * pid of the namespace is the caller's.
 */
TEST(caller_has_no_pid_in_the_new_namespace)
{
	int idle[2], fd;
	pid_t first;

	require_privilege(_metadata);
	sync_open(_metadata, idle);
	unshare_pidns(_metadata);
	first = child_run(_metadata, child_idle, idle);

	fd = ns_open(0, DEFAULT);
	ASSERT_LE(0, fd);
	EXPECT_EQ(CLONE_NEWPID, ioctl(fd, NS_GET_NSTYPE));
	EXPECT_EQ(1, ioctl(fd, NS_GET_PID_IN_PIDNS, first));
	EXPECT_EQ(first, ioctl(fd, NS_GET_PID_FROM_PIDNS, 1));
	EXPECT_EQ(-1, ioctl(fd, NS_GET_PID_IN_PIDNS, getpid()));
	EXPECT_EQ(ESRCH, errno);

	sync_post(_metadata, idle);
	assert_exited_ok(_metadata, first);
}

TEST_HARNESS_MAIN
