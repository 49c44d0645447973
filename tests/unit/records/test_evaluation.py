"""Does a record of an evaluation say what was measured on what, exactly?"""

from decimal import Decimal
from typing import Any

import pytest

from glasswing_attest.errors import FieldMissing, FieldRefused, MalformedError
from glasswing_attest.records import EvaluationRecord, Metric, ResourceReference

DATASET = ResourceReference(name="iris")
ACCURACY = Metric(name="accuracy", value="0.930")


def test_a_value_is_exact_and_asked_for_by_name_and_part() -> None:
    part = Metric(name="accuracy", value="0.3333333333333333333333333333333333333", part="setosa")
    record = EvaluationRecord(metrics=[ACCURACY, part], dataset=DATASET)
    assert str(record.value("accuracy")) == "0.930"
    assert record.value("accuracy", "setosa") == Decimal("0.3333333333333333333333333333333333333")
    assert record.value("accuracy", "virginica") is None
    assert record.value("loss") is None
    assert EvaluationRecord.from_json(record.to_json()) == record


@pytest.mark.parametrize(
    ("fields", "because"),
    [
        ({"dataset": DATASET}, "at least one metric"),
        ({"metrics": [ACCURACY]}, "names its dataset"),
        ({"metrics": [ACCURACY, Metric(name="accuracy", value="1")], "dataset": DATASET}, "said twice"),
        ({"metrics": [ACCURACY, Metric(name="accuracy", value="1", part="")], "dataset": DATASET}, "said twice"),
    ],
)
def test_an_evaluation_of_nothing_is_refused(fields: dict[str, Any], because: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        EvaluationRecord(**fields)
    assert refused.value.code == "malformed.field"
    assert refused.value.where == "EvaluationRecord"
    assert because in refused.value.because


@pytest.mark.parametrize(
    ("json", "error", "where"),
    [
        (b"{}", FieldRefused, "$"),
        (b'{"dataset": {"name": "d"}, "metrics": [{"name": "a"}]}', FieldMissing, "$.metrics[0].value"),
        (b'{"dataset": {"name": "d"}, "metrics": [{"name": "", "value": "1"}]}', FieldMissing, "$.metrics[0].name"),
        (b'{"dataset": {"name": "d"}, "metrics": [{"name": "a", "value": 1}]}', FieldRefused, "$.metrics[0].value"),
        (b'{"dataset": {"name": "d"}, "metrics": [{"name": "a", "value": "1e3"}]}', FieldRefused, "$.metrics[0].value"),
        (b'{"dataset": {"name": "d"}, "metrics": [{"name": "a", "value": "NaN"}]}', FieldRefused, "$.metrics[0].value"),
        (b'{"dataset": {}, "metrics": [{"name": "a", "value": "1"}]}', FieldRefused, "$.dataset"),
        (b'{"dataset": {"name": "d"}, "metrics": [{"name": "a", "value": "1"}], "seed": -1}', FieldRefused, "$.seed"),
    ],
)
def test_json_that_is_no_evaluation_is_refused(json: bytes, error: type[MalformedError], where: str) -> None:
    with pytest.raises(error) as refused:
        EvaluationRecord.from_json(json)
    assert (refused.value.code, refused.value.where) == (error.code, where)


def test_a_negative_error_is_refused() -> None:
    with pytest.raises(FieldRefused) as refused:
        Metric(name="a", value="1", standard_error="-0.1")
    assert refused.value.where == "Metric"
