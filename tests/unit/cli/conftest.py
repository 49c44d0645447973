"""What do the tests of the command line share?"""

from pathlib import Path

import pytest

from glasswing_attest import KeySigner, Model, ModelRecord, attest
from glasswing_attest._cli import main
from tests.unit.cli.stories import POLICY, Ran, Run, Story


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `main` with these words."""

    def call(*words: str | Path) -> Ran:
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Ran(code=code, out=out, err=err)

    return call


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """The story, afresh."""
    made = Story(folder=tmp_path)
    made.model.mkdir()
    (made.model / "weights.bin").write_bytes(b"weights")
    signer = KeySigner.generate()
    signer.write(tmp_path / "trainer.key")
    (tmp_path / "trainer.pub").write_text(signer.public_key.pem)
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "trust.yaml").write_text("version: 1\nkeys: {trainer: {file: trainer.pub}}\n")
    attest(Model(made.model), ModelRecord(name="m"), signer=signer).write(made.evidence)
    return made
