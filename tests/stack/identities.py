"""Who can ask for a certificate here, what does an identity provider say of each, and how does Fulcio know him?

Each has an issuer of its own: a path on one server (`issuer`). The claims are those that the real provider puts into
its tokens, of made-up people and projects; which of them end up in the certificate, and how, is upstream's own
configuration (fulcio/config/identity/config.yaml).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["IDENTITIES", "Identity"]

COMMIT = "c0ffee" + "0" * 34


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """One kind of identity: Fulcio's issuer options, the claims of its tokens, and the name that comes out."""

    fulcio: Mapping[str, str]
    claims: Mapping[str, Any]
    san: str


IDENTITIES: Mapping[str, Identity] = {
    "email": Identity(
        fulcio={"type": "email"},
        claims={"sub": "CgVhbGljZRIFbG9jYWw", "email": "alice@acme.example", "email_verified": True},
        san="alice@acme.example",
    ),
    "github": Identity(
        fulcio={"type": "ci-provider", "ci-provider": "github-workflow"},
        claims={
            "sub": "repo:acme/train:ref:refs/heads/main",
            "event_name": "push",
            "sha": COMMIT,
            "workflow": "release",
            "repository": "acme/train",
            "repository_id": "1001",
            "repository_owner": "acme",
            "repository_owner_id": "2002",
            "repository_visibility": "public",
            "ref": "refs/heads/main",
            "ref_type": "branch",
            "job_workflow_ref": "acme/train/.github/workflows/release.yml@refs/heads/main",
            "job_workflow_sha": COMMIT,
            "workflow_ref": "acme/train/.github/workflows/release.yml@refs/heads/main",
            "workflow_sha": COMMIT,
            "runner_environment": "github-hosted",
            "run_id": "3003",
            "run_number": "7",
            "run_attempt": "1",
            "actor": "alice",
        },
        san="https://github.com/acme/train/.github/workflows/release.yml@refs/heads/main",
    ),
    "gitlab": Identity(
        fulcio={"type": "ci-provider", "ci-provider": "gitlab-pipeline"},
        claims={
            "sub": "project_path:acme/train:ref_type:branch:ref:main",
            "namespace_id": "2002",
            "namespace_path": "acme",
            "project_id": "1001",
            "project_path": "acme/train",
            "project_visibility": "public",
            "user_login": "alice",
            "pipeline_id": "4004",
            "pipeline_source": "push",
            "job_id": "5005",
            "ref": "main",
            "ref_type": "branch",
            "sha": COMMIT,
            "ci_config_ref_uri": "gitlab.com/acme/train//.gitlab-ci.yml@refs/heads/main",
            "ci_config_sha": COMMIT,
            "runner_environment": "gitlab-hosted",
        },
        san="https://gitlab.com/acme/train//.gitlab-ci.yml@refs/heads/main",
    ),
    "buildkite": Identity(
        fulcio={"type": "ci-provider", "ci-provider": "buildkite-job"},
        claims={
            "sub": f"organization:acme:pipeline:train:ref:refs/heads/main:commit:{COMMIT}:step:train",
            "organization_slug": "acme",
            "pipeline_slug": "train",
            "build_number": 12,
            "build_branch": "main",
            "build_commit": COMMIT,
            "build_source": "webhook",
            "step_key": "train",
            "job_id": "0184990a-477b-4fa8-9968-496074483cee",
            "agent_id": "0184990a-4782-42b5-afc1-16715b10b8ff",
            "runner_environment": "self-hosted",
        },
        san="https://buildkite.com/acme/train",
    ),
    "circleci": Identity(
        fulcio={"type": "ci-provider", "ci-provider": "circleci-job"},
        claims={
            "sub": "org/6ee1/project/7ff2/user/8aa3",
            "oidc.circleci.com/project-id": "7ff2",
            "oidc.circleci.com/pipeline-id": "9bb4",
            "oidc.circleci.com/pipeline-definition-id": "acc5",
            "oidc.circleci.com/workflow-id": "bdd6",
            "oidc.circleci.com/job-id": "cee7",
            "oidc.circleci.com/ssh-rerun": False,
            "oidc.circleci.com/vcs-ref": "refs/heads/main",
            "oidc.circleci.com/vcs-origin": "github.com/acme/train",
        },
        san="https://circleci.com/api/v2/projects/7ff2/pipeline-definitions/acc5",
    ),
    "kubernetes": Identity(
        fulcio={"type": "kubernetes"},
        claims={
            "sub": "system:serviceaccount:training:trainer",
            "kubernetes.io": {
                "namespace": "training",
                "pod": {"name": "trainer-0", "uid": "49ad3572-b3dd-43a6-8d77-5858d3660275"},
                "serviceaccount": {"name": "trainer", "uid": "f5720c1d-e152-4356-a897-11b07aff165d"},
            },
        },
        san="https://kubernetes.io/namespaces/training/serviceaccounts/trainer",
    ),
    "spiffe": Identity(
        fulcio={"type": "spiffe", "spiffe-trust-domain": "acme.example"},
        claims={"sub": "spiffe://acme.example/training/trainer"},
        san="spiffe://acme.example/training/trainer",
    ),
    # A subject of these two lies in the domain of its issuer, which here is the loopback's address.
    "uri": Identity(
        fulcio={"type": "uri", "subject-domain": "http://127.0.0.1"},
        claims={"sub": "http://127.0.0.1/users/alice"},
        san="http://127.0.0.1/users/alice",
    ),
    "username": Identity(
        fulcio={"type": "username", "subject-domain": "127.0.0.1"},
        claims={"sub": "alice"},
        san="alice!127.0.0.1",
    ),
}
