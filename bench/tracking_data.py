"""Fills an empty database that MLflow's server has made with runs, as its clients would have: 100,000 runs of five metrics,
five params and three tags in experiment 1, 10,000 of them in experiment 2, and a history of 100,000 points."""
import random

METRICS, PARAMS = 5, 5
HISTORY_POINTS = 100_000


def rows(runs, experiment_id, seed):
    """For each run: its id, start, metric values, params."""
    chance = random.Random(seed)
    for i in range(runs):
        yield (f"{chance.getrandbits(128):032x}", 1_700_000_000_000 + i * 1000,
               [chance.random() for _ in range(METRICS)], [str(chance.randrange(20)) for _ in range(PARAMS)])


def fill(connection, placeholder, counts):
    """`connection` is of the database's driver, `placeholder` its ("?" or "%s"). `counts`: {experiment id: runs}. Returns the
    run that has the long history."""
    cursor = connection.cursor()

    def insert(table, columns, values):
        head = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "
        if placeholder == "%s":
            from psycopg2.extras import execute_values
            execute_values(cursor, head + "%s", values, page_size=1000)
        else:
            cursor.executemany(f"{head}({', '.join([placeholder] * len(columns))})", values)

    first = None
    for experiment_id, count in counts.items():
        insert("experiments", ["experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time"],
               [(experiment_id, f"bench {experiment_id}", f"mlflow-artifacts:/{experiment_id}", "active", 1, 1)])
        batch = []
        for run in rows(count, experiment_id, seed=experiment_id):
            batch.append(run)
            if len(batch) == 5000:
                insert_runs(insert, experiment_id, batch)
                batch.clear()
        insert_runs(insert, experiment_id, batch)
        if first is None:
            first = next(rows(1, experiment_id, seed=experiment_id))[0]
    points = [(first, "history", random.Random(i).random(), 1_700_000_000_000 + i, i, False) for i in range(HISTORY_POINTS)]
    insert("metrics", ["run_uuid", "key", "value", "timestamp", "step", "is_nan"], points)
    insert("latest_metrics", ["run_uuid", "key", "value", "timestamp", "step", "is_nan"], points[-1:])
    connection.commit()
    return first


def insert_runs(insert, experiment_id, batch):
    insert("runs", ["run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status", "start_time",
                    "end_time", "source_version", "lifecycle_stage", "artifact_uri", "experiment_id"],
           [(run_id, f"run-{start}", "UNKNOWN", "", "", "bench", "FINISHED", start, start + 500, "", "active",
             f"mlflow-artifacts:/{experiment_id}/{run_id}/artifacts", experiment_id) for run_id, start, _, _ in batch])
    metrics = [(run_id, f"m{k}", value, start, 0, False) for run_id, start, values, _ in batch for k, value in enumerate(values)]
    for table in ("metrics", "latest_metrics"):
        insert(table, ["run_uuid", "key", "value", "timestamp", "step", "is_nan"], metrics)
    insert("params", ["run_uuid", "key", "value"],
           [(run_id, f"p{k}", value) for run_id, _, _, values in batch for k, value in enumerate(values)])
    insert("tags", ["run_uuid", "key", "value"],
           [(run_id, key, value) for run_id, start, _, values in batch
            for key, value in (("mlflow.user", "bench"), ("mlflow.runName", f"run-{start}"), ("team", f"t{values[0]}"))])
