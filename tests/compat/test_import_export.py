"""`sluice import mlflow` and `sluice export mlflow` with stores that the real MLflow made: what the servers of both sides
answer is compared."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
import servers

MAKE = pathlib.Path(__file__).parent / "import_store/make_store.py"
ENVIRONMENT = {**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true",
               "GIT_PYTHON_REFRESH": "quiet"}


def make_store(version, uri, folder):
    python = servers.mlflow_python(version)
    if python is None:
        pytest.skip(f"MLflow {version} is not installed (tools/setup_mlflow)")
    subprocess.run([python, "-W", "ignore", MAKE, uri], cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)


def sluice(verb, *words, database, code=0):
    command = [servers.SLUICE, verb, "mlflow", *words, "--backend-store-uri", database, "--json"]
    result = subprocess.run([str(word) for word in command], text=True, capture_output=True, check=False)
    assert result.returncode == code, result.stdout + result.stderr
    return json.loads(result.stdout) if result.stdout else result.stderr


def call(server, route, body=None, **query):
    url = f"{server.url}/api/2.0/mlflow/{route}"
    if query:
        url += "?" + urllib.parse.urlencode(query)
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.loads(response.read())


def plain(value):
    """Without the order of what has none, and without empty texts, which stand for nothing."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item not in ("", [], {}, None)}
    if isinstance(value, list):
        return sorted((plain(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return "NaN" if value != value else value


def snapshot(server):
    """All that the REST API shows of a store."""
    experiments = call(server, "experiments/search", {"max_results": 1000, "view_type": "ALL"})["experiments"]
    ids = [experiment["experiment_id"] for experiment in experiments]
    found = call(server, "runs/search", {"experiment_ids": ids, "run_view_type": "ALL", "max_results": 1000})["runs"]
    # MLflow's search leaves out which models a run read.
    runs = [call(server, "runs/get", run_id=run["info"]["run_id"])["run"] for run in found]
    histories = {}
    for run in runs:
        for metric in run["data"].get("metrics", []):
            key = (run["info"]["run_id"], metric["key"])
            # Without a limit MLflow 3.1 answers nothing.
            points = call(server, "metrics/get-history", run_id=key[0], metric_key=key[1], max_results=1000)["metrics"]
            histories["/".join(key)] = [[p["timestamp"], p.get("step", 0), str(p["value"])] for p in points]
    versions = call(server, "model-versions/search", max_results=1000).get("model_versions", [])
    found = {"experiments": experiments, "runs": runs, "histories": histories, "versions": versions,
             "models": call(server, "registered-models/search", max_results=100).get("registered_models", []),
             "champion": call(server, "registered-models/alias", name="m1", alias="champion")}
    with contextlib.suppress(urllib.error.HTTPError):  # MLflow 2
        found["logged models"] = call(server, "logged-models/search", {"experiment_ids": ids}).get("models", [])
    return {name: plain(value) for name, value in found.items()}


def assert_same(theirs, ours):
    for name, rows in theirs.items():
        if isinstance(rows, list):
            assert len(ours[name]) == len(rows), name
            for mine, other in zip(ours[name], rows):
                assert mine == other, name
        assert ours[name] == rows, name


def drop_new_fields(found):
    """What versions of MLflow answer beside the data."""
    for experiment in found["experiments"]:
        for field in ("workspace", "trace_location"):
            experiment.pop(field, None)
    for model in found["models"]:
        model.pop("workspace", None)
        for alias in [a for a in model.get("aliases", []) if a["alias"] == "gone"]:
            model["aliases"].remove(alias)
    for kind in ("versions",):
        for version in found[kind]:
            version.pop("workspace", None)
    found["champion"].pop("workspace", None)
    return found


@pytest.mark.parametrize("version", servers.MLFLOW_VERSIONS)
def test_a_database_comes_and_shows_the_same(version, tmp_path):
    source = tmp_path / "mlflow.db"
    make_store(version, f"sqlite:///{source}", tmp_path)
    before = source.read_bytes()
    target = f"sqlite:///{tmp_path}/sluice.db"
    report = sluice("import", source, database=target)
    assert report["is_complete"], report
    assert source.read_bytes() == before
    again = sluice("import", source, database=target)
    assert again["counts"] == report["counts"] and again["points"] == report["points"]
    with servers.mlflow_server(version, tmp_path, database=f"sqlite:///{source}") as server:
        theirs = drop_new_fields(snapshot(server))
    with servers.sluice_server(tmp_path, database=target) as server:
        ours = drop_new_fields(snapshot(server))
    assert_same(theirs, ours)


def test_a_folder_of_files_comes_with_its_artifacts(tmp_path):
    version = servers.MLFLOW_VERSIONS[0]
    folder = tmp_path / "mlruns"
    make_store(version, folder.as_uri(), tmp_path)
    run = next(path.parent for path in folder.glob("0/*/artifacts"))
    (run / "artifacts/inner").mkdir()
    (run / "artifacts/inner/file.txt").write_text("content")
    target = f"sqlite:///{tmp_path}/sluice.db"
    destination = tmp_path / "artifacts"
    report = sluice("import", folder, "--artifacts", folder, "--artifacts-destination", destination, database=target)
    assert report["is_complete"], report
    assert {"kind": "artifact files", "in_source": 1, "in_target": 1, "verdict": "ok"} in report["counts"]
    with servers.mlflow_server(version, tmp_path, database=str(folder), env=ENVIRONMENT) as server:
        theirs = drop_new_fields(snapshot(server))
    with servers.sluice_server(tmp_path, database=target, destination=destination) as server:
        ours = drop_new_fields(snapshot(server))
        listed = call(server, "artifacts/list", run_id=run.name, path="inner")
        assert listed["files"] == [{"path": "inner/file.txt", "is_dir": False, "file_size": 7}]
    for experiment in theirs["experiments"] + ours["experiments"]:
        experiment.pop("artifact_location")
    for model in theirs["models"] + ours["models"]:  # the file store's name their aliases
        model.pop("latest_versions")
    # Where a point names a dataset, MLflow's file store reads its step as 0. And its databases keep infinities as the
    # greatest numbers there are.
    for key in [key for key in theirs["histories"] if key.endswith("/acc")]:
        del theirs["histories"][key], ours["histories"][key]
    text = json.dumps(theirs["histories"])
    theirs["histories"] = json.loads(text.replace('Infinity"', '1.7976931348623157e+308"'))
    assert_same({name: theirs[name] for name in ("experiments", "histories", "models", "champion")}, ours)
    assert len(theirs["runs"]) == len(ours["runs"])


def test_an_export_is_served_by_mlflow_and_comes_back(tmp_path):
    version = servers.MLFLOW_VERSIONS[0]
    source = f"sqlite:///{tmp_path}/mlflow.db"
    make_store(version, source, tmp_path)
    target = f"sqlite:///{tmp_path}/sluice.db"
    sluice("import", source, database=target)
    written = tmp_path / "exported.db"
    assert sluice("export", written, database=target)["is_complete"]
    assert "not empty" in sluice("export", written, database=target, code=1)
    with servers.sluice_server(tmp_path, database=target) as server:
        ours = drop_new_fields(snapshot(server))
    with servers.mlflow_server(version, tmp_path, database=f"sqlite:///{written}") as server:
        theirs = drop_new_fields(snapshot(server))
        made = call(server, "runs/create", {"experiment_id": "0"})  # it goes on from there
        assert made["run"]["info"]["experiment_id"] == "0"
    assert_same(ours, theirs)


def large_database(version, path, run_count):
    make_store(version, f"sqlite:///{path}", path.parent)
    with sqlite3.connect(path) as database:
        for i in range(run_count):
            run = f"{i:032x}"
            database.execute("INSERT INTO runs (run_uuid, name, user_id, status, start_time, lifecycle_stage, artifact_uri, "
                             "experiment_id) VALUES (?, 'r', 'u', 'FINISHED', 1, 'active', 'a', 1)", (run,))
            database.executemany("INSERT INTO metrics VALUES ('m', ?, ?, ?, ?, 0)",
                                 [(step / 7, step, run, step) for step in range(10)])
            database.execute("INSERT INTO latest_metrics VALUES ('m', ?, 9, 9, 0, ?)", (9 / 7, run))
        # One with a history that comes in pieces.
        database.executemany("INSERT INTO metrics VALUES ('long', ?, ?, ?, ?, 0)",
                             [(step / 3, step, f"{0:032x}", step) for step in range(250_000)])
        database.execute("INSERT INTO latest_metrics VALUES ('long', ?, 249999, 249999, 0, ?)", (249_999 / 3, f"{0:032x}"))


def test_an_import_that_was_killed_goes_on(tmp_path):
    source = tmp_path / "mlflow.db"
    large_database(servers.MLFLOW_VERSIONS[0], source, 5_000)
    target = tmp_path / "sluice.db"
    command = [servers.SLUICE, "import", "mlflow", source, "--backend-store-uri", f"sqlite:///{target}"]
    for i in range(4):
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
        time.sleep(0.3 + 0.4 * i)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert sluice("import", source, database=f"sqlite:///{target}")["is_complete"]
    with sqlite3.connect(target) as database:
        assert database.execute("SELECT COUNT(*) FROM metric_points").fetchone()[0] >= 300_000


def test_what_the_target_has_already_is_not_mixed_up(tmp_path):
    source = tmp_path / "mlflow.db"
    make_store(servers.MLFLOW_VERSIONS[0], f"sqlite:///{source}", tmp_path)
    target = f"sqlite:///{tmp_path}/sluice.db"
    with servers.sluice_server(tmp_path, database=target) as server:
        call(server, "experiments/create", {"name": "ours"})
    assert "experiment 1 is 'first / experiment' in the source and 'ours' in the target" in sluice(
        "import", source, database=target, code=1)
    shutil.copy(source, tmp_path / "teams.db")
    with sqlite3.connect(tmp_path / "teams.db") as database:
        database.execute("UPDATE experiments SET workspace = 'blue' WHERE experiment_id = 3")
        database.execute("INSERT INTO workspaces (name) VALUES ('blue')")
    fresh = f"sqlite:///{tmp_path}/fresh.db"
    assert "--prefix-workspaces" in sluice("import", tmp_path / "teams.db", database=fresh, code=1)
    assert sluice("import", tmp_path / "teams.db", "--prefix-workspaces", database=fresh)["is_complete"]
    with servers.sluice_server(tmp_path, database=fresh) as server:
        found = call(server, "experiments/get", experiment_id="3")
        assert found["experiment"]["name"] == "blue.grün"


def test_postgresql_both_ways(tmp_path):
    if "SLUICE_TEST_POSTGRES" not in os.environ:
        pytest.skip("SLUICE_TEST_POSTGRES names no PostgreSQL")
    version = servers.MLFLOW_VERSIONS[0]
    source = tmp_path / "mlflow.db"
    make_store(version, f"sqlite:///{source}", tmp_path)
    with servers.postgres_database() as ours, servers.postgres_database() as theirs, servers.postgres_database() as back:
        assert sluice("import", source, database=ours)["is_complete"]
        assert sluice("export", theirs, database=ours)["is_complete"]
        assert sluice("import", theirs, database=back)["is_complete"]
        dialect = theirs.replace("postgresql://", "postgresql+psycopg2://")
        with servers.mlflow_server(version, tmp_path, database=dialect) as server:
            expected = drop_new_fields(snapshot(server))
            assert call(server, "experiments/create", {"name": "next"})["experiment_id"] == "4"
        with servers.sluice_server(tmp_path, database=back) as server:
            assert_same(expected, drop_new_fields(snapshot(server)))
