// SPDX-License-Identifier: GPL-2.0
/*
 * A pid namespace that nobody uses any more is destroyed some time later. Until
 * then it counts against the limit of its user, so that the limit bounds memory;
 * but it is in nobody's way: a process that comes to the limit waits for it.
 * Nobody can keep it from being destroyed.
 */
#define _GNU_SOURCE
#include <linux/io_uring.h>
#include <poll.h>
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
 * 2. It has a process live and die in one, two hundred times: the one before has
 *    ended each time.
 */
TEST_F(ended, is_not_in_the_way_of_the_next_one)
{
	if (limit_pidns(_metadata, 1))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	live_and_die(_metadata, 200);
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
 * 2. It unshares two hundred times in a row: each takes the place of the last.
 */
TEST_F(ended, makes_room_when_it_is_dropped)
{
	int i;

	if (limit_pidns(_metadata, 2))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, unshare(CLONE_NEWPID)) {
			TH_LOG("unshare %d: %s", i, strerror(errno));
		}
	}
}

static void stay_on_this_cpu(struct __test_metadata *const _metadata)
{
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpu), &cpu));
}

/*
 * The caller runs before others on its CPU, and so learns that a child has ended
 * before the child has gone any further.
 */
static int run_first(struct __test_metadata *const _metadata)
{
	const struct sched_param first = { .sched_priority = 1 };

	stay_on_this_cpu(_metadata);
	return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first);
}

/*
 * 1. The caller ignores SIGCHLD, so that nobody has to wait for its children.
 * 2. It runs before others on its CPU.
 * 3. It enters a user namespace that may hold one pid namespace, and has a process
 *    live and die in one, 100 times.
 */
TEST_F(ended, is_waited_for_by_a_parent_that_ignores_sigchld)
{
	int i;

	if (run_first(_metadata))
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

/* KASAN keeps for a while what is freed, and so it counts as in memory. */
static bool keeps_what_is_freed(void)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[512];
	bool kept = false;

	while (file && !kept && fgets(line, sizeof(line), file))
		kept = strstr(line, " kasan_quarantine_put");
	if (file)
		fclose(file);
	return kept;
}

static void unshare_at_a_limit(struct __test_metadata *const _metadata,
			       void *arg)
{
	int i;

	if (limit_pidns(_metadata, *(int *)arg))
		_exit(KSFT_SKIP);
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
	int status, limit = 20;
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
	ASSERT_TRUE(WIFEXITED(status));
	if (WEXITSTATUS(status) == KSFT_SKIP)
		SKIP(return, "no user namespaces");
	ASSERT_EQ(KSFT_PASS, WEXITSTATUS(status));
	bound = limit + 64 * sysconf(_SC_NPROCESSORS_ONLN);
	if (most > bound && keeps_what_is_freed())
		SKIP(return, "KASAN keeps what is freed");
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
 * 1. The caller enters a user namespace that may hold one pid namespace.
 * 2. It clones into a new one, which fails late: the child had its pid already.
 * 3. It clones again. The first namespace, in which nobody was born, is not in the
 *    way.
 */
TEST_F(ended, is_waited_for_when_its_first_fork_has_failed)
{
	struct __clone_args args = {
		.flags = CLONE_NEWPID | CLONE_PIDFD,
		.pidfd = 1,		/* no address to write to */
		.exit_signal = SIGCHLD,
	};

	if (limit_pidns(_metadata, 1))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	EXPECT_EQ(-1, sys_clone3(&args, sizeof(args)));
	EXPECT_EQ(EFAULT, errno);
	live_and_die(_metadata, 1);
}

/*
 * 1. The caller enters a user namespace that may hold one pid namespace, and
 *    stays on one CPU, where it is woken up as soon as pid 1 can be waited for.
 * 2. It makes one after the other, in which pid 1 is not the last that exits.
 */
TEST_F(ended, is_not_in_the_way_when_its_last_task_was_not_pid_1)
{
	static const child_fn last[] = { leave_a_child, leave_a_thread };
	int i;

	if (limit_pidns(_metadata, 1))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	stay_on_this_cpu(_metadata);
	for (i = 0; i < 200; i++) {
		pid_t pid = child_run_flags(_metadata, CLONE_NEWPID, last[i % 2], NULL);

		ASSERT_LT(0, pid) {
			TH_LOG("clone %d: %s", i, strerror(errno));
		}
		assert_exited_ok(_metadata, pid);
	}
}

/*
 * 1. The caller ignores SIGCHLD, runs before others on its CPU, and enters a user
 *    namespace that may hold one pid namespace.
 * 2. It makes one, and comes to the limit while pid 1 lives, so that there is no end
 *    left to wait for.
 * 3. It learns from the pidfd of pid 1 that this has ended, and makes the next one.
 *    In every second one the last thread of pid 1 is not its leader.
 */
TEST_F(ended, is_waited_for_by_who_polls_its_pidfd)
{
	struct pollfd pidfd = { .events = POLLIN };
	struct __clone_args args = {
		.flags = CLONE_NEWPID | CLONE_PIDFD,
		.pidfd = (uintptr_t)&pidfd.fd,
		.exit_signal = SIGCHLD,
	};
	int i, go[2];

	if (run_first(_metadata))
		SKIP(return, "no real-time scheduling: %s", strerror(errno));
	if (limit_pidns(_metadata, 1))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	ASSERT_NE(SIG_ERR, signal(SIGCHLD, SIG_IGN));
	sync_open(_metadata, go);
	for (i = 0; i < 100; i++) {
		pid_t pid = sys_clone3(&args, sizeof(args));

		ASSERT_LE(0, pid) {
			TH_LOG("clone3 %d: %s", i, strerror(errno));
		}
		if (!pid) {
			sync_wait(_metadata, go);
			if (i % 2)
				leave_a_thread(_metadata, NULL);
			_exit(0);
		}
		ASSERT_EQ(-1, unshare(CLONE_NEWPID));
		ASSERT_EQ(ENOSPC, errno);
		sync_post(_metadata, go);
		ASSERT_EQ(1, poll(&pidfd, 1, -1));
		ASSERT_EQ(0, close(pidfd.fd));
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
 *    call, which comes to the limit, waits and goes on.
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

/*
 * A fork of the caller that waits, when it has copied files and memory and has not
 * yet asked for a pid namespace, until a thread of the caller has done something.
 */
struct slow_fork {
	int uffd;
	pthread_t caller;
	/* To be done in the first fork. */
	void (*meanwhile)(struct slow_fork *slow);
	/* By the second fork. */
	bool signal_was_taken;
	/* How many there were: a fork that begins again is another one. */
	int nr;
	/* For @meanwhile. */
	int fd;
};

/*
 * Takes privilege, and gives it up: the caller is in a user namespace then that may
 * hold one pid namespace. No fork waits before the next step.
 */
static void slow_fork_open(struct __test_metadata *const _metadata, struct slow_fork *slow)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_EVENT_FORK,
	};

	require_root(_metadata, "to be told of forks");
	/* Without O_NONBLOCK poll(2) tells an error alone. */
	slow->uffd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (slow->uffd < 0)
		SKIP(_exit(KSFT_SKIP), "userfaultfd: %s", strerror(errno));
	ASSERT_EQ(0, ioctl(slow->uffd, UFFDIO_API, &api)) {
		TH_LOG("UFFD_FEATURE_EVENT_FORK: %s", strerror(errno));
	}
	if (limit_pidns(_metadata, 1))
		SKIP(_exit(KSFT_SKIP), "no user namespaces: %s", strerror(errno));
}

static bool has_signal;

static void take_signal(int sig __maybe_unused)
{
	__atomic_store_n(&has_signal, true, __ATOMIC_SEQ_CST);
}

static bool signal_was_taken(void)
{
	return __atomic_load_n(&has_signal, __ATOMIC_SEQ_CST);
}

static void *let_forks_go_on(void *arg)
{
	struct slow_fork *slow = arg;
	struct pollfd forked = { .fd = slow->uffd, .events = POLLIN };
	struct uffd_msg msg;

	while (poll(&forked, 1, -1) == 1) {
		switch (__atomic_add_fetch(&slow->nr, 1, __ATOMIC_SEQ_CST)) {
		case 1:
			slow->meanwhile(slow);
			break;
		case 2:
			slow->signal_was_taken = signal_was_taken();
			break;
		}
		/* This opens a file, which stays open. */
		if (read(slow->uffd, &msg, sizeof(msg)) < 0)
			break;
	}
	return NULL;
}

/* From here on each fork of the caller waits, and the thread lives as long as it does. */
static void slow_fork_begin(struct __test_metadata *const _metadata, struct slow_fork *slow)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	pthread_t thread;
	char *page;

	reg.range.len = sysconf(_SC_PAGESIZE);
	page = mmap(NULL, reg.range.len, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)page);
	reg.range.start = ptr_to_u64(page);
	ASSERT_EQ(0, ioctl(slow->uffd, UFFDIO_REGISTER, &reg));
	slow->caller = pthread_self();
	ASSERT_EQ(0, pthread_create(&thread, NULL, let_forks_go_on, slow));
}

static int nr_forks(const struct slow_fork *slow)
{
	return __atomic_load_n(&slow->nr, __ATOMIC_SEQ_CST);
}

static void close_file(struct slow_fork *slow)
{
	close(slow->fd);
}

static int file_of_ended_namespace(struct __test_metadata *const _metadata)
{
	pid_t pid = child_hold(_metadata, CLONE_NEWPID);
	int fd;

	ASSERT_LT(0, pid);
	fd = child_active_open(pid);
	ASSERT_LE(0, fd);
	child_kill(_metadata, pid);
	return fd;
}

/*
 * Who fails to fork closes what the child would have got: this may be the last open
 * file that holds a namespace. It is work that is due on the way to user space.
 *
 * 1. The caller enters a user namespace that may hold one pid namespace, and has an
 *    open file of one whose pid 1 has ended: there is no room for another one.
 * 2. It clones, and another thread closes the file, when the call has copied the
 *    table of files, and has not yet come to the limit.
 * 3. The call gives the file up, copies the process again, and succeeds.
 */
TEST_F(ended, is_waited_for_when_the_call_itself_has_closed_its_last_file)
{
	struct slow_fork slow = { .meanwhile = close_file };

	slow_fork_open(_metadata, &slow);
	slow.fd = file_of_ended_namespace(_metadata);
	EXPECT_EQ(-1, unshare(CLONE_NEWPID));
	EXPECT_EQ(ENOSPC, errno);

	slow_fork_begin(_metadata, &slow);
	live_and_die(_metadata, 1);
	EXPECT_LT(1, nr_forks(&slow));
}

/*
 * The caller is at a limit that is not going to yield. Another thread does something
 * in its first fork, for which it does not try again: there can be something at each
 * try, as there can be other work that a task has to do before it is back in user
 * space, and then it would never be refused.
 */
static void expect_one_refusal(struct __test_metadata *const _metadata, struct slow_fork *slow)
{
	pid_t pid, refused;

	pid = child_hold(_metadata, CLONE_NEWPID);
	ASSERT_LT(0, pid);
	slow_fork_begin(_metadata, slow);
	refused = clone_fork(CLONE_NEWPID);
	if (!refused)
		_exit(KSFT_FAIL);
	EXPECT_EQ(-1, refused);
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(1, nr_forks(slow));
	child_kill(_metadata, pid);
}

static void send_signal(struct slow_fork *slow)
{
	pthread_kill(slow->caller, SIGUSR1);
}

/*
 * 1. The caller enters a user namespace that may hold one pid namespace, and has a
 *    child there.
 * 2. It clones, and gets a signal before it comes to the limit.
 * 3. It is refused, without another try, and takes the signal.
 */
TEST_F(ended, is_not_looked_for_once_more_when_a_signal_comes)
{
	struct sigaction action = { .sa_handler = take_signal };
	struct slow_fork slow = { .meanwhile = send_signal };

	slow_fork_open(_metadata, &slow);
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	expect_one_refusal(_metadata, &slow);
	EXPECT_TRUE(signal_was_taken());
}

static void close_file_and_send_signal(struct slow_fork *slow)
{
	close_file(slow);
	send_signal(slow);
}

/*
 * As when the call itself has closed the last file of a namespace, but with a signal
 * before the call comes to the limit: it waits, and takes the signal before it copies
 * the process again.
 */
TEST_F(ended, is_waited_for_before_a_signal_is_taken)
{
	struct sigaction action = { .sa_handler = take_signal };
	struct slow_fork slow = { .meanwhile = close_file_and_send_signal };

	slow_fork_open(_metadata, &slow);
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	slow.fd = file_of_ended_namespace(_metadata);
	slow_fork_begin(_metadata, &slow);
	live_and_die(_metadata, 1);
	EXPECT_EQ(2, nr_forks(&slow));
	EXPECT_TRUE(slow.signal_was_taken);
}

/* Has the kernel tell the caller when @fd can be read. Return: where it counts that. */
static __u32 *poll_by_io_uring(struct __test_metadata *const _metadata, int fd)
{
	struct io_uring_params params = {};
	struct io_uring_sqe *sqe;
	char *sq, *cq;
	int ring;

	ring = syscall(__NR_io_uring_setup, 1, &params);
	if (ring < 0)
		SKIP(_exit(KSFT_SKIP), "needs io_uring: %s", strerror(errno));
	sq = mmap(NULL, params.sq_off.array + params.sq_entries * sizeof(__u32),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	cq = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	sqe = mmap(NULL, params.sq_entries * sizeof(*sqe),
		   PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	ASSERT_NE(MAP_FAILED, (void *)sq);
	ASSERT_NE(MAP_FAILED, (void *)cq);
	ASSERT_NE(MAP_FAILED, (void *)sqe);

	sqe->opcode = IORING_OP_POLL_ADD;
	sqe->fd = fd;
	sqe->poll_events = POLLIN;
	*(__u32 *)(sq + params.sq_off.array) = 0;
	__atomic_store_n((__u32 *)(sq + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	ASSERT_EQ(1, syscall(__NR_io_uring_enter, ring, 1, 0, 0, NULL, 0));
	return (__u32 *)(cq + params.cq_off.tail);
}

static void make_readable(struct slow_fork *slow)
{
	write_nointr(slow->fd, ".", 1);
}

/*
 * io_uring interrupts as a signal does, and is none.
 *
 * 1. The caller enters a user namespace that may hold one pid namespace, and has a
 *    child there.
 * 2. It polls a pipe by io_uring, and clones. Before it comes to the limit, the pipe
 *    can be read.
 * 3. It is refused, without another try, and is told of the pipe.
 */
TEST_F(ended, is_not_looked_for_once_more_when_io_uring_interrupts)
{
	struct slow_fork slow = { .meanwhile = make_readable };
	int pipe_fd[2];
	__u32 *tail;

	slow_fork_open(_metadata, &slow);
	sync_open(_metadata, pipe_fd);
	slow.fd = pipe_fd[1];
	tail = poll_by_io_uring(_metadata, pipe_fd[0]);
	EXPECT_EQ(0, __atomic_load_n(tail, __ATOMIC_ACQUIRE));
	expect_one_refusal(_metadata, &slow);
	EXPECT_EQ(1, __atomic_load_n(tail, __ATOMIC_ACQUIRE));
}

TEST_HARNESS_MAIN
