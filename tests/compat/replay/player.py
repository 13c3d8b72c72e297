"""Plays the cases against a server and makes the answers comparable."""

import http.client
import json
import re
import time
import urllib.parse

from cases import REQUESTS

HEX32 = re.compile(r"[0-9a-f]{32}")
FRIENDLY = re.compile(r"^[a-z]+-[a-z]+-[0-9]+$")
TIMES = {"creation_time", "last_update_time", "creation_timestamp", "last_updated_timestamp", "creation_timestamp_ms",
         "last_updated_timestamp_ms", "utc_time_created"}



def fill(value, names):
    """`value` with every {name} that an earlier answer gave."""
    if isinstance(value, str):
        return re.sub(r"\{([a-z]\d)\}", lambda m: names.get(m[1], m[0]), value)
    if isinstance(value, list):
        return [fill(v, names) for v in value]
    if isinstance(value, dict):
        return {k: fill(v, names) for k, v in value.items()}
    return value


def lookup(answer, path):
    for key in path.split("."):
        answer = answer[key]
    return answer


def mask(value, names, path, key=""):
    """Ids become their names, times and generated names become their kind; lists of things with a key are sorted."""
    if isinstance(value, dict):
        return {k: mask(v, names, path, k) for k, v in value.items()}
    if isinstance(value, list):
        made = [mask(v, names, path, key) for v in value]
        if made and all(isinstance(v, dict) and "key" in v and "timestamp" not in v for v in made):
            made.sort(key=lambda v: v["key"])
        elif key in ("metrics", "latest_versions") or "get-latest-versions" in path:
            made.sort(key=lambda v: json.dumps(v, sort_keys=True))
        return made
    if key in TIMES:
        return "<time>" if value else value
    if key in ("next_page_token", "page_token"):
        return "<token>"
    if isinstance(value, str):
        for name, known in names.items():
            if len(known) > 8:
                value = value.replace(known, f"<{name}>")
        value = HEX32.sub("<id>", value)
        if key in ("run_name", "value", "name") and FRIENDLY.match(value):
            value = "<friendly>"
        if key in ("id", "webhook_id"):
            value = "<id>"
    return value


def play(port):
    """[(case, status, masked answer)] of the server on that port of loopback."""
    names, answers = {}, []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for case in REQUESTS:
        path = fill(case["path"], names)
        headers = dict(case["headers"])
        body = case["raw"]
        if case["body"] is not None:
            body = json.dumps(fill(case["body"], names)).encode()
            headers.setdefault("Content-Type", "application/json")
        path = urllib.parse.quote(path, safe="/?&=%:+,'()`*~!;@$-._{}")
        # Times are in milliseconds, and what was made in the same one has no order in time.
        time.sleep(0 if case["method"] == "GET" else 0.002)
        try:
            connection.request(case["method"], path, body, headers)
            response = connection.getresponse()
            content = response.read()
        except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
            connection.close()
            answers.append((case, 0, f"<{type(error).__name__}>"))
            continue
        try:
            answer = json.loads(content)
        except ValueError:
            is_page = b"<html" in content[:200].lower() or b"<!doctype" in content[:200].lower()
            answer = "<page>" if is_page else content.decode("latin-1")
        for name, where in case["keep"].items():
            if isinstance(answer, dict) and response.status == 200:
                names[name] = lookup(answer, where)
        answers.append((case, response.status, mask(answer, names, path)))
    connection.close()
    return answers
