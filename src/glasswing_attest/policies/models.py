"""Is this the model that was meant, made from the data and the code that were meant?"""

from __future__ import annotations

from glasswing_attest.policies.parts import Plain, Times, Who, made, one_of, who
from glasswing_attest.policy.policy import Policy
from glasswing_attest.records import CodeRecord, DataRecord, DependencyRecord, EvaluationRecord, ModelRecord
from glasswing_attest.statement.predicates.oms import OMS_V1
from glasswing_attest.statement.predicates.run import PROVENANCE_V1

__all__ = ["oms_model", "trained_model"]


def trained_model(
    *,
    trainer: Who,
    builder: str,
    data: Who,
    code: Who,
    level: int = 1,
    build_type: str | None = None,
    source: str | None = None,
    ref: str | None = None,
    base_model: Who | None = None,
    dependencies: Who | None = None,
    quality: Who | None = None,
    metric: str | None = None,
    at_least: str | None = None,
    at_most: str | None = None,
    version_at_least: str | None = None,
    max_age: str | None = None,
    times: Times = "verified",
) -> Policy:
    """Ask for a model's record and its training run, and for records of every dataset and of the code that went in.

    Whatever else the run names is refused, unless somebody is named for it: data or weights that nobody attested would
    come in as a tool, as a checkpoint, or in no role at all.

    Args:
        trainer: who signs the training run and the model's record.
        builder: where it is trained: `builder.id`, exactly or as a glob.
        data: who signs the records of datasets. At least one must have gone in.
        code: who signs the records of code. Exactly one checkout must have gone in.
        level: the SLSA build level that you believe the builder to have, and that is asked for.
        build_type: the run's `buildType`.
        source: the repository that the run must be built from.
        ref: its branch or tag, exactly or as a glob.
        base_model: who signs base models, with a record or with OpenSSF Model Signing. One at most may go in.
        dependencies: who signs records of the environment; without it, a run that names one is refused.
        quality: who signs an evaluation of the model.
        metric: the metric that the evaluation must have.
        at_least: the metric's least value, as a decimal.
        at_most: the metric's greatest value, as a decimal.
        version_at_least: the least version that the model's record may have, so that no older one is served.
        max_age: how old the training run may be, such as 90d.
        times: `claimed` where people sign with keys and without a witness.

    Raises:
        PolicyRefused: an argument that makes no policy.

    >>> policy = trained_model(trainer="trainer", builder="https://ci.example/trainer", data="data", code="review")
    >>> sorted(policy.nodes)
    ['code', 'dataset', 'model']
    """
    signers = {
        "trainer": trainer,
        "data": data,
        "code": code,
        "base-model": base_model,
        "dependencies": dependencies,
        "quality": quality,
    }
    inputs: Plain = {"dataset": {"min": 1}, "code": {"exactly": 1}}
    inputs |= {} if base_model is None else {"baseModel": {"max": 1}}
    expect = {"builder": builder, "build_type": build_type, "level": level, "source": source, "ref": ref}
    run = {**_by("trainer", PROVENANCE_V1, expect), "as": "run", "inputs": inputs, "max_age": max_age}
    record = {**_by("trainer", ModelRecord.predicate_type, {"version_at_least": version_at_least}), "as": "record"}
    asked = [run, record]
    bounds = {"metric": metric, "at_least": at_least, "at_most": at_most}
    if quality is not None or any(value is not None for value in bounds.values()):
        asked.append({**_by("quality", EvaluationRecord.predicate_type, bounds), "as": "quality"})
    nodes: Plain = {
        "model": {"require": asked},
        "dataset": {"require": [_by("data", DataRecord.predicate_type)]},
        "code": {"require": [_by("code", CodeRecord.predicate_type)]},
    }
    if base_model is not None:
        kinds = (ModelRecord.predicate_type, OMS_V1)
        nodes["baseModel"] = one_of([{"require": [_by("base-model", kind)]} for kind in kinds])
    if dependencies is not None:
        nodes["dependency"] = {"require": [_by("dependencies", DependencyRecord.predicate_type)]}
    return made(
        "trained_model",
        {
            "name": "a model with its data and its code",
            "times": times,
            "identities": {name: who(signer) for name, signer in signers.items() if signer is not None},
            "builders": [{"id": builder, "signed_by": ["trainer"], "level": level}],
            "nodes": nodes,
        },
    )


def oms_model(*, signed_by: Who, max_age: str | None = None, times: Times = "verified") -> Policy:
    """Ask for a model that is signed with OpenSSF Model Signing: exactly these files, by this signer.

    Args:
        signed_by: who signs the model: a key of the trust, or the holder of a certificate.
        max_age: how old the signature may be, such as 365d; for certificates, which tell it.
        times: `claimed` where models are signed with a key and without a witness.

    Raises:
        PolicyRefused: an argument that makes no policy.

    >>> oms_model(signed_by="release", times="claimed").nodes["model"].require[0].predicate
    'https://model_signing/signature/v1.0'
    """
    return made(
        "oms_model",
        {
            "name": "a model with an OpenSSF signature",
            "times": times,
            "identities": {"signer": who(signed_by)},
            "nodes": {"model": {"require": [{**_by("signer", OMS_V1), "max_age": max_age}]}},
        },
    )


def _by(name: str, predicate: str, expect: Plain | None = None) -> Plain:
    return {"predicate": predicate, "signed_by": {"any_of": [name]}, "expect": expect}
