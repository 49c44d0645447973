# What can be done here. Needs only make, git and Python >= 3.11; everything else is installed into virtual environments
# beside this file, which are made anew only when pyproject.toml changes. After that, nothing here needs the network.
#
#   PYTHON=/path/to/python3   use this interpreter          PYTEST_ARGS="-x -k policy"   pass arguments to pytest
#   VENV=/tmp/mine            keep the environment elsewhere       make -k check        go on after a failure

VENV            ?= .venv
VENV_QUICKSTART ?= .venv-quickstart
VENV_DEVICES    ?= .venv-devices
VENV_LOWEST     ?= .venv-lowest
VENV_PROTO      ?= .venv-proto
PYTEST_ARGS     ?= -n auto
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help quickstart test check types mypy pyright lint ruff-rules ruff-format format docs generated proto proto-lint
.PHONY: torture differential mutate fuzz lowest devices stack stack-build interop bench measure dist clean always

help:  ## show this list
	@grep -E '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*  ## (.*)/  make \1|\2/' | column -t -s '|' 2>/dev/null \
	  || grep -E '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST)

# Each is asked every time whether it is up to date, which takes a few milliseconds: the dates of files say too little.
$(VENV)/.stamp: always
	@tools/venv.sh $(VENV) dev
$(VENV_QUICKSTART)/.stamp: always
	@tools/venv.sh $(VENV_QUICKSTART) runtime
$(VENV_DEVICES)/.stamp: always
	@tools/venv.sh $(VENV_DEVICES) devices
$(VENV_LOWEST)/.stamp: always
	@tools/venv.sh $(VENV_LOWEST) lowest
$(VENV_PROTO)/.stamp: always
	@tools/venv.sh $(VENV_PROTO) proto

quickstart: $(VENV_QUICKSTART)/.stamp  ## the first example, with nothing but the library installed
	$(VENV_QUICKSTART)/bin/python examples/quickstart/quickstart.py

test: $(VENV)/.stamp  ## all tests, the documentation's examples among them
	$(VENV)/bin/python -m pytest $(PYTEST_ARGS)

torture: $(VENV)/.stamp  ## a million changes of each kind of material, in about an hour; writes docs/torture.md
	$(VENV)/bin/python -m tests.torture --record $(TORTURE_ARGS)

differential: $(VENV)/.stamp  ## other engines are asked the same, of 50,000 changes; writes docs/differences.md
	$(VENV)/bin/python -m tests.differential --count 50000 --peers 3000 --processes 2 --write $(DIFFERENTIAL_ARGS)

mutate: $(VENV)/.stamp  ## break the engine, one thing at a time: does a test notice? see docs/mutation.md
	$(VENV)/bin/python -m tests.mutation $(MUTATE_ARGS)

FUZZ_ARGS ?= --seconds 5
fuzz: $(VENV)/.stamp  ## hostile bytes for every parser, five seconds each
	$(VENV)/bin/python -m tests.fuzz $(FUZZ_ARGS)

devices: $(VENV_DEVICES)/.stamp  ## tests of keys in a KMS, an HSM, a TPM; their libraries need a C compiler
	$(VENV_DEVICES)/bin/python -m pytest $(PYTEST_ARGS) -rs $(addprefix tests/integration/test_,hsm.py kms_aws.py kms_gcp_azure.py tpm.py vault.py)

lowest: $(VENV_LOWEST)/.stamp  ## unit tests and vectors on the lowest versions that pyproject.toml allows
	$(VENV_LOWEST)/bin/python -m pytest $(PYTEST_ARGS) tests/unit tests/vectors

stack: $(VENV)/.stamp  ## a real Sigstore on the loopback, to try things on, until Ctrl-C
	$(VENV)/bin/python -m tests.stack

stack-build: $(VENV)/.stamp  ## build its servers, and the clients of others: once, with Go, in minutes
	$(VENV)/bin/python -m tests.stack build
	$(VENV)/bin/python -m tests.interop build

interop: $(VENV)/.stamp  ## exchange signatures with other clients there, and write docs/interop.md
	$(VENV)/bin/python -m tests.interop $(PYTEST_ARGS)

check: types lint generated proto-lint docs  ## types, lint, generated code, protobuf rules, documentation

types: mypy pyright  ## mypy --strict and pyright
mypy: $(VENV)/.stamp
	$(VENV)/bin/python -m mypy
pyright: $(VENV)/.stamp
	$(VENV)/bin/python -m pyright --pythonpath $(VENV)/bin/python

lint: ruff-rules ruff-format  ## ruff: rules and format
ruff-rules: $(VENV)/.stamp
	$(VENV)/bin/python -m ruff check
ruff-format: $(VENV)/.stamp
	$(VENV)/bin/python -m ruff format --check

format: $(VENV)/.stamp  ## let ruff repair and format what it can
	$(VENV)/bin/python -m ruff check --fix
	$(VENV)/bin/python -m ruff format

docs: $(VENV)/.stamp  ## run the documentation's examples, resolve its links
	$(VENV)/bin/python -m pytest $(PYTEST_ARGS) tests/test_docs.py

generated: $(VENV_PROTO)/.stamp  ## is src/glasswing_attest/_proto what proto/ generates?
	$(VENV_PROTO)/bin/python tools/generate_proto.py --check

proto: $(VENV_PROTO)/.stamp  ## generate src/glasswing_attest/_proto from proto/
	$(VENV_PROTO)/bin/python tools/generate_proto.py

proto-lint: $(VENV_PROTO)/.stamp  ## buf: style of proto/, and nothing in it broken since the last version
	$(VENV_PROTO)/bin/buf lint
	$(VENV_PROTO)/bin/python tools/proto_breaking.py

bench: $(VENV_QUICKSTART)/.stamp  ## what `import glasswing_attest` costs, and a chain over its attestations
	$(VENV_QUICKSTART)/bin/python benchmarks/import_cost.py --max-ms 60
	$(VENV_QUICKSTART)/bin/python benchmarks/chain.py --sizes 300 --keys ed25519 --shapes tree --at-most 2

measure: $(VENV)/.stamp  ## what bundles, refusals and cold processes cost, beside the least they can; see docs/performance.md
	$(VENV)/bin/python benchmarks/verify.py
	$(VENV)/bin/python benchmarks/verify_many.py
	$(VENV)/bin/python benchmarks/cold.py
	$(VENV)/bin/python benchmarks/refusals.py

dist: $(VENV)/.stamp  ## build sdist and wheel into dist/, install the wheel alone and import it
	tools/check_dist.sh $(VENV)/bin/python

clean:  ## remove environments, builds and caches
	rm -rf .venv .venv-quickstart .venv-devices .venv-lowest .venv-proto dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests tools benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
