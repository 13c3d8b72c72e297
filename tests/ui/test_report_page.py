"""The report page in a real browser: it draws every section, shows hostile text as text, and survives odd data.

Needs report_render and evaluate_metrics (`ninja -C build/release report_render evaluate_metrics`) and Chromium.
SLUICE_BUILD_DIR names another build folder, SLUICE_CHROMIUM another browser; SLUICE_PAGE_SEEDS says how many times
holes are made in the data.
"""
import html
import json
import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("SLUICE_BUILD_DIR", "build/release")
RENDER = BUILD / "src" / "app" / "report" / "report_render"
METRICS = BUILD / "src" / "evaluate" / "evaluate_metrics"
BROWSER = os.environ.get("SLUICE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> {{data}} & ' \""


@pytest.fixture(autouse=True)
def needs_browser():
    if not BROWSER:
        pytest.skip("no Chromium on this machine")
    for program in (RENDER, METRICS):
        if not program.exists():
            pytest.skip(f"{program} is not built")


def evaluation(task, seed=1, names=None, **more):
    rng = random.Random(seed)
    n = 400
    case = {"task": task, "report": True, **more}
    if task == "regression":
        case["labels"] = [rng.gauss(10, 3) for _ in range(n)]
        case["predictions"] = [y + rng.gauss(0, 1) for y in case["labels"]]
    elif task == "binary":
        case["labels"] = [float(rng.random() < 0.4) for _ in range(n)]
        case["predictions"] = [min(1, max(0, 0.3 + 0.3 * y + rng.gauss(0, 0.2))) for y in case["labels"]]
        case["class_names"] = names or ["no", "yes"]
    else:
        case["labels"] = [float(i % 4) for i in range(n)]
        case["predictions"] = [p for y in case["labels"] for p in ([0.1] * int(y) + [0.7] + [0.1] * (3 - int(y)))]
        case["class_names"] = names or ["a", "b", "c", "d"]
    case["slices"] = {(names or ["side"])[0]: [(names or ["left"])[0] if i % 2 else "right" for i in range(n)]}
    case["sensitive"] = list(case["slices"])
    out = subprocess.run([METRICS], input=json.dumps(case) + "\n", capture_output=True, text=True, check=True).stdout
    report = json.loads(out)
    assert "error" not in report, report
    report["importances"] = [{"column": (names or ["age"])[0], "mean": 0.2, "standard_deviation": 0.01}]
    return report


def whole(name="x"):
    """Inputs that fill every section, with `name` wherever a user's text may stand."""
    column = {"name": name, "type": "int64", "count": 9, "null_count": 1, "null_share": 0.1, "flags": ["constant"],
              "distinct": {"count": 5, "is_exact": True}, "min": 0, "max": 9, "numeric": {"mean": 4.5},
              "histogram": {"edges": [0, 5, 10], "counts": [4, 5]}}
    text = {"name": name + "2", "type": "utf8", "flags": ["likely_category"], "null_share": 0,
            "top": {"values": [{"value": name, "count": 9, "share": 0.9}]}}
    finding = {"check": "min", "severity": "error", "column": name, "measured": name, "limit": 0, "failing_row_count": 1,
               "samples": [{"row": 1, "value": name}], "message": name}
    step = {"name": name, "kind": "train", "state": "succeeded", "duration_ms": 5, "reason": name, "cache_key": "ab" * 32,
            "outputs": [{"name": name, "digest": "cd" * 32, "size_bytes": 10}]}
    return {
        "run": {"pipeline": name, "run_id": name, "state": "succeeded", "started_at_ms": 1.7e12, "duration_ms": 10,
                "environment": name, "git": {"commit": "ef" * 20, "branch": name, "dirty": True}, "params": {name: name},
                "seed": 1, "steps": [step]},
        "lineage": {"nodes": [{"id": "files:a", "type": "files", "label": name, "level": 0},
                              {"id": "step:b", "type": "step", "label": name, "step_kind": "train", "level": 1, "state": "ok"},
                              {"id": "step:c", "type": "step", "label": "c", "step_kind": "gate", "level": 2}],
                    "edges": [{"from": "files:a", "to": "step:b"}, {"from": "files:a", "to": "step:c", "output": "t"},
                              {"from": "step:b", "to": "step:c"}]},
        "profiles": [{"name": name, "content": {"row_count": 10, "columns": [column, text],
                                                "correlations": {"columns": [name, "b"], "pearson": [[1, 0.2], [0.2, 1]]}}}],
        "findings": [{"name": name, "content": {"row_count": 10, "check_count": 3, "findings": [finding]}}],
        "leakage": [{"name": name, "content": {"pairs": [{"earlier": name, "later": name, "shared_row_count": 1}],
                                               "findings": [finding]}}],
        "curves": [{"name": name, "content": {"best_iteration": 2, "points": [
            {"iteration": i, "train": {"log_loss": 1 / i}, "validation": {"log_loss": 1.1 / i}} for i in (1, 2, 3)]}}],
        "evaluations": [{"name": name, "content": evaluation(task)}
                        for task in ("binary", "multiclass", "regression")],
        "verdicts": [{"name": name, "content": {"outcome": "fail", "rules": [
            {"rule": name, "outcome": "fail", "left": 1, "comparison": ">=", "right": 2, "reason": name}]}}],
        "models": [{"name": name, "content": {"learner": name, "params": {name: 1},
                                              "importances": [{"feature": name, "gain": 2, "weight": 1}]}}],
        "next_commands": [name],
    }


def draw(inputs, tmp_path, width=1300):
    """The page's elements (without scripts) after it has drawn itself, and what it complained of."""
    page = subprocess.run([RENDER], input=json.dumps(inputs), capture_output=True, text=True, check=True).stdout
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    result = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={width},2000",
         "--enable-logging=stderr", "--virtual-time-budget=5000", f"--user-data-dir={tmp_path}/browser", "--dump-dom",
         path.as_uri()], capture_output=True, text=True, timeout=180, check=True)
    complaints = [line for line in result.stderr.splitlines() if "CONSOLE" in line]
    assert len(re.findall(r"<script", result.stdout)) == 2, "the data and the page's own script, no other"
    return re.sub(r"<script.*?</script>", "", result.stdout, flags=re.S), complaints


def title_of(dom):
    return html.unescape(re.search(r"<title>(.*?)</title>", dom, re.S).group(1))


def test_every_section_is_drawn(tmp_path):
    dom, complaints = draw(whole("plain name"), tmp_path)
    assert not complaints
    sections = re.findall(r'<section id="([a-z]+)"', dom)
    assert sections == ["gate", "evaluation", "slices", "fairness", "importance", "training", "checks", "data", "lineage",
                        "provenance", "next"]
    assert "data-broken" not in dom
    for chart in ("ROC curve", "Precision against recall", "Observed share against predicted", "Histogram of residuals",
                  "Log loss by iteration", "Lineage: files and steps", "Histogram of plain name"):
        assert f'aria-label="{chart}' in dom, chart
    assert "NaN" not in dom
    assert "undefined" not in dom


def test_hostile_text_is_shown_as_text(tmp_path):
    inputs = whole(HOSTILE)
    names = [HOSTILE, "other " + HOSTILE]
    inputs["evaluations"][0]["content"] = evaluation("binary", names=names)
    dom, complaints = draw(inputs, tmp_path)
    assert not complaints
    assert title_of(dom) == f"{HOSTILE} · Sluice report"
    assert "<img" not in dom
    assert html.escape(HOSTILE, quote=False) in dom
    assert "data-broken" not in dom


@pytest.mark.parametrize("absent", ["run", "lineage", "profiles", "findings", "leakage", "curves", "evaluations",
                                    "verdicts", "models", "next_commands"])
def test_absent_parts_leave_the_rest(absent, tmp_path):
    inputs = whole()
    del inputs[absent]
    dom, complaints = draw(inputs, tmp_path)
    assert not complaints
    assert "data-broken" not in dom


def test_nothing_at_all(tmp_path):
    dom, complaints = draw({}, tmp_path)
    assert not complaints
    assert "data-broken" not in dom


def emptied(value, rng):
    """The same structure with some members missing or null."""
    if isinstance(value, dict):
        return {k: emptied(v, rng) for k, v in value.items() if rng.random() > 0.12}
    if isinstance(value, list):
        return [emptied(v, rng) for v in value] if rng.random() > 0.1 else []
    return None if rng.random() < 0.1 else value


@pytest.mark.parametrize("seed", range(int(os.environ.get("SLUICE_PAGE_SEEDS", "6"))))
def test_holes_in_the_data_break_nothing(seed, tmp_path):
    rng = random.Random(seed)
    inputs = whole()
    artefacts = {k: [{"name": a["name"], "content": emptied(a["content"], rng)} for a in v]
                 for k, v in inputs.items() if isinstance(v, list) and v and isinstance(v[0], dict)}
    dom, complaints = draw({**inputs, **artefacts, "run": emptied(inputs["run"], rng),
                            "lineage": emptied(inputs["lineage"], rng)}, tmp_path)
    assert not complaints
    assert "data-broken" not in dom


def test_narrow_screen(tmp_path):
    dom, complaints = draw(whole(), tmp_path, width=380)
    assert not complaints
    assert "data-broken" not in dom
