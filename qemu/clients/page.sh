# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# docs/cannot-allocate-memory.rst and docs/invalid-argument.rst: the transcripts of their
# sections are typed, and each line of the page must come out.
#
# shellcheck disable=SC2154 # run sets what is not set here
#
# package: util-linux
# package: python3-minimal

# page NAME SECTION
page() {
	"$here/transcript" "$top/docs/$1.rst" "$2"
}

# as_on_stock NAME SECTION: a section that shows what the stock kernel refuses.
as_on_stock() {
	if [[ $kernel == stock ]]; then
		page "$@"
	elif page "$@"; then
		die "this kernel refuses as well: $2"
	fi
}

check page.what_happens 'the first command works, the second has no memory'
page.what_happens() { page cannot-allocate-memory 'What happens'; }
check page.start_it_with_fork 'the way out for the next time'
page.start_it_with_fork() { page cannot-allocate-memory 'Start it with --fork'; }
check page.going_back 'the way back, by setns()'
page.going_back() { page cannot-allocate-memory 'Going back'; }
check page.unshare_again 'the way on' 'unshare: unshare failed: Invalid argument'
page.unshare_again() { page cannot-allocate-memory 'Unshare again'; }

check page.what_it_looks_like 'what the stock kernel refuses, and no other'
page.what_it_looks_like() { as_on_stock invalid-argument 'What it looks like'; }
check page.how_a_program_finds_out 'a command tells whether the kernel refuses' \
	'unshare: unshare failed: Invalid argument'
page.how_a_program_finds_out() { page invalid-argument 'How a program finds out'; }
check page.let_a_child_do_it 'the way that every kernel has'
page.let_a_child_do_it() { page invalid-argument 'Let a child do it'; }
check page.go_back_first 'the way that takes privilege'
page.go_back_first() { page invalid-argument 'Go back first'; }
check page.a_kernel_that_allows_it 'nothing has to be done' \
	'unshare: unshare failed: Invalid argument'
page.a_kernel_that_allows_it() { page invalid-argument 'A kernel that allows it'; }
