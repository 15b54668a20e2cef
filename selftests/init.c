// SPDX-License-Identifier: GPL-2.0
/*
 * The first child after unshare(CLONE_NEWPID) is the new namespace's init: no
 * signal from inside harms it, and it is who gets the orphans.
 */
#include <sys/prctl.h>

#include "pidns.h"

#define NR_SIGNALS 64

static void be_pid_1(struct __test_metadata *const _metadata, void *arg)
{
	EXPECT_EQ(1, getpid());
	EXPECT_EQ(1, syscall(__NR_getpid));
	child_idle(_metadata, arg);
}

/*
 * The first child knows itself as 1; from outside its NSpid and NStgid are one
 * number longer than its creator's, and that number is 1.
 */
TEST(first_child_is_pid_1)
{
	long mine[32], its[32];
	int idle[2], nr;
	pid_t init;

	require_privilege(_metadata);
	sync_open(_metadata, idle);
	unshare_pidns(_metadata);
	init = child_run(_metadata, be_pid_1, idle);

	nr = status_numbers(0, "NSpid", mine, ARRAY_SIZE(mine));
	ASSERT_LT(0, nr);
	ASSERT_EQ(nr + 1, status_numbers(init, "NSpid", its, ARRAY_SIZE(its)));
	EXPECT_EQ(1, its[nr]);
	ASSERT_EQ(nr + 1, status_numbers(init, "NStgid", its, ARRAY_SIZE(its)));
	EXPECT_EQ(1, its[nr]);

	sync_post(_metadata, idle);
	assert_exited_ok(_metadata, init);
}

/* Send every signal to pid 1; each call has to succeed. */
static void signal_init(struct __test_metadata *const _metadata, void *arg)
{
	(void)arg;
	ASSERT_NE(1, getpid());
	for (int sig = 1; sig <= NR_SIGNALS; sig++) {
		EXPECT_EQ(0, syscall(__NR_kill, 1, sig)) {
			TH_LOG("signal %d: %s", sig, strerror(errno));
		}
	}
}

static void be_signalled(struct __test_metadata *const _metadata, void *arg)
{
	ASSERT_EQ(1, getpid());
	assert_exited_ok(_metadata, child_run(_metadata, signal_init, arg));
}

/*
 * A child of init sends it every signal, SIGKILL and SIGSTOP among them. No
 * handler is set, so that none arrives: init goes on, waits for that child, and
 * exits as it means to.
 */
TEST(signals_from_inside_do_not_reach_init_without_a_handler)
{
	require_privilege(_metadata);
	unshare_pidns(_metadata);
	assert_exited_ok(_metadata, child_run(_metadata, be_signalled, NULL));
}

/* The same from a child of the creator, which is nobody's child in there. */
TEST(signals_from_a_later_child_do_not_reach_init_without_a_handler)
{
	int idle[2];
	pid_t init;

	require_privilege(_metadata);
	sync_open(_metadata, idle);
	unshare_pidns(_metadata);
	init = child_run(_metadata, child_idle, idle);
	assert_exited_ok(_metadata, child_run(_metadata, signal_init, NULL));
	sync_post(_metadata, idle);
	assert_exited_ok(_metadata, init);
}

static int senders[2];

static void note_sender(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (write(senders[1], &info->si_pid, sizeof(info->si_pid)) < 0)
		_exit(KSFT_FAIL);
}

static void raise_in_init(struct __test_metadata *const _metadata, void *arg)
{
	(void)arg;
	EXPECT_EQ(0, kill(1, SIGUSR1));
}

static void be_handling(struct __test_metadata *const _metadata, void *arg)
{
	struct sigaction action = {
		.sa_sigaction = note_sender,
		.sa_flags = SA_SIGINFO | SA_RESTART,
	};
	pid_t child, sender;

	sync_open(_metadata, senders);
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	child = child_run(_metadata, raise_in_init, arg);
	assert_exited_ok(_metadata, child);
	ASSERT_EQ((ssize_t)sizeof(sender),
		  read_nointr(senders[0], &sender, sizeof(sender)));
	EXPECT_EQ(child, sender);
}

/* With a handler the signal does reach init, and names the sender by its pid. */
TEST(signal_from_inside_reaches_init_with_a_handler)
{
	require_privilege(_metadata);
	unshare_pidns(_metadata);
	assert_exited_ok(_metadata, child_run(_metadata, be_handling, NULL));
}

/*
 *  1. The creator sends init a SIGTERM, for which it has no handler.
 *  2. Init is not harmed: it takes a byte and exits with 0.
 */
TEST(sigterm_from_outside_does_not_reach_init_without_a_handler)
{
	int idle[2];
	pid_t init;

	require_privilege(_metadata);
	sync_open(_metadata, idle);
	unshare_pidns(_metadata);
	init = child_run(_metadata, child_idle, idle);
	EXPECT_EQ(0, kill(init, SIGTERM));
	sync_post(_metadata, idle);
	assert_exited_ok(_metadata, init);
}

/* SIGKILL from the creator ends init. */
TEST(sigkill_from_outside_kills_init)
{
	int idle[2];
	pid_t init;

	require_privilege(_metadata);
	sync_open(_metadata, idle);
	unshare_pidns(_metadata);
	init = child_run(_metadata, child_idle, idle);
	EXPECT_EQ(0, kill(init, SIGKILL));
	assert_killed(_metadata, init, SIGKILL);
}

/* So it does when it is sent by a pidfd. */
TEST(sigkill_by_pidfd_kills_init)
{
	int idle[2], pidfd;
	pid_t init;

	require_privilege(_metadata);
	sync_open(_metadata, idle);
	unshare_pidns(_metadata);
	init = child_run(_metadata, child_idle, idle);
	pidfd = sys_pidfd_open(init, 0);
	ASSERT_LE(0, pidfd);
	EXPECT_EQ(0, sys_pidfd_send_signal(pidfd, SIGKILL, NULL, 0));
	assert_killed(_metadata, init, SIGKILL);
}

/*
 * Who makes the orphan:
 *
 *	creator				creator			creator
 *	  |--------.			  |			  |
 *	  |       init			 init			 init
 *	  |				  |			  |
 *	oddball				parent			grandparent
 *	  |				  |			  |
 *	orphan				orphan			parent
 *								  |
 *	oddball_dies			child_of_init_dies	orphan
 *
 *								grandchild_of_init_dies
 *
 * In each of them the one above the orphan exits, and the orphan's new parent
 * is init. That the creator is a subreaper makes no difference.
 */
enum above { ODDBALL, CHILD_OF_INIT, GRANDCHILD_OF_INIT };

struct family {
	enum above above;
	int go[2];	/* To the orphan: the one above has been waited for. */
	int moved[2];	/* From the orphan: it has seen its new parent. */
};

/* What the orphan exits with, for init to know it by. */
#define ORPHANED 42

FIXTURE(orphan) {
	struct family family;
};

FIXTURE_VARIANT(orphan) {
	enum above above;
	int subreaper;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(orphan, oddball_dies) { ODDBALL, 0 };
FIXTURE_VARIANT_ADD(orphan, oddball_of_a_subreaper_dies) { ODDBALL, 1 };
FIXTURE_VARIANT_ADD(orphan, child_of_init_dies) { CHILD_OF_INIT, 0 };
FIXTURE_VARIANT_ADD(orphan, child_of_init_of_a_subreaper_dies) { CHILD_OF_INIT, 1 };
FIXTURE_VARIANT_ADD(orphan, grandchild_of_init_dies) { GRANDCHILD_OF_INIT, 0 };
/* clang-format on */

FIXTURE_SETUP(orphan)
{
	require_privilege(_metadata);
	self->family.above = variant->above;
	sync_open(_metadata, self->family.go);
	sync_open(_metadata, self->family.moved);
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, variant->subreaper));
	unshare_pidns(_metadata);
}

FIXTURE_TEARDOWN(orphan)
{
}

static void be_parent(struct __test_metadata *const _metadata, void *arg)
{
	struct family *family = arg;
	pid_t above = getpid();
	pid_t orphan = fork();

	ASSERT_LE(0, orphan);
	if (orphan)
		return;
	sync_wait(_metadata, family->go);
	EXPECT_NE(1, above);
	EXPECT_EQ(1, getppid());
	sync_post(_metadata, family->moved);
	_exit(_metadata->exit_code ?: ORPHANED);
}

/* Make the orphan's parent, wait for it, and tell the orphan. */
static void be_grandparent(struct __test_metadata *const _metadata, void *arg)
{
	struct family *family = arg;

	assert_exited_ok(_metadata, child_run(_metadata, be_parent, family));
	sync_post(_metadata, family->go);
}

static void be_reaper(struct __test_metadata *const _metadata, void *arg)
{
	struct family *family = arg;
	int status = -1;

	die_with_parent(_metadata);
	ASSERT_EQ(1, getpid());
	if (family->above == CHILD_OF_INIT)
		be_grandparent(_metadata, family);
	if (family->above == GRANDCHILD_OF_INIT)
		assert_exited_ok(_metadata,
				 child_run(_metadata, be_grandparent, family));

	sync_wait(_metadata, family->moved);
	ASSERT_LT(1, wait(&status));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(ORPHANED, WEXITSTATUS(status));
	EXPECT_EQ(-1, wait(&status));
	EXPECT_EQ(ECHILD, errno);
}

/*
 *  1. The creator makes init, and the variant's tree.
 *  2. The orphan's parent exits and is waited for; the orphan is told.
 *  3. The orphan's parent reads as 1.
 *  4. Init waits for the orphan, and has no other child.
 *  5. Neither has the creator.
 */
TEST_F(orphan, goes_to_init_and_not_to_the_creator)
{
	pid_t init = child_run(_metadata, be_reaper, &self->family);

	if (variant->above == ODDBALL)
		be_grandparent(_metadata, &self->family);
	assert_exited_ok(_metadata, init);
	EXPECT_EQ(-1, wait(NULL));
	EXPECT_EQ(ECHILD, errno);
}

TEST_HARNESS_MAIN
