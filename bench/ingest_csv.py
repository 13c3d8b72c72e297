#!/usr/bin/env python3
"""CSV to a typed table: Sluice beside pyarrow and pandas on one file, alternately.

    build/venv/bin/python bench/ingest_csv.py [--build build/release] [--rows 1000000] [--times 7] [--threads 2]

Makes build/bench/ingest.csv (a million rows, twelve columns of numbers, words, dates and times, about 120 MB) from a fixed
seed, and writes what it prints to bench/results/ingest_csv.txt.
"""
import argparse
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
CITIES = ["Lisbon", "Porto", "Braga", "Aveiro", "Coimbra", "Faro", "Setubal", "Evora", "Viseu", "Leiria"]
WORDS = ["account", "branch", "credit", "delivery", "estimate", "freight", "goods", "household", "invoice", "journal"]


def make_file(path: pathlib.Path, row_count: int) -> None:
    """Twelve columns; every value depends on the seed and the row count alone."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20240229)
    ids = np.arange(1, row_count + 1)
    age = rng.integers(18, 95, row_count)
    income = np.round(rng.lognormal(10.5, 0.7, row_count), 2)
    score = rng.normal(0, 1, row_count)
    share = np.round(rng.random(row_count), 4)
    amount = rng.integers(-(10**9), 10**12, row_count)
    city = rng.integers(0, len(CITIES), row_count)
    segment = rng.integers(0, 2000, row_count)
    words = rng.integers(0, len(WORDS), (row_count, 3))
    day = np.datetime64("2019-01-01") + rng.integers(0, 2000, row_count)
    seen = np.datetime64("2019-01-01T00:00:00") + rng.integers(0, 2000 * 86400, row_count)
    is_new = rng.random(row_count) < 0.3
    has_income = rng.random(row_count) >= 0.05
    temporary = path.with_suffix(".tmp")
    with open(temporary, "w", newline="\n") as out:
        out.write("id,age,income,score,share,amount,city,segment,note,day,seen_at,is_new\n")
        step = 50_000
        for begin in range(0, row_count, step):
            rows = slice(begin, min(begin + step, row_count))
            lines = []
            for i, a, inc, has, sc, sh, am, c, seg, w, d, s, new in zip(
                ids[rows].tolist(), age[rows].tolist(), income[rows].tolist(), has_income[rows].tolist(),
                score[rows].tolist(), share[rows].tolist(), amount[rows].tolist(), city[rows].tolist(),
                segment[rows].tolist(), words[rows].tolist(), np.datetime_as_string(day[rows]).tolist(),
                np.datetime_as_string(seen[rows], unit="s").tolist(), is_new[rows].tolist()):
                note = f"{WORDS[w[0]]} {WORDS[w[1]]}"
                if w[2] == 0:
                    note = f'"{note}, {WORDS[w[2]]}"'
                lines.append(f"{i},{a},{inc if has else ''},{sc!r},{sh},{am},{CITIES[c]},segment-{seg:04d},{note},{d},"
                             f"{s.replace('T', ' ')},{'true' if new else 'false'}\n")
            out.write("".join(lines))
    temporary.rename(path)


def cpu_name() -> str:
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def header(build: pathlib.Path, path: pathlib.Path, options) -> list[str]:
    import pandas
    import pyarrow
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cache = (build / "CMakeCache.txt").read_text()
    build_type = next((l.split("=", 1)[1] for l in cache.splitlines() if l.startswith("CMAKE_BUILD_TYPE")), "?")
    return [
        f"# CSV to a typed table, {options.rows:,} rows, 12 columns, {path.stat().st_size / 1e6:.1f} MB",
        f"# {cpu_name()}, {os.cpu_count()} cores, {memory_gib:.0f} GiB; {options.threads} threads, {options.times} times alternately",
        f"# build {build_type}, commit {commit.stdout.strip()}; pyarrow {pyarrow.__version__}, pandas {pandas.__version__}",
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--file", type=pathlib.Path, default=ROOT / "build/bench/ingest.csv")
    parser.add_argument("--no-save", action="store_true")
    options = parser.parse_args()
    import pandas
    import pyarrow
    import pyarrow.csv
    make_file(options.file, options.rows)
    program = options.build / "src/table/read_csv"
    pyarrow.set_cpu_count(options.threads)

    def sluice(mode: str) -> float:
        # The program reads three times; the first one pays for starting up.
        run = subprocess.run([program, options.file, str(options.threads), "3", mode], capture_output=True, text=True, check=True)
        return min(float(line) for line in run.stdout.split())

    def timed(function) -> float:
        begin = time.perf_counter()
        function()
        return time.perf_counter() - begin

    readers = {
        "sluice ReadTable": lambda: sluice("table"),
        "sluice ScanTable": lambda: sluice("scan"),
        "pyarrow.csv": lambda: min(timed(lambda: pyarrow.csv.read_csv(options.file)) for _ in range(3)),
        "pandas (C engine)": lambda: timed(lambda: pandas.read_csv(options.file)),
        "pandas (dates parsed)": lambda: timed(lambda: pandas.read_csv(options.file, parse_dates=["day", "seen_at"])),
    }
    seconds = {name: [] for name in readers}
    for _ in range(options.times):
        for name, read in readers.items():
            seconds[name].append(read())
    megabytes = options.file.stat().st_size / 1e6
    lines = header(options.build, options.file, options)
    reference = statistics.median(seconds["sluice ReadTable"])
    lines.append(f"{'reader':<24}{'median':>10}{'best':>10}{'worst':>10}   {'MB/s':>8}   sluice is faster by")
    for name, values in seconds.items():
        median = statistics.median(values)
        lines.append(f"{name:<24}{median:>9.3f}s{min(values):>9.3f}s{max(values):>9.3f}s   {megabytes / median:>8.0f}   "
                     f"{median / reference:.2f}x")
    text = "\n".join(lines)
    print(text)
    if not options.no_save:
        results = ROOT / "bench/results/ingest_csv.txt"
        results.parent.mkdir(parents=True, exist_ok=True)
        results.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
