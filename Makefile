# The words of the house. `make help` lists them; each does all that it needs.

PYTHON ?= python3
ARGS ?=
SEEDS ?= 10000

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
END_TO_END := tests/e2e
NODE_INSTALLED := $(END_TO_END)/node_modules/.installed
EVIDENCE := .conformance

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup serve test conformance check types format generate leaks determinism bench lock system-parts clean

help: ## Say what each word does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Make .venv with everything in it (`.venv/bin/signalreel` too)

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Signalreel needs Python 3.11 or newer; $(PYTHON) is older. Say which: make setup PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-index --no-build-isolation --editable .
	@touch $@

serve: setup ## Run the server; its page is at http://localhost:5080/ (ARGS="--port 5081 --no-record")
	$(BIN)/signalreel serve $(ARGS)

test: setup system-parts $(NODE_INSTALLED) check ## Everything: parts, checks, tests, and what they have shown (ARGS go to pytest)
	rm -rf $(EVIDENCE)
	$(BIN)/python $(if $(strip $(ARGS)),-m pytest $(ARGS),tools/lanes.py)
	$(if $(strip $(ARGS)),,$(BIN)/signalreel conformance --evidence $(EVIDENCE) --check specs/conformance.md)

conformance: setup ## Write specs/conformance.md anew from what the last `make test` has shown
	$(BIN)/signalreel conformance --evidence $(EVIDENCE) --write specs/conformance.md

check: setup ## Format, lint, types, architecture and generated files, without changing anything
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy & mypy=$$!; $(BIN)/basedpyright; found=$$?; wait $$mypy && exit $$found
	$(BIN)/lint-imports
	$(BIN)/python tools/generate.py --check

format: setup ## Format the code and mend what ruff can mend by itself
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

generate: setup ## Write the generated files anew
	$(BIN)/python tools/generate.py

leaks: setup ## See that nothing stays of ten thousand calls that come and go (some minutes; ARGS=1000 for fewer)
	$(BIN)/python -m tests.adapters.media.aiortc.comings $(ARGS)

determinism: setup ## Run many simulated deployments twice and replay them: not a byte may differ (SEEDS=10000)
	$(BIN)/signalreel simulate --seeds 0..$$(($(SEEDS) - 1)) --twice --jobs $$(getconf _NPROCESSORS_ONLN) $(ARGS)

bench: setup ## Measure engine, replay, recording and debugging on the fixed mix of flows, simulation, and media
	$(BIN)/signalreel bench engine $(ARGS)
	$(BIN)/signalreel bench replay $(ARGS)
	$(BIN)/signalreel bench record $(ARGS)
	$(BIN)/signalreel bench debug $(ARGS)
	$(BIN)/signalreel bench simulate $(ARGS)
	$(BIN)/signalreel bench media $(ARGS)

lock: setup ## Write requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
		--all-extras --group dev --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links \
		--custom-compile-command "make lock" --output-file requirements.lock

system-parts: ## See that browsers, Node.js and coturn are there for the tests (installed when you are root)
	tools/system-parts

$(NODE_INSTALLED): $(END_TO_END)/package.json $(END_TO_END)/package-lock.json
	cd $(END_TO_END) && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

clean: ## Remove what setup, check and test made (reels stay)
	rm -rf $(VENV) $(END_TO_END)/node_modules dist $(EVIDENCE) .lanes .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find engine adapters tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
