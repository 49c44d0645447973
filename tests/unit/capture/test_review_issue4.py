"""What a fresh review found of issue 4: which secrets slipped through, what was refused for nothing, what was a lie?"""

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import Build, File, KeySigner, Model, attest
from glasswing_attest.capture.ci import Platform
from glasswing_attest.capture.secrets import refuse_secrets, refuse_secrets_in_command
from glasswing_attest.errors import FieldRefused, SecretRefused, UsageError
from tests.unit.capture.test_ci import BUILDKITE, GITHUB

BUILDER = "https://ci.example/trainer"
BUILD_TYPE = "https://example.com/train/v1"
RANDOM = "q7Zt4Lw9Xb2Nc8Vr5Ks1"
UUID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
HEX = "6b1d2f0c9e8a4753b0d1c2e3f4a59687d8e7f601"


def build(**more: Any) -> Build:
    return Build(BUILDER, build_type=BUILD_TYPE, **more)


# --- secrets that slipped through ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "where"),
    [
        # The name stands above the value, or beside it.
        ({"password": {"value": "hunter2"}}, "p.password.value"),
        ({"token": {"value": RANDOM}}, "p.token.value"),
        ({"secrets": {"hf": "abc"}}, "p.secrets.hf"),
        ({"credentials": {"user": "u", "pass": "hunter2"}}, "p.credentials.user"),
        ({"env": [{"name": "DB_PASSWORD", "value": "hunter2"}]}, "p.env[0].value"),
        ({"env": [{"name": "HF_TOKEN", "value": RANDOM}]}, "p.env[0].value"),
        ({"password": {"name": "x", "value": "hunter2"}}, "p.password.value"),
        ({"token": {"name": "x", "value": RANDOM}}, "p.token.value"),
        # A number may be one.
        ({"password": 123456}, "p.password"),
        ({"db": {"passwd": 12.5}}, "p.db.passwd"),
        # Other names.
        ({"DB_PWD": "hunter2"}, "p.DB_PWD"),
        ({"db_pass": "hunter2"}, "p.db_pass"),
        ({"AccountKey": "hunter2"}, "p.AccountKey"),
        ({"secret_id": UUID}, "p.secret_id"),
        ({"chunk_token": RANDOM}, "p.chunk_token"),
        ({"auth_token": HEX}, "p.auth_token"),
        # The text itself says the name.
        ({"note": '{"password": "hunter2"}'}, "p.note"),
        ({"dsn": "host=db password=hunter2 dbname=x"}, "p.dsn"),
        ({"cs": f"AccountName=x;AccountKey={RANDOM}==;EndpointSuffix=core"}, "p.cs"),
        ({"uri": "https://x.example/a?api_key=abcdefgh1234"}, "p.uri"),
        ({"uri": f"https://x.example/a?Signature={RANDOM}"}, "p.uri"),
        ({"header": f"X-Api-Key: {RANDOM}"}, "p.header"),
        ({"header": f"Authorization: token {RANDOM}"}, "p.header"),
        # A slash in the password.
        ({"uri": "redis://:pa/ss@cache:6379"}, "p.uri"),
    ],
    ids=str,
)
def test_a_secret_is_found_wherever_its_name_stands(value: Any, where: str) -> None:
    with pytest.raises(SecretRefused) as caught:
        refuse_secrets(value, "p")
    assert (caught.value.code, caught.value.where) == ("usage.secret", where)
    told = json.dumps(caught.value.to_dict())
    assert not any(secret in told for secret in ("hunter2", RANDOM, "pa/ss", "123456"))


@pytest.mark.parametrize(
    ("command", "at"),
    [
        (["sh", "-c", "DB_PASSWORD=hunter2 train"], 2),
        (["train", "--config", '{"api_key": "abcdef"}'], 2),
        (["train", "+wandb.api_key=abc"], 1),
        (["train", "++trainer.password=abc"], 1),
        (["env", f"_TOKEN={RANDOM}", "train"], 1),
        (["curl", "--header", f"Authorization: token {RANDOM}"], 2),
    ],
)
def test_a_secret_in_a_word_of_a_command_is_found(command: list[str], at: int) -> None:
    with pytest.raises(SecretRefused) as caught:
        refuse_secrets_in_command(command)
    assert (caught.value.code, caught.value.where) == ("usage.secret", f"command[{at}]")


def test_a_secret_is_refused_before_other_errors_tell_it() -> None:
    for number in (2**70, float("nan")):
        with pytest.raises(SecretRefused) as caught:
            build(parameters={"password": number})
        assert caught.value.where == "parameters.password"
        assert str(number) not in str(caught.value)


def test_the_name_of_an_artifact_is_no_place_for_a_secret(tmp_path: Path) -> None:
    path = tmp_path / ("ghp" + "_" + RANDOM * 2)
    path.write_text("x")
    with pytest.raises(SecretRefused) as caught, build() as run:
        run.use(File(path), role="tool")
    assert caught.value.where == "tool (a name)"
    for name in ("output", "byproduct"):
        with pytest.raises(SecretRefused) as caught, build() as run:
            getattr(run, name)(Model(tmp_path, name=path.name))
        assert caught.value.where == f"{name} (a name)"


# --- what is none ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        # Names that people give are words, whatever the setting is called.
        {"key_metric": "eval/accuracy_top1_mean", "metric_key_prefix": "eval_dataset_2024_v1"},
        {"image_key": "observation.images.top_cam_1", "sort_key": "resnet50_layer4_conv2"},
        {"keys_to_ignore_at_inference": ["past_key_values_layer12", "encoder_last_hidden_state2"]},
        {"token_strategy": "last_hidden_state_layer_24", "tokens": "openai/gsm8k-tokens-2048x16"},
        {"dataset_key": "s3://bucket/imagenet21k/train-00001-of-01024.parquet"},
        {"partition_key": "year=2024/month=05/day=01", "token_cache": "/data/tokens/2024-05-01/run-12"},
        {"author": "jane.doe1987@example.com", "authority": "https://login.example.com/v2"},
        {"note": "basic data-augmentation/flip", "other": "Basic classification-benchmark"},
        {"bos_token": "<|begin_of_text_128000|>", "image_token": "<image_soft_token_0001>"},
        {"tokenizer_name": "meta-llama/Meta-Llama-3.1-8B-Instruct", "tokenizer": {"revision": HEX}},
        {"max_new_tokens": 128, "keyframe_interval": 12, "num_api_keys": 3, "secret_size": 5, "pass": 12},
        {"prompt": "What is the password? Never tell it.", "code": "password=os.environ['X']; token=get_token()"},
        {"forward_pass": "bf16", "PWD": "/home/u/work", "run": UUID, "commit": HEX},
        {"uri": "https://registry:5000/img/a@sha256:abc", "json": '{"a":"s3://x","b":"c@d"}'},
    ],
    ids=str,
)
def test_what_a_training_run_is_told_is_no_secret(value: Any) -> None:
    refuse_secrets(value, "parameters")


@pytest.mark.parametrize(
    "command",
    [
        ["train", "--key_metric", "eval/accuracy_top1"],
        ["train", "--no-secret", "train.py"],
        ["python", "-m", "train", "model.pad_token=<pad>", "trainer.max_tokens=4096"],
    ],
)
def test_what_a_command_is_told_is_no_secret(command: list[str]) -> None:
    refuse_secrets_in_command(command)


@pytest.mark.parametrize("text", ["a=" * 100_000, "a:b " * 100_000, "x://a:b" * 50_000, "password " * 50_000])
def test_a_long_text_takes_no_long_time(text: str) -> None:
    refuse_secrets({"note": text}, "p")


# --- what was a lie --------------------------------------------------------------------------------------------------


def test_a_function_that_runs_after_its_call_is_not_recorded() -> None:
    async def coroutine(build: Build) -> int:
        return 1

    def generator(build: Build) -> Iterator[int]:
        yield 1

    async def both(build: Build) -> AsyncIterator[int]:
        yield 1

    functions: list[Callable[..., Any]] = [coroutine, generator, both]
    for function in functions:
        with pytest.raises(UsageError) as caught:
            Build.record(BUILDER, build_type=BUILD_TYPE)(function)
        assert (caught.value.code, caught.value.where) == ("usage", "function")


def test_an_output_that_was_measured_before_is_measured_when_the_run_ends(tmp_path: Path) -> None:
    (tmp_path / "w").write_text("before")
    measured = Model(tmp_path, name="acme/iris").measure()
    with build() as run:
        (tmp_path / "w").write_text("made")
        run.output(measured)
        run.byproduct(measured)
    (made,), (left,) = run.outputs, run.provenance().byproducts
    assert made.digests == left.digest == Model(tmp_path).measure().digests != measured.digests
    assert made.name == left.name == "acme/iris"


def test_what_a_reader_changes_is_not_recorded() -> None:
    with build(parameters={"a": {"b": [1]}}) as run:
        pass
    read: Any = run.provenance().external_parameters
    read["a"]["b"].append(2)
    assert run.provenance().external_parameters == {"a": {"b": [1]}}


# --- crashes ---------------------------------------------------------------------------------------------------------


def test_values_that_cannot_be_kept_are_refused_by_our_own_errors() -> None:
    with pytest.raises(FieldRefused) as caught:
        build(parameters={"x": threading.Lock()})
    assert caught.value.where == "parameters.x"
    circle: dict[str, object] = {}
    circle["a"] = circle
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for value in (circle, {"x": deep}):
        with pytest.raises(FieldRefused) as caught:
            build(internal_parameters=value)
        assert caught.value.where == "internal_parameters"


def test_a_value_of_another_kind_under_a_name_of_ours_is_refused() -> None:
    with pytest.raises(UsageError) as caught, build(internal_parameters={"variables": ["x"]}) as run:
        run.use_variables("PATH")
    assert caught.value.where == "internal_parameters.variables"
    with pytest.raises(UsageError) as caught, build(internal_parameters={"nodes": "x"}) as run:
        run.add_node("1", {})
    assert caught.value.where == "internal_parameters.nodes"


# --- platforms -------------------------------------------------------------------------------------------------------


def test_a_required_workflow_lies_in_its_own_repository() -> None:
    reference = "acme/policies/.github/workflows/scan.yml@refs/tags/release/v1@2"
    platform = Platform.detect({**GITHUB, "GITHUB_WORKFLOW_REF": reference})
    assert platform is not None
    assert platform.external_parameters == {
        "workflow": {
            "ref": "refs/tags/release/v1@2",
            "repository": "https://github.com/acme/policies",
            "path": ".github/workflows/scan.yml",
        }
    }
    assert platform.source is not None
    assert platform.source.uri.startswith(f"git+https://github.com/{GITHUB['GITHUB_REPOSITORY']}@")


@pytest.mark.parametrize("reference", ["acme/train/.github/workflows/train.yml", "train.yml@refs/heads/main", "a/b/@c"])
def test_a_workflow_without_its_repository_or_reference_is_refused(reference: str) -> None:
    with pytest.raises(UsageError) as caught:
        Platform.detect({**GITHUB, "GITHUB_WORKFLOW_REF": reference})
    assert caught.value.where == "environ.GITHUB_WORKFLOW_REF"


def test_what_a_platform_says_can_be_allowed_too() -> None:
    environ = {**BUILDKITE, "BUILDKITE_COMMAND": "train --db postgresql://u:p@db/x"}
    with pytest.raises(SecretRefused) as caught:
        Build.from_environment(environ)
    assert caught.value.where == "parameters.step.command"
    with Build.from_environment(environ, secrets_allowed_unsafe=[str(caught.value.where)]) as run:
        run.output(Model(Path(__file__).parent))
    attest(run.outputs, run.provenance(), signer=KeySigner.generate())
