// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks, for which the kernel has no interface in Rust: ftrace_ops, static calls, and
 * parameters that sysfs shows.  What they decide is in entries.rs.
 */

#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/static_call.h>

#include "hooks.h"

#if !defined(CONFIG_X86_64) || !defined(CONFIG_DYNAMIC_FTRACE_WITH_ARGS)
#error "The hooks change arguments in registers: they are written for x86_64"
#endif

unsigned long pidns_below_active;
module_param_named(below_active, pidns_below_active, ulong, 0444);
MODULE_PARM_DESC(below_active,
		 "how often a pid namespace was made that the kernel would have refused");

unsigned long pidns_thread_in_active;
module_param_named(thread_in_active, pidns_thread_in_active, ulong, 0444);
MODULE_PARM_DESC(thread_in_active,
		 "how often a thread was made that the kernel would have refused");

/* Held while a task runs pidns_copy_process(). */
DEFINE_SRCU(pidns_inside);

/* The tasks that are making a thread, by pid. */
DEFINE_XARRAY(pidns_makers);

/**
 * pidns_find - Find a function of the kernel that no module may call
 * @name: its name
 * @function: where to put what is found
 *
 * A kprobe that is never armed finds the address and leaves the function as it is.  Nothing is
 * called through the address: a function that the kernel itself calls by name alone has no ENDBR
 * on a machine with IBT.
 *
 * Return: 0, or a negative error code if there is no such function.
 */
int pidns_find(const char *name, struct pidns_function *function)
{
	struct kprobe probe = { .symbol_name = name, .flags = KPROBE_FLAG_DISABLED };
	char symbol[KSYM_SYMBOL_LEN];
	unsigned long offset;
	const char *numbers;
	int err;

	err = register_kprobe(&probe);
	if (err)
		return err;
	function->hook = (unsigned long)probe.addr;
	unregister_kprobe(&probe);

	/* "name+offset/size" */
	sprint_symbol(symbol, function->hook);
	numbers = strchr(symbol, '+');
	if (!numbers || sscanf(numbers, "+%lx/%lx", &offset, &function->size) != 2)
		return -ENOENT;
	function->start = function->hook - offset;
	return 0;
}

/* The active pid namespace of current: task_active_pid_ns(), which is hooked, inline. */
static __always_inline struct pid_namespace *active_ns(void)
{
	return ns_of_pid(task_pid(current));
}

/**
 * pidns_place - Find the place of current in pidns_makers
 *
 * It is not for Rust to look into a task: the kernel's own bindings have a wrong idea of what lies
 * where in it, if it was configured without CONFIG_SCHEDSTATS.
 *
 * Return: its pid in the initial namespace.
 */
unsigned long pidns_place(void)
{
	return task_pid_nr(current);
}

static struct pidns_inner inner;

/* Takes the place of task_active_pid_ns() where that is compared with this very namespace. */
static struct pid_namespace *equal_to_default(struct task_struct *tsk)
{
	return tsk->nsproxy->pid_ns_for_children;
}

static void notrace on_inner(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct pt_regs *regs = &arch_ftrace_regs(fregs)->regs;

	if (ip == inner.thread_check) {
		if (parent_ip == inner.asks && pidns_is_maker())
			ftrace_regs_set_instruction_pointer(fregs, (unsigned long)equal_to_default);
	} else if (ip == inner.alloc_pid) {
		/* alloc_pid(ns, ...) */
		regs->di = (unsigned long)pidns_birthplace(active_ns(), (void *)regs->di);
	} else if (ip == inner.copy_pid_ns) {
		/* copy_pid_ns(flags, user_ns, old_ns) */
		regs->dx = (unsigned long)pidns_parent(regs->di, active_ns(), (void *)regs->dx);
	}
}

/* Permanent: kernel.ftrace_enabled = 0 must not take one of them away from under a clone. */
static struct ftrace_ops inner_ops = {
	.func = on_inner,
	.flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT,
};

/**
 * pidns_hook_inner - Hook what a clone passes on its way
 * @at: where
 *
 * Return: 0, or a negative error code if nothing was hooked.
 */
int pidns_hook_inner(const struct pidns_inner *at)
{
	unsigned long hooks[] = { at->thread_check, at->alloc_pid, at->copy_pid_ns };
	int err;

	inner = *at;
	err = ftrace_set_filter_ips(&inner_ops, hooks, ARRAY_SIZE(hooks), 0, 1);
	if (!err)
		err = register_ftrace_function(&inner_ops);
	if (err)
		ftrace_free_filter(&inner_ops);
	return err;
}

/** pidns_unhook_inner - Undo pidns_hook_inner() */
void pidns_unhook_inner(void)
{
	unregister_ftrace_function(&inner_ops);
	ftrace_free_filter(&inner_ops);
}

DEFINE_STATIC_CALL_NULL(pidns_original, copy_process);

/**
 * pidns_original_copy_process - Call the kernel's copy_process()
 * @pid: see there
 * @trace: see there
 * @node: see there
 * @args: see there
 *
 * By a static call, which is a direct one: see pidns_find().
 *
 * Return: see there.
 */
struct task_struct *pidns_original_copy_process(struct pid *pid, int trace, int node,
						struct kernel_clone_args *args)
{
	struct task_struct *child = static_call(pidns_original)(pid, trace, node, args);

	/* Not running yet, so that it has its pid. */
	WARN_ON_ONCE(!IS_ERR(child) && ns_of_pid(task_pid(child)) != active_ns());
	return child;
}

static void notrace on_outer(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	/* copy_process(pid, trace, node, args) */
	const struct kernel_clone_args *args = (void *)ftrace_regs_get_argument(fregs, 3);
	const struct nsproxy *nsproxy = current->nsproxy;

	/* None while the task exits, but then it clones no more. */
	if (nsproxy && pidns_takes(args->flags, active_ns(), nsproxy->pid_ns_for_children))
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)pidns_copy_process);
}

static struct ftrace_ops outer_ops = {
	.func = on_outer,
	.flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT,
};

/**
 * pidns_hook_outer - Hook copy_process()
 * @copy_process: what pidns_find() has found
 *
 * To be called when the inner hooks are there.
 *
 * Return: 0, or a negative error code if nothing was hooked.
 */
int pidns_hook_outer(const struct pidns_function *copy_process)
{
	int err;

	static_call_update(pidns_original, (void *)copy_process->start);
	err = ftrace_set_filter_ip(&outer_ops, copy_process->hook, 0, 1);
	if (!err)
		err = register_ftrace_function(&outer_ops);
	if (err)
		ftrace_free_filter(&outer_ops);
	return err;
}

/** pidns_unhook_outer - Undo pidns_hook_outer() */
void pidns_unhook_outer(void)
{
	unregister_ftrace_function(&outer_ops);
	ftrace_free_filter(&outer_ops);
}

/**
 * pidns_wait_for_text - Wait for who is between two instructions of the module
 *
 * Until each task has left the kernel or gone to sleep by itself.
 */
void pidns_wait_for_text(void)
{
	synchronize_rcu_tasks();
}

/** pidns_get_module - Have rmmod say that the module is in use; false if it is on its way out */
bool pidns_get_module(void)
{
	return try_module_get(THIS_MODULE);
}

/** pidns_put_module - Undo pidns_get_module() */
void pidns_put_module(void)
{
	module_put(THIS_MODULE);
}
