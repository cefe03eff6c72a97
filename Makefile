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
exampledir = $(docdir)/examples
unitdir = $(DESTDIR)$(PREFIX)/lib/systemd/system
bashdir = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
zshdir = $(DESTDIR)$(PREFIX)/share/zsh/site-functions
fishdir = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d

binary = target/release/contactsync
unit = systemd/contactsync.service
packages = target/debian
simulator = target/debug/examples/simulate
fast_simulator = target/simulation/examples/simulate

# Everything that `make test` runs is built once, optimized: the simulation plays many times as fast. Debug assertions
# stay on: they are what lets rules be broken and situations be counted. Building in increments would cut an optimized
# crate into hundreds of units, for twice the time.
optimized = --config 'profile.dev.package.contactsync.opt-level=2'
tests simulator fast-simulator: export CARGO_INCREMENTAL = 0

.PHONY: help demo build test test-long prepare format lint tests simulator fast-simulator simulate docs unit deny bench
.PHONY: install uninstall deb clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: prepare ## Show everything at once: sandbox, sample contacts and daemon
	$(CARGO) run --quiet --locked -- demo

build: prepare ## Build the optimized binary
	$(CARGO) build --release --locked
	@wc -c < $(binary) | awk '{ printf "$(binary): %d bytes (%.1f MB)\n", $$1, $$1 / 1e6 }'

test: prepare format lint tests simulate docs unit deny ## Check everything that must be clean before a change goes in

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
	$(simulator) --only plain --seeds 40100
	$(simulator) --only plain --seeds 1080 --sqlite target/simulated
	$(simulator) --only plain --seeds 440 --sweep
	$(simulator) --mutant frequent --seeds 2000
	@rm -rf target/simulated

fast-simulator:
	$(CARGO) build --locked --profile simulation --example simulate

test-long: prepare fast-simulator ## Play very many scenarios, break every rule, and kill the process 200 times; takes hours
	@rm -rf target/simulated && mkdir -p target/simulated
	$(fast_simulator) --seeds 1000000 --from 1000000
	$(fast_simulator) --seeds 20000 --from 3000000 --sqlite target/simulated
	$(fast_simulator) --seeds 2000 --from 4000000 --sweep
	$(fast_simulator) --mutant all --seeds 100000
	CONTACTSYNC_KILLS=200 $(CARGO) test --locked --test suite kill -- --nocapture
	@rm -rf target/simulated

docs:
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --document-private-items

# How much the service could do beyond what it needs; the unit says what is left and why. The unit of systemd-analyze is
# a tenth. Of what it verifies, only what it says about the unit counts: here is neither the program in its place, nor
# always a systemd that knows each kind of service.
unit:
	@if ! systemd-analyze --help 2>/dev/null | grep -q -e --offline; then \
	  echo 'systemd-analyze 250 or newer is not installed: THE UNIT WAS NOT CHECKED'; \
	else \
	  systemd-analyze security --offline=true --threshold=15 --no-pager $(unit) 2>&1 | grep 'exposure level' || { \
	    echo 'That is above 1.5, or cannot be told; see: systemd-analyze security --offline=true $(unit)' >&2; exit 1; }; \
	  odd=$$(systemd-analyze verify --man=no $(unit) 2>&1 | grep -F contactsync.service | \
	    grep -v -e 'service type, ignoring: notify-reload' -e 'Command .* is not executable' || true); \
	  if [ -n "$$odd" ]; then echo "$$odd" >&2; exit 1; fi; \
	fi

# Licences, banned crates and sources need no network; the advisories are checked where their database is kept.
deny:
	@if $(CARGO) deny --version >/dev/null 2>&1; then \
	  $(CARGO) deny --offline check licenses bans sources; \
	else \
	  echo 'cargo-deny is not installed: licences and banned crates were not checked'; \
	fi

bench: prepare ## Measure what an operator feels
	$(CARGO) bench --locked

install: $(binary) ## Install binary, unit, man pages, completions and samples (PREFIX, DESTDIR)
	install -d -m755 $(bindir) $(unitdir) $(mandir) $(exampledir) $(bashdir) $(zshdir) $(fishdir)
	install -m755 $(binary) $(bindir)/contactsync
	sed 's|/usr/local/bin/|$(PREFIX)/bin/|' $(unit) | install -m644 /dev/stdin $(unitdir)/contactsync.service
	rm -rf target/man && $(binary) man target/man
	install -m644 target/man/*.1 $(mandir)/
	$(binary) completions bash | install -m644 /dev/stdin $(bashdir)/contactsync
	$(binary) completions zsh | install -m644 /dev/stdin $(zshdir)/_contactsync
	$(binary) completions fish | install -m644 /dev/stdin $(fishdir)/contactsync.fish
	install -m644 README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE $(docdir)/
	install -m644 config/contactsync.toml packaging/prometheus/contactsync.rules.yml $(exampledir)/
	install -m644 packaging/grafana/contactsync.json $(exampledir)/contactsync-grafana.json

uninstall: ## Remove what install installed; configuration and contacts stay
	rm -f $(bindir)/contactsync $(unitdir)/contactsync.service
	rm -f $(mandir)/contactsync.1 $(mandir)/contactsync-*.1
	rm -f $(bashdir)/contactsync $(zshdir)/_contactsync $(fishdir)/contactsync.fish
	rm -f $(addprefix $(docdir)/,README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE)
	rm -f $(addprefix $(exampledir)/,contactsync.toml contactsync.rules.yml contactsync-grafana.json)
	[ ! -d $(exampledir) ] || rmdir --ignore-fail-on-non-empty $(exampledir)
	[ ! -d $(docdir) ] || rmdir --ignore-fail-on-non-empty $(docdir)

# The samples go along, but none of them as the configuration: a service that is only installed does nothing.
deb: $(binary) ## Build a Debian package of the binary, with dpkg-deb alone (target/debian)
	rm -rf $(packages)/root
	$(MAKE) --no-print-directory install DESTDIR=$(packages)/root PREFIX=/usr \
	  zshdir=$(packages)/root/usr/share/zsh/vendor-completions
	CARGO='$(CARGO)' packaging/debian/build $(packages)/root $(packages)

$(binary):
	@echo 'The binary is not built yet; run: make build' >&2; exit 1

clean: ## Remove everything that was built
	$(CARGO) clean
