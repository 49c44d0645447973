"""Does a build record what it is told to, outputs and all, and nothing else?  (See also test_capture.py.)"""

import hashlib
import inspect
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasswing_attest import Build, Dataset, File, KeySigner, Manifest, Model, Policy, Trust, attest, verify
from glasswing_attest._wire import canonical_json, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.environment import Environment
from glasswing_attest.artifact.file import Blob
from glasswing_attest.artifact.lock import Lock
from glasswing_attest.capture import Host, Recorded
from glasswing_attest.errors import (
    ArtifactUnreadable,
    BuildIncomplete,
    FieldRefused,
    InputsChanged,
    NoMatchingAttestation,
    SecretRefused,
    UsageError,
)
from glasswing_attest.statement.predicates.provenance import Provenance
from tests.chains import checkout
from tests.environments import build_wheel, install, lock_of, make_prefix
from tests.unit.capture.test_ci import COMMIT, GITHUB, GITLAB

BUILDER = "https://ci.example/trainer"
BUILD_TYPE = "https://example.com/train/v1"
T0 = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECRET = "q7Zt4Lw9Xb2Nc8Vr5Ks1"

Tree = Callable[[dict[str, str | bytes]], Path]


def build(**more: Any) -> Build:
    return Build(BUILDER, build_type=BUILD_TYPE, **more)


def predicate(run: Build) -> dict[str, Any]:
    """The finished run's predicate, as a reader of the bytes finds it."""
    written = canonical_json(run.provenance().to_predicate())
    assert Provenance.from_predicate(read_json(written)) == run.provenance()
    found: dict[str, Any] = json.loads(written)
    return found


# --- what comes out --------------------------------------------------------------------------------------------------


def test_outputs_are_measured_when_the_run_ends(tmp_path: Path) -> None:
    model = tmp_path / "model"
    with build() as run:
        run.output(Model(model), name="acme/iris")
        run.output(Blob(b"x", name="report.txt"))
        model.mkdir()
        (model / "w").write_bytes(b"1")
        (model / "w").write_bytes(b"2")
        with pytest.raises(BuildIncomplete) as caught:
            _ = run.outputs
        assert caught.value.code == "signing.build"
    assert [m.name for m in run.outputs] == ["acme/iris", "report.txt"]
    assert run.outputs[0].digests == Model(model).measure().digests
    made = attest(run.outputs, run.provenance(), signer=KeySigner.generate())
    assert [s.name for s in made.statement_unverified.subjects] == ["acme/iris", "report.txt"]


def test_an_output_that_was_not_made_leaves_no_provenance(tmp_path: Path) -> None:
    run = build()
    with pytest.raises(ArtifactUnreadable) as caught, run:
        run.output(Model(tmp_path / "model"))
    assert caught.value.code == "artifact.unreadable"
    for ask in (run.provenance, lambda: run.outputs):
        with pytest.raises(BuildIncomplete):
            ask()


@pytest.mark.parametrize("what", ["output", "byproduct"])
def test_what_comes_out_is_an_artifact_that_is_read(what: str) -> None:
    declared = Manifest.declared("model", DigestSet.of(sha256="ab" * 32), "m")
    with build() as run:
        for artifact in (declared, "model/", Path("model"), None, Model):
            with pytest.raises(UsageError) as caught:
                getattr(run, what)(artifact)
            assert (caught.value.code, caught.value.where) == ("usage", what)
    assert run.outputs == ()


def test_byproducts_are_told_beside_the_outputs(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    with build() as run:
        run.byproduct(File(log), name="log", media_type="text/plain")
        run.metrics({"loss": 0.25, "steps": 3})
        log.write_text("loss 0.25\n")
    said = predicate(run)["runDetails"]["byproducts"]
    assert said[0] == {
        "name": "log",
        "digest": File(log).measure().digests.to_dict(),
        "mediaType": "text/plain",
    }
    metrics = run.provenance().byproducts[1]
    assert (metrics.name, metrics.media_type, metrics.content) == (
        "metrics",
        "application/json",
        b'{"loss":0.25,"steps":3}',
    )
    assert metrics.digest == Blob(metrics.content or b"").measure().digests
    assert "resolvedDependencies" not in predicate(run)["buildDefinition"]


def test_figures_are_json_and_no_secrets() -> None:
    with build() as run:
        with pytest.raises(FieldRefused) as refused:
            run.metrics({"loss": float("nan")})
        assert refused.value.where == "metrics.loss"
        with pytest.raises(SecretRefused) as caught:
            run.metrics({"token": SECRET})
        assert (caught.value.code, caught.value.where) == ("usage.secret", "metrics.token")
    assert run.provenance().byproducts == ()


# --- as a decorator --------------------------------------------------------------------------------------------------


def test_each_call_of_a_recorded_function_is_a_run(tmp_path: Path) -> None:
    @Build.record(BUILDER, build_type=BUILD_TYPE, arguments=["epochs", "rate"], parameters={"entrypoint": "train.py"})
    def train(build: Build, password: str, *, epochs: int, rate: float = 0.5) -> str:
        """Trains."""
        build.use(Blob(b"1"), role="dataset")
        path = tmp_path / f"model-{epochs}"
        path.write_bytes(b"w")
        build.output(File(path))
        return path.name

    first, second = train("hunter2", epochs=1), train(password="hunter2", epochs=2, rate=0.25)
    assert isinstance(first, Recorded)
    assert (first.value, second.value) == ("model-1", "model-2")
    assert [m.name for m in second.build.outputs] == ["model-2"]
    said = [r.build.provenance() for r in (first, second)]
    assert [dict(p.external_parameters) for p in said] == [
        {"entrypoint": "train.py", "epochs": 1, "rate": 0.5},
        {"entrypoint": "train.py", "epochs": 2, "rate": 0.25},
    ]
    assert said[0].invocation_id != said[1].invocation_id
    assert all(b"hunter2" not in canonical_json(p.to_predicate()) for p in said)
    assert (train.__name__, train.__doc__) == ("train", "Trains.")
    assert list(inspect.signature(train).parameters) == ["password", "epochs", "rate"]


def test_a_recorded_function_that_raises_leaves_its_exception_only() -> None:
    @Build.record(BUILDER, build_type=BUILD_TYPE)
    def train(build: Build) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train()


@pytest.mark.parametrize("name", ["epoch", "build", ""])
def test_an_argument_that_is_none_is_refused_at_once(name: str) -> None:
    decorate = Build.record(BUILDER, build_type=BUILD_TYPE, arguments=[name])
    with pytest.raises(UsageError) as caught:

        @decorate
        def train(build: Build, epochs: int) -> None: ...

    assert (caught.value.code, caught.value.where) == ("usage", "arguments")


def test_a_recorded_argument_may_not_be_a_secret() -> None:
    @Build.record(BUILDER, build_type=BUILD_TYPE, arguments=["token"])
    def train(build: Build, token: str) -> None:
        raise AssertionError("it ran")

    with pytest.raises(SecretRefused) as caught:
        train(SECRET)
    assert (caught.value.code, caught.value.where) == ("usage.secret", "parameters.token")


# --- parameters ------------------------------------------------------------------------------------------------------


def test_parameters_may_become_known_while_it_runs() -> None:
    with build(parameters={"a": 1}, internal_parameters={"i": 1}) as run:
        given = {"b": {"c": [1]}}
        run.add_parameters(given)
        given["b"]["c"].append(2)
        run.add_parameters({"a": 1})
        run.add_internal_parameters({"j": 2})
        for add, where in (
            (run.add_parameters, "parameters.a"),
            (run.add_internal_parameters, "internal_parameters.i"),
        ):
            with pytest.raises(UsageError) as caught:
                add({where[-1]: 3})
            assert (caught.value.code, caught.value.where) == ("usage", where)
    assert dict(run.provenance().external_parameters) == {"a": 1, "b": {"c": [1]}}
    assert dict(run.provenance().internal_parameters) == {"i": 1, "j": 2}


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"parameters": {"hub": {"token": SECRET}}}, "parameters.hub.token"),
        ({"internal_parameters": {"url": "https://u:p@x.example"}}, "internal_parameters.url"),
        ({"invocation_id": "https://u:p@x.example/1"}, "invocation_id"),
        ({"builder_version": {"password": "x"}}, "builder_version.password"),
    ],
)
def test_no_secret_is_taken(more: dict[str, Any], where: str) -> None:
    with pytest.raises(SecretRefused) as caught:
        build(**more)
    assert (caught.value.code, caught.value.where) == ("usage.secret", where)
    with build(**more, secrets_allowed_unsafe=[where]) as run:
        pass
    assert run.provenance().builder_id == BUILDER


@pytest.mark.parametrize(("name", "value"), [("uri", "https://u:p@x.example/a"), ("name", "hf" + "_" + SECRET)])
def test_no_secret_names_an_input_or_output(name: str, value: str) -> None:
    with build() as run:
        with pytest.raises(SecretRefused) as caught:
            run.use(
                Blob(b"x"), role="dataset", name=value if name == "name" else "", uri=value if name == "uri" else ""
            )
        assert (caught.value.code, caught.value.where) == ("usage.secret", f"dataset.{name}")
        if name == "name":
            with pytest.raises(SecretRefused) as caught:
                run.output(Blob(b"x"), name=value)
            assert caught.value.where == "output (a name)"
    assert run.provenance().resolved_dependencies == ()


def test_only_variables_that_are_named_are_recorded() -> None:
    environ = {"OMP_NUM_THREADS": "8", "HF_TOKEN": SECRET, "PATH": "/bin", "EMPTY": ""}
    with build() as run:
        run.use_variables("OMP_NUM_THREADS", "EMPTY", "ABSENT", environ=environ)
        run.use_variables("OMP_NUM_THREADS", environ=environ)
        with pytest.raises(SecretRefused) as caught:
            run.use_variables("HF_TOKEN", environ=environ)
        assert caught.value.where == "internal_parameters.variables.HF_TOKEN"
        with pytest.raises(UsageError):
            run.use_variables("OMP_NUM_THREADS", environ={"OMP_NUM_THREADS": "9"})
    assert dict(run.provenance().internal_parameters) == {"variables": {"OMP_NUM_THREADS": "8", "EMPTY": ""}}


names = st.from_regex(r"[A-Z][A-Z_]{0,12}(?:TOKEN|SECRET|KEY|PASSWORD)?", fullmatch=True)
values = st.from_regex(r"[a-z0-9]{16,40}", fullmatch=True).map(lambda text: f"0hidden{text}")


@given(st.dictionaries(names, values, max_size=6), st.sets(names, max_size=4))
def test_no_value_of_a_variable_that_is_not_named_is_recorded(environ: dict[str, str], named: set[str]) -> None:
    with build() as run:
        for name in named:
            try:
                run.use_variables(name, environ=environ)
            except SecretRefused:
                continue
    written = canonical_json(run.provenance().to_predicate())
    internal: Any = run.provenance().internal_parameters
    recorded = internal.get("variables", {})
    assert set(recorded) <= named
    for name, value in environ.items():
        if name not in recorded and value not in recorded.values():
            assert value.encode() not in written


# --- what it ran on, and with ----------------------------------------------------------------------------------------


def test_the_host_is_internal_and_a_dependency_only_when_told() -> None:
    host = Host(kernel="6.8.0", nvidia_driver="550.54.15")
    with build() as quiet:
        assert quiet.use_host(host) is host
        with pytest.raises(UsageError) as caught:
            quiet.use_host(Host(kernel="6.9.0"))
        assert caught.value.where == "internal_parameters.host"
    assert predicate(quiet)["buildDefinition"]["internalParameters"] == {"host": host.to_dict()}
    assert quiet.provenance().resolved_dependencies == ()
    with build() as loud:
        loud.use_host(host, as_tools=True)
        loud.use_host(host, as_tools=True)
    assert [(d.name, d.uri, dict(d.annotations)) for d in loud.provenance().resolved_dependencies] == [
        ("linux", "pkg:generic/linux@6.8.0", {"role": "tool", "declared": True}),
        ("nvidia-driver", "pkg:generic/nvidia-driver@550.54.15", {"role": "tool", "declared": True}),
    ]


def installed(folder: Path, name: str, version: str, more: dict[str, str] | None = None) -> Path:
    """A package in an environment of its own, as an installer would leave it."""
    info = folder / "lib" / "python3.11" / "site-packages" / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n")
    (info / "INSTALLER").write_text("pip\n")
    (info / "RECORD").write_text(f"{info.name}/METADATA,,\n{info.name}/RECORD,,\n")
    for file, text in (more or {}).items():
        (info / file).write_text(text)
    return info


def test_packages_are_dependencies_with_their_origin(tmp_path: Path) -> None:
    installed(tmp_path, "demo", "1.0")
    direct = {"url": "https://files.example/other-2.0.whl", "archive_info": {"hashes": {"sha256": "ab" * 32}}}
    installed(tmp_path, "other", "2.0", {"direct_url.json": json.dumps(direct)})
    with build() as run:
        packages = run.use_environment(Environment(tmp_path))
    assert [p.label for p in packages] == ["demo==1.0", "other==2.0"]
    first, second = run.provenance().resolved_dependencies
    assert (first.name, first.uri, dict(first.digest.to_dict())) == ("demo==1.0", "pkg:pypi/demo@1.0", {})
    assert dict(first.annotations) == {"role": "dependency", "installedAs": "index"}
    assert (second.digest.to_dict(), second.download_location) == ({"sha256": "ab" * 32}, direct["url"])
    assert dict(second.annotations) == {"role": "dependency", "installedAs": "direct-url", "digestFrom": "direct-url"}
    internal: Any = run.provenance().internal_parameters["environment"]
    assert internal["markers"]["python_version"] == "3.11"


def test_an_environment_that_changed_leaves_no_provenance(tmp_path: Path) -> None:
    installed(tmp_path, "demo", "1.0")
    run = build()

    def go() -> None:
        with run:
            run.use_environment(Environment(tmp_path, name="env"))
            installed(tmp_path, "evil", "0.1")

    with pytest.raises(InputsChanged) as caught:
        go()
    assert (caught.value.code, caught.value.where) == ("artifact.inputs-changed", "dependency env")
    assert "evil" in str(caught.value.found)
    with pytest.raises(BuildIncomplete):
        run.provenance()


def test_packages_of_another_environment_are_refused(tmp_path: Path) -> None:
    installed(tmp_path / "a", "demo", "1.0")
    installed(tmp_path / "b", "demo", "1.1")
    with build() as run, pytest.raises(UsageError) as caught:
        run.use_environment(Environment(tmp_path / "a"), packages=Environment(tmp_path / "b").packages())
    assert (caught.value.code, caught.value.where) == ("usage", "packages")


def test_a_lock_gives_digests_to_what_was_installed_by_name(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path / "wheels")
    environment = Environment(make_prefix(tmp_path / "env"))
    install(environment.prefix, wheel)
    lock = Lock.parse(lock_of(wheel))
    with build() as run:
        (package,) = run.use_environment(environment, lock=lock)
    (found,) = run.provenance().resolved_dependencies
    assert found.digest.to_dict() == {"sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()}
    assert (found.annotations["digestFrom"], package.filename) == ("lock", wheel.name)
    strangers: Any = lock.packages
    with build() as run, pytest.raises(UsageError) as caught:
        run.use_environment(environment, packages=strangers)
    assert (caught.value.code, caught.value.where, caught.value.found) == ("usage", "packages", "LockedPackage")


class _Scalar:
    """As NumPy has them: a number to whoever asks, and none of JSON's."""

    def __float__(self) -> float:
        return 0.25


def test_what_is_no_number_of_jsons_is_refused_with_what_to_do() -> None:
    with build() as run:
        with pytest.raises(FieldRefused) as caught:
            run.metrics({"loss": [_Scalar()]})
        assert (caught.value.code, caught.value.where) == ("malformed.field", "metrics.loss[0]")
        assert "float(" in caught.value.do
        with pytest.raises(FieldRefused) as caught:
            run.metrics({"loss": float("nan")})
        assert caught.value.do == ""
        run.metrics({"loss": float(_Scalar())})


# --- many nodes, many runs -------------------------------------------------------------------------------------------


def test_the_facts_of_other_nodes_stand_in_the_one_payload(write_tree: Tree) -> None:
    here = write_tree({"here/a.csv": "1\n", "there/a.csv": "1\n", "other/a.csv": "2\n"})
    with build() as run:
        run.use(Dataset(here / "here", name="rows"), role="dataset")
        same, other = (Dataset(here / n, name="rows").measure() for n in ("there", "other"))
        run.add_node("1", Host(kernel="6.8.0").to_dict(), inputs=[same])
        with pytest.raises(InputsChanged) as caught:
            run.add_node("2", {}, inputs=[other])
        assert (caught.value.code, caught.value.where) == ("artifact.inputs-changed", "node 2, rows")
        for name, inputs, where in (("1", [], "node 1"), ("3", [Blob(b"x", name="new").measure()], "node 3")):
            with pytest.raises(UsageError) as refused:
                run.add_node(name, {}, inputs=inputs)
            assert (refused.value.code, refused.value.where) == ("usage", where)
        run.add_node("4", {"kernel": "6.9.0"})
    nodes = predicate(run)["buildDefinition"]["internalParameters"]["nodes"]
    assert nodes == {"1": {"kernel": "6.8.0"}, "4": {"kernel": "6.9.0"}}


def test_a_resumed_run_leads_to_the_run_that_wrote_the_checkpoint(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint-100"
    with build() as first:
        checkpoint.mkdir()
        (checkpoint / "state").write_bytes(b"100")
        first.output(Model(checkpoint))
    with build() as second:
        second.use(Model(checkpoint), role="checkpoint")
    (used,) = second.provenance().resolved_dependencies
    assert used.annotations["role"] == "checkpoint"
    assert used.digest.matches(first.outputs[0].digests)


RUN = {
    "predicate": "https://slsa.dev/provenance/v1",
    "signed_by": {"any_of": ["trainer"]},
    "expect": {"builder": BUILDER, "build_type": BUILD_TYPE},
}


def test_the_chain_leads_through_a_checkpoint_to_the_data(write_tree: Tree) -> None:
    folder = write_tree({"data/a.csv": "1\n", "checkpoint/state": "100", "model/w": "200"})
    signer = KeySigner.generate()
    with build() as first:
        first.use(Dataset(folder / "data"), role="dataset")
        first.output(Model(folder / "checkpoint"))
    with build() as second:
        second.use(Model(folder / "checkpoint"), role="checkpoint")
        second.output(Model(folder / "model"))
    runs = [attest(run.outputs, run.provenance(), signer=signer) for run in (first, second)]
    nodes = {
        "model": {"require": [{**RUN, "inputs": {"checkpoint": {"exactly": 1}}}]},
        "checkpoint": {"require": [{**RUN, "inputs": {"dataset": {"exactly": 1}}}]},
        "dataset": {"trim": {"reason": "a test"}},
    }
    said = {"version": 1, "times": "claimed", "identities": {"trainer": {"key": "trainer"}}, "nodes": nodes}
    policy, trust = Policy.model_validate(said), Trust.of(trainer=signer.public_key)
    report = verify(Model(folder / "model"), runs, policy=policy, trust=trust)
    assert report.graph is not None
    assert {node.kind for node in report.graph.nodes} >= {"model", "checkpoint", "dataset"}
    with pytest.raises(NoMatchingAttestation) as caught:
        verify(Model(folder / "model"), runs[1:], policy=policy, trust=trust)
    assert (caught.value.code, caught.value.where) == ("verification.no-match", "checkpoint checkpoint")


# --- on a platform ---------------------------------------------------------------------------------------------------


def test_a_run_on_a_platform_is_said_as_the_platform_says_it() -> None:
    with Build.from_environment(GITHUB, clock=iter([T0, T0 + timedelta(minutes=1)]).__next__) as run:
        pass
    assert predicate(run) == {
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {
                "workflow": {
                    "ref": "refs/heads/main",
                    "repository": "https://github.com/acme/train",
                    "path": ".github/workflows/train.yml",
                }
            },
            "internalParameters": {
                "github": {
                    "event_name": "push",
                    "repository_id": "4711",
                    "repository_owner_id": "42",
                    "runner_environment": "github-hosted",
                }
            },
            "resolvedDependencies": [
                {
                    "uri": "git+https://github.com/acme/train@refs/heads/main",
                    "digest": {"gitCommit": COMMIT},
                    "annotations": {"role": "code", "declared": True},
                }
            ],
        },
        "runDetails": {
            "builder": {"id": "https://github.com/actions/runner/github-hosted"},
            "metadata": {
                "invocationId": "https://github.com/acme/train/actions/runs/987654321/attempts/2",
                "startedOn": "2026-01-02T03:04:05Z",
                "finishedOn": "2026-01-02T03:05:05Z",
            },
        },
    }


def test_a_build_type_of_ones_own_keeps_what_the_platform_says() -> None:
    run = Build.from_environment(GITLAB, builder=BUILDER, build_type=BUILD_TYPE, parameters={"epochs": 3})
    with run:
        pass
    found = run.provenance()
    assert (found.builder_id, found.build_type) == (BUILDER, BUILD_TYPE)
    assert dict(found.external_parameters) == {"epochs": 3}
    assert found.internal_parameters["platform"] == {
        "name": "gitlab",
        "buildType": "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/2147fb44/PROVENANCE.md",
        "source": "https://gitlab.com/acme/train",
        "entryPoint": "build-job",
    }
    assert found.internal_parameters["job"] == "10340684631"
    assert found.builder_version == {"gitlab-runner": "2147fb44"}


def test_parameters_need_a_build_type_that_defines_them() -> None:
    with pytest.raises(UsageError) as caught:
        Build.from_environment(GITHUB, parameters={"epochs": 3})
    assert (caught.value.code, caught.value.where) == ("usage", "parameters")


def test_a_checkout_that_was_measured_stands_for_what_the_platform_says() -> None:
    commit = checkout().measure().digests.get("gitCommit") or ""
    with Build.from_environment({**GITHUB, "GITHUB_SHA": commit}) as run:
        run.use(Blob(b"x", name="rows"), role="dataset")
        run.use(checkout(), role="code")
    first, second = run.provenance().resolved_dependencies
    assert (first.uri, first.digest) == (
        "git+https://github.com/acme/train@refs/heads/main",
        checkout().measure().digests,
    )
    assert dict(first.annotations) == {"role": "code"}
    assert second.name == "rows"
    with Build.from_environment(GITHUB) as other:
        other.use(checkout(), role="code")
    assert [d.annotations.get("declared") for d in other.provenance().resolved_dependencies] == [True, None]


# --- at the right moment ---------------------------------------------------------------------------------------------

LATE: list[tuple[str, Callable[[Build], object]]] = [
    ("Build.use", lambda b: b.use_image("x@sha256:" + "ab" * 32)),
    ("Build.use_host", lambda b: b.use_host(Host())),
    ("Build.use_environment", lambda b: b.use_environment()),
    ("Build.use_variables", lambda b: b.use_variables("PATH", environ={})),
    ("Build.add_node", lambda b: b.add_node("1", {})),
    ("Build.add_parameters", lambda b: b.add_parameters({})),
    ("Build.add_internal_parameters", lambda b: b.add_internal_parameters({})),
    ("Build.output", lambda b: b.output(Blob(b"x"))),
    ("Build.byproduct", lambda b: b.byproduct(Blob(b"x"))),
    ("Build.metrics", lambda b: b.metrics({})),
]


@pytest.mark.parametrize(("where", "call"), LATE, ids=[where for where, _ in LATE])
def test_everything_is_recorded_while_the_build_runs(where: str, call: Callable[[Build], object]) -> None:
    run = build()
    with pytest.raises(UsageError) as caught:
        call(run)
    assert (caught.value.code, caught.value.where) == ("usage", where)
    with run:
        pass
    with pytest.raises(UsageError) as caught:
        call(run)
    assert (caught.value.code, caught.value.where) == ("usage", where)
