"""What every benchmark prints above its numbers, and how it prints them: median, spread, and ratios to a rival."""
import os
import pathlib
import platform
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("SLUICE_BUILD_DIR", ROOT / "build/release"))
SLUICE = BUILD / "bin/sluice"
RESULTS = ROOT / "bench/results"


def describe_machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                            check=False).stdout.strip()
    build_type = "unknown"
    cache = BUILD / "CMakeCache.txt"
    if cache.exists():
        for line in cache.read_text().splitlines():
            if line.startswith("CMAKE_BUILD_TYPE:"):
                build_type = line.split("=", 1)[1]
    return [f"machine   {model}, {os.cpu_count()} cores, {pages / 2**30:.0f} GiB, Linux {platform.release()}",
            f"build     {build_type}, commit {commit}"]


def spread(values):
    """Median, and the middle half's width as a share of it."""
    ordered = sorted(values)
    median = statistics.median(ordered)
    if len(ordered) < 4:
        low, high = ordered[0], ordered[-1]
    else:
        low, _, high = statistics.quantiles(ordered, n=4)
    return median, low, high


class Report:
    """Lines printed and kept in bench/results/<name>.txt."""

    def __init__(self, name, title, settings=()):
        self.name = name
        self.lines = [title, *describe_machine(), *settings, ""]
        print("\n".join(self.lines))

    def line(self, text=""):
        self.lines.append(text)
        print(text, flush=True)

    def measure(self, label, values, unit):
        median, low, high = spread(values)
        self.line(f"{label:<34} {median:10.4g} {unit:<6} quartiles {low:.4g} to {high:.4g}, {len(values)} runs")
        return median

    def save(self):
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{self.name}.txt").write_text("\n".join(self.lines) + "\n")
