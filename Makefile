# A thin front: every target is one or two commands that can be run by hand. `make` alone lists them.
PREFIX ?= /usr/local
JOBS := $(shell nproc)
MAKEFLAGS += --no-print-directory
# Ninja where it is installed, looked up after the packages came; CMake ignores this for a folder that is configured.
export CMAKE_GENERATOR ?= $(if $(shell command -v ninja),Ninja,Unix Makefiles)
# build/release serves users and tests: it starts without tests and benchmarks, and whoever wants them adds them.
# Tests build for one GPU architecture; who builds to run gets all of them again.
RELEASE = cmake --preset release -UCMAKE_CUDA_ARCHITECTURES $(if $(wildcard build/release/CMakeCache.txt),,-DPENSTOCK_TESTS=OFF -DPENSTOCK_BENCH=OFF)

.DEFAULT_GOAL := help
.PHONY: help build demo test test-integrations check mutate gpu-check fuzz format bench install clean packages packages-tests packages-check

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: packages ## build/release/penstock, optimised; installs what the build needs if it can
	@$(RELEASE) >/dev/null
	@cmake --build --preset release -j $(JOBS) --target penstock

demo: build ## build, then convert a small data set and look at what came out
	@scripts/demo

test: packages-tests ## every test in three builds: release, ASan + UBSan, TSan; the last line counts
	@scripts/test

test-integrations: packages ## the Python package, installed by pip, with the newest PyTorch, JAX, XGBoost and Arrow
	@scripts/test_integrations

check: packages-check ## before a commit: layout, warnings of g++ and clang, house rules, fast tests
	@scripts/check

mutate: packages-tests ## take every barrier out of every kernel in turn, and tell which tests notice
	@cmake --preset dev >/dev/null
	@cmake --build --preset dev -j $(JOBS) --target kernel_tests
	@scripts/mutate --write

gpu-check: ## on a machine with a GPU: build for it, compare it with the CPU, measure it (docs/gpu-check.md)
	@PENSTOCK_INSTALL=no scripts/gpu_check

fuzz: packages-check ## fuzz every reader for FUZZ_SECONDS (default 600) each; finds are in build/fuzz
	@scripts/fuzz

format: ## lay all sources out as .clang-format says
	@find include formats host cuda python tests bench -name '*.[ch]pp' -o -name '*.cu' -o -name '*.cuh' | xargs clang-format -i

bench: packages ## build and run the benchmarks
	@$(RELEASE) -DPENSTOCK_BENCH=ON >/dev/null
	@cmake --build --preset release -j $(JOBS)
	@scripts/bench

install: build ## install to PREFIX (default /usr/local)
	@cmake --install build/release --prefix $(PREFIX) --component penstock

clean: ## remove build/
	@rm -rf build

packages:
	@scripts/bootstrap required codecs speed
packages-tests:
	@scripts/bootstrap required codecs speed tests
packages-check:
	@scripts/bootstrap required codecs speed tests check
