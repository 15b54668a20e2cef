// SPDX-License-Identifier: GPL-2.0
/*
 * A thread that was made after an unshare is a full member of its group: for
 * signals, exit, execve(2), ptrace(2), pidfds and /proc, and for the workers
 * that the kernel itself makes as threads of a process.
 */
#include <dirent.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/vhost.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>

#include "thread.h"

static void take_signals(struct thread *me)
{
	struct __test_metadata *const _metadata = me->_metadata;
	const struct timespec limit = { .tv_sec = 10 };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	for (int i = 0; i < 2; i++) {
		me->err = TEMP_FAILURE_RETRY(sigtimedwait(&set, &info, &limit));
		ASSERT_EQ(i ? SIGUSR2 : SIGUSR1, me->err);
		EXPECT_EQ(getpid(), info.si_pid);
		if (!i)
			sync_post(_metadata, me->back);
	}
}

/*
 *  1. Both threads block two signals; the new one waits for them.
 *  2. It gets the one that is sent to the group, and the one that is sent to
 *     its tid.
 */
TEST(thread_takes_signals_to_its_group_and_to_its_tid)
{
	struct thread thread;
	sigset_t set;

	require_privilege(_metadata);
	unshare_pidns(_metadata);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	ASSERT_EQ(0, pthread_sigmask(SIG_BLOCK, &set, NULL));
	thread_start(_metadata, &thread);

	thread.fn = take_signals;
	sync_post(_metadata, thread.call);
	ASSERT_EQ(0, kill(getpid(), SIGUSR1));
	sync_wait(_metadata, thread.back);
	ASSERT_EQ(0, syscall(__NR_tgkill, getpid(), thread.tid, SIGUSR2));
	sync_wait(_metadata, thread.back);
	thread_end(&thread);
}

static __u32 lock;

/* Not by a mutex of libc, which says ETIMEDOUT for an owner that is not found. */
static int call_futex(int op, const struct timespec *limit)
{
	return syscall(__NR_futex, &lock, op | FUTEX_PRIVATE_FLAG, 0, limit, NULL, 0) ? errno : 0;
}

static void take_lock(struct thread *me)
{
	me->err = call_futex(FUTEX_LOCK_PI, NULL);
}

static void give_lock(struct thread *me)
{
	me->err = call_futex(FUTEX_UNLOCK_PI, NULL);
}

/* A futex with priority inheritance names its owner by the tid. */
TEST(thread_is_found_as_the_owner_of_a_futex)
{
	const struct timespec past = {};
	struct thread thread;

	require_privilege(_metadata);
	unshare_pidns(_metadata);
	thread_start(_metadata, &thread);

	thread_do(&thread, take_lock);
	ASSERT_EQ(0, thread.err);
	EXPECT_EQ(thread.tid, lock & FUTEX_TID_MASK);
	EXPECT_EQ(ETIMEDOUT, call_futex(FUTEX_LOCK_PI, &past));
	thread_do(&thread, give_lock);
	EXPECT_EQ(0, thread.err);
	EXPECT_EQ(0, call_futex(FUTEX_LOCK_PI, NULL));
	EXPECT_EQ(getpid(), lock & FUTEX_TID_MASK);
	thread_end(&thread);
}

/* Wait until the main thread of this process has exited. */
static void wait_for_leader_exit(struct __test_metadata *const _metadata)
{
	char state;

	/* By this name, for /proc may be of another namespace. */
	while ((state = task_state("/proc/self")) != 'Z') {
		ASSERT_NE(0, state);
		poll(NULL, 0, 1);
	}
}

static void outlive_leader(struct thread *me)
{
	struct __test_metadata *const _metadata = me->_metadata;
	pid_t child;

	wait_for_leader_exit(_metadata);
	EXPECT_NE(getpid(), me->tid);

	child = child_hold(_metadata, 0);
	ASSERT_LT(0, child);
	EXPECT_EQ(1, inner_pid(child));
	EXPECT_EQ(getpid(), status_number(child, "PPid"));
	child_kill(_metadata, child);
	unshare_pidns(_metadata);
	child_end(_metadata);
}

static void exit_as_leader(struct __test_metadata *const _metadata,
			   void *arg __maybe_unused)
{
	static struct thread thread;

	unshare_pidns(_metadata);
	thread_start(_metadata, &thread);
	thread.fn = outlive_leader;
	sync_post(_metadata, thread.call);
	syscall(__NR_exit, KSFT_FAIL);
}

/*
 *  1. A process unshares and makes a thread, and its leader exits.
 *  2. The thread is the process now: it forks, waits, unshares, and its exit
 *     code is what the parent gets.
 */
TEST(thread_goes_on_when_the_leader_exits)
{
	require_privilege(_metadata);
	assert_exited_ok(_metadata, child_run(_metadata, exit_as_leader, NULL));
}

/* Who of an init's group is the last to leave. */
FIXTURE(dying_init)
{
};

FIXTURE_VARIANT(dying_init)
{
	bool leader_last;
	bool thread_last;
};

FIXTURE_VARIANT_ADD(dying_init, all_at_once) {};

FIXTURE_VARIANT_ADD(dying_init, thread_last)
{
	.thread_last = true,
};

FIXTURE_VARIANT_ADD(dying_init, leader_last)
{
	.leader_last = true,
};

FIXTURE_SETUP(dying_init)
{
	require_privilege(_metadata);
}

FIXTURE_TEARDOWN(dying_init)
{
}

struct family {
	bool leader_last;
	bool thread_last;
	int up[2];	/* From a child of init: it is ready for all. */
	int alive[2];	/* Each child of init holds the writing end. */
};

static struct family family;

/* A child that dies of its namespace's end only. */
static void fork_resister(struct __test_metadata *const _metadata)
{
	pid_t pid = clone3_fork(0);
	sigset_t all;

	ASSERT_LE(0, pid);
	if (pid) {
		sync_wait(_metadata, family.up);
		return;
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sync_post(_metadata, family.up);
	for (;;)
		pause();
}

static void make_resister(struct thread *me)
{
	fork_resister(me->_metadata);
}

static void exit_last(struct thread *me)
{
	wait_for_leader_exit(me->_metadata);
	/* The code of the last thread is that of the process. */
	syscall(__NR_exit, me->_metadata->exit_code);
}

/*
 * Pid 1 of A: the main thread has a child in A, unshares to B, and makes two
 * threads. One of these and the main thread have children in B, the other
 * unshares and has one in C.
 */
static void be_init(struct __test_metadata *const _metadata,
		    void *arg __maybe_unused)
{
	static struct thread one, other;

	EXPECT_EQ(1, getpid());
	close(family.alive[0]);
	fork_resister(_metadata);
	unshare_pidns(_metadata);
	thread_start(_metadata, &one);
	thread_start(_metadata, &other);
	fork_resister(_metadata);
	thread_do(&one, make_resister);
	thread_do(&other, thread_unshare);
	thread_do(&other, make_resister);

	if (!family.thread_last) {
		if (family.leader_last) {
			thread_end(&one);
			thread_end(&other);
		}
		child_end(_metadata);
	}
	thread_end(&other);
	one.fn = exit_last;
	sync_post(_metadata, one.call);
	syscall(__NR_exit, _metadata->exit_code);
}

/*
 * The end of an init whose threads have other defaults takes all with it, and
 * init can be waited for: each thread that came and went was counted in A, and
 * in no other namespace.
 */
TEST_F(dying_init, takes_the_children_of_its_threads_along)
{
	pid_t init;
	char byte;

	family.leader_last = variant->leader_last;
	family.thread_last = variant->thread_last;
	sync_open(_metadata, family.up);
	sync_open(_metadata, family.alive);
	init = child_run_flags(_metadata, CLONE_NEWPID, be_init, NULL);
	ASSERT_LT(0, init);
	close(family.alive[1]);
	assert_exited_ok(_metadata, init);
	/* None is left to hold the other end. */
	EXPECT_EQ(0, read_nointr(family.alive[0], &byte, 1));
}

/* Is the number among the entries of a directory, and how many are there? */
static bool dir_has(const char *path, pid_t pid, int *nr)
{
	struct dirent *entry;
	bool found = false;
	DIR *dir = opendir(path);

	*nr = 0;
	if (!dir)
		return false;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		found |= atoi(entry->d_name) == pid;
		++*nr;
	}
	closedir(dir);
	return found;
}

static void list_own_proc(struct __test_metadata *const _metadata,
			  void *arg __maybe_unused)
{
	int nr;

	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_EQ(0, mount("proc", "/proc", "proc", 0, NULL)) {
		TH_LOG("mount proc: %s", strerror(errno));
	}
	EXPECT_TRUE(dir_has("/proc", 1, &nr));
	EXPECT_EQ(1, nr);
	EXPECT_TRUE(dir_has("/proc/1/task", 1, &nr));
	EXPECT_EQ(1, nr);
}

/* /proc lists the thread in its process, and not in the default namespace. */
TEST(thread_is_listed_in_the_active_namespace_only)
{
	struct thread thread;
	int nr;

	require_root(_metadata, "mounts /proc");
	unshare_pidns(_metadata);
	thread_start(_metadata, &thread);
	EXPECT_TRUE(dir_has("/proc/self/task", thread.tid, &nr));
	EXPECT_EQ(2, nr);
	EXPECT_TRUE(dir_has("/proc/self/task", getpid(), &nr));
	assert_exited_ok(_metadata, child_run(_metadata, list_own_proc, NULL));
	thread_end(&thread);
}

static __u64 pidfd_ns_id(int pidfd, unsigned long request)
{
	return ns_id_close(ioctl(pidfd, request, 0));
}

/* Of CLONE_PIDFD and of pidfd_open(2): both are of this very thread. */
TEST(pidfd_of_a_thread_shows_both_namespaces_and_its_exit)
{
	int pidfds[2] = { -1, -1 }, end[2], i;
	__u64 active, dflt;
	pid_t tid;

	require_privilege(_metadata);
	active = task_ns_id(0, ACTIVE);
	unshare_pidns(_metadata);
	dflt = task_ns_id(0, DEFAULT);
	sync_open(_metadata, end);
	tid = clone(wait_for_end, stack_new(_metadata) + STACK_SIZE,
		    THREAD_FLAGS | CLONE_PIDFD, end, &pidfds[0]);
	ASSERT_LT(0, tid);
	pidfds[1] = sys_pidfd_open(tid, PIDFD_THREAD);
	ASSERT_LE(0, pidfds[1]);

	for (i = 0; i < 2; i++) {
		EXPECT_EQ(active, pidfd_ns_id(pidfds[i],
					      PIDFD_GET_PID_NAMESPACE));
		EXPECT_EQ(dflt, pidfd_ns_id(pidfds[i],
					    PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE));
		EXPECT_EQ(0, poll(&(struct pollfd){ pidfds[i], POLLIN }, 1, 0));
	}
	sync_post(_metadata, end);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(1, poll(&(struct pollfd){ pidfds[i], POLLIN }, 1,
				  10000));
}

struct tracee {
	int go[2];	/* To the tracee: it is traced. */
	int tid[2];	/* From the tracee: the tid, as it sees it. */
};

static void make_thread_traced(struct __test_metadata *const _metadata,
			       void *arg)
{
	struct tracee *tracee = arg;
	struct thread thread;

	die_with_parent(_metadata);
	sync_wait(_metadata, tracee->go);
	unshare_pidns(_metadata);
	thread_start(_metadata, &thread);
	ASSERT_EQ((ssize_t)sizeof(thread.tid),
		  write_nointr(tracee->tid[1], &thread.tid, sizeof(thread.tid)));
	thread_end(&thread);
}

/* The tracer hears of the thread, by the pid that it has where the tracer is. */
static void check_trace(struct __test_metadata *const _metadata, __u64 flags)
{
	unsigned long event = 0;
	struct tracee tracee;
	pid_t pid, tid = 0;
	int status;

	sync_open(_metadata, tracee.go);
	sync_open(_metadata, tracee.tid);
	pid = child_run_flags(_metadata, flags, make_thread_traced, &tracee);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACECLONE));
	sync_post(_metadata, tracee.go);

	ASSERT_EQ(pid, waitpid(pid, &status, __WALL));
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(SIGTRAP | PTRACE_EVENT_CLONE << 8, status >> 8);
	ASSERT_EQ(0, ptrace(PTRACE_GETEVENTMSG, pid, 0, &event));
	ASSERT_LT(0UL, event);
	ASSERT_EQ((pid_t)event, waitpid(event, &status, __WALL));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(PTRACE_EVENT_STOP, status >> 16);
	EXPECT_EQ(pid, status_number(event, "Tgid"));
	EXPECT_EQ(task_ns_id(pid, ACTIVE), task_ns_id(event, ACTIVE));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, event, 0, 0));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));

	ASSERT_EQ((ssize_t)sizeof(tid),
		  read_nointr(tracee.tid[0], &tid, sizeof(tid)));
	ASSERT_EQ((pid_t)event, waitpid(event, &status, __WALL));
	EXPECT_TRUE(WIFEXITED(status));
	assert_exited_ok(_metadata, pid);
	EXPECT_EQ(!flags, event == (unsigned long)tid) {
		TH_LOG("tid %d here, %lu to the tracer", tid, event);
	}
}

TEST(tracer_is_told_the_tid)
{
	require_privilege(_metadata);
	check_trace(_metadata, 0);
}

/* From the namespace above, where the thread has another pid. */
TEST(tracer_outside_is_told_the_tid_that_it_can_use)
{
	require_privilege(_metadata);
	check_trace(_metadata, CLONE_NEWPID);
}

/* Be allowed to have a ring, before anything is unshared, or skip the test. */
static void require_io_uring(struct __test_metadata *const _metadata, __u32 flags)
{
	struct io_uring_params params = { .flags = flags };
	int fd = syscall(__NR_io_uring_setup, 4, &params);

	if (fd < 0)
		SKIP(_exit(KSFT_SKIP), "needs io_uring: %s", strerror(errno));
	close(fd);
}

/* Have the kernel do nothing, in a thread that it makes for that purpose. */
static int nop_by_worker(struct __test_metadata *const _metadata)
{
	struct io_uring_params params = {};
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	char *sq, *cq;
	int fd = syscall(__NR_io_uring_setup, 4, &params);

	ASSERT_LE(0, fd);
	sq = mmap(NULL, params.sq_off.array + params.sq_entries * sizeof(__u32),
		  PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	cq = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(*cqe),
		  PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_CQ_RING);
	sqe = mmap(NULL, params.sq_entries * sizeof(*sqe),
		   PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQES);
	ASSERT_NE(MAP_FAILED, (void *)sq);
	ASSERT_NE(MAP_FAILED, (void *)cq);
	ASSERT_NE(MAP_FAILED, (void *)sqe);

	sqe->opcode = IORING_OP_NOP;
	sqe->flags = IOSQE_ASYNC;
	*(__u32 *)(sq + params.sq_off.array) = 0;
	__atomic_store_n((__u32 *)(sq + params.sq_off.tail), 1,
			 __ATOMIC_RELEASE);
	ASSERT_EQ(1, syscall(__NR_io_uring_enter, fd, 1, 1,
			     IORING_ENTER_GETEVENTS, NULL, 0));
	cqe = (struct io_uring_cqe *)(cq + params.cq_off.cqes);
	return cqe->res;
}

/* A worker of io_uring is a thread of its user: no thread, ECANCELED. */
TEST(io_uring_has_its_workers_after_an_unshare)
{
	int nr;

	require_privilege(_metadata);
	require_io_uring(_metadata, 0);
	unshare_pidns(_metadata);
	EXPECT_EQ(0, nop_by_worker(_metadata));
	dir_has("/proc/self/task", 0, &nr);
	EXPECT_LT(1, nr);
}

/* So is the one that polls for submissions, without which there is no ring. */
TEST(io_uring_has_its_poller_after_an_unshare)
{
	struct io_uring_params params = { .flags = IORING_SETUP_SQPOLL };

	require_privilege(_metadata);
	require_io_uring(_metadata, params.flags);
	unshare_pidns(_metadata);
	EXPECT_LE(0, syscall(__NR_io_uring_setup, 4, &params)) {
		TH_LOG("io_uring_setup: %s", strerror(errno));
	}
}

/* So is the worker of vhost; no thread, no owner: ENOMEM. */
TEST(vhost_has_its_worker_after_an_unshare)
{
	int fd, nr;

	require_privilege(_metadata);
	fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		SKIP(return, "needs /dev/vhost-net: %s", strerror(errno));
	unshare_pidns(_metadata);
	EXPECT_EQ(0, ioctl(fd, VHOST_SET_OWNER)) {
		TH_LOG("VHOST_SET_OWNER: %s", strerror(errno));
	}
	dir_has("/proc/self/task", 0, &nr);
	EXPECT_LT(1, nr);
}

TEST_HARNESS_MAIN
