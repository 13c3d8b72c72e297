"""Nothing that `sluice server` writes holds a secret: neither its words, nor its access log, nor (but for what is there to be
read back by it) its database, and no answer but the one that gives a token out."""

import json
import pathlib
import sys

import pytest
import requests

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import servers  # noqa: E402

ROOT_PASSWORD = "hush-root-password-1"
WRONG_PASSWORD = "hush-wrong-password-2"
ADA_PASSWORD = "hush-ada-password-3"
NEW_PASSWORD = "hush-new-password-4"
WEBHOOK_SECRET = "hush-webhook-secret-5"
WEBHOOK_PATH = "hush-webhook-path-6"  # chat services put the right to post into the URL
SEALING_KEY = "hush-sealing-key-7"
BUCKET_SECRET = "hush-bucket-secret-8"
DATABASE_PASSWORD = "hush-database-password-9"
FOREIGN_TOKEN = "slt_hushforeigntoken"


def test_no_log_and_no_file_holds_a_secret(tmp_path):
    access_log = tmp_path / "access.log"
    env = {"MLFLOW_AUTH_ADMIN_USERNAME": "root", "MLFLOW_AUTH_ADMIN_PASSWORD": ROOT_PASSWORD,
           "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": SEALING_KEY, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
           "AWS_SECRET_ACCESS_KEY": BUCKET_SECRET, "MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:9"}
    secrets = [ROOT_PASSWORD, WRONG_PASSWORD, ADA_PASSWORD, NEW_PASSWORD, WEBHOOK_SECRET, SEALING_KEY, BUCKET_SECRET,
               FOREIGN_TOKEN]
    answers = []
    with servers.sluice_server(tmp_path, "--app-name", "basic-auth", "--access-log", access_log, env=env) as server:
        mlflow, ours = f"{server.url}/api/2.0/mlflow", f"{server.url}/api/2.0/sluice"

        def call(method, url, auth=("root", ROOT_PASSWORD), expected=200, **more):
            answer = requests.request(method, url, auth=auth, timeout=60, **more)
            assert answer.status_code == expected, answer.text
            answers.append(answer.text)
            return answer

        def bearer(token):
            return {"Authorization": f"Bearer {token}"}

        call("POST", f"{mlflow}/users/create", json={"username": "ada", "password": ADA_PASSWORD})
        call("POST", f"{mlflow}/users/create", json={"username": "ada", "password": ADA_PASSWORD}, expected=400)
        call("POST", f"{mlflow}/users/create", json={"username": "bad:name", "password": ADA_PASSWORD}, expected=400)
        call("POST", f"{mlflow}/users/create", data='{"username": "x", "password": "%s"' % ADA_PASSWORD, expected=400)
        call("GET", f"{server.url}/version", auth=("ada", WRONG_PASSWORD), expected=401)
        call("GET", f"{server.url}/version", auth=None, headers=bearer(FOREIGN_TOKEN), expected=401)
        call("PATCH", f"{mlflow}/users/update-password", json={"username": "ada", "password": NEW_PASSWORD})

        issued = requests.post(f"{ours}/tokens/create", json={"name": "ci"}, auth=("root", ROOT_PASSWORD)).json()
        token = issued["secret"]
        secrets.append(token)
        call("GET", f"{server.url}/version", auth=None, headers=bearer(token))
        call("GET", f"{ours}/tokens/list")
        call("POST", f"{ours}/tokens/revoke", json={"token_id": issued["token"]["id"]})
        call("GET", f"{server.url}/version", auth=None, headers=bearer(token), expected=401)

        made = call("POST", f"{mlflow}/webhooks", json={
            "name": "chat", "url": f"http://127.0.0.1:9/{WEBHOOK_PATH}", "secret": WEBHOOK_SECRET,
            "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]}).json()["webhook"]
        call("GET", f"{mlflow}/webhooks/{made['webhook_id']}")
        call("POST", f"{mlflow}/webhooks/{made['webhook_id']}/test", json={})
        call("POST", f"{mlflow}/registered-models/create", json={"name": "m"})
        call("GET", f"{mlflow}/webhooks/{made['webhook_id']}/deliveries")

        # A bucket that nobody answers for.
        experiment = call("POST", f"{mlflow}/experiments/create",
                          json={"name": "e", "artifact_location": "s3://bucket/e"}).json()["experiment_id"]
        run = call("POST", f"{mlflow}/runs/create", json={"experiment_id": experiment}).json()["run"]["info"]["run_id"]
        unreachable = requests.get(f"{mlflow}/artifacts/list", params={"run_id": run}, auth=("root", ROOT_PASSWORD))
        assert unreachable.status_code >= 400
        answers.append(unreachable.text)
    assert len(access_log.read_text().splitlines()) >= len(answers)

    written = {"the log": server.log.read_text(), "the access log": access_log.read_text(), "an answer": "\n".join(answers)}
    for path in tmp_path.glob("sluice.db*"):
        written[path.name] = path.read_bytes().decode("latin-1")
    for name, text in written.items():
        found = [secret for secret in secrets if secret in text]
        assert not found, f"{name} holds {found}"
    assert WEBHOOK_PATH not in written["the log"] + written["the access log"]


@pytest.mark.parametrize("uri", ["postgresql://u:{}@127.0.0.1:9/d", "postgresql+psycopg2://u:{}@127.0.0.1:9/d?sslmode=%zz",
                                 "postgresql://u:{}@[::1/d", "mysql://u:{}@127.0.0.1/d"])
def test_no_message_about_a_database_holds_its_password(tmp_path, uri):
    with pytest.raises(AssertionError) as raised:
        servers.sluice_server(tmp_path, database=uri.format(DATABASE_PASSWORD))
    message = str(raised.value)
    assert "did not start" in message and len(message.splitlines()) > 1
    assert DATABASE_PASSWORD not in message, json.dumps(message)
