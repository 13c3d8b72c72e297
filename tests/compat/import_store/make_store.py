"""Fills a store (argv[1]) through the MlflowClient at hand with a little of everything that an import brings."""

import sys

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag

START = 1_700_000_000_000


def metrics(i):
    yield from (Metric("loss", 1.0 / (step + 1 + i), START + step, step) for step in range(50))
    yield Metric("nan", float("nan"), 5, 1)
    yield Metric("infinite", float("inf"), 5, 1)
    yield Metric("negative", float("-inf"), 6, -3)
    yield Metric("zero and nan", 0.0, 7, 0)
    yield Metric("zero and nan", float("nan"), 7, 0)
    yield Metric("a/b c", 1e-300, 3, 2**40)


def make_runs(client, experiments):
    runs = []
    for i in range(12):
        run = client.create_run(experiments[i % 3], start_time=START + i, run_name=f"run {i}",
                                tags={"mlflow.user": f"user{i % 2}", "k": f"v{i}"}).info.run_id
        client.log_batch(run, list(metrics(i)), [Param("lr", str(i)), Param("long", "x" * 5000), Param("text", "ü✓")],
                         [RunTag("t", "1"), RunTag("mlflow.note.content", "line\nline")])
        if i % 4 != 3:
            client.set_terminated(run, ["FINISHED", "FAILED", "KILLED"][i % 3], end_time=START + 100_000 + i)
        runs.append(run)
    dataset = Dataset(name="d1", digest="abc", source_type="local", source="{}", schema='{"a":1}', profile=None)
    for run in runs[:5]:
        client.log_inputs(run, [DatasetInput(dataset=dataset, tags=[InputTag("mlflow.data.context", "training")])])
    client.delete_run(runs[1])
    client.delete_run(runs[2])
    client.restore_run(runs[2])
    return runs


def make_registry(client, runs):
    client.create_registered_model("m1", tags={"a": "b"}, description="about")
    client.create_registered_model("m 2 ü")
    for i in range(4):
        client.create_model_version("m1", f"s3://bucket/m{i}", run_id=runs[i], tags={"n": str(i)}, description="d")
    client.create_model_version("m 2 ü", "s3://bucket/x")
    client.transition_model_version_stage("m1", "1", "Production")
    client.transition_model_version_stage("m1", "2", "Staging")
    client.set_registered_model_alias("m1", "champion", "2")
    client.set_registered_model_alias("m1", "old", "1")
    client.set_registered_model_alias("m1", "gone", "4")  # dangles until 3.17
    client.delete_model_version("m1", "4")


def make_logged_models(client, experiment, runs):
    from mlflow.entities import LoggedModelInput, LoggedModelOutput
    made = client.create_logged_model(experiment, name="lm", source_run_id=runs[1], tags={"x": "y"}, params={"p": "q"},
                                      model_type="t")
    client.finalize_logged_model(made.model_id, "READY")
    pending = client.create_logged_model("0", name="lm2")
    client.log_outputs(runs[0], [LoggedModelOutput(pending.model_id, 7)])
    client.log_inputs(runs[3], models=[LoggedModelInput(made.model_id)])
    client.log_metric(runs[0], "acc", 0.5, model_id=pending.model_id, dataset_name="d1", dataset_digest="abc", step=3)
    client.log_metric(runs[0], "acc", 0.7, model_id=pending.model_id, step=4)
    client.delete_logged_model(client.create_logged_model("0", name="lm3").model_id)


def main(uri):
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    first = client.create_experiment("first / experiment", tags={"team": "blue", "empty": ""})
    deleted = client.create_experiment("deleted one")
    third = client.create_experiment("grün")
    runs = make_runs(client, ["0", first, third])
    client.create_run(deleted)
    client.delete_experiment(deleted)
    make_registry(client, runs)
    if hasattr(client, "create_logged_model"):
        make_logged_models(client, first, runs)


main(sys.argv[1])
