# The four doors of the repository: run, test, check, bench. The first two need git, make and Python 3.11 or newer.
PYTHON ?= $(shell for v in python3.11 python3.12 python3.13 python3.14 python3; do \
	command -v $$v >/dev/null 2>&1 && $$v -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null \
	&& echo $$v && break; done)
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run test check bench differential accessibility format clean slow

run: $(VENV)/.installed
	$(BIN)/trine up examples/profiles

test: $(VENV)/.installed-dev
	$(BIN)/pytest -n 2 -m 'not slow'

slow: $(VENV)/.installed-dev
	$(BIN)/pytest -n 2 -m slow

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks

# The same random operations against AWS's own DynamoDB Local; needs Java 17 and Maven (exit 2 when they are missing).
differential: $(VENV)/.installed-dev
	$(BIN)/python -m tests.differential --operations 5000

# axe-core over every page of the console; needs Chromium and npm (exit 2 when they are missing).
accessibility: $(VENV)/.installed-dev
	$(BIN)/python -m tests.console.accessibility

$(VENV)/bin/pip:
	@test -n "$(PYTHON)" || { echo "Trine needs Python 3.11 to 3.14; none was found on PATH" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade pip

$(VENV)/.installed: $(VENV)/bin/pip pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements-dev.lock --editable .
	$(BIN)/python -m compileall -q src/trine  # a start never compiles, whatever PYTHONDONTWRITEBYTECODE says
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock requirements-dev.in
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements-dev.lock
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
