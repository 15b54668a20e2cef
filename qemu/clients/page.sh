# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# docs/cannot-allocate-memory.rst: the transcripts of its sections are typed, and each line
# of the page must come out.
#
# shellcheck disable=SC2154 # run sets what is not set here
#
# package: util-linux

# page SECTION
page() {
	"$here/transcript" "$top/docs/cannot-allocate-memory.rst" "$1"
}

check page.what_happens 'the first command works, the second has no memory'
page.what_happens() { page 'What happens'; }
check page.start_it_with_fork 'the way out for the next time'
page.start_it_with_fork() { page 'Start it with --fork'; }
check page.go_back 'the way back, by setns()'
page.go_back() { page 'Go back'; }
check page.unshare_again 'the way on' 'unshare: unshare failed: Invalid argument'
page.unshare_again() { page 'Unshare again'; }
