"""Bad pipeline files through the program, and the published JSON Schema against good and bad ones."""
import json
import pathlib
import re
import subprocess

import jsonschema
import pytest
import yaml

from conftest import ROOT, SLUICE

HERE = pathlib.Path(__file__).resolve().parent
BAD = sorted(HERE.glob("*.yaml"))
GOOD = [ROOT / "examples/credit/sluice.yaml", *sorted((ROOT / "tests/e2e").glob("*/sluice.yaml"))]

# What only the parser can see: names of other things, paths, and what YAML itself refuses.
BEYOND_A_SCHEMA = re.compile(
    "path|reference|output|cycle|needs|self|unknown_(need|param|dataset|input)|code_made|input_made|store_address|"
    "state_folder|wrong_data_type|misspelt_step|metrics|shell|line|quote_in_run|dataset_as_table|reserved|"
    "nul_escape|param_(out|bounds|of_wrong|not_a|breaks)|huge_text|env_sets|several|document|duplicate|merge_key|alias")


class Loader(yaml.SafeLoader):
    """YAML 1.2's idea of true and false, as the parser has it."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(subprocess.run([str(SLUICE), "schema"], check=True, capture_output=True, text=True).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_the_program_says_what_is_wrong(path, tmp_path):
    (tmp_path / "sluice.yaml").write_bytes(path.read_bytes())
    result = subprocess.run([str(SLUICE), "run"], cwd=tmp_path, capture_output=True, check=False)
    expected = path.with_suffix(".txt").read_text().replace(path.name, "sluice.yaml")
    first = expected.split("\nsluice.yaml:")[0].strip("\n")
    assert result.returncode in (1, 2), result.stderr
    assert first in result.stderr.decode()


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.parent.name)
def test_the_schema_takes_good_files(path, validator):
    validator.validate(yaml.load(path.read_text(), Loader))


@pytest.mark.parametrize("path", [path for path in BAD if not BEYOND_A_SCHEMA.search(path.stem)],
                         ids=lambda path: path.stem)
def test_the_schema_refuses_bad_structure(path, validator):
    try:
        document = yaml.load(path.read_bytes(), Loader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return  # no YAML at all: an editor says so by itself
    assert list(validator.iter_errors(document)), f"the schema takes {path.name}"
