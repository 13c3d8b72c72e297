"""Plays the transcripts of this folder against the built server."""
import contextlib
import json
import os
import pathlib
import random
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
import servers

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
def scoring_server(tmp_path_factory):
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
    """The exchanges of a file, parted by lines of "===": method, target, fields, body, status and expected answer."""
    for exchange in path.read_text().split("\n===\n"):
        request, answer = exchange.split("\n--- ", 1)
        head, _, body = request.partition("\n\n")
        first, *fields = head.splitlines()
        method, target = first.split(" ", 1)
        status, _, expected = answer.partition("\n")
        yield (method, target, dict(field.split(": ", 1) for field in fields), body, int(status), expected.strip("\n"))


def fill(text, names):
    """The text with the {X} that earlier answers gave."""
    for name, value in names.items():
        text = text.replace("{" + name + "}", value)
    return text


def matches(expected, found, names):
    if isinstance(expected, str) and expected.startswith("<text:"):
        return isinstance(found, str)
    if expected == "<any>":
        return True
    if expected == "<number>":
        return isinstance(found, (int, float)) and not isinstance(found, bool)
    if expected == "<text>":
        return isinstance(found, str)
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(matches(expected[key], found[key], names)
                                                         for key in expected)
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(matches(*pair, names) for pair in zip(expected, found))
    if isinstance(expected, str):
        expected = fill(expected, names)
    return type(expected) is type(found) and expected == found


def play(url, path):
    names = {}
    for method, target, fields, body, status, expected in read_transcript(path):
        data = fill(body, names).encode() if body else None
        request = urllib.request.Request(url + fill(target, names), data=data, headers=fields, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                found_status, found = response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            found_status, found = error.code, error.read().decode()
        where = f"{method} {fill(target, names)} {body}: {found}"
        assert found_status == status, where
        try:
            wanted = json.loads(expected)
        except ValueError:
            assert found.strip() == expected, where
        else:
            capture(wanted, json.loads(found), names)
            assert matches(wanted, json.loads(found), names), f"{where}\nwanted: {expected}"


def capture(expected, found, names):
    """Names are taken before anything is compared: an answer may hold a name before the place that gives it."""
    if isinstance(expected, str) and expected.startswith("<text:"):
        names[expected[6:-1]] = found
    elif isinstance(expected, dict) and isinstance(found, dict):
        for key in expected.keys() & found.keys():
            capture(expected[key], found[key], names)
    elif isinstance(expected, list) and isinstance(found, list):
        for pair in zip(expected, found):
            capture(*pair, names)


@pytest.mark.parametrize("path", sorted(HERE.glob("serve/*.http")), ids=lambda path: path.stem)
def test_scoring_transcript(scoring_server, path):
    play(scoring_server.url, path)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def tracking_server(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with contextlib.ExitStack() as stack:
        database = None
        if request.param == "postgresql":
            if "SLUICE_TEST_POSTGRES" not in os.environ:
                pytest.skip("SLUICE_TEST_POSTGRES names no PostgreSQL")
            database = stack.enter_context(servers.postgres_database())
        yield stack.enter_context(servers.sluice_server(folder, database=database))


@pytest.mark.parametrize("path", sorted(HERE.glob("server/*.http")), ids=lambda path: path.stem)
def test_tracking_transcript(tracking_server, path):
    play(tracking_server.url, path)
