# `make up` runs ALMA, `make test` proves it. Both do all their own set-up, from a bare clone on.
# Variables: PYTHON (3.11 or newer), JOBS (processes of the test run), ALMA_* (see README.md).

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help up test setup setup-dev browser lint type checks tests processes pages bench bench-proxy chaos kills tiny fuzz screenshots states lock clean

# Compiled modules are kept, whatever the shell says: without them each process compiles two thousand files at its start.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
JOBS ?= 3
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-compile -c requirements-indirect.txt
# A stamp bears the checksum of what was installed: a warm start reads three small files and installs nothing.
RUNTIME := $(VENV)/.runtime-$(shell cat requirements.txt requirements-indirect.txt | cksum | cut -d' ' -f1)
NPM_CLIENTS := tests/vms/sandbox/clients/package.json
DEVELOPMENT := $(VENV)/.development-$(shell cat requirements.txt requirements-dev.txt requirements-indirect.txt requirements-clients.txt $(NPM_CLIENTS) | cksum | cut -d' ' -f1)

help:  ## Say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

up: $(RUNTIME)  ## Run ALMA until Ctrl-C: web, worker, reconciler and a Proxmox sandbox
	@exec $(MANAGE) up

test: $(DEVELOPMENT)  ## Lint, types, schema, migrations, then every test
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint type checks browser
	@$(MAKE) --no-print-directory tests

setup: $(RUNTIME)  ## Install what ALMA runs on, compiled, for its roles may not be allowed to write here
	@$(BIN)/python -m compileall -q -j 0 alma blueprints instances iprs vms $(VENV)/lib
setup-dev: $(DEVELOPMENT)  ## Install what working on ALMA needs

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "ALMA needs Python 3.11 or newer and found none; install it, or name it: make up PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ALMA needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@touch $@

$(RUNTIME): | $(VENV)/.made
	@echo "Installing the packages of requirements.txt"
	@$(PIP) -r requirements.txt
	@rm -f $(VENV)/.runtime-* && touch $@

$(DEVELOPMENT): | $(VENV)/.made
	@echo "Installing the packages of requirements-dev.txt"
	@$(PIP) -r requirements-dev.txt
	@echo "Installing the stock clients of requirements-clients.txt"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-compile --no-deps --upgrade --target $(VENV)/clients -r requirements-clients.txt
	@mkdir -p $(VENV)/clients/npm && cp $(NPM_CLIENTS) $(VENV)/clients/npm/ && \
	  npm install --silent --no-audit --no-fund --prefix $(VENV)/clients/npm 2>/dev/null || \
	  echo "No clients from npm: their tests will be skipped."
	@rm -f $(VENV)/.runtime-* $(VENV)/.development-* && touch $@ $(RUNTIME)

lint: $(DEVELOPMENT)  ## Format and lint rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

type: $(DEVELOPMENT)  ## Types of everything but the tests
	$(BIN)/mypy .

checks: $(DEVELOPMENT)  ## Django's checks, migrations complete, OpenAPI schema valid without a warning
	$(MANAGE) check
	$(MANAGE) makemigrations --check --dry-run
	$(MANAGE) spectacular --validate --fail-on-warn --file /dev/null

browser:  ## Chromium for the browser tests: installed on Debian as root, asked for elsewhere
	@for name in "$$ALMA_CHROMIUM" chromium chromium-browser google-chrome google-chrome-stable; do \
	  [ -n "$$name" ] && command -v "$$name" >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then \
	  echo "Installing Chromium for the browser tests"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	else \
	  echo "No Chromium: the browser tests will be skipped. Install it (Debian: apt-get install chromium) or name it in ALMA_CHROMIUM."; \
	fi

# Five runs: the quick ones; again on PostgreSQL, when one answers, those on which databases differ; those that start real
# processes, whole files side by side; those in a real browser, whose driver keeps an event loop of its own; these two at
# once, for both wait more than they compute; and a scoreboard of small storms, alone.
PYTEST := $(BIN)/python -m pytest -q --reruns 1 --durations=10 --durations-min=2
# Whole files are of a kind; naming them saves each process the reading of all others.
of_kind = $(sort $(filter-out tests/chaos/%,$(shell grep -rlE 'pytest\.mark\.$(1)\b' --include='test_*.py' tests)))
under = $(foreach name,$(2),tests/$(1)/test_$(name).py)
ON_POSTGRESQL := tests/jobs tests/monitoring \
  $(call under,access,streams) \
  $(call under,accounts,desk keys signing_in tokens token_api) \
  $(call under,alma,graphql idempotency limits_buckets remembering statements) \
  $(call under,events,consumers hub services webhooks_attempts webhooks_queueing webhooks_sending webhooks_services) \
  $(call under,blueprints,models services) \
  $(call under,iprs,api budgets deployments invariants lanes reviewing rollback views_deployments views_list) \
  $(call under,instances,arbiter models nodes services) $(call under,instances/router,board gate) $(call under,instances/pages,activity queue) \
  $(wildcard tests/vms/test_*.py)
tests: $(DEVELOPMENT)  ## Every test, without lint and types
	$(PYTEST) -n $(JOBS) -m "not processes and not browser"
	@url=$$($(BIN)/python -m tests.fixtures.services postgresql) || exit 1; \
	if [ -n "$$url" ]; then \
	  echo "Again on PostgreSQL: $(ON_POSTGRESQL)"; \
	  ALMA_TEST_DATABASE_URL="$$url" $(PYTEST) -n $(JOBS) -m "not processes and not browser" $(ON_POSTGRESQL); \
	else echo "No PostgreSQL answers (ALMA_TEST_DATABASE_URL): its run is skipped."; fi
	@$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target processes pages
	@$(MAKE) --no-print-directory chaos CHAOS="--deployments 20 --faults 40 --counts-only"

processes: $(DEVELOPMENT)  ## The tests that start real processes
	$(PYTEST) -n 2 --dist loadfile -m "processes and not browser" $(call of_kind,processes)

pages: $(DEVELOPMENT)  ## The tests in a real browser
	$(PYTEST) -m browser $(call of_kind,browser)

bench: $(DEVELOPMENT)  ## Measure speed against a stock Django REST list, and print tables
	@$(BIN)/python -m tests.bench.blueprints
	@$(BIN)/python -m tests.bench.machines
	@$(BIN)/python -m tests.bench.live
	@$(BIN)/python -m tests.bench.planner
	@$(BIN)/python -m tests.bench.driver
	@$(BIN)/python -m tests.bench.crowd

kills: $(DEVELOPMENT)  ## Kill the supervisor of ten instances 20 times, and print how soon requests are served again
	KILLS=20 $(PYTEST) -n 0 -s tests/processes/test_instances.py

tiny: $(DEVELOPMENT)  ## Ask a model of random weights for a blueprint a hundred times; continuous integration does so twenty times
	TINY_TIMES=100 $(PYTEST) -n 0 tests/blueprints/understanding/test_tiny.py

bench-proxy: $(DEVELOPMENT)  ## Measure what the router adds to a request, and print a table
	@$(BIN)/python -m tests.bench.proxy

fuzz: $(DEVELOPMENT)  ## Ask an ALMA of its own 5,000 and more requests made from its OpenAPI document, all checks on
	@$(BIN)/python -m tests.fuzzing

CHAOS ?=
chaos: $(DEVELOPMENT)  ## Break installations in every way and print a scoreboard; CHAOS="--deployments 300 --faults 1000" for more
	@$(BIN)/python -m tests.chaos.scoreboard $(CHAOS)

screenshots: $(DEVELOPMENT) browser  ## Take the README's pictures from a running `make up`
	$(BIN)/python docs/screenshots.py

states: $(DEVELOPMENT)  ## Write docs/states.md from the state tables in the code
	$(MANAGE) states > docs/states.md

lock:  ## Pin what the required packages bring along; after a change of requirements*.txt
	@test -x $(BIN)/python || $(MAKE) --no-print-directory $(VENV)/.made
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-compile -r requirements-dev.txt
	@$(BIN)/python -m tests.indirect > requirements-indirect.new && mv requirements-indirect.new requirements-indirect.txt

clean:  ## Remove what make made; data in var/ stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
