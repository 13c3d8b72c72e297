"""Servers that tests start and stop: Sluice's on a free port and, to compare with, MLflow's own."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time
import urllib.parse
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("SLUICE_BUILD_DIR", ROOT / "build/release"))
SLUICE = BUILD / "bin/sluice"
MLFLOW = ROOT / "build/mlflow"
# Receivers of the tests listen on loopback.
WEBHOOKS = {"MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true", "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https"}
MLFLOW_VERSIONS = ["3.17.2", "3.1.4", "2.22.4"]


def mlflow_python(version):
    """The interpreter of that version's environment (tools/setup_mlflow), or None."""
    python = MLFLOW / version / "bin/python"
    return python if (MLFLOW / version / ".installed").exists() else None


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A process that answers HTTP on loopback. Its words are kept in `log`."""

    def __init__(self, words, folder, port, env=None, patience_s=120):
        self.port, self.log = port, pathlib.Path(folder) / f"server-{port}.log"
        self.url = f"http://127.0.0.1:{port}"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([str(w) for w in words], cwd=folder, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})},
                                            start_new_session=True)
        deadline = time.monotonic() + patience_s
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/health", timeout=5).read()
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"{words[0]} did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.02)

    def stop(self, how=signal.SIGTERM):
        """Ends it and what it started; its exit code."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, how)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            return self.process.wait()

    def kill(self):
        return self.stop(signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def sluice_server(folder, *options, database=None, env=None, port=None, destination=None):
    """`sluice server` over `database` (default: SQLite in the folder), artifacts in `destination` (default: in the folder)."""
    port = port or free_port()
    folder = pathlib.Path(folder)
    database = database or f"sqlite:///{folder}/sluice.db"
    return Server([SLUICE, "server", "--port", port, "--backend-store-uri", database, "--artifacts-destination",
                   destination or folder / "artifacts", *options], folder, port, {**WEBHOOKS, **(env or {})})


def mlflow_server(version, folder, *options, database=None, env=None):
    """The real thing, with one worker. Starting it takes some ten seconds."""
    port = free_port()
    folder = pathlib.Path(folder)
    database = database or f"sqlite:///{folder}/mlflow.db"
    return Server([MLFLOW / version / "bin/mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", 1,
                   "--backend-store-uri", database, "--artifacts-destination", folder / "artifacts", *options],
                  folder, port, {"MLFLOW_WEBHOOK_CACHE_TTL": "0", **WEBHOOKS, **(env or {})})


@contextlib.contextmanager
def postgres_database():
    """The address of a new, empty database in the server that SLUICE_TEST_POSTGRES names; dropped at the end."""
    import psycopg2
    uri = os.environ["SLUICE_TEST_POSTGRES"]
    name = f"test_{uuid.uuid4().hex[:12]}"

    def execute(statement):  # on a connection of its own: a test may crash the server
        with contextlib.closing(psycopg2.connect(uri)) as connection:
            connection.autocommit = True
            connection.cursor().execute(statement)

    execute(f"CREATE DATABASE {name}")
    try:
        yield urllib.parse.urlsplit(uri)._replace(path=f"/{name}").geturl()
    finally:
        execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
