"""Commands that run steps of commands: failures, retries, timeouts, logs, help, errors with places."""
import json
import re

import pytest
from conftest import SLUICE, wait_until

HELLO = """name: hello
steps:
  first:
    run: [sh, -c, "echo one; echo two >&2; printf data > $SLUICE_OUTPUT_FIRST"]
    outputs: {first: out/first.txt}
  second:
    run: "cp ${inputs.text} ${outputs.second}"
    inputs: {text: first}
    outputs: {second: out/second.txt}
"""


def test_commands_pass_files_on(make_project):
    project = make_project()
    project.write("sluice.yaml", HELLO)
    steps = project.run()
    assert {step["result"] for step in steps.values()} == {"succeeded"}
    assert (project.folder / "out/second.txt").read_text() == "data"
    log = project.sluice("log", "first")
    assert log.stdout == "one\n" and log.stderr == "two\n"
    (project.folder / "out/second.txt").unlink()
    assert {step["result"] for step in project.run().values()} == {"cached"}
    assert (project.folder / "out/second.txt").read_text() == "data"


def test_editing_an_output_does_not_reach_the_store(make_project):
    project = make_project()
    project.write("sluice.yaml", HELLO)
    project.run()
    out = project.folder / "out/first.txt"
    out.chmod(0o644)
    out.write_text("scribble")
    assert project.sluice("fsck").returncode == 0
    project.run()
    assert out.read_text() == "data"


def test_a_failure_stops_only_what_depends_on_it(make_project):
    project = make_project()
    project.write("sluice.yaml", """name: fail
steps:
  bad:
    run: [sh, -c, "echo the reason >&2; exit 3"]
    outputs: {bad: bad.txt}
  after:
    run: [cp, "${inputs.x}", "${outputs.after}"]
    inputs: {x: bad}
    outputs: {after: after.txt}
  beside:
    run: [touch, "${outputs.beside}"]
    outputs: {beside: beside.txt}
""")
    result = project.sluice("run", check=False)
    assert result.returncode == 1
    assert "the reason" in result.stdout and "sluice log bad" in result.stdout
    steps = project.run(check=False)
    assert [steps[name]["result"] for name in ("bad", "after", "beside")] == ["failed", "skipped", "cached"]


def test_retries_and_timeouts(make_project):
    project = make_project()
    project.write("sluice.yaml", """name: retry
steps:
  flaky:
    run: [sh, -c, "echo x >> tries; [ $(wc -l < tries) -ge 3 ] && touch flaky.txt"]
    outputs: {flaky: flaky.txt}
    retries: {count: 5, backoff: 10ms}
  slow:
    run: [sh, -c, "sleep 60 & sleep 60; touch slow.txt"]
    outputs: {slow: slow.txt}
    timeout: 300ms
""")
    steps = project.run(check=False)
    assert steps["flaky"]["result"] == "succeeded" and steps["flaky"]["attempts"] == 3
    assert steps["slow"]["result"] == "failed" and "time limit" in steps["slow"]["error"]


def test_a_missing_output_is_named(make_project):
    project = make_project()
    project.write("sluice.yaml", "name: x\nsteps:\n  a:\n    run: ['true']\n    outputs: {a: gone.txt}\n")
    steps = project.run(check=False)
    assert steps["a"]["result"] == "failed" and "gone.txt" in steps["a"]["error"]


def test_one_engine_at_a_time(make_project):
    project = make_project()
    project.write("sluice.yaml", "name: x\nsteps:\n  a:\n    run: [sh, -c, 'touch started; sleep 3; touch a.txt']\n"
                                 "    outputs: {a: a.txt}\n")
    first = project.start("run", "--quiet")
    wait_until(lambda: (project.folder / "started").exists())
    second = project.sluice("run", "--quiet", check=False)
    assert second.returncode == 1 and str(first.pid) in second.stderr
    first.communicate(timeout=60)
    assert first.returncode == 0


def test_mistakes_name_their_place(make_project):
    project = make_project()
    project.write("sluice.yaml", "name: x\nsteps:\n  a:\n    uses: ingst\n    from: data.csv\n")
    result = project.sluice("run", check=False)
    assert result.returncode == 1
    assert "sluice.yaml:4:11" in result.stderr and "did you mean 'ingest'" in result.stderr
    assert not (project.folder / "report.html").exists()


def test_help_version_schema_and_unknown_commands(make_project, tmp_path):
    project = make_project()
    assert re.match(r"sluice \d+\.\d+", project.sluice("--version").stdout)
    assert "usage: sluice run" in project.sluice("run", "--help").stdout
    schema = json.loads(project.sluice("schema").stdout)
    assert schema["$schema"].endswith("2020-12/schema")
    result = project.sluice("rnu", check=False)
    assert result.returncode == 2 and "did you mean 'run'" in result.stderr
    result = project.sluice("run", "--parm", "x=1", check=False)
    assert result.returncode == 2 and "--param" in result.stderr
    result = project.sluice("plan", check=False)
    assert result.returncode == 1 and "sluice init" in result.stderr


def test_init_overwrites_nothing(make_project):
    project = make_project()
    project.write("generate.py", "mine")
    result = project.sluice("init", check=False)
    assert result.returncode == 1 and "generate.py" in result.stderr
    assert not (project.folder / "sluice.yaml").exists()
    assert (project.folder / "generate.py").read_text() == "mine"


def test_data_commands(make_project):
    project = make_project()
    project.write("d.csv", "id,zip,amount,when\n1,02134,1.5,2024-01-02\n2,10115,,2024-02-29\n3,00501,7,2023-12-31\n")
    inferred = project.sluice("data", "infer", "d.csv").stdout
    project.write("schema.yaml", inferred)
    assert "zip: " in inferred and "date" in inferred
    assert project.sluice("data", "validate", "d.csv", "--schema", "schema.yaml").returncode == 0
    profile = json.loads(project.sluice("data", "profile", "d.csv", "--json").stdout)
    assert [column["type"] for column in profile["columns"]] == ["int64", "string", "double", "date"]
    project.sluice("data", "convert", "d.csv", "--output", "d.parquet")
    project.sluice("data", "convert", "d.parquet", "--output", "back.csv", "--quiet")
    assert (project.folder / "back.csv").read_text().splitlines()[1].startswith("1,")
    result = project.sluice("data", "profile", "absent.csv", check=False)
    assert result.returncode == 1 and "absent.csv" in result.stderr
