// SPDX-License-Identifier: GPL-2.0
/*
 * What unshare(CLONE_NEWPID) is for: a login service that is one process, gets
 * a session's namespace from a module, and knows nothing of it.
 *
 *	service: open session -> fork -------------> wait -> close session -> ...
 *	              |            |                  |
 *	module:    unshare         |                  |
 *	                           |                  |
 *	child:                   setuid -> exec -> shell, pid 1, exits
 *
 * First as a plain program, then with libpam and pam_pidns.so as the module.
 */
#include <dlfcn.h>
#include <grp.h>
#include <sys/mount.h>
#ifdef HAVE_LIBPAM
#include <security/pam_appl.h>
#endif

#include "pidns.h"

#define NOBODY		65534
#define NR_SESSIONS	100

/* What a session's shell is to find: itself as pid 1, and its parent as 0. */
#define AM_INIT "test $$ -eq 1 && test $PPID -eq 0"

/* One session, as the service's module set it up. */
struct session {
	__u64 id;	/* Of its namespace. */
};

/* The module: it runs in the service, and gives its next child a namespace. */
static void module_open(struct __test_metadata *const _metadata,
			struct session *session)
{
	int fd;

	unshare_pidns(_metadata);
	fd = ns_open(0, DEFAULT);
	ASSERT_LE(0, fd);
	session->id = ns_id(fd);
	EXPECT_EQ(task_ns_id(0, ACTIVE), ns_parent_id(fd));
	close(fd);
}

/* Give up root, where there is another user to become. */
static void become_user(struct __test_metadata *const _metadata)
{
	if (task_ns_id(0, "user") != USER_NS_INIT_ID)
		return;
	ASSERT_EQ(0, setgroups(0, NULL));
	ASSERT_EQ(0, setresgid(NOBODY, NOBODY, NOBODY));
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
}

/* The service's child becomes the user's shell. */
static void be_shell(struct __test_metadata *const _metadata, void *command)
{
	become_user(_metadata);
	die_with_parent(_metadata);
	execl("/bin/sh", "sh", "-c", command, NULL);
	TH_LOG("/bin/sh: %s", strerror(errno));
	_exit(127);
}

/* A session from start to end; returns the shell's exit code. */
static int serve(struct __test_metadata *const _metadata, const char *command,
		 struct session *session)
{
	int status;

	module_open(_metadata, session);
	status = wait_status(_metadata,
			     child_run(_metadata, be_shell, (void *)command));
	ASSERT_TRUE(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The shell is pid 1, and its parent is not in the namespace. */
TEST(session_shell_is_pid_1)
{
	struct session session;

	require_privilege(_metadata);
	EXPECT_EQ(0, serve(_metadata, AM_INIT, &session));
}

/* What the shell exits with is what the service gets. */
TEST(service_gets_the_exit_code_of_the_shell)
{
	struct session session;

	require_privilege(_metadata);
	EXPECT_EQ(42, serve(_metadata, "exit 42", &session));
}

/* The shell runs as the user, and cannot make itself root of anything. */
TEST(session_shell_runs_as_the_user)
{
	struct session session;

	require_root(_metadata, "changes to another user");
	EXPECT_EQ(0, serve(_metadata, AM_INIT
			   " && test \"$(id -u):$(id -g)\" = 65534:65534",
			   &session));
}

/*
 *  1. The shell leaves two processes in the background, and exits.
 *  2. The service waits for the shell only. All of the session is gone then:
 *     the pipe that they held is at its end.
 *  3. The service has no child that it did not make.
 */
TEST(session_leaves_no_process_behind)
{
	struct session session;
	int held[2];
	char none;

	require_privilege(_metadata);
	/* Who is late is not waited for. */
	ASSERT_EQ(0, pipe2(held, O_NONBLOCK));
	EXPECT_EQ(3, serve(_metadata, "sleep 60 & (sleep 60 & :); exit 3",
			   &session));
	close(held[1]);
	EXPECT_EQ(0, read_nointr(held[0], &none, 1));
	EXPECT_EQ(-1, wait(NULL));
	EXPECT_EQ(ECHILD, errno);
}

/*
 * One process serves session after session: each gets a new namespace, whose
 * shell is pid 1, and nothing is left of the one before.
 */
TEST(service_serves_the_next_session_by_unsharing_again)
{
	struct session now, before = {};
	__u64 active;
	pid_t pid = getpid();

	require_privilege(_metadata);
	active = task_ns_id(0, ACTIVE);
	for (int i = 0; i < NR_SESSIONS; i++) {
		ASSERT_EQ(0, serve(_metadata, AM_INIT, &now)) {
			TH_LOG("session %d", i);
		}
		EXPECT_NE(before.id, now.id);
		EXPECT_EQ(0, ns_listed(before.id));
		before = now;
	}
	EXPECT_EQ(pid, getpid());
	EXPECT_EQ(active, task_ns_id(0, ACTIVE));
}

/*
 * Two sessions at once, of one service: each shell is pid 1 of its own
 * namespace, and the end of the one leaves the other.
 */
TEST(sessions_of_one_service_are_independent)
{
	struct session sessions[2];
	pid_t shells[2];
	int input[2];

	require_privilege(_metadata);
	sync_open(_metadata, input);
	ASSERT_EQ(0, dup2(input[0], 0));
	for (int i = 0; i < 2; i++) {
		module_open(_metadata, &sessions[i]);
		shells[i] = child_run(_metadata, be_shell,
				      AM_INIT " && read line");
		EXPECT_EQ(sessions[i].id, task_ns_id(shells[i], ACTIVE));
	}
	EXPECT_NE(sessions[0].id, sessions[1].id);

	child_kill(_metadata, shells[0]);
	EXPECT_EQ(0, ns_listed(sessions[0].id));
	EXPECT_EQ(may_list_all(), ns_listed(sessions[1].id));
	EXPECT_EQ(0, waitpid(shells[1], NULL, WNOHANG));
	ASSERT_EQ(1, write_nointr(input[1], "\n", 1));
	assert_exited(_metadata, shells[1], 0);
}

#define SERVICE_NAME	"pidns"
#define PAM_DIR		"/etc/pam.d"
#define SEEN		PAM_DIR "/seen"

/* Find pam_pidns.so beside this program. */
static bool find_module(char *path, size_t size)
{
	ssize_t len = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	if (len < 0)
		return false;
	path[len] = '\0';
	slash = strrchr(path, '/');
	snprintf(slash + 1, size - (slash + 1 - path), "pam_pidns.so");
	return !access(path, R_OK);
}

/*
 * Put a service into PAM's configuration, for this process and its children
 * only: a tmpfs hides the machine's own, in a new mount namespace. A command
 * is for pam_exec.so to run after our module, when a session is opened.
 */
static void configure_pam(struct __test_metadata *const _metadata,
			  const char *command)
{
	char module[256];
	FILE *file;

	require_root(_metadata, "mounts over " PAM_DIR);
	if (!find_module(module, sizeof(module)))
		SKIP(_exit(KSFT_SKIP), "no pam_pidns.so: built without libpam");
	if (access(PAM_DIR, X_OK))
		SKIP(_exit(KSFT_SKIP), "no " PAM_DIR " here");
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_EQ(0, mount("pam", PAM_DIR, "tmpfs", 0, "mode=0755")) {
		TH_LOG("tmpfs: %s", strerror(errno));
	}

	file = fopen(PAM_DIR "/" SERVICE_NAME, "we");
	ASSERT_NE(NULL, file);
	fprintf(file, "session required %s\n", module);
	if (command)
		fprintf(file, "session required pam_exec.so type=open_session %s\n",
			command);
	ASSERT_EQ(0, fclose(file));
}

#ifdef HAVE_LIBPAM
/* libpam, as far as a service without passwords needs it. */
struct libpam {
	__typeof__(pam_start) *start;
	__typeof__(pam_open_session) *open_session;
	__typeof__(pam_close_session) *close_session;
	__typeof__(pam_end) *end;
};

static int say_nothing(int nr, const struct pam_message **msg,
		       struct pam_response **resp, void *data)
{
	(void)nr;
	(void)msg;
	(void)resp;
	(void)data;
	return PAM_CONV_ERR;
}

static void load_libpam(struct __test_metadata *const _metadata,
			struct libpam *pam)
{
	void *lib = dlopen("libpam.so.0", RTLD_NOW);

	if (!lib)
		SKIP(_exit(KSFT_SKIP), "%s", dlerror());
	pam->start = dlsym(lib, "pam_start");
	pam->open_session = dlsym(lib, "pam_open_session");
	pam->close_session = dlsym(lib, "pam_close_session");
	pam->end = dlsym(lib, "pam_end");
	ASSERT_TRUE(pam->start && pam->open_session && pam->close_session &&
		    pam->end);
}

static void serve_by_pam(struct __test_metadata *const _metadata,
			 const struct libpam *pam)
{
	const struct pam_conv conv = { .conv = say_nothing };
	pam_handle_t *handle;
	int err;

	ASSERT_EQ(PAM_SUCCESS, pam->start(SERVICE_NAME, "root", &conv, &handle));
	ASSERT_EQ(PAM_SUCCESS, pam->open_session(handle, 0));
	assert_exited(_metadata,
		      child_run(_metadata, be_shell, AM_INIT " && exit 42"), 42);
	err = pam->close_session(handle, 0);
	EXPECT_EQ(PAM_SUCCESS, err);
	EXPECT_EQ(PAM_SUCCESS, pam->end(handle, err));
}

/* libpam calls the module in the service; the shell is pid 1. */
TEST(libpam_session_shell_is_pid_1)
{
	struct libpam pam;

	load_libpam(_metadata, &pam);
	configure_pam(_metadata, NULL);
	serve_by_pam(_metadata, &pam);
}

/* So it is in each of many sessions of one service. */
TEST(libpam_service_serves_the_next_session)
{
	struct libpam pam;

	load_libpam(_metadata, &pam);
	configure_pam(_metadata, NULL);
	for (int i = 0; i < NR_SESSIONS / 10; i++)
		serve_by_pam(_metadata, &pam);
}
#else
TEST(libpam_session_shell_is_pid_1)
{
	SKIP(return, "built without the headers of libpam");
}

TEST(libpam_service_serves_the_next_session)
{
	SKIP(return, "built without the headers of libpam");
}
#endif /* HAVE_LIBPAM */

static void be_pamtester(struct __test_metadata *const _metadata, void *arg)
{
	int fd = open("/dev/null", O_RDWR);

	(void)arg;
	ASSERT_LE(0, fd);
	dup2(fd, 0);
	dup2(fd, 1);
	execlp("pamtester", "pamtester", SERVICE_NAME, "root", "open_session",
	       "close_session", NULL);
	_exit(127);
}

/*
 * pamtester(1) opens a session and closes it. After our module comes
 * pam_exec.so, which forks, and runs a shell that notes its pid and its parent's.
 */
TEST(pamtester_session_has_a_pid_1)
{
	char seen[16] = {};
	int fd, code;

	configure_pam(_metadata, "/bin/sh -c [echo $$ $PPID > " SEEN "]");
	code = wait_status(_metadata, child_run(_metadata, be_pamtester, NULL));
	ASSERT_TRUE(WIFEXITED(code));
	if (WEXITSTATUS(code) == 127)
		SKIP(return, "no pamtester here");
	ASSERT_EQ(0, WEXITSTATUS(code));

	fd = open(SEEN, O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_LT(0, read_nointr(fd, seen, sizeof(seen) - 1));
	EXPECT_STREQ("1 0\n", seen);
}

TEST_HARNESS_MAIN
