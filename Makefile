# `make run` runs Holdfast, `make test` decides whether a change may land. Both set up what they need.
PYTHON ?= python3
BIN := .venv/bin
BENCHES := bench-quick bench-recovery bench-poison bench-sweeper bench-sockets bench-lag bench-sync bench-armour

.PHONY: run test faults check $(BENCHES) lock events clean setup-run setup-dev

run: setup-run
	@exec $(BIN)/holdfast up

test: setup-dev
	@exec $(BIN)/python -m pytest -n 4  # most of them wait for programs, so two cores carry four

# Random faults under load on each database, for MINUTES each, then the checker; a SEED repeats a plan. Before that, what is
# too long for `make test`: outages of Redis, a backlog of 10,000, 500 races of a stop with an end, and on the other database
# each costly fault that `make test` has on one.
faults: export MINUTES ?= 2
faults: export SEED ?=
faults: setup-dev
	@exec $(BIN)/python -m pytest -s -m long tests/faults

check: setup-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# What each measures: benchmarks/README.md.
$(BENCHES): bench-%: setup-dev
	@exec $(BIN)/python -m benchmarks.$*

# Pins stay as they are unless pyproject.toml asks for others; delete a lock first to renew all of its pins.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url
lock: setup-dev
	$(COMPILE) pyproject.toml --group build --output-file locks/run.txt
	$(COMPILE) pyproject.toml --group build --group dev --constraint locks/run.txt --output-file locks/dev.txt
	$(COMPILE) --group node --output-file locks/node.txt

# The tables and types that are made from the catalogue in shared/wire/events.py.
events: setup-dev
	@exec $(BIN)/python -m scripts.events

clean:
	rm -rf .venv node_modules holdfast.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

setup-run setup-dev: setup-%:
	@command -v $(PYTHON) >/dev/null || { echo "Holdfast needs Python 3.11 or newer: install it first." >&2; exit 1; }
	@$(PYTHON) scripts/setup.py $*
