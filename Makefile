# contactsync: build, test, install. `make help` lists the targets.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=

bindir = $(DESTDIR)$(PREFIX)/bin
mandir = $(DESTDIR)$(PREFIX)/share/man/man1
docdir = $(DESTDIR)$(PREFIX)/share/doc/contactsync
unitdir = $(DESTDIR)$(PREFIX)/lib/systemd/system
bashdir = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
zshdir = $(DESTDIR)$(PREFIX)/share/zsh/site-functions
fishdir = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d

binary = target/release/contactsync
simulator = target/debug/examples/simulate

# Everything that `make test` runs is built once, optimized: the simulation plays many times as fast. Debug assertions
# stay on: they are what lets rules be broken and situations be counted. Building in increments would cut an optimized
# crate into hundreds of units, for twice the time.
optimized = --config 'profile.dev.package.contactsync.opt-level=2'
tests simulator: export CARGO_INCREMENTAL = 0

.PHONY: help demo build test test-long prepare format lint tests simulator simulate docs deny bench install uninstall clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: prepare ## Show everything at once: sandbox, sample contacts and daemon
	$(CARGO) run --quiet --locked -- demo

build: prepare ## Build the optimized binary
	$(CARGO) build --release --locked

test: prepare format lint tests simulate docs deny ## Check everything that must be clean before a change goes in

prepare:
	@.ci/prepare

format:
	$(CARGO) fmt --check

lint:
	$(CARGO) clippy --locked --all-targets -- -D warnings

# cargo-nextest is faster and tells better what failed; without it the tests are the same.
tests:
	@mkdir -p target
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
	  echo '$(CARGO) nextest run --locked, optimized'; \
	  CARGO_TERM_COLOR=never $(CARGO) nextest run --locked $(optimized) --no-fail-fast 2>&1 | tee target/tests.log; \
	  count=$$(sed -n 's/^.* \([0-9][0-9]*\) tests\{0,1\} run: \([0-9][0-9]*\) passed.*/\2/p' target/tests.log | tail -n 1); \
	else \
	  echo '$(CARGO) test --locked, optimized'; \
	  CARGO_TERM_COLOR=never $(CARGO) test --locked $(optimized) --lib --bins --tests --no-fail-fast 2>&1 | tee target/tests.log; \
	  count=$$(sed -n 's/^test result: ok\. \([0-9][0-9]*\) passed.*/\1/p' target/tests.log | awk '{ n += $$1 } END { print n + 0 }'); \
	fi; \
	echo "$${count:-0} tests passed"

simulator:
	$(CARGO) build --locked $(optimized) --example simulate

simulate: simulator ## Play scenarios of users, faults and crashes against the engine
	@rm -rf target/simulated && mkdir -p target/simulated
	$(simulator) --seeds 20000
	$(simulator) --seeds 500 --sqlite target/simulated
	$(simulator) --seeds 200 --sweep
	$(simulator) --mutant frequent --seeds 2000
	@rm -rf target/simulated

test-long: prepare simulator ## Play very many scenarios, break every rule, and kill the process 200 times; takes hours
	@rm -rf target/simulated && mkdir -p target/simulated
	$(simulator) --seeds 1000000 --from 1000000
	$(simulator) --seeds 20000 --from 3000000 --sqlite target/simulated
	$(simulator) --seeds 2000 --from 4000000 --sweep
	$(simulator) --mutant all --seeds 100000
	CONTACTSYNC_KILLS=200 $(CARGO) test --locked --test suite kill -- --nocapture
	@rm -rf target/simulated

docs:
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --document-private-items

# Licences, banned crates and sources need no network; the advisories are checked where their database is kept.
deny:
	@if $(CARGO) deny --version >/dev/null 2>&1; then \
	  $(CARGO) deny --offline check licenses bans sources; \
	else \
	  echo 'cargo-deny is not installed: licences and banned crates were not checked'; \
	fi

bench: prepare ## Measure what an operator feels
	$(CARGO) bench --locked

install: $(binary) ## Install binary, unit, man pages, completions and sample (PREFIX, DESTDIR)
	install -Dm755 $(binary) $(bindir)/contactsync
	install -d $(unitdir) $(mandir) $(docdir) $(bashdir) $(zshdir) $(fishdir)
	sed 's|/usr/local/bin/|$(PREFIX)/bin/|' systemd/contactsync.service > $(unitdir)/contactsync.service
	chmod 644 $(unitdir)/contactsync.service
	$(binary) man $(mandir)
	$(binary) completions bash > $(bashdir)/contactsync
	$(binary) completions zsh > $(zshdir)/_contactsync
	$(binary) completions fish > $(fishdir)/contactsync.fish
	install -m644 config/contactsync.toml README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE $(docdir)/

uninstall: ## Remove what install installed; configuration and contacts stay
	rm -f $(bindir)/contactsync $(unitdir)/contactsync.service
	rm -f $(mandir)/contactsync.1 $(mandir)/contactsync-*.1
	rm -f $(bashdir)/contactsync $(zshdir)/_contactsync $(fishdir)/contactsync.fish
	rm -rf $(docdir)

$(binary):
	@echo 'The binary is not built yet; run: make build' >&2; exit 1

clean: ## Remove everything that was built
	$(CARGO) clean
