# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How this tree maps into the kernel's: patches/series, read and checked.  Sourced
# after common.sh.
#
# shellcheck disable=SC2034,SC2154  # each uses some of it, and has sourced common.sh

patches=$top/patches
# The commits in order; for each its mail in patches/, its new files, and the part of the
# series that it is sent with.
commits=()
declare -A new_files=() part_of=()
# The parts in order; patches/cover-PART.txt is the cover letter of each.
parts=()
# Whose the patches are before somebody sends them.
nobody='pidns-rs maintainers <maintainers@pidns-rs.example>'

# kernel_path FILE: where a file of this tree lies in the kernel's, or nothing.
kernel_path() {
	case $1 in
		rust/pidns/*) echo "kernel/${1#rust/}" ;;
		rust/kernel/* | rust/helpers/*) echo "$1" ;;
		selftests/*) echo "tools/testing/selftests/pid_namespace/${1#selftests/}" ;;
		docs/*.rst) echo "Documentation/admin-guide/namespaces/${1#docs/}" ;;
		litmus/*) echo "Documentation/litmus-tests/pidns/${1#litmus/}" ;;
	esac
}

# tree_path FILE: the reverse, where a new file of the kernel's tree lies in this one.
tree_path() {
	case $1 in
		kernel/pidns/*) echo "rust/${1#kernel/}" ;;
		rust/kernel/* | rust/helpers/*) echo "$1" ;;
		tools/testing/selftests/pid_namespace/*)
			echo "selftests/${1#tools/testing/selftests/pid_namespace/}" ;;
		Documentation/admin-guide/namespaces/*.rst)
			echo "docs/${1#Documentation/admin-guide/namespaces/}" ;;
		Documentation/litmus-tests/pidns/*)
			echo "litmus/${1#Documentation/litmus-tests/pidns/}" ;;
	esac
}

# edited_by PATCH: the kernel's files that it changes.
edited_by() {
	sed -n 's,^diff --git a/\(.*\) b/.*,\1,p' "$patches/$1"
}

read_series() {
	local line words file found part=''
	local -A named=()
	[[ -f $patches/series ]] || die 'there is no patches/series'
	while IFS= read -r line || [[ $line ]]; do
		read -ra words <<<"${line%%#*}"
		((${#words[@]})) || continue
		if [[ ${words[0]} =~ ^\[([a-z]+)\]$ ]]; then
			part=${BASH_REMATCH[1]}
			parts+=("$part")
			continue
		fi
		[[ $part ]] || die "patches/series names ${words[0]} before the first [part]"
		[[ -f $patches/${words[0]} ]] ||
			die "patches/series names ${words[0]}, which is not in patches/"
		commits+=("${words[0]}")
		part_of[${words[0]}]=$part
		new_files[${words[0]}]=${words[*]:1}
		for file in "patches/${words[0]}" "${words[@]:1}"; do
			[[ -f $top/$file ]] || die "patches/series names $file, which is not there"
			[[ ! ${named[$file]-} ]] || die "patches/series names $file twice"
			[[ $file == patches/* || $(kernel_path "$file") ]] ||
				die "patches/series names $file, which has no place in the kernel tree"
			named[$file]=1
		done
	done <"$patches/series"

	check_root
	# A file that no commit has would be built, but not sent.
	while IFS= read -r found; do
		[[ ${named[$found]-} ]] || die "patches/series does not name $found"
	done < <(cd "$top" && find litmus rust selftests patches/*.patch patches/*.msg \
		-type f ! -name '*~' ! -name '.*.sw?' 2>/dev/null | sort)
}

# what_base: of what the unpatched kernel is.
what_base() {
	echo "Linux $(kernel_release "$base") of $(head -n1 "$base.from")"
}

# misfit_of WORDS: where git says that a patch does not fit; the first hunk, or else the first line.
misfit_of() {
	local line
	line=$(grep -m1 '^error: ' <<<"$1") || line=$(head -n1 <<<"$1")
	sed 's/^error: //; s/^patch failed: \(.*\):\([0-9]*\)$/\1 differs at line \2/' <<<"$line"
}

# die_misfit PATCH WORDS
die_misfit() {
	die "patches/$1 does not fit $(what_base): $(misfit_of "$2"); make edit${KERNEL:+ KERNEL=$KERNEL}" \
		'has git merge it, or leaves that to you'
}

# put_new FILE ROOT: puts the new file where it belongs below ROOT.
put_new() {
	local path mode=644
	path=$(kernel_path "$1")
	[[ ! -x $top/$1 ]] || mode=755
	install -D -m "$mode" "$top/$1" "$2/$path"
}

# The root of the crate, as the kernel has it: it names the modules, which come patch by patch.
# A .msg brings files that are not built yet; the next .patch names them as well.
crate_root=kernel/pidns/pidns.rs

# naming DIRECTORY: the root of the crate from stdin as it is where the files of DIRECTORY alone are
# there: it names no other, and of its page it has what comes before the whole is described.
naming() {
	awk -v files=" $(cd "$1" && echo *.rs) " '
		function there(name) { return index(files, " " name ".rs ") }
		{ line[NR] = $0 }
		/^mod [a-z_]*;$/ && !there(substr($2, 1, length($2) - 1)) { line[NR] = "left out"; some = 1 }
		/^\/\/! \| `[a-z_]*\.rs` / && !there(substr($3, 2, length($3) - 5)) { line[NR] = "left out" }
		END {
			for (n = 1; n <= NR; n++) {
				if (line[n] == "//! # What is still C, and why")
					whole = some
				if (whole && line[n] ~ /^\/\/!/)
					continue
				whole = 0
				if (line[n] ~ /^#\[/) {
					attributes = attributes line[n] "\n"
				} else if (line[n] == "left out") {
					attributes = ""
				} else if (line[n] ~ /^(\/\/!)?$/) {
					empty = line[n] "\n"
				} else {
					printf "%s%s%s\n", empty, attributes, line[n]
					empty = attributes = ""
				}
			}
		}
	'
}

# put_news PATCH ROOT: puts its new files below ROOT, where those of the patches before it are,
# and prints what may be new or different there now.
put_news() {
	local file
	for file in ${new_files[$1]}; do
		put_new "$file" "$2"
		kernel_path "$file" | grep -vxF "$crate_root" || :
	done
	[[ -f $2/$crate_root && $1 == *.patch ]] || return 0
	naming "$2/${crate_root%/*}" <"$top/$(tree_path "$crate_root")" >"$2/$crate_root"
	echo "$crate_root"
}

# check_root: that all of the root of the crate would come back from the series.
check_root() {
	local root text here
	root=$(tree_path "$crate_root")
	[[ -f $top/$root ]] || return 0
	text=$(<"$top/$root")
	here=$(naming "$top/${root%/*}" <<<"$text" | diff <(echo "$text") - |
		sed -n '/^< \(mod \|#\[\|\/\/! | .[a-z_]*\.rs. \)/s/^< //p' | head -n1) || :
	[[ ! $here ]] || die "$root names a file that is not beside it, or has an attribute without a module: '$here'"
}

# apply PATCH ROOT: its edits, if it has any; exactly, or not at all.  ROOT may lie in a checkout, where git
# would leave out what is not below it.
apply() {
	[[ $(edited_by "$1") ]] || return 0
	(cd "$2" && GIT_CEILING_DIRECTORIES=$build git apply --whitespace=nowarn "$patches/$1")
}
