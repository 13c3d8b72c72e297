"""`sluice run` and tracking: its own server for the steps of a laptop's run, or the server that an environment names."""

import json
import sqlite3
import urllib.request

import pytest
import servers

# A command step in plain Python, so that no client has to be installed: what MLflow's would send.
TRAIN = """
import json, os, sys, urllib.request

def call(path, body=None):
    request = urllib.request.Request(os.environ["MLFLOW_TRACKING_URI"] + path,
                                     None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if "MLFLOW_TRACKING_TOKEN" in os.environ:
        request.add_header("Authorization", "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"])
    return json.load(urllib.request.urlopen(request))

run_id = os.environ["MLFLOW_RUN_ID"]
for step in range(5):
    call("/api/2.0/mlflow/runs/log-metric", {"run_id": run_id, "key": "loss", "value": 1 / (step + 1), "timestamp": 1000 + step,
                                             "step": step})
call("/api/2.0/mlflow/runs/log-batch", {"run_id": run_id, "params": [{"key": "lr", "value": "0.1"}]})
run = call("/api/2.0/mlflow/runs/get?run_id=" + run_id)["run"]
assert run["info"]["experiment_id"] == os.environ["MLFLOW_EXPERIMENT_ID"], run
json.dump({"uri": os.environ["MLFLOW_TRACKING_URI"], "run": run}, open("out.json", "w"))
"""
PIPELINE = """
name: tracked
steps:
  fit:
    run: [python3, train.py]
    code: [train.py]
    outputs:
      out: out.json
"""


@pytest.fixture
def tracked(make_project):
    project = make_project()
    project.write("sluice.yaml", PIPELINE)
    project.write("train.py", TRAIN)
    return project


def ask(url, path, body=None):
    request = urllib.request.Request(f"{url}/api/2.0/mlflow/{path}", None if body is None else json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))


def test_steps_log_to_the_embedded_server(tracked):
    steps = tracked.run()
    told = tracked.read_json(steps["fit"]["outputs"]["out"])
    assert told["uri"].startswith("http://127.0.0.1:")
    tags = {t["key"]: t["value"] for t in told["run"]["data"]["tags"]}
    assert tags["sluice.step"] == "fit" and told["run"]["info"]["status"] == "RUNNING"
    database = sqlite3.connect(tracked.folder / ".sluice/sluice.db")
    names = dict(database.execute("SELECT run_id, name FROM runs"))
    assert tags["mlflow.parentRunId"] in names and names[told["run"]["info"]["run_id"]] == "fit"
    with pytest.raises(OSError):
        urllib.request.urlopen(told["uri"] + "/health", timeout=5)


def test_the_embedded_server_asks_for_its_token(tracked):
    tracked.write("train.py", """
import json, os, urllib.error, urllib.request
answers = {}
for token in (None, "wrong", os.environ["MLFLOW_TRACKING_TOKEN"]):
    request = urllib.request.Request(os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/experiments/get?experiment_id=0")
    if token: request.add_header("Authorization", "Bearer " + token)
    try: answers[str(token)[:5]] = urllib.request.urlopen(request).status
    except urllib.error.HTTPError as e: answers[str(token)[:5]] = e.code
json.dump(list(answers.values()), open("out.json", "w"))
""")
    steps = tracked.run()
    assert tracked.read_json(steps["fit"]["outputs"]["out"]) == [401, 401, 200]


def test_an_environment_names_a_server(tracked, tmp_path):
    with servers.sluice_server(tmp_path) as server:
        tracked.write("environments/team.yaml", f"tracking: {{uri: \"{server.url}\"}}\n")
        steps = tracked.run("--environment", "team")
        told = tracked.read_json(steps["fit"]["outputs"]["out"])
        assert told["uri"] == server.url
        experiment = ask(server.url, "experiments/get-by-name?experiment_name=tracked")["experiment"]
        runs = ask(server.url, "runs/search", {"experiment_ids": [experiment["experiment_id"]]})["runs"]
        by_name = {r["info"]["run_name"]: r for r in runs}
        assert len(runs) == 2 and by_name["fit"]["info"]["status"] == "FINISHED"
        assert {p["key"]: p["value"] for p in by_name["fit"]["data"]["params"]}["lr"] == "0.1"
        history = ask(server.url, f"metrics/get-history?run_id={by_name['fit']['info']['run_id']}&metric_key=loss")
        assert [m["value"] for m in history["metrics"]] == [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]
        parent = next(r for name, r in by_name.items() if name != "fit")
        assert parent["info"]["status"] == "FINISHED"
        assert not list(sqlite3.connect(tracked.folder / ".sluice/sluice.db").execute(
            "SELECT name FROM sqlite_master WHERE name = 'runs'")) or not list(
            sqlite3.connect(tracked.folder / ".sluice/sluice.db").execute("SELECT run_id FROM runs"))


def test_a_server_that_is_away_does_not_stop_the_pipeline(tracked):
    tracked.write("train.py", "open('out.json', 'w').write('1')")
    tracked.write("environments/team.yaml", f"tracking: {{uri: \"http://127.0.0.1:{servers.free_port()}\"}}\n")
    result = tracked.sluice("run", "--environment", "team")
    assert "could not be recorded" in result.stderr and "127.0.0.1" in result.stderr


def test_a_bad_address_is_refused(tracked):
    tracked.write("environments/team.yaml", "tracking: {uri: \"localhost:5000\"}\n")
    result = tracked.sluice("run", "--environment", "team", check=False)
    assert result.returncode != 0 and "environments/team.yaml" in result.stderr and "localhost:5000" in result.stderr
