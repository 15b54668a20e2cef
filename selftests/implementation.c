// SPDX-License-Identifier: GPL-2.0
/*
 * Which implementation runs? Whoever runs the tests says in the environment
 * which one is meant to: PIDNS_EXPECT=rust or PIDNS_EXPECT=c.
 */
#define _GNU_SOURCE
#include "pidns.h"

/* Is the Rust implementation expected? Without an answer, skips the test. */
static bool expect_rust(struct __test_metadata *const _metadata)
{
	const char *expect = getenv("PIDNS_EXPECT");

	if (!expect || !*expect)
		SKIP(_exit(KSFT_SKIP), "PIDNS_EXPECT is neither rust nor c");
	if (!strcmp(expect, "rust"))
		return true;
	ASSERT_STREQ("c", expect);
	return false;
}

/*
 * The configuration of the running kernel is the expected one.
 *
 * 1. The test looks for CONFIG_PID_NS_RUST=y in /proc/config.gz.
 * 2. It is there if, and only if, Rust is expected.
 */
TEST(configuration_is_that_of_the_expected_implementation)
{
	bool expected = expect_rust(_metadata);
	bool pid_ns = false, rust = false;
	char line[256];
	FILE *config;

	if (access("/proc/config.gz", R_OK))
		SKIP(return, "needs CONFIG_IKCONFIG_PROC");
	config = popen("gzip -dc /proc/config.gz", "re");
	ASSERT_NE(NULL, config);
	while (fgets(line, sizeof(line), config)) {
		pid_ns |= !strcmp(line, "CONFIG_PID_NS=y\n");
		rust |= !strcmp(line, "CONFIG_PID_NS_RUST=y\n");
	}
	if (pclose(config))
		SKIP(return, "needs gzip");
	EXPECT_TRUE(pid_ns);
	EXPECT_EQ(expected, rust);
}

TEST_HARNESS_MAIN
