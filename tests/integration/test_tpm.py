"""Does a TPM 2.0 sign attestations, and is every refusal of its told?

The TPM is swtpm, a process on loopback; the keys are made in it, and stay in it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import KeySigner
from glasswing_attest.errors import KeyUnsupported, SelfCheckFailed, ServiceRefused, ServiceUnavailable, UsageError
from tests.devices import (
    answers,
    free_ports,
    is_not_shown,
    need_programs,
    prove_it_signs,
    running,
    tells_no_secret,
    threads_may_share,
)

AUTH = "key-auth-of-the-test"
SIGNS = "userwithauth|sign|fixedtpm|fixedparent|sensitivedataorigin"
# handle: algorithm and attributes as tpm2-tools write them, and whether it has an authorisation value.
KEYS = {
    "0x81010001": ("ecc256:null", SIGNS, False),
    "0x81010002": ("ecc384:null", SIGNS, False),
    "0x81010003": ("rsa2048:null", SIGNS, False),
    "0x81010004": ("ecc256:ecdsa-sha256", SIGNS, True),
    "0x81010005": ("ecc256:ecdsa-sha384", SIGNS, False),  # bound to a hash that is not the registry's for this curve
    "0x81010006": ("rsa2048:rsapss-sha256:null", SIGNS, False),
    "0x81010007": ("ecc256:ecdsa-sha256:null", f"restricted|{SIGNS}", False),
    "0x81010008": ("rsa2048", "userwithauth|decrypt|fixedtpm|fixedparent|sensitivedataorigin", False),
}


@pytest.fixture(scope="module")
def tpm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A TPM with these keys, to which this process is led."""
    tss: Any = pytest.importorskip("tpm2_pytss", reason="tpm2-pytss is not installed: the extra tpm brings it")
    need_programs("swtpm")
    folder = tmp_path_factory.mktemp("swtpm")
    port, control = free_ports(2)
    command = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}", "--flags", "not-need-init,startup-clear"]
    command += ["--server", f"type=tcp,port={port}", "--ctrl", f"type=tcp,port={control}"]
    where = f"swtpm:host=127.0.0.1,port={port}"
    with running(command, port=control, log=folder / "log"), pytest.MonkeyPatch.context() as patched:
        patched.setenv("TPM2TOOLS_TCTI", where)
        patched.setenv("TSS2_LOG", "all+none")  # what its library prints of the refusals below
        with tss.ESAPI(where) as esapi:
            for handle, (algorithm, attributes, has_auth) in KEYS.items():
                public = tss.TPM2B_PUBLIC.parse(algorithm, objectAttributes=tss.TPMA_OBJECT.parse(attributes))
                secret = tss.TPM2B_SENSITIVE_CREATE(tss.TPMS_SENSITIVE_CREATE(AUTH.encode() if has_auth else b""))
                made = esapi.create_primary(secret, public)[0]
                esapi.evict_control(tss.ESYS_TR.OWNER, made, int(handle, 16))
                esapi.flush_context(made)
        yield tss


@pytest.mark.parametrize(
    ("handle", "scheme"),
    [
        ("0x81010001", "ecdsa-sha2-nistp256"),
        ("0x81010002", "ecdsa-sha2-nistp384"),
        ("0x81010003", "rsa-pkcs1v15-sha256"),
    ],
)
def test_a_tpm_signs(tpm: Any, handle: str, scheme: str, tmp_path: Path) -> None:
    signer = KeySigner.from_uri(f"tpm:{handle}")
    assert signer.public_key.schemes == (scheme,)
    prove_it_signs(signer, tmp_path)


def test_a_key_with_an_authorisation_value_signs(tpm: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    signer = KeySigner.from_uri("tpm:0x81010004", secrets=answers(auth=AUTH))
    prove_it_signs(signer, tmp_path)
    is_not_shown(signer, caplog, AUTH)


def test_the_value_may_stand_in_the_environment(tpm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSWING_ATTEST_AUTH", AUTH)
    assert KeySigner.from_uri("tpm:0x81010004").seal(b"payload", "text/plain")


def test_threads_share_a_tpm(tpm: Any) -> None:
    threads_may_share(KeySigner.from_uri("tpm:0x81010001"))


@pytest.mark.parametrize("auth", ["wrong-auth-value", ""])
def test_a_wrong_value_is_refused(tpm: Any, auth: str) -> None:
    signer = KeySigner.from_uri("tpm:0x81010004", secrets=answers(auth=auth))
    with pytest.raises(ServiceRefused) as refused:
        signer.seal(b"payload", "text/plain")
    error = refused.value
    assert (error.code, error.where) == ("signing.refused", "tpm:0x81010004")
    assert error.because.startswith("the TPM: TSS2_Exception: tpm:session(1):the authorization HMAC check failed")
    tells_no_secret(error, *filter(None, [auth]), AUTH)


def test_a_handle_without_a_key_is_refused(tpm: Any) -> None:
    with pytest.raises(ServiceRefused) as refused:
        KeySigner.from_uri("tpm:0x81019999")
    assert (refused.value.code, refused.value.where) == ("signing.refused", "tpm:0x81019999")
    assert "handle" in refused.value.because


@pytest.mark.parametrize(
    ("handle", "found"),
    [
        ("0x81010005", "ecdsa with sha384"),
        ("0x81010006", "rsapss with sha256"),
        ("0x81010007", "a restricted key"),
        ("0x81010008", "a key that does not sign"),
    ],
)
def test_a_key_that_does_not_sign_here_is_refused_before_anything_is_signed(tpm: Any, handle: str, found: str) -> None:
    with pytest.raises(KeyUnsupported) as refused:
        KeySigner.from_uri(f"tpm:{handle}")
    assert (refused.value.code, refused.value.where, refused.value.found) == ("unsupported.key", f"tpm:{handle}", found)


def test_another_key_than_the_one_pinned_gives_nothing(tpm: Any) -> None:
    pinned = KeySigner.from_uri("tpm:0x81010001").public_key
    assert KeySigner.from_uri("tpm:0x81010001", public_key=pinned).seal(b"payload", "text/plain")
    other = KeySigner.from_uri("tpm:0x81010004", public_key=pinned, secrets=answers(auth=AUTH))
    with pytest.raises(SelfCheckFailed) as refused:
        other.seal(b"payload", "text/plain")
    assert (refused.value.code, refused.value.where) == ("signing.self-check", "tpm:0x81010004")


def test_a_tpm_that_is_not_there_is_said_so(tpm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = KeySigner.from_uri("tpm:0x81010001")
    port, _ = free_ports(2)
    for where in (f"swtpm:host=127.0.0.1,port={port}", "device:/dev/null", "nonsense:"):
        monkeypatch.setenv("TPM2TOOLS_TCTI", where)
        for call in (lambda: KeySigner.from_uri("tpm:0x81010001"), lambda: signer.seal(b"payload", "text/plain")):
            with pytest.raises(ServiceUnavailable) as down:
                call()
            assert (down.value.code, down.value.where) == ("unavailable.service", "tpm:0x81010001")
            assert "TPM2TOOLS_TCTI" in down.value.do


@pytest.mark.parametrize("uri", ["tpm:", "tpm:81010001", "tpm:0x80000001", "tpm:0x810100011", "tpm:0x81010001?auth=x"])
def test_other_forms_of_the_uri_are_refused(tpm: Any, uri: str) -> None:
    with pytest.raises(UsageError) as refused:
        KeySigner.from_uri(uri)
    assert (refused.value.code, refused.value.where) == ("usage", "uri")
    assert refused.value.wanted == "tpm:0x81000001, a persistent handle"
