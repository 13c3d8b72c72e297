"""The real `mlflow` package, three versions of it, against `sluice server` on both databases. The checks themselves are
in mlflow_client/, which passes against MLflow's own server as well but for the names listed there."""

import os
import pathlib
import re
import subprocess

import pytest
import servers

CHECKS = pathlib.Path(__file__).parent / "mlflow_client"
# PostgreSQL with the newest client only: what the databases differ in does not depend on the client's version.
CASES = [(version, "sqlite") for version in servers.MLFLOW_VERSIONS] + [(servers.MLFLOW_VERSIONS[0], "postgresql")]


@pytest.mark.parametrize("version, database", CASES)
def test_the_real_client(version, database, tmp_path):
    python = servers.mlflow_python(version)
    if python is None:
        pytest.skip(f"MLflow {version} is not installed (tools/setup_mlflow)")
    if database == "sqlite":
        check(python, tmp_path, None)
    elif "SLUICE_TEST_POSTGRES" not in os.environ:
        pytest.skip("SLUICE_TEST_POSTGRES names no PostgreSQL")
    else:
        with servers.postgres_database() as uri:
            check(python, tmp_path, uri)


def check(python, folder, database):
    with servers.sluice_server(folder, database=database) as server:
        result = subprocess.run(
            [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", "-c", "/dev/null", "--rootdir", CHECKS,
             "-o", "python_files=check_*.py", CHECKS],
            cwd=folder, text=True, capture_output=True, check=False,
            env={**os.environ, "MLFLOW_TRACKING_URI": server.url, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
                 "GIT_PYTHON_REFRESH": "quiet", "MLFLOW_DISABLE_TELEMETRY": "true", "TMPDIR": str(folder)})
    print("\n" + result.stdout.strip().splitlines()[-1])
    assert result.returncode == 0, result.stdout[-20000:] + server.log.read_text()[-2000:]
    assert re.search(r"\b[5-9]\d passed", result.stdout), result.stdout[-2000:]
