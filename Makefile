# `make help` lists what there is. Everything is installed into .venv and nowhere else.
PYTHON ?= python3
BIN := .venv/bin
TESTS := $(BIN)/python -m pytest --numprocesses=2 --dist=loadfile

.PHONY: help install demo test check bench clean

help:  ## what there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

install: .venv/installed  ## the virtual environment .venv with everything in it

.venv/installed: pyproject.toml requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check "torch==$$(sed -n 's/^torch==//p' requirements.txt)"
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements.txt --editable '.[dev]'
	@touch $@

demo: install  ## a running bot with a sample organisation, in your browser
	$(BIN)/weaver demo

test: install  ## everything the tests need, then the tests
	$(TESTS)

check: install  ## what CI runs: style, types, who may import whom, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(TESTS)

bench: install  ## timings, on this machine
	@for script in tests/bench/bench_*.py; do $(BIN)/python $$script || exit 1; done

clean:  ## remove what was built
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist *.egg-info
