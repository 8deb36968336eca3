# make lab       open the course in JupyterLab (makes .venv the first time: some minutes)
# make test      run every check: style, unit tests, the notebooks themselves, the book and the slides, a real browser
# make execute   run every notebook and store its outputs
# make league    measure the league table and its travels, each once: a changed method needs the next block of seeds
# make bench     time meta-learning and balancing beside other libraries (makes .bench-venv the first time)
# make book      build the lessons as a web site that needs no network to read, in _book (makes .book-venv the first time)
# make slides    a deck of slides for each lesson, in _book/slides
# make test-book build both, and look at every page with a real browser (make test looks at five)
# make test-weekly measure again, outside the notebooks, what the lessons claim
# make test-gpu  run every lesson on the GPU (TLCOURSE_DEVICE=cuda)
# make test-colab   run every lesson and assignment with the versions that Colab has (makes .colab-venv)
# make test-oldest  run the unit tests with the oldest versions that pyproject.toml allows (makes .oldest-venv)
# make test-newest  run them with the newest that there are (makes .newest-venv)
# make hub       serve the course to a class with JupyterHub; make test-hub tries it with two students
# make wheel     build what can be published, in dist; refuses while the repository's address is a placeholder
#
# Another Python:      make lab PYTHON=python3.12
# More for JupyterLab: make lab ARGS=--no-browser
# More tests at once:  make test JOBS=8

PYTHON ?= python3
ARGS ?=
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
# The Python version is part of the path, so another PYTHON never meets the packages of the last one.
SITE := $(VENV)/lib/python$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')/site-packages

.PHONY: help lab test test-weekly test-gpu test-colab test-oldest test-newest execute league bench book slides test-book wheel hub test-hub

help:
	@sed -n "/^#/!q; s/^# \{0,1\}//p" Makefile

lab: $(SITE)/.tlcourse-lab
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/chapters/00_first_transfer.ipynb $(ARGS)

# Counting the lines that tests reach takes half as long again: only continuous integration does it.
COVERAGE := $(if $(CI),--cov=tlcourse --cov-fail-under=95)

# JOBS tests side by side keep the cores busy: each then computes in its own process, unless it asks for more.
HERE := LOKY_MAX_CPU_COUNT=1

test: $(SITE)/.tlcourse-test book slides
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(HERE) $(BIN)/python -m pytest tests -n $(JOBS) --ignore=tests/browser --ignore=tests/book --ignore=tests/hub -m "not weekly" --no-loadscope-reorder --durations=10 $(COVERAGE)
	$(HERE) $(BIN)/python -m pytest tests/browser chapters tests/book -m "not every_page" -n $(JOBS) --no-loadscope-reorder --durations=10

test-weekly: $(SITE)/.tlcourse-test
	$(BIN)/python -m pytest tests -m weekly -n $(JOBS)

# One lesson at a time: lessons that share a GPU wait for each other.
test-gpu: $(SITE)/.tlcourse-test
	TLCOURSE_DEVICE=cuda $(BIN)/python -m pytest chapters

test-colab: $(SITE)/.tlcourse-test .colab-venv/made
	TLCOURSE_COLAB=$(CURDIR)/.colab-venv/bin/python $(BIN)/python -m pytest tests/colab

.colab-venv/made: tests/colab/colab.txt
	$(PYTHON) -m venv --clear .colab-venv
	.colab-venv/bin/python -m pip install -r $<
	@touch $@

test-oldest test-newest: test-%: .%-venv/made
	$(HERE) .$*-venv/bin/python -m pytest tests -n $(JOBS) --ignore=tests/browser --ignore=tests/book --ignore=tests/hub

.oldest-venv/made: CONSTRAINTS = -c constraints-oldest.txt
.oldest-venv/made .newest-venv/made: .%-venv/made: pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv --clear .$*-venv
	.$*-venv/bin/python -m pip install $(CONSTRAINTS) -e '.[test]'
	@touch $@

wheel: $(SITE)/.tlcourse-test
	$(BIN)/python tools/address.py --check
	$(BIN)/python -m pip wheel --no-deps --wheel-dir dist .

# JupyterHub's proxy is a program of npm.
PROXY := $(CURDIR)/$(VENV)/hub/node_modules/.bin
hub: $(SITE)/.tlcourse-hub $(PROXY)
	PATH=$(PROXY):$(CURDIR)/$(BIN):$$PATH $(BIN)/jupyterhub --config chapters/assignments/jupyterhub_config.py $(ARGS)

test-hub: $(SITE)/.tlcourse-test $(SITE)/.tlcourse-hub $(PROXY)
	$(BIN)/python -m pytest tests/hub

$(PROXY):
	npm install --prefix $(VENV)/hub --no-audit --no-fund configurable-http-proxy

execute: $(SITE)/.tlcourse-test
	$(BIN)/python tools/execute.py && $(BIN)/python tools/readme.py

# Measure what a lesson claims, once, after its claims are committed: make confirm LESSON=01
confirm: $(SITE)/.tlcourse-test
	OMP_NUM_THREADS=1 $(BIN)/python -m tlcourse confirm $(LESSON)

league: $(SITE)/.tlcourse-test
	OMP_NUM_THREADS=1 $(BIN)/python -m tlcourse league --measure

# Other libraries live in an environment of their own; one that does not install is left out.
BENCH := .bench-venv
bench: $(BENCH)/peers.json
	OMP_NUM_THREADS=1 TQDM_DISABLE=1 $(BENCH)/bin/python benchmarks/bench.py $(PARTS)

$(BENCH)/peers.json: pyproject.toml constraints.txt benchmarks/peers.py
	$(PYTHON) -m venv --clear $(BENCH)
	$(BENCH)/bin/python -m pip install -c constraints.txt -e .
	$(BENCH)/bin/python benchmarks/peers.py

# The tools of the book want other versions than the course: an environment of their own, and npm's packages in it.
BOOK := .book-venv
book: $(BOOK)/made
	$(BOOK)/bin/python tools/book.py

slides: $(BOOK)/made
	$(BOOK)/bin/python -W error tools/slides.py

test-book: $(SITE)/.tlcourse-test book slides
	$(BIN)/python -m pytest tests/book

$(BOOK)/made: book/requirements.txt book/package.json
	$(PYTHON) -m venv --clear $(BOOK)
	$(BOOK)/bin/python -m pip install -r book/requirements.txt
	cp book/package.json $(BOOK)
	PATH=$(CURDIR)/$(BOOK)/bin:$$PATH npm install --prefix $(BOOK) --no-audit --no-fund --no-package-lock
	@touch $@

# One stamp for each extra: made again only when what it depends on changes.
$(SITE)/.tlcourse-%: pyproject.toml constraints.txt | $(SITE)/pip
	$(BIN)/python -m pip install -c constraints.txt -e '.[$*]'
	@touch $@

$(SITE)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tlcourse needs Python 3.11 or newer and $(PYTHON) is %d.%d. Name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)" % sys.version_info[:2])'
	$(PYTHON) -m venv --clear $(VENV)
