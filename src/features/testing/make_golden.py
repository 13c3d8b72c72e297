"""Writes sklearn_golden.json: chains of operations beside what scikit-learn, numpy and pandas make of the same values.

Run by hand with the versions in tools/requirements-test.txt: python make_golden.py > sklearn_golden.json
"""

import json
import warnings

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (
    KBinsDiscretizer, MinMaxScaler, OneHotEncoder, OrdinalEncoder, RobustScaler, StandardScaler)

warnings.simplefilter("ignore")
rng = np.random.default_rng(20240501)
cases = []


def plain(values):
    return [None if isinstance(v, float) and np.isnan(v) else v for v in np.asarray(values, dtype=object).tolist()]


def add(name, ops, train, test, expected, type_="double"):
    cases.append({"name": name, "type": type_, "ops": ops, "train": plain(train), "test": plain(test),
                  "expected": [plain([float(v) for v in row]) for row in np.asarray(expected, dtype=float)]})


def column(values):
    return np.asarray(values, dtype=float).reshape(-1, 1)


numbers = {
    "normal": rng.normal(50, 12, 37),
    "skewed": np.exp(rng.normal(3, 2, 41)),
    "ties": rng.integers(0, 4, 50).astype(float),
    "large_mean": 1e6 + rng.normal(0, 1e3, 30),
    "constant": np.full(9, 0.1),
    "two": np.array([-3.0, 8.5]),
    "missing": np.where(rng.random(33) < 0.3, np.nan, rng.normal(-4, 2, 33)),
}
scalers = {"standard": StandardScaler(), "min_max": MinMaxScaler(), "robust": RobustScaler()}
for name, x in numbers.items():
    test = np.concatenate([x[:8], [0.0, 1e6, -77.25, np.nan]])
    for method, scaler in scalers.items():
        add(f"scale {method} {name}", [{"scale": method}], x, test, scaler.fit(column(x)).transform(column(test)))
    for strategy, ours in [("median", "median"), ("mean", "mean"), ("most_frequent", "mode")]:
        expected = SimpleImputer(strategy=strategy).fit(column(x)).transform(column(test))
        add(f"impute {ours} {name}", [{"impute": ours}], x, test, expected)
    present = x[~np.isnan(x)]
    for low, high in [(1, 99), (12.5, 60)]:
        clipped = np.clip(test, np.quantile(present, low / 100), np.quantile(present, high / 100))
        add(f"clip {low} {high} {name}", [{"clip": [f"{low}%", f"{high}%"]}], x, test, column(clipped))
    dense = test[~np.isnan(test)]
    for method in ["quantile", "uniform"]:
        for n in [2, 5, 7]:
            bins = KBinsDiscretizer(n, encode="ordinal", strategy=method).fit(column(present))
            add(f"bin {method} {n} {name}", [{"bin": {"method": method, "n": n}}], present, dense, bins.transform(column(dense)))
    if (present > -1).all():
        positive = np.abs(dense)
        add(f"log {name}", ["log"], present, positive, column(np.log1p(positive)))
    add(f"log signed {name}", [{"log": {"signed": True}}], x, test, column(np.sign(test) * np.log1p(np.abs(test))))

texts = rng.choice(["car", "house", "Zebra", "ärger", "", "boat"], 60, p=[.4, .3, .05, .05, .1, .1]).astype(object)
with_missing = texts.copy()
with_missing[::7] = None
for name, x in {"text": texts, "text with missing": with_missing}.items():
    test = np.concatenate([x[:10], np.array(["never", None], dtype=object)])
    c, t = x.reshape(-1, 1), test.reshape(-1, 1)
    variants = [
        ({}, {"handle_unknown": "ignore"}),
        ({"drop_first": True}, {"handle_unknown": "ignore", "drop": "first"}),
        ({"rare": "12%", "unknown": "other"}, {"handle_unknown": "infrequent_if_exist", "min_frequency": 0.12}),
        ({"rare": 5}, {"handle_unknown": "ignore", "min_frequency": 5}),
        ({"max_categories": 3, "unknown": "other"}, {"handle_unknown": "infrequent_if_exist", "max_categories": 3}),
        ({"max_categories": 1, "unknown": "other"}, {"handle_unknown": "infrequent_if_exist", "max_categories": 1}),
        ({"max_categories": 50}, {"handle_unknown": "ignore", "max_categories": 50}),
    ]
    for ours, theirs in variants:
        encoder = OneHotEncoder(sparse_output=False, **theirs).fit(c)
        add(f"one_hot {json.dumps(ours)} {name}", [{"one_hot": ours}], x, test, encoder.transform(t), "text")
    # OrdinalEncoder takes NaN as missing, and None as a category like any other.
    c, t = (np.where(np.equal(v, None), np.nan, v) for v in (c, t))
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan).fit(c)
    add(f"ordinal {name}", ["ordinal"], x, test, encoder.transform(t), "text")
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=3).fit(c)
    add(f"ordinal max_categories {name}", [{"ordinal": {"max_categories": 3}}], x, test, encoder.transform(t), "text")

times = pd.to_datetime(rng.integers(-2_000_000_000, 4_000_000_000, 40), unit="s")
micros = [int(t.value // 1000) for t in times]
parts = ["year", "quarter", "month", "day", "weekday", "day_of_year", "hour", "minute"]
add("date parts", [{"date": parts}], micros, micros,
    np.column_stack([getattr(times, p).to_numpy(dtype=float) for p in parts]), "timestamp")
angle = 2 * np.pi * (times.month.to_numpy(dtype=float) - 1) / 12
add("date cyclic", [{"date": {"parts": ["month"], "cyclic": True}}], micros, micros,
    np.column_stack([np.sin(angle), np.cos(angle)]), "timestamp")

print(json.dumps({"cases": cases}, indent=None, separators=(",", ":")).replace('{"name"', '\n{"name"'))
