// SPDX-License-Identifier: GPL-2.0
/*
 * Several processes can have one new namespace as their default: one unshares,
 * the others join by setns(2). Who forks first makes its pid 1.
 *
 *	leader     racer     racer	active A, default B
 *	             |         |
 *	           pid 1     pid 2	active B
 *
 * A fork that comes after pid 1 is given out, but before that task is there as
 * init, gets EINVAL, and works when it is tried again. With init gone, every
 * fork gets ENOMEM.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "slow_page.h"

#define NR_RACERS	2
#define NR_ROUNDS	50

/* How a racer's fork ended. */
struct result {
	pid_t child;	/* Its pid outside, or -1. */
	int err;
};

/* What the racers of a round share. */
struct race {
	int joined[2];		/* From each racer: it has the default. */
	int start;		/* How many are at the line. */
	int finished[2];	/* From each racer: its result is there. */
	int again[2];		/* To each racer: a refused fork may be repeated. */
	int over[2];		/* To each racer: its child is killed. */
	int ns;			/* The namespace that they share. */
	int next;		/* Index of the next racer to be made. */
	__u64 id;		/* Of the namespace. */
	int lost;		/* Forks that got EINVAL. */
	struct result results[NR_RACERS];
};

static struct race *new_race(struct __test_metadata *const _metadata)
{
	struct race *race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, (void *)race);
	sync_open(_metadata, race->joined);
	sync_open(_metadata, race->finished);
	sync_open(_metadata, race->again);
	sync_open(_metadata, race->over);
	return race;
}

/* Leave no descriptor of a race open: its namespace would stay listed. */
static void end_race(struct race *race)
{
	for (int i = 0; i < 2; i++) {
		close(race->joined[i]);
		close(race->finished[i]);
		close(race->again[i]);
		close(race->over[i]);
	}
	munmap(race, sizeof(*race));
}

/* Fork a child that lives until its namespace is killed. */
static struct result race_to_fork(struct __test_metadata *const _metadata)
{
	int pidfd = -1;
	struct __clone_args args = {
		/* A pidfd keeps it a little longer between its pid and itself. */
		.flags = CLONE_PIDFD,
		.exit_signal = SIGCHLD,
		.pidfd = ptr_to_u64(&pidfd),
	};
	struct result result = { .child = sys_clone3(&args, sizeof(args)) };

	result.err = result.child < 0 ? errno : 0;
	if (result.child) {
		if (pidfd >= 0)
			close(pidfd);
		return result;
	}
	/* Not die_with_parent(): it has to be init's end that kills it. */
	if (getppid())
		_exit(KSFT_FAIL);
	for (;;)
		pause();
}

/* Wait for the others, so as to go on at the very same time. */
static void line_up(struct race *race)
{
	__atomic_add_fetch(&race->start, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&race->start, __ATOMIC_SEQ_CST) < NR_RACERS)
		sched_yield();
}

static void be_racer(struct __test_metadata *const _metadata, void *arg)
{
	struct race *race = arg;
	struct result *mine = &race->results[race->next];

	die_with_parent(_metadata);
	ASSERT_EQ(0, setns(race->ns, CLONE_NEWPID));
	close(race->ns);
	sync_post(_metadata, race->joined);
	line_up(race);
	*mine = race_to_fork(_metadata);
	sync_post(_metadata, race->finished);
	sync_wait(_metadata, race->again);
	if (mine->child < 0)
		*mine = race_to_fork(_metadata);
	sync_post(_metadata, race->finished);

	sync_wait(_metadata, race->over);
	if (mine->child > 0)
		assert_killed(_metadata, mine->child, SIGKILL);
	EXPECT_EQ(-1, clone3_fork(0));
	EXPECT_EQ(ENOMEM, errno);
}

/* Make the namespace, let all racers join it, and start them. */
static void start_race(struct __test_metadata *const _metadata,
		       struct race *race, pid_t racers[NR_RACERS])
{
	int mine = ns_open(0, ACTIVE);
	int i;

	ASSERT_LE(0, mine);
	unshare_pidns(_metadata);
	race->ns = ns_open(0, DEFAULT);
	ASSERT_LE(0, race->ns);
	race->id = ns_id(race->ns);
	ASSERT_EQ(0, setns(mine, CLONE_NEWPID)) {
		TH_LOG("setns: %s", strerror(errno));
	}
	close(mine);

	for (i = 0; i < NR_RACERS; i++) {
		race->next = i;
		racers[i] = child_run(_metadata, be_racer, race);
		sync_wait(_metadata, race->joined);
	}
	for (i = 0; i < NR_RACERS; i++)
		sync_wait(_metadata, race->finished);
}

/* The pid that a child has in the shared namespace, or -1. */
static pid_t pid_in(const struct race *race, int i)
{
	return ioctl(race->ns, NS_GET_PID_IN_PIDNS, race->results[i].child);
}

/* Check who won, and that each one who lost was told EINVAL. */
static int check_first_forks(struct __test_metadata *const _metadata,
			     struct race *race)
{
	int i, winner = -1;

	for (i = 0; i < NR_RACERS; i++) {
		if (race->results[i].child < 0) {
			EXPECT_EQ(EINVAL, race->results[i].err);
			race->lost++;
		} else if (pid_in(race, i) == 1) {
			EXPECT_EQ(-1, winner);
			winner = i;
		}
	}
	ASSERT_LE(0, winner);
	return winner;
}

/* Check that by now each racer has a child of its own there, and one pid 1. */
static void check_second_forks(struct __test_metadata *const _metadata,
			       struct race *race, int winner)
{
	int i, j, fd;

	for (i = 0; i < NR_RACERS; i++) {
		ASSERT_LT(0, race->results[i].child) {
			TH_LOG("fork: %s", strerror(race->results[i].err));
		}
		EXPECT_EQ(i == winner, pid_in(race, i) == 1);
		EXPECT_LE(1, pid_in(race, i));
		for (j = 0; j < i; j++)
			EXPECT_NE(pid_in(race, i), pid_in(race, j));
		fd = child_active_open(race->results[i].child);
		EXPECT_EQ(race->id, ns_id(fd));
		close(fd);
	}
}

/*
 *  1. All racers fork at once. One child is pid 1; a racer that came too early
 *     for it got EINVAL.
 *  2. Those fork again, which works now.
 *  3. Pid 1 is killed, and so is every racer's child.
 *  4. A further fork of each racer gets ENOMEM.
 *  5. Nothing of the namespace is left: listns(2) does not have it.
 */
static void run_race(struct __test_metadata *const _metadata, int *lost)
{
	struct race *race = new_race(_metadata);
	pid_t racers[NR_RACERS];
	int i, winner;
	__u64 id;

	start_race(_metadata, race, racers);
	winner = check_first_forks(_metadata, race);
	*lost += race->lost;

	for (i = 0; i < NR_RACERS; i++)
		sync_post(_metadata, race->again);
	for (i = 0; i < NR_RACERS; i++)
		sync_wait(_metadata, race->finished);
	check_second_forks(_metadata, race, winner);

	EXPECT_EQ(may_list_all(), ns_listed(race->id));
	ASSERT_EQ(0, kill(race->results[winner].child, SIGKILL));
	for (i = 0; i < NR_RACERS; i++)
		sync_post(_metadata, race->over);
	for (i = 0; i < NR_RACERS; i++)
		assert_exited_ok(_metadata, racers[i]);

	id = race->id;
	close(race->ns);
	end_race(race);
	EXPECT_EQ(0, ns_listed(id));
}

static void be_leader(struct __test_metadata *const _metadata, void *arg)
{
	int lost = 0;

	(void)arg;
	for (int i = 0; i < NR_ROUNDS; i++)
		run_race(_metadata, &lost);
	TH_LOG("%d of %d forks came too early", lost, NR_ROUNDS * NR_RACERS);
}

/*
 * Many rounds of it, of which some hit the moment when init is half-made. The
 * leader needs rights over its active namespace, for setns(2) back to it: who
 * is not root runs it as a child.
 */
TEST(one_racer_makes_pid_1_and_the_others_wait_or_get_einval)
{
	require_privilege(_metadata);
	if (task_ns_id(0, "user") != USER_NS_INIT_ID)
		unshare_pidns(_metadata);
	assert_exited_ok(_metadata, child_run(_metadata, be_leader, NULL));
}

/* A thread whose first fork stops half-way: its pidfd has nowhere to go yet. */
struct slow_forker {
	struct slow_page slow;
	int go[2];	/* To it: the namespace is there. */
	int ns;
	pid_t child;
};

static void *fork_slowly(void *arg)
{
	struct slow_forker *forker = arg;
	struct __clone_args args = {
		.flags = CLONE_PIDFD,
		.exit_signal = SIGCHLD,
		.pidfd = ptr_to_u64(forker->slow.page),
	};

	char byte;

	if (read_nointr(forker->go[0], &byte, 1) != 1 ||
	    setns(forker->ns, CLONE_NEWPID))
		return NULL;
	forker->child = sys_clone3(&args, sizeof(args));
	if (!forker->child)
		for (;;)
			pause();
	return NULL;
}

/*
 * The moment that the race is about, held still.
 *
 *  1. A thread forks. It has pid 1 for the child, and stops before the child
 *     is there, in a page that userfaultfd(2) keeps from it.
 *  2. Another fork into the namespace gets EINVAL.
 *  3. The page is filled. The thread's child is pid 1.
 *  4. The other fork works now, and is not pid 1.
 */
TEST(fork_before_init_is_there_gets_einval)
{
	struct slow_forker forker = {};
	pthread_t thread;
	pid_t second;

	require_privilege(_metadata);
	slow_page_map(_metadata, &forker.slow);
	sync_open(_metadata, forker.go);
	ASSERT_EQ(0, pthread_create(&thread, NULL, fork_slowly, &forker));
	unshare_pidns(_metadata);
	forker.ns = ns_open(0, DEFAULT);
	ASSERT_LE(0, forker.ns);
	sync_post(_metadata, forker.go);
	slow_page_await(_metadata, &forker.slow);

	EXPECT_EQ(-1, clone3_fork(0));
	EXPECT_EQ(EINVAL, errno);

	slow_page_fill(_metadata, &forker.slow);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_LT(0, forker.child);
	EXPECT_EQ(1, ioctl(forker.ns, NS_GET_PID_IN_PIDNS, forker.child));
	second = child_hold(_metadata, 0);
	ASSERT_LT(0, second);
	EXPECT_LT(1, ioctl(forker.ns, NS_GET_PID_IN_PIDNS, second));

	child_kill(_metadata, second);
	child_kill(_metadata, forker.child);
}

/* A process that joins its parent's default and makes a child there. */
struct joiner {
	int go[2];	/* To it: the default is there. */
	int made[2];	/* From it: so is the child. */
};

static void join_and_fork(struct __test_metadata *const _metadata, void *arg)
{
	const struct joiner *joiner = arg;
	pid_t child;
	int ns;

	die_with_parent(_metadata);
	sync_wait(_metadata, joiner->go);
	ns = ns_open(getppid(), DEFAULT);
	ASSERT_LE(0, ns);
	ASSERT_EQ(0, setns(ns, CLONE_NEWPID));
	child = child_hold(_metadata, 0);
	ASSERT_LT(0, child);
	EXPECT_EQ(1, ioctl(ns, NS_GET_PID_IN_PIDNS, child));
	sync_post(_metadata, joiner->made);
	sync_wait(_metadata, joiner->go);
	child_kill(_metadata, child);
}

/*
 * Pid 1 is whoever is born first, not a child of who unshared.
 *
 *  1. A helper is made before the unshare, and told when it is done.
 *  2. The helper joins the namespace and makes pid 1.
 *  3. The creator makes pid 2.
 *  4. The helper kills pid 1; pid 2 dies of that, and pid 1's exit is complete
 *     once the creator has waited for pid 2.
 */
TEST(pid_1_is_born_first_and_not_of_who_unshared)
{
	struct joiner joiner;
	pid_t helper, second;
	int ns;

	require_privilege(_metadata);
	sync_open(_metadata, joiner.go);
	sync_open(_metadata, joiner.made);
	helper = child_run(_metadata, join_and_fork, &joiner);

	unshare_pidns(_metadata);
	ns = ns_open(0, DEFAULT);
	ASSERT_LE(0, ns);
	sync_post(_metadata, joiner.go);
	sync_wait(_metadata, joiner.made);
	second = race_to_fork(_metadata).child;
	ASSERT_LT(0, second);
	EXPECT_EQ(2, ioctl(ns, NS_GET_PID_IN_PIDNS, second));

	sync_post(_metadata, joiner.go);
	assert_killed(_metadata, second, SIGKILL);
	assert_exited_ok(_metadata, helper);
	EXPECT_EQ(-1, clone3_fork(0));
	EXPECT_EQ(ENOMEM, errno);
}

/*
 * A first fork that fails leaves nothing: the next one is pid 1. It fails
 * before its pid is there (pid 1 was not asked for: EINVAL) and after (its
 * pidfd cannot be stored: EFAULT).
 */
TEST(failed_first_fork_leaves_pid_1_to_the_next)
{
	pid_t want_2[] = { 2 };
	struct __clone_args before = {
		.exit_signal = SIGCHLD,
		.set_tid = ptr_to_u64(want_2),
		.set_tid_size = ARRAY_SIZE(want_2),
	};
	struct __clone_args after = {
		.flags = CLONE_PIDFD,
		.exit_signal = SIGCHLD,
		.pidfd = 1,
	};
	int ns;
	pid_t child;

	require_privilege(_metadata);
	unshare_pidns(_metadata);
	ns = ns_open(0, DEFAULT);
	ASSERT_LE(0, ns);

	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(-1, sys_clone3(&before, sizeof(before)));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(-1, sys_clone3(&after, sizeof(after)));
		EXPECT_EQ(EFAULT, errno);
	}
	child = child_hold(_metadata, 0);
	ASSERT_LT(0, child);
	EXPECT_EQ(1, ioctl(ns, NS_GET_PID_IN_PIDNS, child));
	child_kill(_metadata, child);
}

TEST_HARNESS_MAIN
