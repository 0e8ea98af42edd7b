# What a developer does with this checkout. Every target installs what it needs: tools into .venv (pinned in
# tests/requirements.txt), and, as root on Debian or Ubuntu, the packages that the test hosts need. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PINS := pins-$(shell cat tests/requirements.txt tests/constraints.txt | sha256sum | cut -c1-16)
COLLECTION := build/ansible_collections/starrocks/cluster

# For `make molecule`: a scenario of molecule/, and what molecule does with it (test, converge, verify, destroy, ...).
SCENARIO ?= default
ACTION ?= test
# For `make matrix`.
CORE ?= newest
# For `make demo`: a release tarball; without it, the stand-in is built.
ARCHIVE ?=
# Arguments for the tool behind a target: make unit ARGS='-k versions', make sanity ARGS='--test pep8'.
ARGS ?=

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
# Molecule has a configuration of its own.
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/build
# No bytecode beside the sources: the checkout is what gets copied and packed.
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help
help:  ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

## -- what the others stand on

.PHONY: venv
venv: .venv/$(PINS)  ## the tools, in .venv

.venv/$(PINS):
	@tests/tools/quietly venv tests/tools/venv $(PINS)

.PHONY: collection
collection: $(COLLECTION)  ## the checkout where Ansible looks for collections

$(COLLECTION):
	@mkdir -p $(@D) && ln -sfn $(CURDIR) $@

.PHONY: system
system:  ## OS packages that the test hosts need (as root)
	@tests/tools/quietly system tests/hosts/hosts setup

.PHONY: house
house: venv collection  ## both: commands and playbooks work in the checkout

## -- checks

.PHONY: lint
lint: house  ## linters and the house's own checks
	@tests/tools/lint

.PHONY: sanity
sanity: house  ## ansible-test sanity, without exceptions
	@tests/tools/sanity $(ARGS)

.PHONY: unit
unit: house  ## unit tests
	@COVERAGE=unit tests/tools/pytest tests/tools tests/unit -n 2 $(ARGS)

.PHONY: simulator
simulator: house  ## tests of the stand-in
	@tests/tools/own_network pytest -q -n 2 --dist loadfile tests/simulator/tests $(ARGS)

.PHONY: conformance
conformance: house  ## the stand-in against what real front ends answered
	@pytest -q tests/simulator/conformance $(ARGS)

.PHONY: integration
integration: house  ## modules against the stand-in
	@COVERAGE=integration tests/tools/pytest tests/integration -n 2 --dist loadfile $(ARGS)

.PHONY: coverage
coverage: house  ## what the last `make unit` and `make integration` ran of plugins/
	@coverage combine --quiet --keep --data-file=build/coverage/all build/coverage/unit build/coverage/integration
	@coverage report --data-file=build/coverage/all

.PHONY: matrix
matrix: house system  ## ansible-test sanity, units and integration with another ansible-core: CORE=2.16, 2.19, newest
	@tests/tools/matrix $(CORE) $(ARGS)

.PHONY: test-hosts
test-hosts: house system  ## the test hosts themselves
	@pytest -q tests/hosts $(ARGS)

.PHONY: molecule
molecule: house system  ## one scenario on real systemd hosts: SCENARIO=ha
	@molecule $(ACTION) --scenario-name $(SCENARIO) $(ARGS)

.PHONY: test
test: house system  ## everything that a change must pass
	@tests/run $(ARGS)

.PHONY: test-all
test-all: house system  ## make test and the slow scenarios
	@tests/run --all $(ARGS)

.PHONY: bench
bench: house system  ## times and task counts, into build/bench.json
	@tests/benchmark/run $(ARGS)

## -- see it run

.PHONY: demo
demo: house system  ## a cluster on four hosts: ARCHIVE=/path/to/StarRocks-X.Y.Z-ubuntu-amd64.tar.gz for a real one
	@tests/demo up $(if $(ARCHIVE),--archive '$(ARCHIVE)')

.PHONY: demo-status
demo-status: house  ## what the demo runs where
	@tests/demo status

.PHONY: demo-down
demo-down: house  ## the demo and its hosts away
	@tests/demo down

## -- products

.PHONY: docs
docs: house  ## docs/reference, from the roles' and modules' own descriptions
	@tests/tools/make_reference.py

.PHONY: build
build: house  ## the collection's tarball, into build/
	@tests/tools/copy_checkout build/package
	@ansible-galaxy collection build --force --output-path build $(subst build/,build/package/,$(COLLECTION))

.PHONY: clean
clean:  ## what the targets made, but the tools and the cache of host images
	@if [[ -e build/hosts ]]; then tests/hosts/hosts down --all; fi
	@rm -rf build .ansible
