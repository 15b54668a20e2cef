/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs share that load the guest: storm.c, load.c and sweep.c.  Each has a die() of
 * its own, which says what failed, with errno, and does not return.
 */
#ifndef QEMU_GUEST_H
#define QEMU_GUEST_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what);

#define must(call) ({ long ret_ = (long)(call); if (ret_ < 0) die(#call); ret_; })

/* In seconds. */
static inline double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static inline void put_text(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(file);
	close(fd);
}

static inline void put(const char *file, long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", number);
	put_text(file, text);
}

/* The number behind a name at the begin of a line, or without one the first; -1 if there is none. */
static inline long get(const char *file, const char *key)
{
	FILE *stream = fopen(file, "re");
	char line[512], name[64];
	long value = -1;

	if (!stream)
		die(file);
	while (value < 0 && fgets(line, sizeof(line), stream)) {
		if (!key)
			sscanf(line, "%ld", &value);
		else if (sscanf(line, "%63s %ld", name, &value) != 2 || strcmp(name, key))
			value = -1;
	}
	fclose(stream);
	return value;
}

/* Whether it is one of those that were named, or none was. */
static inline bool wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++) {
		if (!strcmp(*names, name))
			return true;
	}
	return false;
}

#endif
