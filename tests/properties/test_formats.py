"""Does every container, however it is changed, give attestations or one of our errors, and never another signature?"""

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glasswing_attest import formats
from glasswing_attest._wire import Node
from glasswing_attest.errors import GlasswingError, LimitError
from glasswing_attest.formats.cosign import from_layer
from glasswing_attest.formats.reading import parts
from glasswing_attest.limits import Limits
from glasswing_attest.store import gather
from glasswing_attest.trust.sigstore import Profile
from glasswing_attest.verification.procedure import prove
from tests.unit.formats.others import (
    ALICE,
    CERT,
    ENVELOPE,
    SECOND,
    SIGNED,
    SIGSTORE,
    SIMPLE_SIGNING,
    Layout,
    blob_bundle,
    cloud_build,
    github,
    legacy,
    npm,
    tekton,
)

TRUST = SIGSTORE.trust(Profile(scts=1, logs=1, times=1))
PAYLOADS = {SIGNED.envelope.payload, SECOND.envelope.payload}


@cache
def containers() -> tuple[Any, ...]:
    envelope, annotations = legacy(SIGNED.bytes)
    provenance = formats.provenance_object([SIGNED, SECOND], {"kind": "Other"})
    return (
        *(json.loads(data) for data in (github(SIGNED.bytes, SECOND.bytes), npm(SIGNED.bytes), provenance)),
        json.loads(formats.to_pep740(SIGNED)),
        json.loads(cloud_build(ENVELOPE, envelope)),
        blob_bundle(SIGNED.bytes),
        tekton("taskrun-1", envelope, certificate=annotations[CERT].encode()),
        {"kind": "List", "items": [tekton("taskrun-1", ENVELOPE)]},
        SIMPLE_SIGNING,
    )


SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=8),
    st.just({}),
    st.just([]),
    st.just([[]]),
    st.just("e30="),
)


def changed(document: Any, data: st.DataObject) -> Any:
    """The same document with one value changed, taken away, or doubled."""
    document = copy.deepcopy(document)
    holder: Any = None
    key: Any = None
    here = document
    while isinstance(here, dict | list) and here and (holder is None or data.draw(st.integers(0, 9))):
        holder, key = here, data.draw(st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here))))
        here = holder[key]
    do = data.draw(st.sampled_from(["change", "take", "double"]))
    if do == "take":
        del holder[key]
    elif do == "double" and isinstance(holder, list):
        holder.append(holder[key])
    else:
        holder[key] = data.draw(SCALARS)
    return document


def held(call: Callable[[], Any]) -> Any:
    """What it gives, or None for one of our errors; any other fails the test."""
    try:
        return call()
    except GlasswingError as e:
        text = str(e)
        assert text.isprintable(), text
        assert len(text) < 8_000
        return None


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(number=st.integers(0, 8), data=st.data())
def test_a_changed_container_gives_our_errors_or_what_was_signed(number: int, data: st.DataObject) -> None:
    text = json.dumps(changed(containers()[number], data)).encode()
    held(lambda: formats.parse(text))
    read = held(lambda: formats.read(text))
    items = gather(text)
    assert items
    if read is not None:
        assert {each.bytes for each in read} <= {item.data for item in items}
    for attestation in read or ():
        for verified in held(lambda each=attestation: prove(each, TRUST)) or ():  # type: ignore[misc]
            assert verified.signer.san == ALICE
            assert attestation.envelope.payload in PAYLOADS


@settings(deadline=None, max_examples=200)
@given(junk=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)), at=st.integers(0, 10**6))
def test_garbage_gives_our_errors(junk: bytes, at: int) -> None:
    whole = json.dumps(containers()[at % 9]).encode()
    place = at % len(whole)
    for data in (junk, whole[:place] + junk + whole[place:], whole[:place], junk + b"\n" + whole):
        held(lambda data=data: formats.unpack(data))  # type: ignore[misc]
        held(lambda data=data: formats.read(data))  # type: ignore[misc]
        assert gather(data)


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_a_changed_layer_gives_our_errors_or_what_was_signed(data: st.DataObject) -> None:
    envelope, annotations = legacy(SIGNED.bytes)
    # What stands within an annotation is JSON as well.
    within = {name: json.loads(text) if text.startswith("{") else text for name, text in annotations.items()}
    told = {name: json.dumps(v) if isinstance(v, dict) else v for name, v in changed(within, data).items()}
    made = held(lambda: formats.parse(from_layer(envelope, Node(told, "$"))))
    if made is None:
        return
    for verified in held(lambda: prove(made, TRUST)) or ():
        assert verified.signer.san == ALICE
        assert made.envelope.payload in PAYLOADS


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_layout_gives_our_errors_or_what_was_signed(data: st.DataObject, tmp_path_factory: Any) -> None:
    layout = Layout(tmp_path_factory.mktemp("layout")).attest(SIGNED.bytes)
    files = sorted(path for path in layout.folder.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    path.write_bytes(json.dumps(changed(json.loads(path.read_bytes()), data)).encode())
    for item in held(lambda: gather(layout.folder)) or ():
        assert item.data == SIGNED.bytes


@settings(deadline=None, max_examples=30)
@given(
    payload=st.binary(min_size=1, max_size=200),
    identity=st.sampled_from([ALICE, "https://ci.example/build"]),
    stamps=st.integers(0, 1),
    kind=st.sampled_from(["dsse", "intoto"]),
)
def test_there_and_back_is_the_same_signature(payload: bytes, identity: str, stamps: int, kind: Any) -> None:
    made = SIGSTORE.sign(payload, identity=identity, stamps=stamps, kind=kind)
    (back,) = formats.read(formats.to_pep740(made))
    assert back.envelope == made.envelope
    assert formats.to_pep740(back) == formats.to_pep740(made)


@pytest.mark.parametrize("name", ["a", "a/b"])
@settings(deadline=None, max_examples=200)
@given(text=st.text(max_size=40), suffix=st.sampled_from([".whl", ".tar.gz", ".zip", ""]))
def test_any_name_is_normalised_once_or_refused(name: str, text: str, suffix: str) -> None:
    filename = f"{name}{text}{suffix}"
    once = held(lambda: formats.normalised_filename(filename))
    if once is not None:
        assert formats.normalised_filename(once) == once
        assert "/" not in once
        assert Path(once).name == once


BEGUN = st.sampled_from(
    ['{"mediaType":', ' \n{ "mediaType" :', '{"mediaType": "x", "attestations":', '{"mediaType": null, "items":']
)


@given(BEGUN, st.integers(0, 8), st.integers(0, 3), st.sampled_from(["}", "", "}}", "} x", ', "mediaType": 1}']))
def test_what_begins_as_a_bundle_is_an_item_of_its_own(begin: str, number: int, cut: int, end: str) -> None:
    """It need not be read to know it: whatever follows, it is no container, or broken, or beyond the limits."""
    text = f"{begin}{json.dumps(containers()[number])}{end}"
    data = text[: len(text) - cut].encode()
    for limits in (Limits(), Limits(json_depth=2), Limits(json_values=3)):
        try:
            found = [part.data for part in parts(data, limits=limits)]
        except LimitError:
            found = [data]
        assert found == [data]
        assert [item.data for item in gather(data, limits=limits)] == [data.strip()]
