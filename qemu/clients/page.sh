# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The pages in docs/: the transcripts of a section are typed, and each line of the page must
# come out.  A check is page.PAGE.SECTION, for each section that has a transcript.
#
# shellcheck disable=SC2154,SC2034 # run sets what is not set here; eval reads page_sections
#
# package: util-linux

# What the stock kernel refuses; each of them must be a section.
declare -A page_refusals=(
	[page.cannot_allocate_memory.unshare_again]='unshare: unshare failed: Invalid argument'
)
declare -A page_sections=()

# page_sections_of PAGE
page_sections_of() {
	local section name
	while IFS= read -r section; do
		[[ $section ]] || continue
		name=$(basename "$1" .rst).$section
		name=page.$(tr -cs 'a-z0-9.\n' _ <<<"${name,,}")
		page_sections[$name]=$section
		check "$name" "each line of section '$section' of ${1#"$top/"} comes out" \
			"${page_refusals[$name]-}"
		unset "page_refusals[$name]"
		eval "$name() { '$here/transcript' '$1' \"\${page_sections[$name]}\"; }"
	done < <("$here/transcript" --list "$1")
}

for page in "$top"/docs/*.rst; do
	page_sections_of "$page"
done
for name in "${!page_refusals[@]}"; do
	die "qemu/clients/page.sh: docs/ have no section with a transcript for $name"
done
unset name page
