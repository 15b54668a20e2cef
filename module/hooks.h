/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What hooks.c and the Rust files of the module know of each other.
 */
#ifndef PIDNS_HOOKS_H
#define PIDNS_HOOKS_H

#include <linux/types.h>
#include <linux/xarray.h>

struct kernel_clone_args;
struct pid;
struct pid_namespace;
struct task_struct;

/**
 * struct pidns_function - A function of the kernel
 * @start: its address
 * @size: its size in bytes
 * @hook: where ftrace calls hooks from
 */
struct pidns_function {
	unsigned long start;
	unsigned long size;
	unsigned long hook;
};

/**
 * struct pidns_places - Where the hooks are, and what else they know by its address
 * @copy_process: that of copy_process()
 * @original: where copy_process() begins
 * @question: that of task_active_pid_ns()
 * @asks: the address behind the call of task_active_pid_ns() by which copy_process() decides
 *	whether a thread may be made
 * @alloc_pid: that of alloc_pid()
 * @copy_pid_ns: that of copy_pid_ns()
 */
struct pidns_places {
	unsigned long copy_process;
	unsigned long original;
	unsigned long question;
	unsigned long asks;
	unsigned long alloc_pid;
	unsigned long copy_pid_ns;
};

/* hooks.c, for Rust */
int pidns_find(const char *name, struct pidns_function *function);
int pidns_hook(const struct pidns_places *at);
void pidns_unhook(void);
bool pidns_has_ibt(void);
unsigned long pidns_place(void);
bool pidns_get_module(void);
void pidns_put_module(void);
struct task_struct *pidns_original_copy_process(struct pid *pid, int trace, int node,
						struct kernel_clone_args *args);
extern struct xarray pidns_makers;
extern unsigned long pidns_below_active;
extern unsigned long pidns_thread_in_active;

/* entries.rs, for hooks.c */
struct pid_namespace *pidns_parent(u64 flags, struct pid_namespace *active,
				   struct pid_namespace *default_ns);
struct pid_namespace *pidns_birthplace(struct pid_namespace *active,
				       struct pid_namespace *default_ns);
bool pidns_takes(u64 flags, struct pid_namespace *active, struct pid_namespace *default_ns);
bool pidns_is_maker(void);
struct task_struct *pidns_copy_process(struct pid *pid, int trace, int node,
				       struct kernel_clone_args *args);

#endif /* PIDNS_HOOKS_H */
