// SPDX-License-Identifier: GPL-2.0
/*
 * A pid namespace that nobody uses any more is destroyed some time later. Until
 * then it counts against the limit of its user, so that the limit bounds memory;
 * but it is in nobody's way: a process that comes to the limit waits for it.
 * Nobody can keep it from being destroyed.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "pidns.h"
#include "slow_page.h"

#define TASKS 16
#define WRITERS 40

FIXTURE(ended)
{
};

FIXTURE_SETUP(ended)
{
}

FIXTURE_TEARDOWN(ended)
{
}

static void live_and_die(struct __test_metadata *const _metadata, int times)
{
	pid_t pid;
	int i;

	for (i = 0; i < times; i++) {
		pid = clone_fork(CLONE_NEWPID);
		ASSERT_LE(0, pid) {
			TH_LOG("clone %d: %s", i, strerror(errno));
		}
		if (!pid)
			_exit(0);
		assert_exited_ok(_metadata, pid);
	}
}

/*
 * 1. The caller enters a user namespace that may hold one pid namespace.
 * 2. It has a process live and die in one, a thousand times: the one before has
 *    ended each time.
 */
TEST_F(ended, is_not_in_the_way_of_the_next_one)
{
	if (limit_pidns(_metadata, 1))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	live_and_die(_metadata, 1000);
}

/*
 * 1. The caller enters a user namespace that may hold one pid namespace, and in it
 *    another user namespace, which may hold any number.
 * 2. It has a process live and die in one, 30 times.
 */
TEST_F(ended, is_not_in_the_way_at_the_limit_of_an_outer_user_namespace)
{
	if (limit_pidns(_metadata, 1) || enter_userns(_metadata))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	live_and_die(_metadata, 30);
}

/*
 * 1. The caller enters a user namespace that may hold two pid namespaces.
 * 2. It unshares a thousand times in a row: each takes the place of the last.
 */
TEST_F(ended, makes_room_when_it_is_dropped)
{
	int i;

	if (limit_pidns(_metadata, 2))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(0, unshare(CLONE_NEWPID)) {
			TH_LOG("unshare %d: %s", i, strerror(errno));
		}
	}
}

/*
 * 1. The caller ignores SIGCHLD, so that nobody has to wait for its children.
 * 2. It runs before others on its CPU, and so learns that a child has ended before
 *    the child has gone any further.
 * 3. It enters a user namespace that may hold one pid namespace, and has a process
 *    live and die in one, 100 times.
 */
TEST_F(ended, is_waited_for_by_a_parent_that_ignores_sigchld)
{
	const struct sched_param first = { .sched_priority = 1 };
	cpu_set_t cpu;
	int i;

	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpu), &cpu));
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first))
		SKIP(return, "no real-time scheduling: %s", strerror(errno));
	if (limit_pidns(_metadata, 1))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	ASSERT_NE(SIG_ERR, signal(SIGCHLD, SIG_IGN));
	for (i = 0; i < 100; i++) {
		pid_t pid = clone_fork(CLONE_NEWPID);

		ASSERT_LE(0, pid) {
			TH_LOG("clone %d: %s", i, strerror(errno));
		}
		if (!pid)
			_exit(0);
		ASSERT_EQ(-1, waitpid(pid, NULL, 0));
		ASSERT_EQ(ECHILD, errno);
	}
}

static void make_and_drop(struct __test_metadata *const _metadata, void *arg)
{
	int *begin = arg;
	int i;

	sync_wait(_metadata, begin);
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(0, unshare(CLONE_NEWPID)) {
			TH_LOG("unshare %d: %s", i, strerror(errno));
		}
	}
	live_and_die(_metadata, 20);
}

/*
 * 1. The caller enters a user namespace that may hold 32 pid namespaces.
 * 2. 16 tasks make and drop them at the same time; each holds two at the most.
 */
TEST_F(ended, is_not_in_the_way_of_16_tasks_at_once)
{
	pid_t pids[TASKS];
	int begin[2];
	int i;

	if (limit_pidns(_metadata, 2 * TASKS))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	sync_open(_metadata, begin);
	for (i = 0; i < TASKS; i++)
		pids[i] = child_run(_metadata, make_and_drop, begin);
	for (i = 0; i < TASKS; i++)
		sync_post(_metadata, begin);
	for (i = 0; i < TASKS; i++)
		assert_exited_ok(_metadata, pids[i]);
}

static void nest(struct __test_metadata *const _metadata, void *arg)
{
	int *levels = arg;

	if (!(*levels)--)
		return;
	unshare_pidns(_metadata);
	assert_exited_ok(_metadata, child_run(_metadata, nest, levels));
}

/*
 * 1. The caller enters a user namespace that may hold five pid namespaces.
 * 2. It has five of them nested, which all end, and that 30 times.
 */
TEST_F(ended, is_not_in_the_way_with_its_ancestors)
{
	int i, levels;

	if (limit_pidns(_metadata, 5))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	for (i = 0; i < 30; i++) {
		pid_t pid;

		levels = 4;
		pid = child_run_flags(_metadata, CLONE_NEWPID, nest, &levels);
		ASSERT_LT(0, pid) {
			TH_LOG("clone %d: %s", i, strerror(errno));
		}
		assert_exited_ok(_metadata, pid);
	}
}

/* The namespaces in memory, whoever made them, or -1 if the kernel does not tell. */
static long nr_objects(void)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	char line[256];
	long nr = -1;

	if (!file)
		return -1;
	while (nr < 0 && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "pid_namespace %ld", &nr) != 1)
			nr = -1;
	}
	fclose(file);
	return nr;
}

static void unshare_at_a_limit(struct __test_metadata *const _metadata,
			       void *arg)
{
	int i;

	ASSERT_EQ(0, limit_pidns(_metadata, *(int *)arg));
	for (i = 0; i < 5000; i++) {
		ASSERT_EQ(0, unshare(CLONE_NEWPID)) {
			TH_LOG("unshare %d: %s", i, strerror(errno));
		}
	}
}

/*
 * 1. A child enters a user namespace that may hold 20 pid namespaces, and
 *    unshares 5,000 times in a row.
 * 2. Meanwhile the caller looks how many there are in memory: never more than
 *    that, and what the allocator of each CPU keeps at hand.
 */
TEST_F(ended, takes_no_memory_beyond_the_limit)
{
	long before, nr, bound, most = 0;
	int status, tries, limit = 20;
	pid_t pid;

	before = nr_objects();
	if (before < 0)
		SKIP(return, "/proc/slabinfo does not tell the pid namespaces");
	pid = child_run(_metadata, unshare_at_a_limit, &limit);
	while (!waitpid(pid, &status, WNOHANG)) {
		nr = nr_objects() - before;
		if (nr > most)
			most = nr;
	}
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(KSFT_PASS, WEXITSTATUS(status));
	bound = limit + 64 * sysconf(_SC_NPROCESSORS_ONLN);
	for (tries = 0; most > bound && nr_objects() - before > bound; tries++) {
		if (tries == 100)
			SKIP(return, "what is freed stays in memory, as with KASAN");
		poll(NULL, 0, 100);
	}
	EXPECT_GE(bound, most);
}

/* Another user, who is at the limit each time, and has to wait. */
struct waiter {
	pid_t pid;
	int calls;
};

static void wait_at_the_limit(struct __test_metadata *const _metadata,
			      void *arg)
{
	struct waiter *waiter = arg;

	die_with_parent(_metadata);
	if (limit_pidns(_metadata, 1))
		return;
	for (;;) {
		live_and_die(_metadata, 1);
		__atomic_add_fetch(&waiter->calls, 1, __ATOMIC_SEQ_CST);
	}
}

static int waiter_calls(const struct waiter *waiter)
{
	return __atomic_load_n(&waiter->calls, __ATOMIC_SEQ_CST);
}

/* Returns NULL if there can be no user namespaces. */
static struct waiter *waiter_start(struct __test_metadata *const _metadata)
{
	struct waiter *waiter;

	waiter = mmap(NULL, sizeof(*waiter), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)waiter);
	waiter->pid = child_run(_metadata, wait_at_the_limit, waiter);
	while (waiter_calls(waiter) < 2) {
		int status;

		if (waitpid(waiter->pid, &status, WNOHANG)) {
			ASSERT_TRUE(WIFEXITED(status));
			return NULL;
		}
		usleep(1000);
	}
	return waiter;
}

/*
 * 1. Another user makes one namespace after the other, each at the limit.
 * 2. The caller, who is far from a limit, makes a thousand: if these waited as
 *    those do, the other one would make hundreds meanwhile.
 */
TEST_F(ended, is_waited_for_by_nobody_who_is_not_at_the_limit)
{
	struct waiter *waiter = waiter_start(_metadata);
	int i, calls;

	if (!waiter || limit_pidns(_metadata, 100000))
		SKIP(return, "no user namespaces");
	calls = waiter_calls(waiter);
	for (i = 0; i < 1000; i++)
		unshare_pidns(_metadata);
	EXPECT_GT(300, waiter_calls(waiter) - calls);
	child_kill(_metadata, waiter->pid);
}

/*
 * 1. Another user makes one namespace after the other, each at the limit.
 * 2. The caller enters a user namespace that may hold one pid namespace, and
 *    has it. One that was there before has ended.
 * 3. The caller is refused a thousand times: if it waited before, the other one
 *    would make hundreds meanwhile.
 */
TEST_F(ended, is_not_waited_for_where_all_that_count_are_in_use)
{
	struct waiter *waiter = waiter_start(_metadata);
	int i, calls;

	if (!waiter || limit_pidns(_metadata, 1))
		SKIP(return, "no user namespaces");
	live_and_die(_metadata, 1);
	unshare_pidns(_metadata);
	calls = waiter_calls(waiter);
	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(-1, unshare(CLONE_NEWPID));
		ASSERT_EQ(ENOSPC, errno);
	}
	EXPECT_GT(300, waiter_calls(waiter) - calls);
	child_kill(_metadata, waiter->pid);
}

struct writer {
	pthread_t thread;
	int fd;
	const char *page;
};

static void *write_from_slow_page(void *arg)
{
	struct writer *writer = arg;

	return write(writer->fd, writer->page, 4) < 0 ? writer : NULL;
}

/*
 * 1. The caller enters a user namespace that may hold one pid namespace, and
 *    has a process in one, which opens kernel.pid_max in a table of files that
 *    the caller shares, and ends.
 * 2. A thread of the caller writes to the file, from a page that never comes.
 * 3. The caller makes the next one, which needs the first to be gone, and so on.
 */
TEST_F(ended, is_not_kept_by_writers_that_wait_for_user_memory)
{
	static struct writer writers[WRITERS];
	struct slow_page slow;
	pid_t pid;
	int i;

	slow_page_map(_metadata, &slow);
	if (limit_pidns(_metadata, 1))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	for (i = 0; i < WRITERS; i++) {
		pid = clone_fork(CLONE_NEWPID | CLONE_FILES);
		ASSERT_LE(0, pid) {
			TH_LOG("clone %d: %s", i, strerror(errno));
		}
		if (!pid) {
			int fd = open("/proc/sys/kernel/pid_max", O_WRONLY);

			_exit(dup2(fd, 100 + i) != 100 + i);
		}
		assert_exited_ok(_metadata, pid);
		writers[i].fd = 100 + i;
		writers[i].page = slow.page;
		ASSERT_EQ(0, pthread_create(&writers[i].thread, NULL,
					    write_from_slow_page, &writers[i]));
		slow_page_await(_metadata, &slow);
	}
}

/*
 * 1. The caller enters a user namespace that may hold one pid namespace, and joins
 *    the process group that a pid 1 leads.
 * 2. Pid 1 is killed. Its pid is in use as the id of the group, so that there is no
 *    room for the next one.
 * 3. The caller leaves the group, and then there is.
 */
TEST_F(ended, is_waited_for_when_its_last_pid_was_a_process_group)
{
	pid_t pid;

	if (limit_pidns(_metadata, 1))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	pid = child_hold(_metadata, CLONE_NEWPID);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, setpgid(pid, pid));
	ASSERT_EQ(0, setpgid(0, pid));
	child_kill(_metadata, pid);
	EXPECT_EQ(-1, unshare(CLONE_NEWPID));
	EXPECT_EQ(ENOSPC, errno);

	ASSERT_EQ(0, setpgid(0, 0));
	unshare_pidns(_metadata);
}

/* Pid 1 leaves a process behind, which is killed with it. */
static void leave_a_child(struct __test_metadata *const _metadata, void *arg)
{
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid)
		for (;;)
			pause();
}

static void *outlive_the_leader(void *arg)
{
	usleep(100);
	_exit(0);
}

/* The last thread of pid 1 is not its leader. */
static void leave_a_thread(struct __test_metadata *const _metadata, void *arg)
{
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, outlive_the_leader, NULL));
	syscall(__NR_exit, 0);
}

/*
 * 1. The caller enters a user namespace that may hold one pid namespace, and
 *    stays on one CPU, where it is woken up as soon as pid 1 can be waited for.
 * 2. It makes one after the other, in which pid 1 is not the last that exits.
 */
TEST_F(ended, is_not_in_the_way_when_its_last_task_was_not_pid_1)
{
	static const child_fn last[] = { leave_a_child, leave_a_thread };
	cpu_set_t one;
	int i;

	if (limit_pidns(_metadata, 1))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	for (i = 0; i < 200; i++) {
		pid_t pid = child_run_flags(_metadata, CLONE_NEWPID, last[i % 2], NULL);

		ASSERT_LT(0, pid) {
			TH_LOG("clone %d: %s", i, strerror(errno));
		}
		assert_exited_ok(_metadata, pid);
	}
}

static void unshare_mounts_as_well(struct __test_metadata *const _metadata, void *arg)
{
	char path[4096];

	live_and_die(_metadata, 1);
	ASSERT_EQ(0, unshare(CLONE_NEWPID | CLONE_NEWNS)) {
		TH_LOG("unshare: %s", strerror(errno));
	}
	EXPECT_EQ(0, access("/proc/self/status", R_OK));
	EXPECT_NE(NULL, getcwd(path, sizeof(path)));
	/* Only in the mount namespace of the caller. */
	EXPECT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

/*
 * 1. The caller enters a user namespace that may hold one pid namespace.
 * 2. A child has one that ends, and unshares pid and mount namespace in one
 *    call, which comes to the limit, waits and begins again.
 * 3. Root and working directory of the child are in the mounts that it got.
 */
TEST_F(ended, is_waited_for_before_mounts_are_copied)
{
	int i;

	if (limit_pidns(_metadata, 1))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	for (i = 0; i < 10; i++)
		assert_exited_ok(_metadata, child_run(_metadata, unshare_mounts_as_well, NULL));
}

TEST_HARNESS_MAIN
