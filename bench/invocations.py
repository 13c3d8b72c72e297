#!/usr/bin/env python3
"""How long one row takes from request to prediction: POST /invocations over one keep-alive connection on loopback.

The credit project is run once; `sluice serve` answers for its champion. The client is a bare socket with the request's
bytes made beforehand, so that what is measured is the server and the kernel, not a client library. Rivals answer the
same row with a scikit-learn pipeline of equal kind (gradient boosted histograms over one-hot categories, same 40,000
applications): behind Python's own http.server, and, where MLFLOW_PYTHON names a Python that has mlflow and
scikit-learn, behind `mlflow models serve`.
"""
import argparse
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from machine import SLUICE, Report

REQUESTS = 20_000
RIVAL_REQUESTS = 500
# One row gains nothing from threads, and their waiting on each other costs the rivals milliseconds on few cores.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
WARM_UP = 100
DROPPED = ["defaulted", "id", "applied_on", "gender"]


def one_request(project):
    """The last application as dataframe_split, as HTTP bytes."""
    import pandas
    frame = pandas.read_csv(find_csv(project)).tail(1).drop(columns=DROPPED)
    body = json.dumps({"dataframe_split": json.loads(frame.to_json(orient="split", index=False))}).encode()
    head = (f"POST /invocations HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    return head + body


def find_csv(project):
    found = sorted(pathlib.Path(project).rglob("applications.csv"))
    if not found:
        sys.exit(f"no applications.csv under {project}")
    return found[0]


def read_reply(connection):
    data = connection.recv(65536)
    while True:
        end = data.find(b"\r\n\r\n")
        if end >= 0:
            head = data[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15:].split(b"\r\n", 1)[0])
            if len(data) >= end + 4 + length:
                return data
        more = connection.recv(65536)
        if not more:
            raise ConnectionError(f"the server hung up after {data!r}")
        data += more


def measure(port, request, count):
    """Microseconds of each round trip."""
    latencies_us = []
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for index in range(count + WARM_UP):
            begin = time.perf_counter_ns()
            connection.sendall(request)
            reply = read_reply(connection)
            if index >= WARM_UP:
                latencies_us.append((time.perf_counter_ns() - begin) / 1e3)
    if not reply.startswith(b"HTTP/1.1 200") or b"predictions" not in reply:
        sys.exit(f"unexpected reply: {reply!r}")
    return latencies_us


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def report_latencies(report, label, latencies_us):
    ordered = sorted(latencies_us)
    p50, p99 = percentile(ordered, 0.5), percentile(ordered, 0.99)
    report.line(f"{label:<34} p50 {p50:9.1f} us   p99 {p99:9.1f} us   max {ordered[-1]:9.1f} us, {len(ordered)} requests")
    return p50


@contextlib.contextmanager
def running(command, **options):
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def train_rival(csv):
    import pandas
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder
    frame = pandas.read_csv(csv)
    rows = frame.drop(columns=DROPPED)
    one_hot = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), make_column_selector(dtype_exclude="number")),
        remainder="passthrough")
    return make_pipeline(one_hot, HistGradientBoostingClassifier(max_iter=150, max_depth=5, random_state=7)).fit(
        rows, frame["defaulted"])


def serve_rival(csv):
    """A minimal scoring server: http.server, json, pandas, predict. Prints its port."""
    import http.server
    import pandas
    model = train_rival(csv)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one write a reply

        def do_POST(self):
            split = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["dataframe_split"]
            predictions = model.predict(pandas.DataFrame(split["data"], columns=split["columns"]))
            body = json.dumps({"predictions": predictions.tolist()}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


def save_mlflow(csv, folder):
    import mlflow.sklearn
    mlflow.sklearn.save_model(train_rival(csv), folder, serialization_format="cloudpickle")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(url, timeout=5).read()
        time.sleep(0.2)
    sys.exit(f"nobody answers at {url}")


def measure_mlflow(report, csv, request, folder):
    python = os.environ.get("MLFLOW_PYTHON")
    if not python:
        report.line("mlflow models serve: skipped, MLFLOW_PYTHON names no Python that has it")
        return None
    model = pathlib.Path(folder) / "mlflow_model"
    subprocess.run([python, __file__, "--save-mlflow", str(model), "--csv", str(csv)], check=True)
    port = free_port()
    environment = {**os.environ, **ONE_THREAD, "PATH": f"{pathlib.Path(python).parent}:{os.environ['PATH']}"}
    command = [python, "-m", "mlflow", "models", "serve", "--model-uri", str(model), "--env-manager", "local", "--port", str(port)]
    with running(command, stderr=subprocess.DEVNULL, env=environment):
        wait_for(f"http://127.0.0.1:{port}/ping")
        return report_latencies(report, "mlflow models serve, scikit-learn", measure(port, request, RIVAL_REQUESTS))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rival", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--save-mlflow", help=argparse.SUPPRESS)
    parser.add_argument("--csv", help=argparse.SUPPRESS)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers started here are stopped
    if options.rival:
        return serve_rival(options.csv)
    if options.save_mlflow:
        return save_mlflow(options.csv, options.save_mlflow)

    report = Report("invocations", "One row through POST /invocations, one keep-alive connection on loopback",
                    [f"settings  credit project, {REQUESTS} requests after {WARM_UP} to warm up; rivals {RIVAL_REQUESTS}"])
    with tempfile.TemporaryDirectory() as folder:
        project = pathlib.Path(folder) / "credit"
        subprocess.run([SLUICE, "init", project, "--quiet"], check=True)
        subprocess.run([SLUICE, "run", "--quiet"], cwd=project, check=True)
        csv, request = find_csv(project), one_request(project)
        with running([SLUICE, "serve", "models:/credit@champion", "--port", "0", "--json"], cwd=project) as server:
            url = json.loads(server.stdout.readline())["url"]
            ours = report_latencies(report, "sluice serve", measure(int(url.rsplit(":", 1)[1]), request, REQUESTS))
        with running([sys.executable, __file__, "--rival", "--csv", str(csv)],
                     env={**os.environ, **ONE_THREAD}) as rival:
            port = int(rival.stdout.readline())
            theirs = report_latencies(report, "http.server, scikit-learn", measure(port, request, RIVAL_REQUESTS))
        report.line(f"{'ratio of p50':<34} {theirs / ours:.0f} x")
        mlflow = measure_mlflow(report, csv, request, folder)
        if mlflow:
            report.line(f"{'ratio of p50':<34} {mlflow / ours:.0f} x")
    report.line(f"wanted: p50 at most 300 us; {'met' if ours <= 300 else 'NOT met'}")
    report.save()
    return None


if __name__ == "__main__":
    main()
