"""Large artifacts with the stock client: a folder and a bucket behind the server, in one piece and in parts, interrupted
and gone on with, and a server that is killed in between. The bucket is moto's, a server that speaks S3."""

import contextlib
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
import servers

SCRIPT = pathlib.Path(__file__).parent / "artifact_client/upload_and_download.py"
MIB = 1 << 20
PARTS = {"MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": str(6 * MIB), "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": str(5 * MIB)}
AWS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1",
       "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture(scope="module")
def bucket_server(tmp_path_factory):
    """A server that speaks S3, with nothing in it. Its URL."""
    pytest.importorskip("moto", reason="moto is not installed (tools/requirements-test.txt)")
    port = servers.free_port()
    log = (tmp_path_factory.mktemp("moto") / "moto.log").open("wb")
    process = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=log,
                               stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def s3(bucket_server):
    """A client of it, and the name of a fresh bucket."""
    import boto3
    client = boto3.client("s3", endpoint_url=bucket_server, region_name="us-east-1", aws_access_key_id="testing",
                          aws_secret_access_key="testing")
    name = f"bucket-{time.time_ns()}"
    client.create_bucket(Bucket=name)
    return client, name


def python_of(version):
    python = servers.mlflow_python(version)
    if python is None:
        pytest.skip(f"MLflow {version} is not installed (tools/setup_mlflow)")
    return python


def upload_and_download(python, server, folder, size_bytes, env=None):
    result = subprocess.run([python, SCRIPT, str(size_bytes), folder], cwd=folder, text=True, capture_output=True, check=False,
                            env={**os.environ, "MLFLOW_TRACKING_URI": server.url, "GIT_PYTHON_REFRESH": "quiet",
                                 "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_DISABLE_TELEMETRY": "true",
                                 "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false", **(env or {})})
    assert result.returncode == 0, result.stderr[-8000:] + server.log.read_text()[-2000:]
    return json.loads(result.stdout.strip().splitlines()[-1])


def requests_of(folder):
    """(method, path) of every request, from the access log."""
    return [(line["method"], line["path"]) for line in map(json.loads, (folder / "access.log").read_text().splitlines())]


def start(folder, *options, env=None, destination=None):
    return servers.sluice_server(folder, "--access-log", folder / "access.log", *options, env={**AWS, **(env or {})},
                                 destination=destination)


def stored(folder):
    """Every file and its size, without the marks of uploads that are complete."""
    files = [path for path in folder.rglob("*") if path.is_file() and not (path.parent / "done").exists()]
    return {str(path.relative_to(folder)): path.stat().st_size for path in files}


@pytest.mark.parametrize("version", servers.MLFLOW_VERSIONS)
def test_uploads_in_parts_to_a_folder(version, tmp_path):
    # The newest client learns from server-info that it may; older ones are told by the user.
    env = PARTS if version == servers.MLFLOW_VERSIONS[0] else {**PARTS, "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "true"}
    with start(tmp_path) as server:
        facts = upload_and_download(python_of(version), server, tmp_path, 23 * MIB + 17, env)
    asked = requests_of(tmp_path)
    assert sum("/mpu/part/" in path for method, path in asked if method == "PUT") == 5
    assert sum("/mpu/complete/" in path for _, path in asked) == 1
    assert stored(tmp_path / "artifacts") == {
        f"1/{facts['run_id']}/artifacts/some folder/large file.bin": 23 * MIB + 17,
        f"1/{facts['run_id']}/artifacts/small.txt": 5}


def test_uploads_in_parts_where_users_sign_in(tmp_path):
    # The client sends no credentials with a part: what is in its URL must do.
    with start(tmp_path, "--app-name", "basic-auth", env={"MLFLOW_AUTH_ADMIN_PASSWORD": "a long password"}) as server:
        assert request(server, "GET", "/api/2.0/mlflow-artifacts/artifacts")[0] == 401
        upload_and_download(python_of(servers.MLFLOW_VERSIONS[0]), server, tmp_path, 7 * MIB,
                            {**PARTS, "MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": "a long password"})
        parts = [path for _, path in requests_of(tmp_path) if "/mpu/part/" in path]
        assert len(parts) == 2
        # Without an upload's id there is no right.
        for query in ("", "?part_number=1", f"?upload_id={'0' * 32}&part_number=1"):
            assert request(server, "PUT", urllib.parse.quote(parts[0]) + query, b"x")[0] in (400, 404)


def test_more_than_500_mib_with_the_clients_own_settings(tmp_path):
    with start(tmp_path) as server:
        facts = upload_and_download(python_of(servers.MLFLOW_VERSIONS[0]), server, tmp_path, 500 * MIB + 1)
    assert sum("/mpu/part/" in path for _, path in requests_of(tmp_path)) == 51
    print(f"500 MiB in parts: up {facts['up_s']:.1f} s, down {facts['down_s']:.1f} s")


@pytest.mark.parametrize("direct", [False, True], ids=["through the server", "straight to the bucket"])
@pytest.mark.parametrize("version", servers.MLFLOW_VERSIONS)
def test_uploads_in_parts_to_a_bucket(version, direct, tmp_path, s3, bucket_server):
    client, bucket = s3
    env = PARTS if version == servers.MLFLOW_VERSIONS[0] else {**PARTS, "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "true"}
    options = ["--direct-bucket-access"] if direct else []
    with start(tmp_path, *options, destination=f"s3://{bucket}/team/ml",
               env={"MLFLOW_S3_ENDPOINT_URL": bucket_server}) as server:
        facts = upload_and_download(python_of(version), server, tmp_path, 12 * MIB + 5, env)
    asked = requests_of(tmp_path)
    assert sum("/mpu/part/" in path for _, path in asked) == (0 if direct else 3)
    assert any("/presigned/" in path for _, path in asked) == (direct and version == servers.MLFLOW_VERSIONS[0])
    keys = {o["Key"]: o["Size"] for o in client.list_objects_v2(Bucket=bucket)["Contents"]}
    assert keys == {f"team/ml/1/{facts['run_id']}/artifacts/some folder/large file.bin": 12 * MIB + 5,
                    f"team/ml/1/{facts['run_id']}/artifacts/small.txt": 5}
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)


def test_the_clients_own_checks_with_a_bucket(tmp_path, s3, bucket_server):
    python = python_of(servers.MLFLOW_VERSIONS[0])
    checks = pathlib.Path(__file__).parent / "mlflow_client"
    with start(tmp_path, destination=f"s3://{s3[1]}/p", env={"MLFLOW_S3_ENDPOINT_URL": bucket_server}) as server:
        result = subprocess.run(
            [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", "-c", "/dev/null", "--rootdir", checks,
             "-o", "python_files=check_*.py", checks / "check_artifacts.py"],
            cwd=tmp_path, text=True, capture_output=True, check=False,
            env={**os.environ, "MLFLOW_TRACKING_URI": server.url, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
                 "GIT_PYTHON_REFRESH": "quiet", "MLFLOW_DISABLE_TELEMETRY": "true", "TMPDIR": str(tmp_path)})
    assert result.returncode == 0, result.stdout[-8000:] + server.log.read_text()[-2000:]


def test_the_suite_of_remotes_with_a_bucket(tmp_path, bucket_server):
    suite = servers.BUILD / "src/objects/objects_test"
    if not suite.exists():
        pytest.skip(f"{suite} is not built")
    result = subprocess.run([suite, "--gtest_filter=S3/*:RemoteS3.*"], cwd=tmp_path, text=True, capture_output=True, check=False,
                            env={**os.environ, "SLUICE_TEST_S3": bucket_server})
    assert result.returncode == 0 and "OK ] S3/RemoteContract.PartsBecomeOneFile" in result.stdout, result.stdout[-4000:]


def test_what_an_upload_says_of_itself_reaches_the_bucket(tmp_path, s3, bucket_server):
    client, bucket = s3
    arguments = {"ServerSideEncryption": "AES256", "StorageClass": "STANDARD_IA", "ACL": "private", "Metadata": {"team": "x"}}
    with start(tmp_path, destination=f"s3://{bucket}",
               env={"MLFLOW_S3_ENDPOINT_URL": bucket_server, "MLFLOW_S3_UPLOAD_EXTRA_ARGS": json.dumps(arguments)}) as server:
        put(server, "0/r/a.csv", b"a,b\n")
        put(server, "0/r/large.bin", b"x" * (20 * MIB))
        assert get(server, "0/r/a.csv") == (200, b"a,b\n")
        assert get(server, "0/r/large.bin", {"Range": "bytes=5-9"}) == (206, b"xxxxx")
    for key, size in [("0/r/a.csv", 4), ("0/r/large.bin", 20 * MIB)]:
        head = client.head_object(Bucket=bucket, Key=key)
        assert (head["ContentLength"], head["ServerSideEncryption"], head["StorageClass"], head["Metadata"]) == (
            size, "AES256", "STANDARD_IA", {"team": "x"})
    assert client.head_object(Bucket=bucket, Key="0/r/a.csv")["ContentType"] == "text/plain"


def test_a_bucket_that_is_not_there_is_told_without_secrets(tmp_path, bucket_server):
    with start(tmp_path, destination="s3://no-such-bucket/x",
               env={"MLFLOW_S3_ENDPOINT_URL": bucket_server, "AWS_SECRET_ACCESS_KEY": "very-secret"}) as server:
        status, answer = request(server, "PUT", "/api/2.0/mlflow-artifacts/artifacts/0/a", b"x")
    assert status == 400 and b"no-such-bucket" in answer and b"NoSuchBucket" in answer
    assert b"very-secret" not in answer and "very-secret" not in server.log.read_text()


def test_an_experiment_may_have_a_bucket_of_its_own(tmp_path, s3, bucket_server):
    client, bucket = s3
    with start(tmp_path, env={"MLFLOW_S3_ENDPOINT_URL": bucket_server}) as server:
        created = call(server, "experiments/create", {"name": "own", "artifact_location": f"s3://{bucket}/own"})
        run = call(server, "runs/create", {"experiment_id": created["experiment_id"]})["run"]["info"]
        assert run["artifact_uri"] == f"s3://{bucket}/own/{run['run_id']}/artifacts"
        upload = call(server, "artifacts/presigned-upload-url", {"run_id": run["run_id"], "path": "d/ä b.txt"})
        sent = urllib.request.Request(upload["presigned_url"], b"hello", upload["headers"], method="PUT")
        assert urllib.request.urlopen(sent).status == 200
        assert client.get_object(Bucket=bucket, Key=f"own/{run['run_id']}/artifacts/d/ä b.txt")["Body"].read() == b"hello"
        download = call(server, "artifacts/presigned-download-url", {"run_id": run["run_id"], "path": "d/ä b.txt"})
        assert download["file_size"] == 5 and urllib.request.urlopen(download["presigned_url"]).read() == b"hello"
        listed = json.loads(request(server, "GET", f"/api/2.0/mlflow/artifacts/list?run_id={run['run_id']}&path=d")[1])
        assert listed["files"] == [{"path": "d/ä b.txt", "is_dir": False, "file_size": 5}]
        assert request(server, "GET", f"/get-artifact?run_id={run['run_id']}&path=d/%C3%A4%20b.txt") == (200, b"hello")


def test_an_upload_goes_on_after_the_server_was_killed(tmp_path):
    port = servers.free_port()
    create = "/api/2.0/mlflow-artifacts/mpu/create/0/r"
    with servers.sluice_server(tmp_path, port=port) as server:
        upload = json.loads(request(server, "POST", create, json.dumps({"path": "x", "num_parts": 2}).encode(), JSON)[1])
        first = put_url(upload["credentials"][0]["url"], b"a" * 100)
        # Half a file is on its way when the server dies.
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.putrequest("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/r/half")
        connection.putheader("Content-Length", "1000000")
        connection.endheaders()
        connection.send(b"x" * 500_000)
        time.sleep(0.3)
        assert len(list((tmp_path / "artifacts/.sluice-uploads").glob("tmp-*/*"))) == 1
        server.kill()
    with servers.sluice_server(tmp_path, port=port) as server:
        assert not list((tmp_path / "artifacts/.sluice-uploads").glob("tmp-*/*"))
        second = put_url(upload["credentials"][1]["url"], b"b")
        parts = [{"part_number": 1, "etag": first}, {"part_number": 2, "etag": second}]
        complete = json.dumps({"path": "x", "upload_id": upload["upload_id"], "parts": parts}).encode()
        assert request(server, "POST", create.replace("create", "complete"), complete, JSON) == (200, b"{}")
        assert get(server, "0/r/x") == (200, b"a" * 100 + b"b")
        assert get(server, "0/r/half")[0] == 404
    assert stored(tmp_path / "artifacts") == {"0/r/x": 101}


def test_an_upload_that_breaks_off_leaves_nothing(tmp_path):
    with servers.sluice_server(tmp_path) as server:
        put(server, "0/a", b"old")
        for framing in ("length", "chunked"):
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            connection.putrequest("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/a")
            if framing == "length":
                connection.putheader("Content-Length", "1000000")
            else:
                connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders()
            connection.send(b"x" * 500_000 if framing == "length" else b"7a120\r\n" + b"x" * 500_000 + b"\r\n")
            connection.close()
        deadline = time.monotonic() + 10
        while list((tmp_path / "artifacts/.sluice-uploads").glob("tmp-*/*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert get(server, "0/a") == (200, b"old")
    assert stored(tmp_path / "artifacts") == {"0/a": 3}


JSON = {"Content-Type": "application/json"}


def request(server, method, path, body=None, headers=None):
    sent = urllib.request.Request(server.url + path, body, headers or {}, method=method)
    try:
        with urllib.request.urlopen(sent, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def put(server, path, body):
    assert request(server, "PUT", f"/api/2.0/mlflow-artifacts/artifacts/{path}", body) == (200, b"")


def put_url(url, body):
    with urllib.request.urlopen(urllib.request.Request(url, body, method="PUT"), timeout=60) as answer:
        return answer.headers["ETag"]


def get(server, path, headers=None):
    return request(server, "GET", f"/api/2.0/mlflow-artifacts/artifacts/{path}", headers=headers)


def call(server, path, body):
    status, answer = request(server, "POST", f"/api/2.0/mlflow/{path}", json.dumps(body).encode(), JSON)
    assert status == 200, answer
    return json.loads(answer)
