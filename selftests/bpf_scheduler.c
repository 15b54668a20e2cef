// SPDX-License-Identifier: GPL-2.0
/*
 * While a BPF scheduler is loaded or unloaded nobody can fork, and clone(2)
 * keeps it from being loaded. So who makes a pid namespace at the limit may not
 * wait there for those that have ended.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/wait.h>

#include "pidns.h"
#include "bpf_scheduler.h"

#define TASKS 8
#define SWITCHES 20

FIXTURE(bpf_scheduler)
{
	bool *end;
	struct bpf_scheduler scheduler;
	bool is_loaded;
};

FIXTURE_SETUP(bpf_scheduler)
{
	self->end = mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->end);
}

/* A scheduler that is loaded outlives who has loaded it. */
FIXTURE_TEARDOWN(bpf_scheduler)
{
	if (self->is_loaded)
		bpf_scheduler_unload(&self->scheduler);
}

static void live_and_die(struct __test_metadata *const _metadata, void *arg)
{
	pid_t pid;

	die_with_parent(_metadata);
	while (!__atomic_load_n((bool *)arg, __ATOMIC_SEQ_CST)) {
		pid = clone_fork(CLONE_NEWPID);
		ASSERT_LE(0, pid) {
			TH_LOG("clone: %s", strerror(errno));
		}
		if (!pid)
			_exit(0);
		assert_exited_ok(_metadata, pid);
	}
}

/* Makes pid namespaces by some tasks, of whom each has to wait for the next. */
static void live_and_die_at_the_limit(struct __test_metadata *const _metadata,
				      void *arg)
{
	pid_t pids[TASKS];
	int i;

	die_with_parent(_metadata);
	ASSERT_EQ(0, limit_pidns(_metadata, TASKS));
	for (i = 0; i < TASKS; i++)
		pids[i] = child_run(_metadata, live_and_die, arg);
	for (i = 0; i < TASKS; i++)
		assert_exited_ok(_metadata, pids[i]);
}

/*
 * 1. Eight tasks make a namespace after the other, at a limit of eight.
 * 2. The caller loads a scheduler, forks, unloads it, and that 20 times.
 */
TEST_F(bpf_scheduler, comes_and_goes_while_tasks_wait_at_the_limit)
{
	struct bpf_scheduler *scheduler = &self->scheduler;
	pid_t pid;
	int i;

	require_root(_metadata, "a BPF scheduler");
	require_userns(_metadata);
	if (bpf_scheduler_open(scheduler)) {
		ASSERT_EQ(ENOENT, errno);
		SKIP(return, "the kernel has no BPF schedulers");
	}
	pid = child_run(_metadata, live_and_die_at_the_limit, self->end);
	for (i = 0; i < SWITCHES; i++) {
		ASSERT_EQ(0, bpf_scheduler_load(scheduler)) {
			TH_LOG("load %d: %s", i, strerror(errno));
		}
		self->is_loaded = true;
		child_kill(_metadata, child_hold(_metadata, 0));
		usleep(100000);
		ASSERT_EQ(0, bpf_scheduler_unload(scheduler)) {
			TH_LOG("unload %d: %s", i, strerror(errno));
		}
		self->is_loaded = false;
		bpf_scheduler_close(scheduler);
		child_kill(_metadata, child_hold(_metadata, 0));
		ASSERT_EQ(0, bpf_scheduler_open(scheduler));
	}
	bpf_scheduler_close(scheduler);
	__atomic_store_n(self->end, true, __ATOMIC_SEQ_CST);
	assert_exited_ok(_metadata, pid);
}

TEST_HARNESS_MAIN
