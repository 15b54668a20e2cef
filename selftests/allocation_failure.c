// SPDX-License-Identifier: GPL-2.0
/*
 * One allocation after another of a call fails. The call gives ENOMEM, leaves
 * the caller as it was, counts against no limit, and works when it is repeated.
 *
 * What fails is whatever this task allocates from a slab in the meantime, of
 * which the kernel can do without some, its own debugging included. That
 * nothing is leaked is seen by kmemleak, where the kernel has it.
 */
#define _GNU_SOURCE
#include "pidns.h"

#define FAILSLAB	"/sys/kernel/debug/failslab"

/* More allocations than any of the calls makes. */
#define MANY	2000

FIXTURE(allocation_failure)
{
	/* The settings as they were, to be put back. */
	char wait[4];
	char verbose[4];
	struct attempt *attempt;
};

static int read_setting(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -1;
	len = read_nointr(fd, text, size - 1);
	close(fd);
	if (len <= 0)
		return -1;
	text[len] = '\0';
	return 0;
}

/* What a call is like, and how it went without one of its allocations. */
struct attempt {
	/* Returns 0, or -1 and errno. */
	int (*call)(void *arg);
	void *arg;
	/* The allocation that fails. */
	int nth;
	/* It was made, and so failed. */
	bool failed;
	/* The call failed with it. */
	bool refused;
	/* How many listings were incomplete, and said nothing. */
	int incomplete;
};

FIXTURE_SETUP(allocation_failure)
{
	if (read_setting(FAILSLAB "/ignore-gfp-wait", self->wait, sizeof(self->wait)) ||
	    read_setting(FAILSLAB "/verbose", self->verbose, sizeof(self->verbose)))
		SKIP(return, "needs root, debugfs and CONFIG_FAILSLAB");
	if (!access("/sys/kernel/debug/fail_usercopy", F_OK))
		SKIP(return, "copies from user space would fail as well");
	/* Those fail that may sleep, too; and no stack trace for each. */
	ASSERT_EQ(0, proc_write(FAILSLAB "/ignore-gfp-wait", "N"));
	ASSERT_EQ(0, proc_write(FAILSLAB "/verbose", "0"));
	/* A child writes to it. */
	self->attempt = mmap(NULL, sizeof(*self->attempt), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->attempt);
}

FIXTURE_TEARDOWN_PARENT(allocation_failure)
{
	proc_write(FAILSLAB "/ignore-gfp-wait", self->wait);
	proc_write(FAILSLAB "/verbose", self->verbose);
}

/* Lets the @nth allocation of the calling task from now on fail; 0 for none. */
static void let_fail(struct __test_metadata *const _metadata, int fd, int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", nth);

	ASSERT_EQ(len, pwrite(fd, text, len, 0));
}

/* Says whether that one has failed, and lets no other fail. */
static bool has_failed(struct __test_metadata *const _metadata, int fd)
{
	char text[16] = "";

	ASSERT_LT(0, pread(fd, text, sizeof(text) - 1, 0));
	let_fail(_metadata, fd, 0);
	return atoi(text) == 0;
}

/* Calls without the one allocation, and if that is refused, again with all. */
static void try_without(struct __test_metadata *const _metadata, void *arg)
{
	struct snapshot old = snapshot_take(_metadata);
	struct attempt *attempt = arg;
	int fd, ret, err;

	fd = proc_open(0, "fail-nth", O_RDWR);
	ASSERT_LE(0, fd);
	let_fail(_metadata, fd, attempt->nth);
	ret = attempt->call(attempt->arg);
	err = errno;
	attempt->failed = has_failed(_metadata, fd);
	close(fd);
	attempt->refused = ret != 0;
	if (!attempt->refused)
		return;

	EXPECT_TRUE(attempt->failed);
	EXPECT_EQ(ENOMEM, err) {
		TH_LOG("without allocation %d: %s", attempt->nth, strerror(err));
	}
	expect_unchanged(_metadata, &old);
	EXPECT_EQ(-1, waitpid(-1, NULL, __WALL | WNOHANG));
	EXPECT_EQ(ECHILD, errno);
	EXPECT_EQ(0, attempt->call(attempt->arg)) {
		TH_LOG("again, after allocation %d: %s", attempt->nth, strerror(errno));
	}
}

static void here(struct __test_metadata *const _metadata, struct attempt *attempt)
{
	try_without(_metadata, attempt);
}

/* With a default namespace in which nobody has been born yet. */
static void after_unshare(struct __test_metadata *const _metadata,
			  struct attempt *attempt)
{
	unshare_pidns(_metadata);
	try_without(_metadata, attempt);
}

/* By a pid 1 that has done nothing yet. */
static void in_another(struct __test_metadata *const _metadata,
		       struct attempt *attempt)
{
	pid_t pid = child_run_flags(_metadata, CLONE_NEWPID, try_without, attempt);

	ASSERT_LT(0, pid) {
		TH_LOG("clone3: %s", strerror(errno));
	}
	assert_exited_ok(_metadata, pid);
}

/*
 * Makes @attempt @where the caller says: the first allocation of the call fails,
 * then the second, and so on, until it makes no more.
 */
static void fail_each(struct __test_metadata *const _metadata,
		      struct attempt *attempt, int (*call)(void *arg), void *arg,
		      void (*where)(struct __test_metadata *const _metadata,
				    struct attempt *attempt))
{
	int refused = 0;

	attempt->call = call;
	attempt->arg = arg;
	for (attempt->nth = 1; attempt->nth < MANY; attempt->nth++) {
		where(_metadata, attempt);
		if (!attempt->failed)
			break;
		refused += attempt->refused;
	}
	EXPECT_GT(MANY, attempt->nth);
	EXPECT_LT(0, refused);
	TH_LOG("%d of %d allocations are needed", refused, attempt->nth - 1);
}

/*
 * As fail_each(), where pid namespaces are counted: none that was refused is, so
 * that in the end there is room for one more than are @held.
 */
static void fail_each_counted(struct __test_metadata *const _metadata,
			      struct attempt *attempt, int (*call)(void *arg), int flags,
			      void (*where)(struct __test_metadata *const _metadata,
					    struct attempt *attempt), int held)
{
	char max[16];

	if (limit_pidns(_metadata, 10000))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	fail_each(_metadata, attempt, call, &flags, where);
	snprintf(max, sizeof(max), "%d", held + 1);
	ASSERT_EQ(0, proc_write("/proc/sys/user/max_pid_namespaces", max));
	EXPECT_EQ(0, unshare_when_freed()) {
		TH_LOG("more than %d count: %s", held, strerror(errno));
	}
}

static int call_unshare(void *arg)
{
	return unshare(*(int *)arg);
}

TEST_F(allocation_failure, unshare_gives_enomem_and_counts_nothing)
{
	fail_each_counted(_metadata, self->attempt, call_unshare, CLONE_NEWPID, here, 1);
}

/* The others are made after the pid namespace, which is given back where one fails. */
TEST_F(allocation_failure, unshare_of_several_gives_enomem_and_counts_nothing)
{
	int flags = CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWCGROUP | CLONE_NEWTIME;

	fail_each_counted(_metadata, self->attempt, call_unshare, flags, here, 1);
}

/* A child that ends at once, and that is the first where it is born. */
static int call_clone(void *arg)
{
	int status;
	pid_t pid;

	pid = clone_fork(*(int *)arg);
	if (!pid)
		_exit(getpid() == 1 ? KSFT_PASS : KSFT_FAIL);
	if (pid < 0)
		return -1;
	if (waitpid(pid, &status, __WALL) != pid || status) {
		errno = ECHILD;
		return -1;
	}
	return 0;
}

TEST_F(allocation_failure, clone_gives_enomem_and_counts_nothing)
{
	fail_each_counted(_metadata, self->attempt, call_clone, CLONE_NEWPID, here, 0);
}

/* The corner case. */
TEST_F(allocation_failure, clone_after_unshare_gives_enomem_and_counts_nothing)
{
	fail_each_counted(_metadata, self->attempt, call_clone, CLONE_NEWPID, after_unshare, 1);
}

TEST_F(allocation_failure, first_fork_leaves_pid_1_for_the_next)
{
	int flags = 0;

	fail_each(_metadata, self->attempt, call_clone, &flags, after_unshare);
}

static int call_setns(void *arg)
{
	return setns(*(int *)arg, CLONE_NEWPID);
}

TEST_F(allocation_failure, setns_gives_enomem_and_moves_nobody)
{
	int fd = ns_open(0, ACTIVE);

	ASSERT_LE(0, fd);
	fail_each(_metadata, self->attempt, call_setns, &fd, after_unshare);
	EXPECT_EQ(task_ns_id(0, ACTIVE), task_ns_id(0, DEFAULT));
}

static int call_open(void *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

TEST_F(allocation_failure, first_look_up_of_pid_max_gives_enomem)
{
	fail_each(_metadata, self->attempt, call_open, "/proc/sys/kernel/pid_max", in_another);
}

/* A listing leaves out what it has no memory for, and does not say so. */
static int call_list(void *arg)
{
	struct attempt *attempt = arg;
	int listed = dir_lists("/proc/sys/kernel", "pid_max");

	if (listed > 0)
		return 0;
	if (!listed) {
		attempt->incomplete++;
		errno = ENOMEM;
	}
	return -1;
}

TEST_F(allocation_failure, listing_is_complete_when_there_is_memory_again)
{
	fail_each(_metadata, self->attempt, call_list, self->attempt, in_another);
	EXPECT_LT(0, self->attempt->incomplete);
}

TEST_HARNESS_MAIN
