# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What qemu/tour and qemu/try share: a process of ours that makes system calls on command,
# and facts that are printed as they were seen and marked where they are not as they should
# be.  Sourced in the guest, never run.
#
# shellcheck disable=SC2034  # not both use every name

set -euo pipefail
shopt -s inherit_errexit

oddball=$(realpath "${BASH_SOURCE[0]%/*}/../build")
case $(uname -m) in
	aarch64) oddball+=/arm64 ;;
	riscv64) oddball+=/riscv64 ;;
esac
oddball+=/oddball
facts=0 wrong=0

if [[ ${PIDNS_COLOR:-} ]]; then
	bold=$'\e[1m' dim=$'\e[2m' cyan=$'\e[36m' red=$'\e[1;31m' green=$'\e[1;32m' plain=$'\e[0m'
else
	bold='' dim='' cyan='' red='' green='' plain=''
fi

heading() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
note() { printf '   %s%s%s\n' "$dim" "$1" "$plain"; }
prompt() { printf '   %s$ %s%s\n' "$cyan" "$1" "$plain"; }

# fact SEEN WANTED LINE: prints LINE, marked when what was seen is not what was
# wanted.
fact() {
	facts=$((facts + 1))
	if [[ $1 == "$2" ]]; then
		printf '   %s\n' "$3"
	else
		wrong=$((wrong + 1))
		printf '%s!! %s   <- wanted: %s, seen: %s%s\n' "$red" "$3" "$2" "${1:-nothing}" "$plain"
	fi
}

# ask COMMAND: has the oddball make one system call; what came of it is in $answer.
ask() {
	printf '%s\n' "$1" >&"${ODDBALL[1]}"
	read -r -t 20 answer <&"${ODDBALL[0]}" || answer='no answer'
}

# link PID NAME: which namespace a link in /proc names.
link() { readlink "/proc/$1/ns/$2" 2>/dev/null || printf none; }

# parent_of LINK: the parent of a pid namespace, as the kernel tells lsns.
parent_of() {
	lsns -t pid -n -r -o NS,PNS | awk -v ns="${1//[!0-9]/}" '
		$1 == ns { found = 1; print "pid:[" $2 "]" }
		END { if (!found) print "none" }'
}

# start_oddball: sets odd, its pid.
start_oddball() {
	coproc ODDBALL { exec -a oddball "$oddball"; }
	odd=$ODDBALL_PID
}

# conclude: the last line, and the status.
conclude() {
	if ((wrong)); then
		printf '\n%s%d of %d facts are not as they should be: see the lines marked !!%s\n' \
			"$red" "$wrong" "$facts" "$plain"
		exit 1
	fi
	printf '\n%sAll %d facts are as they should be.%s\n' "$green" "$facts" "$plain"
}
