// SPDX-License-Identifier: GPL-2.0
/*
 * clone(CLONE_NEWPID) of a task whose default pid namespace is not its active
 * one: the new namespace is a child of the active one, whatever the default is.
 *
 *   default from unshare()     from setns()           from setns(), deeper
 *
 *         active                 active                  active
 *         /    \                 /    \                  /    \
 *   default    new         default    new         somebody's  new
 *                         (somebody's)                 |
 *                                                   default
 */
#define _GNU_SOURCE
#include "pidns.h"

/* Where the default namespace of the caller comes from. */
enum origin {
	SAME,	/* It is the active one: nothing was unshared. */
	FRESH,	/* unshare(2), no child yet. */
	USED,	/* unshare(2), its pid 1 lives. */
	DEAD,	/* unshare(2), its pid 1 is gone. */
	JOINED,	/* setns(2), a child of the active one. */
	DEEPER,	/* setns(2), a grandchild of the active one. */
};

/* Who calls, and how. */
struct scene {
	enum origin origin;
	bool by_clone3;
	/* Besides CLONE_NEWPID. */
	__u64 flags;
	/* The caller is itself pid 1 of a namespace. */
	bool nested;
};

FIXTURE(clone_newpid)
{
};

FIXTURE_VARIANT(clone_newpid)
{
	struct scene scene;
};

FIXTURE_VARIANT_ADD(clone_newpid, same_clone) {
	.scene = { .origin = SAME },
};

FIXTURE_VARIANT_ADD(clone_newpid, fresh_clone) {
	.scene = { .origin = FRESH },
};

FIXTURE_VARIANT_ADD(clone_newpid, fresh_clone3) {
	.scene = { .origin = FRESH, .by_clone3 = true },
};

FIXTURE_VARIANT_ADD(clone_newpid, fresh_clone_newuser) {
	.scene = { .origin = FRESH, .flags = CLONE_NEWUSER },
};

FIXTURE_VARIANT_ADD(clone_newpid, fresh_clone3_newuser) {
	.scene = { .origin = FRESH, .by_clone3 = true, .flags = CLONE_NEWUSER },
};

FIXTURE_VARIANT_ADD(clone_newpid, used_clone) {
	.scene = { .origin = USED },
};

FIXTURE_VARIANT_ADD(clone_newpid, used_clone3) {
	.scene = { .origin = USED, .by_clone3 = true },
};

FIXTURE_VARIANT_ADD(clone_newpid, dead_clone) {
	.scene = { .origin = DEAD },
};

FIXTURE_VARIANT_ADD(clone_newpid, dead_clone3) {
	.scene = { .origin = DEAD, .by_clone3 = true },
};

FIXTURE_VARIANT_ADD(clone_newpid, joined_clone) {
	.scene = { .origin = JOINED },
};

FIXTURE_VARIANT_ADD(clone_newpid, joined_clone3) {
	.scene = { .origin = JOINED, .by_clone3 = true },
};

FIXTURE_VARIANT_ADD(clone_newpid, joined_clone3_newuser) {
	.scene = { .origin = JOINED, .by_clone3 = true, .flags = CLONE_NEWUSER },
};

FIXTURE_VARIANT_ADD(clone_newpid, deeper_clone) {
	.scene = { .origin = DEEPER },
};

FIXTURE_VARIANT_ADD(clone_newpid, deeper_clone3) {
	.scene = { .origin = DEEPER, .by_clone3 = true },
};

FIXTURE_VARIANT_ADD(clone_newpid, nested_fresh_clone) {
	.scene = { .origin = FRESH, .nested = true },
};

FIXTURE_VARIANT_ADD(clone_newpid, nested_fresh_clone3) {
	.scene = { .origin = FRESH, .by_clone3 = true, .nested = true },
};

FIXTURE_VARIANT_ADD(clone_newpid, nested_joined_clone) {
	.scene = { .origin = JOINED, .nested = true },
};

FIXTURE_VARIANT_ADD(clone_newpid, nested_deeper_clone3) {
	.scene = { .origin = DEEPER, .by_clone3 = true, .nested = true },
};

FIXTURE_SETUP(clone_newpid)
{
	require_privilege(_metadata);
}

FIXTURE_TEARDOWN(clone_newpid)
{
}

static pid_t fork_by(bool by_clone3, __u64 flags)
{
	return by_clone3 ? clone3_fork(flags) : clone_fork(flags);
}

static void exit_at_once(struct __test_metadata *const _metadata __maybe_unused,
			 void *arg __maybe_unused)
{
}

/* Makes @fd, a namespace of somebody else, the default of the caller. */
static void join(struct __test_metadata *const _metadata, int fd)
{
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setns(fd, CLONE_NEWPID)) {
		TH_LOG("setns: %s", strerror(errno));
	}
	close(fd);
}

/* Gives the caller its default namespace; what it starts dies with it. */
static void take_default(struct __test_metadata *const _metadata,
			 enum origin origin)
{
	int ready[2];
	pid_t pid;

	switch (origin) {
	case SAME:
		break;
	case FRESH:
		unshare_pidns(_metadata);
		break;
	case USED:
		unshare_pidns(_metadata);
		ASSERT_LT(0, child_hold(_metadata, 0));
		break;
	case DEAD:
		unshare_pidns(_metadata);
		pid = child_run(_metadata, exit_at_once, NULL);
		assert_exited_ok(_metadata, pid);
		break;
	case JOINED:
		pid = child_hold(_metadata, CLONE_NEWPID);
		ASSERT_LT(0, pid);
		join(_metadata, child_active_open(pid));
		break;
	case DEEPER:
		sync_open(_metadata, ready);
		pid = child_run_flags(_metadata, CLONE_NEWPID, unshare_and_hold,
				      ready);
		ASSERT_LT(0, pid);
		sync_wait(_metadata, ready);
		join(_metadata, child_default_open(pid));
		break;
	}
}

/* What the child of the call sees: it is pid 1, one level below @old. */
static void expect_pid_1_below(struct __test_metadata *const _metadata,
			       const struct snapshot *old)
{
	struct snapshot now = snapshot_take(_metadata);

	EXPECT_EQ(1, now.pid);
	EXPECT_EQ(0, getppid());
	EXPECT_EQ(old->levels + 1, now.levels);
	EXPECT_EQ(1, now.nspid[now.levels - 1]);
	EXPECT_EQ(now.active, now.dflt);
	EXPECT_NE(old->active, now.active);
	EXPECT_NE(old->dflt, now.active);
}

/* What the caller sees of its child @pid: a namespace right below its own. */
static void expect_ns_below(struct __test_metadata *const _metadata, pid_t pid,
			    const struct snapshot *old)
{
	int fd = child_active_open(pid);

	ASSERT_LE(0, fd);
	EXPECT_EQ(old->active, ns_parent_id(fd));
	EXPECT_EQ(1, ns_depth(fd));
	EXPECT_EQ(1, ioctl(fd, NS_GET_PID_IN_PIDNS, pid));
	close(fd);
}

/* Runs @fn with @arg in a child, which is pid 1 of a namespace if @nested. */
static void run_below(struct __test_metadata *const _metadata, bool nested,
		      child_fn fn, const void *arg)
{
	pid_t pid = child_run_flags(_metadata, nested ? CLONE_NEWPID : 0, fn,
				    (void *)arg);

	ASSERT_LT(0, pid);
	assert_exited_ok(_metadata, pid);
}

static void new_is_below_active(struct __test_metadata *const _metadata,
				void *arg)
{
	const struct scene *scene = arg;
	struct snapshot old;
	int go[2];
	pid_t pid;

	take_default(_metadata, scene->origin);
	old = snapshot_take(_metadata);
	ASSERT_EQ(scene->origin == SAME, old.active == old.dflt);
	sync_open(_metadata, go);

	pid = fork_by(scene->by_clone3, CLONE_NEWPID | scene->flags);
	ASSERT_LE(0, pid) {
		TH_LOG("clone: %s", strerror(errno));
	}
	if (pid == 0) {
		expect_pid_1_below(_metadata, &old);
		sync_wait(_metadata, go);
		child_end(_metadata);
	}
	expect_ns_below(_metadata, pid, &old);
	sync_post(_metadata, go);
	assert_exited_ok(_metadata, pid);
}

/*
 * The new namespace is a child of the active one, one level below it, and the
 * child is its pid 1.
 *
 * 1. The caller gets its default namespace, as the variant has it.
 * 2. It calls clone(2) or clone3(2) with CLONE_NEWPID.
 * 3. The child looks at its pids, the caller at the parent of the child's
 *    namespace.
 */
TEST_F(clone_newpid, makes_a_child_of_the_active_namespace)
{
	run_below(_metadata, variant->scene.nested, new_is_below_active,
		  &variant->scene);
}

static void default_is_as_before(struct __test_metadata *const _metadata,
				 void *arg)
{
	const struct scene *scene = arg;
	struct snapshot old;
	pid_t new, plain;
	int fd;

	take_default(_metadata, scene->origin);
	old = snapshot_take(_metadata);

	new = fork_by(scene->by_clone3, CLONE_NEWPID | scene->flags);
	ASSERT_LE(0, new) {
		TH_LOG("clone: %s", strerror(errno));
	}
	if (new == 0)
		_exit(KSFT_PASS);
	expect_unchanged(_metadata, &old);
	assert_exited_ok(_metadata, new);
	expect_unchanged(_metadata, &old);

	plain = child_hold(_metadata, 0);
	if (scene->origin == DEAD) {
		EXPECT_EQ(-1, plain);
		EXPECT_EQ(ENOMEM, errno);
		return;
	}
	ASSERT_LT(0, plain);
	fd = child_active_open(plain);
	EXPECT_EQ(old.dflt, ns_id(fd));
	child_kill(_metadata, plain);
}

/*
 * The default namespace stays the same one, while the child of the call lives
 * and after it: the next plain fork goes there, or fails as it did before if
 * the default one is dead.
 *
 * 1. The caller gets its default namespace, as the variant has it.
 * 2. It calls clone(2) or clone3(2) with CLONE_NEWPID; the child exits.
 * 3. It forks, and looks at the active namespace of that child.
 */
TEST_F(clone_newpid, leaves_the_default_namespace_alone)
{
	run_below(_metadata, variant->scene.nested, default_is_as_before,
		  &variant->scene);
}

struct pid_1 {
	struct snapshot creator;
	int go[2];
	bool by_clone3;
	pid_t pid;
};

static void clone_for_the_parent(struct __test_metadata *const _metadata,
				 void *arg)
{
	struct pid_1 *new = arg;
	struct snapshot old;
	pid_t pid;

	unshare_pidns(_metadata);
	old = snapshot_take(_metadata);

	pid = fork_by(new->by_clone3, CLONE_NEWPID | CLONE_PARENT);
	ASSERT_LE(0, pid) {
		TH_LOG("clone: %s", strerror(errno));
	}
	if (pid == 0) {
		expect_pid_1_below(_metadata, &old);
		sync_wait(_metadata, new->go);
		child_end(_metadata);
	}
	expect_ns_below(_metadata, pid, &old);
	expect_unchanged(_metadata, &old);
	EXPECT_EQ(-1, waitpid(pid, NULL, __WALL));
	EXPECT_EQ(ECHILD, errno);
	new->pid = pid;
}

static void clone_parent(struct __test_metadata *const _metadata,
			 bool by_clone3)
{
	struct pid_1 *new;
	pid_t creator;

	require_privilege(_metadata);
	new = mmap(NULL, sizeof(*new), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, new);
	new->by_clone3 = by_clone3;
	sync_open(_metadata, new->go);

	creator = child_run(_metadata, clone_for_the_parent, new);
	assert_exited_ok(_metadata, creator);

	EXPECT_EQ(getpid(), status_number(new->pid, "PPid"));
	sync_post(_metadata, new->go);
	assert_exited_ok(_metadata, new->pid);
}

/*
 * With CLONE_PARENT, pid 1 of the new namespace is a child of the caller's
 * parent, and the namespace is still a child of the caller's active one.
 *
 * 1. The test forks a creator, which unshares.
 * 2. The creator calls clone(2) with CLONE_NEWPID | CLONE_PARENT and exits; it
 *    has no child to wait for.
 * 3. The test finds itself the parent of the new pid 1, and waits for it.
 */
TEST(clone_with_clone_parent_gives_pid_1_to_the_parent_of_the_caller)
{
	clone_parent(_metadata, false);
}

/* The same by clone3(2), which takes no exit signal with CLONE_PARENT. */
TEST(clone3_with_clone_parent_gives_pid_1_to_the_parent_of_the_caller)
{
	clone_parent(_metadata, true);
}

static void clone_parent_as_pid_1(struct __test_metadata *const _metadata,
				  void *arg __maybe_unused)
{
	struct snapshot old;
	pid_t pid;

	ASSERT_EQ(1, getpid());
	unshare_pidns(_metadata);
	old = snapshot_take(_metadata);

	pid = clone_fork(CLONE_NEWPID | CLONE_PARENT);
	if (pid == 0)
		_exit(KSFT_FAIL);
	EXPECT_EQ(-1, pid);
	EXPECT_EQ(EINVAL, errno);
	expect_unchanged(_metadata, &old);
}

/*
 * A namespace's pid 1 may have no sibling: it gets EINVAL for CLONE_PARENT,
 * with CLONE_NEWPID and after an unshare too.
 *
 * 1. A child that is pid 1 unshares.
 * 2. Its clone(CLONE_NEWPID | CLONE_PARENT) is refused, and changes nothing.
 */
TEST(clone_parent_is_refused_to_pid_1)
{
	require_privilege(_metadata);
	run_below(_metadata, true, clone_parent_as_pid_1, NULL);
}

/* What a child that shares memory and open files with the caller has seen. */
struct vfork_view {
	pid_t pid;
	pid_t ppid;
	int active;
};

static int vfork_look(void *arg)
{
	struct vfork_view *view = arg;

	view->pid = syscall(__NR_getpid);
	view->ppid = syscall(__NR_getppid);
	view->active = ns_open(0, ACTIVE);
	return KSFT_PASS;
}

/* Runs vfork_look() in a child, while the caller stands still. */
static struct vfork_view vfork_by(struct __test_metadata *const _metadata,
				  int flags)
{
	static char stack[64 * 1024];
	struct vfork_view view = {};
	pid_t pid;

	pid = clone(vfork_look, stack + sizeof(stack),
		    CLONE_VM | CLONE_FILES | CLONE_VFORK | SIGCHLD | flags,
		    &view);
	ASSERT_LT(0, pid) {
		TH_LOG("clone: %s", strerror(errno));
	}
	assert_exited_ok(_metadata, pid);
	ASSERT_LT(0, view.active);
	return view;
}

/*
 * With CLONE_VFORK it is the same: with CLONE_NEWPID the child is below the
 * active namespace, without it in the default one.
 *
 * 1. The caller unshares.
 * 2. A child of CLONE_VFORK | CLONE_NEWPID leaves what it sees in the memory
 *    and the open files of the caller, which stands still meanwhile.
 * 3. A child of CLONE_VFORK does, too.
 */
TEST(vfork_with_newpid_makes_a_child_of_the_active_namespace)
{
	struct vfork_view new, plain;
	struct snapshot old;

	require_privilege(_metadata);
	unshare_pidns(_metadata);
	old = snapshot_take(_metadata);

	new = vfork_by(_metadata, CLONE_NEWPID);
	EXPECT_EQ(1, new.pid);
	EXPECT_EQ(0, new.ppid);
	EXPECT_NE(old.dflt, ns_id(new.active));
	EXPECT_EQ(old.active, ns_parent_id(new.active));
	expect_unchanged(_metadata, &old);

	plain = vfork_by(_metadata, 0);
	EXPECT_EQ(1, plain.pid);
	EXPECT_EQ(0, plain.ppid);
	EXPECT_EQ(old.dflt, ns_id(plain.active));
	expect_unchanged(_metadata, &old);
}

static void clone_in_joined(struct __test_metadata *const _metadata, void *arg)
{
	const __u64 *joined = arg;
	pid_t pid;
	int fd;

	EXPECT_EQ(*joined, task_ns_id(0, ACTIVE));
	pid = child_hold(_metadata, CLONE_NEWPID);
	ASSERT_LT(0, pid);
	fd = child_active_open(pid);
	EXPECT_EQ(*joined, ns_parent_id(fd));
	child_kill(_metadata, pid);
}

/*
 * After setns(2) to another namespace clone(CLONE_NEWPID) makes a child of the
 * active namespace, not of the one that was joined. Who wants the latter forks
 * first.
 *
 * 1. The caller joins the namespace of a pid 1 that it started.
 * 2. Its child of CLONE_NEWPID lives below the caller's active namespace.
 * 3. Its plain child lives in the one joined; a child of CLONE_NEWPID of that
 *    one lives below the one joined.
 */
TEST(clone_newpid_after_setns_is_below_the_active_namespace_not_the_joined_one)
{
	__u64 joined;
	pid_t pid;
	int fd;

	require_privilege(_metadata);
	take_default(_metadata, JOINED);
	joined = task_ns_id(0, DEFAULT);

	pid = child_hold(_metadata, CLONE_NEWPID);
	ASSERT_LT(0, pid) {
		TH_LOG("clone3: %s", strerror(errno));
	}
	fd = child_active_open(pid);
	EXPECT_NE(joined, ns_id(fd));
	EXPECT_NE(joined, ns_parent_id(fd));
	EXPECT_EQ(task_ns_id(0, ACTIVE), ns_parent_id(fd));
	EXPECT_EQ(joined, task_ns_id(0, DEFAULT));
	child_kill(_metadata, pid);

	pid = child_run(_metadata, clone_in_joined, &joined);
	assert_exited_ok(_metadata, pid);
}

/*
 * Each clone(CLONE_NEWPID) makes a namespace of its own, all of them siblings
 * of the default one, and the end of one is not the end of another.
 *
 * 1. The caller unshares, and its first child is pid 1.
 * 2. It makes three more pid 1 with CLONE_NEWPID.
 * 3. It kills the second: the others go on.
 */
TEST(each_clone_newpid_makes_a_sibling_of_the_default_namespace)
{
	pid_t pid[4];
	__u64 id[4];
	int idle[2], fd, i, j;

	require_privilege(_metadata);
	sync_open(_metadata, idle);
	unshare_pidns(_metadata);

	for (i = 0; i < 4; i++) {
		pid[i] = child_run_flags(_metadata, i ? CLONE_NEWPID : 0, child_idle, idle);
		ASSERT_LT(0, pid[i]) {
			TH_LOG("clone %d: %s", i, strerror(errno));
		}
		fd = child_active_open(pid[i]);
		id[i] = ns_id(fd);
		EXPECT_EQ(task_ns_id(0, ACTIVE), ns_parent_id(fd));
		EXPECT_EQ(1, ioctl(fd, NS_GET_PID_IN_PIDNS, pid[i]));
		close(fd);
		for (j = 0; j < i; j++)
			EXPECT_NE(id[j], id[i]);
	}
	EXPECT_EQ(id[0], task_ns_id(0, DEFAULT));

	child_kill(_metadata, pid[1]);
	for (i = 0; i < 4; i++)
		if (i != 1)
			sync_post(_metadata, idle);
	for (i = 0; i < 4; i++)
		if (i != 1)
			assert_exited_ok(_metadata, pid[i]);
}

TEST_HARNESS_MAIN
