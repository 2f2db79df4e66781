# Three commands for everyone, `make article`, `make explorer` and `make test`; the rest is for developers.
# `make test` lints, checks types and runs the quick tests, in about three minutes on two cores; `make test-all` runs all tests,
# and `make test-rest` what `make test` leaves out.
# `make explorer` opens the page with sliders in the browser.
# `make docs` builds the documentation site into build/docs and runs its examples.
# `make test-peers` compares with PyTorch, JAX, Keras and Dask, which `make test` does without.
# `make mutants` breaks the package in thousands of ways and counts what the tests notice: it takes hours
# (see docs/testing.md); `make mutants MUTANTS="--sample 100 superlevel"` takes minutes.
# `make prove` has Coq check the proofs in proofs/, in two minutes (see proofs/README.md).
PYTHON  ?= python3
INSTALL ?= pip install --quiet  # CI takes uv's, which is ten times as fast
MEASURE ?=                      # CI counts lines with "-m slipcover --out FILE"
BIN     := .venv/bin

unexport PYTHONDONTWRITEBYTECODE  # without its cache pytest rewrites all files of tests in every worker
export OMP_NUM_THREADS = 1  # every worker of pytest has a core of its own

.PHONY: article explorer test test-all test-rest test-peers mutants docs prove lint types bench clean

article: .venv/.installed
	$(BIN)/gradtheory article --lang en --out build/article

explorer: .venv/.installed
	$(BIN)/gradtheory explore

test: lint types
	$(BIN)/python $(MEASURE) -m pytest -n auto --dist worksteal $(PYTEST)

test-all: lint types
	$(BIN)/python -m pytest -n auto --dist loadscope --all $(PYTEST)

test-rest: .venv/.test-tools
	$(BIN)/python $(MEASURE) -m pytest -n auto --dist loadscope --rest $(PYTEST)

test-peers: .venv-peers/.installed
	.venv-peers/bin/python -m pytest -n auto --dist worksteal --all tests/peers

mutants: .venv-mutants/.installed
	.venv-mutants/bin/python -m tests.mutation $(MUTANTS)

docs: .venv/.docs-tools
	$(BIN)/sphinx-build -E -q -W --keep-going -b html docs build/docs
	$(BIN)/python -m pytest -q -n auto --dist worksteal -p no:cacheprovider docs README.md README.zh.md

prove:
	proofs/check

lint: .venv/.test-tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.test-tools
	$(BIN)/mypy

bench: .venv-bench/.installed
	.venv-bench/bin/python -m pytest -c benchmarks/pytest.ini benchmarks

clean:
	rm -rf build .venv .venv-*

.venv/.installed: pyproject.toml
	$(PYTHON) -m venv .venv
	. $(BIN)/activate && pip install --quiet --upgrade pip && $(INSTALL) -e '.[all]'
	touch $@

.venv/.test-tools: .venv/.installed
	. $(BIN)/activate && $(INSTALL) --group test
	touch $@

.venv/.docs-tools: .venv/.test-tools
	. $(BIN)/activate && $(INSTALL) --group docs
	touch $@

# .venv-GROUP holds the package and the tools of a dependency group of pyproject.toml.
.venv-%/.installed: pyproject.toml
	$(PYTHON) -m venv .venv-$*
	. .venv-$*/bin/activate && pip install --quiet --upgrade pip && $(INSTALL) -e '.[all]' --group $*
	touch $@
