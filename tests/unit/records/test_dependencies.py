"""Does a record of dependencies say what is installed or locked, and can exactly that be installed from it again?"""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.pylock import Pylock

from glasswing_attest import Attestation, File, KeySigner, attest
from glasswing_attest.appraisal.dependencies import check
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.environment import Environment
from glasswing_attest.artifact.lock import Lock
from glasswing_attest.artifact.wheel import wheels_in
from glasswing_attest.errors import FieldRefused, PackagesUnpinned
from glasswing_attest.findings import Tier, worst
from glasswing_attest.records import DependencyRecord, PackageArtifact, PinnedPackage, ResourceReference, TreeSummary
from glasswing_attest.statement.resource import ResourceDescriptor
from tests.environments import build_wheel, install, lock_of, make_prefix

SHA, COMMIT = "a" * 64, "0123456789abcdef0123456789abcdef01234567"
ORIGINAL = b"""lock-version = "1.0"
created-by = "me"
requires-python = ">=3.11"
environments = ["sys_platform == 'linux'"]
dependency-groups = ["dev"]
default-groups = ["dev"]
[[packages]]
name = "demo"
version = "1.0"
marker = "python_version >= '3.11'"
requires-python = ">=3.10"
wheels = [{url = "https://x.example/demo-1.0-py3-none-any.whl", size = 7, hashes = {sha256 = "%s"}}]
sdist = {path = "dist/demo-1.0.tar.gz", hashes = {sha512 = "%s"}}
[[packages]]
name = "from-git"
vcs = {type = "git", url = "https://git.example/x.git", commit-id = "%s", subdirectory = "py"}
[[packages]]
name = "zipped"
archive = {url = "https://x.example/zipped.zip", hashes = {sha256 = "%s"}, subdirectory = "s"}
""" % (SHA.encode(), b"b" * 128, COMMIT.encode(), SHA.encode())


def pin(name: str, url: str | None = None) -> PinnedPackage:
    artifact = PackageArtifact(name=f"{name}-1.0-py3-none-any.whl", url=url, digest={"sha256": SHA})
    return PinnedPackage(name=name, version="1.0", installed_as="index", artifacts=[artifact])


# --- environments and locks ------------------------------------------------------------------------------------------


def test_a_record_of_an_environment_is_about_its_tree(tmp_path: Path) -> None:
    prefix = make_prefix(tmp_path / "env")
    wheel = build_wheel(tmp_path / "w", script="run-it")
    install(prefix, wheel)
    lock = Lock.parse(lock_of(wheel))
    environment = Environment(prefix)
    record = DependencyRecord.from_environment(environment, lock=lock, wheels=wheels_in(tmp_path / "w"))
    (package,) = record.packages
    assert (package.name, package.version, package.installed_as, package.installer) == ("demo", "1.0", "index", "pip")
    assert package.digest_origin == "artifact"
    assert package.artifacts[0].digest == lock.packages[0].files[0].digests.to_dict()
    assert package.artifacts[0].url == f"https://files.example/{wheel.name}"
    assert record.tree is not None
    assert record.tree.dir_hash == environment.measure().digests.get("dirHash")
    assert "bin/run-it" in record.tree.excluded
    assert record.lock == ResourceReference(name="pylock.toml", digest=lock.digests.to_dict())
    assert DependencyRecord.from_environment(environment).packages[0].artifacts == ()
    # Signed, and said of this environment alone.
    signer = KeySigner.generate()
    assert isinstance(attest(environment, record, signer=signer), Attestation)
    (prefix / "lib/python3.11/site-packages/demo/__init__.py").write_bytes(b"VALUE = 2\n")
    with pytest.raises(FieldRefused) as refused:
        attest(environment, record, signer=signer)
    assert refused.value.where == "DependencyRecord.tree.dir_hash"


def test_a_record_of_a_lock_is_about_that_very_file(tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    path.write_bytes(ORIGINAL)
    record = DependencyRecord.from_lock(Lock.load(path))
    signer = KeySigner.generate()
    statement = attest(File(path), record, signer=signer).statement_unverified
    assert statement.predicate_type == DependencyRecord.predicate_type
    path.write_bytes(ORIGINAL + b"# another\n")
    with pytest.raises(FieldRefused) as refused:
        attest(File(path), record, signer=signer)
    assert refused.value.where == "DependencyRecord.lock.digest"
    assert refused.value.code == "malformed.field"


def test_a_file_is_no_environment_and_what_says_nothing_measurable_stays(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"x")
    manifest = File(path).measure()
    with pytest.raises(FieldRefused) as refused:
        DependencyRecord(tree=TreeSummary(dir_hash=SHA)).described_by(manifest)
    assert refused.value.where == "DependencyRecord.tree"
    plain = DependencyRecord(packages=[pin("demo")])
    assert plain.described_by(manifest) == plain


def test_a_lock_that_is_named_by_more_digests_is_the_same_lock(tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    path.write_bytes(ORIGINAL)
    digest = {**Lock.load(path).digests.to_dict(), "sha512": "0" * 128}
    record = DependencyRecord(packages=[pin("demo")], lock=ResourceReference(name="l", digest=digest))
    assert record.described_by(File(path).measure()) == record


@pytest.mark.parametrize("name", ["Demo", "a_b", "a.b"])
def test_a_name_that_is_not_normalised_is_refused(name: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        PinnedPackage(name=name)
    assert refused.value.where == "PinnedPackage.name"


def test_a_package_said_twice_is_refused() -> None:
    with pytest.raises(FieldRefused) as refused:
        DependencyRecord(packages=[pin("demo"), pin("demo")])
    assert "demo is said twice" in str(refused.value)
    marked = PinnedPackage(name="demo", marker="sys_platform == 'win32'")
    assert len(DependencyRecord(packages=[pin("demo"), marked]).packages) == 2


# --- rebuilding ------------------------------------------------------------------------------------------------------


def test_a_lock_comes_back_from_its_record() -> None:
    lock = Lock.parse(ORIGINAL)
    text = DependencyRecord.from_lock(lock).to_pylock()
    again = Lock.parse(text.encode())
    for field in ("requires_python", "environments", "default_groups", "packages"):
        assert getattr(again, field) == getattr(lock, field), field
    Pylock.from_dict(tomllib.loads(text)).validate()
    assert DependencyRecord.from_lock(again).to_pylock() == text


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    st.integers(0, 2**63 - 1),
    st.from_regex(r"[a-z]{1,5}(-[a-z]{1,5})?", fullmatch=True),
)
def test_whatever_stands_in_a_record_stays_one_value_of_the_lock(text: str, size: int, name: str) -> None:
    url = f"https://x.example/{text}"
    wheel = f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
    artifact = PackageArtifact(name=wheel, url=url, digest={"sha256": SHA}, size=size)
    package = PinnedPackage(name=name, version="1.0", installed_as="index", artifacts=[artifact])
    written = tomllib.loads(DependencyRecord(packages=[package]).to_pylock())
    assert written["packages"] == [
        {
            "name": name,
            "version": "1.0",
            "wheels": [{"name": wheel, "url": url, "size": size, "hashes": {"sha256": SHA}}],
        }
    ]


def test_requirements_are_exact_and_hashed() -> None:
    marked = PinnedPackage(
        name="marked",
        version="2+cu121",
        installed_as="index",
        marker='sys_platform == "linux"',
        artifacts=[
            PackageArtifact(name="marked-2+cu121-py3-none-any.whl", digest={"sha256": "c" * 64}),
            PackageArtifact(name="marked-2+cu121.tar.gz", digest={"sha256": "b" * 64}),
        ],
    )
    zipped = PinnedPackage(
        name="zipped",
        version="3",
        installed_as="direct-url",
        url="https://x.example/z.zip",
        subdirectory="s",
        artifacts=[PackageArtifact(name="z.zip", digest={"sha256": "d" * 64})],
    )
    assert DependencyRecord(packages=[zipped, marked, pin("demo")]).to_requirements() == (
        f"demo==1.0 \\\n    --hash=sha256:{SHA}\n"
        f'marked==2+cu121 ; sys_platform == "linux" \\\n'
        f"    --hash=sha256:{'b' * 64} \\\n    --hash=sha256:{'c' * 64}\n"
        f"zipped @ https://x.example/z.zip#subdirectory=s \\\n    --hash=sha256:{'d' * 64}\n"
    )


EDITABLE = PinnedPackage(name="mine", version="1", installed_as="editable", url="file:///home/me")
BY_NAME = PinnedPackage(name="bare", version="1", installed_as="index")
COMMITTED = PinnedPackage(
    name="git", version="1", installed_as="vcs", vcs="git", url="https://git.example/x", commit=COMMIT
)
WEAK = PinnedPackage(
    name="weak",
    version="1",
    installed_as="index",
    artifacts=[PackageArtifact(name="weak-1.tar.gz", digest={"md5": "0"})],
)
UNKNOWN = PinnedPackage(name="conda", version="1", installed_as="unknown", artifacts=pin("conda").artifacts)
NAMELESS = PinnedPackage(
    name="x", version="1", installed_as="index", artifacts=[PackageArtifact(name="x-1", digest={"sha256": SHA})]
)


@pytest.mark.parametrize("package", [EDITABLE, BY_NAME, WEAK, UNKNOWN], ids=lambda p: p.name)
def test_what_is_not_pinned_is_refused_by_name(package: PinnedPackage) -> None:
    record = DependencyRecord(packages=[package, pin("demo")])
    for write in (record.to_pylock, record.to_requirements):
        with pytest.raises(PackagesUnpinned) as refused:
            write()
        assert refused.value.code == "unsupported.unpinned"
        assert refused.value.where == f"{package.name}=={package.version}"
        assert "demo==1.0" in write(without=[package.name.upper()]) or 'name = "demo"' in write(without=[package.name])


def test_what_one_form_alone_can_say() -> None:
    committed, nameless = DependencyRecord(packages=[COMMITTED]), DependencyRecord(packages=[NAMELESS])
    assert COMMIT in committed.to_pylock()
    with pytest.raises(PackagesUnpinned) as refused:
        committed.to_requirements()
    assert refused.value.where == "git==1"
    assert SHA in nameless.to_requirements()
    with pytest.raises(PackagesUnpinned) as refused:
        nameless.to_pylock()
    assert refused.value.found == "a digest of a file whose name is not known"


def test_nothing_is_no_lock() -> None:
    for record, without in ((DependencyRecord(), ()), (DependencyRecord(packages=[pin("demo")]), ("demo",))):
        with pytest.raises(PackagesUnpinned) as refused:
            record.to_requirements(without=without)
        assert refused.value.found == "no package"


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"version": "1 --index-url=https://evil.example"}, "1 --index-url=https://evil.example"),
        ({"version": "1\nevil"}, "1\nevil"),
        ({"marker": "sys_platform == 'x'\nevil"}, "sys_platform == 'x'\nevil"),
        ({"marker": "sys_platform == 'x' --hash=sha256:0"}, "sys_platform == 'x' --hash=sha256:0"),
    ],
)
def test_what_would_say_something_else_in_requirements_is_refused(fields: dict[str, str], found: str) -> None:
    said = {"name": "demo", "version": "1.0", "installed_as": "index", "artifacts": pin("demo").artifacts} | fields
    with pytest.raises(FieldRefused) as refused:
        DependencyRecord(packages=[PinnedPackage(**said)]).to_requirements()  # type: ignore[arg-type]
    assert (refused.value.where, refused.value.found) == ("requirements", found)


def test_what_a_lock_cannot_say_is_refused() -> None:
    said = PinnedPackage(name="demo", version="nonsense", installed_as="index", artifacts=pin("demo").artifacts)
    with pytest.raises(FieldRefused) as refused:
        DependencyRecord(packages=[said]).to_pylock()
    assert refused.value.where == "pylock.toml"


def test_an_environment_is_rebuilt_from_its_record(tmp_path: Path) -> None:
    first = make_prefix(tmp_path / "first")
    wheels = [build_wheel(tmp_path / "w", script="run-it"), build_wheel(tmp_path / "w", "other", "2", {"o.py": b"1"})]
    for wheel in wheels:
        install(first, wheel)
    lock = Lock.parse(lock_of(*wheels))
    record = DependencyRecord.from_environment(Environment(first), lock=lock)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(record.to_requirements())
    second = make_prefix(tmp_path / "second")
    # What --target makes is a site-packages without bin/, which is enough to compare what is in it.
    target = second / "lib/python3.11/site-packages"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-compile", "--target"]
    options = ["--no-index", "--no-deps", "--require-hashes", "--find-links", str(tmp_path / "w")]
    subprocess.run([*pip, str(target), *options, "-r", str(requirements)], check=True)
    rebuilt = Environment(second).read()
    files = {
        f.name: f.sha256 for f in rebuilt.manifest.files if not f.name.startswith("lib/python3.11/site-packages/bin")
    }
    assert files == {f.name: f.sha256 for f in Environment(first).measure().files}
    # One byte of a wheel is another, and nothing is installed.
    wheels[1].write_bytes(wheels[1].read_bytes().replace(b"1", b"2", 1))
    again = subprocess.run(
        [*pip, str(tmp_path / "third"), *options, "-r", str(requirements)], capture_output=True, text=True
    )
    assert again.returncode != 0
    assert "DO NOT MATCH THE HASHES" in again.stderr


# --- from provenance -------------------------------------------------------------------------------------------------


def test_packages_come_back_from_provenance(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path / "w")
    prefix = make_prefix(tmp_path / "env")
    install(prefix, wheel)
    recorded = DependencyRecord.from_environment(Environment(prefix), lock=Lock.parse(lock_of(wheel)))
    (package,) = recorded.packages
    dependencies = [
        ResourceDescriptor(
            name="demo",
            uri=package.purl or "",
            digest=DigestSet.of(package.artifacts[0].digest),
            download_location=package.artifacts[0].url or "",
        ),
        ResourceDescriptor(name="data", uri="https://data.example/iris", digest=DigestSet.of(dirHash=SHA)),
        ResourceDescriptor(name="linux", uri="pkg:generic/linux@6.1"),
    ]
    again = DependencyRecord.from_dependencies(dependencies)
    assert again.to_pylock() == recorded.to_pylock()
    assert again.to_requirements() == recorded.to_requirements()
    assert again.packages[0].digest_origin == "declared"
    findings = check(Environment(prefix).read(), again, wheels=wheels_in(tmp_path / "w"))
    assert worst(findings) is Tier.AFFIRMING


@pytest.mark.parametrize(
    ("uri", "package"),
    [
        ("pkg:pypi/torch@2.5.1%2Bcu121", ("torch", "2.5.1+cu121", "index", None, None)),
        (
            "pkg:pypi/demo@1.0?download_url=https://x.example/demo.zip",
            ("demo", "1.0", "direct-url", "https://x.example/demo.zip", None),
        ),
        (
            f"pkg:pypi/demo@1.0?vcs_url=git%2Bhttps://git.example/demo%40{COMMIT}",
            ("demo", "1.0", "vcs", "https://git.example/demo", COMMIT),
        ),
        ("pkg:generic/mine@1", ("mine", "1", "unknown", None, None)),
    ],
)
def test_each_purl_that_is_written_is_read(uri: str, package: tuple[str | None, ...]) -> None:
    annotations = {"installedAs": "editable"} if "generic" in uri else {}
    (read,) = DependencyRecord.from_dependencies([ResourceDescriptor(uri=uri, annotations=annotations)]).packages
    assert (read.name, read.version, read.installed_as, read.url, read.commit) == package


@pytest.mark.parametrize("uri", ["pkg:pypi/demo", "pkg:pypi/Demo@1", "pkg:pypi/@1", "pkg:pypi/a/b@1"])
def test_a_purl_that_names_no_package_is_refused(uri: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        DependencyRecord.from_dependencies([ResourceDescriptor(uri=uri)])
    assert (refused.value.where, refused.value.found) == ("uri", uri)


def test_a_weak_digest_in_provenance_pins_nothing() -> None:
    weak = ResourceDescriptor(uri="pkg:pypi/demo@1", digest=DigestSet.of(md5="0"))
    with pytest.raises(PackagesUnpinned):
        DependencyRecord.from_dependencies([weak]).to_requirements()
