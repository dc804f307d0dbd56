# The one list of commands. `make` alone explains them.
.DEFAULT_GOAL := help
.PHONY: help demo example test slow suites check format e2e stack mutants bench package pages docs clean
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
# Tests and demonstrations start many processes: from byte code, as installed ones do.
unexport PYTHONDONTWRITEBYTECODE
BIN := $(VENV)/bin

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version.split()[0]; sys.exit(0 if sys.version_info >= (3, 10) else f"flowery_logging needs Python 3.10 or newer; $(PYTHON) is {v}. Name another one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

# $(VENV)/.NAME: what the dependency group NAME lists is installed. A new environment may have a pip
# that knows no groups.
GROUPS := demo examples package dev
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

$(GROUPS:%=$(VENV)/.%): $(VENV)/.%: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) 'pip>=25.1'
	$(PIP) --editable '.[cli,prometheus]' --group $*
	@touch $@ $(if $(filter dev,$*),$(GROUPS:%=$(VENV)/.%))

demo: $(VENV)/.demo ## Run the example shop, send requests, show what was logged
	@$(BIN)/python -m examples.shop.demo

EXAMPLES := fastapi django celery script kafka notebook
example: $(VENV)/.examples ## Run a small example and show its trace: NAME=fastapi, django, celery, script, kafka or notebook
	@$(BIN)/python -m examples.$(or $(filter $(EXAMPLES),$(NAME)),$(error NAME is '$(NAME)'; allowed are: $(EXAMPLES)))

test: $(VENV)/.dev ## Unit and integration tests (no Go, no Java)
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

slow: $(VENV)/.dev ## Tests with real servers and their ends, and others that take seconds (no Go, no Java)
	$(BIN)/python -m pytest -m slow --numprocesses auto --dist worksteal

suites: $(VENV)/.dev ## Logging tests of CPython, structlog, Sentry, pytest, Django, uvicorn and gunicorn, with us active
	@$(BIN)/python -m tests.suites

check: $(VENV)/.dev ## Formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.dev ## Format the code and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

e2e: $(VENV)/.dev ## The shop through the real Filebeat into the real Elasticsearch (needs Go, JDK 21+, Maven, Node.js)
	$(BIN)/python -m pytest tests/e2e

stack: $(VENV)/.dev ## The same way left running to look around in; Ctrl-C ends all of it
	@$(BIN)/python -m examples.stack

mutants: $(VENV)/.dev ## Change the code in single places, and see whether tests fail: ROOM=ecs, files or context; COUNT=50, SEED=0
	@$(BIN)/python -m scripts.mutants $(ROOM) --count $(or $(COUNT),50) --seed $(or $(SEED),0)

bench: $(VENV)/.dev ## Speed beside the peers, into docs/ and the README (3-5 min; QUICK=1: 30 s, prints only)
	$(BIN)/python -m bench.everything $(if $(QUICK),--quick)

pages: $(VENV)/.dev ## Write the tables and pictures of README and docs/ that are made from the code
	$(BIN)/python -m scripts.pages

docs: $(VENV)/.dev ## The pages of docs/ with the reference, into site/; a warning is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

package: $(VENV)/.package ## Build wheel and source distribution into dist/; try the wheel on each Python here
	@$(BIN)/python scripts/try_package.py

clean: ## Remove the environment and caches, but not the downloaded programs
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
