"""Do the callbacks tell a build what the frameworks do?

Against stand-ins everywhere; against the frameworks themselves where they are installed.
"""

import dataclasses
import importlib.util
import sys
from enum import StrEnum
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from glasswing_attest import Build, KeySigner, Model, attest
from glasswing_attest.capture.integrations.lightning import lightning_callback
from glasswing_attest.capture.integrations.mlflow import TAG, add_run, log_attestation
from glasswing_attest.capture.integrations.plain import plain
from glasswing_attest.capture.integrations.transformers import trainer_callback
from glasswing_attest.errors import SecretRefused, UsageError


def build() -> Build:
    return Build("https://ci.example/trainer", build_type="https://example.com/train/v1")


def folder(path: Path, content: str = "w") -> Path:
    """A model's directory."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "weights").write_text(content)
    return path


def stand_in(monkeypatch: pytest.MonkeyPatch, name: str, **members: Any) -> ModuleType:
    """A module that stands for a framework."""
    module = ModuleType(name)
    vars(module).update(__version__="9.9", **members)
    monkeypatch.setitem(sys.modules, name, module)
    return module


class Base:
    """What a framework's callback is derived from."""

    def on_step_end(self) -> str:
        return "nothing"


# --- values ----------------------------------------------------------------------------------------------------------


class Mode(StrEnum):
    EPOCH = "epoch"


class Scalar:
    ndim = 0

    def item(self) -> float:
        return 0.5


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, None),
        (True, True),
        (Mode.EPOCH, "epoch"),
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (float("inf"), "inf"),
        (Path("a/b"), "a/b"),
        ({1: (2, [3])}, {"1": [2, [3]]}),
        ({"b", "a"}, ["a", "b"]),
        (Scalar(), 0.5),
        (object(), "builtins.object"),
        (len, "builtins.builtin_function_or_method"),
    ],
)
def test_a_value_is_said_in_json(value: object, said: object) -> None:
    found = plain(value)
    assert (found, type(found)) == (said, type(said))


# --- Hugging Face ----------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Arguments:
    """As TrainingArguments are: a dataclass with a `to_dict` that hides tokens."""

    output_dir: str
    learning_rate: float = 5e-5
    seed: int = 42
    weight_decay: float = 0.0
    max_steps: int = -1
    save_strategy: Mode = Mode.EPOCH
    hub_token: str | None = None
    push_to_hub_token: str | None = None
    run_name: str = ""
    world_size: int = 1

    def to_dict(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "hub_token": "<HUB_TOKEN>"}


def state(**more: Any) -> SimpleNamespace:
    """As TrainerState is."""
    known: dict[str, Any] = {"is_world_process_zero": True, "global_step": 4, "best_metric": None}
    known |= {"epoch": 1.0, "log_history": []}
    return SimpleNamespace(**{**known, **more})


def test_a_trainer_tells_settings_checkpoints_and_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "transformers", TrainerCallback=Base)
    arguments = Arguments(output_dir=str(tmp_path), max_steps=8, hub_token="x", run_name="mine")
    earlier = folder(tmp_path / "checkpoint-4", "4")
    with build() as run:
        told = trainer_callback(run, output=tmp_path / "model", resumed_from=earlier, checkpoints=True)
        assert (Base in type(told).mro(), told.on_step_end()) == (True, "nothing")
        told.on_train_begin(arguments, state(), None, model=object())
        for step in (6, 8):
            folder(tmp_path / f"checkpoint-{step}", str(step))
            told.on_save(arguments, state(global_step=step), None)
        for file in (tmp_path / "checkpoint-6").iterdir():  # the trainer keeps the last one only
            file.unlink()
        (tmp_path / "checkpoint-6").rmdir()
        told.on_train_end(arguments, state(global_step=8, log_history=[{"loss": 1.0}, {"loss": float("nan")}]), None)
        folder(tmp_path / "model")
    found = run.provenance()
    assert found.external_parameters == {"hyperparameters": {"learning_rate": 5e-5, "seed": 42, "max_steps": 8}}
    assert found.internal_parameters == {"transformers": {"version": "9.9", "worldSize": 1}}
    assert [(d.name, d.annotations["role"]) for d in found.resolved_dependencies] == [("checkpoint-4", "checkpoint")]
    assert sorted(m.name for m in run.outputs) == ["checkpoint-8", "model"]
    assert found.byproducts[0].content == b'{"epoch":1,"globalStep":8,"loss":"nan"}'


def test_only_one_process_of_a_trainer_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "transformers", TrainerCallback=Base)
    other = state(is_world_process_zero=False)
    with build() as run:
        told = trainer_callback(run, output="nowhere", checkpoints=True)
        told.on_train_begin(Arguments(output_dir="x"), other, None)
        told.on_save(Arguments(output_dir="x"), other, None)
        told.on_train_end(Arguments(output_dir="x"), other, None)
    assert (run.outputs, dict(run.provenance().external_parameters)) == ((), {})


# --- Lightning -------------------------------------------------------------------------------------------------------


def trainer(**more: Any) -> SimpleNamespace:
    """As a Lightning Trainer is."""
    known: dict[str, Any] = {
        "is_global_zero": True,
        "max_epochs": 3,
        "max_steps": -1,
        "accumulate_grad_batches": 1,
        "gradient_clip_val": None,
        "precision": "32-true",
        "world_size": 2,
        "ckpt_path": None,
        "global_step": 9,
        "current_epoch": 3,
        "callback_metrics": {"loss": Scalar()},
        "checkpoint_callback": None,
    }
    return SimpleNamespace(**{**known, **more})


@pytest.mark.parametrize("name", ["lightning.pytorch", "pytorch_lightning"])
def test_a_lightning_trainer_tells(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightning.pytorch", None)
    stand_in(monkeypatch, "lightning")
    stand_in(monkeypatch, name, Callback=Base)
    earlier, best = tmp_path / "earlier.ckpt", tmp_path / "best.ckpt"
    earlier.write_bytes(b"1")
    best.write_bytes(b"2")
    module = SimpleNamespace(hparams={"lr": 0.1, "hidden": (8, 8)})
    with build() as run:
        told = lightning_callback(run, checkpoints=True)
        assert Base in type(told).mro()
        fit = trainer(ckpt_path=str(earlier), checkpoint_callback=SimpleNamespace(best_model_path=str(best)))
        told.on_fit_start(fit, module)
        told.on_fit_end(fit, module)
    found = run.provenance()
    settings = {"max_epochs": 3, "max_steps": -1, "accumulate_grad_batches": 1, "lr": 0.1, "hidden": [8, 8]}
    assert found.external_parameters == {"hyperparameters": settings}
    assert found.internal_parameters == {"lightning": {"version": "9.9", "worldSize": 2, "precision": "32-true"}}
    assert [(d.name, d.annotations["role"]) for d in found.resolved_dependencies] == [("earlier.ckpt", "checkpoint")]
    assert [m.name for m in run.outputs] == ["best.ckpt"]
    assert found.byproducts[0].content == b'{"epoch":3,"globalStep":9,"loss":0.5}'


def test_only_one_process_of_a_lightning_trainer_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "lightning")
    stand_in(monkeypatch, "lightning.pytorch", Callback=Base)
    with build() as run:
        told = lightning_callback(run, output="nowhere", checkpoints=True)
        told.on_fit_start(trainer(is_global_zero=False), SimpleNamespace())
        told.on_fit_end(trainer(is_global_zero=False), SimpleNamespace())
    assert (run.outputs, dict(run.provenance().external_parameters)) == ((), {})


# --- MLflow ----------------------------------------------------------------------------------------------------------


class Client:
    """As MlflowClient is, with one run."""

    run = SimpleNamespace(
        info=SimpleNamespace(run_id="r1", experiment_id="0"),
        data=SimpleNamespace(params={"lr": "0.1"}, metrics={"loss": 0.25}, tags={"mlflow.user": "me"}),
    )
    kept: dict[str, str]

    def get_run(self, run_id: str) -> SimpleNamespace:
        assert run_id == "r1"
        return self.run

    def log_text(self, run_id: str, text: str, path: str) -> None:
        Client.kept = {path: text}

    def set_tag(self, run_id: str, name: str, value: str) -> None:
        Client.kept[name] = value


def test_an_mlflow_run_tells_and_keeps_the_attestation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = stand_in(monkeypatch, "mlflow", MlflowClient=Client, active_run=lambda: Client.run)
    with build() as run:
        run.output(Model(folder(tmp_path / "model")))
        add_run(run)
    found = run.provenance()
    assert found.external_parameters == {"hyperparameters": {"lr": "0.1"}}
    assert found.internal_parameters == {"mlflow": {"version": "9.9", "runId": "r1", "experimentId": "0"}}
    assert found.byproducts[0].content == b'{"loss":0.25}'
    made = attest(run.outputs, found, signer=KeySigner.generate())
    path = log_attestation(made, name="model")
    assert path == "attestations/model.sigstore.json"
    assert Client.kept == {path: made.bytes.decode(), TAG: made.payload_digest}
    mlflow.active_run = lambda: None  # type: ignore[attr-defined]
    assert log_attestation(made, name="model", run_id="r1") == path
    with pytest.raises(UsageError) as caught:
        log_attestation(made, name="model")
    assert (caught.value.code, caught.value.where) == ("usage", "run_id")


def test_a_secret_among_the_parameters_of_an_mlflow_run_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "mlflow", MlflowClient=Client, active_run=lambda: Client.run)
    data = SimpleNamespace(params={"db_password": "abc"}, metrics={})
    monkeypatch.setattr(Client, "run", SimpleNamespace(info=Client.run.info, data=data))
    with build() as run, pytest.raises(SecretRefused) as caught:
        add_run(run)
    assert (caught.value.code, caught.value.where) == ("usage.secret", "parameters.hyperparameters.db_password")


# --- without a framework ---------------------------------------------------------------------------------------------


def test_a_framework_is_imported_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("transformers", "lightning", "lightning.pytorch", "pytorch_lightning", "mlflow"):
        monkeypatch.setitem(sys.modules, name, None)
    with build() as run:
        for call in (trainer_callback, lightning_callback, add_run):
            with pytest.raises(ImportError):
                call(run)


# --- with the frameworks themselves ----------------------------------------------------------------------------------

REASON = "transformers, accelerate, lightning, torch and mlflow are not all installed"
NEEDED = ("transformers", "accelerate", "lightning", "torch", "mlflow")
installed = pytest.mark.skipif(not all(importlib.util.find_spec(n) for n in NEEDED), reason=REASON)
# Their own warnings are theirs.
real = pytest.mark.filterwarnings("ignore")


@installed
@real
def test_the_real_trainer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    torch: Any = importlib.import_module("torch")
    transformers: Any = importlib.import_module("transformers")

    def forward(self: Any, x: Any = None, labels: Any = None) -> Any:
        return {"loss": ((self.layer(x) - labels) ** 2).mean()}

    def init(self: Any) -> None:
        torch.nn.Module.__init__(self)
        self.layer = torch.nn.Linear(1, 1)

    module = type("Tiny", (torch.nn.Module,), {"__init__": init, "forward": forward})
    rows = [{"x": torch.tensor([float(i)]), "labels": torch.tensor([2.0 * i])} for i in range(8)]

    def train(steps: int, resumed_from: Path | None = None) -> Build:
        out = tmp_path / f"model-{steps}"
        arguments = transformers.TrainingArguments(
            output_dir=str(tmp_path / "out"), max_steps=steps, save_steps=2, report_to=[], use_cpu=True, seed=7
        )
        with build() as run:
            told = trainer_callback(run, output=out, checkpoints=True, resumed_from=resumed_from)
            made = transformers.Trainer(model=module(), args=arguments, train_dataset=rows, callbacks=[told])
            made.train(resume_from_checkpoint=None if resumed_from is None else str(resumed_from))
            made.save_model(str(out))
        return run

    first = train(4)
    settings: Any = first.provenance().external_parameters["hyperparameters"]
    assert (settings["max_steps"], settings["seed"], settings["learning_rate"]) == (4, 7, 5e-5)
    assert not [name for name in settings if "token" in name or "dir" in name]
    assert sorted(m.name for m in first.outputs) == ["checkpoint-2", "checkpoint-4", "model-4"]
    second = train(6, tmp_path / "out" / "checkpoint-4")
    (used,) = second.provenance().resolved_dependencies
    assert used.digest in [m.digests for m in first.outputs]


@installed
@real
def test_the_real_lightning(tmp_path: Path) -> None:
    torch: Any = importlib.import_module("torch")
    lightning: Any = importlib.import_module("lightning.pytorch")

    def init(self: Any, lr: float = 0.1) -> None:
        lightning.LightningModule.__init__(self)
        self.save_hyperparameters({"lr": lr})
        self.layer = torch.nn.Linear(1, 1)

    def step(self: Any, batch: Any, _index: int) -> Any:
        loss = (self.layer(batch[0]) ** 2).mean()
        self.log("loss", loss)
        return loss

    def optimizers(self: Any) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)

    members = {"__init__": init, "training_step": step, "configure_optimizers": optimizers}
    module = type("Tiny", (lightning.LightningModule,), members)
    rows = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(4, 1)))

    def train(epochs: int, ckpt_path: str | None = None) -> tuple[Build, str]:
        with build() as run:
            fit = lightning.Trainer(
                max_epochs=epochs,
                default_root_dir=tmp_path / str(epochs),
                logger=False,
                enable_progress_bar=False,
                accelerator="cpu",
                callbacks=[lightning_callback(run, checkpoints=True)],
            )
            fit.fit(module(0.05), rows, ckpt_path=ckpt_path)
        return run, fit.checkpoint_callback.best_model_path

    first, best = train(1)
    settings: Any = first.provenance().external_parameters["hyperparameters"]
    assert (settings["max_epochs"], settings["lr"]) == (1, 0.05)
    assert b'"loss":' in (first.provenance().byproducts[0].content or b"")
    second, _ = train(2, best)
    (used,) = second.provenance().resolved_dependencies
    assert used.digest == first.outputs[0].digests


@installed
@real
def test_the_real_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # its small edition has no other store
    mlflow: Any = importlib.import_module("mlflow")
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())
    with build() as run, mlflow.start_run() as active:
        mlflow.log_param("lr", 0.1)
        mlflow.log_metric("loss", 0.25)
        run.output(Model(folder(tmp_path / "model")))
        add_run(run)
    assert run.provenance().external_parameters == {"hyperparameters": {"lr": "0.1"}}
    made = attest(run.outputs, run.provenance(), signer=KeySigner.generate())
    path = log_attestation(made, name="model", run_id=active.info.run_id)
    back = mlflow.artifacts.download_artifacts(run_id=active.info.run_id, artifact_path=path)
    assert Path(back).read_bytes() == made.bytes
    assert mlflow.get_run(active.info.run_id).data.tags[TAG] == made.payload_digest
