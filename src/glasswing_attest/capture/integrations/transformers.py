"""WHAT DOES A HUGGING FACE TRAINER DO? A ``TrainerCallback`` that tells a `Build`.

Of the ``TrainingArguments`` those are recorded that differ from their defaults, which the recorded version of
transformers fixes. Places, names of runs and everything about the hub are left out: they do not change the model, and
some are secret.
"""

from __future__ import annotations

import dataclasses
from importlib import import_module
from pathlib import Path
from typing import Any

from glasswing_attest._files import StrPath
from glasswing_attest.artifact.model import Model
from glasswing_attest.capture.build import Build
from glasswing_attest.capture.integrations.plain import plain

__all__ = ["trainer_callback"]

_LEFT_OUT = ("output_dir", "logging_dir", "run_name", "report_to", "hub_", "push_to_hub", "project", "trackio_")
# What a reader looks for first is said even where it is the default.
_ALWAYS = ("learning_rate", "num_train_epochs", "per_device_train_batch_size", "seed")


def trainer_callback(
    build: Build, *, output: StrPath | None = None, resumed_from: StrPath | None = None, checkpoints: bool = False
) -> Any:
    """Give a callback for ``Trainer(callbacks=[…])``, to be used while the build runs.

    Args:
        build: what is told.
        output: where the model will be saved before the build ends: it becomes an output.
        resumed_from: the checkpoint that ``train(resume_from_checkpoint=…)`` goes on from: it becomes an input.
        checkpoints: the checkpoints that are left when training ends become outputs as well.

    Raises:
        ImportError: transformers is not installed.
    """
    base = import_module("transformers").TrainerCallback
    made: type[_Recorder] = type("GlasswingCallback", (_Recorder, base), {})
    return made(build, output, resumed_from, checkpoints)


class _Recorder:
    def __init__(self, build: Build, output: StrPath | None, resumed_from: StrPath | None, checkpoints: bool) -> None:
        self._build = build
        self._output = output
        self._resumed_from = resumed_from
        self._checkpoints = checkpoints
        self._saved: list[Path] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **_more: Any) -> None:
        if not state.is_world_process_zero:
            return  # a run is one record, and this process is not the one that makes it
        self._build.add_parameters({"hyperparameters": _settings(args)})
        version = import_module("transformers").__version__
        self._build.add_internal_parameters({"transformers": {"version": version, "worldSize": args.world_size}})
        if self._resumed_from is not None:
            self._build.use(Model(self._resumed_from), role="checkpoint")
        if self._output is not None:
            self._build.output(Model(self._output))

    def on_save(self, args: Any, state: Any, control: Any, **_more: Any) -> None:
        self._saved.append(Path(args.output_dir) / f"checkpoint-{state.global_step}")

    def on_train_end(self, args: Any, state: Any, control: Any, **_more: Any) -> None:
        if not state.is_world_process_zero:
            return
        figures = {"globalStep": state.global_step, "bestMetric": state.best_metric, "epoch": state.epoch}
        last = state.log_history[-1] if state.log_history else {}
        self._build.metrics({k: plain(v) for k, v in {**figures, **last}.items() if v is not None})
        if self._checkpoints:
            # The trainer removes old ones, if it was told to.
            for path in dict.fromkeys(p for p in self._saved if p.is_dir()):
                self._build.output(Model(path))


def _settings(args: Any) -> dict[str, Any]:
    defaults = {f.name: f.default for f in dataclasses.fields(args)}
    said = args.to_dict()  # in which the tokens are replaced by their names
    return {
        name: plain(value)
        for name, value in said.items()
        if not name.startswith(_LEFT_OUT) and (name in _ALWAYS or plain(defaults.get(name)) != plain(value))
    }
