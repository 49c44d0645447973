"""Does a build record what went in, and nothing when it did not end well?"""

import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import Build, Dataset, File, Manifest, Model, Source, attest
from glasswing_attest._wire import read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.file import Blob
from glasswing_attest.artifact.manifest import Artifact
from glasswing_attest.errors import (
    ArtifactEmpty,
    ArtifactError,
    BuildIncomplete,
    FieldRefused,
    InputsChanged,
    SigningError,
    SourceRefused,
    UsageError,
)
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.provenance import Provenance
from tests.chains import BUILD_TYPE, BUILDER, COMMIT, REPOSITORY, checkout, honest, signer

T0 = datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC)


def clock(*steps: int) -> Callable[[], datetime]:
    """A clock that shows T0 and so many seconds later each time it is looked at."""
    times = iter(T0 + timedelta(seconds=s) for s in steps)
    return lambda: next(times)


def during(run: Build, artifact: Artifact, role: str, happens: Callable[[], object]) -> Build:
    """Run the build: use the artifact, and let something happen afterwards."""
    with run:
        run.use(artifact, role=role)
        happens()
    return run


def build(**more: Any) -> Build:
    return Build(BUILDER, build_type=BUILD_TYPE, **more)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A dataset on disk."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.csv").write_bytes(b"1\n")
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A clean git checkout."""
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "train.py").write_text("pass\n")
    (folder / ".gitignore").write_text("out/\n")
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["config", "user.email", "dev@example.com"],
        ["config", "user.name", "dev"],
        ["add", "."],
        ["commit", "--quiet", "--no-gpg-sign", "-m", "one"],
    ):
        environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(["git", "-C", folder, *command], check=True, capture_output=True, env=environment)
    return folder


# --- a build that ends well ------------------------------------------------------------------------------------------


def test_the_provenance_says_what_went_in(data: Path) -> None:
    parameters = {"epochs": 3, "nested": {"a": [1, 2]}}
    with build(parameters=parameters, internal_parameters={"host": "x"}, clock=clock(0, 60)) as run:
        manifest = run.use(Dataset(data), role="dataset", uri="https://data.example/a")
        run.use(Blob(b"tok", name="vocab.txt"), role="tool", name="tokenizer")
        run.use(checkout(), role="code")
    found = run.provenance()
    assert manifest == Dataset(data).measure()
    assert (found.builder_id, found.build_type) == (BUILDER, BUILD_TYPE)
    assert (found.started_on, found.finished_on) == (
        T0.replace(microsecond=0),
        T0.replace(microsecond=0) + timedelta(seconds=60),
    )
    assert dict(found.external_parameters) == parameters
    assert dict(found.internal_parameters) == {"host": "x"}
    assert [(d.name, d.uri, d.annotations["role"]) for d in found.resolved_dependencies] == [
        ("data", "https://data.example/a", "dataset"),
        ("tokenizer", "", "tool"),
        ("code", f"{REPOSITORY}@{COMMIT}", "code"),
    ]
    assert found.resolved_dependencies[0].digest == manifest.digests


def test_the_provenance_parses_back(data: Path) -> None:
    with build(parameters={"epochs": 3}, internal_parameters={"host": "x"}) as run:
        run.use(Dataset(data), role="dataset")
        run.use(checkout(), role="code")
    found = run.provenance()
    again = Provenance.from_predicate(read_json(json.dumps(found.to_predicate()).encode()))
    assert again == found
    made = attest(honest().model, found, signer=signer("trainer"))
    assert made.statement_unverified.predicate_type == "https://slsa.dev/provenance/v1"


def test_each_run_has_its_own_name() -> None:
    names = set()
    for _ in range(3):
        with build() as run:
            pass
        names.add(run.provenance().invocation_id)
    assert len(names) == 3
    assert all(name.startswith("urn:uuid:") for name in names)
    with build(invocation_id="https://ci.example/runs/7") as run:
        pass
    assert run.provenance().invocation_id == "https://ci.example/runs/7"


def test_asking_twice_gives_the_same() -> None:
    with build() as run:
        run.use(Blob(b"x"), role="dataset")
    assert run.provenance() == run.provenance()


def test_parameters_are_kept_as_they_were() -> None:
    parameters: dict[str, Any] = {"nested": {"lr": 1}}
    with build(parameters=parameters) as run:
        parameters["nested"]["lr"] = 2
        parameters["late"] = True
    assert dict(run.provenance().external_parameters) == {"nested": {"lr": 1}}


@pytest.mark.parametrize("value", [float("nan"), 2**60, b"x", {1}, object])
def test_parameters_that_json_cannot_say_are_refused_at_once(value: object) -> None:
    for name in ("parameters", "internal_parameters"):
        with pytest.raises(FieldRefused) as caught:
            build(**{name: {"x": value}})
        assert (caught.value.code, caught.value.where) == ("malformed.field", f"{name}.x")


@pytest.mark.parametrize("name", ["builder", "build_type"])
def test_builder_and_build_type_are_uris(name: str) -> None:
    values = {"builder": BUILDER, "build_type": BUILD_TYPE, name: "no uri"}
    with pytest.raises(UsageError) as caught:
        Build(values["builder"], build_type=values["build_type"])
    assert (caught.value.code, caught.value.where) == ("usage", name)


# --- a build that does not -------------------------------------------------------------------------------------------


def test_an_exception_passes_and_leaves_no_provenance(data: Path) -> None:
    run = build()
    with pytest.raises(ZeroDivisionError):
        during(run, Dataset(data), "dataset", lambda: 1 // 0)
    with pytest.raises(BuildIncomplete) as caught:
        run.provenance()
    assert isinstance(caught.value, SigningError)
    assert caught.value.code == "signing.build"


@pytest.mark.parametrize("leave", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_so_does_whatever_else_ends_it(leave: type[BaseException]) -> None:
    run = build()
    with pytest.raises(leave), run:
        raise leave
    with pytest.raises(BuildIncomplete):
        run.provenance()


def test_there_is_no_provenance_before_the_end() -> None:
    run = build()
    with pytest.raises(BuildIncomplete):
        run.provenance()
    with run, pytest.raises(BuildIncomplete):
        run.provenance()
    assert run.provenance().finished_on is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda d: (d / "a.csv").write_bytes(b"2\n"),
        lambda d: (d / "b.csv").write_bytes(b""),
        lambda d: (d / "a.csv").rename(d / "c.csv"),
    ],
    ids=["content", "added", "renamed"],
)
@pytest.mark.parametrize("as_manifest", [False, True], ids=["artifact", "manifest"])
def test_a_changed_input_leaves_no_provenance(data: Path, change: Callable[[Path], object], as_manifest: bool) -> None:
    # A manifest that was handed in is read again too: what was measured yesterday says nothing of this run.
    used = Dataset(data).measure() if as_manifest else Dataset(data)
    run = build()
    with pytest.raises(InputsChanged) as caught:
        during(run, used, "dataset", lambda: change(data))
    assert isinstance(caught.value, ArtifactError)
    assert (caught.value.code, caught.value.where) == ("artifact.inputs-changed", "dataset data")
    with pytest.raises(BuildIncomplete):
        run.provenance()


def test_a_manifest_that_was_stale_already_is_found_out(data: Path) -> None:
    stale = Dataset(data).measure()
    (data / "a.csv").write_bytes(b"poison\n")
    with pytest.raises(InputsChanged), build() as run:
        run.use(stale, role="dataset")


def test_an_input_that_vanished_leaves_no_provenance(data: Path) -> None:
    run = build()
    with pytest.raises(ArtifactEmpty):
        during(run, Dataset(data), "dataset", (data / "a.csv").unlink)
    with pytest.raises(BuildIncomplete):
        run.provenance()


def test_manifests_of_each_kind_are_read_again(tmp_path: Path, data: Path) -> None:
    (tmp_path / "one.bin").write_bytes(b"1")
    (tmp_path / "base.gguf").write_bytes(b"GGUF")
    (data / "skipped.tmp").write_bytes(b"x")
    with build() as run:
        run.use(File(tmp_path / "one.bin").measure(), role="tool")
        run.use(Model(tmp_path / "base.gguf").measure(), role="baseModel")
        run.use(Dataset(data, exclude=["skipped.tmp"]).measure(), role="dataset")
        run.use(Manifest.declared("image", DigestSet.of(sha256="a" * 64), "img"), role="image")
        (data / "skipped.tmp").write_bytes(b"y")  # excluded, so no part of the input
    assert len(run.provenance().resolved_dependencies) == 4
    for manifest in (File(tmp_path / "one.bin").measure(), Model(tmp_path / "base.gguf").measure()):
        path = manifest.location
        assert path is not None
        with pytest.raises(InputsChanged):
            during(build(), manifest, "tool", partial(path.write_bytes, b"other"))


# --- roles and the right moment --------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["", "Dataset", "model", "data", "dataset ", None, 1])
def test_a_role_is_one_that_consumers_know(role: Any) -> None:
    with build() as run, pytest.raises(UsageError) as caught:
        run.use(Blob(b"x"), role=role)
    assert (caught.value.code, caught.value.where) == ("usage", "role")


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_recorded(role: str) -> None:
    with build() as run:
        run.use(Blob(b"x"), role=role)
    assert run.provenance().resolved_dependencies[0].annotations["role"] == role


def test_inputs_are_recorded_while_the_build_runs() -> None:
    run = build()
    with pytest.raises(UsageError) as caught:
        run.use(Blob(b"x"), role="dataset")
    assert caught.value.where == "Build.use"
    with run:
        pass
    with pytest.raises(UsageError):
        run.use(Blob(b"x"), role="dataset")
    with pytest.raises(UsageError), run:
        pass


# --- checkouts -------------------------------------------------------------------------------------------------------


def test_a_clean_checkout_is_its_commit(repository: Path) -> None:
    with build() as run:
        manifest = run.use(Source(repository), role="code")
        (repository / "out").mkdir()
        (repository / "out" / "model.bin").write_bytes(b"w")  # ignored by git, so no source
    assert run.provenance().resolved_dependencies[0].digest == manifest.digests
    assert manifest.digests.get("gitCommit")


@pytest.mark.parametrize(
    "change",
    [lambda d: (d / "train.py").write_text("evil()\n"), lambda d: (d / "new.py").write_text("")],
    ids=["changed", "untracked"],
)
def test_a_dirty_checkout_is_refused(repository: Path, change: Callable[[Path], object]) -> None:
    change(repository)
    run = build()
    with pytest.raises(SourceRefused) as caught, run:
        run.use(Source(repository), role="code")
    assert (caught.value.code, caught.value.where) == ("artifact.source.dirty", "repo")
    assert "not committed (" in str(caught.value)
    with pytest.raises(SourceRefused), build() as run:
        run.use(Source(repository).measure(), role="code")
    with pytest.raises(BuildIncomplete):
        run.provenance()


@pytest.mark.parametrize(
    "change",
    [lambda d: (d / "train.py").write_text("evil()\n"), lambda d: (d / "new.py").write_text("")],
    ids=["changed", "untracked"],
)
@pytest.mark.parametrize("as_manifest", [False, True], ids=["artifact", "manifest"])
def test_a_checkout_that_was_changed_meanwhile_is_found_out(
    repository: Path, change: Callable[[Path], object], as_manifest: bool
) -> None:
    # Its commit is the same, and so are all of its digests.
    source = Source(repository)
    run = build()
    with pytest.raises(InputsChanged) as caught:
        during(run, source.measure() if as_manifest else source, "code", lambda: change(repository))
    assert caught.value.code == "artifact.inputs-changed"
    assert "changes that are not committed: " in str(caught.value)
    with pytest.raises(BuildIncomplete):
        run.provenance()
