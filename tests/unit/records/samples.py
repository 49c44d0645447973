"""One record of each kind in which every field says something. `test_drift` holds that none is forgotten."""

from datetime import UTC, datetime

from glasswing_attest.records import (
    BaseModel,
    CodeRecord,
    DataRecord,
    DataSource,
    Evaluation,
    ExtendedDataset,
    ModelRecord,
    Period,
    Record,
    ResourceReference,
    Review,
    SchemaField,
    Split,
    Transformation,
    TreeSummary,
)

A, B = "a" * 64, "b" * 64
COMMIT = "0123456789abcdef0123456789abcdef01234567"

REFERENCE = ResourceReference(name="train.py", uri="git+https://github.com/acme/train", digest={"gitCommit": COMMIT})
TREE = TreeSummary(dir_hash=A, files=3, total_bytes=2**64 - 1, merkle_root=B, excluded=[".git", "tmp/é"])

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
    splits=[Split(name="train", files=0, records=120, paths=["train/", "extra.csv"]), Split(name="test")],
    schema_fields=[SchemaField(name="petal", dtype="float32", description="Its length.", unit="mm")],
    collection_period=Period(
        start=datetime(1936, 1, 1, tzinfo=UTC), end=datetime(1936, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
    ),
    consent="not-required",
    consent_basis="plants",
    sensitivity="public",
    extends=ExtendedDataset(name="iris", version="2025.1", uri="https://data.example/iris", digest={"dirHash": B}),
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

RECORDS: tuple[Record, ...] = (CODE, DATA, MODEL)
