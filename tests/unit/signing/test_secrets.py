"""Does a secret of a signer show anywhere: in a repr, its variables, an error and its frames, a log, a pickle?"""

import base64
import copy
import dataclasses
import logging
import pickle
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from glasswing_attest import GlasswingError, KeySigner, ModelRecord, attest
from glasswing_attest._cli import main
from glasswing_attest.artifact.file import Blob
from glasswing_attest.signing import CertificateSigner, IdentityTokens, SigstoreSigner, WitnessedSigner
from tests.private_pki import Pki, pem
from tests.served import QUICK, Reply, Served

THING, SAID = Blob(b"weights", name="m.bin"), ModelRecord(name="m")
PKI = Pki()
PASSPHRASE = "correct horse battery staple"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of signer: how one is made, what it knows that nobody else may, and how it is made to fail."""

    signer: Any
    secrets: tuple[str, ...]
    fail: Callable[[], Any]


def numbers(key: Any) -> tuple[str, ...]:
    """A private key in the forms in which it might be shown."""
    value = key.private_numbers().private_value
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    # PKCS#8 begins with 36 bytes about the kind of key, and 32 later the public half begins.
    return (str(value), f"{value:x}", base64.b64encode(der)[48:88].decode())


def sealing(signer: Any) -> Callable[[], Any]:
    return lambda: attest(THING, SAID, signer=signer)


def failing(served: Served, signer: Any) -> Callable[[], Any]:
    """Every service says no, and repeats what it was sent."""

    def fail() -> Any:
        def trouble(service: str, _count: int) -> Reply:
            return Reply(status=400, body=b'{"message": "%b"}' % served.bodies[service][-1].replace(b'"', b"'")[:4000])

        served.trouble = trouble
        return attest(THING, SAID, signer=signer)

    return fail


def in_memory(_served: Served, _folder: Path) -> Kind:
    signer = KeySigner(PKI.leaf_key)
    return Kind(signer=signer, secrets=numbers(PKI.leaf_key), fail=lambda: signer.write(Path("nowhere/x.pem")))


def from_pem(_served: Served, folder: Path) -> Kind:
    signer = KeySigner(PKI.leaf_key)
    written = signer.write(folder / "key.pem", passphrase=PASSPHRASE)
    wrong = f"{PASSPHRASE}!"
    return Kind(
        signer=KeySigner.from_pem(written.read_bytes(), passphrase=PASSPHRASE),
        secrets=(PASSPHRASE, *numbers(PKI.leaf_key)),
        fail=lambda: KeySigner.from_pem(written.read_bytes(), passphrase=wrong),
    )


def from_file(served: Served, folder: Path) -> Kind:
    wrong = f"{PASSPHRASE}!"
    found = from_pem(served, folder)
    return dataclasses.replace(
        found,
        signer=KeySigner.from_file(folder / "key.pem", passphrase=PASSPHRASE),
        fail=lambda: KeySigner.from_file(folder / "key.pem", passphrase=wrong),
    )


def from_pem_that_is_none(served: Served, folder: Path) -> Kind:
    found = from_pem(served, folder)
    broken = PKI.leaf_key_pem.replace(b"-----END", b"x-----END")
    return dataclasses.replace(found, fail=lambda: KeySigner.from_pem(broken))


def from_uri(_served: Served, folder: Path) -> Kind:
    written = KeySigner(PKI.leaf_key).write(folder / "key.pem", passphrase=PASSPHRASE)
    wrong = f"{PASSPHRASE}!"
    return Kind(
        signer=KeySigner.from_uri(f"file:{written}", secrets=lambda _: PASSPHRASE),
        secrets=(PASSPHRASE, *numbers(PKI.leaf_key)),
        fail=lambda: KeySigner.from_uri(f"file:{written}", secrets=lambda _: wrong),
    )


def by_certificate(_served: Served, _folder: Path) -> Kind:
    expired = CertificateSigner(KeySigner(PKI.leaf_key), pem(PKI.leaf(usages=())) + pem(PKI.intermediate))
    return Kind(signer=PKI.signer(), secrets=numbers(PKI.leaf_key), fail=sealing(expired))


def with_witnesses(served: Served, _folder: Path) -> Kind:
    signer = WitnessedSigner(KeySigner(PKI.leaf_key), served.instance(1), patience=QUICK)
    return Kind(signer=signer, secrets=numbers(PKI.leaf_key), fail=failing(served, signer))


def keyless(served: Served, folder: Path) -> Kind:
    token = served.token()
    (folder / "token").write_text(token)
    signer = SigstoreSigner(IdentityTokens.from_file(folder / "token"), instance=served.instance(1), patience=QUICK)
    parts = tuple(part for part in token.split(".") if len(part) > 8)
    fresh = SigstoreSigner.from_token(token, instance=served.instance(1), patience=QUICK)
    return Kind(signer=signer, secrets=(token, *parts), fail=failing(served, fresh))


def keyless_with_a_held_key(served: Served, folder: Path) -> Kind:
    found = keyless(served, folder)
    attest(THING, SAID, signer=found.signer)
    held = found.signer._held
    return dataclasses.replace(found, secrets=(*found.secrets, *numbers(held.key)))


KINDS = [
    in_memory,
    from_pem,
    from_file,
    from_pem_that_is_none,
    from_uri,
    by_certificate,
    with_witnesses,
    keyless,
    keyless_with_a_held_key,
]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kind]:
    with Served() as served:
        yield request.param(served, tmp_path)


def shows_nothing(kind: Kind, text: str) -> None:
    assert text, "nothing was looked at"
    for secret in kind.secrets:
        assert secret not in text


def test_the_probe_finds_what_is_shown(tmp_path: Path) -> None:
    with Served() as served:
        found = keyless_with_a_held_key(served, tmp_path)
    assert found.signer._tokens._ask() in found.secrets
    assert numbers(found.signer._held.key)[0] in found.secrets
    with pytest.raises(AssertionError):
        shows_nothing(found, f"a message with {found.secrets[0]}")


def test_a_repr_and_what_is_within(kind: Kind) -> None:
    texts = []
    waiting, seen = [kind.signer], set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen or not type(each).__module__.startswith("glasswing_attest."):
            continue
        seen.add(id(each))
        texts += [repr(each), str(each), f"{each}"]
        names = {name for base in type(each).__mro__ for name in getattr(base, "__slots__", ())}
        inner = {**getattr(each, "__dict__", {}), **{n: getattr(each, n) for n in names if hasattr(each, n)}}
        texts.append(repr({name: value for name, value in inner.items() if not isinstance(value, bytes | dict)}))
        waiting += inner.values()
    shows_nothing(kind, "\n".join(texts))


def test_an_error_and_all_of_its_frames(kind: Kind) -> None:
    with pytest.raises(GlasswingError) as failed:
        kind.fail()
    error = failed.value
    shows_nothing(kind, "".join(traceback.format_exception(error)))
    shows_nothing(kind, repr(error.to_dict()))
    # Crash reporters print the variables of our frames, too; those of the test's own know the secret.
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    shows_nothing(kind, "\n".join(_of_ours(told)))


def _of_ours(told: traceback.TracebackException) -> Iterator[str]:
    yield str(told)
    for frame in told.stack:
        if "/glasswing_attest/" in frame.filename:
            yield f"{frame.name}: {frame.locals}"
    for inner in (told.__cause__, told.__context__):
        if inner is not None:
            yield from _of_ours(inner)


def test_a_log_at_its_loudest(kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    attest(THING, SAID, signer=kind.signer)
    with pytest.raises(GlasswingError):
        kind.fail()
    shows_nothing(kind, f"logged: {caplog.text}")


def test_neither_pickled_nor_copied(kind: Kind) -> None:
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            copied(kind.signer)


def test_what_is_signed_holds_no_secret(kind: Kind) -> None:
    shows_nothing(kind, attest(THING, SAID, signer=kind.signer).bytes.decode())


# --- from a shell ----------------------------------------------------------------------------------------------------


def test_no_command_takes_a_secret_as_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("keygen", "attest", "run", "oms", "verify"):
        main([command, "--help"])
        text = capsys.readouterr().out
        for option in ("--passphrase ", "--pin ", "--token ", "--identity-token "):
            assert option not in text, f"{command} {option}"
    monkeypatch.setenv("SECRET", PASSPHRASE)
    key = tmp_path / "release.key"
    assert main(["keygen", "--debug", "--passphrase-env", "SECRET", str(key)]) == 0
    assert key.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("SECRET", f"{PASSPHRASE}!")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "w").write_bytes(b"w")
    words = ["attest", "--key", str(key), "--passphrase-env", "SECRET", "--record", "model", "--name", "m"]
    for extra in (["--debug"], ["--debug", "--json"]):
        assert main([*words, *extra, str(tmp_path / "model")]) == 2
        assert PASSPHRASE not in "".join(capsys.readouterr())


def test_threads_leave_nothing_either(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: said.extend(traceback.format_exception(args.exc_value)))
    with Served() as served:
        found = keyless(served, tmp_path)
        thread = threading.Thread(target=found.fail)
        thread.start()
        thread.join()
    shows_nothing(found, "".join(said))
