"""Which ready policies are there, and which words does each of them want?

For whoever chooses one by its name, as the command line does. What a parameter means stands in the function's own
docstring, and of what kind it is in its annotation.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glasswing_attest._config import parse_config
from glasswing_attest.errors import MalformedError, PolicyRefused, counted, shown
from glasswing_attest.policies.github import github_release
from glasswing_attest.policies.models import oms_model, trained_model
from glasswing_attest.policies.packages import npm_package, pypi_package
from glasswing_attest.policies.parts import Who
from glasswing_attest.policies.slsa import slsa_build, verification_summary
from glasswing_attest.policies.trusting import trust_advice
from glasswing_attest.policies.writing import to_yaml
from glasswing_attest.policy.policy import Policy
from glasswing_attest.policy.signers import Identity

__all__ = ["READY", "Parameter", "Ready"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One word that a ready policy wants: its name, what it means, and how a text becomes its value."""

    name: str
    about: str
    required: bool
    repeatable: bool
    read: Callable[[str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A ready policy.

    Attributes:
        name: what it is called on the command line.
        make: the function that gives it.
        notes: what is said beside its parts, for `to_yaml`.
    """

    name: str
    make: Callable[..., Policy]
    notes: Mapping[str, str]

    @property
    def about(self) -> str:
        """What it asks for, in one sentence."""
        return (inspect.getdoc(self.make) or "").partition("\n")[0]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What it wants, in the order of the function."""
        kinds, told = typing.get_type_hints(self.make), _arguments(inspect.getdoc(self.make) or "")
        return tuple(
            Parameter(
                name=name,
                about=told.get(name, ""),
                required=parameter.default is inspect.Parameter.empty,
                repeatable=Sequence[str] in _kinds(kinds[name]) or Mapping[str, Who] in _kinds(kinds[name]),
                read=_reader(name, _kinds(kinds[name])),
            )
            for name, parameter in inspect.signature(self.make).parameters.items()
        )

    def made(self, words: Mapping[str, Sequence[str]]) -> Policy:
        """Give the policy for texts, by the names of parameters.

        Raises:
            PolicyRefused: a word that is missing, or that makes no policy.
        """
        values: dict[str, Any] = {}
        for parameter in self.parameters:
            texts = words.get(parameter.name, ())
            read = [parameter.read(text) for text in texts]
            if not read:
                if parameter.required:
                    raise PolicyRefused(where=f"{self.name}: {parameter.name}", found="nothing", wanted=parameter.about)
            elif not parameter.repeatable:
                if len(read) > 1:
                    found = counted(len(read), "value")
                    raise PolicyRefused(where=f"{self.name}: {parameter.name}", found=found, wanted="one")
                values[parameter.name] = read[0]
            else:
                values[parameter.name] = _together(read, f"{self.name}: {parameter.name}")
        return self.make(**values)

    def written(self, policy: Policy, *, command: str = "") -> str:
        """Write the policy as YAML, with what a reader should know."""
        head = [f"{self.about}", *([f"Made by: {command}"] if command else []), ""]
        head += ["It is yours now: read it, change it, and test it with `glasswing-attest policy test`.", ""]
        head += ["The trust file that goes with it:", *(f"    {line}" for line in trust_advice(policy).splitlines())]
        return to_yaml(policy, head="\n".join(head), notes=self.notes)


def _together(values: Sequence[Any], where: str) -> Any:
    if not isinstance(values[0], Mapping):
        return values[0] if len(values) == 1 else tuple(values)
    joined: dict[str, Any] = {}
    for value in values:
        if twice := joined.keys() & value.keys():
            raise PolicyRefused(where=where, found=f"{min(twice)} twice", wanted="each once")
        joined |= value
    return joined


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """Give the forms that a value may have: the members of a union, or the one that it is."""
    if typing.get_origin(annotation) in (typing.Union, type(int | str)):
        return tuple(kind for kind in typing.get_args(annotation) if kind is not type(None))
    return (annotation,)


def _reader(name: str, kinds: Iterable[Any]) -> Callable[[str], Any]:
    if Mapping[str, Who] in kinds:
        return lambda text: {builder: _who(who, name) for builder, who in _mapping(text, name, _BUILDERS).items()}
    if Identity in kinds:
        return lambda text: _who(_mapping(text, name, _IDENTITY) if text.startswith("{") else text, name)
    if list(kinds) == [int]:
        return lambda text: _integer(text, name)
    return str


def _integer(text: str, name: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise PolicyRefused(where=name, found=text, wanted="an integer")
    return int(text)


_BUILDERS = "{https://ci.example/builder: ci}"
_IDENTITY = "{issuer: https://…, san: …}"


def _mapping(text: str, name: str, form: str) -> Mapping[str, Any]:
    """Read a mapping as a policy file has it, of this form."""
    try:
        return parse_config(text.encode(), kind="policy", where=name)
    except PolicyRefused as e:
        raise PolicyRefused(where=name, found=text, wanted=f"a mapping, such as '{form}'") from e
    except MalformedError as e:
        raise e.moved(name) from e


def _who(value: Any, name: str) -> Who:
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        wanted = f"a key's name, or an identity such as {_IDENTITY}"
        raise PolicyRefused(where=name, found="nothing" if value is None else shown(str(value)), wanted=wanted)
    try:
        return Identity(**value)
    except PolicyRefused as e:
        raise e.moved(f"{name}: {e.where}") from e


_ARGUMENT = re.compile(r"    ([a-z_]+): (.*)")


def _arguments(docstring: str) -> dict[str, str]:
    """Read what a docstring says of each argument."""
    told: dict[str, str] = {}
    name = ""
    for line in docstring.partition("\nArgs:\n")[2].partition("\n\n")[0].splitlines():
        if found := _ARGUMENT.fullmatch(line):
            name, told[found[1]] = found[1], found[2]
        elif name:
            told[name] += f" {line.strip()}"
    return told


_TRIMS = "What went into it needs no evidence: say `require` instead of `trim` for each kind that does."
_RELEASE = {
    "identities": "Who signs: a workflow run of this repository, by the claims of its certificate.",
    "identities.release": "… one of the repository's own workflows, with actions/attest-build-provenance,",
    "identities.generator": "… a builder of slsa-framework/slsa-github-generator that the repository called,",
    "identities.reusable": "… the reusable workflow that you named, called by the repository.",
    "builders": "How far each pair of signer and builder is believed: nothing else gives a SLSA build level.",
    "nodes.*": "Any one of these is enough. Each asks for the same source, and for its own builder.",
    "nodes.code": _TRIMS,
}

READY: Mapping[str, Ready] = {
    ready.name: ready
    for ready in (
        Ready(
            name="slsa-build",
            make=slsa_build,
            notes={
                "identities": "Who signs for the builders.",
                "builders": "The levels are your word. A pair of signer and builder that is not here has level 1.",
                "nodes.code": _TRIMS,
            },
        ),
        Ready(name="github-release", make=github_release, notes=_RELEASE),
        Ready(
            name="trained-model",
            make=trained_model,
            notes={
                "identities": "Who may say what. Keep the names apart, even where one key stands behind several.",
                "builders": "Up to which level the builder is believed, for the trainer's word.",
                "nodes.model": "The model: its training run, its record, and what else was asked for.",
                "nodes.dataset": "Each dataset that the run names. One that is not attested by these is refused.",
                "nodes.code": "The checkout that the run was started from. Of a kind without a rule, "
                "nothing may come in: add a rule, or a trim, for what else your builder names.",
                "nodes.baseModel": "The model that it was trained from, if there was one.",
            },
        ),
        Ready(
            name="oms-model",
            make=oms_model,
            notes={"nodes.model": "The signature lists every file of the model. It says nothing of where it is from."},
        ),
        Ready(
            name="npm-package",
            make=npm_package,
            notes={
                "identities.publisher": "The workflow that publishes it, by the claims of its certificate.",
                "nodes.file": "The registry published it, and GitHub built it; in either version of provenance.",
                "nodes.code": _TRIMS,
            },
        ),
        Ready(
            name="pypi-package",
            make=pypi_package,
            notes={
                "identities.publisher": "The trusted publisher, as the project's settings on PyPI have it.",
                "nodes.file": "Published by them. Of how it was built this attestation says nothing.",
            },
        ),
        Ready(
            name="verification-summary",
            make=verification_summary,
            notes={
                "identities.verifier": "Who signs for the verifier. Nobody else's summary counts.",
                "nodes.*": "What the verifier has passed needs no further evidence here.",
            },
        ),
    )
}
"""Every ready policy, by its name."""
