#!/bin/sh
# usage: tools/check_dist.sh PYTHON
#
# Builds sdist and wheel into dist/ with PYTHON (which has `build`), and proves the wheel: installed alone into a fresh
# environment, far from this checkout, it imports, it has its types and its schemas, and the generated code runs on the
# oldest protobuf that we promise as well as on the newest.
set -eu
cd "$(dirname "$0")/.."
python=$1
case $python in /*) ;; *) python=$PWD/$python ;; esac
rm -rf dist
"$python" -m build --outdir dist . >/dev/null
wheel=$(echo "$PWD"/dist/*.whl)
ls -l dist | sed 1d

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$python" -m venv "$scratch/venv"
fresh=$scratch/venv/bin/python
cd "$scratch"
"$fresh" -m pip --disable-pip-version-check --quiet install "$wheel"
"$fresh" -m pip --disable-pip-version-check check

cat >prove.py <<'END'
import importlib, importlib.metadata, importlib.resources, pathlib, pkgutil, sys

import glasswing_attest

here = pathlib.Path(glasswing_attest.__file__).parent
assert here.is_relative_to(sys.prefix), f"imported from {here}, not from the wheel"
assert (here / "py.typed").is_file(), "py.typed is not in the wheel"
names = glasswing_attest.__all__
for name in names:
    getattr(glasswing_attest, name)
generated = []
if (here / "_proto").is_dir():
    proto = importlib.import_module("glasswing_attest._proto")
    generated = [info.name for info in pkgutil.iter_modules(proto.__path__)]
    for name in generated:
        importlib.import_module(f"glasswing_attest._proto.{name}")
protobuf = importlib.metadata.version("protobuf")
print(f"wheel {importlib.metadata.version('glasswing-attest')}: {len(names)} public names, "
      f"{len(generated)} generated modules, protobuf {protobuf}, Python {sys.version.split()[0]}")
END
"$fresh" -W error prove.py
"$fresh" -m pip --disable-pip-version-check --quiet install 'protobuf==6.33.5'
"$fresh" -W error prove.py
"$scratch/venv/bin/glasswing-attest" --help >/dev/null && echo "glasswing-attest --help: ok"
