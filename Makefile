# The two commands of the README, and what people expect beside them.
# `make demo` and `make test` install the Debian packages that they need (root, or sudo).

CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=
bindir = $(DESTDIR)$(PREFIX)/bin
mandir = $(DESTDIR)$(PREFIX)/share/man/man1
bashdir = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
zshdir = $(DESTDIR)$(PREFIX)/share/zsh/site-functions
fishdir = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
docdir = $(DESTDIR)$(PREFIX)/share/doc/homelab-runners

.PHONY: help demo test lint unit nix browser vm vm-all bench guest build install clean

help:
	@echo 'make demo     build, boot a throw-away guest, run four runners and six workflow jobs on it'
	@echo 'make test     lint, unit and integration tests, the NixOS module, reports and the monitor in Chromium, and the scenarios in the guest'
	@echo 'make vm-all   every scenario in the guest, with those that are too long for make test'
	@echo 'make bench    measurements, each against a peer in the same run'
	@echo 'make guest    boot the guest with everything in it, for trying things by hand'
	@echo 'make install  build and install runnerctl (PREFIX=/usr/local, DESTDIR=)'

demo: packages
	$(CARGO) build --quiet --workspace --bins
	target/debug/demo

test: packages lint unit nix browser vm

# Each part alone, for developers.
lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	shellcheck $$(git ls-files '*.sh')
	docs/workflows/check.sh

unit:
	$(CARGO) test --workspace --lib --bins --test integration --test simulator

# What tests start is built with them: built alone, the same libraries have other features, and all of them are compiled once more.
programs = $(CARGO) test --quiet --workspace --no-run

nix:
	$(programs)
	nix/tests/check.sh

browser:
	tests/browser/packages.sh
	$(programs)
	cd tests/browser && npm ci --silent && npx playwright test

vm:
	$(programs)
	$(CARGO) test --workspace --test scenarios

# With the scenarios that are too long for `make test`.
vm-all:
	$(programs)
	$(CARGO) test --workspace --test scenarios -- --include-ignored

bench: packages
	$(CARGO) build --release --workspace --bins
	target/release/bench

guest: packages
	$(CARGO) build --quiet --workspace --bins
	target/debug/guest

.PHONY: packages
packages:
	tests/vm/guest/packages.sh

build:
	$(CARGO) build --release --locked --bin runnerctl

install:
	@test -x target/release/runnerctl || { echo 'run `make build` first (as yourself, not as root)' >&2; exit 1; }
	install -D -m 0755 target/release/runnerctl $(bindir)/runnerctl
	install -d $(mandir) $(bashdir) $(zshdir) $(fishdir)
	target/release/runnerctl man > $(mandir)/runnerctl.1
	target/release/runnerctl completions bash > $(bashdir)/runnerctl
	target/release/runnerctl completions zsh > $(zshdir)/_runnerctl
	target/release/runnerctl completions fish > $(fishdir)/runnerctl.fish
	install -D -m 0644 src/config/config.example.toml $(docdir)/config.example.toml

clean:
	$(CARGO) clean
