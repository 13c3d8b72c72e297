"""The same requests, good and bad, to MLflow's own server and to Sluice's: statuses and JSON are equal after masking ids
and times, apart from replay/differences.py, which names each deliberate difference with its reason."""

import os
import pathlib
import sys

import pytest
import servers

sys.path.insert(0, str(pathlib.Path(__file__).parent / "replay"))
from differences import DIFFERENCES, comparable  # noqa: E402
from player import play  # noqa: E402

REFERENCE = "3.17.2"


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    if servers.mlflow_python(REFERENCE) is None:
        pytest.skip(f"MLflow {REFERENCE} is not installed (tools/setup_mlflow)")
    with servers.mlflow_server(REFERENCE, tmp_path_factory.mktemp("mlflow")) as server:
        return play(server.port)


def compare(reference, ours):
    unexplained, used = [], set()
    for (case, status, answer), (_, our_status, our_answer) in zip(reference, ours, strict=True):
        label = case["label"]
        if (status, comparable(answer)) == (our_status, comparable(our_answer)):
            continue
        rule = next((d for d in DIFFERENCES if d.explains(label, status, answer, our_status, our_answer)), None)
        if rule is None:
            unexplained.append(f"{case['method']} {label[:120]}\n  MLflow {status} {str(answer)[:400]}\n  Sluice {our_status} "
                               f"{str(our_answer)[:400]}")
        else:
            used.add(rule.name)
    return unexplained, used


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_answers_are_those_of_mlflow(reference, database, tmp_path):
    if database == "sqlite":
        with servers.sluice_server(tmp_path) as server:
            ours = play(server.port)
    elif "SLUICE_TEST_POSTGRES" not in os.environ:
        pytest.skip("SLUICE_TEST_POSTGRES names no PostgreSQL")
    else:
        with servers.postgres_database() as uri, servers.sluice_server(tmp_path, database=uri) as server:
            ours = play(server.port)
    unexplained, used = compare(reference, ours)
    print(f"\n{len(ours)} requests, {len(unexplained)} unexplained differences, {len(used)} kinds of deliberate ones")
    assert not unexplained, f"{len(unexplained)} of {len(ours)}:\n" + "\n".join(unexplained)
    never = {d.name for d in DIFFERENCES} - used
    assert not never, f"these differences are gone, take them off the list: {sorted(never)}"
