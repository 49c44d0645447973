"""Is everything in an OCI layout found that cosign kept there, and nothing believed that the layout says of it?"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest._wire import Node
from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import (
    Base64Refused,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    LimitError,
    NotJson,
    NotPem,
    StoreUnavailable,
)
from glasswing_attest.formats.cosign import from_layer
from glasswing_attest.limits import Limits
from glasswing_attest.store import gather
from glasswing_attest.trust.sigstore import Profile
from glasswing_attest.verification.procedure import prove
from tests.unit.formats.others import (
    ALICE,
    CERT,
    CHAIN,
    DSSE_LAYER,
    ENVELOPE,
    INDEX,
    REKOR,
    SECOND,
    SIGNED,
    SIGSTORE,
    SIMPLE_LAYER,
    SIMPLE_SIGNING,
    STAMP,
    STAMPED,
    Layout,
    chain_of,
    legacy,
    pem,
)

TRUST = SIGSTORE.trust(Profile(scts=1, logs=1, times=1))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "image")


# --- cosign's layers -------------------------------------------------------------------------------------------------


def annotated(annotations: Any) -> Node:
    return Node(annotations, "$.annotations")


@pytest.mark.parametrize("chain", ["", chain_of()])
def test_a_layer_with_its_annotations_is_a_bundle(chain: str) -> None:
    envelope, annotations = legacy(SIGNED.bytes, chain=chain)
    made = Attestation.parse(from_layer(envelope, annotated(annotations)))
    assert made.bundle is not None
    assert made.bundle.version == "0.1"
    assert made.envelope == SIGNED.envelope
    (verified,) = prove(made, TRUST)
    assert verified.signer.san == ALICE
    # The log's promise is what proves when it was signed.
    del annotations[REKOR]
    with pytest.raises(GlasswingError) as unlogged:
        prove(Attestation.parse(from_layer(envelope, annotated(annotations))), TRUST)
    assert unlogged.value.code == "verification.not-logged"


def test_a_time_stamp_goes_along() -> None:
    envelope, annotations = legacy(STAMPED.bytes)
    made = Attestation.parse(from_layer(envelope, annotated(annotations)))
    (verified,) = prove(made, SIGSTORE.trust(Profile(scts=1, logs=0, times=1, stamps=1)))
    assert verified.signer.san == ALICE


def test_an_intoto_entry_goes_along() -> None:
    signed = SIGSTORE.sign(SIGNED.envelope.payload, identity=ALICE, kind="intoto", stamps=0)
    envelope, annotations = legacy(signed.bytes)
    made = Attestation.parse(from_layer(envelope, annotated(annotations)))
    assert made.bundle is not None
    assert made.bundle.log_entries[0].kind == "intoto"
    assert prove(made, TRUST)


def test_a_layer_without_annotations_is_its_envelope() -> None:
    for annotations in (None, annotated({}), annotated({CERT: "", CHAIN: "", REKOR: ""})):
        assert from_layer(ENVELOPE, annotations) == ENVELOPE
    # Issuers alone say of nobody that he signed.
    assert from_layer(ENVELOPE, annotated({CHAIN: chain_of()})) == ENVELOPE


CERTIFICATE = legacy(SIGNED.bytes)[1][CERT]


def entry_of(**changes: Any) -> str:
    """Rekor's entry as an annotation has it, with something else in its payload."""
    entry = json.loads(legacy(SIGNED.bytes)[1][REKOR])
    entry["Payload"] |= changes
    return json.dumps(entry)


@pytest.mark.parametrize(
    ("annotations", "error", "where"),
    [
        ({CERT: "x"}, NotPem, "$.annotations['dev.sigstore.cosign/certificate']"),
        ({CERT: 1}, FieldRefused, "$.annotations['dev.sigstore.cosign/certificate']"),
        ({CERT: CERTIFICATE * 17}, LimitError, "$.annotations['dev.sigstore.cosign/certificate']"),
        ({REKOR: "{"}, NotJson, "$.annotations['dev.sigstore.cosign/bundle']"),
        ({REKOR: "{}"}, FieldMissing, "$.annotations['dev.sigstore.cosign/bundle'].SignedEntryTimestamp"),
        ({REKOR: entry_of(body="W10=")}, FieldRefused, "$.annotations['dev.sigstore.cosign/bundle'].Payload.body"),
        ({REKOR: entry_of(body="e30=")}, FieldMissing, "$.annotations['dev.sigstore.cosign/bundle'].Payload.body.kind"),
        ({REKOR: entry_of(logID="zz")}, FieldRefused, "$.annotations['dev.sigstore.cosign/bundle'].Payload.logID"),
        (
            {REKOR: entry_of(integratedTime=1.5)},
            FieldRefused,
            "$.annotations['dev.sigstore.cosign/bundle'].Payload.integratedTime",
        ),
        ({STAMP: "{}"}, FieldMissing, "$.annotations['dev.sigstore.cosign/rfc3161timestamp'].SignedRFC3161Timestamp"),
        (
            {STAMP: '{"SignedRFC3161Timestamp": "*"}'},
            Base64Refused,
            "$.annotations['dev.sigstore.cosign/rfc3161timestamp'].SignedRFC3161Timestamp",
        ),
    ],
)
def test_a_broken_annotation_is_refused(annotations: Any, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(GlasswingError) as refused:
        from_layer(ENVELOPE, annotated(annotations))
    assert type(refused.value) is error
    assert refused.value.where == where


def test_an_envelope_cannot_write_beside_itself() -> None:
    for data in (b'{},"dsseEnvelope":{}', b"[]", b"{}{}", b""):
        with pytest.raises(GlasswingError) as refused:
            from_layer(data, annotated({CERT: CERTIFICATE}))
        assert refused.value.code in ("malformed.json", "malformed.field")


# --- layouts ---------------------------------------------------------------------------------------------------------


def test_both_forms_are_found(layout: Layout) -> None:
    layout.attest(SIGNED.bytes).attest_as_before(SECOND.bytes, chain=chain_of())
    layout.add(layout.manifest(layout.blob(b"\x1f\x8b", "application/vnd.oci.image.layer.v1.tar+gzip")))
    bundle, made = gather(layout.folder)
    assert bundle.data == SIGNED.bytes
    assert [prove(Attestation.parse(each.data), TRUST)[0].signer.san for each in (bundle, made)] == [ALICE, ALICE]
    digests = [descriptor["digest"] for descriptor in layout.manifests]
    assert bundle.origin == f"{layout.folder}: layer 1 of {digests[0]}"
    assert made.origin == f"{layout.folder}: layer 1 of {digests[1]}"


def test_an_index_within_the_index_is_followed_and_each_manifest_read_once(layout: Layout) -> None:
    manifest = layout.manifest(layout.blob(SIGNED.bytes, "application/vnd.dev.sigstore.bundle.v0.3+json"))
    attested = manifest | {"platform": {"architecture": "unknown", "os": "unknown"}}
    image = {"mediaType": manifest["mediaType"], "digest": f"sha256:{'0' * 64}", "size": 1}
    # What is an image is not opened, and need not be there.
    image["platform"] = {"architecture": "amd64", "os": "linux"}
    index = json.dumps({"schemaVersion": 2, "manifests": [image, attested]}).encode()
    layout.add(layout.blob(index, INDEX)).add(manifest)
    assert [item.data for item in gather(layout.folder)] == [SIGNED.bytes]


def test_what_is_no_statement_is_an_item_that_is_refused_by_name(layout: Layout) -> None:
    from glasswing_attest import formats

    layers = [
        layout.blob(json.dumps(SIMPLE_SIGNING).encode(), SIMPLE_LAYER),
        layout.blob(SIGNED.envelope.payload, "application/vnd.in-toto+json"),
    ]
    layout.add(layout.manifest(*layers))
    signature, statement = gather(layout.folder)
    with pytest.raises(GlasswingError) as simple:
        formats.parse(signature.data)
    assert simple.value.code == "unsupported.message-signature"
    with pytest.raises(GlasswingError) as unsigned:
        formats.parse(statement.data)
    assert "Nobody signed this statement" in str(unsigned.value)


def test_a_layer_of_junk_hides_no_other(layout: Layout) -> None:
    envelope, annotations = legacy(SECOND.bytes)
    junk = layout.blob(envelope, DSSE_LAYER, annotations=annotations | {REKOR: "{"})
    layout.add(layout.manifest(junk)).attest(SIGNED.bytes)
    bare, signed = gather(layout.folder)
    assert (bare.data, signed.data) == (envelope, SIGNED.bytes)
    assert "without its annotations" in bare.origin
    assert "['dev.sigstore.cosign/bundle']: this is not valid JSON" in bare.origin
    with pytest.raises(GlasswingError) as unproved:
        prove(Attestation.parse(bare.data), TRUST)
    assert unproved.value.code == "verification.key-untrusted"


def test_an_empty_layout_gives_nothing(layout: Layout) -> None:
    assert gather(layout.folder) == ()


def test_a_blob_is_held_against_its_name(layout: Layout) -> None:
    layout.attest(SIGNED.bytes)
    (bundle,) = (p for p in (layout.folder / "blobs/sha256").iterdir() if p.read_bytes() == SIGNED.bytes)
    changed = SIGNED.bytes.replace(b"e", b"f", 1)
    for data, where in ((changed, ".layers[0].digest"), (SIGNED.bytes + b" ", ".layers[0].size")):
        bundle.write_bytes(data)
        with pytest.raises(StoreUnavailable) as refused:
            gather(layout.folder)
        assert refused.value.where.endswith(where)
    bundle.unlink()
    with pytest.raises(StoreUnavailable) as absent:
        gather(layout.folder)
    assert absent.value.where == str(bundle)


@pytest.mark.parametrize(
    "digest",
    [
        "sha256:../../../../etc/passwd",
        f"sha256:{'A' * 64}",
        f"sha256:{'0' * 63}",
        f"md5:{'0' * 32}",
        f"../sha256:{'0' * 64}",
        "",
        f"sha256:{'0' * 64}/..",
        f"sha256:{'0' * 64}\n",
    ],
)
def test_a_digest_that_is_none_opens_nothing(layout: Layout, digest: str) -> None:
    layout.add({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 1})
    with pytest.raises(StoreUnavailable) as refused:
        gather(layout.folder)
    assert refused.value.where == f"{layout.folder}: index.json.manifests[0].digest"


@pytest.mark.parametrize("place", ["blob", "blobs", "sha256", "index.json", "fifo"])
def test_no_link_within_the_layout_is_followed(layout: Layout, tmp_path: Path, place: str) -> None:
    layout.attest(SIGNED.bytes)
    assert len(gather(layout.folder)) == 1
    blobs = layout.folder / "blobs"
    target = {
        "blob": layout.place(layout.manifests[0]),
        "fifo": layout.place(layout.manifests[0]),
        "blobs": blobs,
        "sha256": blobs / "sha256",
        "index.json": layout.folder / "index.json",
    }[place]
    moved = target.rename(tmp_path / "moved")
    if place == "fifo":
        os.mkfifo(target)
    else:
        target.symlink_to(moved)
    with pytest.raises(StoreUnavailable):
        gather(layout.folder)


def test_the_layout_itself_may_be_a_link(layout: Layout, tmp_path: Path) -> None:
    layout.attest(SIGNED.bytes)
    (tmp_path / "link").symlink_to(layout.folder)
    assert [item.data for item in gather(tmp_path / "link")] == [SIGNED.bytes]


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("oci-layout", "{}", "oci-layout.imageLayoutVersion"),
        ("oci-layout", '{"imageLayoutVersion": "2.0.0"}', "oci-layout.imageLayoutVersion"),
        ("oci-layout", "", "oci-layout"),
        ("index.json", "[]", "index.json"),
        ("index.json", '{"manifests": {}}', "index.json.manifests"),
        ("index.json", '{"manifests": [{}]}', "index.json.manifests[0].digest"),
    ],
)
def test_a_damaged_layout_is_one_that_cannot_be_read(layout: Layout, name: str, text: str, where: str) -> None:
    (layout.folder / name).write_text(text)
    with pytest.raises(StoreUnavailable) as refused:
        gather(layout.folder)
    assert refused.value.where == f"{layout.folder}: {where}"


def test_a_layout_is_bounded(layout: Layout) -> None:
    layout.attest(SIGNED.bytes).attest(SECOND.bytes)
    with pytest.raises(LimitError):
        gather(layout.folder, limits=Limits(evidence=1))
    with pytest.raises(LimitError):
        gather(layout.folder, limits=Limits(bundle_bytes=len(SIGNED.bytes) - 1))
    # A size that is only said is not waited for.
    huge = {"mediaType": DSSE_LAYER, "digest": f"sha256:{'0' * 64}", "size": 1 << 40}
    layout.add(layout.manifest(huge))
    with pytest.raises(LimitError) as refused:
        gather(layout.folder)
    assert refused.value.where.endswith(".layers[0]")


def test_the_chains_root_is_left_out() -> None:
    envelope, annotations = legacy(SIGNED.bytes, chain=chain_of())
    made = json.loads(from_layer(envelope, annotated(annotations)))
    certificates = made["verificationMaterial"]["x509CertificateChain"]["certificates"]
    assert len(certificates) == chain_of().count("BEGIN")
    assert pem(Attestation.parse(SIGNED.bytes).material.chain[0]) == annotations[CERT]  # type: ignore[union-attr]
