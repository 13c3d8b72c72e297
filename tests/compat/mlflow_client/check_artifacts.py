"""Artifacts over the proxy: files, folders, odd names, tables, figures, downloads."""

import pathlib

import mlflow
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

ODD = ["plain.txt", "with space.txt", "plus+and&and=.txt", "ünïcödé 文.txt", "quote'.txt", "semi;colon.txt",
       "a,b(c)[d]{e}.txt", "~tilde.txt", "at@sign.txt", "dollar$.txt", "..dots...txt", ".hidden", "no_suffix"]


def test_texts_dicts_and_tables(client, experiment):
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "notes/a.txt")
        mlflow.log_dict({"k": [1, 2]}, "notes/b.json")
        mlflow.log_dict({"k": [1, 2]}, "c.yaml")
        mlflow.log_table({"x": [1, 2], "y": ["a", "b"]}, "table.json")
        mlflow.log_table({"x": [3], "y": ["c"]}, "table.json")
    rid = run.info.run_id
    assert [(f.path, f.is_dir) for f in client.list_artifacts(rid)] == [("c.yaml", False), ("notes", True), ("table.json", False)]
    assert [(f.path, f.file_size) for f in client.list_artifacts(rid, "notes")][0] == ("notes/a.txt", 5)
    assert client.list_artifacts(rid, "notes/a.txt") == [] and client.list_artifacts(rid, "absent") == []
    assert mlflow.artifacts.load_text(f"runs:/{rid}/notes/a.txt") == "hello"
    assert mlflow.artifacts.load_dict(f"runs:/{rid}/notes/b.json") == {"k": [1, 2]}
    table = mlflow.load_table("table.json", run_ids=[rid])
    assert isinstance(table, pd.DataFrame) and list(table["x"]) == [1, 2, 3]


@pytest.mark.parametrize("file_name", ODD)
def test_odd_names_come_back(client, experiment, tmp_path, file_name):
    content = bytes(range(256)) * 10
    (tmp_path / file_name).write_bytes(content)
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(tmp_path / file_name), "d")
    assert [f.path for f in client.list_artifacts(run.info.run_id, "d")] == [f"d/{file_name}"]
    got = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=f"d/{file_name}",
                                              dst_path=str(tmp_path / "down"))
    assert pathlib.Path(got).read_bytes() == content


def test_folders_go_up_and_come_down(client, experiment, tmp_path):
    source = tmp_path / "up"
    for i in range(30):
        path = source / f"d{i % 3}" / f"e{i % 2}" / f"f{i}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([i]) * (i * 1000))
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(source), "tree")
    got = pathlib.Path(mlflow.artifacts.download_artifacts(artifact_uri=f"runs:/{run.info.run_id}/tree",
                                                           dst_path=str(tmp_path / "down")))
    files = {p.relative_to(got): p.read_bytes() for p in got.rglob("*") if p.is_file()}
    assert files == {p.relative_to(source): p.read_bytes() for p in source.rglob("*") if p.is_file()}
    whole = mlflow.artifacts.list_artifacts(run_id=run.info.run_id, artifact_path="tree/d0")
    assert [f.path for f in whole] == ["tree/d0/e0", "tree/d0/e1"]


def test_an_artifact_is_replaced(experiment):
    with mlflow.start_run() as run:
        mlflow.log_text("one, and long", "a.txt")
        mlflow.log_text("two", "a.txt")
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/a.txt") == "two"


def test_an_empty_file(experiment, tmp_path):
    (tmp_path / "empty").touch()
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(tmp_path / "empty"))
    got = mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/empty", dst_path=str(tmp_path / "down"))
    assert pathlib.Path(got).stat().st_size == 0


def test_what_is_absent_is_an_error_at_once(experiment, tmp_path):
    with mlflow.start_run() as run:
        mlflow.log_text("x", "a.txt")
    with pytest.raises((MlflowException, OSError, FileNotFoundError)):
        mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/b.txt", dst_path=str(tmp_path))


def test_a_figure_and_an_image(client, experiment):
    figures = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is not installed")
    numpy = pytest.importorskip("numpy")
    figure, axes = figures.subplots()
    axes.plot([1, 2, 3])
    with mlflow.start_run() as run:
        mlflow.log_figure(figure, "plots/line.png")
        mlflow.log_image(numpy.zeros((4, 4, 3), dtype=numpy.uint8), "black.png")
    assert [f.path for f in client.list_artifacts(run.info.run_id, "plots")] == ["plots/line.png"]
    assert mlflow.artifacts.load_image(f"runs:/{run.info.run_id}/black.png").size == (4, 4)
