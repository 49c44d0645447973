"""What a fresh review found of issue 4: is a place alone ever taken for the state of it that a build was made from?"""

from typing import Any

import pytest

from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.statement.predicates.build_types import role_of
from glasswing_attest.statement.resource import ResourceDescriptor

CONTAINER = "https://slsa.dev/container-based-build/v0.1?draft"
SOURCE = "git+https://github.com/acme/train@refs/heads/main"


@pytest.mark.parametrize("parameter", ["source", "builderImage"])
@pytest.mark.parametrize("named", [{"uri": SOURCE}, {"uri": SOURCE, "digest": None}, {"uri": SOURCE, "digest": {}}])
def test_without_a_digest_nothing_is_the_source_of_a_container_based_build(parameter: str, named: Any) -> None:
    assert role_of(CONTAINER, {parameter: named}, {}, ResourceDescriptor(uri=SOURCE)) == ""


def test_with_its_digest_it_is() -> None:
    said: Any = {"uri": SOURCE, "digest": {"sha256": "ab" * 32}}
    resource = ResourceDescriptor(uri=SOURCE, digest=DigestSet.of(sha256="ab" * 32))
    assert role_of(CONTAINER, {"source": said}, {}, resource) == "code"
    assert role_of(CONTAINER, {"builderImage": said}, {}, resource) == "image"
