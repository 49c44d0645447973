"""Do sigstore-python, sigstore-go and cosign say what we say, but for the list of reasons?

A small fixed part of what `python -m tests.differential` asks: every bundle there is, some mutations that are always
the same, and for each reason a bundle that shows it is still so. What is tampered with is refused by all.
"""

import base64
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.differential import page, reasons
from tests.differential.asked import Answer, Asked, ours, theirs
from tests.differential.bundles import every, recorded
from tests.differential.mutate import MUTATIONS
from tests.differential.peers import judge, peers
from tests.differential.reasons import REASONS, explained
from tests.differential.run import Material, compare, mutations
from tests.interop.peers import found
from tests.stack import binary

# Their warnings are their own affair.
pytestmark = pytest.mark.filterwarnings("ignore")

CHUNKS, CHUNK = 2, 350

Edit = Callable[[Any], object]
Steps = tuple[Any, ...]


@pytest.fixture(scope="module")
def bundles(shared_data: Path, recorded_stack: Path) -> tuple[Asked, ...]:
    return every(shared_data, recorded_stack)


@pytest.fixture(scope="module")
def material(bundles: tuple[Asked, ...]) -> Material:
    return Material.of(bundles)


def test_every_bundle_gets_one_verdict_or_has_a_reason(bundles: tuple[Asked, ...]) -> None:
    result = compare(enumerate(bundles), judge=judge())
    assert result.wrong == []
    assert result.verdicts == {(True, True): 60, (False, False): 230, (True, False): 35, (False, True): 1}
    assert result.reasons == {
        ("intoto entry",): 26,
        ("signature algorithm",): 5,
        ("promise alone",): 3,
        ("other name", "name of an authority"): 1,
        ("window that ends before it starts",): 1,
    }


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_mutations_get_one_verdict_or_have_a_reason(material: Material, chunk: int) -> None:
    result = compare(mutations(material, "tests", range(chunk * CHUNK, (chunk + 1) * CHUNK)))
    assert result.wrong == []
    assert result.count == CHUNK
    # Both verdicts must be in play, and so must the list: what only ever hears no compares nothing.
    assert result.verdicts[True, True] > CHUNK // 30
    assert result.verdicts[False, False] > CHUNK // 2
    assert len({name for names in result.reasons for name in names}) > 8


def test_every_kind_of_mutation_is_drawn(material: Material) -> None:
    made = [asked.name for _, asked in mutations(material, "tests", range(CHUNKS * CHUNK))]
    drawn = Counter(kind for name in made for kind in name.split(" + ")[1:])
    assert set(drawn) == set(MUTATIONS)
    again = [asked for _, asked in mutations(material, "tests", [7])]
    assert again == [asked for number, asked in mutations(material, "tests", range(8)) if number == 7]


# --- the reasons -----------------------------------------------------------------------------------------------------

V2, V1, BARE = "recorded-stack:py-dsse", "recorded-stack:pyv1-artifact", "recorded-stack:py-artifact"


def entry_of(document: Any) -> Any:
    return document["verificationMaterial"]["tlogEntries"][0]


def in_bundle(edit: Edit) -> Callable[[Asked], Asked]:
    def change(asked: Asked) -> Asked:
        document = json.loads(asked.bundle)
        edit(document)
        return replace(asked, bundle=json.dumps(document).encode())

    return change


def in_root(edit: Edit) -> Callable[[Asked], Asked]:
    def change(asked: Asked) -> Asked:
        document = json.loads(asked.root)
        edit(document)
        return replace(asked, root=json.dumps(document).encode())

    return change


def in_entry(**members: Any) -> Callable[[Asked], Asked]:
    """Members of the first log entry: a new value, or what gives it from the old one."""

    def edit(document: Any) -> None:
        entry = entry_of(document)
        for name, value in members.items():
            entry[name] = value(entry.get(name)) if callable(value) else value

    return in_bundle(edit)


def in_checkpoint(new: Callable[[str], str]) -> Callable[[Asked], Asked]:
    def edit(document: Any) -> None:
        checkpoint = entry_of(document)["inclusionProof"]["checkpoint"]
        checkpoint["envelope"] = new(checkpoint["envelope"])

    return in_bundle(edit)


def as_it_is(asked: Asked) -> Asked:
    return asked


def as_numbers(promise: Any) -> Any:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature(base64.b64decode(promise["signedEntryTimestamp"]))
    return {"signedEntryTimestamp": base64.b64encode(r.to_bytes(32) + s.to_bytes(32)).decode()}


def one_more(proof: Any) -> Any:
    """The tree with one leaf more: in the middle of a large one, the path there is as long."""
    return {**proof, "treeSize": str(int(proof["treeSize"]) + 1)}


def material_of(document: Any) -> Any:
    return document["verificationMaterial"]


def leaf_of(document: Any) -> Any:
    return material_of(document)["certificate"]


def chained(document: Any) -> None:
    material_of(document)["x509CertificateChain"] = {"certificates": [material_of(document).pop("certificate")]}


def rooted(asked: Asked) -> Asked:
    anchor = json.loads(asked.root)["certificateAuthorities"][0]["certChain"]["certificates"][-1]
    return in_bundle(lambda d: material_of(d)["x509CertificateChain"]["certificates"].append(anchor))(asked)


def stamps_of(document: Any) -> Any:
    return material_of(document)["timestampVerificationData"]["rfc3161Timestamps"]


def renamed_algorithm(document: Any) -> None:
    (stamp,) = stamps_of(document)
    data = base64.b64decode(stamp["signedTimestamp"])
    assert data.count(bytes.fromhex("2a8648ce3d040302")) >= 1
    head, _, tail = data.rpartition(bytes.fromhex("2a8648ce3d040302"))
    stamp["signedTimestamp"] = base64.b64encode(head + bytes.fromhex("2a8658ce3d040302") + tail).decode()


def misnamed(document: Any) -> None:
    (stamp,) = stamps_of(document)
    # The name stands there three times, signed but for the second one: that of the signer's issuer.
    first, second, third, rest = base64.b64decode(stamp["signedTimestamp"]).split(b"sigstore.dev")
    changed = b"sigstore.dev".join((first, second)) + b"sigstoRe.dev" + b"sigstore.dev".join((third, rest))
    stamp["signedTimestamp"] = base64.b64encode(changed).decode()


def ungranted(document: Any) -> None:
    """Stamps in answers whose status no standard knows (RFC 3161, section 2.4.2)."""
    for stamp in stamps_of(document):
        before, granted, after = base64.b64decode(stamp["signedTimestamp"]).partition(bytes.fromhex("3003020100"))
        assert granted
        stamp["signedTimestamp"] = base64.b64encode(before + granted[:-1] + b"\x08" + after).decode()


def windowed(document: Any) -> None:
    for log in document["tlogs"]:
        log["publicKey"]["validFor"] = {"start": "2000-01-01T00:00:00Z", "end": "2001-01-01T00:00:00Z"}


def named(document: Any) -> None:
    for name in ("certificateAuthorities", "timestampAuthorities"):
        for authority in document.get(name, ()):
            authority["subject"]["commonName"] = "x"


def twice(asked: Asked) -> Asked:
    return replace(
        asked, bundle=asked.bundle.rstrip()[:-1] + b', "mediaType": ' + json.dumps(media(asked)).encode() + b"}"
    )


def media(asked: Asked) -> Any:
    return json.loads(asked.bundle)["mediaType"]


URL_SAFE = str.maketrans("+/", "-_")

WITNESSES: dict[str, tuple[str, Callable[[Asked], Asked]]] = {
    "intoto entry": ("sigstore-conformance:intoto-with-custom-trust-root", as_it_is),
    "promise alone": ("sigstore-js:verify.msgsig.ct1tlog1tsa1", as_it_is),
    "signature algorithm": ("sigstore-java:alg.ECDSA_P384_SHA_384", as_it_is),
    "unknown member": (V2, in_bundle(lambda d: d.update(unknown=1))),
    "zero value": (V2, in_bundle(lambda d: entry_of(d).pop("logIndex"))),
    "other base64": (
        V2,
        in_bundle(lambda d: leaf_of(d).update(rawBytes=leaf_of(d)["rawBytes"].translate(URL_SAFE).rstrip("="))),
    ),
    "bare integer": (V2, in_entry(logIndex=int)),
    "shape of the material": (V2, in_bundle(chained)),
    "stamp twice": (V2, in_bundle(lambda d: stamps_of(d).append(stamps_of(d)[0]))),
    "several entries": (
        V2,
        in_bundle(lambda d: material_of(d)["tlogEntries"].append({**entry_of(d), "logId": {"keyId": "A" * 43 + "="}})),
    ),
    "promise as two numbers": (V1, in_entry(inclusionPromise=as_numbers)),
    "status of no stamp": ("recorded-stack:pyv1-dsse", in_bundle(ungranted)),
    "name of an authority": ("sigstore-go:othername.ok", lambda asked: replace(asked, san="")),
    "other name": ("sigstore-go:othername.ok", in_root(named)),
    "strict base64": (V2, in_bundle(lambda d: d["dsseEnvelope"].update(payload=d["dsseEnvelope"]["payload"] + "\n"))),
    "strict JSON": (V2, twice),
    "strict number": (V2, in_entry(logIndex=lambda text: f"+{text}")),
    "original member names": (
        V2,
        in_bundle(lambda d: entry_of(d).update(canonicalized_body=entry_of(d).pop("canonicalizedBody"))),
    ),
    "loose time": (V2, in_entry(integratedTime="1700000000")),
    "strict checkpoint": (V2, in_checkpoint(lambda text: text.replace("\n\n\u2014", "\n\n \u2014"))),
    "name on a checkpoint": (V2, in_checkpoint(lambda text: text.replace("\u2014 rekor", "\u2014 Rekor"))),
    "clock that a stamp names": ("sigstore-java:dsse.rekor2", in_bundle(misnamed)),
    "signed tree size": (
        "sigstore-js:client.valid.v3.messageSignature.withSigningCert",
        in_entry(inclusionProof=one_more),
    ),
    "id of the log": (V2, in_entry(logId=lambda old: {"keyId": f"{old['keyId'][:-4]}AAA="})),
    "algorithm of the digest": (
        BARE,
        in_bundle(lambda d: d["messageSignature"]["messageDigest"].update(algorithm="SHA2_512")),
    ),
    "certificates beside the leaf": ("sigstore-python:bundle.txt", rooted),
    "windows of trust": (V2, in_root(windowed)),
    "window that ends before it starts": ("sigstore-python:tsa.outside-CA-range.threshold2", as_it_is),
    "log named twice": (V2, in_root(lambda root: root["tlogs"].append(root["tlogs"][0]))),
}
"""For each reason a bundle, and what is done to it, so that this reason alone parts us from sigstore-python."""

OF_GO: dict[str, tuple[str, Callable[[Asked], Asked]]] = {
    "no digest of the message": (BARE, in_bundle(lambda d: d["messageSignature"].pop("messageDigest"))),
    "strangers on a checkpoint": (V1, in_checkpoint(lambda text: f"{text}\u2014 somebody AAAAAAAA\n")),
    "index beside the proof": (V2, in_entry(logIndex="12345")),
    "hint of the key": (
        "sigstore-conformance:intoto-with-custom-trust-root",
        in_bundle(lambda d: d["dsseEnvelope"]["signatures"][0].update(keyid="x")),
    ),
    "unsigned words of a stamp": (V2, in_bundle(renamed_algorithm)),
}
"""The same for the reasons that part us from sigstore-go alone."""


def test_each_reason_has_a_witness() -> None:
    assert {reason.name for reason in REASONS} == set(WITNESSES) | set(OF_GO)
    assert len({reason.name for reason in REASONS}) == len(REASONS)


def witness(name: str, bundles: tuple[Asked, ...]) -> tuple[Asked, Answer]:
    of, change = {**WITNESSES, **OF_GO}[name]
    asked = change(next(asked for asked in bundles if asked.name == of))
    we = ours(asked)
    (stricter,) = (reason.stricter for reason in REASONS if reason.name == name)
    assert we.yes == (stricter == "they"), we.said
    return asked, we


@pytest.mark.parametrize("name", WITNESSES)
def test_a_reason_is_still_so(name: str, bundles: tuple[Asked, ...]) -> None:
    asked, we = witness(name, bundles)
    assert theirs(asked).yes != we.yes
    assert explained(asked, we) == (name,)


def test_a_reason_may_stand_behind_another_one(bundles: tuple[Asked, ...]) -> None:
    """A checkpoint that only a lax reader takes, in a proof that is not found before its name is put right."""
    of, change = WITNESSES["strict checkpoint"]
    rename = in_bundle(lambda d: entry_of(d).update(inclusion_proof=entry_of(d).pop("inclusionProof")))
    asked = rename(change(next(asked for asked in bundles if asked.name == of)))
    we = ours(asked)
    assert (we.yes, theirs(asked).yes) == (False, True)
    assert explained(asked, we) == ("original member names", "strict checkpoint")


@pytest.mark.parametrize("name", OF_GO)
def test_a_reason_of_sigstore_go_is_still_so(name: str, bundles: tuple[Asked, ...]) -> None:
    found(lambda: binary("sigstore-go-verify"))
    asked, we = witness(name, bundles)
    go = judge()
    assert go is not None
    assert not go(asked).yes
    assert explained(asked, we, go) == (name,)


def flipped(place: Callable[[Any], Any], name: str) -> Callable[[Asked], Asked]:
    def edit(document: Any) -> None:
        box = place(document)
        data = bytearray(base64.b64decode(box[name]))
        data[len(data) // 2] ^= 1
        box[name] = base64.b64encode(data).decode()

    return in_bundle(edit)


def signature_of(document: Any) -> Any:
    return document["dsseEnvelope"]["signatures"][0] if "dsseEnvelope" in document else document["messageSignature"]


def signed(asked: Asked) -> Asked:
    name = "sig" if b"dsseEnvelope" in asked.bundle else "signature"
    return flipped(signature_of, name)(asked)


TAMPERED: dict[str, Callable[[Asked], Asked]] = {
    "another signature": signed,
    "another artifact": lambda asked: replace(asked, digests=(("sha256", bytes(32)),)),
    "another signer": lambda asked: replace(asked, san="mallory@local.test"),
    "another issuer": lambda asked: replace(asked, san="alice@local.test", issuer="http://mallory.test"),
    "another certificate": flipped(lambda d: material_of(d)["certificate"], "rawBytes"),
    "another body": in_entry(canonicalizedBody=lambda text: base64.b64encode(base64.b64decode(text)[:-1]).decode()),
    "another root hash": in_checkpoint(lambda text: text.replace("\n", "\nAAAA", 2)),
    "no entry": in_bundle(lambda d: material_of(d).update(tlogEntries=[])),
    "no proof": in_bundle(lambda d: entry_of(d).pop("inclusionProof")),
    "no trusted log": in_root(lambda root: root.update(tlogs=[])),
    "no trusted authority": in_root(lambda root: root.update(certificateAuthorities=[])),
    "no certificate log": in_root(lambda root: root.update(ctlogs=[])),
}


def another_entry(document: Any) -> None:
    """A second entry by the same log, about something else."""
    body = json.loads(base64.b64decode(entry_of(document)["canonicalizedBody"]))
    other = base64.b64encode(json.dumps(body).encode()).decode()
    material_of(document)["tlogEntries"].append({**entry_of(document), "canonicalizedBody": other})


def bad_line(text: str) -> str:
    """A checkpoint with one more line by the log, first, which the log did not sign."""
    note, _, lines = text.rpartition("\n\n")
    _, name, encoded = lines.splitlines()[0].split()
    line = bytearray(base64.b64decode(encoded))
    line[-1] ^= 1
    return f"{note}\n\n\u2014 {name} {base64.b64encode(line).decode()}\n{lines}"


def late(document: Any) -> None:
    """Stamps whose time was changed after they were signed, where no promise tells it too."""
    if "inclusionPromise" in entry_of(document):
        raise KeyError
    for stamp in stamps_of(document):
        changed = re.sub(rb"(?<=\x18\x0f)20..", b"2031", base64.b64decode(stamp["signedTimestamp"]))
        stamp["signedTimestamp"] = base64.b64encode(changed).decode()


def without_a_stamp(document: Any) -> None:
    """Answers that hold no stamp, where no promise tells the time too."""
    if "inclusionPromise" in entry_of(document):
        raise KeyError
    ungranted(document)


def unsigned(document: Any) -> None:
    """A certificate that can be read and that nobody signed."""
    leaf = leaf_of(document)
    leaf["rawBytes"] = base64.b64encode(base64.b64decode(leaf["rawBytes"])[:-1] + b"\x00").decode()


def as_version_01(document: Any) -> None:
    """A bundle v0.1, which needs the log's promise, without one."""
    if "inclusionPromise" in entry_of(document):
        raise KeyError
    if "certificate" in material_of(document):
        chained(document)
    document["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1"


HIDDEN: dict[str, Callable[[Asked], Asked]] = {
    **{name: change for name, change in TAMPERED.items() if name != "another certificate"},
    "a certificate that nobody signed": in_bundle(unsigned),
    "the same name by another issuer": lambda asked: replace(asked, issuer="http://mallory.test"),
    "a v0.1 without a promise": in_bundle(as_version_01),
    "another entry of the log": in_bundle(another_entry),
    "a line that the log did not sign": in_checkpoint(bad_line),
    "stamps that are changed": in_bundle(late),
    "answers without a stamp": in_bundle(without_a_stamp),
}
"""What a careless repair would drop."""


REPAIRED = [r.name for r in REASONS if r.stricter == "they" and r.repair is not None]


@pytest.mark.parametrize("name", REPAIRED)
def test_a_repair_hides_no_wrong_yes(name: str, bundles: tuple[Asked, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Had we said yes to what is tampered with, and to whatever is made of it, no repair would make others join."""
    asked, we = witness(name, bundles)
    monkeypatch.setattr(reasons, "ours", lambda _: we)
    ask: Callable[[Asked], Answer] = theirs
    if name in OF_GO:
        found(lambda: binary("sigstore-go-verify"))
        go = judge()
        assert go is not None
        ask = go
    tried = 0
    for tampered, change in HIDDEN.items():
        try:
            forged = change(asked)
        except (KeyError, ValueError):  # there is nothing of the kind in it
            continue
        tried += 1
        assert explained(forged, we, ask) is None, tampered
    assert tried > 6


@pytest.mark.parametrize("name", [V1, V2, BARE])
def test_a_member_by_its_original_name_is_as_good_as_absent(name: str, bundles: tuple[Asked, ...]) -> None:
    asked = next(asked for asked in bundles if asked.name == name)
    verdicts: Counter[bool] = Counter()
    for path in [path for path in paths(json.loads(asked.bundle)) if re.search("[A-Z]", str(path[-1]))]:
        original = re.sub("([A-Z])", lambda found: f"_{found[1].lower()}", path[-1])

        def rename(document: Any, path: Steps = path, original: str = original) -> None:
            box = within(document, path[:-1])
            box[original] = box.pop(path[-1])

        def drop(document: Any, path: Steps = path) -> None:
            del within(document, path[:-1])[path[-1]]

        renamed, dropped = ours(in_bundle(rename)(asked)), ours(in_bundle(drop)(asked))
        assert renamed == dropped, path
        verdicts[renamed.yes] += 1
    assert verdicts[False] > 10
    assert verdicts[True] > 0


def paths(value: Any, path: Steps = ()) -> Iterator[Steps]:
    for step, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, step)
        yield from paths(each, (*path, step))


def within(value: Any, path: Steps) -> Any:
    for step in path:
        value = value[step]
    return value


# --- the recorded stack ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sigstore-go", "cosign"])
def test_a_peer_agrees_about_the_recorded_stack(name: str, recorded_stack: Path) -> None:
    found(lambda: binary({"sigstore-go": "sigstore-go-verify"}.get(name, name)))
    stack = recorded(recorded_stack)
    result = compare(enumerate(stack), peers(stack, recorded_stack)[name])
    assert result.wrong == []
    assert result.verdicts == {(True, True): len(stack)} == {(True, True): 13}


@pytest.mark.parametrize("name", ["sigstore-go", "cosign"])
def test_a_peer_joins_in_each_yes_about_mutations_of_the_recorded_stack(name: str, recorded_stack: Path) -> None:
    found(lambda: binary({"sigstore-go": "sigstore-go-verify"}.get(name, name)))
    stack = recorded(recorded_stack)
    made = mutations(Material(both=stack, one=(), none=()), "tests", range(60))
    result = compare(made, peers(stack, recorded_stack)[name], only_ours=True)
    assert result.wrong == []
    assert result.verdicts[True, True] > 5
    assert result.refused > 30


@pytest.mark.parametrize("tampered", TAMPERED)
def test_what_is_tampered_with_is_refused_by_all(tampered: str, recorded_stack: Path) -> None:
    stack = recorded(recorded_stack)
    engines = {"sigstore-python": theirs, **peers(stack, recorded_stack)}
    for asked in (asked for asked in stack if asked.name in (V1, V2)):
        assert ours(asked).yes
        changed = TAMPERED[tampered](asked)
        answers = {name: ask(changed).yes for name, ask in {"we": ours, **engines}.items()}
        assert not any(answers.values()), (asked.name, answers)


def url_safe(text: str) -> str:
    note, _, lines = text.rpartition("\n\n")
    return f"{note}\n\n{lines.translate(URL_SAFE)}"


REFUSED: dict[str, tuple[str, Callable[[Asked], Asked], tuple[str, str]]] = {
    # "Required for v0.1 bundles" (sigstore_rekor.proto, inclusion_promise), and Rekor v2 gives none.
    "a v0.1 without a promise": (V2, in_bundle(as_version_01), ("NotLogged", "tlogEntries.inclusionPromise")),
    # "The base64 encoding used throughout is the standard Base 64 encoding" (C2SP signed-note, "Conventions").
    "URL-safe base64 in a checkpoint": (V2, in_checkpoint(url_safe), ("Base64Refused", "inclusionProof.checkpoint")),
    # "If a signature from a known key fails to verify, clients SHOULD reject the whole note" (the same, "Signatures").
    "a bad line by a log of Rekor v2": (V2, in_checkpoint(bad_line), ("SignatureInvalid", "checkpoint")),
    "a bad line by a log of Rekor v1": (V1, in_checkpoint(bad_line), ("SignatureInvalid", "checkpoint")),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_standards_refuse_is_refused_by_all(what: str, recorded_stack: Path) -> None:
    of, change, refusal = REFUSED[what]
    stack = recorded(recorded_stack)
    asked = change(next(asked for asked in stack if asked.name == of))
    we = ours(asked)
    assert (we.yes, we.code, we.where) == (False, *refusal)
    engines = {"sigstore-python": theirs, **peers(stack, recorded_stack)}
    assert not any(ask(asked).yes for ask in engines.values())


# --- the page --------------------------------------------------------------------------------------------------------


def test_the_page_lists_the_reasons() -> None:
    assert page.reasons_of(page.PAGE.read_text(encoding="utf-8")) == {
        reason.name: (reason.stricter, reason.why) for reason in REASONS
    }
