"""Searches the same random runs in MLflow's own store and in a Sluice server, and compares names and errors.

    build/mlflow/3.18.0/bin/python tests/compat/search_random.py BINARY [--searches N] [--seed S]

Prints what differs and ends with 1 if anything does. Start times are all different, since ties are broken by run ids,
which the two give themselves.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.rest_store import RestStore
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.rest_utils import MlflowHostCreds

TEXTS = ["a", "A", "ab", "a%", "a_", "10", "9", "it's", "C:\\dir", "\u00e4", "x" * 300, ""]


def fill(store, runs, experiment_id):
    for run in runs:
        info = store.create_run(experiment_id, "ann", run["start"], [RunTag("mlflow.runName", run["name"])], run["name"]).info
        metrics = [Metric(key, value, 1, 0) for key, value in run["metrics"].items()]
        params = [Param(key, value) for key, value in run["params"].items()]
        tags = [RunTag(key, value) for key, value in run["tags"].items()]
        store.log_batch(info.run_id, metrics, params, tags)
        if run["end"] is not None:
            store.update_run_info(info.run_id, run["status"], run["end"], None)
        if run["deleted"]:
            store.delete_run(info.run_id)


def make_runs(rng, count):
    starts = rng.sample(range(1, 10 * count), count)
    runs = []
    for i in range(count):
        runs.append({
            "name": f"run{i}", "start": starts[i], "end": rng.choice([None, rng.randrange(50)]), "status": rng.choice([3, 4, 5]),
            "deleted": rng.random() < 0.15,
            "metrics": {key: rng.choice([0.0, 1.0, 2.0, -1.5, float("nan"), float("inf"), 0.5]) for key in "mn" if rng.random() < 0.8},
            "params": {key: rng.choice(TEXTS[:-1]) for key in ("p", "q q") if rng.random() < 0.8},
            "tags": {key: rng.choice(TEXTS) for key in ("t", "a.b") if rng.random() < 0.8},
        })
    return runs


def quote(text):
    return f"'{text}'" if "'" not in text else f'"{text}"'


def condition(rng):
    compare = rng.choice(["=", "!=", "<", "<=", ">", ">=", "LIKE", "ILIKE", "like"])
    text = quote(rng.choice(TEXTS + ["%", "_", "a%", "%r%", "A_", "%\u00e4", "x%"]))
    number = rng.choice(["0", "1", "-1.5", ".5", "1e3", "2.", "1e400"])
    return rng.choice([
        f"metrics.{rng.choice('mnz')} {rng.choice(['=', '!=', '<', '<=', '>', '>='])} {number}",
        f"params.{rng.choice(['p', '`q q`', 'z'])} {rng.choice(['=', '!=', 'LIKE', 'ILIKE'])} {text}",
        f"tags.{rng.choice(['t', chr(34) + 'a.b' + chr(34), 'z'])} {rng.choice(['=', '!=', 'LIKE', 'ILIKE'])} {text}",
        f"{rng.choice(['params.p', 'tags.`a.b`'])} IS {rng.choice(['', 'NOT '])}NULL",
        f"attributes.status {rng.choice(['=', '!=', 'LIKE', 'ILIKE'])} {quote(rng.choice(['FINISHED', 'F%', 'running', 'KILLED']))}",
        f"{rng.choice(['start_time', 'end_time', 'created'])} {rng.choice(['=', '!=', '<', '<=', '>', '>='])} {rng.randrange(60)}{rng.choice(['', '', '.5'])}",
        f"run_name {rng.choice(['=', '!=', 'LIKE', 'ILIKE'])} {quote(rng.choice(['run7', 'run1%', 'RUN1_']))}",
        f"{rng.choice(['metrics.m', 'params.p', 'status', 'start_time', 'foo', 'foo.x', 'dataset.name'])} {compare} {rng.choice([number, text, 'x', 'inf'])}",
    ])


def order(rng):
    key = rng.choice(["metrics.m", "metrics.n", "params.p", "params.`q q`", "tags.t", "status", "start_time", "end_time", "run_name",
                      "metrics.z", "foo"])
    return key + rng.choice(["", " ASC", " DESC", " desc"])


def search(store, experiment_ids, text, orders, view):
    names, token = [], None
    try:
        while True:
            page = store.search_runs(experiment_ids, text, view, 17, orders, token)
            names += [run.info.run_name for run in page]
            token = page.token
            if not token:
                return names
    except MlflowException as error:
        # A 500 would be INTERNAL_ERROR.
        return f"error {error.error_code}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--searches", type=int, default=400)
    parser.add_argument("--runs", type=int, default=80)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    differences = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        server = subprocess.Popen([arguments.binary, "server", "--port", "0", "--json", "--backend-store-uri", f"sqlite:///{folder}/s.db",
                                   "--artifacts-destination", str(folder / "a")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            url = json.loads(server.stdout.readline())["url"]
            ours = RestStore(lambda: MlflowHostCreds(url))
            theirs = SqlAlchemyStore(f"sqlite:///{folder}/m.db", str(folder / "artifacts"))
            runs = make_runs(rng, arguments.runs)
            for store in (ours, theirs):
                fill(store, runs, "0")
            for _ in range(arguments.searches):
                text = " AND ".join(condition(rng) for _ in range(rng.choice([0, 1, 1, 2])))
                orders = [order(rng) for _ in range(rng.choice([0, 0, 1, 2]))]
                view = rng.choice([ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL])
                a, b = search(ours, ["0"], text, orders, view), search(theirs, ["0"], text, orders, view)
                both_fail = isinstance(a, str) and isinstance(b, str) and "INTERNAL" not in a
                if a != b and not both_fail:
                    differences += 1
                    print(f"filter: {text}\norder: {orders}\nsluice: {a}\nmlflow: {b}\n")
        finally:
            server.terminate()
            server.wait()
    print(f"{arguments.searches} searches, seed {arguments.seed}: {differences} differ")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
