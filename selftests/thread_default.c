// SPDX-License-Identifier: GPL-2.0
/*
 * The default namespace belongs to a thread. It goes along through execve(2),
 * and a child is born in that of the thread that made it.
 *
 *	process (active A)
 *	  |-- main thread      default A ----> child (active A)
 *	  |-- other thread     default A ----> child (active A)
 *	  `-- unsharing one    default B ----> child (active B, pid 1)
 */
#include <pthread.h>

#include "pidns.h"

struct worker {
	struct __test_metadata *_metadata;
	pthread_t thread;
	pid_t tid;
	int done[2];	/* From the worker: its work is done. */
	int end[2];	/* To the worker: exit. */
	int idle[2];	/* To its child. */
	pid_t child;
};

static void worker_start(struct __test_metadata *const _metadata,
			 struct worker *worker, void *(*work)(void *worker))
{
	worker->_metadata = _metadata;
	sync_open(_metadata, worker->done);
	sync_open(_metadata, worker->end);
	sync_open(_metadata, worker->idle);
	ASSERT_EQ(0, pthread_create(&worker->thread, NULL, work, worker));
	sync_wait(_metadata, worker->done);
}

static void worker_end(struct worker *worker)
{
	struct __test_metadata *const _metadata = worker->_metadata;

	sync_post(_metadata, worker->end);
	ASSERT_EQ(0, pthread_join(worker->thread, NULL));
}

/* A thread that unshares, and makes a child. */
static void *unshare_and_fork(void *arg)
{
	struct worker *worker = arg;
	struct __test_metadata *const _metadata = worker->_metadata;

	worker->tid = syscall(__NR_gettid);
	unshare_pidns(_metadata);
	worker->child = child_run(_metadata, child_idle, worker->idle);
	sync_post(_metadata, worker->done);
	sync_wait(_metadata, worker->end);
	return NULL;
}

/* A thread that is there first, and makes a child when it is told. */
static void *fork_later(void *arg)
{
	struct worker *worker = arg;
	struct __test_metadata *const _metadata = worker->_metadata;

	worker->tid = syscall(__NR_gettid);
	sync_post(_metadata, worker->done);
	sync_wait(_metadata, worker->end);
	worker->child = child_run(_metadata, child_idle, worker->idle);
	sync_post(_metadata, worker->done);
	sync_wait(_metadata, worker->end);
	return NULL;
}

/* End a worker's child, as any thread of its process may. */
static void end_child(struct worker *worker)
{
	struct __test_metadata *const _metadata = worker->_metadata;

	sync_post(_metadata, worker->idle);
	assert_exited_ok(_metadata, worker->child);
}

/*
 *  1. Another thread is there before.
 *  2. A thread unshares and makes a child: pid 1 of a new namespace, and the
 *     process is its parent.
 *  3. The other thread and this one have their old default, and their children
 *     are born where they are themselves.
 */
TEST(threads_unshare_is_its_own)
{
	struct worker other, unsharer;
	__u64 active, mine;
	pid_t child;

	require_privilege(_metadata);
	active = task_ns_id(0, ACTIVE);
	worker_start(_metadata, &other, fork_later);
	worker_start(_metadata, &unsharer, unshare_and_fork);

	mine = task_ns_id(unsharer.tid, DEFAULT);
	EXPECT_NE(active, mine);
	EXPECT_EQ(active, task_ns_id(unsharer.tid, ACTIVE));
	EXPECT_EQ(mine, task_ns_id(unsharer.child, ACTIVE));
	EXPECT_EQ(1, inner_pid(unsharer.child));
	EXPECT_EQ(getpid(), status_number(unsharer.child, "PPid"));

	EXPECT_EQ(active, task_ns_id(other.tid, DEFAULT));
	sync_post(_metadata, other.end);
	sync_wait(_metadata, other.done);
	EXPECT_EQ(active, task_ns_id(other.child, ACTIVE));
	EXPECT_EQ(other.child, inner_pid(other.child));

	EXPECT_EQ(active, task_ns_id(0, DEFAULT));
	child = child_hold(_metadata, 0);
	ASSERT_LT(0, child);
	EXPECT_EQ(active, task_ns_id(child, ACTIVE));

	child_kill(_metadata, child);
	end_child(&other);
	end_child(&unsharer);
	worker_end(&other);
	worker_end(&unsharer);
}

/* Two threads unshare: two namespaces, siblings, each with a pid 1 of its own. */
TEST(each_thread_may_have_a_namespace_of_its_own)
{
	struct worker workers[2];
	__u64 ids[2], active;
	int i, fd;

	require_privilege(_metadata);
	active = task_ns_id(0, ACTIVE);
	for (i = 0; i < 2; i++) {
		worker_start(_metadata, &workers[i], unshare_and_fork);
		fd = ns_open(workers[i].tid, DEFAULT);
		ASSERT_LE(0, fd);
		ids[i] = ns_id(fd);
		EXPECT_EQ(active, ns_parent_id(fd));
		EXPECT_EQ(1, inner_pid(workers[i].child));
		EXPECT_EQ(ids[i], task_ns_id(workers[i].child, ACTIVE));
		close(fd);
	}
	EXPECT_NE(ids[0], ids[1]);
	EXPECT_EQ(active, task_ns_id(0, DEFAULT));

	for (i = 0; i < 2; i++) {
		end_child(&workers[i]);
		worker_end(&workers[i]);
	}
}

static void *do_nothing(void *arg)
{
	return arg;
}

/* A thread that has not unshared may make threads, whatever another one did. */
TEST(other_threads_may_still_make_threads)
{
	struct worker unsharer;
	pthread_t thread;

	require_privilege(_metadata);
	worker_start(_metadata, &unsharer, unshare_and_fork);
	EXPECT_EQ(0, pthread_create(&thread, NULL, do_nothing, NULL));
	EXPECT_EQ(0, pthread_join(thread, NULL));
	end_child(&unsharer);
	worker_end(&unsharer);
}

/* A process that turns into cat(1), and what it was fed by and knew before. */
struct exec {
	int input[2];		/* cat's standard input. */
	int unshared[2];	/* Default's id; closed by execve(2). */
};

static void become_cat(struct __test_metadata *const _metadata,
		       const struct exec *exec)
{
	__u64 id = task_ns_id(0, DEFAULT);

	die_with_parent(_metadata);
	ASSERT_EQ((ssize_t)sizeof(id),
		  write_nointr(exec->unshared[1], &id, sizeof(id)));
	ASSERT_EQ(0, dup2(exec->input[0], 0));
	execlp("cat", "cat", NULL);
	_exit(127);
}

static void unshare_then_exec(struct __test_metadata *const _metadata,
			      void *arg)
{
	unshare_pidns(_metadata);
	become_cat(_metadata, arg);
}

struct exec_thread {
	struct __test_metadata *_metadata;
	struct exec *exec;
};

static void *unshare_then_exec_in_thread(void *arg)
{
	struct exec_thread *thread = arg;

	unshare_then_exec(thread->_metadata, thread->exec);
	return NULL;
}

static void *exec_in_thread(void *arg)
{
	struct exec_thread *thread = arg;

	become_cat(thread->_metadata, thread->exec);
	return NULL;
}

static void exec_by_thread(struct __test_metadata *const _metadata, void *arg)
{
	struct exec_thread thread = { _metadata, arg };
	pthread_t id;

	ASSERT_EQ(0, pthread_create(&id, NULL, unshare_then_exec_in_thread,
				    &thread));
	pthread_join(id, NULL);
}

static void unshare_then_exec_by_new_thread(struct __test_metadata *const _metadata,
					    void *arg)
{
	struct exec_thread thread = { _metadata, arg };
	pthread_t id;

	unshare_pidns(_metadata);
	ASSERT_EQ(0, pthread_create(&id, NULL, exec_in_thread, &thread));
	pthread_join(id, NULL);
}

/*
 *  1. A child unshares, says the id of its default, and becomes another program.
 *  2. The end of the pipe shows that execve(2) is done.
 *  3. Its default is what it was, and it still is not its active namespace.
 */
static void check_exec(struct __test_metadata *const _metadata, child_fn fn)
{
	__u64 active, before, more;
	struct exec exec;
	pid_t child;

	require_privilege(_metadata);
	active = task_ns_id(0, ACTIVE);
	sync_open(_metadata, exec.input);
	sync_open(_metadata, exec.unshared);
	child = child_run(_metadata, fn, &exec);
	close(exec.input[0]);
	close(exec.unshared[1]);

	ASSERT_EQ((ssize_t)sizeof(before),
		  read_nointr(exec.unshared[0], &before, sizeof(before)));
	ASSERT_EQ(0, read_nointr(exec.unshared[0], &more, sizeof(more)));
	ASSERT_NE(0ULL, before);
	EXPECT_NE(active, before);
	EXPECT_EQ(before, task_ns_id(child, DEFAULT));
	EXPECT_EQ(active, task_ns_id(child, ACTIVE));

	close(exec.input[1]);
	assert_exited(_metadata, child, 0);
}

/* The default survives execve(2). */
TEST(execve_keeps_the_default)
{
	check_exec(_metadata, unshare_then_exec);
}

/*
 * execve(2) by a thread that unshared: it becomes the process's only thread,
 * and its default the process's. The main thread's is gone with that.
 */
TEST(execve_of_a_thread_keeps_that_threads_default)
{
	check_exec(_metadata, exec_by_thread);
}

/*
 * The same when the thread was made after the unshare. The process, which the
 * thread takes the pid of, is where it was.
 */
TEST(execve_of_a_thread_made_after_an_unshare_keeps_its_default)
{
	check_exec(_metadata, unshare_then_exec_by_new_thread);
}

static void exec_shell(struct __test_metadata *const _metadata, void *arg)
{
	(void)arg;
	unshare_pidns(_metadata);
	execl("/bin/sh", "sh", "-c",
	      "sh -c 'test $$ -eq 1 && test $PPID -eq 0'; exit $?", NULL);
	_exit(127);
}

/* A program that knows nothing of it has its first child as pid 1. */
TEST(first_fork_after_execve_is_pid_1)
{
	require_privilege(_metadata);
	assert_exited(_metadata, child_run(_metadata, exec_shell, NULL), 0);
}

/* Fork, clone and clone3: the default becomes the child's active namespace. */
TEST(default_is_the_childs_active_namespace)
{
	pid_t children[3];
	__u64 dflt;
	int i;

	require_privilege(_metadata);
	unshare_pidns(_metadata);
	dflt = task_ns_id(0, DEFAULT);

	for (i = 0; i < 3; i++) {
		children[i] = i == 0 ? fork() :
			      i == 1 ? clone_fork(0) : clone3_fork(0);
		ASSERT_LE(0, children[i]);
		if (!children[i]) {
			die_with_parent(_metadata);
			for (;;)
				pause();
		}
		EXPECT_EQ(i + 1, inner_pid(children[i]));
		EXPECT_EQ(dflt, task_ns_id(children[i], ACTIVE));
		EXPECT_EQ(dflt, task_ns_id(children[i], DEFAULT));
	}
	/* Init last: its end is the end of the others. */
	for (i = 2; i >= 0; i--)
		child_kill(_metadata, children[i]);
}

TEST_HARNESS_MAIN
