"""Random searches give in `sluice server` what MLflow's own store gives."""

import pathlib
import subprocess

import pytest
import servers

SCRIPT = pathlib.Path(__file__).parent / "search_random.py"


@pytest.mark.parametrize("seed", [1, 2])
def test_random_searches_agree_with_mlflow(seed, tmp_path):
    python = servers.mlflow_python(servers.MLFLOW_VERSIONS[0])
    if python is None:
        pytest.skip("MLflow is not installed (tools/setup_mlflow)")
    result = subprocess.run([python, SCRIPT, servers.SLUICE, "--seed", str(seed), "--searches", "200"], cwd=tmp_path, text=True,
                            capture_output=True, check=False)
    assert result.returncode == 0, result.stdout[-20000:] + result.stderr[-2000:]
