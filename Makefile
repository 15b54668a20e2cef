# SPDX-License-Identifier: GPL-2.0-only
#
# What people run; Kbuild beside it is what the kernel reads.  A target is a list of
# steps, each of which is scripts/STEP.

# All steps from nothing to a kernel with the Rust implementation.
KERNEL_STEPS := setup fetch lay 'build rust'

# All steps from nothing to the module for a kernel as it is.
MODULE_STEPS := 'setup module' fetch debian module

# The commands of people reach their script as they are: $(CMD) would expand them.
export CMD_TEXT := $(value CMD)
unexport CMD

.DEFAULT_GOAL := help

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS='|' read -r name text; do printf 'make %-10s %s\n' "$$name" "$$text"; done

.PHONY: run
run: ## boot the kernel and show what unshare(CLONE_NEWPID) does there; ARCH=arm64
	@exec scripts/steps $(KERNEL_STEPS) -- scripts/tour rust

.PHONY: module
module: ## build pidns.ko for Debian's own kernel, which gives it these semantics; KVER=7.3.4+deb13-amd64
	@exec scripts/steps $(MODULE_STEPS)

.PHONY: try
try: ## boot Debian's own kernel and show what pidns.ko changes; KVER=7.3.4+deb13-amd64
	@exec scripts/steps $(MODULE_STEPS) try

.PHONY: deb
deb: ## package the module for Debian, so that each new kernel gets it
	@exec scripts/steps 'setup deb' deb

.PHONY: test
test: ## run every test on both implementations; TEST=name, VARIANT=c, DEBUG=1, KCSAN=1, SCX=1, ARCH=arm64
	@exec scripts/steps 'setup checks' fetch lay -- scripts/test

.PHONY: bench
bench: ## count the instructions of pid namespaces on stock, C and Rust; KVM=1: nanoseconds; ARCH=arm64
	@exec scripts/steps setup fetch lay 'build stock' 'build rust' 'build c' 'build bench' -- \
		scripts/bench

.PHONY: storm
storm: ## show what happens at the limit of pid namespaces on stock, C and Rust
	@exec scripts/steps setup fetch lay 'build stock' 'build rust' 'build c' 'build bench' -- \
		scripts/storm

.PHONY: soak
soak: ## do random histories as the model predicts them; MINUTES=20, SEEDS=5-9, VARIANT=rust, DEBUG=1
	@exec scripts/steps 'setup checks' fetch lay -- scripts/soak

.PHONY: load
load: ## compare the answers to bad input with stock's, and load pid namespaces; VARIANT=rust, WORDS=1000, PERCENT=10
	@exec scripts/steps setup fetch lay -- scripts/load

.PHONY: fuzz
fuzz: ## have stress-ng and trinity call what is about pids, on kernels that check themselves; MINUTES=10, VARIANT=c
	@exec scripts/steps setup fetch lay unpack -- scripts/fuzz

.PHONY: mutants
mutants: ## plant bugs into the kernel, one at a time: does a test notice each? BUG=name; resumes
	@exec scripts/steps 'setup checks' fetch lay -- scripts/mutants $(BUG)

.PHONY: coverage
coverage: ## look which instructions of pid namespaces no test reaches; writes docs/coverage.md
	@exec scripts/steps 'setup checks' fetch lay -- scripts/coverage

.PHONY: compare
compare: ## run the kernel's own selftests on the unpatched kernel and on ours: what differs?
	@exec scripts/steps setup fetch lay -- scripts/compare

.PHONY: clients
clients: ## run programs of this distribution on the unpatched kernel and on ours; CLIENT=name
	@exec scripts/steps $(KERNEL_STEPS) 'build c' 'build stock' 'build selftests' unpack -- \
		scripts/clients

.PHONY: check
check: ## prove that what the series adds is clean, and builds in each configuration
	@exec scripts/steps 'setup checks' fetch lay -- scripts/check

.PHONY: release
release: ## run all tests, for hours, and write docs/status.md; resumes
	@exec scripts/release

.PHONY: edit
edit: ## open the series as git commits in build/edit, one for each patch
	@exec scripts/steps setup fetch edit

.PHONY: refresh
refresh: ## take edits in build/linux (PATCH=5: into that patch) or build/edit into this tree
	@exec scripts/steps setup fetch refresh lay

.PHONY: series
series: ## write the patch series for the kernel's mailing lists to build/series/
	@exec scripts/steps setup fetch lay series

.PHONY: shell
shell: ## open a shell in the guest, on the root file system of this machine
	@exec scripts/steps $(KERNEL_STEPS) -- qemu/boot rust --interactive

.PHONY: exec
exec: ## run CMD='...' in the guest as root; CONSOLE=file keeps the kernel's log; ARCH=arm64
	@exec scripts/exec "$$CMD_TEXT"

.PHONY: gdb
gdb: ## run CMD='...' in the guest under gdb, with GDB='its arguments'
	@exec scripts/gdb "$$CMD_TEXT"

.PHONY: lines
lines: ## show the source lines behind an oops in CONSOLE=file, a kernel's log
	@exec scripts/lines $(if $(CONSOLE),"$$CONSOLE")

.PHONY: analyzer
analyzer: ## write rust-project.json for rust-analyzer
	@exec scripts/steps $(KERNEL_STEPS) analyzer

.PHONY: clean
clean: ## remove what was built; the downloads and the tools stay
	@exec scripts/steps clean

.PHONY: distclean
distclean: ## remove build/, with the downloads, the tools, and edits that are in no patch
	@exec scripts/steps -- scripts/clean --all
