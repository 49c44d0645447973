"""Does proto/ still mean what it meant?  Runs `buf breaking` against the version of proto/ before this one.

Before is the newest release tag (v*) that has a proto/, for what was released must never break. Without any, it is HEAD
while proto/ has changes that are not committed, and otherwise the commit before the last one that touched proto/.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUF = Path(sys.executable).parent / "buf"


def main() -> int:
    """Print what `buf breaking` finds; its exit code."""
    before = previous()
    if before is None:
        print("proto/: there is no earlier version to compare with")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        for name in files(before):
            path = Path(scratch, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(git("show", f"{before}:{name}"), encoding="utf-8")
        finished = subprocess.run([BUF, "breaking", "--against", scratch], cwd=ROOT, check=False)
    verdict = "breaks" if finished.returncode else "breaks nothing of"
    print(f"proto/ {verdict} {before}")
    return finished.returncode


def previous() -> str | None:
    """The name or hash of the commit whose proto/ came before what is in the working tree."""
    for tag in git("tag", "--list", "v*", "--merged", "HEAD", "--sort=-version:refname").split():
        if has_proto(tag):
            return tag
    if not has_proto("HEAD"):
        return None
    if git("status", "--porcelain", "--", "proto"):
        return git("rev-parse", "--short", "HEAD")
    last_change = git("log", "-1", "--format=%h", "--", "proto")
    return f"{last_change}^" if has_proto(f"{last_change}^") else None


def has_proto(commit: str) -> bool:
    """Is there a .proto file, and buf's configuration, in that commit?"""
    names = files(commit)
    return "buf.yaml" in names and any(name.endswith(".proto") for name in names)


def files(commit: str) -> list[str]:
    """What buf reads, in that commit."""
    return git("ls-tree", "-r", "--name-only", commit, "--", "proto", "buf.yaml").splitlines()


def git(*arguments: str) -> str:
    """What git prints; nothing, when git has no answer (no such commit, no commit at all)."""
    return subprocess.run(["git", *arguments], cwd=ROOT, check=False, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
