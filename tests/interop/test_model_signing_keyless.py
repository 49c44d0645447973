"""Do model-signing and we accept each other's signatures of models, on a Sigstore?

OpenSSF's own implementation, asked through small programs in an environment of its own. test_model_signing.py asks it
more, of signatures by keys and by certificates of a private authority.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from glasswing_attest import GlasswingError
from glasswing_attest.errors import KeyUntrusted, ModelNotAccepted, SubjectMismatch
from glasswing_attest.oms import Identity, sign_model, verify_model
from tests.interop import peers
from tests.interop.exchange import Bench, NoWay, Who, assert_refused, run, trust_of, witnesses
from tests.interop.matrix import FORMS, YES, Direction, Form, settle

_PEER = "model-signing"
_ONE_LOG = "model-signing takes one log entry of a signature by an identity."
_SIGN = """
import json, pathlib, sys
from model_signing import signing
said = json.load(sys.stdin)
config = signing.Config()
if said["token"]:
    config.use_sigstore_signer(identity_token=said["token"], trust_config=pathlib.Path(said["config"]))
else:
    config.use_elliptic_key_signer(private_key=said["key"])
config.sign(said["model"], said["signature"])
"""
_VERIFY = """
import json, pathlib, sys
from model_signing import verifying
answers = []
for said in json.load(sys.stdin):
    config = verifying.Config()
    if said["key"]:
        config.use_elliptic_key_verifier(public_key=said["key"])
    else:
        trust = pathlib.Path(said["config"])
        config.use_sigstore_verifier(identity=said["san"], oidc_issuer=said["issuer"], trust_config=trust)
    try:
        config.verify(said["model"], said["signature"])
        answers.append("")
    except Exception as e:
        answers.append(f"{type(e).__name__}: {e}")
print(json.dumps(answers))
"""

Ask = Callable[[str, object], str]


@pytest.fixture(scope="module")
def ask() -> Ask:
    """Runs a program with model-signing."""
    python = peers.found(peers.python)

    def ask(program: str, question: object) -> str:
        done = run([python, "-I", "-W", "ignore", "-c", program], given=json.dumps(question))
        assert done.returncode == 0, done.stderr
        return done.stdout

    return ask


def models(bench: Bench) -> tuple[Path, Path]:
    """A model, and the same with another file."""
    for name, weights in (("model", bench.artifact), ("other", b"x" + bench.artifact)):
        (bench.folder / name).mkdir()
        bench.write(f"{name}/weights.bin", weights)
        bench.write(f"{name}/config.json", "{}")
    return bench.folder / "model", bench.folder / "other"


def trust_config(form: Form, bench: Bench) -> Path:
    """The document that it wants: whom to believe, and where to sign."""
    document = bench.stack.client_trust_config
    endings = {"v1": "_v1.json", "both": "_all.json"}
    return document.with_name(f"client_trust_config{endings.get(form.log, '.json')}")


def lies(form: Form, bench: Bench, model: Path, other: Path) -> list[tuple[str, Path, Who]]:
    """What is to be refused: what is wrong, the model, and who is said to have signed it."""
    honest = bench.who(form)
    return [("another artifact", other, honest), *((lie, model, who) for lie, who in bench.lies(form, honest))]


def require_possible(form: Form) -> None:
    """Raise `NoWay` for what nobody has a call for."""
    if form.content == "artifact":
        raise NoWay("model-signing signs models, by a statement.")


def they_sign(form: Form, bench: Bench, ask: Ask) -> None:
    require_possible(form)
    if form.by == "key" and form.log != "none":
        raise NoWay("model-signing asks no witness for a key.")
    model, other = models(bench)
    signature = bench.folder / "theirs.sig"
    said = {
        "token": bench.token(form) if form.by == "identity" else "",
        "key": str(bench.key.write(bench.folder / "key.pem")),
        "config": str(trust_config(form, bench)),
        "model": str(model),
        "signature": str(signature),
    }
    ask(_SIGN, said)
    assert witnesses(signature.read_bytes()) == form.witnesses
    signed_at = datetime.now(UTC) if form.log == "none" else None

    def verify(path: Path, whom: Who) -> None:
        signer = "signer" if whom.key else Identity(issuer=whom.issuer, san=whom.san)
        verify_model(path, signature, trust=trust_of(form, bench, whom), signer=signer, signed_at=signed_at)

    verify(model, bench.who(form))
    for lie, path, whom in lies(form, bench, model, other):
        with pytest.raises(GlasswingError) as refused:
            verify(path, whom)
        assert (type(refused.value), refused.value.code, refused.value.where) == _REFUSALS[lie], str(refused.value)


_REFUSALS = {
    "another artifact": (SubjectMismatch, "verification.subject", "weights.bin"),
    "another key": (KeyUntrusted, "verification.key-untrusted", "$.signatures"),
    "another identity": (ModelNotAccepted, "not-accepted.model", "signer"),
    "another issuer": (ModelNotAccepted, "not-accepted.model", "signer"),
}


def we_sign(form: Form, bench: Bench, ask: Ask) -> None:
    require_possible(form)
    model, other = models(bench)
    signature = bench.folder / "ours.sig"
    sign_model(model, signer=bench.signer(form), signature=signature)
    assert witnesses(signature.read_bytes()) == form.witnesses
    asked = [("", model, bench.who(form)), *lies(form, bench, model, other)]
    question = [
        {
            "key": str(bench.write(f"{number}.pub", whom.key.pem)) if whom.key else "",
            "san": whom.san,
            "issuer": whom.issuer,
            "config": str(trust_config(form, bench)),
            "model": str(path),
            "signature": str(signature),
        }
        for number, (_, path, whom) in enumerate(asked)
    ]
    answers = json.loads(ask(_VERIFY, question))
    if form.log == "both" and "exactly one log entry" in answers[0]:
        raise NoWay(_ONE_LOG)
    for (lie, _, whom), refused in zip(asked, answers, strict=True):
        assert_refused(refused, lie, whom)


def settled(direction: Direction, form: Form, exchange: Callable[[], None]) -> None:
    outcome = YES
    try:
        exchange()
    except NoWay as no_way:
        outcome = str(no_way)
    settle(direction, form, _PEER, outcome)


@pytest.mark.parametrize("form", FORMS["they"], ids=lambda form: form.id)
def test_what_they_sign_is_verified_here(form: Form, ask: Ask, bench: Bench) -> None:
    settled("they", form, lambda: they_sign(form, bench, ask))


@pytest.mark.parametrize("form", FORMS["we"], ids=lambda form: form.id)
def test_what_we_sign_is_verified_there(form: Form, ask: Ask, bench: Bench) -> None:
    settled("we", form, lambda: we_sign(form, bench, ask))
