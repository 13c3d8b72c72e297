"""Nothing becomes champion but what passed its own gate, against the champion of the moment."""
import pytest

PIPELINE = """name: gate
params: {trees: 30}
steps:
  rows: {uses: ingest, from: d.csv}
  parts: {uses: split, table: rows, test: 25%}
  f: {uses: features, fit: parts.train, label: y}
  m: {uses: train, features: f, train: parts.train, params: {n_estimators: "${params.trees}", max_depth: 3}}
  r: {uses: evaluate, model: m, table: parts.test, bootstrap: 20}
  v: {uses: gate, report: r, champion: good, rules: RULES}
  bad: {uses: train, features: f, train: parts.train, params: {n_estimators: 1, max_depth: 1, learning_rate: 0.01}}
  package: {uses: package, model: REGISTERED, table: parts.test}
  version: {uses: register, model: package, verdict: v, name: good}
"""


def pipeline(registered="m", rules='["accuracy >= 0.6", "roc_auc >= champion"]'):
    return PIPELINE.replace("RULES", rules).replace("REGISTERED", registered)


@pytest.fixture
def project(make_project):
    project = make_project()
    rows = [f"{i % 97},{i * 7 % 31},{'yes' if i % 97 + i * 7 % 31 > 60 else 'no'}" for i in range(600)]
    project.write("d.csv", "a,b,y\n" + "\n".join(rows) + "\n")
    project.write("sluice.yaml", pipeline())
    return project


def champion(project):
    lines = project.sluice("models", "good", check=False).stdout.splitlines()
    return [line.split()[0] for line in lines if "@champion" in line]


def test_a_verdict_promotes_only_the_model_it_is_about(project):
    project.write("sluice.yaml", pipeline(registered="bad"))
    steps = project.run(check=False)
    assert steps["v"]["result"] == "succeeded"
    assert steps["version"]["result"] == "failed"
    assert "another model" in steps["version"]["error"]
    assert champion(project) == []
    project.write("sluice.yaml", pipeline())
    assert project.run()["version"]["result"] == "succeeded"  # a package of the model that was measured
    assert champion(project) == ["models:/good/1"]


def test_a_verdict_against_an_old_champion_promotes_nobody(project):
    project.run("--param", "trees=3")
    project.run("--param", "trees=60")
    assert champion(project) == ["models:/good/2"]
    again = project.run("--param", "trees=3", "--force", "version", check=False)
    assert again["v"]["result"] == "cached"
    assert again["version"]["result"] == "failed"
    assert "version 2" in again["version"]["error"] and "--force" in again["version"]["error"]
    assert champion(project) == ["models:/good/2"]
    project.run("--param", "trees=3", "--force", "v", check=False)
    assert champion(project) == ["models:/good/2"]
    project.sluice("models", "undo", "good")
    assert champion(project) == ["models:/good/1"]


def test_settings_are_checked_before_anything_runs(project):
    for rules, message in (("[]", "'rules' is empty"),
                           ('["auc > 0.5"]', "unknown metric 'auc'"),
                           ('["f1 => 0.5"]', "write >="),):
        project.write("sluice.yaml", pipeline(rules=rules))
        result = project.sluice("plan", check=False)
        assert result.returncode == 1 and message in result.stderr and "step 'v'" in result.stderr
    project.write("sluice.yaml", pipeline().replace("champion: good, ", ""))
    assert "champion: NAME" in project.sluice("plan", check=False).stderr
    project.write("sluice.yaml", pipeline().replace("table: rows, test: 25%", "table: rows, by: time"))
    assert "column: NAME" in project.sluice("run", check=False).stderr
    project.write("sluice.yaml", pipeline().replace("max_depth: 1,", "max_dept: 1,"))
    assert "did you mean 'max_depth'" in project.sluice("run", check=False).stderr
    project.write("sluice.yaml", pipeline())
    result = project.sluice("plan", "--param", "trees=0", check=False)
    assert result.returncode == 1 and "n_estimators" in result.stderr
    assert not (project.folder / "report.html").exists()


def test_what_an_environment_cannot_have_is_an_error(project):
    for text, message in (("store: /somewhere\n", "'store' out"),
                          ("tracking: {uri: 't.example.org'}\n", "'t.example.org'"),
                          ("steps: {modle: {threads: 1}}\n", "no step 'modle'")):
        project.write("environments/local.yaml", text)
        result = project.sluice("plan", check=False)
        assert result.returncode == 1 and message in result.stderr
        assert "environments/local.yaml" in result.stderr


def test_a_failure_is_told_once_and_in_its_own_words(project):
    project.write("d.csv", "a,b,y\n" + "1,2,yes\n" * 30)
    result = project.sluice("run", check=False)
    assert "f failed: label 'y': has the single class 'yes'" in result.stdout
    assert "m failed" not in result.stdout and "exit code 1" not in result.stdout
    quiet = project.sluice("run", "--quiet", check=False)
    assert quiet.stderr.count("error:") == 1


def test_why_speaks_of_no_digest_that_is_not_known(project):
    project.run()
    project.write("sluice.yaml", pipeline().replace("  m: {", "  mm: {").replace("model: m,", "model: mm,")
                  .replace("model: m}", "model: mm}"))
    project.write("d.csv", (project.folder / "d.csv").read_text() + "1,2,no\n")
    for step in ("r", "package", "v"):
        assert "000000000000" not in project.sluice("why", step).stdout
