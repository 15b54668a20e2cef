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
		 "how often a pid namespace was asked for where the kernel by itself refuses");

unsigned long pidns_thread_in_active;
module_param_named(thread_in_active, pidns_thread_in_active, ulong, 0444);
MODULE_PARM_DESC(thread_in_active,
		 "how often a thread was asked for where the kernel by itself refuses");

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

/**
 * pidns_has_ibt - Does this machine check where an indirect call goes?
 *
 * Return: whether it does.
 */
bool pidns_has_ibt(void)
{
	return cpu_feature_enabled(X86_FEATURE_IBT);
}

static struct pidns_places places;

static void notrace on_arguments(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct pt_regs *regs = &arch_ftrace_regs(fregs)->regs;

	if (ip == places.alloc_pid) {
		/* alloc_pid(ns, ...) */
		regs->di = (unsigned long)pidns_birthplace(active_ns(), (void *)regs->di);
	} else if (ip == places.copy_pid_ns) {
		/* copy_pid_ns(flags, user_ns, old_ns) */
		regs->dx = (unsigned long)pidns_parent(regs->di, active_ns(), (void *)regs->dx);
	}
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

/* copy_process(pid, trace, node, args) */
static __always_inline void on_copy_process(struct ftrace_regs *fregs)
{
	const struct kernel_clone_args *args = (void *)ftrace_regs_get_argument(fregs, 3);
	const struct nsproxy *nsproxy = current->nsproxy;

	/* None while the task exits, but then it clones no more. */
	if (nsproxy && pidns_takes(args->flags, active_ns(), nsproxy->pid_ns_for_children))
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)pidns_copy_process);
}

/* Takes the place of task_active_pid_ns() where that is compared with this very namespace. */
static struct pid_namespace *equal_to_default(struct task_struct *tsk)
{
	return tsk->nsproxy->pid_ns_for_children;
}

static void notrace on_call(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			    struct ftrace_regs *fregs)
{
	if (ip == places.copy_process)
		on_copy_process(fregs);
	else if (parent_ip == places.asks && pidns_is_maker())
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)equal_to_default);
}

/*
 * Permanent: kernel.ftrace_enabled = 0 must not take one of them away from under a clone.
 *
 * Where another function is called instead, nothing else may do so, hence IPMODIFY.  Where only an
 * argument is another one there is no need of it, and a BPF program that looks at the return of
 * the function would call the rest of it indirectly: see pidns_has_ibt().
 */
static struct ftrace_ops call_ops = {
	.func = on_call,
	.flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT,
};

static struct ftrace_ops arguments_ops = {
	.func = on_arguments,
	.flags = FTRACE_OPS_FL_PERMANENT,
};

static int hook(struct ftrace_ops *ops, unsigned long *at, unsigned int count)
{
	int err = ftrace_set_filter_ips(ops, at, count, 0, 1);

	if (!err)
		err = register_ftrace_function(ops);
	if (err)
		ftrace_free_filter(ops);
	return err;
}

static void unhook(struct ftrace_ops *ops)
{
	int err = unregister_ftrace_function(ops);

	/* ftrace has found a bug and stopped for good; what is hooked goes on to call the module. */
	if (WARN(err, "pidns: a hook stays (%d), and so does the module: rmmod never returns\n", err)) {
		for (;;)
			schedule_timeout_idle(MAX_SCHEDULE_TIMEOUT);
	}
	ftrace_free_filter(ops);
}

/**
 * pidns_hook - Add all hooks
 * @at: where
 *
 * Those by which a clone comes into the module are the last.
 *
 * Return: 0, or a negative error code if nothing is hooked.
 */
int pidns_hook(const struct pidns_places *at)
{
	unsigned long arguments[] = { at->alloc_pid, at->copy_pid_ns };
	unsigned long calls[] = { at->copy_process, at->question };
	int err;

	places = *at;
	static_call_update(pidns_original, (void *)at->original);
	err = hook(&arguments_ops, arguments, ARRAY_SIZE(arguments));
	if (err)
		return err;
	err = hook(&call_ops, calls, ARRAY_SIZE(calls));
	if (err)
		unhook(&arguments_ops);
	return err;
}

/**
 * pidns_unhook - Undo pidns_hook()
 *
 * When it returns nobody is in a handler, or at an instruction of the module before it is in use or
 * after it was: RCU waits until each task has left the kernel or gone to sleep by itself.
 */
void pidns_unhook(void)
{
	unhook(&call_ops);
	unhook(&arguments_ops);
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
