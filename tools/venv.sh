#!/bin/sh
# usage: tools/venv.sh DIR runtime|dev|lowest|devices|proto
#
# Makes the virtual environment DIR, with the first Python >= 3.11 that works, and installs into it
#   runtime   the library alone
#   dev       the library and what its tests and checks need
#   lowest    the same, each dependency of the library in the lowest version that pyproject.toml allows
#   devices   as dev, and what the tests of keys in a KMS, an HSM or a TPM need: a C compiler builds a part of it
#   proto     only the generator and linter of protobuf files (Python <= 3.13: grpcio-tools 1.73.1 has no later wheels)
#
# If it is there already, made for the same pyproject.toml in the same place, nothing happens and no network is needed.
# PYTHON=/path/to/python chooses the interpreter. Needs nothing but a POSIX shell and Python.
set -eu
cd "$(dirname "$0")/.."
dir=$1
what=$2
case $what in
  runtime | dev | lowest | devices) below=99 range="3.11 or newer" ;;
  proto) below=14 range="3.11, 3.12 or 3.13 (grpcio-tools 1.73.1 has no wheels for a newer one)" ;;
  *) echo "tools/venv.sh: '$what' is none of runtime, dev, lowest, devices, proto" >&2; exit 2 ;;
esac

made_for="$what in $PWD, PYTHON=${PYTHON:-}, $(cat pyproject.toml tools/venv.sh | cksum)"
if [ "$(cat "$dir/.stamp" 2>/dev/null)" = "$made_for" ] && "$dir/bin/python" -c "" 2>/dev/null; then
  exit 0
fi

right_version="import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] < (3, $below))"
has_venv="import ensurepip, venv"
lacking=
chosen=
# A name on PATH proves nothing (pyenv's shims exist for versions that are not active), so each is run.
names="python3 python3.13 python3.12 python3.11 python3.14 python3.15 python /usr/bin/python3"
case $what in
  # A PYTHON that is too new for the generator is no reason to do without it.
  proto) names="${PYTHON:-} $names" ;;
  *) names=${PYTHON:-$names} ;;
esac
for candidate in $names; do
  "$candidate" -c "$right_version" >/dev/null 2>&1 || continue
  if "$candidate" -c "$has_venv" >/dev/null 2>&1; then
    chosen=$candidate
    break
  fi
  lacking="$lacking $candidate"
done

if [ -z "$chosen" ]; then
  {
    if [ -n "$lacking" ]; then
      echo "error: Python was found ($(echo $lacking)), but it cannot make virtual environments: its module venv or ensurepip is missing."
      echo "       On Debian and Ubuntu: apt-get install python3-venv"
    elif [ -n "${PYTHON:-}" ] && [ "$what" != proto ]; then
      echo "error: PYTHON=$PYTHON is not a working Python $range."
    else
      echo "error: no working Python $range was found on PATH."
    fi
    echo "       Name another one with: make PYTHON=/path/to/python3 ..."
  } >&2
  exit 1
fi

echo "== $dir: $("$chosen" --version), for: $what"
rm -rf "$dir"
"$chosen" -m venv "$dir"
pip() { "$dir/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }
case $what in
  runtime) pip install -e . ;;
  dev) pip install -e '.[dev]' ;;
  lowest)
    "$dir/bin/python" -c "
import re, tomllib
for each in tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies']:
    print(re.sub(r'\[.*\]', '', re.sub('>=([^,]*).*', r'==\1', each)))" >"$dir/lowest.txt"
    pip install -c "$dir/lowest.txt" -e '.[dev]'
    ;;
  devices) pip install -e '.[dev,devices]' ;;
  proto)
    requirements=$("$dir/bin/python" -c "
import tomllib
print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['proto'])")
    pip install $requirements
    ;;
esac
echo "$made_for" >"$dir/.stamp"
