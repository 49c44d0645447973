"""WHAT DOES A LIGHTNING TRAINER DO? A ``Callback`` that tells a `Build`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from glasswing_attest._files import StrPath
from glasswing_attest.artifact.model import Model
from glasswing_attest.capture.build import Build
from glasswing_attest.capture.integrations.plain import plain

__all__ = ["lightning_callback"]

# What a Trainer was told that changes the model, and that it still knows by name.
_SETTINGS = ("max_epochs", "max_steps", "accumulate_grad_batches", "gradient_clip_val", "gradient_clip_algorithm")


def lightning_callback(build: Build, *, output: StrPath | None = None, checkpoints: bool = False) -> Any:
    """Give a callback for ``Trainer(callbacks=[…])``, to be used while the build runs.

    What the module saved with ``save_hyperparameters()`` is recorded, and what the trainer was told. The checkpoint of
    ``fit(ckpt_path=…)`` becomes an input.

    Args:
        build: what is told.
        output: where the model will be saved before the build ends: it becomes an output.
        checkpoints: the best checkpoint becomes an output as well.

    Raises:
        ImportError: neither lightning nor pytorch_lightning is installed.
    """
    framework = _framework()
    made: type[_Recorder] = type("GlasswingCallback", (_Recorder, framework.Callback), {})
    return made(build, output, checkpoints, framework.__version__)


def _framework() -> Any:
    try:
        return import_module("lightning.pytorch")
    except ImportError:
        return import_module("pytorch_lightning")


class _Recorder:
    def __init__(self, build: Build, output: StrPath | None, checkpoints: bool, version: str) -> None:
        self._build = build
        self._output = output
        self._checkpoints = checkpoints
        self._version = version

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        if not trainer.is_global_zero:
            return  # a run is one record, and this process is not the one that makes it
        told = {name: plain(getattr(trainer, name, None)) for name in _SETTINGS}
        settings = {**{k: v for k, v in told.items() if v is not None}, **_hyperparameters(pl_module)}
        self._build.add_parameters({"hyperparameters": settings})
        internal = {"version": self._version, "worldSize": trainer.world_size, "precision": plain(trainer.precision)}
        self._build.add_internal_parameters({"lightning": internal})
        if trainer.ckpt_path:
            self._build.use(Model(trainer.ckpt_path), role="checkpoint")
        if self._output is not None:
            self._build.output(Model(self._output))

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        if not trainer.is_global_zero:
            return
        figures = {"globalStep": trainer.global_step, "epoch": trainer.current_epoch}
        self._build.metrics({**figures, **{str(k): plain(v) for k, v in trainer.callback_metrics.items()}})
        best = getattr(trainer.checkpoint_callback, "best_model_path", "")
        if self._checkpoints and best:
            self._build.output(Model(best))


def _hyperparameters(pl_module: Any) -> dict[str, Any]:
    return {str(k): plain(v) for k, v in dict(getattr(pl_module, "hparams", {})).items()}
