// SPDX-License-Identifier: GPL-2.0-only
/*
 * One process that lives on while it unshares, forks and clones on command, so
 * that the tools beside it can look at it.  Each command is a line on stdin,
 * each answer a line on stdout; a call that failed answers with its errno.
 *
 *   unshare   unshare(CLONE_NEWPID)         -> 0
 *   fork      fork()                        -> PID, and the child's own pid and ppid
 *   clone     clone(CLONE_NEWPID)           -> the same
 *   reap      wait for one child            -> PID and what ended it
 *   thread    pthread_create(), and wait    -> 0
 *
 * The children do nothing but wait for their end.  qemu/facts.sh runs it as oddball.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void answer_errno(void)
{
	printf("%s\n", strerrorname_np(errno));
}

static void be_child(int report)
{
	pid_t self[2] = { getpid(), getppid() };
	ssize_t sent = write(report, self, sizeof(self));

	/* Commands are for the parent; its end is ours too, if it can say so. */
	close(STDIN_FILENO);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (sent == sizeof(self))
		pause();
	_exit(1);
}

/* The raw call, as glibc's clone() wants a stack and fork() takes no flags. */
static void make_child(unsigned long flags)
{
	pid_t self[2];
	int report[2];
	pid_t child;

	if (pipe(report))
		return answer_errno();

	child = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
	if (child == 0)
		be_child(report[1]);

	if (child < 0)
		answer_errno();
	else if (read(report[0], self, sizeof(self)) == sizeof(self))
		printf("%d %d %d\n", child, self[0], self[1]);
	else
		printf("silent\n");
	close(report[0]);
	close(report[1]);
}

static void reap(void)
{
	int status;
	pid_t child = wait(&status);

	if (child < 0)
		answer_errno();
	else if (WIFSIGNALED(status))
		printf("%d SIG%s\n", child, sigabbrev_np(WTERMSIG(status)));
	else
		printf("%d exit %d\n", child, WEXITSTATUS(status));
}

static void *end_at_once(void *unused)
{
	return unused;
}

static void make_thread(void)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, end_at_once, NULL);
	if (errno)
		return answer_errno();
	pthread_join(thread, NULL);
	printf("0\n");
}

int main(void)
{
	char line[32];

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "unshare")) {
			if (unshare(CLONE_NEWPID))
				answer_errno();
			else
				printf("0\n");
		} else if (!strcmp(line, "fork")) {
			make_child(0);
		} else if (!strcmp(line, "clone")) {
			make_child(CLONE_NEWPID);
		} else if (!strcmp(line, "reap")) {
			reap();
		} else if (!strcmp(line, "thread")) {
			make_thread();
		} else {
			printf("unknown\n");
		}
	}
	return 0;
}
