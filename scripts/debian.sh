# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian's own kernel KVER and where a module for it is built.  Sourced after common.sh by
# the steps that use it; scripts/debian makes it all.
#
# shellcheck disable=SC2034,SC2154  # not every step uses every name; common.sh's names

debian=$build/debian
# A Debian 13 to build in, where this machine is none.
root=$debian/root

# Which Debian this is.
ID='' VERSION_ID='' PRETTY_NAME=''
# shellcheck source=/dev/null
[[ ! -r /etc/os-release ]] || . /etc/os-release
here=$ID-$VERSION_ID

# What builds a module of Debian 13's kernel, with the crate that it needs.
toolchain=(
	bc bindgen binutils bison cpio flex gcc gcc-14 kmod libc6-dev libclang-common-19-dev libclang1-19
	libelf-dev libssl-dev make openssl pahole patch python3 rust-src rustc xz-utils zlib1g-dev
)

# The patches whose semantics the module gives.  They take away the rules that it knows of the
# kernel's code, so that they apply to no kernel that has others.
rules=(
	"$top"/patches/*-pidns-Create-new-pid-namespaces-below-*.patch
	"$top"/patches/*-pidns-Let-a-thread-be-born-*.patch
)

# kernel_paths: for the kernel $kver.
kernel_paths() {
	kernel=$debian/$kver
	# Its packages, unpacked; the source of the very same version; what is built from both.
	unpacked=$kernel/root source=$kernel/source obj=$kernel/obj
	vmlinuz=$unpacked/boot/vmlinuz-$kver
	headers=$unpacked/usr/src/linux-headers-$kver
	ko=$kernel/module/pidns.ko
}

# chosen_kernel: sets kver to what scripts/debian was asked for last.
chosen_kernel() {
	[[ -f $debian/chosen ]] || die 'no kernel is there to build for: run make module first'
	kver=$(<"$debian/chosen")
	kernel_paths
}

# need_root WHAT: refuses where nobody can; a job in the background could not ask for a password.
need_root() {
	((EUID == 0)) || command -v sudo >/dev/null || die "only root can $1, and there is no sudo here"
	((EUID == 0)) || sudo -v || die "sudo refused: only root can $1"
}

as_root() {
	if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# inside COMMAND...: where the tools of Debian 13 are, as this user and with the checkout
# where it is here.
inside() {
	local env=(env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/nonexistent)
	if [[ $here == debian-13 ]]; then
		"${env[@]}" "$@"
		return
	fi
	# shellcheck disable=SC2016  # the inner shell's
	as_root unshare --mount --propagation private bash -c '
		root=$1 top=$2 ids=$3
		shift 3
		mkdir -p "$root$top" &&
			mount --rbind /dev "$root/dev" && mount -t proc none "$root/proc" &&
			mount --rbind "$top" "$root$top" &&
			exec chroot --userspec="$ids" "$root" "$@"' \
		inside "$root" "$top" "+$(id -u):+$(id -g)" "${env[@]}" "$@"
}

# debian_make ARGUMENT...: the kernel's make, as Debian called it for the kernel $kver.
debian_make() {
	inside "$top/module/crates" "$headers" "$source" "$obj" ${1:+${verbose:+V=1}} "$@"
}
