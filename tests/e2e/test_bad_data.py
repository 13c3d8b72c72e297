"""Every file of bad_data/cases.json through the program: refused with its message, and nothing is left behind."""
import json

import pytest
from conftest import ROOT

CASES = json.loads((ROOT / "tests/e2e/bad_data/cases.json").read_text())

# Faults of the options rather than of the file: their messages need not name it.
OF_THE_OPTIONS = {"unknown column to keep", "type for an unknown column", "given name twice", "nonsense date format",
                  "date format without a year", "decimal point that is none", "delimiter that is the quote"}

# Options of the library → those of the command line; and → settings of `ingest`, which has no limits to set.
CLI = {
    "delimiter": lambda value: ["--delimiter", value],
    "has_header": lambda value: [] if value else ["--no-header"],
    "column_names": lambda value: ["--names", ",".join(value)],
    "skip_line_count": lambda value: ["--skip-lines", value],
    "date_formats": lambda value: [word for text in value for word in ("--date-format", text)],
    "decimal_point": lambda value: ["--decimal", value],
    "columns": lambda value: ["--columns", ",".join(value)],
    "types": lambda value: [word for item in value.items() for word in ("--type", "=".join(item))],
    "max_column_count": lambda value: ["--max-columns", value],
    "max_row_bytes": lambda value: ["--max-row-bytes", value],
    "max_field_bytes": lambda value: ["--max-field-bytes", value],
}
INGEST = {"delimiter": "delimiter", "has_header": "header", "column_names": "names", "skip_line_count": "skip_lines",
          "date_formats": "date_formats", "columns": "columns", "types": "types"}


def content_of(case):
    return b"".join((bytes.fromhex(piece["hex"]) if "hex" in piece else piece["text"].encode()) * piece.get("times", 1)
                    for piece in case["content"])


def cli_options(case):
    return [word for name, value in case.get("options", {}).items() for word in CLI[name](value)]


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def write_case(project, case):
    (project.folder / case["file"]).write_bytes(content_of(case))


def check_refusal(case, text):
    assert case["message"] in text
    if case["name"] not in OF_THE_OPTIONS:
        assert case["file"] in text


def test_the_cases_are_all_there():
    assert len(CASES) >= 80
    assert len({case["name"] for case in CASES}) == len(CASES)
    assert OF_THE_OPTIONS <= {case["name"] for case in CASES}


@pytest.mark.parametrize("number, case", list(enumerate(CASES)), ids=[case["name"] for case in CASES])
def test_convert_refuses(make_project, number, case):
    project = make_project()
    write_case(project, case)
    suffix = (".parquet", ".csv", ".jsonl", ".arrow")[number % 4]
    result = project.sluice("data", "convert", case["file"], "--output", "out" + suffix, *cli_options(case),
                            "--threads", 1 + number % 3, check=False)
    assert result.returncode == 1
    assert result.stdout == "" and result.stderr.startswith("error: ")
    check_refusal(case, result.stderr)
    assert files_in(project.folder) == [case["file"]]


def test_convert_leaves_the_old_output(make_project):
    project = make_project()
    project.write("good.csv", "a,b\n1,2\n")
    project.write("bad.csv", "a,b\n1,2\n3\n")
    project.sluice("data", "convert", "good.csv", "--output", "out.parquet")
    before = (project.folder / "out.parquet").read_bytes()
    result = project.sluice("data", "convert", "good.csv", "bad.csv", "--output", "out.parquet", check=False)
    assert result.returncode == 1 and "bad.csv:3:1: expected 2 fields, found 1" in result.stderr
    assert (project.folder / "out.parquet").read_bytes() == before
    assert files_in(project.folder) == ["bad.csv", "good.csv", "out.parquet"]


@pytest.mark.parametrize("command", ["profile", "infer"])
def test_reading_commands_refuse(make_project, command):
    for number, case in enumerate(CASES):
        if number % 4 != 0:
            continue
        project = make_project(name=f"case-{number}")
        write_case(project, case)
        result = project.sluice("data", command, case["file"], *cli_options(case), check=False)
        assert (result.returncode, result.stdout) == (1, ""), case["name"]
        check_refusal(case, result.stderr)
        assert files_in(project.folder) == [case["file"]]


def test_limits_of_the_command_line(make_project):
    project = make_project()
    project.write("data.csv", "a,b\n1,2\n")
    result = project.sluice("data", "profile", "data.csv", "--max-row-bytes", "0", check=False)
    assert result.returncode in (1, 2) and "--max-row-bytes" in result.stderr
    limits = ["--max-columns", 2, "--max-row-bytes", 4, "--max-field-bytes", 1]
    assert project.sluice("data", "profile", "data.csv", *limits).returncode == 0


def ingest_cases():
    return [case for case in CASES if set(case.get("options", {})) <= set(INGEST)]


def test_ingest_steps_refuse(make_project):
    """One pipeline, one `ingest` step a case: every one fails with its message, none keeps anything."""
    project = make_project()
    cases = ingest_cases()
    steps = {"good": {"uses": "ingest", "from": "good.csv"}}
    project.write("good.csv", "a,b\n1,2\n")
    for number, case in enumerate(cases):
        path = project.folder / f"case-{number}" / case["file"]
        path.parent.mkdir()
        path.write_bytes(content_of(case))
        settings = {INGEST[name]: value for name, value in case.get("options", {}).items()}
        steps[f"case_{number}"] = {"uses": "ingest", "from": f"case-{number}/{case['file']}", **settings}
    project.write("sluice.yaml", json.dumps({"name": "bad-data", "steps": steps}, ensure_ascii=True))

    result = project.sluice("run", "--json", check=False)
    assert result.returncode == 1 and result.stdout, result.stderr
    events = [json.loads(line) for line in result.stdout.splitlines()]
    ended = {event["name"]: event for event in events if event["event"] == "step"}
    assert ended.pop("good")["result"] == "succeeded"
    assert len(ended) == len(cases) >= 70
    for number, case in enumerate(cases):
        step = ended[f"case_{number}"]
        assert (step["result"], step["outputs"]) == ("failed", {}), case["name"]
        check_refusal(case, step["error"])
    # No failed step's table is in the store, whole or in part: only the good one's.
    left = [path for path in (project.folder / ".sluice").rglob("data.arrow*")]
    assert left == [], left
    assert project.sluice("fsck").returncode == 0
