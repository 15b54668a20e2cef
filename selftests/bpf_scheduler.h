/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A BPF scheduler that leaves all decisions to the kernel, so that it needs no
 * program, and no library to load one: only the types of the kernel, which
 * /sys/kernel/btf/vmlinux describes.
 */
#ifndef __SELFTESTS_BPF_SCHEDULER_H
#define __SELFTESTS_BPF_SCHEDULER_H

#include <linux/bpf.h>
#include <linux/btf.h>
#include <stddef.h>
#include <sys/syscall.h>

/* A structure of the kernel. */
struct kernel_struct {
	__u32 id;
	const struct btf_type *type;
};

/* What follows a type of this kind, in bytes. */
static inline size_t btf_extra(__u32 info)
{
	size_t vlen = BTF_INFO_VLEN(info);

	switch (BTF_INFO_KIND(info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return sizeof(__u32);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return vlen * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return vlen * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return vlen * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return vlen * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return vlen * sizeof(struct btf_var_secinfo);
	default:
		return 0;
	}
}

static inline const char *btf_name(const struct btf_header *btf, __u32 offset)
{
	return (const char *)btf + btf->hdr_len + btf->str_off + offset;
}

/* Returns a structure without a type if there is none of that name. */
static inline struct kernel_struct btf_struct(const struct btf_header *btf,
					      const char *name)
{
	const char *at = (const char *)btf + btf->hdr_len + btf->type_off;
	const char *end = at + btf->type_len;
	struct kernel_struct found = {};

	while (at < end) {
		const struct btf_type *type = (const struct btf_type *)at;

		found.id++;
		if (BTF_INFO_KIND(type->info) == BTF_KIND_STRUCT &&
		    !strcmp(btf_name(btf, type->name_off), name)) {
			found.type = type;
			break;
		}
		at += sizeof(*type) + btf_extra(type->info);
	}
	return found;
}

/* Returns the offset of a member in bytes, or -1. */
static inline long btf_offset(const struct btf_header *btf,
			      const struct btf_type *type, const char *name)
{
	const struct btf_member *member = (const struct btf_member *)(type + 1);
	unsigned int i;

	for (i = 0; i < BTF_INFO_VLEN(type->info); i++)
		if (!strcmp(btf_name(btf, member[i].name_off), name))
			return BTF_MEMBER_BIT_OFFSET(member[i].offset) / 8;
	return -1;
}

/* A map whose only element is the scheduler. */
struct bpf_scheduler {
	int map;
	void *value;
};

static inline int sys_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

/*
 * Tells the kernel of the types of a program, of which there is one: without
 * any it makes no map for a structure of its own. Returns a file, or -1.
 */
static inline int btf_load_int(void)
{
	struct {
		struct btf_header header;
		struct btf_type type;
		__u32 bits;
		char strings[8];
	} btf = {
		.header = {
			.magic = BTF_MAGIC,
			.version = BTF_VERSION,
			.hdr_len = sizeof(btf.header),
			.type_len = sizeof(btf.type) + sizeof(btf.bits),
			.str_off = sizeof(btf.type) + sizeof(btf.bits),
			.str_len = sizeof("\0int"),
		},
		.type = {
			.name_off = 1,
			.info = BTF_KIND_INT << 24,
			.size = sizeof(int),
		},
		.bits = BTF_INT_SIGNED << 24 | 32,
		.strings = "\0int",
	};
	union bpf_attr attr = {
		.btf = (__u64)(unsigned long)&btf,
		.btf_size = offsetof(typeof(btf), strings) + sizeof("\0int"),
	};

	return sys_bpf(BPF_BTF_LOAD, &attr);
}

/* Reads the types of the kernel; NULL if it does not show them. */
static inline struct btf_header *btf_read(void)
{
	FILE *file = fopen("/sys/kernel/btf/vmlinux", "r");
	char *btf = NULL;
	struct stat stat;

	if (!file)
		return NULL;
	if (!fstat(fileno(file), &stat))
		btf = malloc(stat.st_size);
	if (btf && fread(btf, stat.st_size, 1, file) != 1) {
		free(btf);
		btf = NULL;
	}
	fclose(file);
	return (struct btf_header *)btf;
}

/**
 * bpf_scheduler_open() - Prepare the scheduler.
 * @scheduler: The scheduler.
 *
 * Return: 0, or -1 and errno: ENOENT if the kernel has no BPF schedulers.
 */
static inline int bpf_scheduler_open(struct bpf_scheduler *scheduler)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_STRUCT_OPS };
	struct btf_header *btf = btf_read();
	struct kernel_struct value, ops;
	int ret = -1;

	if (!btf)
		return -1;
	value = btf_struct(btf, "bpf_struct_ops_sched_ext_ops");
	ops = btf_struct(btf, "sched_ext_ops");
	if (!value.type || !ops.type) {
		errno = ENOENT;
		goto out;
	}
	scheduler->value = calloc(1, value.type->size);
	if (!scheduler->value)
		goto out;
	memcpy((char *)scheduler->value + btf_offset(btf, value.type, "data") +
	       btf_offset(btf, ops.type, "name"), "pidns", sizeof("pidns"));
	attr.key_size = sizeof(int);
	attr.value_size = value.type->size;
	attr.max_entries = 1;
	attr.btf_vmlinux_value_type_id = value.id;
	attr.btf_fd = btf_load_int();
	scheduler->map = sys_bpf(BPF_MAP_CREATE, &attr);
	close(attr.btf_fd);
	if (scheduler->map < 0)
		free(scheduler->value);
	else
		ret = 0;
out:
	free(btf);
	return ret;
}

/**
 * bpf_scheduler_close() - Forget the scheduler, once it is unloaded.
 * @scheduler: The scheduler.
 */
static inline void bpf_scheduler_close(struct bpf_scheduler *scheduler)
{
	close(scheduler->map);
	free(scheduler->value);
}

/**
 * bpf_scheduler_load() - Have the scheduler schedule all tasks.
 * @scheduler: The scheduler.
 *
 * Return: 0, or -1 and errno.
 */
static inline int bpf_scheduler_load(const struct bpf_scheduler *scheduler)
{
	int key = 0;
	union bpf_attr attr = {
		.map_fd = scheduler->map,
		.key = (__u64)(unsigned long)&key,
		.value = (__u64)(unsigned long)scheduler->value,
	};

	return sys_bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

/**
 * bpf_scheduler_unload() - Have the kernel schedule all tasks again.
 * @scheduler: The scheduler.
 *
 * It cannot be loaded after that: open it once more.
 *
 * Return: 0, or -1 and errno.
 */
static inline int bpf_scheduler_unload(const struct bpf_scheduler *scheduler)
{
	int key = 0;
	union bpf_attr attr = {
		.map_fd = scheduler->map,
		.key = (__u64)(unsigned long)&key,
	};

	return sys_bpf(BPF_MAP_DELETE_ELEM, &attr);
}

#endif
