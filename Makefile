# `make demo` and `make test` are the two commands; each sets everything up first, once.
#   VENV=DIR     another folder for the virtual environment; VENV=active takes the active one
#   PYTHON=PATH  the Python that makes it, 3.10 to 3.13; the first of python3.11, 3.12, 3.13, 3.10
#                that runs, where nothing is said (the classic family: 3.11 only)
#   ARGS='…'     further arguments for pytest
#   TESTS='…'    files and folders of tests; tests, which is all of them, by default
#   TST_MM_WHEELS=DIR  wheels of mmcv that were built elsewhere
.DEFAULT_GOAL := help
.PHONY: help setup setup-tests setup-classic demo demo-detection demo-segmentation results \
	test test-fast test-classic test-all lint docs dist

# The first of some programs that there is and that runs.
first = $(shell for name in $(1); do $$name -c '' 2>/dev/null && echo $$name && break; done)

VENV ?= .venv
TESTS ?= tests
CLASSIC_VENV ?= .venv-classic
ifeq ($(VENV),active)
PYTHON ?= python
RUN := $(PYTHON)
else
PYTHON := $(or $(PYTHON),$(call first,python3.11 python3.12 python3.13 python3.10),python3)
RUN := $(VENV)/bin/python
endif
CHECKED := tst_mm tools tests benchmarks configs docs examples setup.py
CLASSIC_PYTHON = $(or $(call first,python3.11),$(PYTHON))
SET_UP = @command -v $(1) >/dev/null || { echo 'set-up failed: $(1) is not there;' \
	'install Python 3.11: sudo apt-get install python3.11 python3.11-venv python3.11-dev'; exit 1; }; \
	$(1) tools/setup_env.py
# A process a core with one thread each: threads in competition are many times slower. Each gets
# tests in a row, as those of a file share what is expensive to make, and one that is through takes
# some from another.
PYTEST = OMP_NUM_THREADS=1 MPLBACKEND=Agg $(1) -m pytest -q -n auto --maxprocesses 4 --dist worksteal $(TESTS) $(2) $(ARGS)

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## the environment and nothing else (the others call it)
	$(call SET_UP,$(PYTHON)) --venv $(VENV)

setup-tests:  ## the same, and what tests and checks of style need
	$(call SET_UP,$(PYTHON)) --venv $(VENV) --tests

setup-classic:  ## an environment with the original OpenMMLab packages, and what tests need
	$(call SET_UP,$(CLASSIC_PYTHON)) --venv $(CLASSIC_VENV) --family classic --tests

demo: setup  ## train a teacher and its students on real images, compare them (minutes)
	@$(RUN) tools/demo.py

demo-detection: setup  ## the same for RetinaNet and Faster R-CNN, on composed scenes
	@$(RUN) tools/demo.py --task retinanet
	@$(RUN) tools/demo.py --task faster_rcnn

demo-segmentation: setup  ## the same for PSPNet, on composed scenes
	@$(RUN) tools/demo.py --task pspnet

results: setup  ## draw docs/results.md and its pictures anew, from the file of results
	@MPLBACKEND=Agg $(RUN) -m benchmarks.accuracy report

test: setup-tests  ## the whole test suite
	$(call PYTEST,$(RUN))

test-fast: setup-tests  ## the test suite without the tests marked slow
	$(call PYTEST,$(RUN),-m 'not slow')

test-classic: setup-classic  ## the test suite on the original OpenMMLab packages, in a second environment
	$(call PYTEST,$(CLASSIC_VENV)/bin/python)

test-all: lint docs test test-classic  ## all checks and tests, on both package families

lint: setup-tests  ## ruff, mypy, interrogate
	$(RUN) -m ruff check $(CHECKED)
	$(RUN) -m ruff format --check $(CHECKED)
	$(RUN) -m mypy
	$(RUN) -m interrogate tst_mm tools

docs: setup  ## the documentation as a site, docs/_build/html; a warning is an error
	@$(RUN) -c 'import furo, myst_parser, sphinx' 2>/dev/null \
		|| $(RUN) -m pip install --quiet --disable-pip-version-check -r requirements/docs.txt
	MPLBACKEND=Agg $(RUN) -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo docs/_build/html/index.html

dist: setup  ## source distribution and wheel, in dist/; the wheel is made from the former
	@rm -rf dist
	@$(RUN) setup.py --quiet sdist
	@$(RUN) -m pip wheel --quiet --no-deps --no-build-isolation -w dist dist/*.tar.gz
	@ls dist
