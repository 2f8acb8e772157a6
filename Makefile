# Every task of the project, one a line: `make help`.

CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=
# What is installed; `make release` makes both.
BINARY ?= target/release/git-remote-bbcloud
SHARE ?= $(dir $(BINARY))share
BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man/man1
BASHDIR = $(PREFIX)/share/bash-completion/completions
ZSHDIR = $(PREFIX)/share/zsh/site-functions
FISHDIR = $(PREFIX)/share/fish/vendor_completions.d
LOCKED = --locked

.DEFAULT_GOAL := help
.PHONY: help build release fmt check check-windows check-macos check-all test-windows deny test test-git soak fuzz demo bench bench-quick install uninstall deb archive manifests clean ci prerequisites

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

prerequisites: ## install what building and testing need (Debian, Ubuntu)
	@sh tests/support/prerequisites.sh test

build: ## build for debugging
	$(CARGO) build $(LOCKED)

release: ## build target/release/git-remote-bbcloud with its manual pages and completions
	@sh tests/support/prerequisites.sh build
	$(CARGO) build $(LOCKED) --release
	rm -rf target/release/share
	@target/release/git-remote-bbcloud man --install --prefix target/release

fmt: ## format the sources
	$(CARGO) fmt

check: prerequisites ## formatting, lints, documentation and dependencies; a warning is an error
	$(CARGO) fmt --check
	$(CARGO) clippy $(LOCKED) --all-targets -- -D warnings
	$(CARGO) clippy $(LOCKED) --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc $(LOCKED) --no-deps --document-private-items --quiet
	@sh tests/support/deny.sh

deny: ## licences, sources and duplicates of the dependencies, and advisories where the network allows
	$(CARGO) deny check

check-windows: ## compile and lint everything for Windows, without a Windows or its compiler
	@CARGO='$(CARGO)' sh tests/support/check-target.sh x86_64-pc-windows-gnu

check-macos: ## the same for Macs with Apple's and with Intel's processors
	@CARGO='$(CARGO)' sh tests/support/check-target.sh aarch64-apple-darwin x86_64-apple-darwin

check-all: check check-windows check-macos ## all checks, for every system

test-windows: ## run the program for Windows under Wine, with a git.exe; fetches and builds much the first time
	@CARGO='$(CARGO)' sh tests/support/windows/test.sh

# OTHER_GIT: a program; what depends on git's version runs again with it.
test: prerequisites ## run all tests
	@sh tests/support/old-git.sh
	@CARGO='$(CARGO)' sh tests/support/run-tests.sh $(OTHER_GIT)

test-git: build ## git's own HTTP tests with this program as their transport; wants apache2, fetches git's source once
	@sh tests/git-suite/run.sh

soak: prerequisites ## the long forms of the load tests: 50 clones at once, 1,000 fetches, 100,000 references, 2 GB
	BBCLOUD_SOAK=1 $(CARGO) test $(LOCKED) --test it -- load:: memory::

fuzz: ## fuzz each place where bytes of others come in, SECONDS_EACH (600) long; needs cargo-fuzz
	@for target in tests/fuzz/targets/*.rs; do \
		name=$$(basename "$$target" .rs); mkdir -p "target/fuzz/found/$$name"; \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run -s none --fuzz-dir tests/fuzz --target-dir target/fuzz "$$name" \
			"target/fuzz/found/$$name" "tests/fuzz/corpus/$$name" \
			-- -max_total_time=$${SECONDS_EACH:-600} -timeout=20 -artifact_prefix="target/fuzz/found/$$name-" || exit 1; \
	done

demo: ## see it work without an account: clone, push, fetch, wiki and a refused push
	@sh tests/support/prerequisites.sh build
	@CARGO='$(CARGO)' sh tests/support/demo.sh

bench: prerequisites ## how fast it is beside https://, as a table; takes half an hour and wants a quiet machine
	$(CARGO) bench $(LOCKED) --bench ratio

bench-quick: prerequisites ## the small cases of it, in less than two minutes
	$(CARGO) bench $(LOCKED) --bench ratio -- --quick

install: ## install below PREFIX (and DESTDIR) what 'make release' has built; only copies
	@[ -e '$(BINARY)' ] && [ -d '$(SHARE)' ] || { echo "error: there is no release to install"; echo "hint: as yourself: 'make release'"; exit 1; } >&2
	install -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(MANDIR)' '$(DESTDIR)$(BASHDIR)' '$(DESTDIR)$(ZSHDIR)' '$(DESTDIR)$(FISHDIR)'
	install -m 755 '$(BINARY)' '$(DESTDIR)$(BINDIR)/git-remote-bbcloud'
	install -m 644 '$(SHARE)'/man/man1/*.1 '$(DESTDIR)$(MANDIR)'
	install -m 644 '$(SHARE)/bash-completion/completions/git-remote-bbcloud' '$(DESTDIR)$(BASHDIR)'
	install -m 644 '$(SHARE)/zsh/site-functions/_git-remote-bbcloud' '$(DESTDIR)$(ZSHDIR)'
	install -m 644 '$(SHARE)/fish/vendor_completions.d/git-remote-bbcloud.fish' '$(DESTDIR)$(FISHDIR)'

uninstall: ## undo install
	rm -f '$(DESTDIR)$(BINDIR)/git-remote-bbcloud'
	rm -f '$(DESTDIR)$(MANDIR)/git-remote-bbcloud.1' '$(DESTDIR)$(MANDIR)'/git-remote-bbcloud-*.1
	rm -f '$(DESTDIR)$(BASHDIR)/git-remote-bbcloud' '$(DESTDIR)$(ZSHDIR)/_git-remote-bbcloud'
	rm -f '$(DESTDIR)$(FISHDIR)/git-remote-bbcloud.fish'

deb: release ## build a Debian package in target/packages
	@sh tests/support/deb.sh '$(BINARY)'

archive: release ## put the built program into an archive in target/packages, with its pages, completions and checksum
	@sh tests/support/archive.sh '$(BINARY)' '$(SHARE)'

manifests: ## manifests of winget, Scoop and Homebrew for the archives in target/packages, as found below URL
	@sh tests/support/manifests.sh '$(URL)' target/packages

clean: ## remove what was built
	$(CARGO) clean

ci: check test ## what .ci/run does
