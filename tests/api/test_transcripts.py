"""Plays the transcripts of this folder against the built server."""
import json
import pathlib
import random
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "e2e"))
from conftest import Project, Server  # noqa: E402

PIPELINE = """name: api
seed: 3
steps:
  rows: {uses: ingest, from: rows.csv}
  features:
    uses: features
    fit: rows
    label: answer
    columns: {y: [impute: mean], color: [one_hot: {unknown: ignore}]}
  model: {uses: train, learner: linear, features: features, train: rows}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    rng = random.Random(3)
    lines = ["x,y,color,answer"]
    for _ in range(400):
        x, y, color = rng.randrange(100), rng.random(), rng.choice(["red", "green", "blue"])
        answer = "yes" if x / 50 + y + (color == "red") + rng.gauss(0, 0.4) > 1.9 else "no"
        lines.append(f"{x},{'' if rng.random() < 0.1 else f'{y:.4f}'},{color},{answer}")
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    (folder / "sluice.yaml").write_text(PIPELINE)
    project = Project(folder)
    model = project.run()["model"]["outputs"]["model"]
    target = folder / "model"
    copy_tree(project, model, target)
    running = Server(project, str(target))
    yield running
    assert running.stop() == 0


def copy_tree(project, object_id, target):
    target.mkdir()
    for name, entry in project.tree(object_id).items():
        if entry.startswith("tree:"):
            copy_tree(project, entry, target / name)
        else:
            subprocess.run(["cp", str(project.object_path(entry)), str(target / name)], check=True)


def read_transcript(path):
    request, answer = path.read_text().split("\n--- ", 1)
    head, _, body = request.partition("\n\n")
    first, *fields = head.splitlines()
    method, target = first.split(" ", 1)
    status, _, expected = answer.partition("\n")
    return method, target, dict(field.split(": ", 1) for field in fields), body, int(status), expected.strip("\n")


def matches(expected, found):
    if expected == "<any>":
        return True
    if expected == "<number>":
        return isinstance(found, (int, float)) and not isinstance(found, bool)
    if expected == "<text>":
        return isinstance(found, str)
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(matches(expected[key], found[key]) for key in expected)
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(matches, expected, found))
    return type(expected) is type(found) and expected == found


@pytest.mark.parametrize("path", sorted(HERE.glob("serve/*.http")), ids=lambda path: path.stem)
def test_transcript(server, path):
    method, target, fields, body, status, expected = read_transcript(path)
    request = urllib.request.Request(server.url + target, data=body.encode() if body else None, headers=fields,
                                     method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            found_status, found = response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        found_status, found = error.code, error.read().decode()
    assert found_status == status, found
    try:
        wanted = json.loads(expected)
    except ValueError:
        assert found.strip() == expected
    else:
        assert matches(wanted, json.loads(found)), found
