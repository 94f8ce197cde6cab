# Two commands matter: `make demo` and `make test`. Each does all of its own set-up.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test check lint types tools cluster terraform registry bench policies clean help setup

help: ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml constraints.txt
	@echo "setup: virtual environment and packages" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,dev]'
	@touch $@

tools: ## kustomize, helm and OPA, kept outside the checkout by version
	@$(PYTHON) scripts/install_tools.py

cluster: ## etcd and kube-apiserver for the tests, kept likewise (built once, about 6 minutes)
	@$(PYTHON) scripts/install_cluster.py

terraform: ## OpenTofu for the tests, kept likewise (built once, about 4 minutes)
	@$(PYTHON) scripts/install_tofu.py

registry: ## a container registry for the tests, kept likewise (built once, 4 to 10 minutes)
	@$(PYTHON) scripts/install_registry.py

# Packages and tools do not wait for each other.
setup:
	@$(MAKE) --no-print-directory -j2 $(STAMP) tools

demo: setup $(if $(CLUSTER),cluster) ## a sample repository and its pull requests, reviewed here (CLUSTER=1: with a cluster)
	@$(BIN)/review-bot demo $(if $(CLUSTER),--cluster) $(if $(KEEP),--keep)

test: setup cluster terraform registry lint types ## everything that must hold before a merge
	@$(BIN)/pytest -n auto tests

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache

types: $(STAMP)
	@$(BIN)/mypy

check: lint types ## style and types only

bench: setup ## measure against the shell pipeline (minutes)
	@$(BIN)/python -m benchmarks.run

policies: setup ## test the starter library and write its catalogue
	@$(BIN)/review-bot policy test policies
	@$(BIN)/review-bot policy docs policies > docs/policies.md

clean: ## remove the virtual environment and caches of the checkout
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
