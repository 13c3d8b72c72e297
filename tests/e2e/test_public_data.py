"""Real pipelines on public data, and their numbers against scikit-learn on the same predictions."""
import json
import pathlib

import numpy as np
import pyarrow.ipc
import pytest
import sklearn.metrics as sk
from conftest import need_data

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="module")
def adult(tmp_path_factory):
    return build(tmp_path_factory, "adult", ["adult.data", "adult.test"])


@pytest.fixture(scope="module")
def bike(tmp_path_factory):
    return build(tmp_path_factory, "bike", ["hour.csv"])


def build(tmp_path_factory, name, files):
    import shutil

    from conftest import Project
    source = need_data({"bike": "bike-sharing"}.get(name, name))
    folder = tmp_path_factory.mktemp(name) / "project"
    shutil.copytree(HERE / name, folder)
    (folder / "data").mkdir()
    for file in files:
        shutil.copyfile(source / file, folder / "data" / file)
    project = Project(folder)
    project.steps = project.run()
    return project


def metrics_of(project, step):
    report = project.read_json(project.steps[step]["outputs"]["report"])
    return {name: metric["value"] for name, metric in report["metrics"].items()}


def predictions_of(project, step):
    tree = project.tree(project.steps[step]["outputs"]["predictions"])
    with pyarrow.memory_map(str(project.object_path(tree["data.arrow"]))) as file:
        return pyarrow.ipc.open_file(file).read_all().to_pandas()


def test_adult_reaches_the_published_quality(adult):
    gbdt = metrics_of(adult, "report")
    linear = metrics_of(adult, "linear_report")
    assert gbdt["roc_auc"] >= 0.925
    assert gbdt["accuracy"] >= 0.870
    assert linear["roc_auc"] >= 0.900
    assert adult.read_json(adult.steps["verdict"]["outputs"]["verdict"])["outcome"] == "pass"
    version = adult.read_json(adult.steps["version"]["outputs"]["version"])
    assert (version["model_version"], version["alias"]) == (1, "champion")


def test_adult_is_read_as_published(adult):
    origin = adult.read_json(adult.tree(adult.steps["train_rows"]["outputs"]["table"])["origin.json"])
    assert (origin["row_count"], origin["bad_row_count"]) == (32561, 0)
    profile = adult.read_json(adult.steps["overview"]["outputs"]["profile"])
    nulls = {column["name"]: column["null_count"] for column in profile["columns"]}
    assert (nulls["workclass"], nulls["occupation"], nulls["native_country"]) == (1836, 1843, 583)
    assert profile["duplicate_rows"]["count"] == 24


@pytest.mark.parametrize("step", ["report", "linear_report"])
def test_classification_metrics_agree_with_scikit_learn(adult, step):
    table = predictions_of(adult, step)
    label = (table["label"] == ">50K").to_numpy().astype(int)
    score = table["probability_>50K"].to_numpy()
    predicted = (table["prediction"] == ">50K").to_numpy().astype(int)
    expected = {
        "accuracy": sk.accuracy_score(label, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(label, predicted),
        "precision": sk.precision_score(label, predicted),
        "recall": sk.recall_score(label, predicted),
        "f1": sk.f1_score(label, predicted),
        "roc_auc": sk.roc_auc_score(label, score),
        "average_precision": sk.average_precision_score(label, score),
        "log_loss": sk.log_loss(label, score),
        "brier_score": sk.brier_score_loss(label, score),
    }
    measured = metrics_of(adult, step)
    for name, value in expected.items():
        assert measured[name] == pytest.approx(value, abs=1e-9), name


@pytest.mark.parametrize("step", ["report", "year_report"])
def test_regression_metrics_agree_with_scikit_learn(bike, step):
    table = predictions_of(bike, step)
    label, predicted = table["label"].to_numpy(float), table["prediction"].to_numpy()
    expected = {
        "mae": sk.mean_absolute_error(label, predicted),
        "rmse": np.sqrt(sk.mean_squared_error(label, predicted)),
        "r2": sk.r2_score(label, predicted),
        "mape": sk.mean_absolute_percentage_error(label, predicted),
    }
    measured = metrics_of(bike, step)
    for name, value in expected.items():
        assert measured[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name


def test_bike_sharing_and_the_year_after(bike):
    random_split = metrics_of(bike, "report")
    year_after = metrics_of(bike, "year_report")
    assert random_split["rmse"] <= 45
    assert year_after["rmse"] > 2 * random_split["rmse"]
    html = (bike.folder / "report.html").read_text()
    assert "year_report" in html


def test_predict_and_serve_give_the_same_bits(adult, serve, tmp_path):
    columns = ("age,workclass,fnlwgt,education,education_num,marital_status,occupation,relationship,race,sex,"
               "capital_gain,capital_loss,hours_per_week,native_country,income")
    adult.sluice("predict", "models:/adult@champion", "--input", "data/adult.test", "--format", "csv", "--no-header",
                 "--skip-lines", "1", "--trim", "--null", "?", "--names", columns, "--output", tmp_path / "p.jsonl")
    offline = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert len(offline) == 16281

    signature = json.loads(adult.object_path(adult.tree(
        adult.steps["package"]["outputs"]["package"])["model.json"]).read_text())["inputs"]
    names = [column["name"] for column in signature]
    numbers = {column["name"] for column in signature if column["type"] in ("int64", "double")}
    rows = []
    for line in (adult.folder / "data/adult.test").read_text().splitlines()[1:]:
        if not line.strip():
            continue
        cells = dict(zip(columns.split(","), (cell.strip() for cell in line.split(","))))
        rows.append([None if cells[name] == "?" else int(cells[name]) if name in numbers else cells[name]
                     for name in names])
    assert len(rows) == 16281
    server = serve(adult, "models:/adult@champion")
    served = []
    for begin in range(0, len(rows), 4000):
        body = {"dataframe_split": {"columns": names, "data": rows[begin:begin + 4000]},
                "params": {"predict_method": "predict_proba"}}
        status, text = server.request("/invocations", body)
        assert status == 200, text
        served += json.loads(text)["predictions"]
    assert [row["probability_>50K"] for row in offline] == [pair[1] for pair in served]  # equal to the last bit

    status, text = server.request("/invocations", {"dataframe_split": {"columns": names, "data": rows[:500]}})
    assert json.loads(text)["predictions"] == [row["prediction"] for row in offline[:500]]
    assert server.stop() == 0


def test_the_signature_decides_about_strange_requests(adult, serve):
    server = serve(adult, "models:/adult/1")
    row = {"age": 39, "workclass": "State-gov", "education_num": 13, "marital_status": "Never-married",
           "occupation": "Adm-clerical", "relationship": "Not-in-family", "race": "White", "sex": "Male",
           "capital_gain": 2174, "capital_loss": 0, "hours_per_week": 40, "native_country": "United-States"}

    def ask(**changes):
        changed = {key: value for key, value in {**row, **changes}.items() if value != "absent"}
        return server.request("/invocations", {"dataframe_records": [changed]})

    assert ask()[0] == 200
    assert ask(workclass="Never-seen")[0] == 200
    assert ask(workclass=None)[0] == 200
    assert ask(extra_column="ignored")[0] == 200
    status, text = ask(age="absent")
    assert status == 400 and "Model is missing inputs ['age']" in text
    status, text = ask(age="old")
    assert status == 400 and "age" in text
    status, text = server.request("/invocations", b"{", "application/json")
    assert status == 400
    assert server.request("/ping")[0] == 200
    assert server.request("/health")[0] == 200
    assert server.request("/version")[0] == 200
