# The front door. `make demo` sets up, builds and runs the example; `make test` runs every test.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
BUILD := build/release
JOBS ?= $(shell nproc)
PYTHON := build/venv/bin/python

.PHONY: build setup demo test test-unit test-python bench format clean fuzz

setup:
	@tools/setup

build: setup
	@[ -f $(BUILD)/build.ninja ] || cmake --preset release >build/configure.log || { cat build/configure.log; exit 1; }
	@cmake --build $(BUILD) -j $(JOBS) | { grep -v -E '^\[|Entering directory|no work to do' || true; } ; exit $${PIPESTATUS[0]}

demo: build
	@tools/demo $(BUILD)

# SLUICE_TEST_MLFLOW=no leaves out the clients of MLflow (8 GB); their tests then say that they skip.
test: build
	@[ "$(SLUICE_TEST_MLFLOW)" = no ] || tools/setup_mlflow
	@tools/test_postgres run $(MAKE) --no-print-directory test-unit test-python

test-unit: build
	@cd $(BUILD) && ctest --output-on-failure -j $(JOBS)

test-python: build
	@SLUICE_BUILD_DIR=$(abspath $(BUILD)) $(PYTHON) -m pytest tests -q -p no:cacheprovider

bench: build
	@for bench in ingest_csv profile noop_run invocations; do $(PYTHON) bench/$$bench.py; done
	@tools/setup_mlflow && tools/test_postgres run $(PYTHON) bench/tracking.py

format:
	@git ls-files '*.cc' '*.h' | xargs clang-format -i

fuzz: setup
	@cmake --preset fuzz >/dev/null && cmake --build build/fuzz -j $(JOBS)
	@tools/fuzz build/fuzz $${SECONDS_EACH:-600}

clean:
	@rm -rf $(BUILD)
