"""Cached, rerun and why: the run cache as a person meets it, on the project that `sluice init` writes."""
import subprocess

import pytest
from conftest import Project, SLUICE

ROWS = ("--param", "rows=3000")
ALL = ["raw", "applications", "checked", "overview", "parts", "features", "model", "report", "verdict", "package",
       "version"]


@pytest.fixture(scope="module")
def credit(tmp_path_factory):
    folder = tmp_path_factory.mktemp("credit") / "project"
    subprocess.run([str(SLUICE), "init", str(folder), "--template", "credit", "--quiet"], check=True)
    project = Project(folder)
    loosen_gate(project)
    project.first = project.run(*ROWS)
    return project


def loosen_gate(project):
    """3,000 rows cannot promise what 40,000 do; the gate's rules stay, their limits are those of a small table."""
    path = project.folder / "sluice.yaml"
    text = path.read_text()
    text = text.replace("roc_auc >= 0.78", "roc_auc >= 0.6").replace(">= 0.76", ">= 0.5")
    text = text.replace("slice.min(roc_auc) >= 0.70", "slice.min(roc_auc) >= 0.4")
    text = text.replace("demographic_parity_ratio >= 0.8", "demographic_parity_ratio >= 0.3")
    path.write_text(text)


def results(steps):
    return {name: step["result"] for name, step in steps.items()}


def test_the_first_run_runs_everything(credit):
    assert list(credit.first) and set(credit.first) == set(ALL)
    assert set(results(credit.first).values()) == {"succeeded"}


def test_the_second_run_is_cached_whole(credit):
    steps = credit.run(*ROWS)
    assert set(results(steps).values()) == {"cached"}
    assert credit.outputs(steps) == credit.outputs(credit.first)


def test_a_changed_parameter_reruns_what_depends_on_it(credit):
    why = credit.sluice("why", "model", *ROWS, "--param", "learning_rate=0.2").stdout
    assert "learning_rate" in why and "0.05" in why and "0.2" in why
    steps = credit.run(*ROWS, "--param", "learning_rate=0.2")
    changed = {name for name, result in results(steps).items() if result != "cached"}
    assert changed == {"model", "report", "verdict", "package", "version"}
    assert "learning_rate" in steps["model"]["reason"]
    back = credit.run(*ROWS)
    assert set(results(back).values()) == {"cached"}


def test_one_changed_byte_reruns_what_depends_on_it(credit):
    schema = credit.folder / "schemas/applications.yaml"
    original = schema.read_text()
    schema.write_text(original.replace("min: 18", "min: 17"))
    plan = credit.sluice("plan", *ROWS).stdout
    assert any(line.startswith("checked") and "run" in line for line in plan.splitlines())
    steps = credit.run(*ROWS)
    reran = {name for name, result in results(steps).items() if result != "cached"}
    # The checked table has the same bytes as before, so nothing after it needs to run.
    assert reran == {"checked"}
    assert "schema" in steps["checked"]["reason"]
    schema.write_text(original)
    assert set(results(credit.run(*ROWS)).values()) == {"cached"}

    generator = credit.folder / "generate.py"
    source = generator.read_text()
    generator.write_text(source.replace("0.0008", "0.0009"))
    steps = credit.run(*ROWS)
    assert "cached" not in results(steps).values()
    assert "generate.py" in steps["raw"]["reason"]
    generator.write_text(source)
    back = credit.run(*ROWS)
    assert set(results(back).values()) == {"cached"}
    assert credit.outputs(back) == credit.outputs(credit.first)


def test_git_checkout_back_is_cached(credit):
    def git(*words):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=credit.folder, check=True,
                       capture_output=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    path = credit.folder / "sluice.yaml"
    path.write_text(path.read_text().replace("learning_rate: 0.05", "learning_rate: 0.3"))
    steps = credit.run(*ROWS)
    assert results(steps)["model"] == "succeeded"
    assert results(steps)["features"] == "cached"
    git("checkout", "-q", "--", ".")
    assert set(results(credit.run(*ROWS)).values()) == {"cached"}


def test_status_log_and_models_tell_what_happened(credit):
    credit.run(*ROWS)
    assert "model" in credit.sluice("status").stdout
    listed = credit.sluice("models").stdout
    assert "models:/credit/1" in listed and "@champion" in listed
    missing = credit.sluice("log", "modle", check=False)
    assert missing.returncode == 1 and "did you mean 'model'" in missing.stderr


def test_lost_and_damaged_objects_are_made_again(credit):
    victim = credit.first["features"]["outputs"]["features"]
    path = credit.object_path(victim)
    content = path.read_bytes()
    path.unlink()
    steps = credit.run(*ROWS, "--force", "model")
    assert credit.outputs(steps) == credit.outputs(credit.first)
    path.chmod(0o644)
    path.write_bytes(content[:-2] + b"??")
    assert credit.sluice("fsck", check=False).returncode == 1
    steps = credit.run(*ROWS, "--force", "features")
    assert credit.outputs(steps) == credit.outputs(credit.first)
    assert credit.sluice("fsck").returncode == 0


def test_garbage_collection_keeps_what_is_named(credit):
    credit.sluice("gc", "--grace", "0s")
    steps = credit.run(*ROWS)
    assert set(results(steps).values()) == {"cached"}
    assert credit.sluice("fsck").returncode == 0
    credit.sluice("predict", "models:/credit/1", "--input", "data/applications.csv", "--output", "p.csv")
