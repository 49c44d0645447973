"""Is every model that can be signed verified, and no other one in its place?"""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasswing_attest import Model, Trust
from glasswing_attest._wire import canonical_json, parse_json
from glasswing_attest.errors import FileSetDiffers, GlasswingError, SubjectMismatch
from glasswing_attest.oms import roots, sign_model, verify_model
from glasswing_attest.statement.predicates.oms import TYPES, ModelSignature
from tests.chains import signer

KEY = signer("oms", "ecdsa-p256")
TRUST = Trust.of(release=KEY.public_key)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
# Few parts, so that paths share directories; some sort otherwise by parts than by code points.
PARTS = st.sampled_from(("a", "a b", "a-b", "a.b", "B", "é", "模", '"', "\U0001f600\ufffd"))
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
CONTENTS = st.binary(min_size=1, max_size=12)
FILES = st.dictionaries(PATHS, CONTENTS, min_size=1, max_size=6).filter(
    lambda files: not any(other.startswith(f"{name}/") for name in files for other in files)
)


def written(folder: str, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return Path(folder)


@settings(max_examples=60, deadline=None)
@given(FILES, st.none() | st.integers(1, 14), st.data())
def test_what_is_signed_is_verified_and_nothing_else(
    files: dict[str, bytes], shard_size: int | None, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        model = written(folder, files)
        made = sign_model(model, signer=KEY, shard_size=shard_size)
        found = verify_model(model, made, trust=TRUST, signer="release", signed_at=NOW)
        manifest = Model(model).measure()
        assert found.order == "spec"
        assert [(file.name, file.size) for file in found.files] == [(file.name, file.size) for file in manifest.files]
        payload = made.envelope.payload
        assert canonical_json(parse_json(payload)) == payload
        told = ModelSignature.from_predicate(made.statement_unverified.predicate_node)
        if shard_size is None:
            assert found.manifest == manifest
            assert told.root() == roots(manifest)["spec"]
            (kind,) = TYPES
            assert kind.subjects is not None
            about = [subject.digest for subject in kind.subjects(made.statement_unverified.subjects, told)]
            assert manifest.digests in about

        name = data.draw(st.sampled_from(sorted(files)), "the file that is changed")
        content = data.draw(CONTENTS.filter(lambda drawn: drawn != files[name]), "its new content")
        Path(folder, name).write_bytes(content)
        with pytest.raises(GlasswingError) as refused:
            verify_model(model, made, trust=TRUST, signer="release", signed_at=NOW)
        assert type(refused.value) is SubjectMismatch
        Path(folder, name).rename(Path(folder, "elsewhere"))
        with pytest.raises(GlasswingError) as refused:
            verify_model(model, made, trust=TRUST, signer="release", signed_at=NOW)
        assert type(refused.value) is FileSetDiffers
