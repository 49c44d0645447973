"""WHAT DOES AN MLFLOW RUN SAY? Its parameters and figures to a `Build`, and the attestation back to the run.

MLflow keeps parameters as text, and so they are recorded. Tags are anybody's words: none is recorded.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from glasswing_attest.attestation import Attestation
from glasswing_attest.capture.build import Build
from glasswing_attest.capture.integrations.plain import plain
from glasswing_attest.errors import UsageError

__all__ = ["ARTIFACT", "TAG", "add_run", "log_attestation"]

TAG = "glasswing.statement_sha256"
"""The run's tag that names the statement about what it made."""
ARTIFACT = "attestations/{name}.sigstore.json"
"""Where among the run's artifacts the attestation lies."""


def add_run(build: Build, run_id: str = "") -> None:
    """Record an MLflow run while the build runs: its parameters, its last figures, its name.

    Args:
        build: what is told.
        run_id: which run; the active one by default.

    Raises:
        ImportError: mlflow is not installed.
        UsageError: the build does not run, or its hyperparameters were recorded before.
        SecretRefused: a parameter looks like a secret.
    """
    run = _run(run_id)
    build.add_parameters({"hyperparameters": {k: plain(v) for k, v in sorted(run.data.params.items())}})
    build.metrics({k: plain(v) for k, v in sorted(run.data.metrics.items())})
    named = {"runId": run.info.run_id, "experimentId": run.info.experiment_id}
    build.add_internal_parameters({"mlflow": {"version": import_module("mlflow").__version__, **named}})


def log_attestation(attestation: Attestation, *, name: str, run_id: str = "") -> str:
    """Keep an attestation among the run's artifacts, tag the run with its statement's digest, give its place there.

    Nothing is proved by it: whoever reads it from there verifies it as evidence from anywhere else.
    """
    mlflow: Any = import_module("mlflow")
    run = _run(run_id)
    path = ARTIFACT.format(name=name)
    client = mlflow.MlflowClient()
    client.log_text(run.info.run_id, attestation.bytes.decode("utf-8"), path)
    client.set_tag(run.info.run_id, TAG, attestation.payload_digest)
    return path


def _run(run_id: str) -> Any:
    mlflow: Any = import_module("mlflow")
    active = mlflow.active_run()
    if not run_id and active is None:
        raise UsageError(where="run_id", because="no MLflow run is active", do="start one, or name it")
    # What was logged since the run began is not in the object that began it.
    return mlflow.MlflowClient().get_run(run_id or active.info.run_id)
