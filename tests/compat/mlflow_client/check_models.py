"""Models: autologging, log_model over the artifact proxy, loading them again, PyTorch, datasets, logged models."""

import json
import sys
import warnings

import mlflow
import numpy as np
import pandas as pd
import pytest
from conftest import VERSION
from mlflow.exceptions import MlflowException
from packaging.version import Version
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HAS_LOGGED_MODELS = Version("3.0") <= VERSION
warnings.filterwarnings("ignore")


def fitted():
    x, y = load_iris(return_X_y=True, as_frame=True)
    return LogisticRegression(max_iter=500).fit(x, y), x, y


def log_model(model, name, **more):
    place = {"name": name} if HAS_LOGGED_MODELS else {"artifact_path": name}
    return mlflow.sklearn.log_model(model, **place, pip_requirements=["scikit-learn"], **more)


def test_autologging_of_scikit_learn(client, experiment):
    mlflow.sklearn.autolog(log_datasets=True)
    try:
        x, y = load_iris(return_X_y=True, as_frame=True)
        with mlflow.start_run() as run:
            make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=300)).fit(x, y)
    finally:
        mlflow.sklearn.autolog(disable=True)
    found = client.get_run(run.info.run_id)
    assert found.data.params["logisticregression__C"] == "0.5"
    assert 0.9 < found.data.metrics["training_score"] <= 1 and "training_f1_score" in found.data.metrics
    assert found.data.tags["estimator_name"] == "Pipeline"
    assert [d.dataset.name for d in found.inputs.dataset_inputs] == ["dataset"]
    names = {f.path for f in client.list_artifacts(run.info.run_id)}
    assert "training_confusion_matrix.png" in names and "estimator.html" in names
    model = mlflow.sklearn.load_model(f"runs:/{run.info.run_id}/model")
    assert (model.predict(x) == y).mean() > 0.9


def test_autologging_of_a_search_makes_child_runs(client, experiment):
    mlflow.sklearn.autolog(max_tuning_runs=3, log_models=False)
    try:
        x, y = load_iris(return_X_y=True, as_frame=True)
        with mlflow.start_run() as run:
            GridSearchCV(LogisticRegression(max_iter=300), {"C": [0.1, 1, 10]}, cv=3).fit(x, y)
    finally:
        mlflow.sklearn.autolog(disable=True)
    children = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{run.info.run_id}'")
    assert sorted(float(c.data.params["C"]) for c in children) == [0.1, 1.0, 10.0]
    assert client.get_run(run.info.run_id).data.metrics["best_cv_score"] > 0.9


def test_a_model_comes_back_as_it_went(experiment):
    model, x, _ = fitted()
    with mlflow.start_run() as run:
        signature = mlflow.models.infer_signature(x, model.predict(x))
        info = log_model(model, "model", signature=signature, input_example=x.head(2))
    loaded = mlflow.pyfunc.load_model(info.model_uri)
    assert (loaded.predict(x) == model.predict(x)).all()
    assert loaded.metadata.signature == signature
    again = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
    assert (again.predict(x) == model.predict(x)).all()
    with pytest.raises(MlflowException):
        loaded.predict(pd.DataFrame({"wrong": [1.0]}))
    if HAS_LOGGED_MODELS:
        assert mlflow.get_logged_model(info.model_id).status == "READY"


def test_a_custom_python_model_with_artifacts(experiment, tmp_path):
    class Adder(mlflow.pyfunc.PythonModel):
        def load_context(self, context):
            self.n = json.load(open(context.artifacts["numbers"]))["n"]

        def predict(self, context, model_input, params=None):
            return model_input + self.n

    (tmp_path / "numbers.json").write_text('{"n": 5}')
    place = {"name": "adder"} if HAS_LOGGED_MODELS else {"artifact_path": "adder"}
    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(**place, python_model=Adder(), pip_requirements=[],
                                       artifacts={"numbers": str(tmp_path / "numbers.json")})
    got = mlflow.pyfunc.load_model(info.model_uri).predict(pd.DataFrame({"a": [1, 2]}))
    assert list(got["a"]) == [6, 7]


def test_pytorch(experiment):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    x = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    place = {"name": "net"} if HAS_LOGGED_MODELS else {"artifact_path": "net"}
    with mlflow.start_run():
        info = mlflow.pytorch.log_model(net, **place, pip_requirements=["torch"], input_example=x)
        mlflow.log_metric("loss", 0.5)
    with torch.no_grad():
        wanted = net(torch.from_numpy(x)).numpy()
    assert np.array_equal(mlflow.pytorch.load_model(info.model_uri)(torch.from_numpy(x)).detach().numpy(), wanted)
    assert np.allclose(mlflow.pyfunc.load_model(info.model_uri).predict(x), wanted)


def test_datasets(client, experiment):
    frame = pd.DataFrame({"a": [1, 2, 3], "y": [0.5, 1.5, 2.5]})
    data = mlflow.data.from_pandas(frame, name="small", targets="y", source="https://example.org/small.csv")
    with mlflow.start_run() as run:
        mlflow.log_input(data, context="training", tags={"kind": "toy"})
        mlflow.log_input(mlflow.data.from_numpy(np.arange(6).reshape(2, 3), name="grid"), context="eval")
    found = client.get_run(run.info.run_id)
    by_name = {d.dataset.name: d for d in found.inputs.dataset_inputs}
    assert set(by_name) == {"small", "grid"}
    small = by_name["small"]
    assert small.dataset.digest == data.digest and json.loads(small.dataset.profile)["num_rows"] == 3
    assert {t.key: t.value for t in small.tags} == {"mlflow.data.context": "training", "kind": "toy"}
    for text, count in [("dataset.name = 'small'", 1), ("datasets.digest LIKE 'zz%'", 0), ("dataset.context = 'eval'", 1),
                        ("dataset.name IN ('small', 'other')", 1), ("dataset.name NOT IN ('small', 'grid')", 0)]:
        assert len(client.search_runs([experiment], text)) == count, text
    source = mlflow.data.get_source(small.dataset)
    assert source.url == "https://example.org/small.csv"


@pytest.mark.skipif(not HAS_LOGGED_MODELS, reason="logged models came with MLflow 3")
def test_logged_models(client, experiment):
    model, x, _ = fitted()
    with mlflow.start_run() as run:
        info = log_model(model, "clf", params={"C": "1.0"}, tags={"kind": "linear"})
        mlflow.log_metric("acc", 0.9, model_id=info.model_id)
        mlflow.log_metric("acc", 0.95, step=1, model_id=info.model_id)
    logged = mlflow.get_logged_model(info.model_id)
    assert (logged.name, logged.source_run_id, logged.params["C"], logged.tags["kind"]) == (
        "clf", run.info.run_id, "1.0", "linear")
    assert any(m.key == "acc" and m.value == 0.95 for m in logged.metrics)
    assert [m.model_id for m in client.get_run(run.info.run_id).outputs.model_outputs] == [info.model_id]
    found = mlflow.search_logged_models(experiment_ids=[experiment], filter_string="metrics.acc > 0.92 AND params.C = '1.0'",
                                        output_format="list")
    assert [m.model_id for m in found] == [info.model_id]
    assert mlflow.search_logged_models(experiment_ids=[experiment], filter_string="name = 'other'",
                                       output_format="list") == []
    mlflow.set_logged_model_tags(info.model_id, {"kind": "tree", "b": "2"})
    client.delete_logged_model_tag(info.model_id, "b")
    assert mlflow.get_logged_model(info.model_id).tags["kind"] == "tree"
    frame = mlflow.search_logged_models(experiment_ids=[experiment], order_by=[{"field_name": "metrics.acc"}])
    assert list(frame["model_id"]) == [info.model_id]
    external = mlflow.create_external_model(name="elsewhere") if hasattr(mlflow, "create_external_model") else None
    if external:
        assert mlflow.get_logged_model(external.model_id).name == "elsewhere"
    client.delete_logged_model(info.model_id)
    with pytest.raises(MlflowException):
        mlflow.get_logged_model(info.model_id)


@pytest.mark.skipif(not HAS_LOGGED_MODELS, reason="logged models came with MLflow 3")
def test_a_logged_model_knows_its_versions_in_mlflows_very_text(client, experiment, name):
    client.create_registered_model(name)
    model = client.create_logged_model(experiment)
    for _ in range(2):
        client.create_model_version(name, source=model.artifact_location, model_id=model.model_id)
    tag = client.get_logged_model(model.model_id).tags["mlflow.modelVersions"]
    assert tag == f'[{{"name": "{name}", "version": 1}}, {{"name": "{name}", "version": 2}}]'


def test_evaluate_logs_its_results(client, experiment):
    model, x, y = fitted()
    frame = x.assign(target=y)
    with mlflow.start_run() as run:
        info = log_model(model, "m")
        evaluate = mlflow.models.evaluate if hasattr(mlflow, "models") and hasattr(mlflow.models, "evaluate") else mlflow.evaluate
        result = evaluate(info.model_uri, frame, targets="target", model_type="classifier",
                          evaluator_config={"log_model_explainability": False})
    assert result.metrics["accuracy_score"] > 0.9
    assert client.get_run(run.info.run_id).data.metrics["accuracy_score"] == result.metrics["accuracy_score"]


def test_a_project_runs(client, experiment, tmp_path):
    (tmp_path / "MLproject").write_text(
        "name: small\nentry_points:\n  main:\n    parameters:\n      alpha: {type: float, default: 0.5}\n"
        f"    command: \"{sys.executable} train.py {{alpha}}\"\n")
    (tmp_path / "train.py").write_text(
        "import sys, mlflow\nwith mlflow.start_run():\n    mlflow.log_metric('alpha_out', 2 * float(sys.argv[1]))\n")
    submitted = mlflow.projects.run(str(tmp_path), parameters={"alpha": 0.25}, env_manager="local",
                                    experiment_id=experiment)
    found = client.get_run(submitted.run_id)
    assert found.info.status == "FINISHED" and found.data.metrics == {"alpha_out": 0.5}
    assert found.data.params == {"alpha": "0.25"} and found.data.tags["mlflow.source.type"] == "PROJECT"
