"""Every operator of the search language over runs, against what plain Python says."""

import fnmatch
import itertools

import pytest
from mlflow.exceptions import MlflowException

METRICS = {"acc": [0.1, 0.5, 0.9, None, 0.5], "odd name/x.y": [1, 2, 3, 4, None]}
PARAMS = {"lr": ["0.1", "0.01", None, "1", "0.1"], "opt": ["adam", "Adam", "sgd", "a%b", "it's"]}


@pytest.fixture
def runs(client, experiment):
    made = []
    for i in range(5):
        run = client.create_run(experiment, run_name=f"run-{i}", start_time=1000 * (i + 1), tags={"stage": "ABabC"[i]})
        rid = run.info.run_id
        for key, values in METRICS.items():
            if values[i] is not None:
                client.log_metric(rid, key, values[i])
        for key, values in PARAMS.items():
            if values[i] is not None:
                client.log_param(rid, key, values[i])
        if i % 2:
            client.set_terminated(rid, "FAILED", end_time=9000 + i)
        made.append(rid)
    return made


def search(client, experiment, runs, text):
    return sorted(runs.index(r.info.run_id) for r in client.search_runs([experiment], text))


def test_metrics_compare_as_numbers(client, experiment, runs):
    operators = {"=": float.__eq__, "!=": float.__ne__, ">": float.__gt__, ">=": float.__ge__, "<": float.__lt__,
                 "<=": float.__le__}
    for (key, values), (op, holds), number in itertools.product(METRICS.items(), operators.items(), (0.5, 2, -1.0, 3e0)):
        wanted = [i for i, v in enumerate(values) if v is not None and holds(float(v), float(number))]
        assert search(client, experiment, runs, f"metrics.`{key}` {op} {number}") == wanted, (key, op, number)
        assert search(client, experiment, runs, f'metric."{key}" {op} {number}') == wanted


def test_params_and_tags_compare_as_text(client, experiment, runs):
    for key, values in PARAMS.items():
        for value in {v for v in values if v and "'" not in v} | {"nothing"}:
            equal = [i for i, v in enumerate(values) if v == value]
            unequal = [i for i, v in enumerate(values) if v is not None and v != value]
            assert search(client, experiment, runs, f"params.{key} = '{value}'") == equal
            assert search(client, experiment, runs, f"parameter.{key} != '{value}'") == unequal
    assert search(client, experiment, runs, 'params.opt = "it\'s"') == [4]
    assert search(client, experiment, runs, "tags.stage = 'A'") == [0]
    assert search(client, experiment, runs, "tag.stage != 'A'") == [1, 2, 3, 4]


@pytest.mark.parametrize("pattern", ["a%", "%d%", "A%", "_dam", "%", "sg_", "a\\%b", "%'%"])
def test_like_and_ilike(client, experiment, runs, pattern):
    if "\\" in pattern:
        pytest.skip("escapes in LIKE differ between the reference's databases")
    quote = '"' if "'" in pattern else "'"
    shell = pattern.replace("[", "[[]").replace("%", "*").replace("_", "?")
    exact = [i for i, v in enumerate(PARAMS["opt"]) if fnmatch.fnmatchcase(v, shell)]
    loose = [i for i, v in enumerate(PARAMS["opt"]) if fnmatch.fnmatchcase(v.lower(), shell.lower())]
    assert search(client, experiment, runs, f"params.opt LIKE {quote}{pattern}{quote}") == exact
    assert search(client, experiment, runs, f"params.opt ilike {quote}{pattern}{quote}") == loose


def test_attributes(client, experiment, runs):
    assert search(client, experiment, runs, "attributes.status = 'FAILED'") == [1, 3]
    assert search(client, experiment, runs, "status != 'FAILED'") == [0, 2, 4]
    assert search(client, experiment, runs, "attr.run_name = 'run-2'") == [2]
    assert search(client, experiment, runs, "run_name LIKE 'run-%'") == [0, 1, 2, 3, 4]
    assert search(client, experiment, runs, "run.`run name` = 'run-3'") == [3]
    assert search(client, experiment, runs, f"run_id = '{runs[1]}'") == [1]
    assert search(client, experiment, runs, f"attributes.run_id IN ('{runs[1]}', '{runs[4]}')") == [1, 4]
    assert search(client, experiment, runs, f"attributes.run_id NOT IN ('{runs[1]}', '{runs[4]}')") == [0, 2, 3]
    assert search(client, experiment, runs, "start_time > 2000") == [2, 3, 4]
    assert search(client, experiment, runs, "start_time <= 2000 AND start_time >= 1000") == [0, 1]
    assert search(client, experiment, runs, "end_time = 9001") == [1]
    assert search(client, experiment, runs, "artifact_uri LIKE '%/artifacts'") == [0, 1, 2, 3, 4]


def test_conjunctions(client, experiment, runs):
    assert search(client, experiment, runs, "metrics.acc >= 0.5 AND params.lr = '0.1'") == [4]
    assert search(client, experiment, runs, "metrics.acc >= 0.5 and params.opt LIKE '%d%' and tags.stage = 'B'") == [1]
    assert search(client, experiment, runs, "") == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("order, wanted", [
    (["metrics.acc ASC"], [0, 4, 1, 2, 3]), (["metrics.acc DESC"], [2, 4, 1, 0, 3]), (["start_time"], [0, 1, 2, 3, 4]),
    (["attributes.start_time DESC"], [4, 3, 2, 1, 0]), (["params.lr"], [1, 4, 0, 3, 2]),
    (["params.lr DESC", "start_time ASC"], [3, 0, 4, 1, 2]), (["tags.stage"], [0, 1, 4, 2, 3]),
    (["metrics.`odd name/x.y` DESC"], [3, 2, 1, 0, 4]), (["end_time ASC"], [1, 3, 4, 2, 0]),
    (["run_name DESC"], [4, 3, 2, 1, 0]), (["status", "start_time"], None)])
def test_order(client, experiment, runs, order, wanted):
    got = [runs.index(r.info.run_id) for r in client.search_runs([experiment], order_by=order)]
    if wanted is None:
        assert got == [1, 3, 0, 2, 4]
    else:
        assert got == wanted


@pytest.mark.parametrize("text", [
    "metrics.acc > '0.5'", "params.lr = 0.1", "metrics.acc LIKE 'a'", "acc > 0.5", "metrics.acc", "metrics.acc >",
    "params.lr > 'a'", "foo.bar = 'x'", "start_time > 'abc'", "metrics.acc = abc", "params.lr = 'a", "lifecycle_stage = 'active'",
    "= 1", "status IN"])
def test_bad_filters_are_refused(client, experiment, text):
    with pytest.raises(MlflowException) as e:
        client.search_runs([experiment], text)
    assert e.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize("order", [["metrics.acc SIDEWAYS"], ["foo.bar"], ["nothing"]])
def test_bad_orders_are_refused(client, experiment, order):
    with pytest.raises(MlflowException) as e:
        client.search_runs([experiment], order_by=order)
    assert e.value.error_code == "INVALID_PARAMETER_VALUE"
