"""What does a test see of the servers?

A `Stack` says where they listen and which files a client needs, and makes tokens. It is read back from a file, so that
several processes use one stack.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric import rsa

from glasswing_attest import Trust
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Profile, Root
from tests.stack import issuer as issuers
from tests.stack.identities import IDENTITIES

__all__ = ["Stack"]

_FILE = "stack.json"


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Servers that run on the loopback: their URLs, and the files beside them in `folder`."""

    folder: Path
    fulcio: str
    ct_log: str
    rekor_v1: str
    rekor_v2: str
    rekor_v2_alone: str
    """The same without the server that shows its tiles."""
    tsa: str
    """The full URL of Sigstore's time-stamping authority."""
    other_tsa: str
    """The same of another operator's, which is OpenSSL."""
    issuer: str
    """The base of all issuers: each identity's is a path below it."""
    pids: Mapping[str, int]

    @property
    def trusted_root(self) -> Path:
        """Whom to believe."""
        return self.folder / "trusted_root.json"

    @property
    def signing_config(self) -> Path:
        """Where to sign, with Rekor v2 and its clock."""
        return self.folder / "signing_config.json"

    @property
    def signing_config_v1(self) -> Path:
        """Where to sign, with Rekor v1 and a clock."""
        return self.folder / "signing_config_v1.json"

    @property
    def signing_config_all(self) -> Path:
        """Where to sign, with both logs and both clocks, which have two operators: all of them are asked for."""
        return self.folder / "signing_config_all.json"

    @property
    def client_trust_config(self) -> Path:
        """The trusted root and `signing_config` in one document, as some want it; there are `_v1` and `_all`, too."""
        return self.folder / "client_trust_config.json"

    @property
    def logs(self) -> Path:
        """The folder of the servers' own logs."""
        return self.folder / "logs"

    @cached_property
    def trust(self) -> Trust:
        """Our trust in it, as in Sigstore's public instance: a certificate log, a log, and a time."""
        return self.trust_of(PUBLIC_GOOD)

    def trust_of(self, profile: Profile) -> Trust:
        """Our trust in it under a profile."""
        return Trust(roots=(Root.parse(self.trusted_root.read_bytes(), name="stack", profile=profile),))

    def issuer_of(self, identity: str) -> str:
        """The issuer of one of `IDENTITIES`, as certificates name it."""
        return f"{self.issuer}/{identity}"

    def san_of(self, identity: str) -> str:
        """The name that a certificate for one of `IDENTITIES` has."""
        return IDENTITIES[identity].san

    def token(
        self,
        identity: str = "email",
        *,
        audience: str = "sigstore",
        expires: timedelta = timedelta(minutes=10),
        wrong: Literal["key", "issuer"] | None = None,
        **claims: Any,
    ) -> str:
        """A token as the identity's provider would issue it now.

        Args:
            identity: one of `IDENTITIES`.
            audience: for whom it is; Fulcio wants "sigstore".
            expires: how long it lives; below zero, it is over.
            wrong: signed by a key that the issuer does not publish, or by an issuer that Fulcio does not know.
            claims: instead of those that the identity has, or beside them.
        """
        key = self._stranger if wrong == "key" else issuers.load_key(self.folder / "issuer.key")
        by = self.issuer_of(issuers.STRANGER if wrong == "issuer" else identity)
        said = {**IDENTITIES[identity].claims, **claims}
        return issuers.signed_token(key, by, said, audience=audience, expires=expires)

    def ambient(self, identity: str = "github") -> dict[str, str]:
        """The environment variables by which a workflow's job on GitHub finds its token."""
        return issuers.ambient(self.issuer_of(identity))

    @cached_property
    def _stranger(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def write(self) -> None:
        """Say that everything is ready: the file is there when the stack is."""
        fresh = self.folder / f"{_FILE}.new"
        fresh.write_text(json.dumps({**asdict(self), "folder": str(self.folder)}, indent=1), encoding="utf-8")
        fresh.replace(self.folder / _FILE)

    @classmethod
    def read(cls, folder: Path) -> "Stack":
        """The stack that runs in this folder. Raises `FileNotFoundError` while it is not ready."""
        plain: dict[str, Any] = {**json.loads((folder / _FILE).read_bytes()), "folder": folder}
        return cls(**plain)
