#!/usr/bin/env python3
"""The whole profile of a CSV file, reading included: Sluice beside DuckDB's SUMMARIZE and pandas' read_csv + describe.

    build/venv/bin/python bench/profile.py [--rows 1000000] [--times 9]

Makes build/bench/profile.csv (loan applications, twelve columns of all six types with nulls, about 128 MB) from a fixed
seed. Sluice is timed as a command, start of the program and printing of profile.json included; the rivals inside a warm
Python process, imports left out. Runs take turns, so that a busy moment hits all alike. Writes bench/results/profile.txt.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

import data_sets
import machine


def profile_with_sluice(path):
    run = subprocess.run([machine.SLUICE, "data", "profile", path, "--json"], capture_output=True, check=True)
    return json.loads(run.stdout)


def profile_with_duckdb(path):
    import duckdb
    with duckdb.connect() as connection:
        return connection.execute(f"SUMMARIZE SELECT * FROM read_csv('{path}')").fetchall()


def profile_with_pandas(path):
    import pandas
    return pandas.read_csv(path).describe(include="all")


def check_agreement(profile, path, report):
    """The numbers that all three know must be the same before their times mean anything."""
    import pandas
    frame = pandas.read_csv(path)
    assert profile["row_count"] == len(frame)
    for column in profile["columns"]:
        values = frame[column["name"]]
        assert column["null_count"] == values.isna().sum(), column["name"]
        distinct = values.nunique()
        limit = 0 if column["distinct"]["is_exact"] else 4 * column["distinct"]["relative_error"] * distinct
        assert abs(column["distinct"]["count"] - distinct) <= limit, column["name"]
        if "numeric" not in column:
            continue
        for ours, theirs in ((column["numeric"]["mean"], values.mean()),
                             (column["numeric"]["standard_deviation"], values.std()),
                             (column["min"], values.min()), (column["max"], values.max())):
            assert abs(ours - theirs) <= 1e-12 * abs(theirs), (column["name"], ours, theirs)
    report.line("counts, nulls, extremes, means and deviations equal pandas'; distinct counts within four standard errors")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=9)
    options = parser.parse_args()
    import duckdb
    import pandas
    if not machine.SLUICE.exists():
        sys.exit(f"{machine.SLUICE} is not built; run `make build`, or name the build folder in SLUICE_BUILD_DIR")
    path = data_sets.make_mixed_csv(machine.ROOT / f"build/bench/profile_{options.rows}.csv", options.rows)
    size = pathlib.Path(path).stat().st_size / 1e6
    report = machine.Report("profile", "# Profile of a CSV file, reading included", [
        f"file      {options.rows:,} rows, 12 columns, {size:.1f} MB, in the page cache",
        f"rivals    duckdb {duckdb.__version__} SUMMARIZE, pandas {pandas.__version__} read_csv + describe(include='all')",
    ])
    check_agreement(profile_with_sluice(path), path, report)
    contenders = {"sluice data profile": profile_with_sluice, "duckdb SUMMARIZE": profile_with_duckdb,
                  "pandas describe": profile_with_pandas}
    seconds = {name: [] for name in contenders}
    for turn in range(options.times + 1):
        for name, contender in contenders.items():
            start = time.perf_counter()
            contender(path)
            if turn > 0:  # the first turn warms caches and imports
                seconds[name].append(time.perf_counter() - start)
    medians = {name: report.measure(name, [1000 * value for value in values], "ms") for name, values in seconds.items()}
    ours = medians["sluice data profile"]
    for name, median in medians.items():
        if name != "sluice data profile":
            report.line(f"{name} takes {median / ours:.1f} times as long")
    report.line(f"sluice reads and profiles {size / ours:.2f} GB/s")
    report.save()


if __name__ == "__main__":
    main()
