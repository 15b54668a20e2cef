// SPDX-License-Identifier: GPL-2.0
/*
 * Where a thread is born while the default namespace of its maker is not the
 * active one: with its group, in the active one. Its default is its maker's.
 *
 *	process (active A)
 *	  |-- main thread      default B ----> child (active B)
 *	  `-- thread           default B ----> child (active B)
 */
#include "thread.h"

/* How the default came to differ, and what state it is in. */
FIXTURE(differing)
{
	__u64 active;
	__u64 dflt;
	pid_t init;	/* Child that is pid 1 of the default. */
};

FIXTURE_VARIANT(differing)
{
	__u64 join;	/* Flags of a child whose default is joined by setns(2). */
	bool has_init;
	bool dead;
};

/* unshare(CLONE_NEWPID), and nobody has been born there. */
FIXTURE_VARIANT_ADD(differing, unshared) {};

/* unshare(CLONE_NEWPID), and a fork. */
FIXTURE_VARIANT_ADD(differing, unshared_with_init)
{
	.has_init = true,
};

/* The same, and init's death: nobody will be born there any more. */
FIXTURE_VARIANT_ADD(differing, unshared_and_dead)
{
	.has_init = true,
	.dead = true,
};

/* setns(2) to the namespace of a child. */
FIXTURE_VARIANT_ADD(differing, joined)
{
	.join = CLONE_NEWPID,
	.has_init = true,
};

FIXTURE_SETUP(differing)
{
	int fd;

	require_privilege(_metadata);
	self->active = task_ns_id(0, ACTIVE);
	if (!variant->join)
		unshare_pidns(_metadata);
	if (variant->has_init) {
		self->init = child_hold(_metadata, variant->join);
		ASSERT_LT(0, self->init);
	}
	if (variant->join) {
		fd = ns_open(self->init, ACTIVE);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, setns(fd, CLONE_NEWPID));
		close(fd);
	}
	if (variant->dead)
		child_kill(_metadata, self->init);
	self->dflt = task_ns_id(0, DEFAULT);
	ASSERT_NE(0ULL, self->dflt);
	ASSERT_NE(self->active, self->dflt);
}

FIXTURE_TEARDOWN(differing)
{
	if (variant->has_init && !variant->dead)
		child_kill(_metadata, self->init);
}

/* The thread is one of this process, and has pids where that has them. */
static void expect_in_group(struct __test_metadata *const _metadata, pid_t tid)
{
	struct snapshot me = snapshot_take(_metadata);
	long nspid[33];

	EXPECT_EQ(me.pid, status_number(tid, "Tgid"));
	EXPECT_EQ(me.levels,
		  status_numbers(tid, "NSpid", nspid, ARRAY_SIZE(nspid)));
	EXPECT_EQ(tid, nspid[me.levels - 1]);
	EXPECT_EQ(me.active, task_ns_id(tid, ACTIVE));
}

/* By pthread_create(3), clone(2) and clone3(2). */
TEST_F(differing, thread_is_born_in_the_active_namespace)
{
	struct __clone_args args = {
		.flags = THREAD_FLAGS,
		.stack_size = STACK_SIZE,
	};
	int ends[2][2], i;
	struct thread thread;
	pid_t tid;

	thread_start(_metadata, &thread);
	EXPECT_EQ(thread.tid, inner_pid(thread.tid));
	expect_in_group(_metadata, thread.tid);
	thread_end(&thread);

	/* One each, for the first may still be on its way out. */
	for (i = 0; i < 2; i++)
		sync_open(_metadata, ends[i]);
	tid = clone(wait_for_end, stack_new(_metadata) + STACK_SIZE,
		    THREAD_FLAGS, ends[0]);
	ASSERT_LT(0, tid) {
		TH_LOG("clone: %s", strerror(errno));
	}
	expect_in_group(_metadata, tid);
	sync_post(_metadata, ends[0]);

	if (!CAN_CLONE3_THREAD)
		SKIP(return, "needs clone3() for threads on this machine");
	args.stack = ptr_to_u64(stack_new(_metadata));
	tid = clone3_thread(&args, wait_for_end, ends[1]);
	ASSERT_LT(0, tid) {
		TH_LOG("clone3: %s", strerror(errno));
	}
	expect_in_group(_metadata, tid);
	sync_post(_metadata, ends[1]);
}

TEST_F(differing, thread_has_the_default_of_its_maker)
{
	struct thread thread;

	thread_start(_metadata, &thread);
	EXPECT_EQ(self->dflt, task_ns_id(thread.tid, DEFAULT));
	thread_do(&thread, thread_look);
	EXPECT_EQ(self->active, thread.active);
	EXPECT_EQ(self->dflt, thread.dflt);
	thread_end(&thread);
}

/*
 * The first child that is born in the default after some threads were made is
 * pid 1 there, or pid 2 if there is an init. In a dead one no child is born, be
 * it the thread's or the main thread's.
 */
TEST_F(differing, thread_takes_no_pid_in_the_default_namespace)
{
	struct thread threads[3];
	int i;

	for (i = 0; i < 3; i++)
		thread_start(_metadata, &threads[i]);
	thread_do(&threads[1], thread_fork);
	if (variant->dead) {
		EXPECT_EQ(-1, threads[1].child);
		EXPECT_EQ(ENOMEM, threads[1].err);
		EXPECT_EQ(-1, clone3_fork(0));
		EXPECT_EQ(ENOMEM, errno);
	} else {
		ASSERT_LT(0, threads[1].child);
		EXPECT_EQ(variant->has_init ? 2 : 1,
			  inner_pid(threads[1].child));
		EXPECT_EQ(self->dflt, task_ns_id(threads[1].child, ACTIVE));
		EXPECT_EQ(getpid(), status_number(threads[1].child, "PPid"));
		child_kill(_metadata, threads[1].child);
	}
	for (i = 0; i < 3; i++)
		thread_end(&threads[i]);
}

/* Nobody has the thread's pid in the default namespace, nor any other for it. */
TEST_F(differing, thread_cannot_be_named_in_the_default_namespace)
{
	struct thread thread;
	int fd = ns_open(0, DEFAULT);

	ASSERT_LE(0, fd);
	thread_start(_metadata, &thread);
	EXPECT_EQ(-1, ioctl(fd, NS_GET_PID_IN_PIDNS, thread.tid));
	EXPECT_EQ(ESRCH, errno);
	thread_end(&thread);
}

/*
 * Only CLONE_THREAD makes the difference: what shares memory and signal handlers
 * with its maker is a process, and is born in the default.
 */
TEST_F(differing, process_that_shares_memory_is_born_in_the_default_namespace)
{
	static const unsigned long kinds[] = {
		CLONE_VM | SIGCHLD,
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD,
	};
	int end[2], i, first = variant->has_init ? 2 : 1;
	pid_t children[2];

	sync_open(_metadata, end);
	for (i = 0; i < 2; i++) {
		children[i] = clone(wait_for_end,
				    stack_new(_metadata) + STACK_SIZE, kinds[i],
				    end);
		if (variant->dead) {
			EXPECT_EQ(-1, children[i]);
			EXPECT_EQ(ENOMEM, errno);
			continue;
		}
		ASSERT_LT(0, children[i]);
		EXPECT_EQ(first + i, inner_pid(children[i]));
		EXPECT_EQ(self->dflt, task_ns_id(children[i], ACTIVE));
	}
	if (variant->dead)
		return;
	/* If the first is init, it must not end before the other. */
	ASSERT_EQ(0, kill(children[1], SIGKILL));
	assert_killed(_metadata, children[1], SIGKILL);
	sync_post(_metadata, end);
	assert_exited(_metadata, children[0], 0);
}

/* No thread can be born in a new namespace: it would leave its group. */
TEST_F(differing, thread_with_a_new_namespace_is_refused)
{
	static const unsigned long new[] = { CLONE_NEWPID, CLONE_NEWUSER };
	struct snapshot old = snapshot_take(_metadata);
	char *stack = stack_new(_metadata);
	/* No clone3() comes as far as to need the stack. */
	struct __clone_args args = {
		.stack = ptr_to_u64(stack),
		.stack_size = STACK_SIZE,
	};
	int i;

	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-1, clone(wait_for_end, stack + STACK_SIZE,
				    THREAD_FLAGS | new[i], NULL));
		EXPECT_EQ(EINVAL, errno);
		args.flags = (THREAD_FLAGS & ~CLONE_FS) | new[i];
		EXPECT_EQ(-1, sys_clone3(&args, sizeof(args)));
		EXPECT_EQ(EINVAL, errno);
	}
	expect_unchanged(_metadata, &old);
}

/*
 *  1. A thread is there before.
 *  2. The main thread unshares, and makes another.
 *  3. Each of the three forks: the first into the active namespace.
 *  4. The main thread unshares again; the thread that it made does not follow.
 */
TEST(only_threads_made_after_an_unshare_inherit_it)
{
	struct thread before, after;
	__u64 active, first;
	pid_t child;

	require_privilege(_metadata);
	active = task_ns_id(0, ACTIVE);
	thread_start(_metadata, &before);
	unshare_pidns(_metadata);
	first = task_ns_id(0, DEFAULT);
	thread_start(_metadata, &after);

	child = child_hold(_metadata, 0);
	ASSERT_LT(0, child);
	thread_do(&before, thread_fork);
	thread_do(&after, thread_fork);
	EXPECT_EQ(first, task_ns_id(child, ACTIVE));
	EXPECT_EQ(active, task_ns_id(before.child, ACTIVE));
	EXPECT_EQ(first, task_ns_id(after.child, ACTIVE));
	EXPECT_EQ(1, inner_pid(child));
	EXPECT_EQ(before.child, inner_pid(before.child));
	EXPECT_EQ(2, inner_pid(after.child));

	unshare_pidns(_metadata);
	EXPECT_NE(first, task_ns_id(0, DEFAULT));
	EXPECT_EQ(first, task_ns_id(after.tid, DEFAULT));
	EXPECT_EQ(active, task_ns_id(before.tid, DEFAULT));

	child_kill(_metadata, after.child);
	child_kill(_metadata, before.child);
	child_kill(_metadata, child);
	thread_end(&after);
	thread_end(&before);
}

/* For thread_do(): take the default namespace of the main thread. */
static void thread_join_the_default(struct thread *me)
{
	struct __test_metadata *const _metadata = me->_metadata;
	int fd = ns_open(getpid(), DEFAULT);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setns(fd, CLONE_NEWPID));
	close(fd);
}

/*
 * What a program can do that makes threads on a kernel that refuses them.
 *
 *  1. The main thread unshares, and forks: pid 1.
 *  2. It goes back by setns(2), makes a thread, and joins pid 1 again.
 *  3. It forks, and the child is born beside pid 1.
 *  4. The thread forks into the active namespace, and beside pid 1 once it
 *     has joined that namespace itself.
 */
TEST(thread_made_between_two_setns_is_possible_on_each_kernel)
{
	struct thread thread;
	pid_t init, child;
	int own, dflt;

	require_privilege(_metadata);
	unshare_pidns(_metadata);
	init = child_hold(_metadata, 0);
	ASSERT_LT(0, init);

	dflt = ns_open(0, DEFAULT);
	own = ns_open(0, ACTIVE);
	ASSERT_LE(0, dflt);
	ASSERT_LE(0, own);
	ASSERT_EQ(0, setns(own, CLONE_NEWPID));
	thread_start(_metadata, &thread);
	ASSERT_EQ(0, setns(dflt, CLONE_NEWPID));

	child = child_hold(_metadata, 0);
	ASSERT_LT(0, child);
	EXPECT_EQ(task_ns_id(init, ACTIVE), task_ns_id(child, ACTIVE));
	child_kill(_metadata, child);

	thread_do(&thread, thread_fork);
	EXPECT_EQ(ns_id(own), task_ns_id(thread.child, ACTIVE));
	child_kill(_metadata, thread.child);
	thread_do(&thread, thread_join_the_default);
	thread_do(&thread, thread_fork);
	EXPECT_EQ(ns_id(dflt), task_ns_id(thread.child, ACTIVE));
	child_kill(_metadata, thread.child);

	thread_end(&thread);
	child_kill(_metadata, init);
	close(own);
	close(dflt);
}

/*
 * As a runtime makes threads, when it needs one, from whichever thread finds so:
 *
 *	main ---> a (unshares) ---> b ---> c (unshares) ---> d
 *	default:  A              B      B                C      C
 */
TEST(default_passes_from_maker_to_made)
{
	struct thread a, b, c, d;
	struct thread *all[] = { &a, &b, &c, &d };
	__u64 active;
	int i;

	require_privilege(_metadata);
	active = task_ns_id(0, ACTIVE);
	thread_start(_metadata, &a);
	thread_do(&a, thread_unshare);
	a.made = &b;
	thread_do(&a, thread_make);
	b.made = &c;
	thread_do(&b, thread_make);
	thread_do(&c, thread_unshare);
	c.made = &d;
	thread_do(&c, thread_make);

	for (i = 0; i < 4; i++) {
		thread_do(all[i], thread_look);
		expect_in_group(_metadata, all[i]->tid);
		thread_do(all[i], thread_fork);
		ASSERT_LT(0, all[i]->child);
		EXPECT_EQ(active, all[i]->active);
		EXPECT_EQ(all[i]->dflt, task_ns_id(all[i]->child, ACTIVE));
		EXPECT_EQ(1 + i % 2, inner_pid(all[i]->child));
	}
	EXPECT_EQ(active, task_ns_id(0, DEFAULT));
	EXPECT_NE(active, a.dflt);
	EXPECT_EQ(a.dflt, b.dflt);
	EXPECT_NE(b.dflt, c.dflt);
	EXPECT_EQ(c.dflt, d.dflt);

	for (i = 3; i >= 0; i--) {
		child_kill(_metadata, all[i]->child);
		thread_end(all[i]);
	}
}

#define NR_POOL		4
#define NR_ROUNDS	3

/* Unshare, and have a new thread fork, again and again. */
static void serve_in_new_namespaces(struct thread *me)
{
	struct __test_metadata *const _metadata = me->_metadata;
	__u64 active = task_ns_id(0, ACTIVE);
	struct thread made;
	int i, fd;

	for (i = 0; i < NR_ROUNDS; i++) {
		unshare_pidns(_metadata);
		fd = ns_open(0, DEFAULT);
		ASSERT_LE(0, fd);
		EXPECT_EQ(active, ns_parent_id(fd));
		thread_start(_metadata, &made);
		thread_do(&made, thread_fork);
		ASSERT_LT(0, made.child);
		EXPECT_EQ(ns_id(fd), task_ns_id(made.child, ACTIVE));
		EXPECT_EQ(1, inner_pid(made.child));
		/* Any thread may wait for a child of its process. */
		child_kill(_metadata, made.child);
		thread_end(&made);
		close(fd);
	}
}

/* A pool that is made after an unshare; each of it unshares on its own. */
TEST(each_thread_of_a_pool_may_unshare_and_make_threads_and_children)
{
	struct thread pool[NR_POOL];
	int i;

	require_privilege(_metadata);
	unshare_pidns(_metadata);
	for (i = 0; i < NR_POOL; i++)
		thread_start(_metadata, &pool[i]);
	/* All at a time. */
	for (i = 0; i < NR_POOL; i++) {
		pool[i].fn = serve_in_new_namespaces;
		sync_post(_metadata, pool[i].call);
	}
	for (i = 0; i < NR_POOL; i++)
		sync_wait(_metadata, pool[i].back);
	for (i = 0; i < NR_POOL; i++)
		thread_end(&pool[i]);
}

/* Fork, again if the other thread's child is about to become init. */
static void fork_in_race(struct thread *me)
{
	do {
		thread_fork(me);
	} while (me->err == EINVAL);
}

/* Two threads with one default, where nobody is yet: one makes pid 1. */
TEST(threads_with_one_default_may_fork_at_a_time)
{
	struct thread threads[2];
	int i, round, second;

	require_privilege(_metadata);
	for (round = 0; round < NR_ROUNDS; round++) {
		unshare_pidns(_metadata);
		for (i = 0; i < 2; i++)
			thread_start(_metadata, &threads[i]);
		for (i = 0; i < 2; i++) {
			threads[i].fn = fork_in_race;
			sync_post(_metadata, threads[i].call);
		}
		for (i = 0; i < 2; i++) {
			sync_wait(_metadata, threads[i].back);
			ASSERT_LT(0, threads[i].child) {
				TH_LOG("fork: %s", strerror(threads[i].err));
			}
		}
		second = inner_pid(threads[0].child) == 1;
		EXPECT_EQ(1, inner_pid(threads[!second].child));
		EXPECT_LT(1, inner_pid(threads[second].child));
		child_kill(_metadata, threads[second].child);
		child_kill(_metadata, threads[!second].child);
		for (i = 0; i < 2; i++)
			thread_end(&threads[i]);
	}
}

/*
 * The namespace that a thread has as its default is held by it.
 *
 * 1. The caller enters a user namespace that may hold two pid namespaces,
 *    unshares and makes a thread.
 * 2. It unshares again. There is no room for a third, as the thread has the first.
 * 3. The child of the thread is born in the first.
 * 4. When both have ended, there is room.
 */
TEST(thread_keeps_the_default_that_its_maker_left)
{
	struct thread thread;
	__u64 first;

	if (limit_pidns(_metadata, 2))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	unshare_pidns(_metadata);
	first = task_ns_id(0, DEFAULT);
	thread_start(_metadata, &thread);
	unshare_pidns(_metadata);
	EXPECT_NE(first, task_ns_id(0, DEFAULT));
	EXPECT_EQ(-1, unshare(CLONE_NEWPID));
	EXPECT_EQ(ENOSPC, errno);
	thread_do(&thread, thread_fork);
	EXPECT_EQ(first, task_ns_id(thread.child, ACTIVE));
	child_kill(_metadata, thread.child);
	thread_end(&thread);
	EXPECT_EQ(0, unshare_when_freed());
}

/* A thread of clone3(2) with @tid that lives until sync_post(). */
static pid_t thread_set_tid(struct __test_metadata *const _metadata,
			    const pid_t *tid, size_t nr, int end[2])
{
	struct __clone_args args = {
		.flags = THREAD_FLAGS,
		.stack = ptr_to_u64(stack_new(_metadata)),
		.stack_size = STACK_SIZE,
		.set_tid = ptr_to_u64(tid),
		.set_tid_size = nr,
	};

	return clone3_thread(&args, wait_for_end, end);
}

static void set_tids(struct __test_metadata *const _metadata,
		     void *arg __maybe_unused)
{
	int levels = snapshot_take(_metadata).levels;
	pid_t tids[33], tid, above = 1700;
	int end[2], i;

	sync_open(_metadata, end);
	unshare_pidns(_metadata);

	/*
	 * 700 here and a certain one in the parent, where others live who may have
	 * it; 701 here, and any in the parent.
	 */
	do {
		tid = thread_set_tid(_metadata, (pid_t []){ 700, ++above }, 2, end);
	} while (tid == -1 && errno == EEXIST);
	EXPECT_EQ(700, tid);
	EXPECT_EQ(701, thread_set_tid(_metadata, (pid_t []){ 701 }, 1, end));
	sync_post(_metadata, end);
	sync_post(_metadata, end);

	/* Init is there already. */
	EXPECT_EQ(-1, thread_set_tid(_metadata, (pid_t []){ 1 }, 1, end));
	EXPECT_EQ(EEXIST, errno);

	/* There is one level more in the default, but not for a thread. */
	do {
		above++;
		for (i = 0; i <= levels; i++)
			tids[i] = above;
		tid = thread_set_tid(_metadata, tids, levels, end);
	} while (tid == -1 && errno == EEXIST);
	EXPECT_EQ(above, tid);
	sync_post(_metadata, end);
	EXPECT_EQ(-1, thread_set_tid(_metadata, tids, levels + 1, end));
	EXPECT_EQ(EINVAL, errno);

	drop_privilege(_metadata);
	EXPECT_EQ(-1, thread_set_tid(_metadata, (pid_t []){ 702 }, 1, end));
	EXPECT_EQ(EPERM, errno);
}

/* The first element is the pid in the active namespace, unlike a process's. */
TEST(set_tid_of_a_thread_begins_in_the_active_namespace)
{
	pid_t pid;

	require_root(_metadata, "sets pids in all namespaces above");
	if (!CAN_CLONE3_THREAD)
		SKIP(return, "needs clone3() for threads on this machine");
	pid = child_run_flags(_metadata, CLONE_NEWPID, set_tids, NULL);
	ASSERT_LT(0, pid);
	assert_exited_ok(_metadata, pid);
}

TEST_HARNESS_MAIN
