# Two commands for everyone, `make article` and `make test`; the rest is for developers.
# `make test-slow` runs the few tests that `make test` leaves out so as to end in ten minutes on two cores.
# `make docs` builds the documentation site into build/docs and runs its examples.
# `make test-peers` compares with PyTorch, JAX, Keras and Dask, which `make test` does without.
# `make mutants` breaks the package in thousands of ways and counts what the tests notice: it takes hours
# (see docs/testing.md); `make mutants MUTANTS="--sample 100 superlevel"` takes minutes.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: article test test-slow coverage test-peers mutants docs lint types bench clean

article: $(VENV)/.installed
	$(BIN)/gradtheory article --out build/article

test: lint types
	$(BIN)/python -m pytest -n auto -m "not slow"

test-slow: $(VENV)/.test-tools
	$(BIN)/python -m pytest -n auto -m slow tests

# Tracing doubles the time, so coverage is measured with a few activations in place of the whole catalogue.
coverage: $(VENV)/.test-tools
	CI= $(BIN)/python -m pytest -n auto --few --cov --cov-report=term

test-peers: .venv-peers/.installed
	.venv-peers/bin/python -m pytest -n auto tests/peers

mutants: .venv-mutants/.installed
	.venv-mutants/bin/python -m tests.mutation $(MUTANTS)

docs: .venv-docs/.installed
	.venv-docs/bin/sphinx-build -E -q -W --keep-going -b html docs build/docs
	.venv-docs/bin/python -m pytest -q --no-cov -p no:cacheprovider docs README.md README.zh.md

lint: $(VENV)/.test-tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test-tools
	$(BIN)/mypy

bench: .venv-bench/.installed
	OMP_NUM_THREADS=1 .venv-bench/bin/python -m pytest -c benchmarks/pytest.ini benchmarks

clean:
	rm -rf build $(VENV) .venv-bench .venv-peers .venv-docs .venv-mutants

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e '.[all]'
	touch $@

$(VENV)/.test-tools: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet -e '.[all]' --group test
	touch $@

.venv-peers/.installed: pyproject.toml
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --upgrade pip
	.venv-peers/bin/python -m pip install --quiet -e '.[all]' --group peers
	touch $@

.venv-mutants/.installed: pyproject.toml
	$(PYTHON) -m venv .venv-mutants
	.venv-mutants/bin/python -m pip install --quiet --upgrade pip
	.venv-mutants/bin/python -m pip install --quiet -e '.[all]' --group mutants
	touch $@

.venv-docs/.installed: pyproject.toml
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet --upgrade pip
	.venv-docs/bin/python -m pip install --quiet -e '.[all]' --group docs
	touch $@

.venv-bench/.installed: pyproject.toml
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --upgrade pip
	.venv-bench/bin/python -m pip install --quiet -e '.[all]' --group bench
	touch $@
