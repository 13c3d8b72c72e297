"""The real `mlflow` package, three versions of it, against `sluice server --app-name basic-auth`. The checks are in
mlflow_auth_client/."""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import time

import pytest
import requests
import servers

CHECKS = pathlib.Path(__file__).parent / "mlflow_auth_client"
CASES = [(version, "sqlite") for version in servers.MLFLOW_VERSIONS] + [(servers.MLFLOW_VERSIONS[0], "postgresql")]
ADMIN = {"MLFLOW_AUTH_ADMIN_USERNAME": "root", "MLFLOW_AUTH_ADMIN_PASSWORD": "an administrator's words"}


@pytest.mark.parametrize("version, database", CASES)
def test_the_real_auth_client(version, database, tmp_path):
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
    with servers.sluice_server(folder, "--app-name", "basic-auth", database=database, env=ADMIN) as server:
        result = subprocess.run(
            [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", "-c", "/dev/null", "--rootdir", CHECKS,
             "-o", "python_files=check_*.py", CHECKS],
            cwd=folder, text=True, capture_output=True, check=False,
            env={**os.environ, "MLFLOW_TRACKING_URI": server.url, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
                 "MLFLOW_TRACKING_USERNAME": ADMIN["MLFLOW_AUTH_ADMIN_USERNAME"],
                 "MLFLOW_TRACKING_PASSWORD": ADMIN["MLFLOW_AUTH_ADMIN_PASSWORD"],
                 "GIT_PYTHON_REFRESH": "quiet", "MLFLOW_DISABLE_TELEMETRY": "true", "TMPDIR": str(folder)})
    print("\n" + result.stdout.strip().splitlines()[-1])
    assert result.returncode == 0, result.stdout[-20000:] + server.log.read_text()[-2000:]
    assert re.search(r"\b1\d passed", result.stdout), result.stdout[-2000:]


def test_the_first_password_is_made_up_and_printed_once(tmp_path):
    empty = {"MLFLOW_AUTH_ADMIN_PASSWORD": ""}
    with servers.sluice_server(tmp_path, "--app-name", "basic-auth", env=empty) as server:
        password = re.search(r"administrator is 'admin' with the password (\S+)", server.log.read_text()).group(1)
        current = requests.get(f"{server.url}/api/2.0/mlflow/users/current", auth=("admin", password))
        assert current.json() == {"user": {"id": 1, "username": "admin", "is_admin": True}, "is_basic_auth": True}
    with servers.sluice_server(tmp_path, "--app-name", "basic-auth", env=empty) as server:
        assert "with the password" not in server.log.read_text()
        assert requests.get(f"{server.url}/version", auth=("admin", password)).status_code == 200
        assert requests.get(f"{server.url}/version").status_code == 401


def test_the_ini_file_is_read(tmp_path):
    ini = tmp_path / "auth.ini"
    ini.write_text("[mlflow]\ndefault_permission = NO_PERMISSIONS\nadmin_username = root\n"
                   f"admin_password = an administrator's words\ndatabase_uri = sqlite:///{tmp_path}/users.db\n")
    env = {"MLFLOW_AUTH_CONFIG_PATH": str(ini)}
    root = ("root", "an administrator's words")
    with servers.sluice_server(tmp_path, "--app-name", "basic-auth", env=env) as server:
        api = f"{server.url}/api/2.0/mlflow"
        assert (tmp_path / "users.db").exists()
        made = requests.post(f"{api}/users/create", json={"username": "ada", "password": "correct horse battery"}, auth=root)
        assert made.status_code == 200, made.text
        ada = ("ada", "correct horse battery")
        assert requests.get(f"{api}/experiments/get?experiment_id=0", auth=ada).status_code == 403
        assert requests.get(f"{api}/experiments/search?max_results=5", auth=ada).json() == {}


def test_settings_that_cannot_be_kept_are_refused(tmp_path):
    for text, message in [("authorization_function = my_company.auth:check", "is Python code"),
                          ("admin_password = password1234", "published"),
                          ("admin_password = short", "at least 12 characters"),
                          ("default_permission = SEE", "Invalid permission")]:
        ini = tmp_path / "auth.ini"
        ini.write_text(f"[mlflow]\n{text}\n")
        result = subprocess.run(
            [servers.SLUICE, "server", "--port", "0", "--app-name", "basic-auth", "--backend-store-uri",
             f"sqlite:///{tmp_path}/sluice.db"], cwd=tmp_path, text=True, capture_output=True, timeout=60, check=False,
            env={**os.environ, "MLFLOW_AUTH_CONFIG_PATH": str(ini)})
        assert result.returncode != 0 and message in result.stderr, result.stderr


def test_guessing_is_slowed_down_and_a_login_flood_leaves_the_server_alive(tmp_path):
    with servers.sluice_server(tmp_path, "--app-name", "basic-auth", env=ADMIN) as server:
        root = ("root", ADMIN["MLFLOW_AUTH_ADMIN_PASSWORD"])
        url = f"{server.url}/api/2.0/mlflow/experiments/search?max_results=5"
        assert requests.get(url, auth=root).status_code == 200
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            statuses = list(pool.map(lambda i: requests.get(url, auth=("root", f"guess number {i}")).status_code, range(120)))
        assert set(statuses) == {401, 429}, statuses  # ten are tried, the rest turned away
        assert statuses.count(401) == 10, statuses
        assert requests.get(url, auth=root).status_code == 200  # it was verified before
        with open(f"/proc/{server.process.pid}/status") as status:
            peak_kib = int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))
        assert peak_kib < 400_000, peak_kib


def test_a_locked_out_administrator_gets_back_in_beside_the_database(tmp_path):
    def sluice(*words, text=None):
        result = subprocess.run([servers.SLUICE, "auth", *words, "--json", "--backend-store-uri", f"sqlite:///{tmp_path}/sluice.db"],
                                input=text, text=True, capture_output=True, check=True)
        return json.loads(result.stdout)

    with servers.sluice_server(tmp_path, "--app-name", "basic-auth", env=ADMIN) as server:
        url = f"{server.url}/api/2.0/mlflow/users/current"
        assert requests.get(url, auth=("root", ADMIN["MLFLOW_AUTH_ADMIN_PASSWORD"])).status_code == 200
        password = sluice("reset-password", "root")["password"]
        assert sluice("create-user", "ada", "--password-stdin", text="correct horse battery\n") == {"username": "ada"}
        token = sluice("create-token", "ada", "--read-only")["secret"]
        time.sleep(1.1)  # what was verified is trusted for a second
        assert requests.get(url, auth=("root", ADMIN["MLFLOW_AUTH_ADMIN_PASSWORD"])).status_code == 401
        assert requests.get(url, auth=("root", password)).json()["user"]["is_admin"]
        assert requests.get(url, headers={"Authorization": f"Bearer {token}"}).json()["user"]["username"] == "ada"


def test_hosts_and_origins_are_kept_out(tmp_path):
    with servers.sluice_server(tmp_path, "--cors-allowed-origins", "https://app.example.org") as server:
        url = f"{server.url}/api/2.0/mlflow/experiments/create"

        def post(**headers):
            return requests.post(url, json={"name": f"x{time.monotonic_ns()}"}, headers=headers)

        assert post(Host="evil.example.org").text == "Invalid Host header - possible DNS rebinding attack detected"
        assert post(Host="10.evil.example.org").status_code == 403
        assert post(Origin="https://evil.example.org").text == "Cross-origin request blocked"
        assert post(Origin="null").status_code == 403
        allowed = post(Origin="https://app.example.org")
        assert allowed.status_code == 200 and allowed.headers["Access-Control-Allow-Origin"] == "https://app.example.org"
        assert post().headers["X-Frame-Options"] == "SAMEORIGIN"
        assert requests.get(f"{server.url}/health", headers={"Host": "evil.example.org"}).status_code == 200
        assert requests.get(f"{server.url}/no/such", headers={"Host": "evil.example.org"}).status_code == 403
    with servers.sluice_server(tmp_path, "--disable-security-middleware") as server:
        assert requests.get(f"{server.url}/version", headers={"Host": "evil.example.org"}).status_code == 200
        assert requests.post(f"{server.url}/api/2.0/mlflow/experiments/create", json={"name": "y"},
                             headers={"Origin": "https://evil.example.org"}).status_code == 200
