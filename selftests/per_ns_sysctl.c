// SPDX-License-Identifier: GPL-2.0
/*
 * kernel.pid_max, kernel.ns_last_pid and vm.memfd_noexec belong to a pid
 * namespace each. Which one a task sees goes by its active namespace: a creator
 * goes on seeing its own after an unshare.
 */
#define _GNU_SOURCE
#include "pidns.h"

#define PID_MAX		"/proc/sys/kernel/pid_max"
#define NS_LAST_PID	"/proc/sys/kernel/ns_last_pid"
#define MEMFD_NOEXEC	"/proc/sys/vm/memfd_noexec"

static long read_number(struct __test_metadata *const _metadata,
			const char *path)
{
	FILE *file = fopen(path, "re");
	long val = -1;

	ASSERT_NE(NULL, file) {
		TH_LOG("%s: %s", path, strerror(errno));
	}
	ASSERT_EQ(1, fscanf(file, "%ld", &val));
	fclose(file);
	return val;
}

static void write_number(struct __test_metadata *const _metadata,
			 const char *path, long val)
{
	char text[16];

	snprintf(text, sizeof(text), "%ld", val);
	ASSERT_EQ(0, proc_write(path, text)) {
		TH_LOG("%s: %s", path, strerror(errno));
	}
}

/* Runs @fn in a namespace of its own, where it can do no harm. */
static void run_apart(struct __test_metadata *const _metadata, child_fn fn)
{
	if (access(NS_LAST_PID, F_OK))
		SKIP(return, "needs CONFIG_CHECKPOINT_RESTORE for ns_last_pid");
	run_as_pid_1(_metadata, fn, NULL);
}

static void expect_start(struct __test_metadata *const _metadata,
			 void *arg __maybe_unused)
{
	EXPECT_EQ(PID_MAX_START, read_number(_metadata, PID_MAX));
}

/* In the default namespace and in a new one, while the caller has 5000. */
static void expect_start_in_children(struct __test_metadata *const _metadata)
{
	pid_t pid = child_run(_metadata, expect_start, NULL);

	assert_exited_ok(_metadata, pid);
	pid = child_run_flags(_metadata, CLONE_NEWPID, expect_start, NULL);
	ASSERT_LT(0, pid);
	assert_exited_ok(_metadata, pid);
	EXPECT_EQ(5000, read_number(_metadata, PID_MAX));
}

static void expect_and_lower(struct __test_metadata *const _metadata,
			     void *arg __maybe_unused)
{
	expect_start(_metadata, NULL);
	write_number(_metadata, PID_MAX, 6000);
	EXPECT_EQ(6000, read_number(_metadata, PID_MAX));
}

static void lower_pid_max(struct __test_metadata *const _metadata,
			  void *arg __maybe_unused)
{
	pid_t pid;

	expect_start(_metadata, NULL);
	write_number(_metadata, PID_MAX, 5000);

	unshare_pidns(_metadata);
	EXPECT_EQ(5000, read_number(_metadata, PID_MAX));
	pid = child_run(_metadata, expect_and_lower, NULL);
	assert_exited_ok(_metadata, pid);
	EXPECT_EQ(5000, read_number(_metadata, PID_MAX));

	unshare_pidns(_metadata);
	expect_start_in_children(_metadata);
}

/*
 * A new namespace starts with the highest pid_max, whatever its parent or its
 * sibling has, and each sees its own only.
 *
 * 1. The caller, a pid 1, finds 4194304, and lowers it to 5000.
 * 2. It unshares: it still sees 5000. Its first child finds 4194304, and lowers
 *    it to 6000, which the caller does not see.
 * 3. It unshares again: the child finds 4194304, and so does one of
 *    CLONE_NEWPID.
 */
TEST(pid_max_starts_at_the_highest_and_is_of_the_active_namespace)
{
	run_as_pid_1(_metadata, lower_pid_max, NULL);
}

static void set_creators_pid_max(struct __test_metadata *const _metadata,
				 void *arg __maybe_unused)
{
	unshare_pidns(_metadata);
	write_number(_metadata, PID_MAX, 5000);
	expect_start_in_children(_metadata);
}

/*
 * After an unshare the creator sets the pid_max of its active namespace, not
 * that of the default one.
 *
 * 1. The caller unshares, and writes 5000.
 * 2. Its child, in the default one, finds 4194304.
 */
TEST(pid_max_written_by_a_creator_is_that_of_its_active_namespace)
{
	run_as_pid_1(_metadata, set_creators_pid_max, NULL);
}

static void run_out_of_pids(struct __test_metadata *const _metadata,
			    void *arg __maybe_unused)
{
	pid_t init, last;
	int fd;

	write_number(_metadata, PID_MAX, 5000);
	unshare_pidns(_metadata);
	fd = ns_open(0, DEFAULT);
	ASSERT_LE(0, fd);
	init = child_hold(_metadata, 0);
	ASSERT_LT(0, init);

	/* The cursor of the active namespace is at its limit... */
	write_number(_metadata, NS_LAST_PID, 4998);
	last = child_hold(_metadata, 0);
	EXPECT_EQ(4999, last);
	/* ...and the one of the default namespace goes on from 1. */
	EXPECT_EQ(2, ioctl(fd, NS_GET_PID_IN_PIDNS, last));
	child_kill(_metadata, last);

	last = child_hold(_metadata, 0);
	EXPECT_LT(last, 4999);
	EXPECT_EQ(3, ioctl(fd, NS_GET_PID_IN_PIDNS, last));
	child_kill(_metadata, last);
	child_kill(_metadata, init);
}

/*
 * A child has a pid in each level, below the pid_max of each.
 *
 * 1. The caller lowers its pid_max to 5000, unshares, and forks pid 1.
 * 2. It sets its last pid to 4998: the next child is 4999 for the caller, and 2
 *    in the default namespace.
 * 3. The one after that starts over for the caller, and is 3 there.
 */
TEST(child_has_a_pid_below_the_pid_max_of_each_level)
{
	run_apart(_metadata, run_out_of_pids);
}

static void set_last_pid(struct __test_metadata *const _metadata,
			 void *arg __maybe_unused)
{
	EXPECT_EQ(1, read_number(_metadata, NS_LAST_PID));
	write_number(_metadata, NS_LAST_PID, 3000);
	EXPECT_EQ(3000, read_number(_metadata, NS_LAST_PID));
	child_kill(_metadata, child_hold(_metadata, 0));
	EXPECT_EQ(3001, read_number(_metadata, NS_LAST_PID));
}

static void compare_last_pids(struct __test_metadata *const _metadata,
			      void *arg __maybe_unused)
{
	pid_t init, child;
	int fd;

	unshare_pidns(_metadata);
	fd = ns_open(0, DEFAULT);
	write_number(_metadata, NS_LAST_PID, 2000);
	EXPECT_EQ(2000, read_number(_metadata, NS_LAST_PID));

	init = child_run(_metadata, set_last_pid, NULL);
	EXPECT_EQ(2001, init);
	EXPECT_EQ(1, ioctl(fd, NS_GET_PID_IN_PIDNS, init));
	assert_exited_ok(_metadata, init);
	/* Itself, and the child that it had. */
	EXPECT_EQ(2002, read_number(_metadata, NS_LAST_PID));

	child = child_run_flags(_metadata, CLONE_NEWPID, set_last_pid, NULL);
	EXPECT_EQ(2003, child);
	assert_exited_ok(_metadata, child);
	EXPECT_EQ(2004, read_number(_metadata, NS_LAST_PID));
}

/*
 * So it is with ns_last_pid: the creator reads and writes that of its active
 * namespace, its child in the default one, or in a new one, its own.
 *
 * 1. The caller unshares, and writes 2000.
 * 2. Its first child is 2001 for the caller and 1 for itself; it reads 1 and
 *    writes 3000, from where its own child goes on.
 * 3. The caller reads 2002: it saw two processes being born, as its own pids.
 * 4. A child of CLONE_NEWPID does the same.
 */
TEST(ns_last_pid_is_of_the_active_namespace)
{
	run_apart(_metadata, compare_last_pids);
}

static void write_as_stranger(struct __test_metadata *const _metadata,
			      void *arg __maybe_unused)
{
	ASSERT_EQ(0, enter_userns(_metadata));
	EXPECT_EQ(-1, proc_write(NS_LAST_PID, "4000"));
	EXPECT_EQ(EPERM, errno);
	unshare_pidns(_metadata);
	EXPECT_EQ(-1, proc_write(NS_LAST_PID, "4000"));
	EXPECT_EQ(EPERM, errno);
}

/*
 * To own the default namespace is no privilege over the active one.
 *
 * 1. The caller, a pid 1, enters a user namespace: its write fails with EPERM.
 * 2. It unshares, which makes it the owner of the default one: it still fails.
 */
TEST(ns_last_pid_takes_privilege_over_the_owner_of_the_active_namespace)
{
	require_userns(_metadata);
	run_apart(_metadata, write_as_stranger);
}

static void expect_noexec_after_all(struct __test_metadata *const _metadata,
				    void *arg)
{
	sync_wait(_metadata, arg);
	EXPECT_EQ(1, read_number(_metadata, MEMFD_NOEXEC));
}

static void lower_memfd_noexec(struct __test_metadata *const _metadata,
			       void *arg __maybe_unused)
{
	int lowered[2];
	pid_t pid;

	ASSERT_EQ(0, read_number(_metadata, MEMFD_NOEXEC));
	sync_open(_metadata, lowered);
	write_number(_metadata, MEMFD_NOEXEC, 1);
	pid = child_run_flags(_metadata, CLONE_NEWPID, expect_noexec_after_all,
			      lowered);
	ASSERT_LT(0, pid);
	write_number(_metadata, MEMFD_NOEXEC, 0);
	EXPECT_EQ(0, read_number(_metadata, MEMFD_NOEXEC));
	sync_post(_metadata, lowered);
	assert_exited_ok(_metadata, pid);
}

/*
 * A new namespace starts with the vm.memfd_noexec of its parent, and keeps it
 * when the parent goes back.
 *
 * 1. The caller, a pid 1, sets it to 1, and makes a namespace.
 * 2. It sets its own to 0 again.
 * 3. In the new namespace it is 1.
 */
TEST(memfd_noexec_starts_as_that_of_the_parent)
{
	if (access(MEMFD_NOEXEC, F_OK))
		SKIP(return, "needs CONFIG_MEMFD_CREATE");
	if (read_number(_metadata, MEMFD_NOEXEC))
		SKIP(return, "needs a namespace without vm.memfd_noexec");
	run_as_pid_1(_metadata, lower_memfd_noexec, NULL);
}

TEST_HARNESS_MAIN
