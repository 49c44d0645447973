#!/bin/sh
# usage: tools/check_dist.sh PYTHON
#
# Builds sdist and wheel into dist/ with PYTHON (which has `build`, the build backend and this library), under
# `glasswing-attest run`: the provenance of both lies beside them (docs/python-packages.md). The key lives no longer than
# this script; what it proves is that the recipe works.
#
# Then it proves the wheel: installed alone into a fresh environment, far from this checkout, it imports, it has its types
# and its schemas, the generated code runs on the oldest protobuf that we promise as well as on the newest, and it
# verifies its own provenance.
set -eu
cd "$(dirname "$0")/.."
python=$1
case $python in /*) ;; *) python=$PWD/$python ;; esac
attest=${python%/*}/glasswing-attest
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

version=$("$python" -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])')
wheel=$PWD/dist/glasswing_attest-$version-py3-none-any.whl
sdist=$PWD/dist/glasswing_attest-$version.tar.gz
rm -rf dist
# A checkout with changes has no commit that could be attested as what was built.
code=
if [ -n "$(git status --porcelain 2>/dev/null || echo no git)" ]; then
  echo "note: this checkout has changes, so its commit is not in the provenance"
  code=--no-code
fi
"$attest" --quiet keygen "$scratch/release.key"
"$attest" run --key "$scratch/release.key" --builder https://glasswing-attest.readthedocs.io/builders/check-dist/v1 \
  $code --packages --output "file=$wheel" --output "file=$sdist" \
  -- "$python" -m build --no-isolation --outdir dist . >"$scratch/build.log" 2>&1 || { cat "$scratch/build.log"; exit 1; }
ls -l dist | sed 1d

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
printf 'version: 1\nkeys: {release: {file: release.key.pub}}\n' >trust.yaml
[ -n "$code" ] || code='inputs: {code: {exactly: 1}}'
cat >policy.yaml <<END
version: 1
times: claimed
identities: {release: {key: release}}
nodes:
  file:
    require:
      - predicate: https://slsa.dev/provenance/v1
        signed_by: {any_of: [release]}
        expect: {builder: "https://glasswing-attest.readthedocs.io/builders/check-dist/v1"}
        ${code#--no-code}
  code: {trim: {reason: "this very checkout"}}
  dependency: {trim: {reason: "what the build needs, by exact version"}}
END
for file in "$wheel" "$sdist"; do
  "$scratch/venv/bin/glasswing-attest" --quiet verify --policy policy.yaml --trust trust.yaml --kind file "$file"
  echo "verified: ${file##*/}"
done
