// SPDX-License-Identifier: GPL-2.0
/*
 * reboot(2) of a task in a namespace below the initial one is the end of that
 * namespace: its pid 1 is killed, and the status that the creator reads tells
 * the command.
 */
#define _GNU_SOURCE
#include <linux/reboot.h>

#include "pidns.h"

/* Who may call reboot(2) here: nobody in the namespace of the harness. */
static __u64 harness_ns;

static void __attribute__((constructor)) find_harness(void)
{
	harness_ns = task_ns_id(0, ACTIVE);
}

/* Calls reboot(2), if that cannot be the end of the machine. */
static int reboot_ns(struct __test_metadata *const _metadata, unsigned int cmd)
{
	__u64 active = task_ns_id(0, ACTIVE);

	ASSERT_NE(0ULL, active);
	ASSERT_NE(0ULL, harness_ns);
	ASSERT_NE(harness_ns, active);
	ASSERT_NE((__u64)PID_NS_INIT_ID, active);
	return syscall(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		       cmd, NULL);
}

static void call_reboot(struct __test_metadata *const _metadata, void *arg)
{
	const unsigned int *cmd = arg;

	reboot_ns(_metadata, *cmd);
	TH_LOG("reboot: %s", strerror(errno));
	_exit(KSFT_FAIL);
}

/* Pid 1, a member of whose namespace calls reboot(2). */
static void have_rebooter(struct __test_metadata *const _metadata, void *arg)
{
	child_run(_metadata, call_reboot, arg);
	for (;;)
		pause();
}

FIXTURE(reboot)
{
};

FIXTURE_VARIANT(reboot)
{
	unsigned int cmd;
	int sig;
};

FIXTURE_VARIANT_ADD(reboot, restart) {
	.cmd = LINUX_REBOOT_CMD_RESTART, .sig = SIGHUP,
};

FIXTURE_VARIANT_ADD(reboot, restart2) {
	.cmd = LINUX_REBOOT_CMD_RESTART2, .sig = SIGHUP,
};

FIXTURE_VARIANT_ADD(reboot, halt) {
	.cmd = LINUX_REBOOT_CMD_HALT, .sig = SIGINT,
};

FIXTURE_VARIANT_ADD(reboot, power_off) {
	.cmd = LINUX_REBOOT_CMD_POWER_OFF, .sig = SIGINT,
};

FIXTURE_SETUP(reboot)
{
	require_privilege(_metadata);
	unshare_pidns(_metadata);
}

FIXTURE_TEARDOWN(reboot)
{
}

/*
 * SIGHUP is for a restart, SIGINT for a halt and a power-off, when pid 1 itself
 * calls reboot(2).
 *
 * 1. The creator unshares and forks pid 1, which calls reboot(2).
 * 2. The creator reads the status of pid 1, and cannot fork there any more.
 */
TEST_F(reboot, by_pid_1_ends_its_namespace_with_the_signal_of_the_command)
{
	unsigned int cmd = variant->cmd;
	pid_t pid = child_run(_metadata, call_reboot, &cmd);

	assert_killed(_metadata, pid, variant->sig);
	pid = child_hold(_metadata, 0);
	EXPECT_EQ(-1, pid);
	EXPECT_EQ(ENOMEM, errno);
}

/*
 * It is the same when another member of the namespace does.
 *
 * 1. The creator unshares and forks pid 1; the child of pid 1 calls reboot(2).
 * 2. The creator reads the status of pid 1.
 */
TEST_F(reboot, by_a_member_ends_its_namespace_with_the_signal_of_the_command)
{
	unsigned int cmd = variant->cmd;
	pid_t pid = child_run(_metadata, have_rebooter, &cmd);

	assert_killed(_metadata, pid, variant->sig);
}

/*
 * It ends the namespace of the caller alone: a sibling and the creator go on.
 *
 * 1. The creator unshares, forks pid 1, and makes a sibling with CLONE_NEWPID.
 * 2. A member of the first calls reboot(2), and pid 1 of the first is gone.
 * 3. Pid 1 of the sibling lives.
 */
TEST_F(reboot, leaves_the_sibling_alone)
{
	unsigned int cmd = variant->cmd;
	pid_t sibling, pid;
	int idle[2];

	sync_open(_metadata, idle);
	sibling = child_run_flags(_metadata, CLONE_NEWPID, child_idle, idle);
	ASSERT_LT(0, sibling) {
		TH_LOG("clone3: %s", strerror(errno));
	}
	pid = child_run(_metadata, have_rebooter, &cmd);
	assert_killed(_metadata, pid, variant->sig);
	sync_post(_metadata, idle);
	assert_exited_ok(_metadata, sibling);
}

static void reboot_below(struct __test_metadata *const _metadata, void *arg)
{
	pid_t pid, other;

	unshare_pidns(_metadata);
	pid = child_run(_metadata, have_rebooter, arg);
	assert_killed(_metadata, pid, SIGHUP);

	unshare_pidns(_metadata);
	other = child_hold(_metadata, 0);
	EXPECT_LT(0, other);
	child_kill(_metadata, other);
}

/*
 * It does not reach the namespace above: its pid 1 goes on, and unshares again.
 *
 * 1. A pid 1 unshares and forks a pid 1 below.
 * 2. A member of the lower one calls reboot(2): the upper pid 1 reads SIGHUP.
 * 3. The upper pid 1 unshares, and its next child lives.
 */
TEST(reboot_leaves_the_namespace_above_alone)
{
	unsigned int cmd = LINUX_REBOOT_CMD_RESTART;
	pid_t pid;

	require_privilege(_metadata);
	pid = child_run_flags(_metadata, CLONE_NEWPID, reboot_below, &cmd);
	ASSERT_LT(0, pid);
	assert_exited_ok(_metadata, pid);
}

struct two_levels {
	unsigned int cmd;
	/* Each who lives has the writing end. */
	int alive[2];
};

/* Pid 1 of the upper namespace, a creator, has a member of the lower one. */
static void reboot_active(struct __test_metadata *const _metadata, void *arg)
{
	struct two_levels *levels = arg;

	unshare_pidns(_metadata);
	/* Nothing but the end of the namespace above ends it. */
	child_run(_metadata, child_stay, NULL);
	ASSERT_NE(task_ns_id(0, ACTIVE), task_ns_id(0, DEFAULT));
	call_reboot(_metadata, &levels->cmd);
}

/*
 * The creator of a namespace stands outside of it: its reboot(2) is that of its
 * active namespace, not that of its default one. What is below ends with it.
 *
 * 1. A pid 1 unshares and forks a pid 1 below.
 * 2. It calls reboot(2): it ends with SIGHUP, and so does the lower one.
 */
TEST(reboot_by_a_creator_ends_its_active_namespace)
{
	struct two_levels levels = { .cmd = LINUX_REBOOT_CMD_RESTART };
	char byte;
	pid_t pid;

	require_privilege(_metadata);
	sync_open(_metadata, levels.alive);
	pid = child_run_flags(_metadata, CLONE_NEWPID, reboot_active, &levels);
	ASSERT_LT(0, pid);
	assert_killed(_metadata, pid, SIGHUP);
	close(levels.alive[1]);
	EXPECT_EQ(0, read_nointr(levels.alive[0], &byte, 1));
}

static void expect_refused(struct __test_metadata *const _metadata,
			   unsigned int cmd, int err)
{
	EXPECT_EQ(-1, reboot_ns(_metadata, cmd));
	EXPECT_EQ(err, errno) {
		TH_LOG("reboot(%#x): %s", cmd, strerror(errno));
	}
}

static void try_other_commands(struct __test_metadata *const _metadata,
			       void *arg __maybe_unused)
{
	expect_refused(_metadata, LINUX_REBOOT_CMD_CAD_ON, EINVAL);
	expect_refused(_metadata, LINUX_REBOOT_CMD_CAD_OFF, EINVAL);
	expect_refused(_metadata, LINUX_REBOOT_CMD_SW_SUSPEND, EINVAL);
	expect_refused(_metadata, LINUX_REBOOT_CMD_KEXEC, EINVAL);
	expect_refused(_metadata, 0x12345678, EINVAL);
}

/*
 * What does not make sense for a namespace is refused with EINVAL, and nobody
 * is killed.
 *
 * 1. A pid 1 tries Ctrl-Alt-Del on and off, suspend, kexec, and nonsense.
 * 2. It lives to tell.
 */
TEST(reboot_refuses_the_other_commands_with_einval)
{
	pid_t pid;

	require_privilege(_metadata);
	pid = child_run_flags(_metadata, CLONE_NEWPID, try_other_commands, NULL);
	ASSERT_LT(0, pid);
	assert_exited_ok(_metadata, pid);
}

static void try_without_privilege(struct __test_metadata *const _metadata,
				  void *arg __maybe_unused)
{
	drop_privilege(_metadata);
	expect_refused(_metadata, LINUX_REBOOT_CMD_RESTART, EPERM);
	expect_refused(_metadata, LINUX_REBOOT_CMD_CAD_ON, EPERM);
}

static void try_from_userns(struct __test_metadata *const _metadata,
			    void *arg __maybe_unused)
{
	ASSERT_EQ(0, enter_userns(_metadata)) {
		TH_LOG("user namespace: %s", strerror(errno));
	}
	expect_refused(_metadata, LINUX_REBOOT_CMD_RESTART, EPERM);
	/* Nor does it help to own the default namespace. */
	unshare_pidns(_metadata);
	expect_refused(_metadata, LINUX_REBOOT_CMD_RESTART, EPERM);
}

/*
 * It takes CAP_SYS_BOOT in the user namespace that owns the active pid
 * namespace: who has none, or has it in a younger user namespace only, gets
 * EPERM.
 *
 * 1. A pid 1 gives up its privilege, and calls reboot(2).
 * 2. Another one enters a user namespace, and calls reboot(2), before an
 *    unshare and after it.
 */
TEST(reboot_without_privilege_over_the_owner_is_refused_with_eperm)
{
	pid_t pid;

	require_privilege(_metadata);
	require_userns(_metadata);
	pid = child_run_flags(_metadata, CLONE_NEWPID, try_without_privilege,
			      NULL);
	ASSERT_LT(0, pid);
	assert_exited_ok(_metadata, pid);
	pid = child_run_flags(_metadata, CLONE_NEWPID, try_from_userns, NULL);
	ASSERT_LT(0, pid);
	assert_exited_ok(_metadata, pid);
}

TEST_HARNESS_MAIN
