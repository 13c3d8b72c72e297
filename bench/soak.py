"""`sluice server` under mixed load from 64 clients for a long time: no error, memory flat, p99 stated.

  python bench/soak.py [--minutes 30] [--rate 1500] [--database sqlite|postgresql]"""
import argparse
import contextlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from machine import BUILD, ROOT, Report
from tracking import E2, memory_mb, new_database, request

sys.path.insert(0, str(ROOT / "tests"))
import servers  # noqa: E402

CLIENTS = 64
SLICE_S = 60


def mix(port):
    """Half metrics, the rest of everything; each line is one request in turn."""
    experiment = request(port, "POST", f"{E2}/experiments/create", {"name": "soak"})["experiment_id"]
    runs = [request(port, "POST", f"{E2}/runs/create", {"experiment_id": experiment, "start_time": i})["run"]["info"]["run_id"]
            for i in range(CLIENTS)]
    artifacts = "/api/2.0/mlflow-artifacts/artifacts"
    lines = []
    for i, run in enumerate(runs):
        batch = ",".join(f'{{"key":"b{k}","value":{k}.5,"timestamp":{{n}},"step":{{n}}}}' for k in range(20))
        lines += [f'POST {E2}/runs/log-metric {{"run_id":"{run}","key":"loss","value":0.{i + 1},"timestamp":{{n}},"step":{{n}}}}'] * 10
        lines += [
            f'POST {E2}/runs/set-tag {{"run_id":"{run}","key":"t","value":"{{n}}"}}',
            f'POST {E2}/runs/set-tag {{"run_id":"{run}","key":"u","value":"{{n}}"}}',
            f'POST {E2}/runs/log-batch {{"run_id":"{run}","metrics":[{batch}],"tags":[{{"key":"v","value":"{{n}}"}}]}}',
            f"GET {E2}/runs/get?run_id={run} ",
            f"GET {E2}/runs/get?run_id={run} ",
            f'POST {E2}/runs/search {{"experiment_ids":["{experiment}"],"filter":"metrics.loss > 0.2","order_by":["metrics.loss DESC"],"max_results":20}}',
            f"GET {E2}/metrics/get-history?run_id={run}&metric_key=loss&max_results=100 ",
            f"GET {E2}/experiments/get?experiment_id={experiment} ",
            f'PUT {artifacts}/{experiment}/{run}/artifacts/f{i % 4}.json {{"n":{{n}}}}',
            f"GET {artifacts}?path={experiment}/{run}/artifacts ",
        ]
    # Runs are made too, but not so many that every later search has a million more to look at.
    lines.append(f'POST {E2}/runs/create {{"experiment_id":"{experiment}","start_time":{{n}},"run_name":"r{{n}}"}}')
    return lines


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=int, default=30)
    options.add_argument("--rate", type=float, default=1500)
    options.add_argument("--database", default="sqlite")
    chosen = options.parse_args()
    report = Report("soak", "sluice server under mixed load",
                    [f"load      {CLIENTS} clients, {chosen.rate:g} requests a second wanted, {chosen.minutes} minutes, {chosen.database}"])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-", dir=ROOT / "build"))
    errors = requests = 0
    memory = []
    try:
        with contextlib.ExitStack() as stack:
            database = stack.enter_context(new_database(chosen.database, folder, "sluice"))
            server = stack.enter_context(servers.sluice_server(folder, database=database))
            lines = "\n".join(mix(server.port)) + "\n"
            report.line(f"{'minute':>6}{'requests':>10}{'errors':>8}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'memory MB':>11}")
            for minute in range(1, chosen.minutes + 1):
                result = subprocess.run([BUILD / "bin/http_load", "127.0.0.1", str(server.port), str(CLIENTS), str(SLICE_S), "0", str(chosen.rate)],
                                        input=lines.replace('"timestamp":{n}', f'"timestamp":{minute}0{{n}}'), text=True, capture_output=True, check=False)
                told = json.loads(result.stdout)
                errors += told["errors"]
                requests += told["requests"]
                memory.append(memory_mb(server.process.pid))
                report.line(f"{minute:>6}{told['requests']:>10}{told['errors']:>8}{told['p50_us'] / 1000:>9.2f}{told['p99_us'] / 1000:>9.2f}"
                            f"{told['max_us'] / 1000:>9.1f}{memory[-1]:>11.1f}" + (f"  {result.stderr.strip()[:120]}" if told["errors"] else ""))
            code = server.stop()
        report.line(f"{requests:,} requests, {errors} errors; memory {memory[min(4, len(memory) - 1)]:.1f} MB after the fifth minute, {memory[-1]:.1f} MB at the end; "
                    f"exit code {code}")
        report.save()
    finally:
        shutil.rmtree(folder)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
