// SPDX-License-Identifier: GPL-2.0
/*
 * unshare(CLONE_NEWPID) again: the new namespace is a sibling of the one that
 * it replaces as the default. The old one is freed if nobody holds it, and
 * stays if anybody does.
 *
 *      active
 *      /    \
 *   first   second
 *   (freed, (default)
 *    or held)
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/mount.h>

#include "pidns.h"

#ifndef FD_NSFS_ROOT
#define FD_NSFS_ROOT	(-10003)
#endif

/*
 * The two namespaces are siblings, at the same level, and different ones; the
 * caller stays where it is.
 *
 * 1. The caller unshares, and opens its default namespace.
 * 2. It unshares again, and opens that one.
 * 3. Both have its active namespace as their parent.
 */
TEST(second_unshare_makes_a_sibling_of_the_first)
{
	struct snapshot old;
	int first, second;

	require_privilege(_metadata);
	old = snapshot_take(_metadata);
	unshare_pidns(_metadata);
	first = ns_open(0, DEFAULT);
	ASSERT_LE(0, first);
	unshare_pidns(_metadata);
	second = ns_open(0, DEFAULT);
	ASSERT_LE(0, second);

	EXPECT_NE(ns_id(first), ns_id(second));
	EXPECT_EQ(old.active, ns_parent_id(first));
	EXPECT_EQ(old.active, ns_parent_id(second));
	EXPECT_EQ(1, ns_depth(first));
	EXPECT_EQ(1, ns_depth(second));

	old.dflt = ns_id(second);
	expect_unchanged(_metadata, &old);
}

/*
 * Each unshare starts over with pid 1, and what was born before lives on where
 * it was born.
 *
 * 1. The caller unshares and forks: pid 1 of the first namespace.
 * 2. It unshares and forks again: pid 1 of the second.
 * 3. It kills one: the other lives.
 */
TEST(second_unshare_leaves_the_children_of_the_first_alone)
{
	int idle[2], fd[2], i;
	pid_t pid[2];

	require_privilege(_metadata);
	sync_open(_metadata, idle);
	for (i = 0; i < 2; i++) {
		unshare_pidns(_metadata);
		pid[i] = child_run(_metadata, child_idle, idle);
		fd[i] = child_active_open(pid[i]);
		ASSERT_LE(0, fd[i]);
		EXPECT_EQ(task_ns_id(0, DEFAULT), ns_id(fd[i]));
		EXPECT_EQ(1, ioctl(fd[i], NS_GET_PID_IN_PIDNS, pid[i]));
	}
	EXPECT_NE(ns_id(fd[0]), ns_id(fd[1]));
	EXPECT_EQ(-1, ioctl(fd[1], NS_GET_PID_IN_PIDNS, pid[0]));
	EXPECT_EQ(ESRCH, errno);

	child_kill(_metadata, pid[1]);
	sync_post(_metadata, idle);
	assert_exited_ok(_metadata, pid[0]);
}

/*
 * listns(2) shows the first namespace until the second unshare, and then no
 * more.
 *
 * 1. The caller unshares: the id of its default namespace is listed.
 * 2. It unshares again: the new id is, the old one is not.
 */
TEST(first_namespace_leaves_listns_when_nobody_holds_it)
{
	__u64 first, second;
	int i;

	require_root(_metadata, "listns(2) shows others a part only");
	if (task_ns_id(0, ACTIVE) != PID_NS_INIT_ID)
		SKIP(return, "needs the initial pid namespace for listns(2)");
	unshare_pidns(_metadata);
	first = task_ns_id(0, DEFAULT);
	ASSERT_NE(0ULL, first);
	if (ns_listed(first) < 0)
		SKIP(return, "no listns(2): %s", strerror(errno));
	EXPECT_EQ(1, ns_listed(first));

	unshare_pidns(_metadata);
	second = task_ns_id(0, DEFAULT);
	EXPECT_EQ(1, ns_listed(second));
	/* Somebody else may have it open, as lsns(8) does for a moment. */
	for (i = 0; i < 1000 && ns_listed(first) == 1; i++)
		poll(NULL, 0, 1);
	EXPECT_EQ(0, ns_listed(first));
}

/* How many namespaces there are at a time; the trees of all namespaces are deep then. */
#define GENERATION 16

/* Two generations of pid namespaces, the second after the first is freed. */
struct generations {
	/* The pid 1 of each that lives. */
	pid_t pids[GENERATION];
	int born[2];
	int seen[2];
};

/* A pid 1, once there is room for its namespace. */
static pid_t hold_when_freed(struct __test_metadata *const _metadata)
{
	pid_t pid;
	int i;

	for (i = 0; i < 10000; i++) {
		pid = child_hold(_metadata, CLONE_NEWPID);
		if (pid >= 0 || errno != ENOSPC)
			break;
		poll(NULL, 0, 1);
	}
	return pid;
}

static void make_generations(struct __test_metadata *const _metadata, void *arg)
{
	struct generations *made = arg;
	char max[16];
	int i, nr;

	die_with_parent(_metadata);
	close(made->seen[1]);
	ASSERT_EQ(0, limit_pidns(_metadata, 1));
	snprintf(max, sizeof(max), "%d", GENERATION);
	for (nr = 0; nr < 2; nr++) {
		/* There is room for the first one when all others are freed. */
		ASSERT_EQ(0, proc_write("/proc/sys/user/max_pid_namespaces", "1"));
		made->pids[0] = hold_when_freed(_metadata);
		ASSERT_EQ(0, proc_write("/proc/sys/user/max_pid_namespaces", max));
		for (i = 1; i < GENERATION; i++)
			made->pids[i] = child_hold(_metadata, CLONE_NEWPID);
		for (i = 0; i < GENERATION; i++)
			ASSERT_LT(0, made->pids[i]);
		sync_post(_metadata, made->born);
		sync_wait(_metadata, made->seen);
		for (i = 0; i < GENERATION; i++)
			child_kill(_metadata, made->pids[i]);
	}
}

/* What open_by_handle_at(2) finds a namespace by, when nobody has it open. */
struct ns_handle {
	struct file_handle head;
	char room[MAX_HANDLE_SZ];
	__u64 id;
};

static struct ns_handle handle_of(struct __test_metadata *const _metadata, pid_t pid)
{
	struct ns_handle handle = { .head.handle_bytes = MAX_HANDLE_SZ };
	int fd, mount_id;

	fd = child_active_open(pid);
	ASSERT_LE(0, fd);
	if (name_to_handle_at(fd, "", &handle.head, &mount_id, AT_EMPTY_PATH))
		SKIP(_exit(KSFT_SKIP), "no handles of namespaces: %s", strerror(errno));
	handle.id = ns_id_close(fd);
	return handle;
}

static int open_handle(struct ns_handle *handle)
{
	return open_by_handle_at(FD_NSFS_ROOT, &handle->head, O_RDONLY | O_CLOEXEC);
}

/*
 * What is freed cannot be found any more, and does not hide the others.
 *
 * 1. A child enters a user namespace that may hold 16 pid namespaces, and makes
 *    them. The caller notes a file handle of each, by which it can be opened.
 * 2. The child has all of them end, and makes 16 others as soon as those are
 *    freed.
 * 3. The first handles are stale, and listns(2) does not show what they named. The
 *    second generation can be opened, and is listed.
 */
TEST(handle_of_a_freed_namespace_is_stale)
{
	struct ns_handle first[GENERATION], second[GENERATION];
	struct generations *made;
	pid_t pid;
	int i;

	if (!may_list_all())
		SKIP(return, "needs root, in the initial pid namespace");
	made = mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)made);
	sync_open(_metadata, made->born);
	sync_open(_metadata, made->seen);
	require_userns(_metadata);
	pid = child_run(_metadata, make_generations, made);
	close(made->born[1]);
	sync_wait(_metadata, made->born);
	for (i = 0; i < GENERATION; i++) {
		first[i] = handle_of(_metadata, made->pids[i]);
		EXPECT_EQ(first[i].id, ns_id_close(open_handle(&first[i])));
	}
	sync_post(_metadata, made->seen);

	sync_wait(_metadata, made->born);
	for (i = 0; i < GENERATION; i++) {
		EXPECT_EQ(-1, open_handle(&first[i]));
		EXPECT_EQ(ESTALE, errno);
		EXPECT_NE(1, ns_listed(first[i].id));
		second[i] = handle_of(_metadata, made->pids[i]);
		EXPECT_EQ(second[i].id, ns_id_close(open_handle(&second[i])));
		EXPECT_NE(0, ns_listed(second[i].id));
	}
	sync_post(_metadata, made->seen);
	assert_exited_ok(_metadata, pid);
}

/*
 * The first namespace counts against the limit until it is freed, and is freed
 * without anybody's help: unshare works again and again where the limit has
 * room for two.
 *
 * 1. The caller enters a user namespace that may hold two pid namespaces.
 * 2. It unshares 50 times; where the limit refuses, it tries again for a while.
 */
TEST(first_namespace_leaves_the_limit_when_nobody_holds_it)
{
	int i;

	if (limit_pidns(_metadata, 2))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, unshare_when_freed()) {
			TH_LOG("unshare %d: %s", i, strerror(errno));
		}
	}
}

static void leave_by_setns(struct __test_metadata *const _metadata,
			   void *arg __maybe_unused)
{
	int own = ns_open(0, ACTIVE);
	int i;

	ASSERT_LE(0, own);
	unshare_pidns(_metadata);
	EXPECT_EQ(-1, unshare(CLONE_NEWPID));
	EXPECT_EQ(ENOSPC, errno);

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, setns(own, CLONE_NEWPID)) {
			TH_LOG("setns: %s", strerror(errno));
		}
		EXPECT_EQ(ns_id(own), task_ns_id(0, DEFAULT));
		ASSERT_EQ(0, unshare_when_freed()) {
			TH_LOG("unshare %d: %s", i, strerror(errno));
		}
	}
}

/*
 * Going back to one's own namespace gives the other one up, too.
 *
 * 1. The test enters a user namespace that may hold two pid namespaces. The
 *    first of them is for a child, which so has privilege over its own.
 * 2. The child unshares: while it holds that one, it may have no other.
 * 3. It goes back to its active namespace by setns(2), and may unshare again.
 */
TEST(namespace_left_by_setns_leaves_the_limit)
{
	pid_t pid;

	if (limit_pidns(_metadata, 2))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	pid = child_run_flags(_metadata, CLONE_NEWPID, leave_by_setns, NULL);
	ASSERT_LT(0, pid);
	assert_exited_ok(_metadata, pid);
}

FIXTURE(again_and_again)
{
};

FIXTURE_SETUP(again_and_again)
{
}

FIXTURE_TEARDOWN(again_and_again)
{
}

/*
 * 10,000 unshares in a row leave one namespace behind, not 10,000.
 *
 * 1. The caller enters a user namespace that may hold 256 pid namespaces.
 * 2. It unshares 10,000 times; where the limit refuses, it tries again for a
 *    while.
 * 3. It lowers the limit to two: as soon as all but the last one are freed, a
 *    further unshare is allowed.
 * 4. The last one is as good as any: its first child is pid 1.
 */
TEST_F(again_and_again, ten_thousand_unshares_leave_one_namespace)
{
	pid_t pid;
	int i, fd;

	if (limit_pidns(_metadata, 256))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	for (i = 0; i < 10000; i++) {
		ASSERT_EQ(0, unshare_when_freed()) {
			TH_LOG("unshare %d: %s", i, strerror(errno));
		}
	}
	ASSERT_EQ(0, proc_write("/proc/sys/user/max_pid_namespaces", "2"));
	ASSERT_EQ(0, unshare_when_freed()) {
		TH_LOG("last unshare: %s", strerror(errno));
	}

	pid = child_hold(_metadata, 0);
	ASSERT_LT(0, pid);
	fd = child_active_open(pid);
	EXPECT_EQ(task_ns_id(0, DEFAULT), ns_id(fd));
	EXPECT_EQ(1, ioctl(fd, NS_GET_PID_IN_PIDNS, pid));
	child_kill(_metadata, pid);
}

/* Makes @fd the default again, and its first child pid 1. */
static void expect_usable(struct __test_metadata *const _metadata, int fd,
			  __u64 id)
{
	pid_t pid;
	int born;

	EXPECT_EQ(id, ns_id(fd));
	ASSERT_EQ(0, setns(fd, CLONE_NEWPID)) {
		TH_LOG("setns: %s", strerror(errno));
	}
	EXPECT_EQ(id, task_ns_id(0, DEFAULT));
	pid = child_hold(_metadata, 0);
	ASSERT_LT(0, pid);
	born = child_active_open(pid);
	EXPECT_EQ(id, ns_id(born));
	EXPECT_EQ(1, ioctl(born, NS_GET_PID_IN_PIDNS, pid));
	close(born);
	child_kill(_metadata, pid);
}

/*
 * An open file keeps the first namespace: it stays listed and counts against
 * the limit, setns(2) goes back to it, and its first child is pid 1.
 *
 * 1. The caller enters a user namespace that may hold two pid namespaces.
 * 2. It unshares, opens its default namespace, and unshares again.
 * 3. A third one is refused: both are there.
 * 4. It goes back to the first one, and forks.
 * 5. It closes the file and leaves: there is room again.
 */
TEST(open_file_keeps_the_first_namespace)
{
	__u64 first, second;
	int fd;

	if (limit_pidns(_metadata, 2))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	unshare_pidns(_metadata);
	fd = ns_open(0, DEFAULT);
	ASSERT_LE(0, fd);
	first = ns_id(fd);
	unshare_pidns(_metadata);
	second = task_ns_id(0, DEFAULT);
	EXPECT_NE(first, second);
	EXPECT_EQ(task_ns_id(0, ACTIVE), ns_parent_id(fd));

	EXPECT_EQ(-1, unshare(CLONE_NEWPID));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(second, task_ns_id(0, DEFAULT));

	expect_usable(_metadata, fd, first);
	close(fd);
	/* The second one is free now, and this gives up the first. */
	EXPECT_EQ(0, unshare_when_freed());
	EXPECT_EQ(0, unshare_when_freed());
}

/* A tmpfs on /mnt that nobody else sees, or a skip. */
static void private_tmpfs(struct __test_metadata *const _metadata)
{
	if (unshare(CLONE_NEWNS))
		SKIP(_exit(KSFT_SKIP), "no mount namespace: %s",
		     strerror(errno));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	if (mount("pidns", "/mnt", "tmpfs", 0, NULL))
		SKIP(_exit(KSFT_SKIP), "no tmpfs on /mnt: %s", strerror(errno));
}

/*
 * A bind mount keeps the first namespace just so.
 *
 * 1. The caller enters a user namespace that may hold two pid namespaces.
 * 2. It unshares, binds its default namespace to a file, and unshares again.
 * 3. A third one is refused: both are there.
 * 4. It goes back to the first one through the bind mount, and forks.
 * 5. It unmounts and leaves: there is room again.
 */
TEST(bind_mount_keeps_the_first_namespace)
{
	__u64 first;
	int fd;

	if (limit_pidns(_metadata, 2))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	private_tmpfs(_metadata);
	fd = open("/mnt/first", O_RDONLY | O_CREAT | O_CLOEXEC, 0400);
	ASSERT_LE(0, fd);
	close(fd);

	unshare_pidns(_metadata);
	first = task_ns_id(0, DEFAULT);
	ASSERT_EQ(0, mount("/proc/thread-self/ns/pid_for_children",
			   "/mnt/first", NULL, MS_BIND, NULL)) {
		TH_LOG("bind mount: %s", strerror(errno));
	}
	unshare_pidns(_metadata);
	EXPECT_NE(first, task_ns_id(0, DEFAULT));
	EXPECT_EQ(-1, unshare(CLONE_NEWPID));
	EXPECT_EQ(ENOSPC, errno);

	fd = open("/mnt/first", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	expect_usable(_metadata, fd, first);
	close(fd);
	ASSERT_EQ(0, umount("/mnt/first"));
	EXPECT_EQ(0, unshare_when_freed());
	EXPECT_EQ(0, unshare_when_freed());
}

/*
 * A child keeps the first namespace, as the place where it lives.
 *
 * 1. The caller enters a user namespace that may hold two pid namespaces.
 * 2. It unshares, forks pid 1 of the first one, and unshares again.
 * 3. A third one is refused, until pid 1 of the first is gone.
 */
TEST(child_keeps_the_first_namespace)
{
	pid_t pid;

	if (limit_pidns(_metadata, 2))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	unshare_pidns(_metadata);
	pid = child_hold(_metadata, 0);
	ASSERT_LT(0, pid);
	unshare_pidns(_metadata);
	EXPECT_EQ(-1, unshare(CLONE_NEWPID));
	EXPECT_EQ(ENOSPC, errno);

	child_kill(_metadata, pid);
	EXPECT_EQ(0, unshare_when_freed());
}

/* The inode number of a new namespace that ends when the caller does. */
static void report_inode(struct __test_metadata *const _metadata, void *arg)
{
	unsigned long *inode = arg;
	struct stat stat;
	int fd;

	ASSERT_EQ(0, unshare_when_freed());
	fd = ns_open(0, DEFAULT);
	/* It has no pid_for_children before the first child on some kernels. */
	if (fd < 0) {
		child_kill(_metadata, child_hold(_metadata, 0));
		fd = ns_open(0, DEFAULT);
	}
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &stat));
	*inode = stat.st_ino;
}

/*
 * The inode number of a namespace that is freed is used again: numbers are
 * handed out lowest first.
 *
 * 1. The caller enters a user namespace that may hold 16 pid namespaces.
 * 2. 300 children unshare, one after the other, and end.
 * 3. The number of the last one is not 200 above that of the first.
 */
TEST(inode_number_of_a_freed_namespace_is_used_again)
{
	unsigned long *inode, first = 0;
	int i;

	inode = mmap(NULL, sizeof(*inode), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, inode);
	if (limit_pidns(_metadata, 16))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	for (i = 0; i < 300; i++) {
		pid_t pid = child_run(_metadata, report_inode, inode);

		assert_exited_ok(_metadata, pid);
		if (!i)
			first = *inode;
	}
	EXPECT_GT(first + 200, *inode);
	munmap(inode, sizeof(*inode));
}

TEST_HARNESS_MAIN
