// SPDX-License-Identifier: GPL-2.0
/*
 * Wherever a task of the new namespace is shown the pid of the one that made
 * it, it reads 0: the creator has no pid there. The creator sees the pids that
 * its children have in its own namespace.
 *
 *	creator				creator ---.
 *	----|----			----|------|-----
 *	  asker (1)			  init   asker (2)
 *
 *	as_init				as_oddball
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "pidns.h"

FIXTURE(asker) {
	int idle[2];	/* Init's, where that is not the asker. */
	pid_t init;
	pid_t creator;
};

FIXTURE_VARIANT(asker) {
	pid_t pid;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(asker, as_init) { .pid = 1 };
FIXTURE_VARIANT_ADD(asker, as_oddball) { .pid = 2 };
/* clang-format on */

FIXTURE_SETUP(asker)
{
	require_privilege(_metadata);
	self->creator = getpid();
	sync_open(_metadata, self->idle);
	unshare_pidns(_metadata);
	if (variant->pid != 1)
		self->init = child_run(_metadata, child_idle, self->idle);
}

FIXTURE_TEARDOWN(asker)
{
	if (self->init) {
		sync_post(_metadata, self->idle);
		assert_exited_ok(_metadata, self->init);
	}
}

static pid_t peer_pid(int sock)
{
	struct ucred cred = { .pid = -1 };
	socklen_t len = sizeof(cred);

	return getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) ?
		       -1 : cred.pid;
}

static void ask_peercred(struct __test_metadata *const _metadata, void *arg)
{
	const int *pair = arg;
	int own[2];

	EXPECT_EQ(0, peer_pid(pair[1]));

	/* A peer of the namespace has its pid, of course. */
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, own));
	EXPECT_EQ(getpid(), peer_pid(own[0]));
}

/* SO_PEERCRED of a socket whose other end the creator made. */
TEST_F(asker, so_peercred_shows_the_creator_as_0)
{
	int pair[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_EQ(self->creator, peer_pid(pair[1]));
	assert_exited_ok(_metadata, child_run(_metadata, ask_peercred, pair));
}

/* Take one message, and return the pid that SCM_CREDENTIALS says it is from. */
static pid_t message_from(int sock)
{
	char byte, control[CMSG_SPACE(sizeof(struct ucred))] = {};
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	struct ucred cred;

	if (TEMP_FAILURE_RETRY(recvmsg(sock, &msg, 0)) != 1)
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_CREDENTIALS)
		return -1;
	memcpy(&cred, CMSG_DATA(cmsg), sizeof(cred));
	return cred.pid;
}

static void ask_scm(struct __test_metadata *const _metadata, void *arg)
{
	const int *pair = arg;

	die_with_parent(_metadata);
	EXPECT_EQ(0, message_from(pair[1]));
	EXPECT_EQ(1, write_nointr(pair[1], ".", 1));
}

/*
 *  1. The creator sends a byte; the asker reads from SCM_CREDENTIALS: pid 0.
 *  2. The asker sends one; the creator reads the asker's pid outside.
 */
TEST_F(asker, scm_credentials_show_the_creator_as_0)
{
	int pair[2], on = 1;
	pid_t child;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, setsockopt(pair[i], SOL_SOCKET, SO_PASSCRED, &on,
					sizeof(on)));
	child = child_run(_metadata, ask_scm, pair);
	ASSERT_EQ(1, write_nointr(pair[0], ".", 1));
	EXPECT_EQ(child, message_from(pair[0]));
	assert_exited_ok(_metadata, child);
}

static void ask_signals(struct __test_metadata *const _metadata, void *arg)
{
	const int *ready = arg;
	siginfo_t info;
	sigset_t set;

	die_with_parent(_metadata);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));

	for (int i = 0; i < 3; i++) {
		info.si_pid = -1;
		sync_post(_metadata, ready);
		ASSERT_EQ(SIGUSR1, sigwaitinfo(&set, &info));
		EXPECT_EQ(0, info.si_pid);
	}

	EXPECT_EQ(0, kill(getpid(), SIGUSR1));
	ASSERT_EQ(SIGUSR1, sigwaitinfo(&set, &info));
	EXPECT_EQ(getpid(), info.si_pid);
}

/* si_pid of what the creator sends by kill(2), sigqueue(3) and a pidfd. */
TEST_F(asker, si_pid_shows_the_creator_as_0)
{
	union sigval value = {};
	int ready[2], pidfd;
	pid_t child;

	sync_open(_metadata, ready);
	child = child_run(_metadata, ask_signals, ready);
	pidfd = sys_pidfd_open(child, 0);
	ASSERT_LE(0, pidfd);

	sync_wait(_metadata, ready);
	EXPECT_EQ(0, kill(child, SIGUSR1));
	sync_wait(_metadata, ready);
	EXPECT_EQ(0, sigqueue(child, SIGUSR1, value));
	sync_wait(_metadata, ready);
	EXPECT_EQ(0, sys_pidfd_send_signal(pidfd, SIGUSR1, NULL, 0));
	assert_exited_ok(_metadata, child);
}

struct locks {
	int fd;
	int taken[2];
	int end[2];
};

/* The pid of who holds a write lock at an offset, or -1. */
static pid_t lock_holder(int fd, off_t at)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = at,
		.l_len = 1,
		.l_pid = -1,
	};

	if (fcntl(fd, F_GETLK, &lock) || lock.l_type == F_UNLCK)
		return -1;
	return lock.l_pid;
}

static int take_lock(int fd, off_t at)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = at,
		.l_len = 1,
	};

	return fcntl(fd, F_SETLK, &lock);
}

static void ask_locks(struct __test_metadata *const _metadata, void *arg)
{
	const struct locks *locks = arg;

	die_with_parent(_metadata);
	EXPECT_EQ(0, lock_holder(locks->fd, 0));
	ASSERT_EQ(0, take_lock(locks->fd, 1));
	sync_post(_metadata, locks->taken);
	sync_wait(_metadata, locks->end);
}

/*
 *  1. The creator holds a lock; the asker's F_GETLK says that pid 0 does.
 *  2. The asker holds another; the creator's says the asker's pid outside.
 */
TEST_F(asker, f_getlk_shows_the_creator_as_0)
{
	struct locks locks;
	pid_t child;

	locks.fd = sys_memfd_create("locks", MFD_CLOEXEC);
	ASSERT_LE(0, locks.fd);
	sync_open(_metadata, locks.taken);
	sync_open(_metadata, locks.end);
	ASSERT_EQ(0, take_lock(locks.fd, 0));

	child = child_run(_metadata, ask_locks, &locks);
	sync_wait(_metadata, locks.taken);
	EXPECT_EQ(child, lock_holder(locks.fd, 1));
	sync_post(_metadata, locks.end);
	assert_exited_ok(_metadata, child);
}

static void ask_owner(struct __test_metadata *const _metadata, void *arg)
{
	const int *pair = arg;

	EXPECT_EQ(0, fcntl(pair[0], F_GETOWN));
}

/* F_GETOWN of a socket whose signals the creator gets. */
TEST_F(asker, f_getown_shows_the_creator_as_0)
{
	int pair[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_EQ(0, fcntl(pair[0], F_SETOWN, getpid()));
	ASSERT_EQ(getpid(), fcntl(pair[0], F_GETOWN));
	assert_exited_ok(_metadata, child_run(_metadata, ask_owner, pair));
}

static void ask_group(struct __test_metadata *const _metadata, void *arg)
{
	(void)arg;
	EXPECT_EQ(0, getpgrp());
	EXPECT_EQ(0, getsid(0));
	EXPECT_EQ(getpid(), setsid());
	EXPECT_EQ(getpid(), getpgrp());
	EXPECT_EQ(getpid(), getsid(0));
}

/*
 * Group and session are the creator's and read as 0, until the child starts a
 * session of its own, as a login shell does.
 */
TEST_F(asker, group_and_session_of_the_creator_read_as_0)
{
	assert_exited_ok(_metadata, child_run(_metadata, ask_group, NULL));
}

static void end_at_once(struct __test_metadata *const _metadata, void *arg)
{
	(void)_metadata;
	(void)arg;
}

static void ask_waitid(struct __test_metadata *const _metadata, void *arg)
{
	siginfo_t info = {};
	pid_t child;

	(void)arg;
	EXPECT_EQ(-1, sys_waitid(P_ALL, 0, &info, WEXITED));
	EXPECT_EQ(ECHILD, errno);

	child = child_run(_metadata, end_at_once, NULL);
	EXPECT_EQ(getpid() + 1, child);
	ASSERT_EQ(0, sys_waitid(P_ALL, 0, &info, WEXITED));
	EXPECT_EQ(child, info.si_pid);
}

/*
 * waitid(2) shows each waiter the pid of its own namespace: a number of the
 * inside to the asker for its child, one of the outside to the creator for it.
 */
TEST_F(asker, waitid_shows_pids_of_the_waiters_namespace)
{
	siginfo_t info = {};
	pid_t child;

	child = child_run(_metadata, ask_waitid, NULL);
	ASSERT_EQ(0, sys_waitid(P_PID, child, &info, WEXITED | WNOWAIT));
	EXPECT_EQ(child, info.si_pid);
	EXPECT_NE(variant->pid, info.si_pid);
	assert_exited_ok(_metadata, child);
}

struct names {
	pid_t creator;
	int pidfd;	/* Of the creator. */
	int ns;		/* The creator's active namespace. */
};

static void ask_names(struct __test_metadata *const _metadata, void *arg)
{
	struct pidfd_info info = { .mask = PIDFD_INFO_PID };
	const struct names *names = arg;

	ASSERT_LT(3, names->creator);
	EXPECT_EQ(-1, kill(names->creator, 0));
	EXPECT_EQ(ESRCH, errno);
	EXPECT_EQ(-1, getsid(names->creator));
	EXPECT_EQ(ESRCH, errno);
	EXPECT_EQ(-1, ioctl(names->ns, NS_GET_PID_FROM_PIDNS, names->creator));
	EXPECT_EQ(ESRCH, errno);
	EXPECT_EQ(-1, ioctl(names->pidfd, PIDFD_GET_INFO, &info));
	EXPECT_EQ(EREMOTE, errno);
}

/*
 * No number of the inside is the creator's: calls that take a pid do not find
 * it, NS_GET_PID_FROM_PIDNS cannot translate its pid, and PIDFD_GET_INFO has
 * nothing to say of it.
 */
TEST_F(asker, creator_has_no_pid_to_be_named_by)
{
	struct names names = {
		.creator = getpid(),
		.pidfd = sys_pidfd_open(getpid(), 0),
		.ns = ns_open(0, ACTIVE),
	};

	ASSERT_LE(0, names.pidfd);
	ASSERT_LE(0, names.ns);
	assert_exited_ok(_metadata, child_run(_metadata, ask_names, &names));
}

/* PIDFD_GET_INFO of a task, from where the caller stands. */
static void expect_info(struct __test_metadata *const _metadata,
			pid_t pid, pid_t ppid)
{
	struct pidfd_info info = { .mask = PIDFD_INFO_PID };
	int pidfd = sys_pidfd_open(pid, 0);

	ASSERT_LE(0, pidfd);
	ASSERT_EQ(0, ioctl(pidfd, PIDFD_GET_INFO, &info)) {
		TH_LOG("PIDFD_GET_INFO: %s", strerror(errno));
	}
	EXPECT_EQ(pid, (pid_t)info.pid);
	EXPECT_EQ(pid, (pid_t)info.tgid);
	EXPECT_EQ(ppid, (pid_t)info.ppid);
	close(pidfd);
}

static void ask_info(struct __test_metadata *const _metadata, void *arg)
{
	expect_info(_metadata, getpid(), 0);
	child_idle(_metadata, arg);
}

/*
 * Seen from the creator, the asker has a pid as any child has: it can be
 * signalled, has the creator as parent, and every translation agrees.
 */
TEST_F(asker, child_has_an_ordinary_pid_outside)
{
	long nspid[32];
	int end[2], ns, nr;
	pid_t child;

	sync_open(_metadata, end);
	ns = ns_open(0, DEFAULT);
	ASSERT_LE(0, ns);
	child = child_run(_metadata, ask_info, end);

	EXPECT_EQ(0, kill(child, 0));
	EXPECT_EQ(getpgrp(), getpgid(child));
	EXPECT_EQ(self->creator, status_number(child, "PPid"));
	expect_info(_metadata, child, self->creator);

	nr = status_numbers(child, "NSpid", nspid, ARRAY_SIZE(nspid));
	ASSERT_LT(1, nr);
	EXPECT_EQ(child, nspid[nr - 2]);
	EXPECT_EQ(variant->pid, nspid[nr - 1]);

	EXPECT_EQ(variant->pid, ioctl(ns, NS_GET_PID_IN_PIDNS, child));
	EXPECT_EQ(variant->pid, ioctl(ns, NS_GET_TGID_IN_PIDNS, child));
	EXPECT_EQ(child, ioctl(ns, NS_GET_PID_FROM_PIDNS, variant->pid));
	EXPECT_EQ(child, ioctl(ns, NS_GET_TGID_FROM_PIDNS, variant->pid));

	sync_post(_metadata, end);
	assert_exited_ok(_metadata, child);
}

TEST_HARNESS_MAIN
