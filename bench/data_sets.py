"""Deterministic data sets for benchmarks: equal arguments give equal bytes, on every machine with the same numpy."""

import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

PURPOSES = ["car", "debt consolidation", "education", "home improvement", "house", "medical", "moving", "other",
            "renewable energy", "small business", "vacation", "wedding"]
SYLLABLES = ["ba", "co", "di", "fu", "ga", "he", "jo", "ka", "lu", "mi", "no", "pe", "ra", "si", "tu", "vo"]


def _codes(random, rows, length):
    """Random words of `length` syllables, nearly all different."""
    syllables = pa.array(SYLLABLES)
    parts = [syllables.take(pa.array(random.integers(0, len(SYLLABLES), rows))) for _ in range(length)]
    return pc.binary_join_element_wise(*parts, "")


def _with_nulls(random, array, share):
    return pc.if_else(pa.array(random.random(len(array)) < share), pa.scalar(None, array.type), array)


def make_mixed_table(rows, seed=7):
    """Loan applications: a dozen columns of all six types, with nulls, skew, outliers and both few and many values."""
    random = np.random.default_rng(seed)
    start_day = np.datetime64("2022-01-01")
    start_time = np.datetime64("2022-01-01T00:00:00", "us")
    weights = 1.0 / np.arange(1, len(PURPOSES) + 1)
    income = np.round(random.lognormal(10.4, 0.6, rows), 2)
    amount = random.integers(5, 500, rows) * 100
    score = random.normal(620, 80, rows).round(4)
    columns = {
        "id": pa.array(np.arange(1, rows + 1) * 7 + 100_000_000),
        "customer": _codes(random, rows, 8),
        "purpose": pa.array(PURPOSES).take(pa.array(random.choice(len(PURPOSES), rows, p=weights / weights.sum()))),
        "city": _with_nulls(random, _codes(random, 800, 4).take(pa.array(random.zipf(1.3, rows) % 800)), 0.02),
        "age": pa.array(random.integers(18, 90, rows)),
        "amount": pa.array(amount),
        "income": _with_nulls(random, pa.array(income), 0.05),
        "score": pa.array(score),
        "applied_on": pa.array(start_day + random.integers(0, 900, rows)),
        "decided_at": _with_nulls(
            random, pa.array(start_time + random.integers(0, 900 * 86_400, rows).astype("timedelta64[s]")), 0.1),
        "is_employed": _with_nulls(random, pa.array(random.random(rows) < 0.83), 0.03),
        "comment": _with_nulls(
            random, pc.binary_join_element_wise(_codes(random, rows, 5), _codes(random, rows, 4), " "), 0.2),
    }
    return pa.table(columns)


def make_mixed_csv(path, rows, seed=7):
    """Writes make_mixed_table as CSV with a header, nulls empty; does nothing if the file is there. Returns the path."""
    path = pathlib.Path(path)
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    options = pyarrow.csv.WriteOptions(quoting_style="none")
    part = path.with_suffix(".part")
    pyarrow.csv.write_csv(make_mixed_table(rows, seed), part, options)
    part.replace(path)
    return path
