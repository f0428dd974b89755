# `make demo` and `make test` set everything up themselves; a second run starts at once.

BIN := .venv/bin
# All processors; tests that share an installation stay together.
PYTEST_ARGS ?= -n auto --dist loadgroup
LOCKS := requirements/build.lock requirements/runtime.lock requirements/dev.lock requirements/schemas.lock
SETUP := pyproject.toml scripts/setup scripts/schemas $(LOCKS)

.PHONY: demo test test-live deploy-tools nightly ablation lint format types contracts bench bench-collect bench-report bench-peer lock clean
.DEFAULT_GOAL := test

demo: .venv/runtime.stamp
	@scripts/demo

test: .venv/dev.stamp
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# Against a real API server, which is built first; skipped where Go is not installed. ZONE_AUDIT_PODS=20000 fills it more.
test-live: .venv/dev.stamp
	@scripts/apiserver
	@scripts/deploy-tools
	$(BIN)/python -m pytest -m live $(LIVE_ARGS) tests/live

# Helm (needs Go) and promtool (needs Debian), with which `make test` tests deploy/; without them it skips these tests.
deploy-tools:
	@scripts/deploy-tools

# What takes too long for every change: ten times the random clusters, every fault of an API server on every page of every
# kind. ZONE_AUDIT_SEED=N makes other clusters.
nightly: .venv/dev.stamp
	ZONE_AUDIT_CLUSTERS=20000 ZONE_AUDIT_ALL_FAULTS=1 \
	    $(BIN)/python -m pytest $(PYTEST_ARGS) tests/oracle tests/collection/test_fault_table.py

# Every entry of the ledger taken away, alone and in pairs.
ablation: .venv/dev.stamp
	ZONE_AUDIT_ABLATIONS=5500 $(BIN)/python -m pytest $(PYTEST_ARGS) tests/evidence

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: .venv/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: .venv/dev.stamp
	$(BIN)/mypy

contracts: .venv/dev.stamp
	$(BIN)/lint-imports

bench: .venv/runtime.stamp
	$(BIN)/python benchmarks/run.py $(BENCH_ARGS)

# 20,000 and 100,000 pods behind a local API server; BENCH_ARGS=5000 for as many.
bench-collect: .venv/dev.stamp
	$(BIN)/python -m benchmarks.collect $(BENCH_ARGS)

bench-report: .venv/runtime.stamp
	$(BIN)/python benchmarks/report.py

# Another tool on the same cluster; it needs an environment of its own, as it pins its libraries.
bench-peer: .venv/runtime.stamp .cache/peer/stamp
	$(BIN)/python benchmarks/peer.py $(BENCH_ARGS)

.cache/peer/stamp: requirements/peer.lock .venv/runtime.stamp
	rm -rf .cache/peer
	$(BIN)/python -m venv .cache/peer
	.cache/peer/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# New versions within the ranges of pyproject.toml: make lock LOCK_ARGS=--upgrade
lock: .venv/runtime.stamp
	scripts/lock $(LOCK_ARGS)

.venv/runtime.stamp: $(SETUP)
	@scripts/setup runtime
	@touch $@

# Holds everything that the runtime set-up installs, at the same versions.
.venv/dev.stamp: $(SETUP)
	@scripts/setup dev
	@touch .venv/runtime.stamp $@

clean:
	rm -rf .venv .cache out build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
