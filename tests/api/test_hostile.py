"""What somebody who means harm would send to `sluice server`. Each attempt has the answers it may get; none may leak a path of
the machine, a stack, a driver's words or another's data. `python tests/api/test_hostile.py` prints the table."""

import base64
import concurrent.futures
import contextlib
import json
import pathlib
import re
import select
import socket
import sys
import tempfile
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import servers  # noqa: E402

LEAKS = re.compile(rb"/(tmp|home|root|var|usr|work)/|\.cc\b|\.h:\d|Traceback|at 0x|sqlite3?[._]|SQLITE|libpq|psql|FROM tracking|INSERT INTO|root:x:|"
                   rb"TOP SECRET|scrypt:")
E2 = "/api/2.0/mlflow"
A = "/api/2.0/mlflow-artifacts/artifacts"


def exchange(port, data, patience=15.0, pieces=None, pause=0.0):
    """The first answer's (status, whole bytes); status 0: closed without an answer, -1: neither within the time."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as sock:
        with contextlib.suppress(OSError):
            sock.sendall(data)
            for piece in pieces or ():
                time.sleep(pause)
                sock.sendall(piece)
        got = b""
        try:
            while b"\r\n\r\n" not in got or len(got) < 64:
                more = sock.recv(65536)
                if not more:
                    break
                got += more
        except TimeoutError:
            return -1, got
        except OSError:
            pass
    found = re.match(rb"HTTP/1\.1 (\d{3})", got)
    return (int(found[1]) if found else 0), got


def ask(method, target, body=b"", headers=(), host="127.0.0.1"):
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
        if not any(h.lower().startswith("content-type") for h in headers):
            lines.append("Content-Type: application/json")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def post(path, value, **more):
    return ask("POST", f"{E2}/{path}", json.dumps(value).encode() if not isinstance(value, bytes) else value, **more)


TRAVERSALS = {
    "plain": "../../../../etc/passwd", "inside": "a/../../../../etc/passwd", "encoded": "..%2f..%2f..%2fetc%2fpasswd",
    "encoded dots": "%2e%2e/%2e%2e/etc/passwd", "encoded twice": "%252e%252e%252f%252e%252e%252fetc%252fpasswd",
    "absolute": "/etc/passwd", "absolute encoded": "%2fetc%2fpasswd", "NUL": "a%00.txt", "backslash": "..\\..\\etc\\passwd",
    "backslash encoded": "..%5c..%5cetc%5cpasswd", "drive": "C:%5cwindows%5cwin.ini", "overlong UTF-8": "%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
    "symlink to a file": "link", "symlink to a folder": "folder/secret.txt", "file scheme": "file:///etc/passwd", "fragment": "a%23/../../x",
    "line break": "a%0d%0aX-Evil:%201",
}
REFUSED = {400, 403, 404}


def attempts(port, run_id):
    """(group, name, bytes or a function of the port, statuses it may get)."""
    made = []

    def add(group, name, data, wanted, **more):
        made.append((group, name, data if callable(data) else lambda: exchange(port, data, **more), set(wanted)))

    for name, path in TRAVERSALS.items():
        query = path.replace(" ", "%20")
        for method, body in (("GET", b""), ("PUT", b"x"), ("DELETE", b""), ("HEAD", b"")):
            # Deleting nothing is fine, as with MLflow; what matters is that nothing outside goes (asserted below).
            wanted = REFUSED | ({200} if method == "DELETE" else set())
            # A PUT replaces the link itself, inside the destination; after it there is a file to GET.
            if name == "symlink to a file" or (method == "PUT" and name == "encoded twice"):
                wanted = wanted | {200}
            add("paths", f"{method} artifact, {name}", ask(method, f"{A}/{path}", body), wanted)
        add("paths", f"list artifacts, {name}", ask("GET", f"{A}?path={query}"), REFUSED | {200})
        add("paths", f"run's list, {name}", ask("GET", f"{E2}/artifacts/list?run_id={run_id}&path={query}"), REFUSED | {200})
        add("paths", f"get-artifact, {name}", ask("GET", f"/get-artifact?run_id={run_id}&path={query}"),
            REFUSED | ({200} if name == "line break" else set()))
        add("paths", f"upload-artifact, {name}", ask("POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run_id}&path={query}", b"x"), REFUSED | {200})
        add("paths", f"model version's artifact, {name}", ask("GET", f"/model-versions/get-artifact?name=m&version=1&path={query}"), REFUSED)
        add("paths", f"start of an upload in parts, {name}",
            ask("POST", f"/api/2.0/mlflow-artifacts/mpu/create/{path}", json.dumps({"path": "x", "num_parts": 1}).encode()), REFUSED | {200, 501})
        add("paths", f"presigned, {name}", ask("GET", f"/api/2.0/mlflow-artifacts/presigned/{path}"), REFUSED | {501})
    for location in ("file:///etc", "/etc", "../../etc", "mlflow-artifacts:/../../etc", "http://169.254.169.254/x", "s3://b/../../x"):
        add("paths", f"experiment at {location}", post("experiments/create", {"name": f"at {location}", "artifact_location": location}), {200, 400})
        add("paths", f"version from {location}", post("model-versions/create", {"name": "m", "source": location, "run_id": run_id}), REFUSED)

    for text in ("metrics.m = 1; DROP TABLE runs", "params.p = 'x' OR 1=1 --", "params.p = '''; DELETE FROM runs; --'", "tags.`a'; --` = 'x'",
                 "run_id = '' UNION SELECT value FROM params", "params.\"p\" = \"x' OR '1'='1\"", "metrics.m > 1)) UNION (SELECT 1", "name = 'x\0y'",
                 "params.p LIKE '%' ESCAPE '!'", "a" * 100_000, "(" * 5000 + "metrics.m > 1" + ")" * 5000, "NOT " * 20_000 + "metrics.m > 1",
                 " AND ".join(["metrics.m > 1"] * 5000), "params.p IN (" + ",".join(["'x'"] * 50_000) + ")", "metrics.m > 1e999", "metrics.m > --1"):
        add("filters", f"filter {text[:50]!r} ({len(text)} bytes)", post("runs/search", {"experiment_ids": ["0"], "filter": text}), {200, 400})
        add("filters", f"experiments filter {text[:40]!r}", post("experiments/search", {"max_results": 5, "filter": text}), {200, 400})
        add("filters", f"order {text[:50]!r}", post("runs/search", {"experiment_ids": ["0"], "order_by": [text]}), {200, 400})
    for token in ("AAAA", "' OR 1=1", "eyJvZmZzZXQiOiAtMX0=", "x" * 100_000):
        add("filters", f"page token {token[:20]!r}", post("runs/search", {"experiment_ids": ["0"], "page_token": token}), {400})

    add("bodies", "a JSON body of 1 GB announced", ask("POST", f"{E2}/runs/create")[:-2].replace(b"Content-Length: 0", b"Content-Length: 1073741824")
        + b"\r\n{", {413})
    add("bodies", "a JSON body of 1 GB sent in chunks", lambda: endless_chunks(port), {413, 0})
    add("bodies", "100,000 levels of lists", post("runs/create", b"[" * 100_000), {400})
    add("bodies", "100,000 levels of objects", post("runs/create", b'{"a":' * 100_000), {400})
    add("bodies", "half a body, then nothing", ask("POST", f"{E2}/runs/create")[:-2].replace(b"Content-Length: 0", b"Content-Length: 100") + b"\r\n{", {408, 0, -1})
    for name, body in (("not UTF-8", b'{"name": "\xff\xfe"}'), ("a lone surrogate", b'{"name": "\\ud800"}'), ("NUL in a name", b'{"name": "a\\u0000b"}'),
                       ("a number of a megabyte", b'{"name": ' + b"9" * 1_000_000 + b"}"), ("a key a million times", b'{' + b'"name":"x",' * 100_000 + b'"name":"y"}'),
                       ("a name of a megabyte", b'{"name":"' + b"x" * 1_000_000 + b'"}'), ("NaN for a number", b'{"experiment_id": NaN}')):
        add("bodies", name, post("experiments/create", body), {200, 400})

    add("headers", "one field of 1 MB", ask("GET", "/health", headers=["X: " + "a" * 1_000_000]), {431, 0})
    add("headers", "10,000 fields", ask("GET", "/health", headers=[f"X{i}: 1" for i in range(10_000)]), {431, 0})
    add("headers", "a target of 1 MB", ask("GET", "/" + "a" * 1_000_000), {414, 431, 400, 0})
    add("headers", "slow-loris: a head byte by byte", lambda: slow_head(port), {408, 0})
    smuggles = {
        "both lengths": b"POST /health HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
        "two lengths": b"POST /health HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "a length with a sign": b"POST /health HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: +5\r\n\r\nhello",
        "chunked in disguise": b"POST /health HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "chunked with a tab": b"POST /health HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding:\tchunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "a blank before the colon": b"POST /health HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length : 5\r\n\r\nhello",
        "a folded line": b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\r\n b\r\n\r\n", "a bare line feed": b"GET /health HTTP/1.1\nHost: 127.0.0.1\n\n",
        "a bad chunk size": b"POST /api/2.0/mlflow/runs/create HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",
        "a huge chunk size": b"POST /api/2.0/mlflow/runs/create HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n",
        "two hosts": b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil\r\n\r\n", "no host": b"GET /health HTTP/1.1\r\n\r\n",
        "HTTP/0.9": b"GET /health\r\n\r\n", "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "NUL in a field": b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\0b\r\n\r\n",
    }
    for name, data in smuggles.items():
        add("smuggling", name, data, {400, 431, 501, 505, 0})

    for host in ("evil.example.org", "127.0.0.1.evil.example.org", "localhost.evil.example.org", "evil@127.0.0.1", "127.0.0.1:80@evil.org"):
        add("hosts and origins", f"Host: {host}", ask("GET", f"{E2}/experiments/get?experiment_id=0", host=host), {400, 403})
    for origin in ("https://evil.example.org", "null", "http://127.0.0.1.evil.org", "http://localhost.evil.org"):
        add("hosts and origins", f"Origin: {origin}, a write", post("experiments/create", {"name": origin}, headers=[f"Origin: {origin}"]), {403})
    add("hosts and origins", "a form's content type", ask("POST", f"{E2}/experiments/create", b"name=x", headers=["Content-Type: application/x-www-form-urlencoded"]), {400, 403, 415})
    add("hosts and origins", "text/plain, as a page may send it", ask("POST", f"{E2}/experiments/create", b'{"name":"x"}', headers=["Content-Type: text/plain"]), {400, 403, 415})

    for target in ("http://127.0.0.1/x", "https://127.0.0.1/x", "https://localhost/x", "https://169.254.169.254/latest", "https://[::1]/x", "https://[::ffff:10.0.0.1]/x",
                   "https://0.0.0.0/x", "https://2130706433/x", "https://0x7f000001/x", "https://10.1.2.3/x", "https://100.64.0.1/x", "https://user@127.0.0.1/x", "file:///etc/passwd",
                   "gopher://127.0.0.1/x", "https://127.1/x", "https://[fe80::1]/x", "https://[fd00::1]/x", "https://0177.0.0.1/x"):
        add("webhooks", f"to {target}", post("webhooks", {"name": "w", "url": target, "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]}), {400})
    return made


def endless_chunks(port):
    """Sends chunks until the server has enough: long before a gigabyte."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        sock.sendall(f"POST {E2}/runs/create HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        got = b""
        with contextlib.suppress(OSError):
            for _ in range(200):
                sock.sendall(piece)
                if select.select([sock], [], [], 0)[0]:
                    break
            got = sock.recv(65536)
    found = re.match(rb"HTTP/1\.1 (\d{3})", got)
    return (int(found[1]) if found else 0), got


def slow_head(port):
    return exchange(port, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n", patience=30, pieces=[b"X: a\r\n"] * 14, pause=1.0)


@contextlib.contextmanager
def victim(folder, *options, env=None):
    """A server with something to steal beside its artifacts, and links that lead there."""
    folder = pathlib.Path(folder)
    (folder / "outside").mkdir()
    (folder / "outside/secret.txt").write_text("TOP SECRET")
    (folder / "artifacts").mkdir()
    (folder / "artifacts/link").symlink_to(folder / "outside/secret.txt")
    (folder / "artifacts/folder").symlink_to(folder / "outside")
    with servers.sluice_server(folder, *options, env={"MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "false", "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "https",
                                                      **(env or {})}) as server:
        yield server, folder


def play(server):
    _, made = exchange(server.port, post("runs/create", {"experiment_id": "0", "start_time": 1}))
    run_id = re.search(rb'"run_id": ?"([0-9a-f]{32})"', made)[1].decode()
    table = attempts(server.port, run_id)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda attempt: attempt[2](), table))
    return [(group, name, wanted, status, content) for (group, name, _, wanted), (status, content) in zip(table, answers, strict=True)]


def test_every_attempt_gets_a_plain_no(tmp_path):
    with victim(tmp_path) as (server, folder):
        wrong = []
        table = play(server)
        for group, name, wanted, status, content in table:
            if status not in wanted:
                wrong.append(f"{group}: {name}: {status}, wanted {sorted(wanted)}: {content[:200]!r}")
            body = content.partition(b"\r\n\r\n")[2]
            if status != 200 and LEAKS.search(body) and not re.search(rb"etc/passwd|/etc", LEAKS.search(body)[0]):
                wrong.append(f"{group}: {name}: the answer tells too much: {content[-300:]!r}")
            if b"TOP SECRET" in content or b"root:x:" in content:
                wrong.append(f"{group}: {name}: leaked")
        assert not wrong, "\n".join(wrong)
        assert len(table) > 250
        assert (folder / "outside/secret.txt").read_text() == "TOP SECRET"
        assert sorted(p.name for p in (folder / "outside").iterdir()) == ["secret.txt"]
        assert not (folder / "etc").exists() and not (folder.parent / "etc").exists()
        assert exchange(server.port, ask("GET", "/health"))[0] == 200
        status, content = exchange(server.port, post("runs/search", {"experiment_ids": ["0"]}))
        assert status == 200, content


def test_credentials_games(tmp_path):
    """With users switched on: nothing works without a good name and password, and no answer tells whether a name exists."""
    password = "correct horse battery"
    env = {"MLFLOW_AUTH_ADMIN_USERNAME": "admin", "MLFLOW_AUTH_ADMIN_PASSWORD": password, "MLFLOW_FLASK_SERVER_SECRET_KEY": "x"}
    with victim(tmp_path, "--app-name", "basic-auth", env=env) as (server, _):
        target = f"{E2}/experiments/get?experiment_id=0"

        def with_header(value):
            return exchange(server.port, ask("GET", target, headers=[f"Authorization: {value}"]))

        def basic(text):
            return "Basic " + base64.b64encode(text.encode()).decode()

        assert with_header(basic(f"admin:{password}"))[0] == 200
        for value in ("", "Basic", "Basic !!!", "Basic " + "A" * 100_000, basic("admin"), basic("admin:"), basic(":" + password), basic("admin:wrong"),
                      basic("nobody:wrong"), basic("admin' OR '1'='1:x"), basic("ADMIN:" + password), "Bearer x", "Bearer " + "0" * 64,
                      "Digest username=admin", basic("admin:" + password) + ", " + basic("x:y"), basic("admin:" + password + "\0")):
            status, content = with_header(value)
            assert status in (400, 401, 429, 431), (value[:60], status)
            assert not LEAKS.search(content), content
        one, other = with_header(basic("admin:bad"))[1], with_header(basic("nobody:bad"))[1]
        body = [re.split(rb"\r\n\r\n", c)[-1] for c in (one, other)]
        assert body[0] == body[1]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch, victim(scratch) as (running, _):
        last = ""
        for the_group, the_name, _, the_status, _ in play(running):
            if the_group != last:
                print(f"\n## {the_group}")
                last = the_group
            print(f"{ {0: 'closed', -1: 'no answer yet'}.get(the_status, the_status)!s:>14}  {the_name}")


@pytest.fixture(autouse=True)
def _needs_the_program():
    if not servers.SLUICE.exists():
        pytest.skip("sluice is not built")
