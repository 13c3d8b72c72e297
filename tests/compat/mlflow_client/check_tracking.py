"""Experiments, runs, params, metrics, tags: what MlflowClient and the fluent API promise."""

import math
import time

import mlflow
import pytest
from conftest import VERSION
from mlflow.entities import Metric, Param, RunStatus, RunTag, ViewType
from mlflow.exceptions import MlflowException
from packaging.version import Version


def test_an_experiment_has_its_life(client, name):
    eid = client.create_experiment(name, tags={"team": "risk"})
    exp = client.get_experiment(eid)
    assert (exp.name, exp.lifecycle_stage, exp.tags["team"]) == (name, "active", "risk")
    assert client.get_experiment_by_name(name).experiment_id == eid
    assert exp.artifact_location.endswith(f"/{eid}")
    with pytest.raises(MlflowException) as e:
        client.create_experiment(name)
    assert e.value.error_code == "RESOURCE_ALREADY_EXISTS"
    client.set_experiment_tag(eid, "team", "fraud")
    client.set_experiment_tag(eid, "a/b.c d", "x")
    client.rename_experiment(eid, name + "-2")
    exp = client.get_experiment(eid)
    assert exp.name == name + "-2" and exp.tags["team"] == "fraud" and exp.tags["a/b.c d"] == "x"
    assert exp.last_update_time >= exp.creation_time > 1_500_000_000_000
    client.delete_experiment(eid)
    assert client.get_experiment(eid).lifecycle_stage == "deleted"
    with pytest.raises(MlflowException):
        client.create_run(eid)
    with pytest.raises(MlflowException) as e:
        client.delete_experiment(eid)
    assert e.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    client.restore_experiment(eid)
    assert client.get_experiment(eid).lifecycle_stage == "active"


def test_unknown_things_are_not_found(client):
    assert client.get_experiment_by_name("nobody made this one") is None
    for call in (lambda: client.get_experiment("987654321"), lambda: client.get_run("f" * 32),
                 lambda: client.log_metric("f" * 32, "m", 1.0), lambda: client.set_tag("f" * 32, "t", "1")):
        with pytest.raises(MlflowException) as e:
            call()
        assert e.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_a_run_keeps_what_is_logged(client, experiment):
    run = client.create_run(experiment, tags={"k": "v"}, run_name="first")
    rid = run.info.run_id
    assert run.info.status == "RUNNING" and run.data.tags["mlflow.runName"] == "first"
    client.log_param(rid, "lr", 0.1)
    client.log_param(rid, "lr", 0.1)
    with pytest.raises(MlflowException) as e:
        client.log_param(rid, "lr", 0.2)
    assert "Changing param values is not allowed" in str(e.value)
    for step, value in enumerate([0.5, 0.25, 0.75]):
        client.log_metric(rid, "loss", value, timestamp=1000 + step, step=step)
    client.log_metric(rid, "loss", 9.0, timestamp=5000, step=-1)
    client.set_tag(rid, "k", "w")
    client.set_tag(rid, "gone", "1")
    client.delete_tag(rid, "gone")
    with pytest.raises(MlflowException) as e:
        client.delete_tag(rid, "gone")
    assert e.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    client.set_terminated(rid, "FINISHED", end_time=123456789)
    run = client.get_run(rid)
    assert run.data.params == {"lr": "0.1"} and run.data.metrics == {"loss": 0.75}
    assert run.data.tags["k"] == "w" and "gone" not in run.data.tags
    assert (run.info.status, run.info.end_time) == ("FINISHED", 123456789)
    history = client.get_metric_history(rid, "loss")
    assert [(m.timestamp, m.step, m.value) for m in history] == [
        (1000, 0, 0.5), (1001, 1, 0.25), (1002, 2, 0.75), (5000, -1, 9.0)]
    assert client.get_metric_history(rid, "no such metric") == []


def test_numbers_that_json_has_not(client, experiment):
    rid = client.create_run(experiment).info.run_id
    client.log_metric(rid, "nan", math.nan)
    client.log_metric(rid, "inf", math.inf)
    client.log_metric(rid, "minus", -math.inf)
    client.log_metric(rid, "tiny", 5e-324)
    client.log_metric(rid, "third", 1 / 3)
    client.log_metric(rid, "bool", True)
    got = client.get_run(rid).data.metrics
    assert math.isnan(got["nan"]) and got["inf"] == 1.7976931348623157e308 and got["minus"] == -got["inf"]
    assert (got["tiny"], got["third"], got["bool"]) == (5e-324, 1 / 3, 1.0)


def test_batches(client, experiment):
    rid = client.create_run(experiment).info.run_id
    metrics = [Metric(f"m{i % 10}", float(i), 1_000_000 + i, i) for i in range(1000)]
    client.log_batch(rid, metrics=metrics)
    client.log_batch(rid, params=[Param(f"p{i}", str(i)) for i in range(100)],
                     tags=[RunTag(f"t{i}", "é" * 10) for i in range(100)])
    run = client.get_run(rid)
    assert run.data.metrics == {f"m{i}": 990.0 + i for i in range(10)}
    assert len(run.data.params) == 100 and run.data.tags["t7"] == "é" * 10
    assert len(client.get_metric_history(rid, "m3")) == 100
    with pytest.raises(MlflowException) as e:
        client.log_batch(rid, params=[Param("p1", "changed"), Param("new", "1")])
    assert "Changing param values is not allowed" in str(e.value)
    assert "new" not in client.get_run(rid).data.params
    with pytest.raises(MlflowException):
        client.log_batch(rid, metrics=[Metric("a" * 251, 1.0, 1, 1)])


def test_long_values_are_cut_or_refused(client, experiment):
    rid = client.create_run(experiment).info.run_id
    client.log_param(rid, "long", "x" * 6001)
    client.set_tag(rid, "long", "y" * 8001)
    run = client.get_run(rid)
    assert run.data.params["long"] == "x" * 6000 and run.data.tags["long"] == "y" * 8000


def test_deleting_and_restoring_a_run(client, experiment):
    rid = client.create_run(experiment).info.run_id
    client.delete_run(rid)
    assert client.get_run(rid).info.lifecycle_stage == "deleted"
    assert client.search_runs([experiment]) == []
    assert [r.info.run_id for r in client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)] == [rid]
    with pytest.raises(MlflowException):
        client.log_metric(rid, "m", 1)
    client.restore_run(rid)
    assert len(client.search_runs([experiment])) == 1


def test_updating_a_run(client, experiment):
    rid = client.create_run(experiment).info.run_id
    first = client.get_run(rid).info.run_name
    assert first
    client.update_run(rid, status="SCHEDULED", name="renamed")
    run = client.get_run(rid)
    assert run.info.run_name == "renamed" == run.data.tags["mlflow.runName"] and run.info.status == "SCHEDULED"
    client.set_tag(rid, "mlflow.runName", "again")
    assert client.get_run(rid).info.run_name == "again"
    assert RunStatus.to_string(RunStatus.from_string(run.info.status)) == "SCHEDULED"


def test_the_fluent_api_and_nested_runs(experiment):
    with mlflow.start_run(run_name="parent", tags={"a": "1"}, description="what it is") as parent:
        mlflow.log_params({"x": 1, "y": "two"})
        mlflow.log_metrics({"m": 1.5, "n": 2.5}, step=3)
        mlflow.set_tags({"b": "2"})
        for depth in range(3):
            with mlflow.start_run(nested=True, run_name=f"child {depth}"):
                mlflow.log_metric("score", depth / 2)
    runs = mlflow.search_runs(filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'",
                              order_by=["metrics.score DESC"])
    assert list(runs["tags.mlflow.runName"]) == ["child 2", "child 1", "child 0"]
    found = mlflow.get_run(parent.info.run_id)
    assert found.data.tags["mlflow.note.content"] == "what it is" and found.data.metrics == {"m": 1.5, "n": 2.5}
    assert found.info.status == "FINISHED" and found.data.tags["mlflow.source.type"] == "LOCAL"
    with pytest.raises(RuntimeError), mlflow.start_run() as failing:
        raise RuntimeError("stop")
    assert mlflow.get_run(failing.info.run_id).info.status == "FAILED"


def test_search_runs_makes_a_frame(experiment):
    for i in range(25):
        with mlflow.start_run(run_name=f"r{i}"):
            mlflow.log_param("p", i % 3)
            mlflow.log_metric("m", i)
    frame = mlflow.search_runs(order_by=["metrics.m ASC"])
    assert list(frame["metrics.m"]) == list(range(25)) and set(frame["params.p"]) == {"0", "1", "2"}
    assert frame["start_time"].is_monotonic_increasing and str(frame["start_time"].dtype).startswith("datetime64")
    assert len(mlflow.search_runs(filter_string="params.p = '1' and metrics.m > 10", max_results=3)) == 3
    listed = mlflow.search_runs(filter_string="metrics.m <= 4", output_format="list")
    assert len(listed) == 5


def test_pages_of_runs_join_up(client, experiment):
    ids = [client.create_run(experiment, start_time=1000 + i // 4).info.run_id for i in range(23)]
    seen, token, pages = [], None, 0
    while True:
        page = client.search_runs([experiment], max_results=5, page_token=token)
        seen += [r.info.run_id for r in page]
        pages += 1
        token = page.token
        if not token:
            break
    assert sorted(seen) == sorted(ids) and len(set(seen)) == 23 and pages >= 5
    starts = {r.info.run_id: r.info.start_time for r in client.search_runs([experiment])}
    assert seen == sorted(seen, key=lambda r: (-starts[r], r))


def test_searching_experiments(client, name):
    ids = {c: client.create_experiment(f"{name}-{c}", tags={"k": c}) for c in "abc"}
    client.delete_experiment(ids["c"])
    found = client.search_experiments(filter_string=f"name LIKE '{name}-%'", order_by=["name ASC"])
    assert [e.name for e in found] == [f"{name}-a", f"{name}-b"]
    found = client.search_experiments(filter_string=f"name ILIKE '{name.upper()}-%' AND tags.k = 'b'")
    assert [e.experiment_id for e in found] == [ids["b"]]
    found = client.search_experiments(view_type=ViewType.ALL, filter_string=f"name LIKE '{name}-%'", max_results=2,
                                      order_by=["name DESC"])
    assert [e.name[-1] for e in found] == ["c", "b"] and found.token
    rest = client.search_experiments(view_type=ViewType.ALL, filter_string=f"name LIKE '{name}-%'", max_results=2,
                                     order_by=["name DESC"], page_token=found.token)
    assert [e.name[-1] for e in rest] == ["a"]
    before = int(time.time() * 1000) + 60_000
    assert client.search_experiments(filter_string=f"creation_time > {before}") == []


@pytest.mark.skipif(Version("3.17") > VERSION, reason="IS NULL came with the 3.17 server and its client")
def test_null_tests_of_newer_clients(client, experiment):
    with_tag = client.create_run(experiment, tags={"x": "1"}).info.run_id
    without = client.create_run(experiment).info.run_id
    assert [r.info.run_id for r in client.search_runs([experiment], "tags.x IS NULL")] == [without]
    assert [r.info.run_id for r in client.search_runs([experiment], "tags.x IS NOT NULL")] == [with_tag]


def test_logging_in_the_background(experiment):
    with mlflow.start_run() as run:
        waits = [mlflow.log_metric("m", i, step=i, synchronous=False) for i in range(50)]
        waits.append(mlflow.log_params({"a": 1}, synchronous=False))
        for wait in waits:
            wait.wait()
    assert len(mlflow.MlflowClient().get_metric_history(run.info.run_id, "m")) == 50
