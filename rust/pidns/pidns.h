/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kernel/pid_namespace.c gives to the Rust code in this directory.
 */
#ifndef _KERNEL_PIDNS_H
#define _KERNEL_PIDNS_H

struct kmem_cache;
struct work_struct;

/* The cache that each struct pid_namespace comes from. */
extern struct kmem_cache *pid_ns_cachep;

/* The cache for each struct pid of a level > 0; NULL without memory. */
struct kmem_cache *create_pid_cachep(unsigned int level);

/* The work of a pid namespace: runs once the last reference is gone. */
void destroy_pid_namespace_work(struct work_struct *work);

#endif /* _KERNEL_PIDNS_H */
