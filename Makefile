# make repro: install and run the whole pipeline.  make test: install and run all checks.
# make ablation JOBS=2: the same, with two networks training at a time.

PYTHON ?= python3
BIN := .venv/bin
# The stages, and what they start, find this environment's programs first.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: repro ablation test camvid plots format lock ready

repro: ready
	$(BIN)/dvc repro

# What DVC would stop at: a lock file that a kill left empty, a source archive without Git.
ready: .venv/installed
	@if [ -f .dvc/tmp/rwlock ] && [ ! -s .dvc/tmp/rwlock ]; then rm .dvc/tmp/rwlock; fi
	@git rev-parse --git-dir > /dev/null 2>&1 || $(BIN)/dvc config --local core.no_scm true

# The networks are independent, so JOBS of them train at once and share GPUs or cores out; run again,
# it goes on where it stopped. The pipeline then takes them over.
JOBS ?= 2
ablation: ready
	$(BIN)/dvc repro prepare stages/dvc.yaml
	$(BIN)/eacnet train-cells --jobs $(JOBS)
	$(BIN)/dvc repro

# In random order, which `--randomly-seed` with the number that pytest prints repeats, the folders
# that take longest first. The tests of a file share a worker; a worker that dies ends the run.
test: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder \
	  --max-worker-restart 0

# Fetches CamVid, or checks a copy at data/raw/camvid; `dvc repro` does so where it is selected.
camvid: ready
	$(BIN)/python -m stages.raw camvid

# The page of `dvc plots` loads Vega from a network; from here on it holds it itself.
plots:
	mkdir -p .dvc/tmp
	$(BIN)/python -c 'import vl_convert; print("<meta charset=utf-8><script>", \
	  vl_convert.javascript_bundle(vl_version="5.21"), "</script>{plot_divs}")' > .dvc/tmp/plots.html
	$(BIN)/dvc config --local plots.html_template tmp/plots.html

# An environment knows its own path: in a folder that was moved or copied, it is made anew.
ifneq ($(shell cat .venv/installed 2> /dev/null),$(CURDIR))
.PHONY: .venv/installed
endif
# The lock file names every package with its hash, so pip resolves nothing.
.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	echo $(CURDIR) > $@

format: .venv/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Resolves anew to the newest versions that pyproject.toml admits (needs uv).
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
	  --quiet --output-file requirements.lock
