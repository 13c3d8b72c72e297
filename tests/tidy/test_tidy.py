"""The tree is tidy, and the tidy rules find what they are for."""
import os
import subprocess
import sys

import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
TIDY = os.path.join(ROOT, "tools/tidy")


def run_tidy(root):
    return subprocess.run([sys.executable, TIDY, root], capture_output=True, text=True, check=False)


def test_the_tree_is_tidy():
    result = run_tidy(ROOT)
    assert result.returncode == 0, result.stdout


CASES = {
    "an arrow that does not exist": ("src/data/a.cc", '#include "serve/serve.h"\n', "data may not include serve"),
    "another module's internals": ("src/data/a.cc", '#include "table/internal/x.h"\n', "is internal to table"),
    "test code in a library": ("src/data/a.cc", '#include "io/testing/mem_fs.h"\n', "is for tests only"),
    "an unknown module": ("src/stuff/a.cc", "int x;\n", "module 'stuff'"),
    "a banned word": ("src/data/a.cc", "auto f = std::async(g);\n", "'std::async' is banned"),
    "a throw": ("src/data/a.cc", "void F() { throw 1; }\n", "'throw' and 'catch (...)'"),
    "a bare mutex": ("src/data/a.cc", "std::mutex m;\n", "a bare mutex"),
    "a nameless file": ("src/data/string_util.cc", "int x;\n", "name it after what it holds"),
    "a long file": ("src/data/a.cc", "\n" * 501, "501 lines, the limit is 500"),
    "a header without contract": ("src/data/a.h", "#pragma once\n", "opens with a comment"),
    "a dead header": ("src/data/a.h", "// What.\n#pragma once\n", "no file includes this header"),
    "a broken link": ("docs/a.md", "[x](gone.md)\n", "link to 'gone.md'"),
    "an open end": ("src/data/a.cc", "// TODO: later\n", "'TODO' is banned"),
}


@pytest.mark.parametrize("name", CASES)
def test_finds(tmp_path, name):
    path, text, expected = CASES[name]
    target = tmp_path / path
    target.parent.mkdir(parents=True)
    target.write_text(text)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "add", "-A"], check=True)
    result = run_tidy(str(tmp_path))
    assert result.returncode == 1
    assert expected in result.stdout


def test_a_migration_number_is_used_once(tmp_path):
    for module in ("tracking", "registry"):
        path = tmp_path / f"src/{module}/migrations/0001_{module}.sql"
        path.parent.mkdir(parents=True)
        path.write_text("SELECT 1;\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "add", "-A"], check=True)
    assert "migration number 0001 is taken" in run_tidy(str(tmp_path)).stdout
