# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the steps of the host side share: where things lie, one way to fail, one
# way to show that something moves, and the lock.  Sourced, never run.
#
# shellcheck disable=SC2034  # not every step uses every name

set -euo pipefail
shopt -s inherit_errexit

top=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd -P)
build=$top/build
downloads=$build/downloads
tools=$build/tools
base=$build/base
linux=$build/linux
# What scripts/lay last put there of its own.
laid=$linux.laid
step=${0##*/}
verbose=${V:-}
[[ $verbose != 0 ]] || verbose=

# Where a user who is not root finds depmod here, and insmod in the guest, which gets this.
[[ :$PATH: == *:/usr/sbin:* ]] || export PATH=$PATH:/usr/sbin:/sbin

# The make that started us must not hand its variables and its job server to
# the kernel's own make.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

# One order for sort, one language for what is looked for in messages.
export LC_ALL=C.UTF-8

# A user's own settings must not change what git makes of a patch.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

# die MESSAGE: the one line that says what is wrong.
die() {
	printf '%spidns: %s%s\n' "${red-}" "$*" "${plain-}" >&2
	exit 1
}

# What the guests are: machines like this one, or what ARCH= names, which is emulated and has
# a directory of its own below build/.  For each: its name for GNU's and LLVM's tools, and for
# the kernel, the kernel's image, and the packages that have QEMU's program.  qemu/machine.py has
# the same.
arch=${ARCH:-x86_64}
case $arch in
	x86_64) cpu=x86_64 karch=x86_64 image=arch/x86/boot/bzImage qemu=(qemu-system-x86) made=$build ;;
	arm64) cpu=aarch64 karch=arm64 image=arch/arm64/boot/Image qemu=(qemu-system-arm) made=$build/arm64 ;;
	riscv64) cpu=riscv64 karch=riscv image=arch/riscv/boot/Image qemu=(qemu-system-misc opensbi) made=$build/riscv64 ;;
	*) die "ARCH=$arch: it is x86_64, which is the default, arm64 or riscv64" ;;
esac
objects=$made/obj
log=$made/log
mkdir -p "$log"
# What another architecture's programs are built and run with: a Debian of its own.
guest_root=$made/root
foreign=''
[[ $arch == x86_64 ]] || foreign=y

if [[ -t 2 ]]; then
	bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m' wipe=$'\r\e[K'
else
	bold='' red='' plain='' wipe=''
fi

# say TEXT: one line for what this step has done, with its seconds so far.
say() {
	printf '%s  %s%-8s%s %s  (%d s)\n' "$wipe" "$bold" "$step" "$plain" "$*" "$SECONDS" >&2
}

# run COMMAND...: a short command; V=1 shows it.
run() {
	[[ -z $verbose ]] || printf '+ %s\n' "${*@Q}" >&2
	"$@"
}

# busy TEXT LOG COUNT COMMAND...: a long command, its output in LOG (V=1: and on
# the terminal).  Shows TEXT, the seconds and what the command COUNT prints: on a
# terminal each second, elsewhere each half minute.
busy() {
	local text=$1 out=$2 count=$3 ticker status=0
	shift 3
	[[ -z $verbose ]] || printf '+ %s\n' "${*@Q}" >&2

	# A process group of its own: one kill reaches all that it started.
	set -m
	if [[ $verbose ]]; then
		# Not over before all of it is in the log.
		(set -o pipefail && "$@" </dev/null 2>&1 | tee "$out" >&2) &
	else
		"$@" </dev/null >"$out" 2>&1 &
	fi
	job=$!
	set +m
	trap 'stop_job 130' INT
	trap 'stop_job 143' TERM HUP

	tick "$text" "$count" &
	ticker=$!
	wait "$job" || status=$?
	kill "$ticker" 2>/dev/null || :
	wait "$ticker" 2>/dev/null || :
	printf '%s' "$wipe" >&2
	trap - INT TERM HUP
	return "$status"
}

stop_job() {
	trap '' INT TERM HUP
	kill -TERM -- "-$job" 2>/dev/null || :
	wait "$job" 2>/dev/null || :
	exit "$1"
}

# Ends with the step that it reports on, even where that was killed.
tick() {
	local seconds=0 text=$1 count=$2
	while sleep 1 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
		seconds=$((seconds + 1))
		if [[ $wipe && -z $verbose ]]; then
			printf '%s  %s%-8s%s %s  (%d s%s)' "$wipe" "$bold" "$step" "$plain" \
				"$text" "$seconds" "$($count)" >&2
		elif ((seconds % 30 == 0)); then
			printf '  %-8s ... %s  (%d s%s)\n' "$step" "$text" "$seconds" "$($count)" >&2
		fi
	done
}

# lock "$@": a step that somebody started by hand goes through scripts/steps,
# which holds the lock for as long as all of it takes.
lock() {
	[[ ${PIDNS_LOCKED-} ]] || exec "$top/scripts/steps" -- "$0" "$@"
}

# at_least HAVE WANT: compares versions.
at_least() {
	[[ $(printf '%s\n' "$1" "$2" | sort -V | head -n1) == "$2" ]]
}

# kernel_version TREE: what its Makefile says, or nothing.
kernel_version() {
	sed -n 's/^VERSION = *//p; s/^PATCHLEVEL = */./p; s/^SUBLEVEL = */./p' \
		"$1/Makefile" 2>/dev/null | head -n3 | tr -d '\n' || :
}

# kernel_release TREE: as its tag has it: 7.3.4, and 7.3 or 7.3-rc7 where the Makefile says 7.3.0.
kernel_release() {
	local version
	version=$(kernel_version "$1")
	echo "${version%.0}$(sed -n 's/^EXTRAVERSION = *//p' "$1/Makefile" 2>/dev/null | head -n1)"
}

# kmake OBJ ARGUMENT...: the kernel's make with the tools that setup found, and
# nothing in the result that depends on when and where it was built.
kmake() {
	local obj=$1
	shift
	run make -C "$linux" O="$obj" ARCH="$karch" ${verbose:+V=1} "${KMAKE[@]}" \
		KBUILD_BUILD_TIMESTAMP=2026-01-01 KBUILD_BUILD_USER=pidns \
		KBUILD_BUILD_HOST=pidns "$@"
}

# edits: the files of build/linux that somebody has changed since scripts/lay wrote them.
# Those that it found when it last ran are in build/linux.edits.
edits() {
	local file was
	[[ -f $linux.id ]] || return 0
	{
		find "$linux" -newer "$linux.id" -type f ! -name '*~' ! -name '.*.sw?' \
			! -name '*.orig' ! -name '*.rej' ! -name '*.pyc' -printf '%P\n'
		cat "$linux.edits" 2>/dev/null || :
	} | sort -u | while IFS= read -r file; do
		was=$laid/$file
		[[ -e $was ]] || was=$base/$file
		[[ ! -e $linux/$file ]] || cmp -s "$was" "$linux/$file" || echo "$file"
	done
}

# tools_env: what setup wrote; and user_cc, which compiles programs for the guest.
tools_env() {
	[[ -f $build/env ]] || die "there is no build/env yet: run scripts/setup first"
	# shellcheck source=/dev/null
	. "$build/env"
	user_cc=$CC
	[[ ! $foreign ]] || user_cc+=" --target=$cpu-linux-gnu --sysroot=$guest_root -fuse-ld=lld"
}

# enough DIRECTORY MEGABYTES WHAT: room on its disk.
enough() {
	local have
	have=$(df --output=avail -BM "$1" | tail -n1 | tr -dc 0-9)
	((have >= $2)) ||
		die "no room on disk: $3 need $2 MB on the file system of $1, which has $have MB left"
}

# offline LOG: whether what a package client says there means that it got no answer.
offline() {
	grep -qiE 'temporary failure (resolving|in name)|could not (resolve|connect)|no address associated|network is unreachable|failed to establish a new connection|connection (refused|timed out)' "$1"
}

# image_of VARIANT: the kernel to boot.
image_of() {
	echo "$objects/$1/$image"
}
