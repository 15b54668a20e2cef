/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Threads that do one thing after another, each when it is told to.
 */
#ifndef __SELFTESTS_PIDNS_THREAD_H
#define __SELFTESTS_PIDNS_THREAD_H

#include <pthread.h>
#include <sys/mman.h>

#include "pidns.h"

#define STACK_SIZE (64 * 1024)

/* What makes a thread, in the words of clone(2). */
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
		      CLONE_SYSVSEM | CLONE_THREAD)

/**
 * struct thread - A thread that waits for orders.
 * @_metadata: The running test.
 * @id: For pthread_join(3).
 * @tid: As the thread itself sees it.
 * @call: To the thread: do it.
 * @back: From the thread: it is done.
 * @fn: What to do, NULL to exit.
 * @made: Thread that thread_make() starts.
 * @child: Child that thread_fork() made, or -1.
 * @err: The errno of that.
 * @active: Id of its active namespace, as of thread_look().
 * @dflt: Id of its default namespace, as of thread_look().
 */
struct thread {
	struct __test_metadata *_metadata;
	pthread_t id;
	pid_t tid;
	int call[2];
	int back[2];
	void (*fn)(struct thread *me);
	struct thread *made;
	pid_t child;
	int err;
	__u64 active;
	__u64 dflt;
};

static inline void *thread_main(void *arg)
{
	struct thread *me = arg;
	struct __test_metadata *const _metadata = me->_metadata;

	me->tid = syscall(__NR_gettid);
	do {
		sync_post(_metadata, me->back);
		sync_wait(_metadata, me->call);
		if (me->fn)
			me->fn(me);
	} while (me->fn);
	return NULL;
}

/**
 * thread_start() - Start a thread, which the calling thread makes.
 * @_metadata: The running test.
 * @thread: The thread.
 */
static inline void thread_start(struct __test_metadata *const _metadata,
				struct thread *thread)
{
	int err;

	*thread = (struct thread){ ._metadata = _metadata };
	sync_open(_metadata, thread->call);
	sync_open(_metadata, thread->back);
	err = pthread_create(&thread->id, NULL, thread_main, thread);
	ASSERT_EQ(0, err) {
		TH_LOG("pthread_create: %s", strerror(err));
	}
	sync_wait(_metadata, thread->back);
}

/**
 * thread_do() - Have a thread do something, and wait for the end of it.
 * @thread: The thread.
 * @fn: What it does.
 */
static inline void thread_do(struct thread *thread,
			     void (*fn)(struct thread *me))
{
	struct __test_metadata *const _metadata = thread->_metadata;

	thread->fn = fn;
	sync_post(_metadata, thread->call);
	sync_wait(_metadata, thread->back);
}

/**
 * thread_end() - Have a thread exit, and wait for it.
 * @thread: The thread.
 */
static inline void thread_end(struct thread *thread)
{
	struct __test_metadata *const _metadata = thread->_metadata;

	thread->fn = NULL;
	sync_post(_metadata, thread->call);
	ASSERT_EQ(0, pthread_join(thread->id, NULL));
	for (int i = 0; i < 2; i++) {
		close(thread->call[i]);
		close(thread->back[i]);
	}
}

/**
 * thread_unshare() - For thread_do(): take a new default namespace.
 * @me: The thread.
 */
static inline void thread_unshare(struct thread *me)
{
	unshare_pidns(me->_metadata);
}

/**
 * thread_fork() - For thread_do(): make a child, as child_hold() does.
 * @me: The thread.
 */
static inline void thread_fork(struct thread *me)
{
	me->child = child_hold(me->_metadata, 0);
	me->err = me->child < 0 ? errno : 0;
}

/**
 * thread_make() - For thread_do(): start the thread @me->made.
 * @me: The thread.
 */
static inline void thread_make(struct thread *me)
{
	thread_start(me->_metadata, me->made);
}

/**
 * thread_look() - For thread_do(): read the ids of the thread's namespaces.
 * @me: The thread.
 */
static inline void thread_look(struct thread *me)
{
	me->active = task_ns_id(0, ACTIVE);
	me->dflt = task_ns_id(0, DEFAULT);
}

/**
 * stack_new() - Make a stack for clone(2).
 * @_metadata: The running test.
 *
 * Return: The lowest address of its STACK_SIZE bytes.
 */
static inline char *stack_new(struct __test_metadata *const _metadata)
{
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	ASSERT_NE(MAP_FAILED, (void *)stack);
	return stack;
}

/**
 * wait_for_end() - For clone(2): a thread that lives until one sync_post().
 * @end: The pipe.
 *
 * Uses nothing that a thread made by clone(2) may not.
 *
 * Return: 0, or 1 if the pipe fails.
 */
static inline int wait_for_end(void *end)
{
	char byte;

	return syscall(__NR_read, ((int *)end)[0], &byte, 1) != 1;
}

#if defined(__x86_64__) || defined(__aarch64__) || defined(__riscv)
#define CAN_CLONE3_THREAD true
#else
#define CAN_CLONE3_THREAD false
#endif

/**
 * clone3_thread() - Make a thread by clone3(2).
 * @args: With a stack.
 * @fn: What the thread does; its errno is that of its maker.
 * @arg: Passed to @fn.
 *
 * Return: As clone3(2); -1 and EOPNOTSUPP on a machine that it does not know,
 * where CAN_CLONE3_THREAD is false.
 */
static inline pid_t clone3_thread(struct __clone_args *args,
				  int (*fn)(void *arg), void *arg)
{
	long ret = -EOPNOTSUPP;

#if defined(__x86_64__)
	asm volatile("syscall\n\t"
		     "test	%%rax, %%rax\n\t"
		     "jnz	1f\n\t"
		     "mov	%[arg], %%rdi\n\t"
		     "call	*%[fn]\n\t"
		     "mov	%[exit], %%eax\n\t"
		     "xor	%%edi, %%edi\n\t"
		     "syscall\n"
		     "1:"
		     : "=a" (ret)
		     : "a" (__NR_clone3), "D" (args), "S" (sizeof(*args)),
		       [fn] "r" (fn), [arg] "r" (arg), [exit] "i" (__NR_exit)
		     : "rcx", "r11", "memory", "cc");
#elif defined(__aarch64__)
	register long x0 asm("x0") = (long)args;
	register long x1 asm("x1") = sizeof(*args);
	register long x8 asm("x8") = __NR_clone3;

	asm volatile("svc	#0\n\t"
		     "cbnz	x0, 1f\n\t"
		     "mov	x0, %[arg]\n\t"
		     "blr	%[fn]\n\t"
		     "mov	x0, #0\n\t"
		     "mov	x8, %[exit]\n\t"
		     "svc	#0\n"
		     "1:"
		     : "+r" (x0)
		     : "r" (x1), "r" (x8), [fn] "r" (fn), [arg] "r" (arg),
		       [exit] "i" (__NR_exit)
		     : "memory");
	ret = x0;
#elif defined(__riscv)
	register long a0 asm("a0") = (long)args;
	register long a1 asm("a1") = sizeof(*args);
	register long a7 asm("a7") = __NR_clone3;

	asm volatile("ecall\n\t"
		     "bnez	a0, 1f\n\t"
		     "mv	a0, %[arg]\n\t"
		     "jalr	%[fn]\n\t"
		     "li	a0, 0\n\t"
		     "li	a7, %[exit]\n\t"
		     "ecall\n"
		     "1:"
		     : "+r" (a0)
		     : "r" (a1), "r" (a7), [fn] "r" (fn), [arg] "r" (arg),
		       [exit] "i" (__NR_exit)
		     : "memory");
	ret = a0;
#endif
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

#endif /* __SELFTESTS_PIDNS_THREAD_H */
