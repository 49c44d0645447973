"""Are these two names of one Python distribution?

PEP 740, "Attestation subjects": the subject's name is the file name of the distribution, which is compared after
normalisation (PEP 427, PEP 625 and the platform tags' order). Digests prove that it is the file; the name proves that
nobody hands out one of a project's files as another, such as an old release as a new one.
"""

from __future__ import annotations

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    is_normalized_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from glasswing_attest.errors import FieldRefused

__all__ = ["normalised_filename", "same_distribution"]


def normalised_filename(name: str) -> str:
    """Give the one spelling of a wheel's or source distribution's file name.

    Raises:
        FieldRefused: the name is none of a distribution.

    >>> normalised_filename("Foo.Bar-1.0beta1-py3.py2-none-any.whl")
    'foo_bar-1.0b1-py2.py3-none-any.whl'
    """
    try:
        if name.endswith(".whl"):
            project, version, build, tags = parse_wheel_filename(name)
            parts = [
                ".".join(sorted({getattr(tag, part) for tag in tags})) for part in ("interpreter", "abi", "platform")
            ]
            numbered = [f"{build[0]}{build[1]}"] if build else []
            return f"{'-'.join([_escaped(project), str(version), *numbered, *parts])}.whl"
        project, version = parse_sdist_filename(name)
        if not is_normalized_name(project):  # which nobody else has looked at
            raise InvalidSdistFilename("not the name of a project")
    except (InvalidWheelFilename, InvalidSdistFilename) as e:
        wanted = "the file name of a wheel or a source distribution"
        raise FieldRefused(where="name", found=name, wanted=wanted, because=str(e)) from e
    suffix = ".zip" if name.endswith(".zip") else ".tar.gz"
    return f"{_escaped(project)}-{version}{suffix}"


def _escaped(project: str) -> str:
    return canonicalize_name(project).replace("-", "_")


def same_distribution(name: str, other: str) -> bool:
    """Tell whether two file names are of one distribution. Raises `FieldRefused` for what is none of any.

    >>> same_distribution("foo.bar-1.0.tar.gz", "Foo_Bar-1.0.0.tar.gz")
    False
    >>> same_distribution("foo.bar-1.0.tar.gz", "Foo_Bar-1.0.tar.gz")
    True
    """
    return normalised_filename(name) == normalised_filename(other)
