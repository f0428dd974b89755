# `make demo` and `make test` set everything up themselves; a second run starts at once.

BIN := .venv/bin
# All processors; tests that share an installation stay together.
PYTEST_ARGS ?= -n auto --dist loadgroup
LOCKS := requirements/build.lock requirements/runtime.lock requirements/dev.lock
SETUP := pyproject.toml scripts/setup $(LOCKS)

.PHONY: demo test lint format types contracts bench lock clean
.DEFAULT_GOAL := test

demo: .venv/runtime.stamp
	@scripts/demo

test: .venv/dev.stamp
	$(BIN)/python -m pytest $(PYTEST_ARGS)

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
