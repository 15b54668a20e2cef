# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# PAM: the services are programs as they are, the module is selftests/pam_pidns.c, which
# unshares when a session is opened.
#
# shellcheck disable=SC2016,SC2154 # what is quoted is for an inner shell; run sets the rest
#
# package: pamtester
# package: util-linux

# service NAME: gives the service NAME the module.
service() {
	local module=$top/build/obj/selftests/installed/pid_namespace/pam_pidns.so
	[[ -e $module ]] || skip "no pam_pidns.so was built: PAM's headers are missing here"
	printf '%s\n' "auth sufficient pam_permit.so" "account sufficient pam_permit.so" \
		"session required $module" >"/etc/pam.d/$1"
}

check su.session 'the shell of a session is pid 1, and its parent reads as 0'
su.session() {
	service su
	want 'pid and parent' '1 0' "$(su --shell /bin/sh --command 'echo $$ $PPID' root)"
}

check runuser.session 'so is that of an ordinary user'
runuser.session() {
	service runuser
	want 'pid, parent and user' '1 0 nobody' \
		"$(runuser --user nobody -- sh -c 'echo $$ $PPID $(id -un)' | xargs)"
}

check pamtester.session 'a session is opened and closed'
pamtester.session() {
	service pidns
	pamtester pidns root open_session close_session
}

check pamtester.many_sessions 'one process opens and closes fifty, one after the other' \
	'Cannot make/remove an entry for the specified session'
pamtester.many_sessions() {
	local operations=() i
	service pidns
	for ((i = 0; i < 50; i++)); do
		operations+=(open_session close_session)
	done
	pamtester pidns root "${operations[@]}" >opened
	want 'sessions' 50 "$(grep -c 'successfully opened' opened)"
}
