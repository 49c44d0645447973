"""Is an installed environment read as it is, wherever it lies, and is everything refused that would mislead?"""

import dataclasses
import os
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.environment import Environment, StartupFile
from glasswing_attest.artifact.installed import by_name, is_bytecode, parse_record
from glasswing_attest.errors import (
    ArtifactEmpty,
    ArtifactIrregular,
    ArtifactUnreadable,
    ArtifactUnstable,
    DigestRefused,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    LimitError,
    NotJson,
    NotUtf8,
)
from glasswing_attest.limits import Limits
from tests.environments import SITE, build_wheel, install, make_prefix

COMMIT = "0123456789abcdef0123456789abcdef01234567"
INFO = f"{SITE}/demo-1.0.dist-info"


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """An environment with one package and its console script."""
    made = make_prefix(tmp_path / "env")
    install(made, build_wheel(tmp_path / "wheels", script="demo-run"))
    return made


# --- real environments -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mine() -> Environment:
    """The environment that runs the tests."""
    return Environment()


def test_the_environment_that_runs_this_is_read_whole(mine: Environment) -> None:
    found = mine.read()
    # What importlib.metadata sees on the same path is what is found, and nothing else.
    sites = [str(mine.prefix.resolve() / site) for site in found.sites]
    seen = {(canonicalize_name(d.metadata["Name"]), d.version) for d in metadata.distributions(path=sites)}
    assert {(p.name, p.version) for p in found.packages} == seen
    assert len(seen) > 20
    files = {file.name: file.sha256 for file in found.files}
    claimed = [(p.name, f) for p in found.packages for f in p.files if f.sha256 and not is_bytecode(f.name)]
    assert len(claimed) > 1000
    assert [(name, f.name) for name, f in claimed if files.get(f.name) != f.sha256] == []
    assert set(files) <= {file.name for package in found.packages for file in package.files}
    assert [p.name for p in found.packages if not p.dir_hash] == []
    assert all(p.record_sha256 and p.installer for p in found.packages)


def test_this_project_is_named_as_editable_where_it_is(mine: Environment) -> None:
    (here,) = by_name(mine.packages())["glasswing-attest"]
    direct = metadata.distribution("glasswing-attest").read_text("direct_url.json") or ""
    editable = '"editable": true' in direct.replace('"editable":true', '"editable": true')
    assert (here.installed_as == "editable") is editable
    assert (
        here.purl == f"pkg:{'generic' if here.installed_as != 'direct-url' else 'pypi'}/glasswing-attest@{here.version}"
    )
    assert not here.digests


def test_the_markers_are_those_of_this_interpreter(mine: Environment) -> None:
    assert mine.markers["python_full_version"] == ".".join(map(str, sys.version_info[:3]))
    assert mine.markers["sys_platform"] == sys.platform
    assert "platform_version" not in mine.markers


def test_pip_installs_what_the_installer_of_these_tests_installs(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path / "wheels", script="demo-run")
    other = build_wheel(tmp_path / "wheels", "other", "2", {"other.py": b"X = 1\n"})
    made = tmp_path / "real"
    venv.EnvBuilder(with_pip=False).create(made)
    pip = [sys.executable, "-m", "pip", "--python", str(made / "bin" / "python"), "--disable-pip-version-check"]
    options = ["install", "-q", "--no-index", "--no-deps", "--no-compile"]
    subprocess.run([*pip, *options, "--find-links", str(wheel.parent), "demo"], check=True)
    subprocess.run([*pip, *options, str(other)], check=True)
    real = Environment(made).read()

    by_hand = make_prefix(tmp_path / "hand")
    install(by_hand, wheel)
    sha256 = next(p for p in real.packages if p.name == "other").digests.get("sha256")
    note = {"url": other.as_uri(), "archive_info": {"hash": f"sha256={sha256}", "hashes": {"sha256": sha256}}}
    install(by_hand, other, direct_url=note)
    hand = Environment(by_hand).read()

    def facts(found: object) -> list[dict[str, object]]:
        kept = ("name", "version", "purl", "installed_as", "url", "digests", "digest_from", "dir_hash", "tags")
        return [{name: getattr(p, name) for name in kept} for p in found.packages]  # type: ignore[attr-defined]

    running = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    assert real.sites == (running,)
    if running == SITE:
        assert facts(real) == facts(hand)
        assert real.manifest.digests == hand.manifest.digests
    (demo, archive) = real.packages
    assert (demo.installed_as, demo.purl, demo.digests) == ("index", "pkg:pypi/demo@1.0", DigestSet(()))
    assert (archive.installed_as, archive.digest_from, archive.filename) == ("direct-url", "direct-url", other.name)
    assert archive.digests.get("sha256")
    assert "bin/demo-run" in real.manifest.excluded
    assert real.markers["python_full_version"] == Environment().markers["python_full_version"]


# --- the same wherever it lies ---------------------------------------------------------------------------------------


def test_equal_environments_have_equal_digests_wherever_they_lie(prefix: Path, tmp_path: Path) -> None:
    there = make_prefix(tmp_path / "another" / "place")
    wheel = build_wheel(tmp_path / "wheels", script="demo-run")
    install(there, wheel, installer="uv", direct_url={"url": wheel.as_uri(), "archive_info": {}})
    cache = there / SITE / "demo" / "__pycache__"
    cache.mkdir()
    (cache / "__init__.cpython-311.pyc").write_bytes(b"compiled")
    one, other = Environment(prefix).read(), Environment(there).read()
    assert one.manifest.digests == other.manifest.digests
    assert one.packages[0].dir_hash == other.packages[0].dir_hash
    # The script names its prefix, so the bytes of RECORD differ.
    assert one.packages[0].record_sha256 != other.packages[0].record_sha256
    assert other.bytecode == (f"{SITE}/demo/__pycache__",)
    assert not any(is_bytecode(file.name) for file in other.files)
    assert one.manifest.excluded == ("bin/demo-run", f"{INFO}/INSTALLER", f"{INFO}/RECORD")


def test_every_other_byte_counts(prefix: Path, tmp_path: Path) -> None:
    before = Environment(prefix).measure().digests
    for name in [f.name for f in Environment(prefix).measure().files]:
        path = prefix / name
        data = path.read_bytes()
        path.write_bytes(data + b"\n")
        assert Environment(prefix).measure().digests != before, name
        path.write_bytes(data)
    assert Environment(prefix).measure().digests == before
    (prefix / SITE / "more.py").write_bytes(b"")
    assert Environment(prefix).measure().digests != before


def test_a_program_that_does_not_name_the_prefix_is_part_of_it(tmp_path: Path) -> None:
    files = {"demo.py": b"", "demo-1.0.data/scripts/tool": b"\x7fELF binary", "demo-1.0.data/data/share/demo.txt": b"t"}
    prefix = make_prefix(tmp_path / "env")
    install(prefix, build_wheel(tmp_path / "wheels", files=files))
    found = Environment(prefix).read()
    assert {"bin/tool", "share/demo.txt"} <= {file.name for file in found.manifest.files}
    before = found.packages[0].dir_hash
    (prefix / "bin" / "tool").write_bytes(f"#!{prefix}/bin/python\n".encode())
    # Whoever makes it a script of the environment takes it out of the digest, and so changes the digest.
    after = Environment(prefix).read()
    assert after.manifest.digests != found.manifest.digests
    assert after.packages[0].dir_hash != before


def test_notes_are_left_out_beside_packages_only(prefix: Path) -> None:
    nested = prefix / SITE / "demo" / "vendor-1.dist-info"
    nested.mkdir()
    (nested / "RECORD").write_bytes(b"x,,\n")
    assert f"{SITE}/demo/vendor-1.dist-info/RECORD" in {f.name for f in Environment(prefix).measure().files}


def test_a_manifest_can_be_measured_again(prefix: Path) -> None:
    manifest = Environment(prefix, name="trainer").measure()
    assert (manifest.kind, manifest.name, manifest.location) == ("dependency", "trainer", prefix)
    assert manifest.measured_by is not None
    assert manifest.measured_by.measure() == manifest


# --- what installers wrote down (PEP 610) ----------------------------------------------------------------------------

FORMS = [
    (
        {"url": "https://me:token@host.example/demo.zip?key=1#x", "archive_info": {"hashes": {"sha256": "a" * 64}}},
        ("direct-url", "https://host.example/demo.zip", "", f"sha256:{'a' * 64}"),
    ),
    (
        {"url": "https://host.example/demo.zip", "archive_info": {"hash": f"sha256={'b' * 64}"}},
        ("direct-url", "https://host.example/demo.zip", "", f"sha256:{'b' * 64}"),
    ),
    (
        {"url": "ssh://git@host.example/demo.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
        ("vcs", "ssh://host.example/demo.git", COMMIT, f"gitCommit:{COMMIT}"),
    ),
    (
        {"url": "https://host.example/demo", "vcs_info": {"vcs": "hg", "commit_id": "abc"}, "subdirectory": "py"},
        ("vcs", "https://host.example/demo", "abc", ""),
    ),
    ({"url": "file:///home/me/demo", "dir_info": {"editable": True}}, ("editable", "file:///home/me/demo", "", "")),
    ({"url": "file:///home/me/demo", "dir_info": {}}, ("directory", "file:///home/me/demo", "", "")),
]


@pytest.mark.parametrize(("said", "read"), FORMS, ids=[form[1][0] + str(i) for i, form in enumerate(FORMS)])
def test_each_form_of_direct_url(tmp_path: Path, said: object, read: tuple[str, str, str, str]) -> None:
    prefix = make_prefix(tmp_path / "env")
    install(prefix, build_wheel(tmp_path / "wheels"), direct_url=said)
    (package,) = Environment(prefix).packages()
    assert (package.installed_as, package.url, package.commit, str(package.digests)) == read
    assert package.digest_from == ("direct-url" if read[3] else "")
    assert "token" not in repr(dataclasses.asdict(package))
    assert "git@" not in repr(dataclasses.asdict(package))


@pytest.mark.parametrize(
    ("installer", "installed_as"), [("pip", "index"), ("uv", "index"), ("Poetry 1.8", "index"), ("conda", "unknown")]
)
def test_what_is_not_said_is_known_of_some_installers_only(tmp_path: Path, installer: str, installed_as: str) -> None:
    prefix = make_prefix(tmp_path / "env")
    install(prefix, build_wheel(tmp_path / "wheels"), installer=installer)
    (package,) = Environment(prefix).packages()
    assert (package.installed_as, package.installer) == (installed_as, installer.lower())
    install(prefix, build_wheel(tmp_path / "wheels"), installer="")
    (prefix / INFO / "INSTALLER").unlink()
    assert Environment(prefix).packages()[0].installed_as == "unknown"


BAD_DIRECT = [
    (b"{", NotJson, ""),
    (b'{"dir_info": {}}', FieldMissing, ".url"),
    (b'{"url": "file:///x"}', FieldRefused, ""),
    (b'{"url": "file:///x", "dir_info": {}, "archive_info": {}}', FieldRefused, ""),
    (b'{"url": "file:///x", "dir_info": []}', FieldRefused, ".dir_info"),
    (b'{"url": "file:///x", "dir_info": {"editable": "yes"}}', FieldRefused, ".dir_info.editable"),
    (b'{"url": "git://x", "vcs_info": {"vcs": "git", "commit_id": "main"}}', DigestRefused, ".vcs_info.gitCommit"),
    (b'{"url": "git://x", "vcs_info": {"vcs": "git"}}', FieldMissing, ".vcs_info.commit_id"),
    (
        b'{"url": "https://x", "archive_info": {"hashes": {"sha256": "zz"}}}',
        DigestRefused,
        ".archive_info.hashes.sha256",
    ),
    (
        b'{"url": "https://x", "archive_info": {"hash": "sha256=%s", "hashes": {"sha256": "%s"}}}'
        % (b"a" * 64, b"b" * 64),
        DigestRefused,
        ".archive_info.hash",
    ),
]


@pytest.mark.parametrize(("data", "error", "where"), BAD_DIRECT)
def test_a_direct_url_of_no_form_is_refused(prefix: Path, data: bytes, error: type[GlasswingError], where: str) -> None:
    path = prefix / INFO / "direct_url.json"
    path.write_bytes(data)
    with pytest.raises(error) as refused:
        Environment(prefix).packages()
    assert refused.value.code == error.code
    assert refused.value.where == f"{path}{where}"


# --- refusals --------------------------------------------------------------------------------------------------------

DIGEST = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"


@pytest.mark.parametrize(
    ("data", "error", "line"),
    [
        (b"\xff,,\n", NotUtf8, ""),
        (b"a.py\n", FieldRefused, ":1"),
        (b"a.py,,\nb.py,,,\n", FieldRefused, ":2"),
        (b",,\n", FieldRefused, ":1"),
        (b'a.py,,\n"b.py,,\n', FieldRefused, ":2"),
        (b"a.py,sha256,1\n", FieldRefused, ":1"),
        (b"a.py,sha256=AAAA,1\n", DigestRefused, ":1"),
        (b"a.py,sha256=%s!,1\n" % DIGEST.encode(), DigestRefused, ":1"),
        (b"a.py,,\nx/../a.py,,\n", FieldRefused, ":2"),
        (b"a\\b.py,,\n", FieldRefused, ":1"),
    ],
)
def test_a_record_that_is_none_is_refused(data: bytes, error: type[GlasswingError], line: str) -> None:
    with pytest.raises(error) as refused:
        parse_record(data, site=SITE, prefix="/env", where="RECORD")
    assert refused.value.code == error.code
    assert refused.value.where == f"RECORD{line}"


def test_a_record_is_read_as_installers_write_it() -> None:
    data = f'"a,b.py",sha256={DIGEST},0\n../../../bin/x,sha512=zz,\n/env/share/y,,\n/etc/passwd,,\n../../../../z,,\n'
    read = parse_record(data.encode(), site=SITE, prefix="/env", where="RECORD")
    assert [(f.name, bool(f.sha256), f.is_outside) for f in read] == [
        (f"{SITE}/a,b.py", True, False),
        ("bin/x", False, False),
        ("share/y", False, False),
        ("/etc/passwd", False, True),
        ("../../../../z", False, True),
    ]


def test_the_lines_of_a_record_are_bounded() -> None:
    with pytest.raises(LimitError) as refused:
        parse_record(b"a,,\nb,,\n", site=SITE, prefix="/env", where="RECORD", limits=Limits(tree_files=1))
    assert refused.value.where == "RECORD"


@pytest.mark.parametrize(
    ("data", "error", "key"),
    [
        (b"Version: 1\n", FieldMissing, "Name"),
        (b"Name: demo\n", FieldMissing, "Version"),
        (b"Name: demo\nName: other\nVersion: 1\n", FieldRefused, "Name"),
        (b"Name: ../demo\nVersion: 1\n", FieldRefused, "Name"),
        (b"Name: demo\nVersion: 1 2\n", FieldRefused, "Version"),
    ],
)
def test_metadata_that_names_nothing_is_refused(
    prefix: Path, data: bytes, error: type[GlasswingError], key: str
) -> None:
    path = prefix / INFO / "METADATA"
    path.write_bytes(data)
    with pytest.raises(error) as refused:
        Environment(prefix).packages()
    assert refused.value.code == error.code
    assert refused.value.where == f"{path}:{key}"


def test_a_package_without_metadata_is_refused(prefix: Path) -> None:
    (prefix / INFO / "METADATA").unlink()
    with pytest.raises(ArtifactUnreadable) as refused:
        Environment(prefix).packages()
    assert refused.value.where == str(prefix / INFO / "METADATA")


def test_what_is_no_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactUnreadable) as refused:
        Environment(tmp_path).packages()
    assert refused.value.where == str(tmp_path)
    with pytest.raises(ArtifactUnreadable):
        Environment(tmp_path / "nowhere").measure()
    with pytest.raises(ArtifactEmpty) as empty:
        Environment(make_prefix(tmp_path / "env")).measure()
    assert empty.value.where == "env"


def test_links_within_are_refused_and_links_to_libraries_are_not_followed(prefix: Path) -> None:
    (prefix / "lib64").symlink_to("lib")
    assert Environment(prefix).read().sites == (SITE,)
    (prefix / SITE / "evil.py").symlink_to("/etc/hostname")
    with pytest.raises(ArtifactIrregular) as refused:
        Environment(prefix).read()
    assert refused.value.where == str(prefix / SITE / "evil.py")


def test_a_link_in_place_of_metadata_is_refused(prefix: Path) -> None:
    path = prefix / INFO / "METADATA"
    path.unlink()
    path.symlink_to("/etc/hostname")
    with pytest.raises(ArtifactIrregular):
        Environment(prefix).packages()


def test_a_prefix_that_is_a_link_is_the_environment_it_leads_to(prefix: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(prefix)
    assert Environment(tmp_path / "link").measure().digests == Environment(prefix).measure().digests


def test_what_is_written_meanwhile_is_noticed(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from glasswing_attest.artifact import environment

    real = environment._packages

    def late(root: Path, site: str, limits: Limits) -> object:
        record = root / INFO / "RECORD"
        record.write_bytes(record.read_bytes() + b"evil.py,,\n")
        return real(root, site, limits)

    monkeypatch.setattr(environment, "_packages", late)
    with pytest.raises(ArtifactUnstable) as refused:
        Environment(prefix).read()
    assert refused.value.where == str(prefix / INFO / "RECORD")


def test_packages_are_bounded(prefix: Path, tmp_path: Path) -> None:
    install(prefix, build_wheel(tmp_path / "wheels", "other", files={"other.py": b""}))
    with pytest.raises(LimitError):
        Environment(prefix).packages(limits=Limits(dependencies=1))


# --- what starts by itself, and which interpreter --------------------------------------------------------------------


def test_pth_files_are_read_as_the_interpreter_reads_them(prefix: Path) -> None:
    site = prefix / SITE
    (site / "a.pth").write_bytes(b"\xef\xbb\xbf# import os\n\n/opt/code\nimport os; os.x()\nimport\tsys\n")
    (site / "b.pth").write_bytes(b"\xff\xfe")
    (site / "c.pth").write_bytes(b"important\n")
    (site / "demo" / "d.pth").write_bytes(b"import os\n")
    assert Environment(prefix).read().startup == (
        StartupFile(name=f"{SITE}/a.pth", runs_code=True, paths=("/opt/code",)),
        StartupFile(name=f"{SITE}/b.pth", runs_code=True),
        StartupFile(name=f"{SITE}/c.pth", runs_code=False, paths=("important",)),
    )


@pytest.mark.parametrize(
    ("config", "full"),
    [
        ("version = 3.11.4\n", "3.11.4"),
        ("implementation = CPython\nversion_info = 3.11.9.final.0\n", "3.11.9"),
        ("version_info = 3.11.2rc1\n", "3.11.2rc1"),
        ("version = 3.12.0\n", None),  # which contradicts lib/python3.11
        ("", None),
    ],
)
def test_another_interpreters_version_is_told_by_its_files(prefix: Path, config: str, full: str | None) -> None:
    (prefix / "pyvenv.cfg").write_text(config)
    markers = Environment(prefix).markers
    assert markers.get("python_full_version") == full
    assert (markers["python_version"], markers["implementation_name"]) == ("3.11", "cpython")
    assert "implementation_version" not in markers


def test_two_interpreters_of_one_prefix_tell_no_version(prefix: Path) -> None:
    (prefix / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
    assert not {"python_version", "python_full_version", "implementation_name"} & set(Environment(prefix).markers)


def test_packages_outside_are_told(prefix: Path) -> None:
    assert not Environment(prefix).read().sees_system
    (prefix / "pyvenv.cfg").write_text("include-system-site-packages = True\n")
    assert Environment(prefix).read().sees_system


def test_files_named_by_a_record_outside_of_the_prefix_are_never_opened(prefix: Path) -> None:
    pipe = prefix.parent / "pipe"
    os.mkfifo(pipe)
    record = prefix / INFO / "RECORD"
    record.write_bytes(record.read_bytes() + f"{pipe},,\n../../../../pipe2,,\n".encode())
    (package,) = Environment(prefix).read().packages
    assert [f.name for f in package.files if f.is_outside] == [str(pipe), "../../../../pipe2"]
