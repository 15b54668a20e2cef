# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The pages in docs/: the transcripts of a section are typed, and each line of the page must
# come out.  A check is page.PAGE.SECTION, for each section that has a transcript.
#
# shellcheck disable=SC2154,SC2034 # run sets what is not set here; eval reads page_sections
#
# package: util-linux
# package: python3-minimal

# What the stock kernel refuses, and what no other kernel does; each must be a section.
page_refused='unshare: unshare failed: Invalid argument'
declare -A page_refusals=(
	[page.cannot_allocate_memory.unshare_again]=$page_refused
	[page.invalid_argument.which_kernel_it_is]=$page_refused
	[page.invalid_argument.a_kernel_that_allows_it]=$page_refused
)
declare -A page_of_stock=([page.invalid_argument.what_it_looks_like]=1)
declare -A page_sections=()

# page_typed CHECK PAGE
page_typed() {
	"$here/transcript" "$2" "${page_sections[$1]}"
}

# page_refuses CHECK PAGE: a section that shows what the stock kernel alone refuses.
page_refuses() {
	if [[ $kernel == stock ]]; then
		page_typed "$@"
	elif page_typed "$@"; then
		die "this kernel refuses as well: ${page_sections[$1]}"
	fi
}

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
		eval "$name() { page_typed '$name' '$1'; }"
		[[ ! ${page_of_stock[$name]-} ]] || eval "$name() { page_refuses '$name' '$1'; }"
		unset "page_refusals[$name]" "page_of_stock[$name]"
	done < <("$here/transcript" --list "$1")
}

for page in "$top"/docs/*.rst; do
	page_sections_of "$page"
done
for name in "${!page_refusals[@]}" "${!page_of_stock[@]}"; do
	die "qemu/clients/page.sh: docs/ have no section with a transcript for $name"
done
unset name page page_refused
