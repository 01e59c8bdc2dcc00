# `make run` runs Holdfast, and `make test` decides whether a change may land. Both set up everything that they need.
PYTHON ?= python3
BIN := .venv/bin
BENCHES := bench-quick bench-recovery bench-poison bench-sweeper bench-sockets bench-lag bench-sync bench-search \
  bench-lists bench-armour

.PHONY: run test faults fuzz check $(BENCHES) lock events clean setup-run setup-dev

run: setup-run
	@exec $(BIN)/holdfast up

# The environment of a machine may forbid bytecode. Then each of a hundred programs would compile all its modules anew.
test faults: export PYTHONDONTWRITEBYTECODE =
test: setup-dev
	@exec $(BIN)/python -m pytest -n 6  # most tests wait for programs, so two cores carry six at a time

# Random faults under load on each database, for MINUTES each, then the checker. A SEED repeats a plan. Before them
# come tests that are too long for `make test`: outages of Redis, a backlog of 10,000, races of stops, long floods.
# Each fault or browser test that `make test` runs on one database runs here on the other (D-83, D-141).
faults: export MINUTES ?= 2
faults: export SEED ?=
faults: setup-dev
	@exec $(BIN)/python -m pytest -s -m long tests/e2e tests/faults tests/edge

# The fuzzer of tests/contracts/wire, with 10,000 cases and another seed in each run.
fuzz: setup-dev
	@exec $(BIN)/python -m pytest -s -m long --timeout=7200 tests/contracts/wire

check: setup-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# benchmarks/README.md says what each one measures.
$(BENCHES): bench-%: setup-dev
	@exec $(BIN)/python -m benchmarks.$*

# Pins stay as they are unless pyproject.toml asks for others. To renew all pins of a lock, delete the lock first.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url
lock: setup-dev
	$(COMPILE) pyproject.toml --group build --output-file locks/run.txt
	$(COMPILE) pyproject.toml --group build --group dev --constraint locks/run.txt --output-file locks/dev.txt
	$(COMPILE) --group node --output-file locks/node.txt

# Writes what is made from the code: the table of events, the client's types, and both documents of docs/.
events: setup-dev
	@$(BIN)/python -m scripts.events
	@exec $(BIN)/python -m scripts.contract

clean:
	rm -rf .venv node_modules holdfast.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

setup-run setup-dev: setup-%:
	@command -v $(PYTHON) >/dev/null || { echo "Holdfast needs Python 3.11 or newer: install it first." >&2; exit 1; }
	@$(PYTHON) scripts/setup.py $*
