# Two commands matter: `make demo` and `make test`. Both set up what is missing, once, and say so.

CARGO ?= cargo
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
RACES ?= 10000

.DEFAULT_GOAL := help
.PHONY: help setup build examples runtimes guest compare-runtimes demo test test-guest bench ablation attacks races third-party wasi-testsuite conformance soak fuzz corpus train \
	doc install clean-all

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: ## Install what is missing on a Debian-like machine
	@scripts/setup.sh

build: setup ## Build all programs
	$(CARGO) build --release --locked --workspace

guest: build ## Build the guest image of virtual machines from Debian packages
	@scripts/build-guest.sh

examples: setup ## Build what the examples need
	@scripts/build-examples.sh

runtimes: setup ## Build Python and JavaScript as WebAssembly components
	@scripts/build-runtimes.sh

compare-runtimes: runtimes ## Compare programs in them with python3 and node
	@cargo build --quiet --release --locked --workspace --example run-runtime
	@python3 -m unittest discover --quiet --start-directory runtimes/tests
	@python3 runtimes/tests/fresh.py target/runtimes/current
	@python3 runtimes/tests/compare.py target/runtimes/current

demo: build examples ## Run every example and show what was decided and what happened
	@scripts/built.sh atoll-demo

test: setup examples ## Run every test, then look for leaks
	@scripts/setup.sh python3-numpy crun runc runsc qemu-system-x86
	@scripts/test.sh

test-guest: setup ## Run the tests of the sandboxes, attacks included, where only cgroup version 2 is
	@scripts/setup.sh python3-numpy
	@scripts/vm-test.sh

bench: build ## Measure Atoll on this machine, beside bubblewrap, crun and runc
	@scripts/setup.sh bubblewrap crun runc runsc qemu-system-x86 python3-numpy
	@scripts/bench.sh

ablation: build ## Switch off one layer at a time and show which attacks notice
	@scripts/ablation.sh

attacks: setup ## Attack the levels gvisor and vm as `make test` attacks the level process
	@scripts/setup.sh runsc qemu-system-x86
	@scripts/attacks.sh

corpus: build ## Fetch programs that predictions are judged on, and record what each takes
	@scripts/setup.sh python3-numpy
	@python3 scripts/prediction-corpus.py
	@python3 scripts/prediction-record.py

train: ## Train what programs are predicted by, with what `make corpus` recorded
	@$(CARGO) run --quiet --release --locked -p atoll-train

races: setup ## Run every race RACES times (default 10000; `make test` runs each 1000 times)
	@ATOLL_RACES=$(RACES) $(CARGO) test --release --locked -p atoll-jail race

third-party: build ## Run stress-ng and the kernel's own tests inside a sandbox
	@scripts/third-party.sh

wasi-testsuite: build ## Run the programs of wasi-testsuite, a copy of which WASI_TESTSUITE names
	@scripts/wasi-testsuite.sh

conformance: setup ## Run all of the WebAssembly specification's modules in jails, and broken ones
	@ATOLL_CONFORMANCE=all $(CARGO) test --release --locked --workspace --test it -- \
		--nocapture specification broken

soak: build ## Run JOBS jobs (default 100000) at LEVEL, good and hostile, and look for leaks
	@scripts/soak.sh

fuzz: setup ## Fuzz every parser of outside bytes, FUZZ_SECONDS each (default 60)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz.sh

doc: ## Build the documentation of every crate
	$(CARGO) doc --locked --workspace --no-deps --document-private-items

install: build ## Install into PREFIX (default /usr/local)
	@scripts/install.sh "$(DESTDIR)$(PREFIX)"

clean-all: ## Remove everything that was built, fuzzing included
	$(CARGO) clean
	rm -rf fuzz/target fuzz/corpus fuzz/artifacts
