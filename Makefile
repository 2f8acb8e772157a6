# Every task of the project, one a line: `make help`.

CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=
LOCKED = --locked

.DEFAULT_GOAL := help
.PHONY: help build release fmt check deny test demo bench bench-quick install uninstall clean ci prerequisites

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

prerequisites: ## install what building and testing need (Debian, Ubuntu)
	@sh tests/support/prerequisites.sh

build: ## build for debugging
	$(CARGO) build $(LOCKED)

release: ## build target/release/git-remote-bbcloud
	$(CARGO) build $(LOCKED) --release

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

test: prerequisites ## run all tests
	@sh tests/support/old-git.sh
	$(CARGO) test $(LOCKED)
	$(CARGO) test $(LOCKED) --all-features --test it wire::proxies

demo: prerequisites ## see it work without an account: clone, push, fetch, wiki and a refused push
	$(CARGO) build $(LOCKED) --bin git-remote-bbcloud --example local-bitbucket
	@sh tests/support/demo.sh

bench: prerequisites ## how fast it is beside https://, as a table; takes half an hour and wants a quiet machine
	$(CARGO) bench $(LOCKED) --bench ratio

bench-quick: prerequisites ## the small cases of it, in less than two minutes
	$(CARGO) bench $(LOCKED) --bench ratio -- --quick

install: release ## install below PREFIX (and DESTDIR)
	install -D -m 755 target/release/git-remote-bbcloud '$(DESTDIR)$(PREFIX)/bin/git-remote-bbcloud'

uninstall: ## undo install
	rm -f '$(DESTDIR)$(PREFIX)/bin/git-remote-bbcloud'

clean: ## remove what was built
	$(CARGO) clean

ci: check test ## what .ci/run does
