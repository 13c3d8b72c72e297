"""The registry: models, versions, stages, aliases, tags, search, prompts, webhooks."""

import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import mlflow
import pytest
from conftest import VERSION
from mlflow.exceptions import MlflowException
from packaging.version import Version


@pytest.fixture
def source(client, experiment):
    """A run with something in its artifacts: (run id, source uri of it)."""
    run = client.create_run(experiment)
    client.log_text(run.info.run_id, "flavors: {}", "model/MLmodel")
    return run.info.run_id, f"{run.info.artifact_uri}/model"


def make_version(client, name, source, **more):
    run_id, uri = source
    return client.create_model_version(name, uri, run_id=run_id, **more)


def test_a_model_has_its_life(client, name, source):
    made = client.create_registered_model(name, tags={"a": "1"}, description="first")
    assert made.name == name and made.tags == {"a": "1"} and made.description == "first"
    with pytest.raises(MlflowException) as e:
        client.create_registered_model(name)
    assert e.value.error_code == "RESOURCE_ALREADY_EXISTS"
    assert client.update_registered_model(name, "second").description == "second"
    client.set_registered_model_tag(name, "b", "2")
    client.delete_registered_model_tag(name, "a")
    client.delete_registered_model_tag(name, "a")
    version = make_version(client, name, source)
    client.set_registered_model_alias(name, "best", version.version)
    client.rename_registered_model(name, name + "-x")
    got = client.get_registered_model(name + "-x")
    assert got.name == name + "-x" and got.tags == {"b": "2"}
    assert dict(got.aliases) == {"best": str(version.version)} and got.latest_versions[0].name == name + "-x"
    with pytest.raises(MlflowException) as e:
        client.get_registered_model(name)
    assert e.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    client.delete_registered_model(name + "-x")
    with pytest.raises(MlflowException):
        client.get_model_version(name + "-x", version.version)


def test_versions(client, name, source):
    client.create_registered_model(name)
    first = make_version(client, name, source, description="one", tags={"t": "x"})
    second = make_version(client, name, source)
    assert [int(first.version), int(second.version)] == [1, 2] and first.status == "READY"
    assert first.current_stage == "None" and first.run_id == source[0]
    assert client.get_model_version_download_uri(name, "1") == source[1]
    client.update_model_version(name, "2", "two")
    client.set_model_version_tag(name, "2", "k", "v")
    got = client.get_model_version(name, "2")
    assert got.description == "two" and got.tags == {"k": "v"}
    client.delete_model_version_tag(name, "2", "k")
    client.delete_model_version_tag(name, "2", "k")
    client.delete_model_version(name, "2")
    with pytest.raises(MlflowException) as e:
        client.get_model_version(name, "2")
    assert e.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert int(make_version(client, name, source).version) == 3
    with pytest.raises(MlflowException) as e:
        client.get_model_version(name, "abc")
    assert e.value.error_code == "INVALID_PARAMETER_VALUE"


def test_stages(client, name, source):
    client.create_registered_model(name)
    for _ in range(3):
        make_version(client, name, source)
    client.transition_model_version_stage(name, "1", "staging")
    client.transition_model_version_stage(name, "2", "Production")
    client.transition_model_version_stage(name, "3", "Production", archive_existing_versions=True)
    stages = {v.version: v.current_stage for v in client.search_model_versions(f"name = '{name}'")}
    assert {int(k): v for k, v in stages.items()} == {1: "Staging", 2: "Archived", 3: "Production"}
    latest = {v.current_stage: int(v.version) for v in client.get_latest_versions(name)}
    assert latest == {"Staging": 1, "Archived": 2, "Production": 3}
    assert [int(v.version) for v in client.get_latest_versions(name, ["production"])] == [3]
    with pytest.raises(MlflowException):
        client.transition_model_version_stage(name, "1", "Nowhere")


def test_aliases(client, name, source):
    client.create_registered_model(name)
    make_version(client, name, source)
    make_version(client, name, source)
    client.set_registered_model_alias(name, "champion", "1")
    assert int(client.get_model_version_by_alias(name, "champion").version) == 1
    client.set_registered_model_alias(name, "champion", 2)
    client.set_registered_model_alias(name, "other", 2)
    assert sorted(client.get_model_version(name, "2").aliases) == ["champion", "other"]
    client.delete_registered_model_alias(name, "other")
    with pytest.raises(MlflowException):
        client.get_model_version_by_alias(name, "other")
    for bad in ("latest", "v1", "LATEST", "a b", "x" * 256):
        with pytest.raises(MlflowException):
            client.set_registered_model_alias(name, bad, "1")
    client.delete_model_version(name, "2")
    assert "champion" not in client.get_registered_model(name).aliases


def test_searching_models_and_versions(client, name, source):
    for letter in "abc":
        client.create_registered_model(f"{name}-{letter}", tags={"l": letter})
        make_version(client, f"{name}-{letter}", source, tags={"l": letter})
    names = lambda found: [m.name[-1] for m in found]
    assert names(client.search_registered_models(f"name LIKE '{name}-%'")) == ["a", "b", "c"]
    assert names(client.search_registered_models(f"name LIKE '{name}-%'", order_by=["name DESC"])) == ["c", "b", "a"]
    assert names(client.search_registered_models(f"name ILIKE '{name.upper()}-%' AND tags.l != 'b'")) == ["a", "c"]
    page = client.search_registered_models(f"name LIKE '{name}-%'", max_results=2)
    assert names(page) == ["a", "b"] and page.token
    assert names(client.search_registered_models(f"name LIKE '{name}-%'", max_results=2, page_token=page.token)) == ["c"]
    assert len(client.search_model_versions(f"run_id = '{source[0]}'")) == 3
    assert names(client.search_model_versions(f"name = '{name}-b'")) == ["b"]
    assert len(client.search_model_versions(f"run_id IN ('{source[0]}', 'nothing') and tags.l = 'c'")) == 1
    assert len(client.search_model_versions(f"source_path = '{source[1]}'")) == 3
    assert client.search_model_versions(f"version_number > 1 and run_id = '{source[0]}'") == []
    for bad in ("nothing = 'x'", "name > 'a'", "creation_timestamp > 5"):
        with pytest.raises(MlflowException):
            client.search_registered_models(bad)


def test_bad_sources_are_refused(client, name, source):
    client.create_registered_model(name)
    for bad in ("/etc", "file:///etc/passwd", f"{source[1]}/../../../x", "mlflow-artifacts:/../../x"):
        with pytest.raises(MlflowException) as e:
            client.create_model_version(name, bad, run_id=source[0])
        assert e.value.error_code == "INVALID_PARAMETER_VALUE", bad
    with pytest.raises(MlflowException):
        client.create_model_version("no such model " + name, source[1], run_id=source[0])


def test_registering_and_loading_a_model(experiment, name):
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    place = {"name": "m"} if Version("3.0") <= VERSION else {"artifact_path": "m"}
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(model, **place, registered_model_name=name, pip_requirements=["scikit-learn"])
    client = mlflow.MlflowClient()
    client.set_registered_model_alias(name, "best", "1")
    for uri in (f"models:/{name}/1", f"models:/{name}@best", f"models:/{name}/latest"):
        assert mlflow.pyfunc.load_model(uri).predict([[3.0]])[0] == pytest.approx(7.0), uri
    again = mlflow.register_model(info.model_uri, name)
    assert int(again.version) == 2
    third = mlflow.register_model(f"runs:/{run.info.run_id}/m", name)
    assert int(third.version) == 3 and mlflow.pyfunc.load_model(f"models:/{name}/3").predict([[0.0]])[0] == pytest.approx(1.0)
    copied = client.copy_model_version(f"models:/{name}/1", name + "-copy")
    assert mlflow.pyfunc.load_model(f"models:/{name}-copy/{copied.version}").predict([[1.0]])[0] == pytest.approx(3.0)


@pytest.mark.skipif(Version("3.0") > VERSION, reason="prompts came with MLflow 3")
def test_prompts_live_in_the_registry_apart(client, name):
    register = mlflow.genai.register_prompt if hasattr(mlflow, "genai") and hasattr(mlflow.genai, "register_prompt") else mlflow.register_prompt
    load = mlflow.genai.load_prompt if hasattr(mlflow, "genai") and hasattr(mlflow.genai, "load_prompt") else mlflow.load_prompt
    prompt = register(name=name, template="Say {{word}}", commit_message="first")
    assert int(prompt.version) == 1 and load(f"prompts:/{name}/1").format(word="hi") == "Say hi"
    register(name=name, template="Please say {{word}}")
    assert int(load(f"prompts:/{name}/2").version) == 2
    assert name not in {m.name for m in client.search_registered_models()}


@pytest.mark.skipif(not hasattr(mlflow.MlflowClient, "create_webhook"), reason="the client of this version has no webhooks")
def test_webhooks(client, name):
    got = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        hook = client.create_webhook(name=name, url=f"http://127.0.0.1:{server.server_port}/hook",
                                     events=["registered_model.created", "model_version.created"], secret="s3cret")
        assert client.get_webhook(hook.webhook_id).name == name
        assert hook.webhook_id in {w.webhook_id for w in client.list_webhooks()}
        result = client.test_webhook(hook.webhook_id)
        assert result.success and result.response_status == 200 and len(got) == 1
        client.create_registered_model(name + "-m")
        for _ in range(200):
            if len(got) > 1:
                break
            time.sleep(0.05)
        headers, body = got[1]
        from mlflow.webhooks.delivery import _generate_hmac_signature
        headers = {k.lower(): v for k, v in headers.items()}
        wanted = _generate_hmac_signature("s3cret", headers["x-mlflow-delivery-id"], headers["x-mlflow-timestamp"], body.decode())
        assert headers["x-mlflow-signature"] == wanted and (name + "-m").encode() in body
        client.update_webhook(hook.webhook_id, status="DISABLED")
        assert str(client.get_webhook(hook.webhook_id).status).endswith("DISABLED")
        client.delete_webhook(hook.webhook_id)
        with pytest.raises(MlflowException):
            client.get_webhook(hook.webhook_id)
    finally:
        server.shutdown()
