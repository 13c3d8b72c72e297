"""What `sluice server` acknowledged is there whatever is killed: the server, one of its replicas, or the database.

Writers log one thing at a time and remember what was acknowledged; what fails is sent again, as clients do. In the end
nothing acknowledged may be missing, nothing may be there that nobody sent, and the latest metric must be that of the
history. SLUICE_TEST_KILLS sets how often is killed in each test, SLUICE_TEST_SEED when and what is logged."""

import contextlib
import http.client
import json
import os
import random
import sqlite3
import threading
import time

import pytest
import servers

KILLS = int(os.environ.get("SLUICE_TEST_KILLS", "5"))
SEED = int(os.environ.get("SLUICE_TEST_SEED", str(random.randrange(1 << 32))))
WRITERS = 64
PATIENCE_S = 60

needs_postgres = pytest.mark.skipif("SLUICE_TEST_POSTGRES" not in os.environ,
                                    reason="SLUICE_TEST_POSTGRES names no PostgreSQL")


class Client:
    """One connection to one of some servers; goes on to the next one when it breaks."""

    def __init__(self, ports, first=0):
        self.ports, self.at, self.connection = ports, first, None

    def call(self, method, path, body=None):
        """(status, answer), or raises OSError or HTTPException when no answer came."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.ports[self.at], timeout=PATIENCE_S)
        try:
            self.connection.request(method, f"/api/2.0/mlflow/{path}", None if body is None else json.dumps(body),
                                    {"Content-Type": "application/json"})
            response = self.connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            self.at = (self.at + 1) % len(self.ports)
            raise

    def insist(self, method, path, body=None, while_=lambda: True):
        """Sends it until it is acknowledged; None if `while_` ended that. An answer of 4xx is a failure of the test."""
        deadline = time.monotonic() + PATIENCE_S
        while while_():
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, answer = self.call(method, path, body)
                if status == 200:
                    return answer
                assert status >= 500, (path, body, status, answer)
            assert time.monotonic() < deadline, f"{path} was not acknowledged for {PATIENCE_S} s"
            time.sleep(0.005)
        return None


class Writer(threading.Thread):
    """Logs to a run of its own (even numbers) or to one that it shares with others."""

    def __init__(self, number, ports, run_id, is_over):
        super().__init__(daemon=True)
        self.client, self.run_id, self.is_over = Client(ports, number % len(ports)), run_id, is_over
        self.key = f"m{number}"
        self.random = random.Random(SEED * WRITERS + number)
        self.sent, self.acknowledged = set(), set()  # of (kind, step)
        self.failure = None

    def run(self):
        try:
            step = 0
            while not self.is_over.is_set():
                step += 1
                kind = self.random.choices(["metric", "param", "tag"], [8, 1, 1])[0]
                if kind == "metric":
                    body = {"key": self.key, "value": step, "timestamp": step, "step": step}
                    path = "runs/log-metric"
                elif kind == "param":
                    path, body = "runs/log-parameter", {"key": f"{self.key}-{step}", "value": str(step)}
                else:
                    path, body = "runs/set-tag", {"key": f"{self.key}-{step}", "value": str(step)}
                self.sent.add((kind, step))
                if self.client.insist("POST", path, {"run_id": self.run_id, **body},
                                      lambda: not self.is_over.is_set()) is not None:
                    self.acknowledged.add((kind, step))
        except BaseException as error:  # told by the test's own thread
            self.failure = error


class Load:
    """The writers, from the beginning of the block to its end."""

    def __init__(self, ports):
        print(f"SLUICE_TEST_SEED={SEED} SLUICE_TEST_KILLS={KILLS}")
        self.random = random.Random(SEED)
        self.reader = Client(ports)
        self.is_over = threading.Event()
        runs = [self.reader.insist("POST", "runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
                for _ in range(WRITERS // 2 + 4)]
        self.writers = [Writer(n, ports, runs[n // 2] if n % 2 == 0 else runs[-1 - n % 8 // 2], self.is_over)
                        for n in range(WRITERS)]

    def __enter__(self):
        for writer in self.writers:
            writer.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for writer in self.writers:
            writer.join(PATIENCE_S)

    def count(self):
        return sum(len(writer.acknowledged) for writer in self.writers)

    def wait_for_more(self, count=WRITERS):
        """Until that many more writes were acknowledged, and then a moment chosen at random."""
        enough, deadline = self.count() + count, time.monotonic() + PATIENCE_S
        while self.count() < enough:
            for writer in self.writers:
                assert writer.failure is None, repr(writer.failure)
            assert time.monotonic() < deadline, "the writers do not go on"
            time.sleep(0.005)
        time.sleep(self.random.random() * 0.2)

    def check(self):
        runs = {writer.run_id: None for writer in self.writers}
        for run_id in runs:
            runs[run_id] = self.reader.insist("GET", f"runs/get?run_id={run_id}")["run"]["data"]
        for writer in self.writers:
            assert writer.failure is None, repr(writer.failure)
            data = runs[writer.run_id]
            found = {("metric", point["step"]) for point in self.history(writer)}
            for kind, field in (("param", "params"), ("tag", "tags")):
                found |= {(kind, int(entry["value"])) for entry in data.get(field, [])
                          if entry["key"].startswith(writer.key + "-")}
            assert not writer.acknowledged - found, f"{writer.key}: acknowledged, and missing"
            assert not found - writer.sent, f"{writer.key}: there, and never sent"
            latest = [metric for metric in data.get("metrics", []) if metric["key"] == writer.key]
            steps = [step for kind, step in found if kind == "metric"]
            assert [metric["step"] for metric in latest] == ([max(steps)] if steps else [])
            assert all(metric["value"] == metric["step"] for metric in latest)
        print(f"{self.count()} writes were acknowledged")

    def history(self, writer):
        points, token = [], ""
        while True:
            page = self.reader.insist("GET", f"metrics/get-history?run_id={writer.run_id}&metric_key={writer.key}"
                                             f"&max_results=25000&page_token={token}")
            points += [{**point, "step": int(point["step"])} for point in page.get("metrics", [])]
            token = page.get("next_page_token", "")
            if not token:
                return points


@contextlib.contextmanager
def database(kind, folder):
    if kind == "sqlite":
        yield f"sqlite:///{folder}/sluice.db"
    else:
        with servers.postgres_database() as uri:
            yield uri


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=needs_postgres)])
def test_a_killed_server_loses_nothing(kind, tmp_path):
    with database(kind, tmp_path) as uri:
        port = servers.free_port()
        server = servers.sluice_server(tmp_path, database=uri, port=port)
        try:
            with Load([port]) as load:
                for _ in range(KILLS):
                    load.wait_for_more()
                    server.kill()
                    server = servers.sluice_server(tmp_path, database=uri, port=port)
                load.wait_for_more()
                server.kill()
            server = servers.sluice_server(tmp_path, database=uri, port=port)
            load.check()
        finally:
            server.stop()
        if kind == "sqlite":
            with contextlib.closing(sqlite3.connect(tmp_path / "sluice.db")) as connection:
                assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)


@needs_postgres
def test_replicas_go_on_when_one_is_killed(tmp_path):
    with servers.postgres_database() as uri:
        ports = [servers.free_port(), servers.free_port()]
        replicas = [servers.sluice_server(tmp_path, database=uri, port=port) for port in ports]
        try:
            with Load(ports) as load:
                for kill in range(KILLS):
                    load.wait_for_more()
                    replicas[kill % 2].kill()
                    load.wait_for_more()  # by the other one alone
                    replicas[kill % 2] = servers.sluice_server(tmp_path, database=uri, port=ports[kill % 2])
                load.wait_for_more()
            load.check()
        finally:
            for replica in replicas:
                replica.stop()


@needs_postgres
def test_a_crash_of_postgresql_loses_nothing(tmp_path):
    """One of its processes is killed: it then ends all others, with what was not on disk yet, and recovers."""
    import psycopg2
    with servers.postgres_database() as uri, servers.sluice_server(tmp_path, database=uri) as server:
        with Load([server.port]) as load:
            for _ in range(KILLS):
                load.wait_for_more()
                with contextlib.suppress(psycopg2.Error), contextlib.closing(psycopg2.connect(uri)) as connection:
                    cursor = connection.cursor()
                    cursor.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'sluice' LIMIT 1")
                    cursor.execute(f"COPY (SELECT 1) TO PROGRAM 'kill -9 {cursor.fetchone()[0]}'")
            load.wait_for_more()
        load.check()
