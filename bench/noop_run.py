#!/usr/bin/env python3
"""How long a `sluice run` takes when every step is cached: the credit project, whole command, as a person waits for it."""
import pathlib
import subprocess
import tempfile
import time

from machine import SLUICE, Report

RUNS = 30


def main():
    report = Report("noop_run", "A second `sluice run` of the credit project: all steps cached",
                    [f"settings  40,000 rows, 11 steps, {RUNS} runs, wall time of the whole command"])
    with tempfile.TemporaryDirectory() as folder:
        project = pathlib.Path(folder) / "credit"
        subprocess.run([SLUICE, "init", project, "--quiet"], check=True)
        begin = time.perf_counter()
        subprocess.run([SLUICE, "run", "--quiet"], cwd=project, check=True)
        first_ms = (time.perf_counter() - begin) * 1e3
        seconds = {"sluice run": [], "sluice plan": [], "sluice version": []}
        for _ in range(RUNS):
            for command, values in seconds.items():
                begin = time.perf_counter()
                subprocess.run([SLUICE, *command.split()[1:]], cwd=project, check=True, stdout=subprocess.DEVNULL)
                values.append((time.perf_counter() - begin) * 1e3)
    report.line(f"{'first run':<34} {first_ms:10.4g} ms")
    noop = report.measure("second run, all cached", seconds["sluice run"], "ms")
    report.measure("plan", seconds["sluice plan"], "ms")
    report.measure("start of the program alone", seconds["sluice version"], "ms")
    report.line(f"wanted: under 100 ms; {'met' if noop < 100 else 'NOT met'}")
    report.save()


if __name__ == "__main__":
    main()
