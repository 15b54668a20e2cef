// SPDX-License-Identifier: GPL-2.0
/*
 * The file kernel.pid_max comes to be when it is first looked up in a pid
 * namespace. Who opens it gets the limit of the active namespace, and keeps
 * that one, wherever the open file goes.
 */
#define _GNU_SOURCE
#include <grp.h>

#include "pidns.h"

#define KERNEL	"/proc/sys/kernel"
#define PID_MAX	KERNEL "/pid_max"

#define FILE_OF_OTHER	100

static int open_pid_max(struct __test_metadata *const _metadata)
{
	int fd = open(PID_MAX, O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd) {
		TH_LOG("%s: %s", PID_MAX, strerror(errno));
	}
	return fd;
}

/* The limit that @fd is bound to, or -1 and errno. */
static long pid_max_of(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		return -1;
	return atol(text);
}

/* Lowers it, or returns -1 and errno. */
static int set_pid_max(int fd, const char *text)
{
	return pwrite(fd, text, strlen(text), 0) < 0 ? -1 : 0;
}

static long own_pid_max(struct __test_metadata *const _metadata)
{
	int fd = open_pid_max(_metadata);
	long val = pid_max_of(fd);

	close(fd);
	return val;
}

/* The file @fd of the task @pid, which has stopped. */
static int take_file(struct __test_metadata *const _metadata, pid_t pid, int fd)
{
	int pidfd = sys_pidfd_open(pid, 0);
	int taken;

	ASSERT_LE(0, pidfd);
	taken = syscall(__NR_pidfd_getfd, pidfd, fd, 0);
	ASSERT_LE(0, taken) {
		TH_LOG("pidfd_getfd: %s", strerror(errno));
	}
	close(pidfd);
	return taken;
}

/*
 * Starts a pid 1, by clone3(@flags), that has opened its file as @fd and waits
 * to be killed.
 */
static pid_t start_owner(struct __test_metadata *const _metadata, __u64 flags,
			 int fd)
{
	int ready[2];
	pid_t pid;

	sync_open(_metadata, ready);
	pid = clone3_fork(CLONE_NEWPID | flags);
	ASSERT_LE(0, pid) {
		TH_LOG("clone3: %s", strerror(errno));
	}
	if (!pid) {
		die_with_parent(_metadata);
		ASSERT_EQ(fd, dup2(open_pid_max(_metadata), fd));
		sync_post(_metadata, ready);
		for (;;)
			pause();
	}
	sync_wait(_metadata, ready);
	return pid;
}

static void use_file_of_outside(struct __test_metadata *const _metadata,
				void *arg)
{
	int outside = *(int *)arg;

	EXPECT_EQ(5000, pid_max_of(outside));
	EXPECT_EQ(PID_MAX_START, own_pid_max(_metadata));
	EXPECT_EQ(5000, pid_max_of(outside));
	EXPECT_EQ(0, set_pid_max(outside, "6000"));
	EXPECT_EQ(6000, pid_max_of(outside));
	EXPECT_EQ(PID_MAX_START, own_pid_max(_metadata));
}

static void hand_file_down(struct __test_metadata *const _metadata,
			   void *arg __maybe_unused)
{
	int fd = open_pid_max(_metadata);

	ASSERT_EQ(0, set_pid_max(fd, "5000"));
	unshare_pidns(_metadata);
	assert_exited_ok(_metadata, child_run(_metadata, use_file_of_outside, &fd));
	EXPECT_EQ(6000, pid_max_of(fd));
	EXPECT_EQ(6000, own_pid_max(_metadata));
}

/*
 * 1. The caller, a pid 1, opens its file, lowers the limit to 5000, unshares,
 *    and forks.
 * 2. The child inherits the file. It reads 5000 there, before and after it has
 *    looked up its own, and writes 6000: that is the caller's limit, not its
 *    own.
 */
TEST(file_that_was_opened_outside_stays_bound_to_the_outside)
{
	pid_t pid;

	require_privilege(_metadata);
	pid = child_run_flags(_metadata, CLONE_NEWPID, hand_file_down, NULL);
	ASSERT_LT(0, pid);
	assert_exited_ok(_metadata, pid);
}

static void echo_into(struct __test_metadata *const _metadata, void *arg)
{
	ASSERT_EQ(STDOUT_FILENO, dup2(*(int *)arg, STDOUT_FILENO));
	execl("/bin/echo", "echo", "7000", NULL);
	_exit(127);
}

/*
 * The other way round, which would be a confused deputy: a namespace that
 * nobody trusts hands its file to a privileged program outside, as its standard
 * output. What that writes is the limit of the namespace that opened it.
 */
TEST(file_handed_to_a_privileged_writer_is_the_limit_of_who_opened_it)
{
	char text[16];
	long outside;
	pid_t owner;
	int fd;

	require_root(_metadata, "to be the privileged one");
	require_userns(_metadata);
	outside = own_pid_max(_metadata);
	owner = start_owner(_metadata, CLONE_NEWUSER, 100);
	fd = take_file(_metadata, owner, 100);
	EXPECT_EQ(PID_MAX_START, pid_max_of(fd));

	assert_exited_ok(_metadata, child_run(_metadata, echo_into, &fd));
	EXPECT_EQ(7000, pid_max_of(fd));
	EXPECT_EQ(outside, own_pid_max(_metadata)) {
		/* The machine's own, which others need. */
		snprintf(text, sizeof(text), "%ld", outside);
		proc_write("/proc/sys/kernel/pid_max", text);
	}
	child_kill(_metadata, owner);
}

/*
 * An open file does not keep the namespace.
 *
 * 1. The caller takes the file of a pid 1, and reads the limit.
 * 2. The pid 1 dies, and the namespace is freed: it does not count against the
 *    limit of its owner any more.
 * 3. The file gives ENOENT.
 */
TEST(file_of_a_freed_namespace_gives_ENOENT)
{
	pid_t owner;
	int fd, i;

	require_privilege(_metadata);
	owner = start_owner(_metadata, 0, 100);
	fd = take_file(_metadata, owner, 100);
	EXPECT_EQ(PID_MAX_START, pid_max_of(fd));
	child_kill(_metadata, owner);
	for (i = 0; i < 10000 && pid_max_of(fd) >= 0; i++)
		usleep(1000);
	EXPECT_EQ(-1, pid_max_of(fd));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(-1, set_pid_max(fd, "5000"));
	EXPECT_EQ(ENOENT, errno);
}

struct race {
	int go[2];
	int done[2];
	int again[2];
};

static void look_up_at_once(struct __test_metadata *const _metadata, void *arg)
{
	struct race *race = arg;
	char byte;
	int fd;

	close(race->go[1]);
	close(race->again[1]);
	ASSERT_EQ(0, read(race->go[0], &byte, 1));
	/* Look-ups in one directory wait for each other; listings do not. */
	if (getpid() % 2)
		EXPECT_EQ(1, dir_lists(KERNEL, "pid_max"));
	fd = open_pid_max(_metadata);
	EXPECT_EQ(PID_MAX_START, pid_max_of(fd));
	sync_post(_metadata, race->done);
	ASSERT_EQ(0, read(race->again[0], &byte, 1));
	EXPECT_EQ(5000, pid_max_of(fd));
	EXPECT_EQ(5000, own_pid_max(_metadata));
}

static void race_for_it(struct __test_metadata *const _metadata,
			void *arg __maybe_unused)
{
	pid_t pids[16];
	struct race race;
	int i, fd;

	sync_open(_metadata, race.go);
	sync_open(_metadata, race.done);
	sync_open(_metadata, race.again);
	for (i = 0; i < 16; i++)
		pids[i] = child_run(_metadata, look_up_at_once, &race);
	/* Each reads the end of file at once. */
	close(race.go[1]);
	for (i = 0; i < 16; i++) {
		char byte;

		ASSERT_EQ(1, read(race.done[0], &byte, 1));
	}
	fd = open_pid_max(_metadata);
	EXPECT_EQ(0, set_pid_max(fd, "5000"));
	close(race.again[1]);
	for (i = 0; i < 16; i++)
		assert_exited_ok(_metadata, pids[i]);
}

/*
 * 1. Sixteen children of a pid 1 look the file up at the same time, the first
 *    time that anybody does so in this namespace, and again for 20 namespaces.
 * 2. The pid 1 lowers the limit: each sees it, in the file that it has open and
 *    in a new one.
 */
TEST(first_lookups_at_the_same_time_find_the_same_limit)
{
	int i;

	require_privilege(_metadata);
	for (i = 0; i < 20; i++) {
		pid_t pid = child_run_flags(_metadata, CLONE_NEWPID, race_for_it,
					    NULL);

		ASSERT_LT(0, pid);
		assert_exited_ok(_metadata, pid);
	}
}

static void expect_listed_as_own(struct __test_metadata *const _metadata,
				 void *arg __maybe_unused)
{
	struct stat st;

	EXPECT_EQ(1, dir_lists(KERNEL, "pid_max"));
	ASSERT_EQ(0, stat(PID_MAX, &st));
	EXPECT_EQ(geteuid(), st.st_uid);
	EXPECT_EQ(getegid(), st.st_gid);
	EXPECT_EQ(0644, st.st_mode & 07777);
}

/*
 * 1. A pid 1, who has a user namespace of its own as well, lists the directory
 *    before anybody has looked up the file: it is there.
 * 2. The file belongs to the root of that user namespace.
 */
TEST(listing_shows_the_file_before_anybody_has_opened_it)
{
	pid_t pid;

	require_privilege(_metadata);
	require_userns(_metadata);
	ASSERT_EQ(0, enter_userns(_metadata));
	pid = child_run_flags(_metadata, CLONE_NEWPID, expect_listed_as_own, NULL);
	ASSERT_LT(0, pid);
	assert_exited_ok(_metadata, pid);
}

static void write_through_old_proc(struct __test_metadata *const _metadata,
				   void *arg __maybe_unused)
{
	int fd = open_pid_max(_metadata);

	EXPECT_EQ(0, set_pid_max(fd, "5000"));
	EXPECT_EQ(5000, own_pid_max(_metadata));
}

/*
 * It does not matter when and where the procfs was mounted: a pid 1 who is root
 * of a user namespace of its own sets its limit through that of the outside,
 * where somebody has looked up the file before.
 */
TEST(limit_can_be_set_through_a_proc_that_was_mounted_before)
{
	long outside;
	pid_t pid;

	require_privilege(_metadata);
	require_userns(_metadata);
	outside = own_pid_max(_metadata);
	ASSERT_EQ(0, enter_userns(_metadata));
	pid = child_run_flags(_metadata, CLONE_NEWPID, write_through_old_proc, NULL);
	ASSERT_LT(0, pid);
	assert_exited_ok(_metadata, pid);
	EXPECT_EQ(outside, pid_max_of(open(PID_MAX, O_RDONLY)));
}

static void expect_no_permission(struct __test_metadata *const _metadata,
				 void *arg __maybe_unused)
{
	ASSERT_EQ(0, enter_userns(_metadata));
	EXPECT_EQ(PID_MAX_START, pid_max_of(open(PID_MAX, O_RDONLY)));
	EXPECT_EQ(-1, open(PID_MAX, O_WRONLY));
	EXPECT_EQ(EACCES, errno);
}

/*
 * Who owns the namespace may write, and nobody below: a pid 1 that has entered
 * a user namespace can read its limit and not set it.
 */
TEST(write_takes_the_owner_of_the_active_namespace)
{
	pid_t pid;

	/* A second user, for the one who asks is not to own the file. */
	require_root(_metadata, "to become somebody else");
	require_userns(_metadata);
	pid = clone3_fork(CLONE_NEWPID);
	ASSERT_LE(0, pid);
	if (!pid) {
		ASSERT_EQ(0, setresgid(65534, 65534, 65534));
		ASSERT_EQ(0, setresuid(65534, 65534, 65534));
		/* What the change of ids took away: to write its own maps. */
		ASSERT_EQ(0, prctl(PR_SET_DUMPABLE, 1));
		expect_no_permission(_metadata, NULL);
		child_end(_metadata);
	}
	assert_exited_ok(_metadata, pid);
}

/* Opens the file as root of its user namespace, and keeps nothing of it but the group. */
static void read_in_the_group(struct __test_metadata *const _metadata, void *mapped)
{
	struct stat st;
	int fd;

	sync_wait(_metadata, mapped);
	ASSERT_EQ(0, setresgid(0, 0, 0));
	ASSERT_EQ(0, setgroups(0, NULL));
	ASSERT_EQ(0, setresuid(0, 0, 0));
	fd = open_pid_max(_metadata);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(0, st.st_gid);

	ASSERT_EQ(0, setresuid(1, 1, 1));
	EXPECT_EQ(PID_MAX_START, pid_max_of(fd));
	EXPECT_EQ(-1, set_pid_max(fd, "5000"));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(PID_MAX_START, pid_max_of(open(PID_MAX, O_RDONLY)));
	EXPECT_EQ(-1, open(PID_MAX, O_WRONLY));
	EXPECT_EQ(EACCES, errno);
}

static void map_ids(struct __test_metadata *const _metadata, pid_t pid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	ASSERT_EQ(0, proc_write(path, "0 100000 2")) {
		TH_LOG("%s: %s", path, strerror(errno));
	}
}

/*
 * To be in the group of the owner is not to be the owner.
 *
 * 1. A pid 1 is root of a user namespace with two users: the file is its own.
 * 2. It becomes the other user, without privilege, and stays in the group of the
 *    first: it can read the limit, and not set it, by a file that it opened
 *    before either.
 */
TEST(group_of_the_owner_may_read_and_not_write)
{
	int mapped[2];
	pid_t pid;

	require_root(_metadata, "to map two users");
	sync_open(_metadata, mapped);
	pid = child_run_flags(_metadata, CLONE_NEWUSER | CLONE_NEWPID, read_in_the_group, mapped);
	if (pid < 0)
		SKIP(return, "no user namespaces: %s", strerror(errno));
	map_ids(_metadata, pid, "uid_map");
	map_ids(_metadata, pid, "gid_map");
	sync_post(_metadata, mapped);
	assert_exited_ok(_metadata, pid);
}

/* Becomes somebody else, and writes to a file that appears in its table of files. */
static void __noreturn write_without_permission(struct __test_metadata *const _metadata,
						int go[2])
{
	ASSERT_EQ(0, setresgid(65534, 65534, 65534));
	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	sync_wait(_metadata, go);
	EXPECT_EQ(-1, set_pid_max(FILE_OF_OTHER, "400"));
	EXPECT_EQ(EPERM, errno);
	child_end(_metadata);
}

/*
 * Who may write is asked when it comes to that, too.
 *
 * 1. A process that may not write shares a table of files with the caller.
 * 2. So does a pid 1, which opens the file. The process is refused to write to it.
 * 3. The file does not stay in use: once pid 1 has ended, the namespace is freed,
 *    and there is room for the next one.
 */
TEST(write_that_is_refused_does_not_keep_the_namespace)
{
	pid_t other, pid;
	int go[2];

	require_root(_metadata, "to become somebody else");
	require_userns(_metadata);
	sync_open(_metadata, go);
	other = clone_fork(CLONE_FILES);
	ASSERT_LE(0, other);
	if (!other)
		write_without_permission(_metadata, go);

	ASSERT_EQ(0, limit_pidns(_metadata, 1));
	pid = clone_fork(CLONE_NEWPID | CLONE_FILES);
	ASSERT_LE(0, pid);
	if (!pid) {
		ASSERT_EQ(FILE_OF_OTHER, dup2(open_pid_max(_metadata), FILE_OF_OTHER));
		sync_post(_metadata, go);
		for (;;)
			pause();
	}
	assert_exited_ok(_metadata, other);
	child_kill(_metadata, pid);
	for (int fd = go[1] + 1; fd <= FILE_OF_OTHER; fd++)
		close(fd);
	ASSERT_EQ(0, unshare_when_freed());
}

static void look_up_until_killed(struct __test_metadata *const _metadata,
				 void *arg __maybe_unused)
{
	for (;;)
		close(open_pid_max(_metadata));
}

static void exit_while_they_look_up(struct __test_metadata *const _metadata,
				    void *arg __maybe_unused)
{
	int i;

	for (i = 0; i < 4; i++)
		child_run(_metadata, look_up_until_killed, NULL);
	sched_yield();
}

/*
 * 1. A pid 1 forks four children, who look up the file all the time, and exits
 *    at once, a hundred times.
 * 2. All of the namespaces are freed: then there is room for a new one, although
 *    the owner may have no more than three.
 */
TEST(lookup_may_race_with_the_end_of_the_namespace)
{
	int i;

	require_privilege(_metadata);
	if (limit_pidns(_metadata, 3))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	for (i = 0; i < 100; i++) {
		pid_t pid;

		ASSERT_EQ(0, unshare_when_freed());
		pid = child_run(_metadata, exit_while_they_look_up, NULL);
		assert_exited_ok(_metadata, pid);
	}
}

TEST_HARNESS_MAIN
