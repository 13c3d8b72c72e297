"""What every end-to-end test needs: the built program, the public data (if it is there) and scratch projects."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SLUICE_BUILD_DIR", ROOT / "build/release"))
SLUICE = BUILD / "bin/sluice"
DATA = pathlib.Path(os.environ.get("SLUICE_TEST_DATA", ROOT.parent / "shared/data"))


def need_data(name):
    """The folder of a public data set; skips where it is absent (the project does not ship it)."""
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"public data set '{name}' is not on this machine")
    return folder


class Project:
    """A project's folder and the program run in it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def sluice(self, *words, check=True, **kwargs):
        kwargs.setdefault("stdout", subprocess.PIPE)
        kwargs.setdefault("stderr", subprocess.PIPE)
        result = subprocess.run([str(SLUICE), *map(str, words)], cwd=self.folder, text=True, check=False, **kwargs)
        if check and result.returncode != 0:
            raise AssertionError(f"sluice {' '.join(map(str, words))} gave {result.returncode}\n"
                                 f"{result.stdout}\n{result.stderr}")
        return result

    def start(self, *words, **kwargs):
        return subprocess.Popen([str(SLUICE), *map(str, words)], cwd=self.folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)

    def run(self, *words, check=True):
        """`sluice run --json`: {step: its last event}."""
        result = self.sluice("run", "--json", *words, check=False)
        events = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
        steps = {event["name"]: event for event in events if event["event"] == "step"}
        if check and result.returncode != 0:
            errors = {name: step["error"] for name, step in steps.items() if step["error"]}
            raise AssertionError(f"sluice run gave {result.returncode}: {errors}\n{result.stderr}")
        return steps

    def outputs(self, steps=None):
        """{step.output: object id} of the whole pipeline."""
        steps = steps or self.run()
        return {f"{name}.{output}": digest for name, step in steps.items()
                for output, digest in step["outputs"].items()}

    def object_path(self, object_id):
        kind, digest = object_id.split(":")
        assert kind != "tree", object_id
        return self.folder / ".sluice/objects" / digest[:2] / digest[2:]

    def tree(self, object_id):
        """{name: (kind, digest)} of a stored folder."""
        kind, digest = object_id.split(":")
        assert kind == "tree", object_id
        lines = (self.folder / ".sluice/objects" / digest[:2] / digest[2:]).read_text().splitlines()
        assert lines[0] == "sluice-tree 1"
        entries = [line.split(" ", 3) for line in lines[1:]]
        return {entry[3]: f"{entry[0]}:{entry[1]}" for entry in entries}

    def read_json(self, object_id):
        return json.loads(self.object_path(object_id).read_text())

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


@pytest.fixture
def make_project(tmp_path):
    """make_project(folder of the tests, {name in the project: source}) → Project."""

    def make(source=None, files=None, name="project"):
        folder = tmp_path / name
        if source is not None:
            shutil.copytree(source, folder)
        folder.mkdir(exist_ok=True)
        for target, origin in (files or {}).items():
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, folder / target)
        return Project(folder)

    return make


class Server:
    """`sluice serve` on a free port, stopped at the end."""

    def __init__(self, project, *words):
        self.process = project.start("serve", *words, "--port", "0", "--json")
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        self.url = json.loads(line)["url"]

    def request(self, path, body=None, content_type="application/json"):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data,
                                         headers={"Content-Type": content_type} if data is not None else {})
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)
        return self.process.returncode


@pytest.fixture
def serve():
    servers = []

    def start(project, *words):
        servers.append(Server(project, *words))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.stop()


def wait_until(condition, seconds=60):
    """Polls; for states that another process brings about. Fails the test after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("the awaited state did not come")
        time.sleep(0.01)
