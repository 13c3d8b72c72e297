"""`sluice server` beside `mlflow server` (one worker, and its default of four): the same data, the same requests from the same client
(src/http/programs/http_load.cc), one machine, one run.

  python bench/tracking.py [--databases sqlite,postgresql] [--runs 100000] [--seconds 5]

Needs tools/setup_mlflow; for PostgreSQL run it below tools/test_postgres run."""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

from machine import BUILD, ROOT, Report

sys.path.insert(0, str(ROOT / "tests"))
import servers  # noqa: E402
import tracking_data  # noqa: E402

MLFLOW = "3.17.2"
ARTIFACT_BYTES = 400_000_000
ARTIFACT_REPEATS = 5
REPEATS = 2  # of a whole history, which takes MLflow many seconds
E2 = "/api/2.0/mlflow"


def request(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    if response.status != 200:
        raise AssertionError(f"{method} {path}: {response.status} {content[:500]}")
    return json.loads(content) if content else {}


def load(port, lines, connections=1, seconds=0.0, count=0):
    """What http_load says."""
    result = subprocess.run([BUILD / "bin/http_load", "127.0.0.1", str(port), str(connections), str(seconds or 600), str(count)],
                            input="\n".join(lines) + "\n", text=True, capture_output=True, check=False)
    if result.returncode not in (0, 1) or not result.stdout:
        raise AssertionError(result.stderr)
    told = json.loads(result.stdout)
    if told["errors"]:
        told["note"] = result.stderr.strip().splitlines()[0][:150]
    return told


def memory_mb(pid):
    """Proportional set size of the process and everything below it: shared pages count once."""
    total = 0
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if os.getpgid(int(entry.name)) != os.getpgid(pid):
                continue
            for line in (entry / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total / 1024


class Contestant:
    def __init__(self, name, start):
        self.name, self.start, self.figures = name, start, {}


def writes(port, seconds, figures):
    """One client, then many."""
    post = "POST " + E2
    run = request(port, "POST", f"{E2}/runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]["run_id"]

    def one(label, line):
        told = load(port, [line], 1, seconds)
        figures[label] = told["p50_us"] / 1000, told["p99_us"] / 1000, "ms", told.get("note")

    one("create run", f'{post}/runs/create {{"experiment_id":"0","start_time":{{n}},"user_id":"u"}}')
    one("log metric", f'{post}/runs/log-metric {{"run_id":"{run}","key":"m","value":0.5,"timestamp":{{n}},"step":{{n}}}}')
    one("log param", f'{post}/runs/log-parameter {{"run_id":"{run}","key":"p{{n}}","value":"1"}}')
    metrics = ",".join(f'{{"key":"k{i % 10}","value":{i / 7},"timestamp":1{{n}}{i:04d},"step":{i}}}' for i in range(1000))
    one("log batch of 1,000 metrics", f'{post}/runs/log-batch {{"run_id":"{run}","metrics":[{metrics}]}}')
    small = request(port, "POST", f"{E2}/runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]["run_id"]
    request(port, "POST", f"{E2}/runs/log-batch", {"run_id": small, "metrics": [{"key": f"m{i}", "value": i, "timestamp": 1, "step": 0} for i in range(20)],
                                                   "params": [{"key": f"p{i}", "value": str(i)} for i in range(20)]})
    one("get run", f"GET {E2}/runs/get?run_id={small}")
    for writers in (8, 64):
        runs = [request(port, "POST", f"{E2}/runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]["run_id"]
                for _ in range(writers)]
        lines = [f'{post}/runs/log-metric {{"run_id":"{r}","key":"m","value":0.5,"timestamp":{{n}},"step":{{n}}}}' for r in runs]
        told = load(port, lines, writers, seconds)
        good = told["requests"] - told["errors"]
        figures[f"{writers} writers of metrics"] = good / told["seconds"], told["p99_us"] / 1000, "/s", told.get("note")


SEARCH = {"filter": "metrics.m0 > 0.5 AND params.p1 = '7'", "order_by": ["metrics.m1 DESC"], "max_results": 100}


def reads(port, seconds, figures, history_run):
    for experiment, label in (("2", "search 100 of 10,000 runs"), ("1", "search 100 of 100,000 runs")):
        body = json.dumps({"experiment_ids": [experiment], **SEARCH})
        told = load(port, [f"POST {E2}/runs/search {body}"], 1, max(seconds, 5), 200)
        figures[label] = told["p50_us"] / 1000, told["p99_us"] / 1000, "ms", told.get("note")
    times = []
    for _ in range(REPEATS):
        begin, token, points = time.perf_counter(), "", 0
        while True:
            page = request(port, "GET", f"{E2}/metrics/get-history?run_id={history_run}&metric_key=history&max_results=25000"
                           + (f"&page_token={urllib.parse.quote(token)}" if token else ""))
            points += len(page.get("metrics", []))
            token = page.get("next_page_token", "")
            if not token:
                break
        times.append((time.perf_counter() - begin) * 1000)
        assert points == tracking_data.HISTORY_POINTS, points
    raw = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        connection.request("GET", f"{E2}/metrics/get-history?run_id={history_run}&metric_key=history&max_results={tracking_data.HISTORY_POINTS}")
        connection.getresponse().read()
        raw.append((time.perf_counter() - begin) * 1000)
    figures["history of 100,000 points, 4 pages"] = statistics.median(times), max(times), "ms", "the client's JSON parsing included"
    figures["history of 100,000 points, bytes"] = statistics.median(raw), max(raw), "ms", None


def artifacts(url, figures, folder):
    big = folder / "big.bin"
    if not big.exists():
        with big.open("wb") as file:
            for _ in range(ARTIFACT_BYTES // 1_000_000):
                file.write(os.urandom(1_000_000))
    ups, downs = [], []
    for i in range(ARTIFACT_REPEATS):
        target = f"{url}/f{i}.bin"
        for times, words in ((ups, ["-T", str(big), target]), (downs, [target])):
            os.sync()
            told = subprocess.run(["curl", "-sS", "-f", "-o", "/dev/null", "-w", "%{time_total}", *words], capture_output=True, text=True,
                                  check=True).stdout
            times.append(float(told))
    for label, times in (("400 MB up", ups), ("400 MB down", downs)):
        figures[label] = statistics.median(times), max(times), "s", None


@contextlib.contextmanager
def nginx(folder):
    port = servers.free_port()
    root = folder / "nginx"
    (root / "data").mkdir(parents=True)
    os.chmod(folder, 0o755)
    (root / "nginx.conf").write_text(f"""
worker_processes 2; daemon off; pid {root}/pid; error_log {root}/error.log; user root;
events {{}}
http {{
  access_log off; sendfile on; tcp_nopush on; client_max_body_size 0; client_body_temp_path {root}/tmp;
  server {{ listen 127.0.0.1:{port}; location / {{ root {root}/data; dav_methods PUT; create_full_put_path on; }} }}
}}
""")
    process = subprocess.Popen(["nginx", "-c", str(root / "nginx.conf"), "-p", str(root)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextlib.contextmanager
def new_database(kind, folder, name):
    if kind == "sqlite":
        yield f"sqlite:///{folder}/{name}.db"
    else:
        with servers.postgres_database() as uri:
            yield uri


def mlflow_uri(uri):
    """The same database for MLflow, with the driver that its environment has."""
    return uri.replace("postgresql://", "postgresql+psycopg2://", 1)


def connect(kind, uri):
    if kind == "sqlite":
        return sqlite3.connect(uri.removeprefix("sqlite:///")), "?"
    import psycopg2
    return psycopg2.connect(uri), "%s"


def measure(contestant, folder, seconds, history_run):
    begin = time.perf_counter()
    server = contestant.start()
    figures = contestant.figures
    figures["cold start"] = (time.perf_counter() - begin) * 1000, None, "ms", None
    try:
        writes(server.port, seconds, figures)
        reads(server.port, seconds, figures, history_run)
        artifacts(f"{server.url}/api/2.0/mlflow-artifacts/artifacts/0/bench", figures, folder)
        figures["memory after all of it"] = memory_mb(server.process.pid), None, "MB", None
    finally:
        server.stop()


# Wanted against the better figure of MLflow's in the row.
WANTED = {"create run": "20x", "log metric": "20x", "log param": "20x", "log batch of 1,000 metrics": "20x", "64 writers of metrics": "50x",
          "search 100 of 100,000 runs": "50x, 20 ms", "history of 100,000 points, bytes": "20x", "cold start": "100 ms",
          "memory after all of it": "60 MB"}


def compare(report, kind, contestants, with_nginx):
    report.line(f"## {kind}")
    report.line(f"{'':<36}" + "".join(f"{c.name + ' p50':>16}{'p99':>10}" for c in contestants) + "   ratio to the better MLflow (wanted)")
    for label in contestants[0].figures:
        cells, values = "", []
        for contestant in contestants:
            value, tail, unit, note = contestant.figures.get(label, (None, None, "", "not measured"))
            values.append(value)
            cells += f"{'-' if value is None else f'{value:.4g} {unit}':>16}{'' if tail is None else f'{tail:.4g}':>10}"
        rivals = [v for v in values[1:] if v is not None]
        ratio = ""
        if rivals and values[0]:
            ratio = f"{values[0] / max(rivals) if unit == '/s' else min(rivals) / values[0]:.1f}x"
        wanted = f" ({WANTED[label]})" if label in WANTED else ""
        if label in with_nginx:
            ratio += f"; nginx {with_nginx[label][0]:.3g} s, ours {values[0] / with_nginx[label][0]:.2f} of it (2)"
        report.line(f"{label:<36}{cells}   {ratio}{wanted}")
    for contestant in contestants:
        for label, (_, _, _, note) in contestant.figures.items():
            if note:
                report.line(f"note: {contestant.name}, {label}: {note}")
    report.line()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--databases", default="sqlite,postgresql")
    options.add_argument("--runs", type=int, default=100_000)
    options.add_argument("--seconds", type=float, default=5)
    options.add_argument("--only-sluice", action="store_true")
    options.add_argument("--save", default="tracking")
    chosen = options.parse_args()
    report = Report(chosen.save, "tracking server: MLflow " + MLFLOW + " and Sluice, the same requests over loopback",
                    [f"data      {chosen.runs:,} and 10,000 runs of 5 metrics, 5 params, 3 tags; {chosen.seconds:g} s a row; p50 and p99 in the row's unit"])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=ROOT / "build"))
    try:
        with_nginx = {}
        if shutil.which("nginx"):
            with nginx(folder) as url:
                artifacts(f"{url}/x", with_nginx, folder)
        for kind in chosen.databases.split(","):
            with new_database(kind, folder, "mlflow") as theirs, new_database(kind, folder, "sluice") as ours:
                with servers.mlflow_server(MLFLOW, folder, database=mlflow_uri(theirs)):
                    pass  # makes its tables
                connection, placeholder = connect(kind, theirs)
                history_run = tracking_data.fill(connection, placeholder, {1: chosen.runs, 2: 10_000})
                connection.close()
                if kind == "postgresql":
                    connection, _ = connect(kind, theirs)
                    connection.autocommit = True
                    connection.cursor().execute("VACUUM ANALYZE")
                    connection.close()
                begin = time.perf_counter()
                subprocess.run([servers.SLUICE, "import", "mlflow", theirs, "--backend-store-uri", ours], check=True, cwd=folder,
                               stdout=subprocess.DEVNULL)
                report.line(f"sluice import mlflow of that database: {time.perf_counter() - begin:.1f} s")
                contestants = [
                    Contestant("sluice", lambda: servers.sluice_server(folder, database=ours)),
                    Contestant("mlflow 1", lambda: servers.mlflow_server(MLFLOW, folder, database=mlflow_uri(theirs))),
                    Contestant("mlflow 4", lambda: servers.mlflow_server(MLFLOW, folder, "--workers", "4", database=mlflow_uri(theirs)))]
                for contestant in contestants[:1] if chosen.only_sluice else contestants:
                    measure(contestant, folder, chosen.seconds, history_run)
                compare(report, kind, contestants, with_nginx)
        report.save()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
