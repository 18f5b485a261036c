# `make help` lists the targets. A fresh Debian 12 needs Python 3.11, gcc and make, nothing else.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
# The installed programs are as new as these marks.
BASE := .venv/.base
TEST := .venv/.test
# Compiled at the same time, see hatch_build.py.
ACCELERATOR := $(wildcard src/fairlead/accelerator/*.[ch])
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
WORKERS ?= 2
# pytest keeps the tests as it rewrote them; else each of its processes would rewrite some 800 modules at each start.
unexport PYTHONDONTWRITEBYTECODE
ARGS ?=

.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

$(BASE): requirements/base.txt pyproject.toml scripts/venv hatch_build.py $(ACCELERATOR)
	scripts/venv
	$(PIP) install --quiet --require-hashes --requirement requirements/base.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q src
	@touch $@

$(TEST): requirements/test.txt $(BASE)
	$(PIP) install --quiet --require-hashes --requirement requirements/test.txt
	@touch $@

.PHONY: install
install: $(BASE) ## Set up: .venv/bin/fairlead and all it needs

.PHONY: serve
serve: install ## Serve ./ to this machine; make serve ARGS="--write --user me:secret"
	$(BIN)/fairlead serve ./ $(ARGS)

.PHONY: develop
develop: install $(TEST) ## Set up what the checks and tests need, too

.PHONY: peers
peers: ## As root on Debian: the programs of others that the tests talk to
	scripts/peers

.PHONY: test
test: develop peers lint ## Set up, then all checks and tests
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup --cov --cov-report= $(ARGS)
	$(BIN)/python -m coverage report --include='src/fairlead/proto/*' --fail-under=100

.PHONY: unit
unit: develop ## The tests that are quick and need no program of others, within a minute
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup -m "not long" \
	    --ignore tests/interop --ignore tests/faults --ignore tests/lab $(ARGS)

.PHONY: lint
lint: develop ## Style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

.PHONY: format
format: develop ## Bring the style in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: conformance
conformance: develop ## Each requirement of the documents, with the tests that show it
	$(BIN)/python -m pytest --quiet --quiet --collect-only --conformance $(ARGS)

.PHONY: docs
docs: develop ## Write the generated pages and pictures of docs
	$(BIN)/python -m tests.reference fairlead

.PHONY: differential
differential: develop peers ## Send one script to our server and those of others, then write the pages
	$(BIN)/python -m tests.reference all

.PHONY: interleavings
interleavings: develop ## 20,000 random dialogues with the server, in clear and under TLS, in half an hour
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --timeout 0 --interleavings 20000 \
	    tests/server/test_interleaving.py -k any_interleaving $(ARGS)

.PHONY: bench
bench: develop peers ## Side by side with other servers and clients, on this machine
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: scale
scale: develop ## How costs grow with sessions, entries and time; ARGS=--write for docs/performance
	$(BIN)/python -m benchmarks.scale $(ARGS)

.PHONY: instructions
instructions: develop peers ## What fixed dialogues cost, in instructions; ARGS=--write keeps the counts as the reference
	$(BIN)/python -m benchmarks.instructions $(ARGS)

LAB := matrix
.PHONY: lab
lab: develop peers ## As root on Linux: real NATs and firewalls, every mode, the doctor; ARGS="--write", LAB=clients
	$(BIN)/python -m lab $(LAB) $(ARGS)

# Nothing of the machine on which they were chosen gets into the files. Extras stay in test.txt, since the pip of Python
# 3.11 takes a pin without them for another package; base.txt cannot have them, being a constraint of test.txt.
LOCK := --quiet --upgrade --generate-hashes --allow-unsafe --no-header --no-annotate \
    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host
.PHONY: lock
lock: $(TEST) ## Choose the versions in requirements/ anew
	$(BIN)/python -m piptools compile $(LOCK) --strip-extras --all-extras --build-deps-for editable \
	    --output-file requirements/base.txt pyproject.toml
	$(BIN)/python -m piptools compile $(LOCK) --no-strip-extras --output-file requirements/test.txt requirements/test.in

.PHONY: changelog
changelog: develop ## Show the changelog that the fragments make
	$(BIN)/towncrier build --draft

.PHONY: clean
clean: ## Remove what was made, but for the unpacked peers
	rm -rf .venv .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
