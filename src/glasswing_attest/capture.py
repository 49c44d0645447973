"""WHAT WENT IN, AND WHEN? A recorder for a build or a training run, which becomes SLSA provenance v1.

Inputs are digested when they are used and again when the run ends: a change, or an exception, yields no provenance.
"""

from __future__ import annotations

import copy
import dataclasses
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import Any

from glasswing_attest._wire import canonical_json
from glasswing_attest.artifact.hashing import Progress
from glasswing_attest.artifact.manifest import Artifact, Manifest, measure
from glasswing_attest.errors import BuildIncomplete, InputsChanged, SourceRefused, UsageError
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.provenance import Provenance
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["Build"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Input:
    artifact: Artifact
    manifest: Manifest
    role: str
    uri: str


class Build:
    """Records a run: who builds, in which way, with which parameters, from which inputs, from when until when.

    ```python
    with Build("https://ci.example/trainer", build_type="https://example.com/train/v1") as build:
        build.use(Dataset("data/"), role="dataset")
        train()
    attest(Model("model/"), build.provenance(), signer=signer)
    ```

    Args:
        builder: the ``builder.id``: one URI for each way of building that is to be trusted separately.
        build_type: the ``buildType``: the URI of a page that says what the parameters mean.
        parameters: ``externalParameters``: all that the caller of the run decides. No secrets, no digests.
        internal_parameters: what the platform decides.
        invocation_id: names the run; a new ``urn:uuid:`` by default.
        clock: gives the time, for tests.
    """

    def __init__(
        self,
        builder: str,
        *,
        build_type: str,
        parameters: Mapping[str, object] | None = None,
        internal_parameters: Mapping[str, object] | None = None,
        invocation_id: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        for name, uri in (("builder", builder), ("build_type", build_type)):
            if ":" not in uri:
                raise UsageError(where=name, found=uri, wanted="a URI")
        self._builder = builder
        self._build_type = build_type
        self._external = _frozen(parameters, "parameters")
        self._internal = _frozen(internal_parameters, "internal_parameters")
        self._invocation = invocation_id or f"urn:uuid:{uuid.uuid4()}"
        self._clock = clock
        self._inputs: list[_Input] = []
        self._started: datetime | None = None
        self._finished: datetime | None = None

    def __enter__(self) -> Build:
        if self._started is not None:
            raise UsageError(where="Build", because="a build runs once")
        self._started = _second(self._clock())
        return self

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
            SourceRefused: a checkout with changes that are not in its commit, which the commit would not name.
            ArtifactError: the input cannot be digested.
        """
        if self._started is None or self._finished is not None:
            raise UsageError(where="Build.use", because="inputs are recorded while the build runs")
        if role not in ROLES:
            raise UsageError(where="role", found=role, wanted=f"one of {', '.join(ROLES)}")
        manifest = _clean(measure(artifact, progress=progress))
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
                    found=f"uncommitted changes: {again.facts.get('dirtyPaths', '')}",
                    wanted="the checkout as it was when it was used",
                    do="let the run write outside of the checkout, or have .gitignore name what it writes",
                )
        self._finished = _second(self._clock())

    def provenance(self) -> Provenance:
        """Give the provenance of the finished run. Raises `BuildIncomplete` when it has not ended well."""
        if self._finished is None:
            raise BuildIncomplete(where=self._invocation, because="it is still running, failed, or its inputs changed")
        return Provenance(
            build_type=self._build_type,
            builder_id=self._builder,
            external_parameters=self._external,
            internal_parameters=self._internal,
            resolved_dependencies=tuple(_dependency(used) for used in self._inputs),
            invocation_id=self._invocation,
            started_on=self._started,
            finished_on=self._finished,
        )


def _frozen(values: Mapping[str, object] | None, where: str) -> Mapping[str, Any]:
    """Keep the parameters as they are now. Raises `FieldRefused` for what JSON cannot say exactly."""
    kept = copy.deepcopy(dict(values or {}))
    canonical_json(kept, where=where)
    return MappingProxyType(kept)


def _second(time: datetime) -> datetime:
    """Times in provenance are whole seconds, as most readers expect them."""
    return time.replace(microsecond=0)


def _clean(manifest: Manifest) -> Manifest:
    if manifest.facts.get("dirty") == "true":
        paths = manifest.facts.get("dirtyPaths", "")
        raise SourceRefused(
            where=manifest.name,
            found=f"uncommitted changes: {paths}",
            wanted="a clean checkout, since the commit is what is attested",
            do="commit the changes, or have .gitignore name what is no source",
        )
    return manifest


_DECLARABLE = ("baseModel", "dependency", "image", "tool")
"""The roles of what may be known by its digest alone."""


def _again(artifact: Artifact, manifest: Manifest) -> Manifest:
    """Digest an input once more. A manifest that was handed in is digested again as it was measured."""
    again = manifest.measured_by if isinstance(artifact, Manifest) else artifact
    # Of bytes in memory, and of digests that were declared, there is nothing to read again.
    return manifest if again is None else again.measure()


def _dependency(used: _Input) -> ResourceDescriptor:
    manifest = used.manifest
    repository = manifest.facts.get("repository", "")
    commit = manifest.digests.get("gitCommit")
    git = f"git+{repository.removeprefix('git+')}@{commit}" if "://" in repository and commit else ""
    return ResourceDescriptor(
        name=manifest.name,
        uri=used.uri or git,
        digest=manifest.digests,
        annotations=MappingProxyType({"role": used.role, **({"declared": True} if manifest.is_declared else {})}),
    )
