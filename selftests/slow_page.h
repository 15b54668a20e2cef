/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that makes a system call wait for as long as a test likes.
 */
#ifndef __SELFTESTS_PIDNS_SLOW_PAGE_H
#define __SELFTESTS_PIDNS_SLOW_PAGE_H

#include <linux/userfaultfd.h>
#include <sys/mman.h>

#include "pidns.h"

/**
 * struct slow_page - A page that nothing is in until userfaultfd(2) is told what.
 * @uffd: The descriptor of userfaultfd(2).
 * @page: Where it is.
 * @size: How long it is.
 */
struct slow_page {
	int uffd;
	char *page;
	size_t size;
};

/**
 * slow_page_map() - Map such a page, or skip the test.
 * @_metadata: The running test.
 * @slow: The page.
 */
static inline void slow_page_map(struct __test_metadata *const _metadata,
				 struct slow_page *slow)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	slow->uffd = syscall(__NR_userfaultfd, O_CLOEXEC);
	if (slow->uffd < 0)
		SKIP(_exit(KSFT_SKIP), "userfaultfd: %s", strerror(errno));
	slow->size = sysconf(_SC_PAGESIZE);
	slow->page = mmap(NULL, slow->size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)slow->page);
	ASSERT_EQ(0, ioctl(slow->uffd, UFFDIO_API, &api));
	reg.range.start = ptr_to_u64(slow->page);
	reg.range.len = slow->size;
	ASSERT_EQ(0, ioctl(slow->uffd, UFFDIO_REGISTER, &reg));
}

/**
 * slow_page_await() - Wait until somebody touches the page.
 * @_metadata: The running test.
 * @slow: The page.
 */
static inline void slow_page_await(struct __test_metadata *const _metadata,
				   const struct slow_page *slow)
{
	struct uffd_msg msg;

	ASSERT_EQ((ssize_t)sizeof(msg),
		  read_nointr(slow->uffd, &msg, sizeof(msg)));
	ASSERT_EQ(UFFD_EVENT_PAGEFAULT, msg.event);
}

/**
 * slow_page_fill() - Let those who wait for the page go on.
 * @_metadata: The running test.
 * @slow: The page.
 */
static inline void slow_page_fill(struct __test_metadata *const _metadata,
				  const struct slow_page *slow)
{
	struct uffdio_zeropage zero = {
		.range.start = ptr_to_u64(slow->page),
		.range.len = slow->size,
	};

	ASSERT_EQ(0, ioctl(slow->uffd, UFFDIO_ZEROPAGE, &zero));
}

#endif /* __SELFTESTS_PIDNS_SLOW_PAGE_H */
