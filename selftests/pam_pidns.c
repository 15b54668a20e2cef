// SPDX-License-Identifier: GPL-2.0
/*
 * A PAM module that gives each session a pid namespace of its own: what the
 * service forks after pam_open_session(3) is born there, as its pid 1.
 */
#define _GNU_SOURCE
#include <sched.h>

#define PAM_SM_SESSION
#include <security/pam_modules.h>

int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc,
			const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return unshare(CLONE_NEWPID) ? PAM_SESSION_ERR : PAM_SUCCESS;
}

int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc,
			 const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}
