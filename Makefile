# Yett: build, run, test. Needs Rust, Python 3.10+ with venv, a C compiler and make.
# `make help` lists the targets.

PYTHON ?= python3
PORT ?= 8000

RUN_VENV := .venv
TEST_VENV := .cache/venv
EXAMPLE := examples/notes
DEBUG := target/debug
EXTENSION := python/yett/_yett.abi3.so

RUST := $(shell find crates xtask -name '*.rs' -o -name 'Cargo.toml') Cargo.toml Cargo.lock
WHEEL_SOURCES := $(RUST) $(shell find python/yett -name '*.py' -o -name '*.pyi') pyproject.toml

# An extension module links no libpython: the interpreter that loads it has all of it.
PYO3 := PYO3_BUILD_EXTENSION_MODULE=1 PYO3_PYTHON=$(CURDIR)/$(TEST_VENV)/bin/python

# Beside the tests' own Python: where objects are shared for ever (python/tests/test_immortal.py).
YETT_TEST_PYTHONS ?= $(shell ls -d $(HOME)/.pyenv/versions/3.1[23].*/bin/python 2>/dev/null | paste -sd:)

# What the system tests run with: the debug build, and the Python sources of this tree.
SYSTEM := YETT_BIN=$(CURDIR)/$(DEBUG)/yett YETT_TEST_PYTHON=$(CURDIR)/$(TEST_VENV)/bin/python

# What `make bench` measures with: `make bench ROWS=plain,token ONLY=yett,granian ROUNDS=5 SECONDS=4`.
ROUNDS ?= 3
SECONDS ?= 2
ROWS ?=
ONLY ?=
BENCH_VENV := .cache/bench
BENCH_CLIENT := --manifest-path bench/server/client/Cargo.toml --target-dir .cache/bench-client

FUZZ_SECONDS ?= 60

# Of each interface; a seed is chosen and printed.
SOAK_SECONDS ?= 120
SOAK_SEED ?=

# These tests need a server, and start one; `make test-postgres` alone runs them.
ON_POSTGRES := test_rotation_on_postgres.py

.DEFAULT_GOAL := help
.PHONY: help run example test test-rust test-python test-pyjwt test-simplejwt test-peers test-postgres test-frameworks test-http2 test-tls test-browsers test-smuggling test-system test-wheel soak fuzz bench lint lint-rust lint-python format build clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

run: example ## serve the example API on http://127.0.0.1:8000 (PORT=… for another port)
	@printf '\nTry, in another terminal:\n'
	@printf '  TOKEN=$$(curl -s -d username=demo -d password=demo-password http://127.0.0.1:$(PORT)/api/token/ | sed -E '"'"'s/.*"access":"([^"]*)".*/\\1/'"'"')\n'
	@printf '  curl -H "Authorization: Bearer $$TOKEN" http://127.0.0.1:$(PORT)/api/notes/\n'
	@printf '  curl -i -H "Authorization: Bearer broken" http://127.0.0.1:$(PORT)/api/notes/\n\n'
	@cd $(EXAMPLE) && exec $(CURDIR)/$(RUN_VENV)/bin/yett serve --bind 127.0.0.1:$(PORT)

example: $(RUN_VENV)/.installed
	@cd $(EXAMPLE) && $(CURDIR)/$(RUN_VENV)/bin/python manage.py migrate -v 0
	@cd $(EXAMPLE) && $(CURDIR)/$(RUN_VENV)/bin/python manage.py demo
	@cd $(EXAMPLE) && $(CURDIR)/$(RUN_VENV)/bin/python manage.py collectstatic --noinput -v 0

$(RUN_VENV)/.installed: $(WHEEL_SOURCES) $(EXAMPLE)/requirements.txt
	$(PYTHON) -m venv $(RUN_VENV)
	$(RUN_VENV)/bin/pip install --quiet --disable-pip-version-check -r $(EXAMPLE)/requirements.txt
	@echo 'Building Yett; the first time takes some minutes.'
	$(RUN_VENV)/bin/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps .
	@touch $@

test: test-rust test-python test-pyjwt test-simplejwt test-peers test-postgres test-frameworks test-http2 test-tls test-browsers test-smuggling test-system test-wheel ## all tests

test-rust: $(TEST_VENV)/.installed ## unit, property and in-memory tests, and the border test
	$(PYO3) cargo test --workspace --quiet
	YETT_TEST_CARRIER=socket cargo test --quiet -p yett-edge --lib
	cargo test --quiet -p yett-jwt --features ml-dsa
	cargo run --quiet -p xtask -- borders
	cargo test --quiet --locked $(BENCH_CLIENT)

test-python: build ## tests of yett.jwt, yett.drf and yett.django, and of the benchmark's arithmetic
	YETT_TEST_PYTHONS=$(YETT_TEST_PYTHONS) PYTHONPATH=$(CURDIR)/python \
		$(TEST_VENV)/bin/python -m pytest -q python/tests bench/server/tests --ignore=python/tests/$(ON_POSTGRES)

test-pyjwt: build ## PyJWT's own tests against yett.jwt; fetches them
	$(TEST_VENV)/bin/python tests/pyjwt/run.py .cache

test-simplejwt: build ## simplejwt's own tests, from its package, against yett.drf
	$(TEST_VENV)/bin/python tests/simplejwt/run.py .cache

test-peers: build ## dj-rest-auth's own tests, from its package, on yett.drf and on simplejwt
	$(TEST_VENV)/bin/python tests/peers/run.py --itself .cache
	$(TEST_VENV)/bin/python tests/peers/run.py .cache

test-postgres: build ## one-time refresh tokens on a Postgres that it starts itself, from a wheel
	PYTHONPATH=$(CURDIR)/python $(TEST_VENV)/bin/python -m pytest -q python/tests/$(ON_POSTGRES)

# The judges first: what fails under them is wrong in the grid, not in Yett.
test-frameworks: build ## Django, Flask, FastAPI and others under uvicorn, Gunicorn and Yett; installs them
	$(TEST_VENV)/bin/python tests/frameworks/run.py --judge uvicorn .cache
	$(TEST_VENV)/bin/python tests/frameworks/run.py --judge gunicorn .cache
	YETT_BIN=$(CURDIR)/$(DEBUG)/yett $(TEST_VENV)/bin/python tests/frameworks/run.py .cache

test-http2: build ## HTTP/2 under Python's h2 as polite and hostile clients, curl, nghttp and h2load; installs h2
	$(SYSTEM) $(TEST_VENV)/bin/python tests/http2/run.py .cache

test-tls: build ## what sslyze says of Yett's TLS; installs it
	YETT_BIN=$(CURDIR)/$(DEBUG)/yett $(TEST_VENV)/bin/python tests/tls/run.py .cache

# They come from the system, where they are installed: apt-get install chromium firefox-esr.
test-browsers: build ## Chromium and Firefox, headless, as clients; root's run installs the first on Debian
	YETT_BIN=$(CURDIR)/$(DEBUG)/yett $(TEST_VENV)/bin/python tests/browsers/run.py

# nginx comes from the system, where it is installed: apt-get install nginx-light.
test-smuggling: ## messages that servers read differently: Gunicorn, uWSGI and nginx beside Yett; installs the first two
	$(PYTHON) tests/smuggling/run.py .cache

test-system: build ## the program with real Python, clients and faults
	$(SYSTEM) PYTHONPATH=$(CURDIR)/python $(TEST_VENV)/bin/python -m pytest -q tests

soak: build ## killed workers and reloads under load of all kinds, for minutes (SOAK_SECONDS=, SOAK_SEED=)
	$(SYSTEM) PYTHONPATH=$(CURDIR)/python YETT_SOAK_SECONDS=$(SOAK_SECONDS) YETT_SOAK_SEED=$(SOAK_SEED) \
		$(TEST_VENV)/bin/python -m pytest -q -s tests/test_soak.py

# Each for FUZZ_SECONDS; `fuzz/README.md` says how to go on with libFuzzer.
fuzz: ## random changes of tokens, keys and what clients and workers send, against what must hold (FUZZ_SECONDS=)
	YETT_FUZZ_SECONDS=$(FUZZ_SECONDS) cargo test --quiet -p yett-link --test fuzz_smoke -- --test-threads=1 --nocapture
	YETT_FUZZ_SECONDS=$(FUZZ_SECONDS) cargo test --quiet -p yett-gate --test fuzz_smoke -- --test-threads=1 --nocapture
	YETT_FUZZ_SECONDS=$(FUZZ_SECONDS) cargo test --quiet -p yett-edge --lib fuzzing:: -- --test-threads=1 --nocapture
	YETT_FUZZ_SECONDS=$(FUZZ_SECONDS) cargo test --quiet -p yett-edge --test fuzz_smoke -- --test-threads=1 --nocapture
	YETT_FUZZ_SECONDS=$(FUZZ_SECONDS) cargo test --quiet -p yett-jwt --test fuzz_smoke -- --test-threads=1 --nocapture

test-wheel: $(RUN_VENV)/.installed ## the installed wheel: program, extension and example
	$(RUN_VENV)/bin/yett --version
	$(RUN_VENV)/bin/python -m yett --version
	cd $(EXAMPLE) && $(CURDIR)/$(RUN_VENV)/bin/yett check

bench: $(BENCH_VENV)/.installed ## Yett beside Granian, uWSGI, Gunicorn and Uvicorn (ROWS= ONLY= ROUNDS= SECONDS=)
	cargo build --release --quiet --locked $(BENCH_CLIENT)
	$(PYTHON) bench/server/run.py --venv $(BENCH_VENV) --client .cache/bench-client/release/bench-load \
		--rounds '$(ROUNDS)' --seconds '$(SECONDS)' --rows '$(ROWS)' --only '$(ONLY)'

$(BENCH_VENV)/.installed: $(WHEEL_SOURCES) bench/server/requirements.txt
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check -r bench/server/requirements.txt
	@echo 'Building Yett; the first time takes some minutes.'
	$(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps .
	@touch $@

build: $(TEST_VENV)/.installed ## debug build of program and extension
	$(PYO3) cargo build --quiet -p yett -p yett-python
	@cmp -s $(DEBUG)/lib_yett.so $(EXTENSION) || cp $(DEBUG)/lib_yett.so $(EXTENSION)

$(TEST_VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(TEST_VENV)
	$(PYTHON) xtask/extras.py test lint > $(TEST_VENV)/requirements.txt
	$(TEST_VENV)/bin/pip install --quiet --disable-pip-version-check -r $(TEST_VENV)/requirements.txt
	@touch $@

lint: lint-rust lint-python ## formats, clippy, docs, ruff, mypy

lint-rust: $(TEST_VENV)/.installed
	cargo fmt --all --check
	$(PYO3) cargo clippy --workspace --all-targets --quiet -- -D warnings
	cargo clippy -p yett-jwt --all-targets --features ml-dsa --quiet -- -D warnings
	cargo clippy -p yett-edge --features fuzzing --quiet -- -D warnings
	cargo fmt --manifest-path bench/server/client/Cargo.toml --check
	cargo clippy --all-targets --quiet --locked $(BENCH_CLIENT) -- -D warnings
	$(PYO3) RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --quiet --document-private-items

lint-python: build
	$(TEST_VENV)/bin/ruff check .
	$(TEST_VENV)/bin/ruff format --check .
	$(TEST_VENV)/bin/mypy
	cd bench/server && MYPYPATH=. $(CURDIR)/$(TEST_VENV)/bin/mypy --strict --python-version 3.10 run.py harness apps/*.py
	PYTHONPATH=$(CURDIR)/python $(TEST_VENV)/bin/python -m mypy.stubtest yett._yett

format: $(TEST_VENV)/.installed ## formats Rust and Python
	cargo fmt --all
	cargo fmt --manifest-path bench/server/client/Cargo.toml
	$(TEST_VENV)/bin/ruff check --fix --quiet .
	$(TEST_VENV)/bin/ruff format --quiet .

clean: ## removes what was built
	rm -rf target build .cache $(RUN_VENV) $(EXTENSION)
