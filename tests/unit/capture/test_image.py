"""Is a container image named by its digest, and by nothing less?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasswing_attest.capture import Build, ImageReference
from glasswing_attest.errors import UsageError

HEX = "ab" * 32


@pytest.mark.parametrize(
    ("text", "repository", "tag", "purl"),
    [
        (
            f"ghcr.io/acme/train@sha256:{HEX}",
            "ghcr.io/acme/train",
            "",
            f"pkg:oci/train@sha256%3A{HEX}?repository_url=ghcr.io/acme/train",
        ),
        (
            f"localhost:5000/x/y_z:v1.2@sha256:{HEX}",
            "localhost:5000/x/y_z",
            "v1.2",
            f"pkg:oci/y_z@sha256%3A{HEX}?repository_url=localhost:5000/x/y_z&tag=v1.2",
        ),
        (f"python@sha256:{HEX}", "python", "", f"pkg:oci/python@sha256%3A{HEX}?repository_url=python"),
    ],
)
def test_a_reference_is_read(text: str, repository: str, tag: str, purl: str) -> None:
    image = ImageReference.parse(text)
    assert (image.repository, image.tag, image.sha256, image.purl) == (repository, tag, HEX, purl)
    assert (image.manifest.kind, image.manifest.is_declared) == ("image", True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "python",
        "python:3.13",
        f"sha256:{HEX}",
        f"@sha256:{HEX}",
        f"python@sha256:{HEX[:-1]}",
        f"python@sha256:{HEX.upper()}",
        f"python@sha512:{HEX * 2}",
        f"Python@sha256:{HEX}",
        f"u:p@host/x@sha256:{HEX}",
        f"https://ghcr.io/x@sha256:{HEX}",
        f"python@sha256:{HEX}\n",
        f"python@sha256:{HEX} ",
        f"{'a' * 2000}@sha256:{HEX}",
        f"{'a-' * 500}@sha256:{HEX}",
    ],
)
def test_anything_less_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        ImageReference.parse(text)
    assert (caught.value.code, caught.value.where) == ("usage", "image")


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        image = ImageReference.parse(text)
    except UsageError:
        return
    assert text.endswith(image.sha256)


def test_an_image_is_a_declared_input() -> None:
    with Build("https://ci.example/b", build_type="https://example.com/t/v1") as build:
        build.use_image(f"ghcr.io/acme/train:v1@sha256:{HEX}")
    (found,) = build.provenance().resolved_dependencies
    assert (found.name, dict(found.annotations)) == ("ghcr.io/acme/train", {"role": "image", "declared": True})
    assert found.uri == f"pkg:oci/train@sha256%3A{HEX}?repository_url=ghcr.io/acme/train&tag=v1"
    assert found.digest.to_dict() == {"sha256": HEX}
