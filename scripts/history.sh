# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The series as git knows it: in build/history.git, the branch base has the unpatched tree
# of build/base, and the branch patches has on top of it one commit for each patch of
# patches/series, with its new files.  Sourced after common.sh and patches.sh.
#
# shellcheck disable=SC2034,SC2154  # as said there

history=$build/history.git

# Nothing of the user's, and no date of today: the same tree, the same commits.
history_git() {
	git --git-dir="$history" -c core.autocrlf=false -c core.attributesFile=/dev/null \
		-c core.looseCompression=1 -c core.fsync=none -c gc.auto=0 "$@"
}

stored() { printf ', %s' "$(du -sh "$history" 2>/dev/null | cut -f1)"; }

# import_base: the branch base, once for each build/base.  What other bases had stays
# there, so that git can merge from one to the next.
import_base() {
	local from=$history/from
	! cmp -s "$base.from" "$from" || return 0
	rm -f "$from"
	[[ -d $history ]] || git init -q --bare -b base "$history"
	enough "$build" 700 'the files of the kernel, as git stores them,'
	busy 'storing the kernel in git, once' "$log/history.log" stored \
		history_git --work-tree="$base" add -A -f ||
		die "git cannot store build/base: $(tail -n1 "$log/history.log")"
	history_git update-ref refs/heads/base "$(base_commit "$(history_git write-tree)")"
	# The funcname of each hunk is found as the kernel's own repository has it.
	[[ ! -f $base/.gitattributes ]] || cp "$base/.gitattributes" "$history/info/attributes"
	# As in a repository of the kernel's size.
	history_git config core.abbrev 9
	cp "$base.from" "$from"
}

# base_commit TREE
base_commit() {
	GIT_AUTHOR_NAME=pidns GIT_AUTHOR_EMAIL=pidns GIT_AUTHOR_DATE=2026-01-01T00:00:00Z \
		GIT_COMMITTER_NAME=pidns GIT_COMMITTER_EMAIL=pidns \
		GIT_COMMITTER_DATE=2026-01-01T00:00:00Z \
		history_git commit-tree -m "Linux $(kernel_version "$base")" -m "$(<"$base.from")" "$1"
}

# write_history BRANCH [NAME]: the series as that branch, by the authors of the patches, or
# by NAME where they are nobody's.  Where a patch does not fit, it ends before
# that one, whose place in commits is then in misfit, with git's words in misfit_said.
write_history() {
	local branch=refs/heads/$1 sender=${2:-$nobody}
	local stream=$build/history.stream worktree=$build/history.tree message=$build/history.message
	misfit='' misfit_said=''
	rm -rf "$worktree" && mkdir "$worktree"
	history_stream >"$stream"
	history_git fast-import --quiet --force --date-format=rfc2822 <"$stream"
	rm -rf "$stream" "$worktree" "$message"
}

history_stream() {
	local i
	printf 'reset %s\nfrom refs/heads/base^0\n\n' "$branch"
	for i in "${!commits[@]}"; do
		if ! misfit_said=$(history_apply "${commits[i]}" 2>&1); then
			misfit=$i
			return 0
		fi
		history_commit "${commits[i]}"
	done
}

# history_apply PATCH: to the files in worktree, which come when they are needed.
history_apply() {
	local file
	while IFS= read -r file; do
		[[ -f $base/$file ]] || { echo "there is no $file" && return 1; }
		[[ -f $worktree/$file ]] ||
			install -D -m "$(stat -c %a "$base/$file")" "$base/$file" "$worktree/$file"
	done < <(edited_by "$1")
	apply "$1" "$worktree"
}

# history_commit PATCH: with the author, date and message that its mail brings.
history_commit() {
	local key value file who text
	local -A field=()
	while IFS= read -r value; do
		key=${value%%: *}
		[[ ! $key || ${field[$key]-} ]] || field[$key]=${value#*: }
	done < <(git mailinfo "$message" /dev/null <"$patches/$1")
	[[ ${field[Author]-} && ${field[Email]-} && ${field[Date]-} && ${field[Subject]-} ]] ||
		die "patches/$1 lacks one of From:, Date: and Subject:"
	who="${field[Author]} <${field[Email]}> ${field[Date]}"
	who=${who/#"$nobody"/"$sender"}
	printf 'commit %s\nauthor %s\ncommitter %s\n' "$branch" "$who" "$who"
	text=$({ printf '%s\n\n' "${field[Subject]}" && cat "$message"; } | git stripspace)
	printf '%s\n' "${text//"$nobody"/"$sender"}" >"$message.all"
	history_data "$message.all"
	rm "$message.all"
	{ edited_by "$1" && put_news "$1" "$worktree"; } | while IFS= read -r file; do
		if [[ -x $worktree/$file ]]; then printf 'M 100755 '; else printf 'M 100644 '; fi
		printf 'inline %s\n' "$file"
		history_data "$worktree/$file"
	done
}

# history_data FILE
history_data() {
	printf 'data %d\n' "$(stat -c %s "$1")"
	cat "$1"
	echo
}

# write_mail COMMIT NUMBER DIRECTORY ENDING [FILE...]: the mail of a commit as patches/ keeps it,
# with its edits of these files, or else with this ending; prints its name.
write_mail() {
	local mail
	mail=$(edit_git format-patch -o "$3" --start-number "$2" --zero-commit -N --no-signature \
		--no-renames -1 "$1" -- "${@:5}")
	if (($# == 4)); then
		sed -i '/^---$/,$d' "$mail"
		[[ $4 == patch ]] || mv "$mail" "${mail%.patch}.$4"
		mail=${mail%.patch}.$4
	fi
	echo "${mail##*/}"
}

# --- build/edit, where people edit the series with git ---

edit=$build/edit
# The branch patches as it was when the branch edit began there.
opened=refs/pidns/opened

edit_git() {
	git -C "$edit" "$@"
}

# under_way: the command that ends what is begun in build/edit, or nothing.
under_way() {
	if [[ -d $edit/.git/rebase-merge ]]; then
		echo 'git rebase --continue'
	elif [[ -d $edit/.git/rebase-apply ]]; then
		echo 'git am --continue'
	elif [[ -f $edit/.git/CHERRY_PICK_HEAD ]]; then
		echo 'git cherry-pick --continue'
	elif [[ $(edit_git status --porcelain) ]]; then
		echo 'git commit'
	fi
}

# edit_changed: whether build/edit has something that did not come from patches/.
edit_changed() {
	[[ -d $edit/.git ]] && [[ $(under_way) ||
		$(edit_git rev-parse edit) != "$(edit_git rev-parse "$opened")" ]]
}

# make_edit: an empty one; the objects stay in history.git.
make_edit() {
	rm -rf "$edit"
	git init -q -b edit "$edit"
	echo ../../../history.git/objects >"$edit/.git/objects/info/alternates"
	[[ ! -f $history/info/attributes ]] || cp "$history/info/attributes" "$edit/.git/info/"
	edit_git config core.abbrev 9
	edit_git config core.autocrlf false
	edit_git sparse-checkout set --cone
}

# fetch_patches: the branches base and patches.
fetch_patches() {
	edit_git fetch -q --no-tags --no-auto-maintenance "$history" '+base:base' '+patches:patches'
}

# check_out_touched BRANCH [COMMIT]: this branch of history.git, or COMMIT, as the branch edit,
# with the folders that BRANCH touches.
check_out_touched() {
	history_git diff-tree --no-renames -r --name-only base "$1" | sed -n 's,/[^/]*$,,p' |
		sort -u | edit_git sparse-checkout add --stdin
	edit_git checkout -q -f -B edit "${2:-$1}"
}

# begin_edit: the branch edit becomes the branch patches.
begin_edit() {
	[[ -d $edit/.git ]] || make_edit
	fetch_patches
	check_out_touched patches
	edit_git update-ref "$opened" patches
}
