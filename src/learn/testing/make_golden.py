"""Writes what our tests compare with: linear_golden.json (scikit-learn's coefficients) and xgboost_golden.json with
xgboost_*.ubj (models and predictions of XGBoost itself).

Run by hand in this folder with the versions in tools/requirements-test.txt: python make_golden.py
"""

import json
import warnings

import numpy as np
import xgboost as xgb
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, roc_auc_score

warnings.simplefilter("ignore")


def linear_cases():
    rng = np.random.default_rng(7)
    cases = []

    def add(name, task, params, x, y, weights, coef, intercept):
        cases.append({
            "name": name, "task": task, "params": params, "x": x.tolist(), "y": y.tolist(),
            "weights": None if weights is None else weights.tolist(),
            "coef": np.atleast_2d(coef).tolist(), "intercept": np.atleast_1d(intercept).tolist()})

    n, p = 60, 4
    x = np.round(rng.normal(size=(n, p)) * [1, 10, 0.1, 1] + [0, 100, 0, 0], 4)
    x[:, 3] = rng.integers(0, 2, n)
    eta = x @ [1.0, 0.2, -3, 1] - 20
    binary = (eta + rng.logistic(size=n) > 0).astype(int)
    classes = np.clip(np.digitize(eta + rng.normal(size=n), [-1, 1]), 0, 2)
    weights = np.round(rng.exponential(size=n), 3)
    target = np.round(eta * 3 + rng.normal(size=n) + 1000, 4)
    tight = {"tol": 1e-13, "max_iter": 100000}
    for c in [1.0, 0.01, 100.0]:
        m = LogisticRegression(C=c, solver="newton-cholesky", **tight).fit(x, binary)
        add(f"logistic C={c}", "binary", {"C": c}, x, binary, None, m.coef_, m.intercept_)
    m = LogisticRegression(solver="newton-cholesky", **tight).fit(x, binary, sample_weight=weights)
    add("logistic weights", "binary", {}, x, binary, weights, m.coef_, m.intercept_)
    m = LogisticRegression(solver="newton-cholesky", class_weight="balanced", **tight).fit(x, binary)
    add("logistic balanced", "binary", {"class_weight": "balanced"}, x, binary, None, m.coef_, m.intercept_)
    m = LogisticRegression(solver="newton-cholesky", class_weight={0: 1, 1: 3.5}, **tight).fit(x, binary)
    add("logistic class_weight", "binary", {"class_weight": {"0": 1, "1": 3.5}}, x, binary, None, m.coef_, m.intercept_)
    m = LogisticRegression(solver="newton-cholesky", fit_intercept=False, **tight).fit(x, binary)
    add("logistic no intercept", "binary", {"fit_intercept": False}, x, binary, None, m.coef_, m.intercept_)
    wide = np.round(rng.normal(size=(12, 30)), 3)
    wide_y = np.array([0, 1] * 6)
    m = LogisticRegression(solver="newton-cholesky", **tight).fit(wide, wide_y)
    add("logistic more features than rows", "binary", {}, wide, wide_y, None, m.coef_, m.intercept_)
    for c in [1.0, 0.05]:
        m = LogisticRegression(C=c, solver="newton-cholesky", **tight).fit(x, classes)
        add(f"multinomial C={c}", "multiclass", {"C": c}, x, classes, None, m.coef_, m.intercept_)
    for alpha in [1.0, 1e-3, 50.0]:
        m = Ridge(alpha=alpha, solver="cholesky").fit(x, target)
        add(f"ridge alpha={alpha}", "regression", {"alpha": alpha}, x, target, None, m.coef_, m.intercept_)
    m = Ridge(solver="cholesky").fit(x, target, sample_weight=weights)
    add("ridge weights", "regression", {}, x, target, weights, m.coef_, m.intercept_)
    m = Ridge(solver="cholesky", fit_intercept=False).fit(x, target)
    add("ridge no intercept", "regression", {"fit_intercept": False}, x, target, None, m.coef_, [0.0])
    m = Ridge(solver="cholesky").fit(wide, wide_y.astype(float))
    add("ridge more features than rows", "regression", {}, wide, wide_y.astype(float), None, m.coef_, m.intercept_)
    return cases


def metric_cases():
    rng = np.random.default_rng(11)
    cases = []
    for n in [5, 200]:
        margin = np.round(rng.normal(size=n) * 2, 1).astype(np.float32)
        y = (rng.random(n) < 0.4).astype(int)
        y[:2] = [0, 1]
        w = np.round(rng.exponential(size=n), 2) + 0.01
        p = 1 / (1 + np.exp(-margin.astype(float)))
        cases.append({"margins": margin.astype(float).tolist(), "y": y.tolist(), "weights": w.tolist(),
                      "log_loss": log_loss(y, p, sample_weight=w), "auc": roc_auc_score(y, p, sample_weight=w),
                      "error": float(np.sum(w * ((p > 0.5) != y)) / np.sum(w))})
    return cases


def xgboost_cases():
    rng = np.random.default_rng(3)
    cases = []
    for objective, extra in [("binary:logistic", {}), ("multi:softprob", {"num_class": 3}), ("reg:squarederror", {})]:
        x = rng.normal(size=(300, 5))
        x[rng.random(x.shape) < 0.15] = np.nan
        score = np.nan_to_num(x[:, 0]) * 2 + np.nan_to_num(x[:, 1] * x[:, 2])
        y = {"binary:logistic": (score > 0).astype(int), "multi:softprob": np.digitize(score, [-1, 1]),
             "reg:squarederror": score * 10}[objective]
        # base_score is left to XGBoost, which estimates an intercept for each class.
        model = xgb.train({"objective": objective, "max_depth": 4, "tree_method": "hist", **extra},
                          xgb.DMatrix(x, label=y), 12)
        rows = rng.normal(size=(60, 5)) * 2
        rows[rng.random(rows.shape) < 0.2] = np.nan
        rows[0] = 1e30
        rows[1] = -1e30
        name = f"xgboost_{objective.split(':')[0]}.ubj"
        model.save_model(name)
        predictions = model.predict(xgb.DMatrix(rows)).astype(float)
        cases.append({"model": name, "rows": [[None if np.isnan(v) else v for v in r] for r in rows.tolist()],
                      "predictions": predictions.ravel().tolist()})
    return cases


def write(name, data):
    with open(name, "w", encoding="utf-8") as file:
        file.write(json.dumps(data, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")


write("linear_golden.json", {"cases": linear_cases()})
write("metrics_golden.json", {"cases": metric_cases()})
write("xgboost_golden.json", {"cases": xgboost_cases()})
