"""What a fresh review found of issue 4: may a link, a silent pyvenv.cfg or a .pth hide what is imported?"""

import shutil
from pathlib import Path

import pytest

from glasswing_attest.artifact.environment import Environment, StartupFile
from glasswing_attest.artifact.lock import Lock
from glasswing_attest.artifact.urls import public_url
from glasswing_attest.errors import ArtifactIrregular, GlasswingError
from tests.environments import SITE, build_wheel, install, make_prefix


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """An environment with one package."""
    made = make_prefix(tmp_path / "env")
    install(made, build_wheel(tmp_path / "wheels"))
    return made


@pytest.mark.parametrize("link", ["lib64", "lib64/python3.11", "lib64/python3.11/site-packages"])
def test_what_is_imported_through_a_link_is_not_passed_over(prefix: Path, tmp_path: Path, link: str) -> None:
    elsewhere = tmp_path / "elsewhere" / "lib64/python3.11/site-packages"
    elsewhere.mkdir(parents=True)
    (elsewhere / "evil.py").write_text("")
    (prefix / link).parent.mkdir(parents=True, exist_ok=True)
    (prefix / link).symlink_to(tmp_path / "elsewhere" / link)
    for read in (Environment(prefix).read, Environment(prefix).packages):
        with pytest.raises(ArtifactIrregular) as caught:
            read()
        assert caught.value.where == str(prefix / "lib64/python3.11/site-packages")


def test_a_directory_of_another_python_hides_no_link(prefix: Path, tmp_path: Path) -> None:
    shutil.copytree(prefix / SITE, prefix / "lib/python3.12/site-packages")
    shutil.move(prefix / SITE, tmp_path / "moved")
    (prefix / SITE).symlink_to(tmp_path / "moved")
    with pytest.raises(ArtifactIrregular) as caught:
        Environment(prefix).read()
    assert caught.value.where == str(prefix / SITE)


def test_a_link_to_what_is_read_anyway_is_none_to_refuse(prefix: Path) -> None:
    before = Environment(prefix).read()
    (prefix / "lib64").symlink_to("lib")  # as in a venv
    (prefix / "lib/python3.1").symlink_to("python3.11")  # as in a conda environment
    assert Environment(prefix).read().manifest == before.manifest


@pytest.mark.parametrize(
    ("files", "sees"),
    [
        ({"pyvenv.cfg": "include-system-site-packages = false"}, False),
        ({"pyvenv.cfg": "INCLUDE-SYSTEM-SITE-PACKAGES=True"}, True),
        # The interpreter's `site` begins with yes, and reads the file beside the interpreter first.
        ({"pyvenv.cfg": "home = /usr/bin"}, True),
        ({"pyvenv.cfg": "include-system-site-packages = false", "bin/pyvenv.cfg": "home = /usr/bin"}, True),
        ({}, False),
    ],
)
def test_whether_system_packages_are_seen_is_told_as_the_interpreter_decides(
    prefix: Path, files: dict[str, str], sees: bool
) -> None:
    (prefix / "pyvenv.cfg").unlink()
    for name, text in files.items():
        (prefix / name).write_text(f"{text}\n")
    assert Environment(prefix).read().sees_system is sees


def test_a_path_in_a_pth_is_no_comment_and_no_line_more(prefix: Path) -> None:
    (prefix / SITE / "a.pth").write_bytes(b" #/../../evil\n#/none\na\x0cb\r import os\rimport os\n")
    (found,) = Environment(prefix).read().startup
    paths = ("#/../../evil", "a\x0cb", "import os")
    assert found == StartupFile(name=f"{SITE}/a.pth", runs_code=True, paths=paths)


@pytest.mark.parametrize(
    "url",
    [
        "transport::https://user:pw@git.example/x",
        "ext::sh -c 'curl -u user:pw git.example'",
        "https:/user:pw@git.example/x",
        "//user:pw@git.example/x",
        "https:\\\\user:pw@git.example",
        "https://user:12/pw@git.example/x",
        "user:12/pw@git.example:x",
    ],
)
def test_a_url_of_another_form_tells_no_password(url: str) -> None:
    assert public_url(url) == ""


@pytest.mark.parametrize("url", ["https://x.example:8080/a/b", "https://x.example/a@v1", "file:///srv/a@1", "../a@b"])
def test_a_url_without_a_password_is_told(url: str) -> None:
    assert public_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "packages = 1",
        "packages = [1]",
        "packages = [{}]",
        'packages = [{name = "demo", wheels = {}}]',
        'packages = [{name = "../x", version = "1"}]',
        'packages = [{name = "demo", version = "1", marker = "x"}]',
        'packages = [{name = "demo", vcs = {type = 1}}]',
        'packages = [{name = "demo", archive = {url = "x", hashes = {sha256 = 1}}}]',
        'packages = [{name = "demo", archive = {url = "x", hashes = {sha256 = "zz"}}}]',
        'packages = [{name = "demo", archive = {url = "x", size = -1, hashes = {md5 = "00"}}}]',
        'packages = [{name = "demo", archive = {url = "http://[", hashes = {sha256 = "00"}}}]',
        'packages = [{name = "demo", version = "1", wheels = [{name = "demo-1.whl", url = "x", hashes = {}}]}]',
        'environments = ["x"]\npackages = []',
        'requires-python = "x"\npackages = []',
        "packages = 1979-05-27",
        f"packages = {'[' * 5000}",
        f"packages = {'1' * 5000}",
    ],
)
def test_a_hostile_lock_is_refused_by_our_own_errors(text: str) -> None:
    with pytest.raises(GlasswingError) as caught:
        Lock.parse(f'lock-version = "1.0"\ncreated-by = "me"\n{text}'.encode())
    assert caught.value.code in ("malformed.field", "malformed.yaml", "malformed.digest")
    assert str(caught.value.where).startswith("pylock.toml")
