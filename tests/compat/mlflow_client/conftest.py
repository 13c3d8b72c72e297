"""Checks that drive the real `mlflow` package of one version against MLFLOW_TRACKING_URI, any server that speaks its
protocol. They are run by tests/compat/test_mlflow_client.py in that version's own virtual environment."""

import os
import uuid

import mlflow
import pytest
from packaging.version import Version

VERSION = Version(mlflow.__version__)


@pytest.fixture(scope="session", autouse=True)
def tracking_uri():
    uri = os.environ["MLFLOW_TRACKING_URI"]
    mlflow.set_tracking_uri(uri)
    return uri


@pytest.fixture
def client():
    return mlflow.MlflowClient()


@pytest.fixture
def experiment():
    """A fresh experiment, active for the fluent API too. Its id."""
    found = mlflow.set_experiment(f"exp {uuid.uuid4().hex[:12]}")
    yield found.experiment_id
    while mlflow.active_run():
        mlflow.end_run()


@pytest.fixture
def name():
    """A name that nothing else has."""
    return f"name-{uuid.uuid4().hex[:12]}"
