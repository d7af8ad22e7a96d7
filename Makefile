PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
READY := .venv/.ready
ASSURING := .venv/.assuring
RUN := $(BIN)/python -m
PIP := $(RUN) pip --disable-pip-version-check -q

# Compiled modules are kept even where the shell says otherwise: each of many short processes loads them.
unexport PYTHONDONTWRITEBYTECODE

# In a container everybody is root, and JupyterLab wants to be told that this is meant.
AS_ROOT := $(if $(filter 0,$(shell id -u 2>/dev/null)),--allow-root)

# In the archive of a report: the parameters that it was made with, so that `make report` makes the same one.
-include reproduce.mk

# Names that are no files.
.PHONY: report test assure lint types unit notebooks all-tests audit-deps lab publish lock clean

report: $(READY)
	@$(RUN) evidence report $(REPORT)

# Types are checked beside the tests, since that keeps one processor busy and pytest as many as it finds.
test: lint
	@$(MAKE) -s -j2 types all-tests

lint: $(READY)
	@$(RUN) ruff check src tests benchmarks tools
	@$(RUN) ruff format --check src tests benchmarks tools

types: $(READY)
	@$(RUN) mypy

# The longest files come first (tests/conftest.py), so xdist keeps their order; no process asks the network (tests/guard).
PYTEST := PYTHONPATH=tests/guard $(RUN) pytest -q -n auto --dist loadscope --no-loadscope-reorder
UNIT := -m "not slow" --doctest-modules src tests
NOTEBOOKS := -p tools.forked -p nbval.plugin --nbval index.ipynb notebooks

unit: $(READY)
	@$(PYTEST) $(UNIT)

notebooks: $(READY)
	@$(PYTEST) $(NOTEBOOKS)

all-tests: $(READY)
	@$(PYTEST) $(UNIT) $(NOTEBOOKS)

# Under an hour on two processors; a second run goes on with what has not passed or has changed. Writes docs/assurance.md.
assure: $(READY) $(ASSURING)
	@$(RUN) tools.assure

# Known vulnerabilities of the locked packages; says so where the database cannot be reached.
audit-deps: $(READY) $(ASSURING)
	@$(RUN) tools.assure dependencies

lab: $(READY)
	@$(BIN)/jupyter lab --ServerApp.root_dir=. $(AS_ROOT) index.ipynb

publish: $(READY)
	@$(RUN) evidence refresh
	@$(RUN) evidence report --publish docs/report

lock: $(READY)
	@$(PIP) install uv
	@$(RUN) uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --extra test --extra cluster \
		pyproject.toml -o requirements-core.txt
	@$(RUN) uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --group pyproject.toml:assure \
		-c requirements-core.txt -o requirements-assure.txt

clean:
	rm -rf _build _report

$(ASSURING): $(READY) requirements-assure.txt
	@$(PIP) install --require-hashes -r requirements-assure.txt
	@touch $(ASSURING)

# Quarto last: its package downloads the program, and where that is impossible the built-in renderer takes over.
$(READY): requirements-core.txt requirements.txt pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(0 if sys.version_info >= (3, 11) else 'Python 3.11 or later is needed: make PYTHON=python3.11 ...')"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked environment into .venv (about a minute, once)"
	@$(PIP) install --require-hashes -r requirements-core.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@$(PIP) install --require-hashes -r requirements.txt >.venv/quarto.log 2>&1 \
		|| echo "The Quarto program could not be downloaded (see .venv/quarto.log); the built-in renderer is used."
	@touch $(READY)
