# Three commands, each of which sets up what it needs (scripts/setup.sh says how):
#
#   make demo    compile the releases, grade the class of sample submissions, show the table
#   make test    the tests that a change should not break, in a few minutes
#   make check   style, types, layers, releases, and every test
#   make attacks every attack on the boxes, in containers too
#   make corpus  every labelled sample: bugs found and named, and nobody accused (docs/corpus.md)
#   make graders the points of nbgrader, otter and this grader, compared on every sample chosen
#
# DATA names a torchvision root (FashionMNIST/raw, MNIST/raw); without it FIVE_BEATS_DATA, your
# own root or the built-in digits are used. `make demo DEMO=all` grades every sample.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export VENV := $(shell scripts/setup.sh where)
BIN := $(VENV)/bin
JOBS ?= $(shell n=$$(nproc); echo $$((n < 8 ? n : 8)))
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadgroup
DEMO ?= some
ifdef DATA
export FIVE_BEATS_DATA := $(abspath $(DATA))
endif

.PHONY: help demo test check graders attacks corpus format setup clean

help: ## this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1|\2/p' Makefile | column -t -s '|'

setup: ## only set up
	@scripts/setup.sh dev

demo: ## grade the class of sample submissions and show the table
	@scripts/setup.sh
	@$(BIN)/autograder release --quick
	@$(BIN)/python scripts/demo_class.py build/class $(DEMO)
	@$(BIN)/autograder grade build/class -o build/demo --jobs $(JOBS)

test: ## the fast tests
	@scripts/setup.sh dev
	$(PYTEST) -m "not slow and not containers and not graders"

check: ## style, types, layers, releases, every test
	@scripts/setup.sh dev browser engine
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/autograder release --check
	$(PYTEST) -m "not containers and not graders"
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.corpus tests/corpus --alone --fast --jobs $(JOBS)

graders: ## ten samples of each assignment by nbgrader, otter and us (half an hour)
	@scripts/setup.sh dev
	$(PYTEST) -m "graders" tests/end_to_end

attacks: ## every attack, in containers too (half an hour)
	@scripts/setup.sh dev engine
	$(PYTEST) tests/attacks

corpus: ## every sample: found, named right, missed, accused falsely; CORPUS=dir adds a folder
	@scripts/setup.sh dev
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.corpus --jobs $(JOBS) $(CORPUS)

format: ## put the code in order
	@scripts/setup.sh dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove what grading and building made (not the environment)
	rm -rf build .mypy_cache .pytest_cache .ruff_cache
