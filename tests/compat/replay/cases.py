"""The requests of the differential replay, in order. Each is (label, method, path, body or None); paths and bodies may
hold {names} that earlier answers filled in, taken by `keep`: {name: path into the JSON answer}.

The same list goes to MLflow's server and to Sluice's; test_replay.py compares the answers."""

import itertools

E2 = "/api/2.0/mlflow"
REQUESTS = []


def add(label, method, path, body=None, keep=None, headers=None, raw=None):
    REQUESTS.append({"label": label, "method": method, "path": path if path.startswith("/") else f"{E2}/{path}",
                     "body": body, "keep": keep or {}, "headers": headers or {}, "raw": raw})


def post(path, body=None, **more):
    add(more.pop("label", path), "POST", path, body if body is not None else {}, **more)


def get(path, **more):
    add(more.pop("label", path), "GET", path, **more)


# ---- experiments
post("experiments/create", {"name": "first"}, keep={"e1": "experiment_id"})
post("experiments/create", {"name": "second", "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "é\n\"x"}]},
     keep={"e2": "experiment_id"})
post("experiments/create", {"name": "third", "artifact_location": "s3://bucket/path"}, keep={"e3": "experiment_id"})
for body in ({"name": "first"}, {}, {"name": ""}, {"name": None}, {"name": 5}, {"name": ["a"]}, {"name": {"a": 1}}, {"name": True},
             {"name": "x" * 501}, {"name": "frag", "artifact_location": "s3://b/p#frag"}, 
             {"name": "qry", "artifact_location": "s3://b/p?x=../.."}, {"name": "runs", "artifact_location": "runs:/abc/x"},
             {"name": "badtags", "tags": [{"key": "k" * 251, "value": "v"}]}, {"name": "badtags2", "tags": "x"},
             {"name": "long location", "artifact_location": "s3://b/" + "x" * 2048}):
    post("experiments/create", body, label=f"experiments/create {str(body)[:60]}")
for eid in ("{e1}", "{e2}", "{e3}", "0", "999999", "abc", "-1", "", "1.5", "99999999999999999999999"):
    get(f"experiments/get?experiment_id={eid}")
get("experiments/get")
for name in ("first", "Default", "absent", "FIRST", "", "a%20b", "%C3%A9"):
    get(f"experiments/get-by-name?experiment_name={name}")
get("experiments/get-by-name")
for body in ({"experiment_id": "{e1}", "key": "team", "value": "risk"}, {"experiment_id": "{e1}", "key": "team", "value": "fraud"},
             {"experiment_id": "{e1}", "key": "a/b", "value": ""}, {"experiment_id": "{e1}", "key": "../x", "value": "1"},
             {"experiment_id": "{e1}", "key": "/x", "value": "1"}, {"experiment_id": "{e1}", "key": "x" * 251, "value": "1"},
             {"experiment_id": "{e1}", "key": "k", "value": "v" * 20001}, {"experiment_id": "{e1}", "key": "k", "value": 5},
             {"experiment_id": "{e1}", "key": "k"}, {"experiment_id": "{e1}", "value": "v"}, {"key": "k", "value": "v"},
             {"experiment_id": "9999999", "key": "k", "value": "v"}, {"experiment_id": "{e1}", "key": "bad*key", "value": "1"},
             {"experiment_id": "{e1}", "key": "", "value": "1"}, {"experiment_id": "{e1}", "key": "ключ", "value": "значение"}):
    post("experiments/set-experiment-tag", body, label=f"set-experiment-tag {str(body)[:70]}")
post("experiments/delete-experiment-tag", {"experiment_id": "{e1}", "key": "a/b"})
post("experiments/delete-experiment-tag", {"experiment_id": "{e1}", "key": "never"})
get("experiments/get?experiment_id={e1}", label="after tags")
post("experiments/update", {"experiment_id": "{e1}", "new_name": "primary"})
post("experiments/update", {"experiment_id": "{e1}"})
post("experiments/update", {"new_name": "x"})
post("experiments/update", {"experiment_id": "77777", "new_name": "x"})
post("experiments/delete", {"experiment_id": "{e3}"})
post("experiments/delete", {"experiment_id": "{e3}"}, label="delete twice")
post("experiments/delete", {})
post("experiments/delete", {"experiment_id": "77777"})
post("experiments/create", {"name": "third"}, label="a deleted one's name")
post("runs/create", {"experiment_id": "{e3}", "start_time": 1}, label="a run in a deleted experiment")
get("experiments/get?experiment_id={e3}", label="deleted")
for body in ({}, {"max_results": 0}, {"max_results": -1}, {"max_results": 50001}, {"max_results": 5, "view_type": "ALL"},
             {"max_results": 5, "view_type": "DELETED_ONLY"}, {"max_results": "5"}, {"max_results": 5, "view_type": 3},
             {"max_results": 5, "filter": "name = 'primary'"}, {"max_results": 5, "filter": "name LIKE 'p%'"},
             {"max_results": 5, "filter": "name ILIKE 'P%'"}, {"max_results": 5, "filter": "name != 'primary'", "order_by": ["name"]},
             {"max_results": 5, "filter": "tags.team = 'fraud'"}, {"max_results": 5, "filter": "tag.`team` LIKE 'fr%'"},
             {"max_results": 5, "filter": "tags.a = '1' AND name = 'second'"}, {"max_results": 5, "filter": "tags.nothing != 'x'"},
             {"max_results": 5, "filter": "creation_time > 0", "order_by": ["name DESC"]}, {"max_results": 5, "filter": "creation_time > 'x'"},
             {"max_results": 5, "filter": "last_update_time < 5"}, {"max_results": 5, "filter": "foo = 'x'"},
             {"max_results": 5, "filter": "name > 'a'"}, {"max_results": 5, "filter": "name = 5"}, {"max_results": 5, "order_by": ["foo"]},
             {"max_results": 5, "order_by": ["experiment_id DESC"]}, {"max_results": 5, "order_by": ["experiment_id ASC", "name"]},
             {"max_results": 5, "filter": "experiment_id IN ('0')"}, {"max_results": 5, "filter": "tags.team IS NULL", "order_by": ["name"]},
             {"max_results": 5, "filter": "tags.team IS NOT NULL"}, {"max_results": 1, "order_by": ["name"]}):
    post("experiments/search", body, label=f"experiments/search {body}")
post("experiments/restore", {"experiment_id": "{e3}"})
post("experiments/restore", {"experiment_id": "{e3}"}, label="restore twice")
post("experiments/restore", {"experiment_id": "77777"})

# ---- runs
post("runs/create", {"experiment_id": "{e1}", "user_id": "u", "run_name": "alpha", "start_time": 1000,
                     "tags": [{"key": "t", "value": "x"}]}, keep={"r1": "run.info.run_id"})
post("runs/create", {"experiment_id": "{e1}", "run_name": "beta", "start_time": "2000"}, keep={"r2": "run.info.run_id"})
post("runs/create", {"experiment_id": "{e1}", "run_name": "gamma"}, keep={"r3": "run.info.run_id"})
post("runs/create", {"experiment_id": "{e1}", "run_name": "delta", "start_time": 3000,
                     "tags": [{"key": "mlflow.runName", "value": "delta"}]}, keep={"r4": "run.info.run_id"})
for body in ({"experiment_id": "77777"}, {"experiment_id": "abc"}, {"experiment_id": 0, "run_name": "by number", "start_time": 5},
             {"experiment_id": "{e2}", "start_time": "abc"}, {"experiment_id": "{e2}", "tags": [{"key": "", "value": "x"}]},
             {"experiment_id": "{e2}", "run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}]},
             {"experiment_id": "{e2}", "tags": "x"}, {"experiment_id": "{e2}", "tags": [{"key": "k" * 251, "value": "x"}]}):
    post("runs/create", body, label=f"runs/create {str(body)[:70]}")
post("runs/create", {"experiment_id": "{e2}", "run_name": "scratch", "start_time": 1}, keep={"s1": "run.info.run_id"})
for query in ("run_id={r1}", "run_uuid={r1}", "run_id={r1}&run_uuid={r1}", "run_id=" + "0" * 32, "", "run_id=abc", "run_id="):
    get(f"runs/get?{query}")
METRICS = [{"key": "m", "value": 0.5, "timestamp": 10, "step": 0}, {"key": "m", "value": 0.5, "timestamp": 10, "step": 0},
           {"key": "m", "value": 0.75, "timestamp": 11, "step": 1}, {"key": "m", "value": "0.25", "timestamp": "12", "step": "2"},
           {"key": "m", "value": 9, "timestamp": 13, "step": -5}, {"key": "nan", "value": "NaN", "timestamp": 1},
           {"key": "inf", "value": "Infinity", "timestamp": 1}, {"key": "ninf", "value": "-Infinity", "timestamp": 1},
           {"key": "b", "value": True, "timestamp": 1}, {"key": "big", "value": 1e308, "timestamp": 1}, {"key": "tiny", "value": 5e-324, "timestamp": 1},
           {"key": "neg0", "value": -0.0, "timestamp": 1}, {"key": "odd key/x.y-z", "value": 1, "timestamp": 1}, {"key": "int", "value": 3, "timestamp": 1},
           {"key": "m", "timestamp": 1}, {"key": "m", "value": 1}, {"value": 1, "timestamp": 1}, {"key": "m", "value": None, "timestamp": 1},
           {"key": "m", "value": "abc", "timestamp": 1}, {"key": "m", "value": [1], "timestamp": 1}, {"key": "m", "value": 1, "timestamp": -1},
           {"key": "m", "value": 1, "timestamp": "abc"}, {"key": "../m", "value": 1, "timestamp": 1}, {"key": "k" * 251, "value": 1, "timestamp": 1},
           {"key": "", "value": 1, "timestamp": 1}, {"key": 5, "value": 1, "timestamp": 1}, {"key": "bad*", "value": 1, "timestamp": 1},
           {"key": "m", "value": 1, "timestamp": 1, "step": "x"}, {"key": "a//b", "value": 1, "timestamp": 1}, {"key": "a/", "value": 1, "timestamp": 1},
           {"key": ".", "value": 1, "timestamp": 1}, {"key": "ünï", "value": 1, "timestamp": 1}]
for body in METRICS:
    post("runs/log-metric", {"run_id": "{r1}", **body}, label=f"log-metric {str(body)[:80]}")
post("runs/log-metric", {"run_id": "f" * 32, "key": "m", "value": 1, "timestamp": 1}, label="log-metric unknown run")
post("runs/log-metric", {"key": "m", "value": 1, "timestamp": 1}, label="log-metric no run")
for body in ({"key": "lr", "value": "0.1"}, {"key": "lr", "value": "0.1"}, {"key": "lr", "value": "0.2"}, {"key": "opt", "value": "adam"},
             {"key": "empty", "value": ""}, {"key": "long", "value": "x" * 6001}, {"key": "n", "value": 5}, {"key": "k" * 251, "value": "1"},
             {"value": "1"}, {"key": "none"}, {"key": "../a", "value": "1"}, {"key": "quo'te", "value": "1"}, {"key": "sp ace", "value": "it's"}):
    post("runs/log-parameter", {"run_id": "{r1}", **body}, label=f"log-parameter {str(body)[:60]}")
for body in ({"key": "s", "value": "1"}, {"key": "s", "value": "2"}, {"key": "long", "value": "y" * 8001}, {"key": "k" * 251, "value": "1"},
             {"key": "mlflow.runName", "value": "renamed by tag"}, {"key": "n", "value": 5}, {"value": "1"}, {"key": "none"},
             {"key": "mlflow.note.content", "value": "# note"}, {"key": "x/y", "value": "1"}):
    post("runs/set-tag", {"run_id": "{r1}", **body}, label=f"set-tag {str(body)[:60]}")
post("runs/delete-tag", {"run_id": "{r1}", "key": "s"})
post("runs/delete-tag", {"run_id": "{r1}", "key": "s"}, label="delete-tag twice")
post("runs/delete-tag", {"run_id": "{r1}"})
get("runs/get?run_id={r1}", label="r1 after logging")
BATCHES = [{"metrics": [{"key": "loss", "value": i / 4, "timestamp": i, "step": i} for i in range(8)], "params": [{"key": "p1", "value": "1"}, {"key": "p2", "value": "2"}],
            "tags": [{"key": "bt", "value": "1"}, {"key": "bt", "value": "2"}]},
           {}, {"params": [{"key": "p1", "value": "other"}, {"key": "p9", "value": "9"}]}, {"params": [{"key": "d", "value": "1"}, {"key": "d", "value": "1"}]},
           {"params": [{"key": "d", "value": "1"}, {"key": "d", "value": "2"}]}, {"metrics": [{"key": "m"}]}, {"metrics": [{"key": "m", "value": "x", "timestamp": 1, "step": 0}]},
           {"metrics": "x"}, {"metrics": [5]}, {"tags": [{"key": "t"}]}, {"tags": [{"value": "t"}]}, {"params": [{"key": "k" * 251, "value": "1"}]},
           {"metrics": [{"key": "x", "value": 1, "timestamp": 1, "step": 0}] * 1001}, {"params": [{"key": f"q{i}", "value": "1"} for i in range(101)]},
           {"tags": [{"key": f"q{i}", "value": "1"} for i in range(101)]},
           {"metrics": [{"key": "x", "value": 1, "timestamp": i, "step": 0} for i in range(950)], "params": [{"key": f"q{i}", "value": "1"} for i in range(51)]},
           {"metrics": [{"key": "nan2", "value": "NaN", "timestamp": 1, "step": 0}]}, {"metrics": [{"key": "neg", "value": 1, "timestamp": -1, "step": 0}]},
           {"tags": [{"key": "mlflow.runName", "value": "from batch"}]}, {"metrics": [{"key": "ok", "value": 1, "timestamp": 1}]}]
HALF_UNDERSTOOD = {5, 6, 7, 8}
for i, body in enumerate(BATCHES):
    # What the reference half understands goes where nothing is searched later.
    run = "{s1}" if i in HALF_UNDERSTOOD else "{r2}"
    post("runs/log-batch", {"run_id": run, **body}, label=f"log-batch {i} {str(body)[:60]}")
post("runs/log-batch", {"metrics": []}, label="log-batch no run")
get("runs/get?run_id={r2}", label="r2 after batches")
for body in ({"status": "FINISHED", "end_time": 5000}, {"run_name": "beta 2"}, {"status": "NOT A STATUS"}, {"status": 4}, {"end_time": "abc"}, {"run_name": ""}, {}):
    post("runs/update", {"run_id": "{s1}" if body == {"status": 4} else "{r2}", **body}, label=f"runs/update {body}")
post("runs/update", {"status": "FINISHED"}, label="runs/update no run")
post("runs/update", {"run_id": "f" * 32, "status": "FINISHED"}, label="runs/update unknown run")
get("runs/get?run_id={r2}", label="r2 after update")
for key, more in (("m", ""), ("m", "&max_results=2"), ("m", "&max_results=0"), ("m", "&max_results=-3"), ("nan", ""), ("absent", ""), ("m", "&max_results=abc"), ("odd%20key/x.y-z", ""), ("inf", "")):
    get(f"metrics/get-history?run_id={{r1}}&metric_key={key}{more}")
get("metrics/get-history?run_id={r1}")
get("metrics/get-history?metric_key=m")
get("metrics/get-history?run_id=" + "e" * 32 + "&metric_key=m")
get("metrics/get-history-bulk-interval?run_ids={r1}&run_ids={r2}&metric_key=m")
get("metrics/get-history-bulk-interval?run_ids={r2}&metric_key=loss&start_step=2&end_step=4")
for query in ("run_ids={r2}&metric_key=loss&start_step=2", "run_ids={r2}&metric_key=loss&start_step=5&end_step=2", "metric_key=loss", "run_ids={r2}",
              "run_ids={r2}&metric_key=loss&max_results=0", "run_ids={r2}&metric_key=loss&max_results=2501"):
    get(f"metrics/get-history-bulk-interval?{query}")
get("/ajax-api/2.0/mlflow/metrics/get-history-bulk?run_id={r2}&metric_key=loss")
get("/ajax-api/2.0/mlflow/metrics/get-history-bulk?metric_key=loss")
get("/ajax-api/2.0/mlflow/metrics/get-history-bulk?run_id={r2}")

# ---- inputs, outputs, logged models
DATASET = {"name": "d", "digest": "abc", "source_type": "local", "source": "{\"uri\":\"x\"}", "schema": "{}", "profile": "{}"}
post("runs/log-inputs", {"run_id": "{r1}", "datasets": [{"tags": [{"key": "mlflow.data.context", "value": "training"}], "dataset": DATASET}]})
for body in ({"datasets": [{"dataset": {"name": "only"}}]}, {"datasets": "x"}, {"datasets": [{"tags": [{"key": "k" * 256, "value": "v"}], "dataset": DATASET}]},
             {"datasets": [{"dataset": {**DATASET, "name": "n" * 501}}]}, {"datasets": [{"dataset": {**DATASET, "digest": "d" * 37}}]},
             {"datasets": [{"dataset": {**DATASET, "profile": "p" * 70000, "name": "bigprofile"}}]}, {"datasets": []}, {},
             {"datasets": [{"tags": [{"key": "a", "value": "b"}]}]}):
    post("runs/log-inputs", {"run_id": "{s1}", **body}, label=f"log-inputs {str(body)[:70]}")
post("runs/log-inputs", {"datasets": []}, label="log-inputs no run")
get("runs/get?run_id={r1}", label="r1 with inputs")
post("/ajax-api/2.0/mlflow/experiments/search-datasets", {"experiment_ids": ["{e1}"]})
post("/ajax-api/2.0/mlflow/experiments/search-datasets", {"experiment_ids": []})
post("/ajax-api/2.0/mlflow/experiments/search-datasets", {"experiment_ids": [str(i) for i in range(21)]}, label="search-datasets 21")
post("logged-models", {"experiment_id": "{e1}", "name": "clf", "source_run_id": "{r1}", "params": [{"key": "C", "value": "1"}],
                       "tags": [{"key": "k", "value": "v"}], "model_type": "classifier"}, keep={"m1": "model.info.model_id"})
post("logged-models", {"experiment_id": "{e1}", "name": "reg"}, keep={"m2": "model.info.model_id"})
for body in ({"experiment_id": "77777", "name": "x"}, {"name": "x"}, {"experiment_id": "{e1}", "name": "a/b"}, {"experiment_id": "{e1}", "name": "a:b"},
             {"experiment_id": "{e2}", "name": ""}, {"experiment_id": "{e1}", "name": "z", "params": [{"key": "k" * 251, "value": "1"}]}):
    post("logged-models", body, label=f"logged-models {str(body)[:60]}")
get("logged-models/{m1}")
get("logged-models/m-" + "0" * 32)
add("finalize", "PATCH", "logged-models/{m1}", {"model_id": "{m1}", "status": "LOGGED_MODEL_READY"})
post("logged-models", {"experiment_id": "{e2}", "name": "third"}, keep={"m3": "model.info.model_id"})
add("finalize with nonsense", "PATCH", "logged-models/{m3}", {"model_id": "{m3}", "status": "NOPE"})
add("finalize unknown", "PATCH", "logged-models/m-" + "0" * 32, {"model_id": "m-" + "0" * 32, "status": "LOGGED_MODEL_READY"})
add("model tags", "PATCH", "logged-models/{m1}/tags", {"model_id": "{m1}", "tags": [{"key": "k", "value": "w"}, {"key": "n", "value": "1"}]})
add("delete model tag", "DELETE", "logged-models/{m1}/tags/n")
add("delete model tag twice", "DELETE", "logged-models/{m1}/tags/n")
post("logged-models/{m1}/params", {"model_id": "{m1}", "params": [{"key": "D", "value": "2"}]})
post("runs/outputs", {"run_id": "{r1}", "models": [{"model_id": "{m1}", "step": 0}]})
post("runs/log-metric", {"run_id": "{r1}", "key": "acc", "value": 0.9, "timestamp": 5, "step": 1, "model_id": "{m1}", "dataset_name": "d", "dataset_digest": "abc"},
     label="metric of a model")
get("logged-models/{m1}", label="m1 after all")
get("runs/get?run_id={r1}", label="r1 with outputs")
for body in ({"experiment_ids": ["{e1}"]}, {"experiment_ids": ["{e1}"], "filter": "name = 'clf'"}, {"experiment_ids": ["{e1}"], "filter": "metrics.acc > 0.5"},
             {"experiment_ids": ["{e1}"], "filter": "params.C = '1' AND tags.k = 'w'"}, {"experiment_ids": ["{e1}"], "filter": "name LIKE 'r%'"},
             {"experiment_ids": ["{e1}"], "filter": "metrics.acc > 0.5", "datasets": [{"dataset_name": "d"}]},
             {"experiment_ids": ["{e1}"], "filter": "metrics.acc > 0.5", "datasets": [{"dataset_name": "other"}]},
             {"experiment_ids": ["{e1}"], "order_by": [{"field_name": "name", "ascending": True}]}, {"experiment_ids": ["{e1}"], "order_by": [{"field_name": "metrics.acc"}]},
             {"experiment_ids": ["{e1}"], "order_by": [{"field_name": "nothing"}]}, {"experiment_ids": []}, {"experiment_ids": ["{e1}"], "filter": "foo.bar = 1"},
             {"experiment_ids": ["{e1}"], "filter": "name = 5"}, {"experiment_ids": ["{e1}"], "max_results": 1, "order_by": [{"field_name": "name", "ascending": True}]},
             {"experiment_ids": ["{e1}"], "filter": "status = 'READY'"}, {"experiment_ids": ["{e1}"], "max_results": 0}):
    post("logged-models/search", body, label=f"logged-models/search {str(body)[:150]}")
add("delete model", "DELETE", "logged-models/{m2}")
get("logged-models/{m2}", label="deleted model")
post("runs/log-model", {"run_id": "{r1}", "model_json": "{\"artifact_path\":\"model\",\"flavors\":{},\"utc_time_created\":\"2026-01-01\",\"run_id\":\"{r1}\"}"})
post("runs/log-model", {"run_id": "{r1}", "model_json": "not json"})
post("runs/log-model", {"run_id": "{r1}"})
post("runs/log-model", {"run_id": "{r1}", "model_json": "{}"})

# ---- searching runs
ENTITIES = {"metrics.m": ["0.25", "1", "-1e3", "'0.25'", "abc", "NaN"], "metrics.nan": ["0"], "params.lr": ["'0.1'", "\"0.1\"", "0.1", "'%1'"],
            "params.`sp ace`": ["\"it's\""], "tags.t": ["'x'", "5"], "attributes.status": ["'RUNNING'", "'nothing'", "1"], "run_name": ["'alpha'", "'%a%'"],
            "start_time": ["1000", "'1000'", "1000.5"], "dataset.name": ["'d'"], "dataset.context": ["'training'"], "attribute.run_id": ["'{r1}'"],
            "end_time": ["5000"], "user_id": ["'u'"], "artifact_uri": ["'%artifacts'"], "lifecycle_stage": ["'active'"], "nothing.x": ["'1'"]}
for (field, values), op in itertools.product(ENTITIES.items(), ("=", "!=", ">", ">=", "<", "<=", "LIKE", "ILIKE")):
    for value in values:
        post("runs/search", {"experiment_ids": ["{e1}"], "filter": f"{field} {op} {value}"}, label=f"search {field} {op} {value}")
for text in ("attributes.run_id IN ('{r1}','{r2}')", "attributes.run_id NOT IN ('{r1}')", "run_id IN ()", "dataset.name IN ('d','e')",
             "dataset.name NOT IN ('d')", "tags.t IS NULL", "tags.t IS NOT NULL", "params.lr IS NULL", "metrics.m IS NULL", "params.lr = '0.1' AND metrics.m > 0",
             "params.lr = '0.1' and tags.t = 'x' and start_time >= 1000", "metrics.m > 0 AND metrics.m > 0.2", "", "   ", "metrics.m", "metrics.m >", "> 5", "metrics. = 5",
             "params.lr = '0.1", "params.lr = 0.1'", "metrics.m = 1; DROP TABLE runs", "metrics.m == 1", "tags.`t = 'x'", "name = 'alpha'", "Run name = 'alpha'",
             "attributes.`run name` = 'alpha'", "created > 0", "attr.start_time > 0", "parameters.lr = '0.1'", "metric.m > 0", "tag.t = 'x'", "param.lr = '0.1'"):
    post("runs/search", {"experiment_ids": ["{e1}"], "filter": text}, label=f"search [{text}]")
for order in (["metrics.m"], ["metrics.m DESC"], ["metrics.nan DESC", "start_time"], ["params.lr"], ["params.lr DESC"], ["tags.t"], ["start_time"], ["start_time DESC"],
              ["end_time"], ["attributes.status", "run_name"], ["run_name desc"], ["metrics.`odd key/x.y-z`"], ["metrics.m UPWARDS"], ["foo"], ["foo.bar ASC"], [""],
              ["metrics.m", "metrics.m"], "metrics.m"):
    post("runs/search", {"experiment_ids": ["{e1}"], "order_by": order}, label=f"order {order}")
for body in ({"experiment_ids": ["{e1}"], "max_results": 2}, {"experiment_ids": ["{e1}"], "max_results": 0}, {"experiment_ids": ["{e1}"], "max_results": 50001},
             {"experiment_ids": ["{e1}"], "max_results": -1}, {"experiment_ids": []}, {}, {"experiment_ids": ["77777"]}, {"experiment_ids": "{e1}"},
             {"experiment_ids": ["{e1}", "{e2}"], "run_view_type": "ALL"}, {"experiment_ids": ["{e1}"], "run_view_type": "DELETED_ONLY"},
             {"experiment_ids": ["{e1}"], "runViewType": "ALL"}, {"experiment_ids": ["{e1}"], "run_view_type": "ALL", "runViewType": "ALL"},
             {"experiment_ids": ["{e1}"], "page_token": "not a token"}, {"experiment_ids": ["{e1}"], "unknown_field": 5}):
    post("runs/search", body, label=f"runs/search {body}")
post("runs/delete", {"run_id": "{r4}"})
post("runs/delete", {"run_id": "{r4}"}, label="delete run twice")
post("runs/delete", {"run_id": "f" * 32}, label="delete unknown run")
post("runs/delete", {})
post("runs/log-metric", {"run_id": "{r4}", "key": "m", "value": 1, "timestamp": 1}, label="log to a deleted run")
post("runs/set-tag", {"run_id": "{r4}", "key": "m", "value": "1"}, label="tag a deleted run")
post("runs/log-parameter", {"run_id": "{r4}", "key": "m", "value": "1"}, label="param of a deleted run")
post("runs/update", {"run_id": "{r4}", "status": "FAILED"}, label="update a deleted run")
post("runs/search", {"experiment_ids": ["{e1}"], "run_view_type": "DELETED_ONLY"}, label="search deleted")
post("runs/restore", {"run_id": "{r4}"})
post("runs/restore", {"run_id": "{r4}"}, label="restore run twice")
post("runs/restore", {"run_id": "f" * 32}, label="restore unknown run")

# ---- registry
post("registered-models/create", {"name": "credit", "tags": [{"key": "a", "value": "1"}], "description": "d"})
post("registered-models/create", {"name": "other"})
for body in ({"name": "credit"}, {}, {"name": ""}, {"name": "   "}, {"name": "a/b"}, {"name": "a:b"}, {"name": 5}, {"name": "t", "tags": [{"key": "k" * 251, "value": "1"}]}):
    post("registered-models/create", body, label=f"registered-models/create {str(body)[:60]}")
for name in ("credit", "absent", ""):
    get(f"registered-models/get?name={name}")
get("registered-models/get")
SOURCE = "mlflow-artifacts:/{e1}/{r1}/artifacts/model"
post("model-versions/create", {"name": "credit", "source": SOURCE, "run_id": "{r1}", "description": "first", "tags": [{"key": "x", "value": "1"}], "run_link": "http://l"})
post("model-versions/create", {"name": "credit", "source": SOURCE, "run_id": "{r1}"}, label="second version")
post("model-versions/create", {"name": "credit", "source": "s3://b/x"}, label="third version")
for body in ({"name": "credit"}, {"source": "s3://b/x"}, {"name": "absent", "source": "s3://b/x"}, {"name": "credit", "source": "/etc/passwd"},
             {"name": "credit", "source": "file:///etc"}, {"name": "credit", "source": "s3://b"}, {"name": "credit", "source": "http://h/x"},
             {"name": "credit", "source": "mlflow-artifacts:/{e1}/../x", "run_id": "{r1}"}, {"name": "credit", "source": "mlflow-artifacts:/%2e%2e/x", "run_id": "{r1}"},
             {"name": "credit", "source": "runs:/{r1}/model"}, {"name": "credit", "source": "runs:/{r2}/model", "run_id": "{r1}"},
             {"name": "credit", "source": "models:/credit/77"}, {"name": "credit", "source": ""}, {"name": "credit", "source": "s3://b/x", "run_id": "f" * 32}):
    post("model-versions/create", body, label=f"model-versions/create {str(body)[:80]}")
post("model-versions/create", {"name": "other", "source": "runs:/{r1}/model", "run_id": "{r1}"}, label="a runs: source")
post("model-versions/create", {"name": "other", "source": "models:/credit/3"}, label="a models: source")
for query in ("name=credit&version=1", "name=credit&version=99", "name=credit&version=abc", "name=credit&version=0", "name=credit&version=-1", "name=absent&version=1", "name=credit", "version=1"):
    get(f"model-versions/get?{query}")
    get(f"model-versions/get-download-uri?{query}")
get("model-versions/get-download-uri?name=other&version=2", label="download uri of a models: source")
add("update version", "PATCH", "model-versions/update", {"name": "credit", "version": "1", "description": "new"})
add("update version 99", "PATCH", "model-versions/update", {"name": "credit", "version": "99", "description": "new"})
add("update model", "PATCH", "registered-models/update", {"name": "credit", "description": "better"})
add("update absent model", "PATCH", "registered-models/update", {"name": "absent", "description": "better"})
for body in ({"name": "credit", "version": "1", "stage": "staging", "archive_existing_versions": False}, {"name": "credit", "version": "2", "stage": "Production", "archive_existing_versions": True},
             {"name": "credit", "version": "1", "stage": "production", "archive_existing_versions": True}, {"name": "credit", "version": "1", "stage": "Nowhere", "archive_existing_versions": False},
             {"name": "credit", "version": "1", "stage": "None", "archive_existing_versions": False}, {"name": "credit", "version": "99", "stage": "None", "archive_existing_versions": False},
             {"name": "credit", "version": "1", "stage": "Archived", "archive_existing_versions": True}, {"name": "credit", "version": "3", "stage": "Staging"}, {"name": "credit", "stage": "Staging"}):
    post("model-versions/transition-stage", body, label=f"transition {body}")
post("registered-models/get-latest-versions", {"name": "credit"})
get("registered-models/get-latest-versions?name=credit&stages=Production&stages=Staging")
post("registered-models/get-latest-versions", {"name": "credit", "stages": ["nope"]})
post("registered-models/get-latest-versions", {"name": "absent"})
for body in ({"name": "credit", "alias": "best", "version": "1"}, {"name": "credit", "alias": "best", "version": "2"}, {"name": "credit", "alias": "second", "version": "2"}, {"name": "credit", "alias": "latest", "version": "1"},
             {"name": "credit", "alias": "v1", "version": "1"}, {"name": "credit", "alias": "a b", "version": "1"}, {"name": "credit", "alias": "x" * 256, "version": "1"}, {"name": "credit", "alias": "", "version": "1"},
             {"name": "credit", "alias": "best", "version": "99"}, {"name": "absent", "alias": "best", "version": "1"}, {"name": "credit", "alias": "best", "version": "abc"}, {"name": "credit", "version": "1"}):
    post("registered-models/alias", body, label=f"set alias {str(body)[:60]}")
get("registered-models/alias?name=credit&alias=best")
get("registered-models/alias?name=credit&alias=zz")
get("registered-models/alias?name=absent&alias=zz")
add("delete alias", "DELETE", "registered-models/alias", {"name": "credit", "alias": "second"})
add("delete alias twice", "DELETE", "registered-models/alias", {"name": "credit", "alias": "second"})
for body in ({"name": "credit", "key": "k", "value": "v"}, {"name": "credit", "key": "k" * 251, "value": "v"}, {"name": "absent", "key": "k", "value": "v"}, {"name": "credit", "value": "v"}, {"name": "credit", "key": "empty"}):
    post("registered-models/set-tag", body, label=f"model set-tag {str(body)[:60]}")
    post("model-versions/set-tag", {**body, "version": "1"}, label=f"version set-tag {str(body)[:60]}")
add("delete model tag", "DELETE", "registered-models/delete-tag", {"name": "credit", "key": "k"})
add("delete model tag again", "DELETE", "registered-models/delete-tag", {"name": "credit", "key": "k"})
add("delete version tag", "DELETE", "model-versions/delete-tag", {"name": "credit", "version": "1", "key": "k"})
add("delete version tag again", "DELETE", "model-versions/delete-tag", {"name": "credit", "version": "1", "key": "k"})
get("registered-models/get?name=credit", label="model after all")
get("model-versions/get?name=credit&version=2", label="version with aliases")
for query in ("", "max_results=1", "max_results=0", "max_results=1001", "filter=name%3D%27credit%27", "filter=name%20LIKE%20%27c%25%27", "filter=name%20ILIKE%20%27C%25%27", "filter=tags.a%3D%271%27",
              "filter=name%20%21%3D%20%27credit%27", "filter=foo%3D%27a%27", "filter=name%20IN%20(%27credit%27,%27x%27)", "order_by=name%20DESC", "order_by=foo", "order_by=last_updated_timestamp",
              "filter=name%20%3E%20%27a%27", "filter=tag.%60mlflow.prompt.is_prompt%60%20%21%3D%20%27true%27", "filter=tags.a%20LIKE%20%27%25%27"):
    get(f"registered-models/search?{query}")
for query in ("", "max_results=1", "max_results=0", "max_results=200001", "filter=name%3D%27credit%27", "filter=run_id%3D%27{r1}%27", "filter=run_id%20IN%20(%27{r1}%27)", "filter=source_path%3D%27s3%3A%2F%2Fb%2Fx%27",
              "filter=version_number%20%3E%201", "filter=tags.x%3D%271%27", "order_by=version_number%20DESC", "order_by=name&order_by=version_number", "order_by=creation_timestamp", "order_by=foo", "filter=foo%3D%271%27",
              "filter=version_number%20%3D%20%271%27", "filter=name%20IN%20(%27credit%27)", "filter=name%20LIKE%20%27cr%25%27"):
    get(f"model-versions/search?{query}")
add("versions are searched by GET", "POST", "model-versions/search", {})
add("delete version", "DELETE", "model-versions/delete", {"name": "credit", "version": "2"})
add("delete version twice", "DELETE", "model-versions/delete", {"name": "credit", "version": "2"})
get("registered-models/alias?name=credit&alias=best", label="the alias went with its version")
post("registered-models/rename", {"name": "credit", "new_name": "credit2"})
post("registered-models/rename", {"name": "credit2", "new_name": "other"})
post("registered-models/rename", {"name": "credit2"})
post("registered-models/rename", {"name": "absent", "new_name": "x"})
get("model-versions/get?name=credit2&version=1", label="after the rename")
add("delete model", "DELETE", "registered-models/delete", {"name": "other"})
add("delete model twice", "DELETE", "registered-models/delete", {"name": "other"})
get("registered-models/get?name=other", label="deleted model")
post("webhooks", {"name": "hook", "url": "https://93.184.215.14/x", "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]}, keep={"w1": "webhook.webhook_id"})
for body in ({"name": "hook", "url": "ftp://x/y", "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]}, {"name": "h", "url": "https://93.184.215.14/x", "events": []},
             {"name": "-bad-", "url": "https://93.184.215.14/x", "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]}, {"url": "https://93.184.215.14/x"},
             {"name": "h", "url": "https://93.184.215.14/x", "events": [{"entity": "REGISTERED_MODEL", "action": "DELETED"}]}):
    post("webhooks", body, label=f"webhooks {str(body)[:80]}")
get("webhooks")
get("webhooks/{w1}")
add("update webhook", "PATCH", "webhooks/{w1}", {"status": "DISABLED"})
get("webhooks/none")
add("delete webhook", "DELETE", "webhooks/{w1}")

# ---- artifacts
A = "/api/2.0/mlflow-artifacts/artifacts"
add("put", "PUT", f"{A}/{{e1}}/{{r1}}/artifacts/model/MLmodel", raw=b"flavors: {}\n")
add("put text", "PUT", f"{A}/{{e1}}/{{r1}}/artifacts/a.txt", raw=b"hello")
add("put json", "PUT", f"{A}/{{e1}}/{{r1}}/artifacts/d/b.json", raw=b"{}")
add("put odd", "PUT", f"{A}/{{e1}}/{{r1}}/artifacts/with%20space.bin", raw=bytes(range(256)))
for path in ("a.txt", "model/MLmodel", "d/b.json", "absent.txt", "d", "with%20space.bin"):
    get(f"{A}/{{e1}}/{{r1}}/artifacts/{path}")
get(f"{A}?path={{e1}}/{{r1}}/artifacts")
get(f"{A}?path={{e1}}/{{r1}}/artifacts/d")
get(f"{A}?path={{e1}}/{{r1}}/artifacts/absent")
get(f"{A}?path=../..")
get(f"{A}?path=/etc")
get("artifacts/list?run_id={r1}")
get("artifacts/list?run_id={r1}&path=d")
get("artifacts/list?run_id={r1}&path=absent")
get("artifacts/list?run_id={r1}&path=../..")
get("artifacts/list?run_id=" + "f" * 32)
get("artifacts/list")
get("/get-artifact?run_id={r1}&path=a.txt")
get("/get-artifact?run_uuid={r1}&path=absent.txt")
get("/get-artifact?run_id={r1}&path=../../x")
get("/get-artifact?run_id={r1}")
get("/model-versions/get-artifact?name=credit2&version=1&path=MLmodel")
add("range", "GET", f"{A}/{{e1}}/{{r1}}/artifacts/a.txt", headers={"Range": "bytes=1-3"})
add("delete artifact", "DELETE", f"{A}/{{e1}}/{{r1}}/artifacts/a.txt")
add("delete artifact twice", "DELETE", f"{A}/{{e1}}/{{r1}}/artifacts/a.txt")
for path in ("..%2f..%2fx", "%2e%2e/x", "a%5cb", "a%00b"):
    add(f"put {path}", "PUT", f"{A}/{path}", raw=b"x")
get("logged-models/{m1}/artifacts/directories")
get("metrics/get-history-bulk?metric_key=loss&" + "&".join(f"run_id=r{i}" for i in range(1000)), label="a thousand runs")
get("metrics/get-history-bulk-interval?metric_key=loss&" + "&".join(f"run_ids=r{i}" for i in range(1000)),
    label="a thousand runs, sampled")
get("//model-versions/get-artifact?name=credit2&version=1&path=../x", label="a doubled slash")

# ---- the protocol itself
add("no content type", "POST", "experiments/search", raw=b'{"max_results":1}', headers={"Content-Type": "text/plain"})
add("a string that holds JSON", "POST", "experiments/get-by-name", raw=b'"{}"', headers={"Content-Type": "application/json"})
add("no JSON", "POST", "runs/create", raw=b"{", headers={"Content-Type": "application/json"})
add("a list", "POST", "runs/create", raw=b"[]", headers={"Content-Type": "application/json"})
add("nothing", "POST", "runs/create", raw=b"", headers={"Content-Type": "application/json"})
get("/health")
get("/api/2.0/mlflow/nothing/here")
add("wrong method", "PUT", "runs/create", {})
post("/ajax-api/2.0/mlflow/runs/search", {"experiment_ids": ["{e2}"], "filter": "run_name = 'nothing'"})
get("/api/3.0/mlflow/server-info")
post("/api/3.0/mlflow/traces/search", {"locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{e1}"}}]})
