"""WHAT WENT IN, AND WHEN? A recorder for a build or a training run, which becomes SLSA provenance v1.

Inputs are digested when they are used and again when the run ends: a change, or an exception, yields no provenance.
Outputs and by-products are digested once, when the run ends. Nothing is recorded that nobody named, and what looks like
a secret is refused.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import hashlib
import inspect
import os
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from glasswing_attest._wire import JsonValue, canonical_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.environment import Environment
from glasswing_attest.artifact.hashing import Progress
from glasswing_attest.artifact.installed import Package
from glasswing_attest.artifact.lock import Lock, enriched
from glasswing_attest.artifact.manifest import Artifact, Manifest, measure
from glasswing_attest.capture.ci import MARKS, Platform
from glasswing_attest.capture.host import Host
from glasswing_attest.capture.image import ImageReference
from glasswing_attest.capture.secrets import NO_SECRETS_ALLOWED, refuse_secrets
from glasswing_attest.errors import BuildIncomplete, FieldRefused, InputsChanged, SourceDirty, UsageError
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.provenance import Provenance
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["Build", "Recorded"]

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded(Generic[_Made]):
    """What a recorded function gave, and the record of its run.

    Attributes:
        value: what the function returned.
        build: the finished build: ``attest(recorded.build.outputs, recorded.build.provenance(), signer=signer)``.
    """

    value: _Made
    build: Build


@dataclass(frozen=True, slots=True, kw_only=True)
class _Input:
    artifact: Artifact
    manifest: Manifest
    role: str
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Left:
    """Something that the run leaves behind, to be measured when it ends."""

    artifact: Artifact
    name: str
    media_type: str = ""


def _now() -> datetime:
    return datetime.now(UTC)


class Build:
    """Records a run: who builds, in which way, with which parameters, from which inputs, from when until when.

    ```python
    with Build("https://ci.example/trainer", build_type="https://example.com/train/v1") as build:
        build.use(Dataset("data/"), role="dataset")
        train()
        build.output(Model("model/"))
    attest(build.outputs, build.provenance(), signer=signer)
    ```

    Args:
        builder: the ``builder.id``: one URI for each way of building that is to be trusted separately.
        build_type: the ``buildType``: the URI of a page that says what the parameters mean.
        parameters: ``externalParameters``: all that the caller of the run decides. No secrets, no digests.
        internal_parameters: what the platform decides.
        invocation_id: names the run; a new ``urn:uuid:`` by default.
        builder_version: versions of the builder's own parts.
        clock: gives the time, for tests.
        secrets_allowed_unsafe: the paths of values that look like secrets, such as ``parameters.cache_key``, and that
            you know to be none. They are public once they are signed.

    Raises:
        UsageError: the builder or the build type is no URI.
        FieldRefused: a parameter that JSON cannot say exactly.
        SecretRefused: a parameter that looks like a secret.
    """

    def __init__(
        self,
        builder: str,
        *,
        build_type: str,
        parameters: Mapping[str, object] | None = None,
        internal_parameters: Mapping[str, object] | None = None,
        invocation_id: str | None = None,
        builder_version: Mapping[str, str] | None = None,
        clock: Callable[[], datetime] = _now,
        secrets_allowed_unsafe: Collection[str] = NO_SECRETS_ALLOWED,
    ) -> None:
        self._allowed = frozenset(secrets_allowed_unsafe)
        self._invocation = invocation_id or f"urn:uuid:{uuid.uuid4()}"
        for name, uri in (("builder", builder), ("build_type", build_type)):
            if ":" not in uri:
                raise UsageError(where=name, found=uri, wanted="a URI")
        for name, uri in (("builder", builder), ("build_type", build_type), ("invocation_id", self._invocation)):
            refuse_secrets(uri, name, self._allowed)
        self._builder = builder
        self._build_type = build_type
        self._external = self._frozen(parameters, "parameters")
        self._internal = self._frozen(internal_parameters, "internal_parameters")
        self._builder_version = self._frozen(builder_version, "builder_version")
        self._clock = clock
        self._source: ResourceDescriptor | None = None
        self._inputs: list[_Input] = []
        self._further: list[ResourceDescriptor] = []
        self._environments: list[tuple[Environment, tuple[Package, ...]]] = []
        self._outputs: list[_Left] = []
        self._byproducts: list[_Left] = []
        self._told: list[ResourceDescriptor] = []
        self._made: tuple[Manifest, ...] = ()
        self._left: tuple[ResourceDescriptor, ...] = ()
        self._started: datetime | None = None
        self._finished: datetime | None = None

    @classmethod
    def from_environment(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        builder: str = "",
        build_type: str = "",
        parameters: Mapping[str, object] | None = None,
        internal_parameters: Mapping[str, object] | None = None,
        namespace: str = "",
        clock: Callable[[], datetime] = _now,
        secrets_allowed_unsafe: Collection[str] = NO_SECRETS_ALLOWED,
    ) -> Build:
        """Record a run of the platform that this process finds itself on: see `Platform`.

        Without a `builder` the platform's own ``builder.id`` is claimed. It is true where the platform runs the job;
        that nobody else could have said it, only the signature can show: see docs/capturing.md.

        Args:
            environ: the environment; this process's own by default.
            builder: the ``builder.id``, where the platform's own shall not be claimed, or it has none.
            build_type: your own ``buildType``; what the platform says then stands in ``internalParameters.platform``.
            parameters: what your own build type defines.
            internal_parameters: beside what the platform says.
            namespace: the namespace of a Kubernetes pod, where no variable says it.
            clock, secrets_allowed_unsafe: as for `Build`.

        Raises:
            UsageError: no platform is recognised, or parameters come without a build type that defines them.
        """
        platform = Platform.detect(
            os.environ if environ is None else environ,
            namespace=namespace,
            secrets_allowed_unsafe=secrets_allowed_unsafe,
        )
        if platform is None:
            raise UsageError(
                where="environ",
                because="no platform is recognised",
                wanted=f"one of {', '.join(MARKS)}",
                do="say Build(builder, build_type=…) where none runs this; docs/capturing.md lists what else is read",
            )
        if not (builder or platform.builder_id):
            because = f"{platform.name} does not say which builder this is"
            raise UsageError(where="builder", because=because, do="hand over builder=…, a URI that verifiers know")
        if parameters and not build_type:
            because = f"{platform.build_type} defines its own parameters"
            raise UsageError(where="parameters", because=because, do="hand over build_type=…, which defines yours")
        internal: dict[str, object] = {**platform.internal_parameters, **(internal_parameters or {})}
        if build_type:
            said = {"name": platform.name, "buildType": platform.build_type, **platform.external_parameters}
            internal = {"platform": said, **internal}
        made = cls(
            builder or platform.builder_id,
            build_type=build_type or platform.build_type,
            parameters=parameters if build_type else platform.external_parameters,
            internal_parameters=internal,
            invocation_id=platform.invocation_id or None,
            builder_version={k: str(v) for k, v in platform.builder_version.items()},
            clock=clock,
            secrets_allowed_unsafe=secrets_allowed_unsafe,
        )
        made._source = platform.source
        return made

    @classmethod
    def record(
        cls,
        builder: str,
        *,
        build_type: str,
        arguments: Iterable[str] = (),
        parameters: Mapping[str, object] | None = None,
        internal_parameters: Mapping[str, object] | None = None,
        clock: Callable[[], datetime] = _now,
        secrets_allowed_unsafe: Collection[str] = NO_SECRETS_ALLOWED,
    ) -> Callable[[Callable[Concatenate[Build, _Given], _Made]], Callable[_Given, Recorded[_Made]]]:
        """Make a decorator: each call of the function is a run, and gives what it returned with the run's record.

        The function gets the build as its first argument. Of the others only those named in `arguments` become
        parameters, with their defaults; the rest is nobody's business.

        >>> @Build.record("https://ci.example/trainer", build_type="https://example.com/train/v1", arguments=["epochs"])
        ... def train(build: Build, rows: list[int], *, epochs: int = 3) -> int:
        ...     return len(rows) * epochs
        >>> run = train([1, 2])
        >>> run.value, dict(run.build.provenance().external_parameters)
        (6, {'epochs': 3})

        Raises:
            UsageError: when it decorates, for an argument that the function does not have, and for a coroutine or
                generator, which only begins when it was called.
        """
        names = tuple(arguments)

        def decorate(function: Callable[Concatenate[Build, _Given], _Made]) -> Callable[_Given, Recorded[_Made]]:
            signature = inspect.signature(function)
            if any(runs_later(function) for runs_later in _RUN_LATER):
                because = f"{function.__qualname__} runs after its call has returned"
                raise UsageError(where="function", because=because, do="say `with Build(…) as build:` within it")
            for name in names:
                if name not in list(signature.parameters)[1:]:
                    raise UsageError(where="arguments", found=name, wanted=f"an argument of {function.__qualname__}")

            @functools.wraps(function)
            def run(*args: _Given.args, **kwargs: _Given.kwargs) -> Recorded[_Made]:
                build = cls(
                    builder,
                    build_type=build_type,
                    parameters=parameters,
                    internal_parameters=internal_parameters,
                    clock=clock,
                    secrets_allowed_unsafe=secrets_allowed_unsafe,
                )
                bound = signature.bind(build, *args, **kwargs)
                bound.apply_defaults()
                with build:
                    build.add_parameters({name: bound.arguments[name] for name in names})
                    value = function(build, *args, **kwargs)
                return Recorded(value=value, build=build)

            # What is seen from outside has no build to hand over.
            run.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined]
            return run

        return decorate

    def __enter__(self) -> Build:
        if self._started is not None:
            raise UsageError(where="Build", because="a build runs once")
        self._started = _second(self._clock())
        return self

    # --- what went in -------------------------------------------------------------------------------------------------

    def use(
        self, artifact: Artifact, *, role: str, name: str = "", uri: str = "", progress: Progress | None = None
    ) -> Manifest:
        """Record an input, and give its manifest. It is digested now, and once more when the run ends.

        A declared manifest has no bytes here that could be digested. It is recorded for what others run or fetch by its
        digest (the roles ``baseModel``, ``dependency``, ``image`` and ``tool``), with the annotation ``declared``
        beside its role. Data, code and checkpoints are what the run itself reads: hand over the artifact.

        Raises:
            UsageError: outside of the run, no artifact, a role that SLSA consumers of ours do not know, or a declared
                manifest in a role that needs the bytes.
            SecretRefused: a name or URI that looks like a secret.
            SourceDirty: a checkout with changes that are not in its commit, which the commit would not name.
            ArtifactError: the input cannot be digested.
        """
        self._require_running("Build.use")
        if role not in ROLES:
            raise UsageError(where="role", found=role, wanted=f"one of {', '.join(ROLES)}")
        refuse_secrets({"name": name, "uri": uri}, role, self._allowed)
        manifest = _clean(measure(artifact, progress=progress))
        refuse_secrets(manifest.name, f"{role} (a name)", self._allowed)
        if manifest.is_declared and role not in _DECLARABLE:
            raise UsageError(
                where=f"{role} {manifest.name}".strip(),
                found="a declared manifest",
                wanted="the artifact itself",
                because="nobody here read its bytes, and the run does",
            )
        if name:
            manifest = dataclasses.replace(manifest, name=name)
        self._inputs.append(_Input(artifact=artifact, manifest=manifest, role=role, uri=uri))
        return manifest

    def use_image(self, reference: str) -> Manifest:
        """Record the container image in which this runs, by its reference ``name@sha256:…``. Declared, not read.

        Raises:
            UsageError: outside of the run, or a reference without a digest: a tag names no bytes.
        """
        image = ImageReference.parse(reference)
        return self.use(image.manifest, role="image", uri=image.purl)

    def use_host(self, host: Host | None = None, *, as_tools: bool = False) -> Host:
        """Record the stack below the program in ``internalParameters.host``, and give it.

        Args:
            host: what was read; this machine's own by default.
            as_tools: name kernel, drivers, CUDA and firmware as dependencies of the role ``tool`` too, by URI and
                version. They have no digest, so a policy must trim that kind to accept the run.

        Raises:
            UsageError: outside of the run, or it differs from what was recorded before.
        """
        self._require_running("Build.use_host")
        host = Host.read() if host is None else host
        self.add_internal_parameters({"host": host.to_dict()})
        if as_tools:
            annotations = _annotations("tool", declared=True)
            parts = [ResourceDescriptor(name=p.name, uri=p.purl, annotations=annotations) for p in host.parts()]
            self._further += [part for part in parts if part not in self._further]
        return host

    def use_environment(
        self,
        environment: Environment | None = None,
        *,
        packages: Iterable[Package] = (),
        lock: Lock | None = None,
    ) -> tuple[Package, ...]:
        """Record each installed package as a dependency: package URL, exact version, digest where known, origin.

        What installers wrote down is read now, and again when the run ends; the packages' own files are not. To have
        those digested, and attested by a record, say ``build.use(Environment(), role="dependency")`` beside it.
        Interpreter and platform stand in ``internalParameters.environment``.

        Args:
            environment: the one that runs this, unless another is named.
            packages: the same packages with digests that were found elsewhere.
            lock: a lock file, which knows the digests of what was installed by name: ``Lock.load("pylock.toml")``. A
                package that it does not name in this version, or not clearly, stays without.

        Raises:
            UsageError: outside of the run, or `packages` are not those of the environment.
            ArtifactError, MalformedError: the environment cannot be read.
        """
        self._require_running("Build.use_environment")
        environment = Environment() if environment is None else environment
        installed = environment.packages()
        known = tuple(packages) or installed
        given: tuple[object, ...] = known  # a lock's packages are mistaken for them easily
        strangers = [type(package).__name__ for package in given if not isinstance(package, Package)]
        if strangers:
            wanted = "packages as `Environment.packages` gives them"
            do = "hand over a lock file as lock=Lock.load(path)"
            raise UsageError(where="packages", found=strangers[0], wanted=wanted, do=do)
        if _versions(known) != _versions(installed):
            found = ", ".join(sorted(set(_versions(known)) ^ set(_versions(installed)))[:3])
            raise UsageError(where="packages", found=found, wanted="the packages of the environment")
        markers = environment.markers
        if lock is not None:
            known = enriched(known, lock, markers)
        self.add_internal_parameters({"environment": {"markers": dict(markers)}})
        resources = [_package(package) for package in known]
        refuse_secrets([[r.uri, r.download_location] for r in resources], "dependency", self._allowed)
        self._further += resources
        self._environments.append((environment, installed))
        return known

    def use_variables(self, *names: str, environ: Mapping[str, str] | None = None) -> None:
        """Record environment variables in ``internalParameters.variables``: those that are named here, if they are set.

        Raises:
            SecretRefused: the value of one looks like a secret. `secrets_allowed_unsafe` calls it
                ``internal_parameters.variables.NAME``.
            UsageError: outside of the run.
        """
        self._require_running("Build.use_variables")
        values = os.environ if environ is None else environ
        self._gather("variables", {name: values[name] for name in names if name in values})

    def add_node(self, name: str, facts: Mapping[str, object], *, inputs: Iterable[Manifest] = ()) -> None:
        """Record what another node of the run says of itself, in ``internalParameters.nodes``.

        A run is one signed payload. So one node records it, and the others send it their facts, such as
        ``Host.read().to_dict()``, and the manifests of the inputs that they read.

        Raises:
            InputsChanged: a node read something else under the name of an input.
            UsageError: outside of the run, a node that was added already, or an input that is unknown here.
        """
        self._require_running("Build.add_node")
        if name in self._internal.get("nodes", {}):
            raise UsageError(where=f"node {name}", because="it was added already")
        for there in inputs:
            here = [used.manifest for used in self._inputs if used.manifest.name == there.name]
            if not here:
                raise UsageError(where=f"node {name}", found=there.name, wanted="the name of an input that was used")
            if not any(there.digests == manifest.digests for manifest in here):
                found, wanted = there.digests.label, here[0].digests.label
                raise InputsChanged(where=f"node {name}, {there.name}", found=found, wanted=wanted)
        self._gather("nodes", {name: dict(facts)})

    def add_parameters(self, values: Mapping[str, object]) -> None:
        """Add ``externalParameters`` that become known while it runs. Each is said once.

        Raises:
            UsageError: outside of the run, or a name that was given another value before.
            FieldRefused, SecretRefused: as for `Build`.
        """
        self._require_running("Build.add_parameters")
        self._external = self._joined(self._external, values, "parameters")

    def add_internal_parameters(self, values: Mapping[str, object]) -> None:
        """Add ``internalParameters`` that become known while it runs, as `add_parameters` does."""
        self._require_running("Build.add_internal_parameters")
        self._internal = self._joined(self._internal, values, "internal_parameters")

    def _joined(self, before: Mapping[str, Any], values: Mapping[str, object], where: str) -> Mapping[str, Any]:
        more = self._frozen(values, where)
        for name, value in more.items():
            if name in before and before[name] != value:
                raise UsageError(where=f"{where}.{name}", because="it was given another value before")
        return MappingProxyType({**before, **more})

    def _gather(self, name: str, values: Mapping[str, object]) -> None:
        """Add to an internal parameter that is an object itself."""
        where = f"internal_parameters.{name}"
        before = self._internal.get(name, {})
        if not isinstance(before, Mapping):
            raise UsageError(where=where, because="it was given another value before")
        joined = self._joined(before, values, where)
        self._internal = MappingProxyType({**self._internal, name: dict(joined)})

    # --- what came out ------------------------------------------------------------------------------------------------

    def output(self, artifact: Artifact, *, name: str = "") -> None:
        """Name something that the run makes. It is digested once, when the run ends: see `outputs`.

        So is what a `Manifest` was measured from; only of bytes in memory there is nothing to read again.

        Raises:
            UsageError: outside of the run, no artifact, or a declared manifest.
        """
        self._require_running("Build.output")
        self._outputs.append(self._leaves(artifact, name, "output"))

    def byproduct(self, artifact: Artifact, *, name: str = "", media_type: str = "") -> None:
        """Name something else that the run leaves, such as a log. Its digest is recorded, and not its content.

        Raises:
            UsageError: as for `output`.
        """
        self._require_running("Build.byproduct")
        self._byproducts.append(self._leaves(artifact, name, "byproduct", media_type))

    def metrics(self, values: Mapping[str, object], *, name: str = "metrics") -> None:
        """Record figures of the run as a by-product: their JSON stands in the provenance itself.

        Raises:
            UsageError: outside of the run.
            FieldRefused, SecretRefused: as for `Build`.
        """
        self._require_running("Build.metrics")
        refuse_secrets(name, "metrics (a name)", self._allowed)
        content = canonical_json(dict(self._frozen(values, name)), where=name)
        digest = DigestSet.of(sha256=hashlib.sha256(content).hexdigest())
        self._told.append(ResourceDescriptor(name=name, content=content, digest=digest, media_type="application/json"))

    def _leaves(self, artifact: Artifact, name: str, where: str, media_type: str = "") -> _Left:
        if isinstance(artifact, Manifest) and artifact.is_declared:
            raise UsageError(where=where, found="a declared manifest", wanted="the artifact itself")
        if isinstance(artifact, type) or not callable(getattr(artifact, "measure", None)):
            found = type(artifact).__name__
            raise UsageError(where=where, found=found, wanted="an artifact, such as Model(path), or a Manifest")
        for called in (name, getattr(artifact, "name", "")):
            refuse_secrets(called, f"{where} (a name)", self._allowed)
        return _Left(artifact=artifact, name=name, media_type=media_type)

    def _require_running(self, where: str) -> None:
        if self._started is None or self._finished is not None:
            raise UsageError(where=where, because="it is recorded while the build runs")

    # --- the end ------------------------------------------------------------------------------------------------------

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            return  # the caller's exception goes on, and `provenance` will refuse
        for used in self._inputs:
            again = _again(used.artifact, used.manifest)
            if again.digests != used.manifest.digests:
                found, wanted = again.digests.label, used.manifest.digests.label
                raise InputsChanged(where=f"{used.role} {used.manifest.name}", found=found, wanted=wanted)
            if again.facts.get("dirty") == "true":
                # The commit is still the same: what was changed since is not in it.
                raise InputsChanged(
                    where=f"{used.role} {used.manifest.name}",
                    found=f"changes that are not committed: {_dirty_paths(again)}",
                    wanted="the checkout as it was when it was used",
                    do="let the run write outside of the checkout, or have .gitignore name what it writes",
                )
        for environment, before in self._environments:
            changed = set(_versions(before)) ^ set(_versions(environment.packages()))
            if changed:
                raise InputsChanged(where=f"dependency {environment.name}", found=", ".join(sorted(changed)[:3]))
        self._made = tuple(_measured(left, "output") for left in self._outputs)
        self._left = tuple(_byproduct(left) for left in self._byproducts)
        self._finished = _second(self._clock())

    @property
    def outputs(self) -> tuple[Manifest, ...]:
        """What the run made, measured when it ended. Raises `BuildIncomplete` when it has not ended well."""
        self._require_finished()
        return self._made

    def provenance(self) -> Provenance:
        """Give the provenance of the finished run. Raises `BuildIncomplete` when it has not ended well."""
        self._require_finished()
        return Provenance(
            build_type=self._build_type,
            builder_id=self._builder,
            external_parameters=copy.deepcopy(dict(self._external)),
            internal_parameters=copy.deepcopy(dict(self._internal)),
            resolved_dependencies=self._dependencies(),
            builder_version=self._builder_version,
            invocation_id=self._invocation,
            started_on=self._started,
            finished_on=self._finished,
            byproducts=(*self._left, *self._told),
        )

    def _require_finished(self) -> None:
        if self._finished is None:
            raise BuildIncomplete(where=self._invocation, because="it is still running, failed, or its inputs changed")

    def _dependencies(self) -> tuple[ResourceDescriptor, ...]:
        found = [_dependency(used) for used in self._inputs]
        if self._source is not None:
            # The source stands first, where readers of the platforms' own build types look for it. What was measured
            # stands for what the platform only says, where both name one commit.
            commit = self._source.digest.get("gitCommit")
            same = [d for d in found if d.digest.get("gitCommit") == commit and d.annotations["role"] == "code"]
            if same:
                found.remove(same[0])
                found.insert(0, dataclasses.replace(same[0], uri=self._source.uri))
            else:
                found.insert(0, dataclasses.replace(self._source, annotations=_annotations("code", declared=True)))
        return (*found, *self._further)

    def _frozen(self, values: Mapping[str, object] | None, where: str) -> Mapping[str, Any]:
        """Keep values as they are now. Raises `FieldRefused` for what JSON cannot say exactly, and `SecretRefused`."""
        given = dict(values or {})
        try:
            refuse_secrets(given, where, self._allowed)  # first of all, for other errors tell what they found
            canonical_json(given, where=where)
            return MappingProxyType(copy.deepcopy(given))
        except RecursionError as e:
            raise FieldRefused(where=where, because="it is nested too deeply") from e
        except FieldRefused as e:
            if e.do or not isinstance(e.found, str):
                raise
            # What was found is a type that is none of JSON's, such as a NumPy scalar's.
            do = "say float(…) of a number, and str(…) of anything else"
            raise FieldRefused(where=e.where, found=e.found, wanted=e.wanted, do=do) from e


_RUN_LATER = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
"""What tells functions whose call only makes something that runs later, when no build records it any more."""


def _second(time: datetime) -> datetime:
    """Times in provenance are whole seconds, as most readers expect them."""
    return time.replace(microsecond=0)


def _clean(manifest: Manifest) -> Manifest:
    if manifest.facts.get("dirty") == "true":
        raise SourceDirty(where=manifest.name, because=_dirty_paths(manifest))
    return manifest


def _dirty_paths(manifest: Manifest) -> str:
    return ", ".join(manifest.facts.get("dirtyPaths", "").split("\n"))


_DECLARABLE = ("baseModel", "dependency", "image", "tool")
"""The roles of what may be known by its digest alone."""


def _again(artifact: Artifact, manifest: Manifest) -> Manifest:
    """Digest an input once more. A manifest that was handed in is digested again as it was measured."""
    again = manifest.measured_by if isinstance(artifact, Manifest) else artifact
    # Of bytes in memory, and of digests that were declared, there is nothing to read again.
    return manifest if again is None else again.measure()


def _measured(left: _Left, where: str) -> Manifest:
    given, name = left.artifact, left.name
    if isinstance(given, Manifest):
        # It may have been measured before the run began.
        manifest, name = _again(given, given), name or given.name
    else:
        manifest = measure(given, where=where)
    manifest = _clean(manifest)
    return dataclasses.replace(manifest, name=name) if name else manifest


def _byproduct(left: _Left) -> ResourceDescriptor:
    manifest = _measured(left, "byproduct")
    return ResourceDescriptor(name=manifest.name, digest=manifest.digests, media_type=left.media_type)


def _dependency(used: _Input) -> ResourceDescriptor:
    manifest = used.manifest
    repository = manifest.facts.get("repository", "")
    commit = manifest.digests.get("gitCommit")
    git = f"git+{repository.removeprefix('git+')}@{commit}" if "://" in repository and commit else ""
    return ResourceDescriptor(
        name=manifest.name,
        uri=used.uri or git,
        digest=manifest.digests,
        annotations=_annotations(used.role, declared=manifest.is_declared),
    )


def _versions(packages: Iterable[Package]) -> list[str]:
    """What an installed package is told by: another version, origin or RECORD is another package."""
    return sorted(f"{p.purl} {p.record_sha256[:12]}".strip() for p in packages)


def _package(package: Package) -> ResourceDescriptor:
    digests = package.digests
    if not digests and package.dir_hash:
        digests = DigestSet.of(dirHash=package.dir_hash)
    said = {"installedAs": package.installed_as, "digestFrom": package.digest_from}
    return ResourceDescriptor(
        name=package.label,
        uri=package.purl,
        digest=digests,
        download_location=package.url,
        annotations=MappingProxyType({"role": "dependency", **{k: v for k, v in said.items() if v}}),
    )


def _annotations(role: str, *, declared: bool) -> Mapping[str, JsonValue]:
    return MappingProxyType({"role": role, **({"declared": True} if declared else {})})
