# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Packages of Debian's newer suites, fetched and checked without touching the lists and
# the packages of this machine.  Sourced after common.sh by the steps that need them.
#
# shellcheck disable=SC2154  # common.sh's names

# Where a package may be, besides the release that this machine runs.
suites=(trixie-backports forky sid)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
private=$downloads/apt

# A configuration of apt's own: the mirror of this machine, but its own suites,
# state and nothing but package lists; /etc and the system's state stay as they are.
apt_options=(
	-o Dir::Etc::sourcelist="$private/sources.list" -o Dir::Etc::sourceparts=/dev/null
	-o Dir::Etc::preferencesparts=/dev/null -o Dir::Etc::preferences=/dev/null
	-o Dir::State="$private/state" -o Dir::State::lists="$private/lists"
	-o Dir::State::status=/dev/null -o Dir::Cache="$private/cache"
	-o APT::Sandbox::User=root -o APT::Default-Release=
	-o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
	-o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false
	-o Acquire::Retries=2 -o Acquire::http::Timeout=30
)

nothing() { :; }
# Where a step that runs beside others has its download.
fetching=$downloads/new.$step
fetched() { printf ', %s' "$(du -sh "$fetching" | cut -f1)"; }

# debian_mirror: sets mirror, from where this machine takes its own packages.
debian_mirror() {
	local release
	# shellcheck source=/dev/null
	release=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
	# shellcheck disable=SC2016  # these are apt's, not the shell's
	mirror=$(apt-get indextargets --format '$(RELEASE)|$(COMPONENT)|$(REPO_URI)' \
		'Created-By: Packages' | sed -n "s/^$release|main|//p" | head -n1)
	[[ $mirror ]] || die 'apt on this machine names no Debian archive (component main)' \
		'to take the kernel source from; KERNEL=/path names a tree instead'
	[[ -f $keyring ]] ||
		die "no $keyring (package debian-archive-keyring) to check signatures with"
}

root_made() { printf ', %s' "$(du -sxh "${at-}" 2>/dev/null | cut -f1)"; }

# debian_root WHAT DIRECTORY SUITE [ARGUMENT...]: has mmdebstrap make the Debian that WHAT names;
# apt checks its signatures.  The arguments are options, and sources beside the main one.
debian_root() {
	local what=$1 at=$2 suite=$3 out=$log/$step-root.log
	shift 3
	[[ $(command -v mmdebstrap) ]] || die 'there is no mmdebstrap here: install the package of that name'
	debian_mirror
	mkdir -p "${at%/*}"
	as_root rm -rf "$at"
	busy "$what" "$out" root_made as_root mmdebstrap --quiet --mode=root \
		"$suite" "$at" "deb [signed-by=$keyring] $mirror $suite main" "$@" || {
		! offline "$out" || die "no network: $what could not be fetched"
		die "$what could not be made: $(grep -m1 '^E:' "$out" || tail -n1 "$out") ($out)"
	}
}

private_apt() {
	debian_mirror
	mkdir -p "$private"/{state,lists/partial,cache/archives/partial}
	printf "deb [signed-by=$keyring] $mirror %s main\n" "${suites[@]}" >"$private/sources.list"
}

# update PACKAGE: apt drops each list whose signature is wrong, and so do we.
update() {
	local out=$log/$step-lists.log
	busy 'reading the signed package lists' "$out" nothing \
		apt-get -q "${apt_options[@]}" update || :
	if [[ -z $(newest "$1") ]]; then
		! offline "$out" || die "no network: the package lists could not be fetched" \
			"($(grep -m1 -E '^(Err|W|E):' "$out"))"
		! grep -qE 'NO_PUBKEY|BADSIG|not signed|Hash Sum|invalid|EXPKEYSIG' "$out" ||
			die "the signature of the package lists is wrong:" \
				"$(grep -m1 -E 'NO_PUBKEY|BADSIG|Hash Sum|invalid|EXPKEYSIG|not signed' "$out")"
		return 1
	fi
}

# newest PACKAGE: the newest version in the lists.
newest() {
	apt-cache "${apt_options[@]}" madison "$1" 2>/dev/null |
		cut -d'|' -f2 | tr -d ' ' | sort -V | tail -n1
}

# signed_sum PACKAGE=VERSION: what the signed lists say.
signed_sum() {
	apt-cache "${apt_options[@]}" show "$1" | sed -n 's/^SHA256: //p' | head -n1
}

# check DEB PACKAGE=VERSION
check() {
	local is want
	want=$(signed_sum "$2")
	is=$(sha256sum "$1")
	[[ $want && ${is%% *} == "$want" ]] || die "$1 is not the package that Debian signed:" \
		"its SHA256 is ${is%% *}, the list says ${want:-nothing}; remove it and run again"
}

# package PACKAGE=VERSION: sets deb, the checked file; what is here is not fetched again.
package() {
	local name=${1%%=*} out=$log/$step-${1%%=*}.log
	deb=$(find "$downloads" -maxdepth 1 -name "${name}_${1#*=}_*.deb" -print -quit)
	if [[ $deb ]]; then
		check "$deb" "$1"
		return
	fi
	rm -rf "$fetching" && mkdir "$fetching"
	if ! busy "${1/=/ }" "$out" fetched \
		env -C "$fetching" apt-get -q "${apt_options[@]}" download "$1"; then
		! offline "$out" || die "no network: $name could not be fetched ($(grep -m1 -E '^(Err|E):' "$out"))"
		die "${1/=/ } could not be fetched: $(grep -m1 -E '^(Err|E):' "$out" || tail -n1 "$out") ($out)"
	fi
	check "$fetching/"*.deb "$1"
	deb=$downloads/${name}_${1#*=}_all.deb
	mv "$fetching/"*.deb "$deb"
	rmdir "$fetching"
}

# unpack_source DEB DIRECTORY: the tree that a package linux-source-* has.
unpack_source() {
	rm -rf "$2" && mkdir "$2" && dpkg-deb --fsys-tarfile "$1" |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
		tar -xJ -C "$2" --strip-components=1
}
