"""Checks that drive the real `mlflow` package of one version, its AuthServiceClient above all, against a server with users
at MLFLOW_TRACKING_URI. Run by tests/compat/test_mlflow_auth.py in that version's own virtual environment; the
administrator's name and password are in the variables that the client itself reads. MLflow 3.17.2's own server passes them
too, apart from those about tokens, which it has not."""

import contextlib
import os
import pathlib
import uuid

import mlflow
import pytest
import requests
from mlflow import MlflowException
from mlflow.server.auth.client import AuthServiceClient
from packaging.version import Version

URL = os.environ["MLFLOW_TRACKING_URI"]
ADMIN = (os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"])
PASSWORD = "correct horse battery"
# With 3.17 the routes for single kinds of resources went and roles came.
HAS_ROLES = Version(mlflow.__version__) >= Version("3.17")
has_roles = pytest.mark.skipif(not HAS_ROLES, reason="roles came with MLflow 3.17")
has_resource_grants = pytest.mark.skipif(HAS_ROLES, reason="these calls went with MLflow 3.17")


@contextlib.contextmanager
def signed_in(name, password=PASSWORD):
    before = {k: os.environ[k] for k in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")}
    os.environ.update(MLFLOW_TRACKING_USERNAME=name, MLFLOW_TRACKING_PASSWORD=password)
    try:
        yield
    finally:
        os.environ.update(before)


@pytest.fixture(autouse=True)
def tracking_uri():
    mlflow.set_tracking_uri(URL)


@pytest.fixture
def auth():
    return AuthServiceClient(URL)


@pytest.fixture
def client():
    return mlflow.MlflowClient(URL)


def new_name(kind):
    return f"{kind}-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def user(auth):
    return auth.create_user(new_name("user"), PASSWORD)


@pytest.fixture
def other(auth):
    return auth.create_user(new_name("other"), PASSWORD)


def refusal_of(call):
    with pytest.raises(MlflowException) as caught:
        call()
    return str(caught.value)


def assert_forbidden(call):
    message = refusal_of(call)
    assert "403" in message and "Permission denied" in message, message


def assert_unauthenticated(call):
    message = refusal_of(call)
    assert "401" in message and "not authenticated" in message, message


def test_without_or_with_wrong_credentials_nothing_is_answered(client, auth, user):
    with signed_in(user.username, "wrong horse battery"):
        assert_unauthenticated(lambda: client.search_experiments())
    with signed_in("nobody"):
        assert_unauthenticated(lambda: auth.get_user(user.username))
    response = requests.get(f"{URL}/api/2.0/mlflow/experiments/search")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="mlflow"'
    assert requests.get(f"{URL}/health").text == "OK"
    assert requests.get(f"{URL}/api/3.0/mlflow/server-info").status_code == 200


def test_users_are_made_changed_and_removed(auth, user):
    assert user.username.startswith("user-") and not user.is_admin
    found = auth.get_user(user.username)
    assert (found.id, found.username, found.is_admin) == (user.id, user.username, False)
    assert "already exists" in refusal_of(lambda: auth.create_user(user.username, PASSWORD))
    assert "at least 12 characters" in refusal_of(lambda: auth.create_user(new_name("user"), "short"))
    assert "400" in refusal_of(lambda: auth.create_user("", PASSWORD))
    auth.update_user_admin(user.username, True)
    assert auth.get_user(user.username).is_admin
    auth.update_user_admin(user.username, False)
    auth.update_user_password(user.username, "another long password")
    with signed_in(user.username, "another long password"):
        assert auth.get_user(user.username).id == user.id
    with signed_in(user.username):
        assert_unauthenticated(lambda: auth.get_user(user.username))
    auth.delete_user(user.username)
    assert f"User with username={user.username} not found" in refusal_of(lambda: auth.get_user(user.username))
    assert "not found" in refusal_of(lambda: auth.delete_user(user.username))


def test_users_manage_nobody_but_themselves(auth, user, other):
    with signed_in(user.username):
        assert auth.get_user(user.username).id == user.id
        assert_forbidden(lambda: auth.get_user(other.username))
        assert_forbidden(lambda: auth.create_user(new_name("user"), PASSWORD))
        assert_forbidden(lambda: auth.update_user_admin(user.username, True))
        assert_forbidden(lambda: auth.update_user_password(other.username, "another long password"))
        assert_forbidden(lambda: auth.delete_user(other.username))


def test_users_change_their_own_password(auth, user):
    with signed_in(user.username):
        if HAS_ROLES:
            assert "Current password is required" in refusal_of(
                lambda: auth.update_user_password(user.username, "another long password"))
            assert "does not match" in refusal_of(lambda: auth.update_user_password(
                user.username, "another long password", current_password="wrong horse battery"))
            auth.update_user_password(user.username, "another long password", current_password=PASSWORD)
        else:
            auth.update_user_password(user.username, "another long password")
    with signed_in(user.username, "another long password"):
        assert auth.get_user(user.username).id == user.id


def test_the_creator_of_an_experiment_manages_it(client, auth, user, other):
    with signed_in(user.username):
        experiment_id = client.create_experiment(new_name("exp"))
        run = client.create_run(experiment_id)
        client.log_metric(run.info.run_id, "loss", 0.5)
        client.log_batch(run.info.run_id, params=[mlflow.entities.Param("a", "1")])
    with signed_in(other.username):  # default_permission is READ
        assert client.get_run(run.info.run_id).data.metrics == {"loss": 0.5}
        assert_forbidden(lambda: client.log_metric(run.info.run_id, "loss", 0.4))
        assert_forbidden(lambda: client.create_run(experiment_id))
        assert_forbidden(lambda: client.set_experiment_tag(experiment_id, "a", "b"))
        assert_forbidden(lambda: client.delete_experiment(experiment_id))
        assert_forbidden(lambda: client.delete_run(run.info.run_id))
    with signed_in(user.username):
        client.delete_run(run.info.run_id)
        client.delete_experiment(experiment_id)


def test_the_creator_of_a_model_manages_it_and_a_rename_takes_the_permission_along(client, user, other):
    name, renamed = new_name("model"), new_name("model")
    with signed_in(user.username):
        client.create_registered_model(name)
        client.update_registered_model(name, description="mine")
    with signed_in(other.username):
        assert client.get_registered_model(name).description == "mine"
        assert_forbidden(lambda: client.update_registered_model(name, description="theirs"))
        assert_forbidden(lambda: client.delete_registered_model(name))
    with signed_in(user.username):
        client.rename_registered_model(name, renamed)
        client.update_registered_model(renamed, description="still mine")
        client.delete_registered_model(renamed)
    with signed_in(other.username):  # a new model of that name is not the former owner's
        client.create_registered_model(renamed)
    with signed_in(user.username):
        assert_forbidden(lambda: client.update_registered_model(renamed, description="mine again?"))


def grant(auth, username, kind, resource_id, permission):
    if HAS_ROLES:
        if permission == "NO_PERMISSIONS":
            permission = "DENY"  # the name of nothing at all since 3.17
        auth.grant_user_permission(username, kind, resource_id, permission)
    elif kind == "experiment":
        auth.create_experiment_permission(resource_id, username, permission)
    else:
        auth.create_registered_model_permission(resource_id, username, permission)


def test_grants_open_and_close_experiments(client, auth, user, other):
    with signed_in(user.username):
        experiment_id = client.create_experiment(new_name("exp"))
        run_id = client.create_run(experiment_id).info.run_id
        grant(auth, other.username, "experiment", experiment_id, "EDIT")
    with signed_in(other.username):
        client.log_metric(run_id, "loss", 0.1)
        assert_forbidden(lambda: client.delete_experiment(experiment_id))
    hidden = client.create_experiment(new_name("exp"))
    hidden_run = client.create_run(hidden).info.run_id
    grant(auth, other.username, "experiment", hidden, "NO_PERMISSIONS")
    with signed_in(other.username):
        assert_forbidden(lambda: client.get_experiment(hidden))
        assert_forbidden(lambda: client.get_run(hidden_run))
        assert_forbidden(lambda: client.get_metric_history(hidden_run, "loss"))
        assert_forbidden(lambda: client.list_artifacts(hidden_run))
        found = {e.experiment_id for e in client.search_experiments()}
        assert experiment_id in found and hidden not in found
        runs = client.search_runs([experiment_id, hidden])
        assert {r.info.experiment_id for r in runs} == {experiment_id}


def test_pages_of_searches_are_full_although_much_is_hidden(client, auth, user):
    prefix = new_name("page")
    ids = [client.create_experiment(f"{prefix}-{i:02}") for i in range(20)]
    for experiment_id in ids[::2]:
        grant(auth, user.username, "experiment", experiment_id, "NO_PERMISSIONS")
    names = [f"{prefix}-m{i:02}" for i in range(12)]
    for name in names:
        client.create_registered_model(name)
    for name in names[:8]:
        grant(auth, user.username, "registered_model", name, "NO_PERMISSIONS")
    with signed_in(user.username):
        page = client.search_experiments(filter_string=f"name LIKE '{prefix}%'", max_results=4)
        seen = [e.experiment_id for e in page]
        assert len(page) == 4
        while page.token:
            page = client.search_experiments(filter_string=f"name LIKE '{prefix}%'", max_results=4, page_token=page.token)
            seen += [e.experiment_id for e in page]
        assert sorted(seen) == sorted(ids[1::2])
        models = client.search_registered_models(filter_string=f"name LIKE '{prefix}%'", max_results=3)
        assert [m.name for m in models] == names[8:11]


def test_artifacts_are_as_closed_as_their_experiment(client, auth, user, tmp_path):
    experiment_id = client.create_experiment(new_name("exp"))
    run_id = client.create_run(experiment_id).info.run_id
    file = pathlib.Path(tmp_path, "secret.txt")
    file.write_text("secret")
    client.log_artifact(run_id, str(file))
    uri = client.get_run(run_id).info.artifact_uri
    assert uri.startswith("mlflow-artifacts:/")
    path = f"/api/2.0/mlflow-artifacts/artifacts/{uri.removeprefix('mlflow-artifacts:/').lstrip('/')}/secret.txt"
    credentials = (user.username, PASSWORD)
    assert requests.get(URL + path, auth=credentials).text == "secret"
    assert requests.put(URL + path, data="mine", auth=credentials).status_code == 403
    assert requests.delete(URL + path, auth=credentials).status_code == 403
    grant(auth, user.username, "experiment", experiment_id, "NO_PERMISSIONS")
    assert requests.get(URL + path, auth=credentials).status_code == 403
    assert requests.get(f"{URL}/get-artifact", params={"run_id": run_id, "path": "secret.txt"},
                        auth=credentials).status_code == 403
    assert requests.get(URL + path).status_code == 401


def test_a_version_cannot_be_made_from_what_one_may_not_read(client, auth, user):
    experiment_id = client.create_experiment(new_name("exp"))
    run = client.create_run(experiment_id)
    grant(auth, user.username, "experiment", experiment_id, "NO_PERMISSIONS")
    with signed_in(user.username):
        name = new_name("model")
        client.create_registered_model(name)
        assert_forbidden(lambda: client.create_model_version(
            name, f"{run.info.artifact_uri}/model", run_id=run.info.run_id))
    if HAS_ROLES:  # older servers take an empty id for none
        answer = requests.post(f"{URL}/api/2.0/mlflow/model-versions/create", auth=(user.username, PASSWORD),
                               json={"name": name, "source": f"{run.info.artifact_uri}/model", "run_id": ""})
        assert answer.status_code == 403, answer.text


@has_resource_grants
def test_experiment_permissions_are_made_changed_and_removed(client, auth, user):
    experiment_id = client.create_experiment(new_name("exp"))
    made = auth.create_experiment_permission(experiment_id, user.username, "EDIT")
    assert (made.experiment_id, made.user_id, made.permission) == (experiment_id, user.id, "EDIT")
    assert "already exists" in refusal_of(
        lambda: auth.create_experiment_permission(experiment_id, user.username, "READ"))
    assert "Invalid permission" in refusal_of(
        lambda: auth.update_experiment_permission(experiment_id, user.username, "SEE"))
    auth.update_experiment_permission(experiment_id, user.username, "MANAGE")
    assert auth.get_experiment_permission(experiment_id, user.username).permission == "MANAGE"
    assert [p.permission for p in auth.get_user(user.username).experiment_permissions] == ["MANAGE"]
    auth.delete_experiment_permission(experiment_id, user.username)
    assert "not found" in refusal_of(lambda: auth.get_experiment_permission(experiment_id, user.username))
    assert "not found" in refusal_of(lambda: auth.delete_experiment_permission(experiment_id, user.username))
    with signed_in(user.username):
        assert_forbidden(lambda: auth.create_experiment_permission(experiment_id, user.username, "EDIT"))


@has_resource_grants
def test_model_permissions_are_made_changed_and_removed(client, auth, user):
    name = new_name("model")
    client.create_registered_model(name)
    made = auth.create_registered_model_permission(name, user.username, "READ")
    assert (made.name, made.user_id, made.permission) == (name, user.id, "READ")
    auth.update_registered_model_permission(name, user.username, "EDIT")
    assert auth.get_registered_model_permission(name, user.username).permission == "EDIT"
    assert [p.name for p in auth.get_user(user.username).registered_model_permissions] == [name]
    auth.delete_registered_model_permission(name, user.username)
    assert "not found" in refusal_of(lambda: auth.get_registered_model_permission(name, user.username))


@has_roles
def test_grants_are_made_looked_up_and_revoked(client, auth, user, other):
    experiment_id = client.create_experiment(new_name("exp"))
    before = auth.get_user_permission(user.username, "experiment", experiment_id)
    assert (before.allowed, before.permission) == (False, "READ")
    auth.grant_user_permission(user.username, "experiment", experiment_id, "EDIT")
    assert "already exists" in refusal_of(
        lambda: auth.grant_user_permission(user.username, "experiment", experiment_id, "READ"))
    after = auth.get_user_permission(user.username, "experiment", experiment_id)
    assert (after.allowed, after.permission) == (True, "EDIT")
    auth.revoke_user_permission(user.username, "experiment", experiment_id)
    assert "not found" in refusal_of(
        lambda: auth.revoke_user_permission(user.username, "experiment", experiment_id))
    assert "not supported" in refusal_of(
        lambda: auth.grant_user_permission(user.username, "workspace", "*", "USE"))
    assert "Invalid permission" in refusal_of(
        lambda: auth.grant_user_permission(user.username, "experiment", experiment_id, "NO_PERMISSIONS"))
    assert "Invalid resource type" in refusal_of(
        lambda: auth.grant_user_permission(user.username, "table", "1", "READ"))
    with signed_in(user.username):
        assert_forbidden(lambda: auth.grant_user_permission(user.username, "experiment", experiment_id, "EDIT"))
        assert_forbidden(lambda: auth.grant_user_permission(user.username, "experiment", "*", "EDIT"))
        assert_forbidden(lambda: auth.get_user_permission(other.username, "experiment", experiment_id))


@has_roles
def test_roles_give_and_deny(client, auth, user):
    role = auth.create_role("default", new_name("role"), description="scientists")
    assert (role.workspace, role.description, role.permissions) == ("default", "scientists", [])
    assert "already exists" in refusal_of(lambda: auth.create_role("default", role.name))
    experiment_id = client.create_experiment(new_name("exp"))
    edit = auth.add_role_permission(role.id, "experiment", "*", "EDIT")
    assert (edit.role_id, edit.resource_type, edit.resource_pattern, edit.permission) == (role.id, "experiment", "*", "EDIT")
    assignment = auth.assign_role(user.username, role.id)
    assert (assignment.user_id, assignment.role_id) == (user.id, role.id)
    assert [a.user_id for a in auth.list_role_users(role.id)] == [user.id]
    assert role.id in [r.id for r in auth.list_user_roles(user.username)]
    with signed_in(user.username):
        run_id = client.create_run(experiment_id).info.run_id
    auth.grant_user_permission(user.username, "experiment", experiment_id, "DENY")
    with signed_in(user.username):
        assert_forbidden(lambda: client.get_run(run_id))
    auth.revoke_user_permission(user.username, "experiment", experiment_id)
    # A part of an experiment may be closed although the experiment is open.
    deny = auth.add_role_permission(role.id, "run", "*", "DENY")
    with signed_in(user.username):
        assert client.get_experiment(experiment_id).experiment_id == experiment_id
        assert_forbidden(lambda: client.get_run(run_id))
        assert client.search_runs([experiment_id]) == []
    assert auth.update_role_permission(deny.id, "READ").permission == "READ"
    with signed_in(user.username):
        assert client.get_run(run_id).info.run_id == run_id
        assert_forbidden(lambda: client.log_metric(run_id, "a", 1))
    assert [p.id for p in auth.list_role_permissions(role.id)] == [edit.id, deny.id]
    auth.remove_role_permission(deny.id)
    assert auth.update_role(role.id, name=role.name + "-2").name == role.name + "-2"
    assert role.id in [r.id for r in auth.list_roles("default")]
    assert role.id in [r.id for r in auth.list_all_roles()]
    with signed_in(user.username):
        assert_forbidden(lambda: auth.delete_role(role.id))
        assert_forbidden(lambda: auth.add_role_permission(role.id, "experiment", "1", "MANAGE"))
    auth.unassign_role(user.username, role.id)
    auth.delete_role(role.id)
    assert f"Role with id={role.id} not found" in refusal_of(lambda: auth.get_role(role.id))
    assert "wildcard" in refusal_of(
        lambda: auth.add_role_permission(auth.create_role("default", new_name("role")).id, "run", "r1", "READ"))


def test_tokens_work_as_bearer_and_as_password(client, user):
    response = requests.post(f"{URL}/api/2.0/sluice/tokens/create", json={"name": "ci", "read_only": True, "expires_in": "1h"},
                             auth=(user.username, PASSWORD))
    assert response.status_code == 200, response.text
    token = response.json()
    assert token["secret"].startswith("slt_") and token["token"]["read_only"]
    with signed_in(user.username, token["secret"]):
        assert client.search_experiments()
        assert_forbidden(lambda: client.create_experiment(new_name("exp")))
    bearer = {"Authorization": f"Bearer {token['secret']}"}
    search = f"{URL}/api/2.0/mlflow/experiments/search?max_results=5"
    assert requests.get(search, headers=bearer).status_code == 200
    listed = requests.get(f"{URL}/api/2.0/sluice/tokens/list", auth=(user.username, PASSWORD)).json()["tokens"]
    assert [t["id"] for t in listed] == [token["token"]["id"]] and "secret" not in listed[0]
    assert requests.post(f"{URL}/api/2.0/sluice/tokens/create", json={"name": "more"}, headers=bearer).status_code == 403
    assert requests.post(f"{URL}/api/2.0/sluice/tokens/revoke", json={"token_id": token["token"]["id"]},
                         auth=(user.username, PASSWORD)).status_code == 200
    assert requests.get(search, headers=bearer).status_code == 401


def test_a_token_for_one_experiment_opens_no_other(client, user):
    with signed_in(user.username):
        one, two = (client.create_experiment(new_name("exp")) for _ in range(2))
    secret = requests.post(f"{URL}/api/2.0/sluice/tokens/create", json={"name": "ci", "experiment_ids": [one]},
                           auth=(user.username, PASSWORD)).json()["secret"]
    with signed_in(user.username, secret):
        run_id = client.create_run(one).info.run_id
        client.log_metric(run_id, "loss", 1)
        assert_forbidden(lambda: client.create_run(two))
        assert_forbidden(lambda: client.get_experiment(two))
        assert [e.experiment_id for e in client.search_experiments()] == [one]


def test_the_sign_up_form_makes_users_with_its_token_alone(auth):
    import re
    browser = requests.Session()  # MLflow's own token is bound to a cookie
    page = browser.get(f"{URL}/signup", auth=ADMIN)
    assert page.status_code == 200 and "form" in page.text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text).group(1)
    target = f"{URL}/api/2.0/mlflow/users/create-ui"
    name = new_name("form")
    form = {"username": name, "password": PASSWORD}
    assert browser.post(target, data=form, auth=ADMIN).status_code == 400
    assert browser.post(target, data={**form, "csrf_token": "1.2"}, auth=ADMIN).status_code == 400
    evil = {"Origin": "https://evil.example.org"}
    assert browser.post(target, data={**form, "csrf_token": token}, auth=ADMIN, headers=evil).status_code == 403
    assert browser.post(target, json={**form, "csrf_token": token}, auth=ADMIN).status_code == 400
    assert browser.post(target, data={**form, "csrf_token": token}, auth=ADMIN).status_code == 200
    assert auth.get_user(name).username == name
    again = browser.post(target, data={**form, "csrf_token": token}, auth=ADMIN)
    assert again.status_code == 400 and "already been taken" in again.text
    odd = browser.post(target, data={"username": "<b>x", "password": "short", "csrf_token": token}, auth=ADMIN)
    assert "<b>" not in odd.text
