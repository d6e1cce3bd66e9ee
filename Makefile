# Each target works on a fresh Debian machine with Python 3.11+ and make; what is missing is installed, or named.
# PYTHON=python3.12 chooses the interpreter of a new .venv; ARGS="..." goes to the program a target runs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test check format cover bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.ready-to-run ## install what the server needs and start it (ARGS="--port 9000")
	@exec $(BIN)/stepgate serve $(ARGS)

test: $(VENV)/.ready-to-develop ## run the whole suite (ARGS="tests/domain -k hold")
	@scripts/test-needs.sh
	$(BIN)/pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: $(VENV)/.ready-to-develop ## format, lint, strict types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/.ready-to-develop ## put the code into its one format and repair what can be repaired
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

cover: $(VENV)/.ready-to-develop ## run the suite and print branch coverage
	@scripts/test-needs.sh
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --cov --cov-report=term $(ARGS)

bench: $(VENV)/.ready-to-develop ## measure beside the yardsticks, report to docs/reports (ARGS="--rounds 1")
	@scripts/bench-needs.sh
	$(BIN)/python -m tests.benchmarks.run $(ARGS)

clean: ## delete caches and build products (.venv and stepgate-data stay)
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*
	find app clients tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps make a second run start at once; a change of pyproject.toml installs again.
$(VENV)/.ready-to-run: pyproject.toml scripts/venv.sh
	@PYTHON=$(PYTHON) scripts/venv.sh $(VENV) all
	@touch $@

$(VENV)/.ready-to-develop: pyproject.toml scripts/venv.sh
	@PYTHON=$(PYTHON) scripts/venv.sh $(VENV) dev
	@touch $(VENV)/.ready-to-run $@
