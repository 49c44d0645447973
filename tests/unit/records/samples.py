"""One record of each kind in which every field says something. `test_drift` holds that none is forgotten."""

from datetime import UTC, datetime

from glasswing_attest.records import (
    BaseModel,
    CodeRecord,
    DataRecord,
    DataSource,
    DependencyRecord,
    Evaluation,
    EvaluationRecord,
    ExtendedDataset,
    Harness,
    Metric,
    ModelRecord,
    PackageArtifact,
    Period,
    PinnedPackage,
    Record,
    ResourceReference,
    Review,
    RowDigest,
    SchemaField,
    Split,
    Transformation,
    TreeSummary,
)

A, B = "a" * 64, "b" * 64
COMMIT = "0123456789abcdef0123456789abcdef01234567"

REFERENCE = ResourceReference(name="train.py", uri="git+https://github.com/acme/train", digest={"gitCommit": COMMIT})
ROWS = RowDigest(encoding="rows/v1", count=2**64 - 1, ordered=A, unordered=B)
TREE = TreeSummary(
    dir_hash=A,
    files=3,
    total_bytes=2**64 - 1,
    merkle_root=B,
    excluded=[".git", "tmp/é"],
    manifest_tree_size=2,
    manifest_tree_root=A,
)

CODE = CodeRecord(
    name="acme/train",
    version="2.4.0",
    license="Apache-2.0",
    repository="git+https://github.com/acme/train",
    commit=COMMIT,
    tree="c" * 40,
    ref="refs/heads/main",
    dirty=False,
    reviews=[
        Review(reviewer="mailto:alice@example.com", outcome="approved", time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        Review(reviewer="https://ci.example/scan", outcome="changes-requested"),
    ],
    lock_files=[ResourceReference(name="pylock.toml", digest={"sha256": A})],
    dependencies=[ResourceReference(name="numpy", uri="pkg:pypi/numpy@2.3.0", digest={"sha256": B})],
    source_tree=TREE,
)

DATA = DataRecord(
    name="iris",
    version="2026.1",
    license="CC0-1.0",
    tree=TREE,
    sources=[
        DataSource(
            name="uci", uri="https://archive.example/iris", digest={"sha256": A, "sha512": "0" * 128}, license="X"
        )
    ],
    transformations=[
        Transformation(
            name="deduplicate", description="Drop equal rows.", code=REFERENCE, parameters={"by": "row", "": "empty"}
        )
    ],
    splits=[
        Split(name="train", files=0, records=120, paths=["train/", "extra.csv"], rows=ROWS),
        Split(name="test"),
    ],
    rows=ROWS,
    schema_fields=[SchemaField(name="petal", dtype="float32", description="Its length.", unit="mm")],
    collection_period=Period(
        start=datetime(1936, 1, 1, tzinfo=UTC), end=datetime(1936, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
    ),
    consent="not-required",
    consent_basis="plants",
    sensitivity="public",
    extends=ExtendedDataset(
        name="iris",
        version="2025.1",
        uri="https://data.example/iris",
        digest={"dirHash": B},
        files=2,
        merkle_root=A,
    ),
)

MODEL = ModelRecord(
    name="acme/classifier",
    version="1",
    license="MIT",
    tree=TREE,
    formats=["safetensors", "onnx"],
    architecture="LlamaForCausalLM",
    parameter_count=9_007_199_254_740_993,
    dtype="bfloat16",
    tokenizer=ResourceReference(name="tokenizer.json", digest={"sha256": A}),
    base_models=[
        BaseModel(
            name="meta-llama/Llama-3.1-8B", uri="hf://meta-llama/Llama-3.1-8B", digest={"dirHash": B}, relation="merge"
        ),
        BaseModel(name="lora", relation="adapter"),
    ],
    datasets=[ResourceReference(name="iris", digest={"dirHash": A})],
    code=[REFERENCE],
    evaluations=[Evaluation(metric="accuracy", value="0.930", dataset=REFERENCE, split="test", harness=REFERENCE)],
    model_card=ResourceReference(uri="https://models.example/card"),
)

DEPENDENCIES = DependencyRecord(
    name="trainer",
    packages=[
        PinnedPackage(
            name="torch",
            version="2.5.1+cu121",
            purl="pkg:pypi/torch@2.5.1%2Bcu121",
            installed_as="index",
            artifacts=[
                PackageArtifact(
                    name="torch-2.5.1+cu121-cp311-cp311-linux_x86_64.whl",
                    url="https://wheels.example/torch.whl",
                    digest={"sha256": A},
                    size=2**40,
                )
            ],
            digest_origin="direct-url",
            marker="sys_platform == 'linux'",
            requires_python=">=3.11",
            tags=["cp311-cp311-linux_x86_64"],
            installer="pip",
            record_sha256=A,
            dir_hash=B,
        ),
        PinnedPackage(
            name="demo",
            installed_as="vcs",
            url="https://git.example/demo",
            vcs="git",
            commit=COMMIT,
            subdirectory="python",
        ),
    ],
    tree=TREE,
    markers={"python_full_version": "3.11.7", "sys_platform": "linux"},
    requires_python=">=3.11",
    lock=ResourceReference(name="pylock.toml", digest={"sha256": A}),
    environments=["sys_platform == 'linux'"],
    default_groups=["train"],
)

EVALUATION = EvaluationRecord(
    name="iris, test",
    metrics=[
        Metric(name="accuracy", value="0.9300", unit="1", standard_error="0.01"),
        Metric(name="accuracy", value="1", part="setosa"),
    ],
    dataset=ResourceReference(name="iris", digest={"dirHash": A}),
    split="test",
    sample_count=2**63,
    harness=Harness(name="evaluate", version="1.0", uri="pkg:pypi/evaluate@1.0", digest={"sha256": B}),
    code=[REFERENCE],
    parameters={"shots": "5"},
    seed=2**64 - 1,
    finished=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
)

RECORDS: tuple[Record, ...] = (CODE, DATA, MODEL, DEPENDENCIES, EVALUATION)
