PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
READY := .venv/.ready
RUN := $(BIN)/python -m
PIP := $(RUN) pip --disable-pip-version-check -q

# In a container everybody is root, and JupyterLab wants to be told that this is meant.
AS_ROOT := $(if $(filter 0,$(shell id -u 2>/dev/null)),--allow-root)

# Names that are no files.
.PHONY: report test assure lint types unit notebooks lab publish lock clean

report: $(READY)
	@$(RUN) evidence report

test: lint types unit notebooks

lint: $(READY)
	@$(RUN) ruff check src tests benchmarks
	@$(RUN) ruff format --check src tests benchmarks

types: $(READY)
	@$(RUN) mypy

unit: $(READY)
	@$(RUN) pytest -q -n auto --dist loadscope -m "not slow" --doctest-modules src tests

notebooks: $(READY)
	@$(RUN) pytest -q -p nbval.plugin --nbval -n auto --dist loadscope -W default index.ipynb notebooks

# What takes longer than `make test` may: every page in the browser, cold kernels against forked ones.
assure: test
	@EVIDENCE_ALL_PAGES=1 $(RUN) pytest -q -n auto -m "slow or browser" tests

lab: $(READY)
	@$(BIN)/jupyter lab --ServerApp.root_dir=. $(AS_ROOT) index.ipynb

publish: $(READY)
	@$(RUN) evidence refresh
	@$(RUN) evidence report --publish docs/report

lock: $(READY)
	@$(PIP) install uv
	@$(RUN) uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --extra test --extra cluster \
		pyproject.toml -o requirements-core.txt

clean:
	rm -rf _build _report

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
