"""Equal digests of every output: in another folder, with another number of threads, after kill -9."""
import os
import random
import signal
import subprocess
import time

import pytest
from conftest import Project, SLUICE
from test_run_cache import ROWS, loosen_gate

KILLS = int(os.environ.get("SLUICE_TEST_KILLS", "12"))


def make(folder):
    subprocess.run([str(SLUICE), "init", str(folder), "--quiet"], check=True)
    project = Project(folder)
    loosen_gate(project)
    return project


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    project = make(tmp_path_factory.mktemp("undisturbed") / "project")
    begin = time.monotonic()
    project.digests = project.outputs(project.run(*ROWS))
    project.seconds = time.monotonic() - begin
    return project


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_folder_and_threads_do_not_matter(undisturbed, tmp_path, threads):
    project = make(tmp_path / f"a much longer folder name with blanks {threads}")
    steps = project.run(*ROWS, "--threads", threads)
    assert {step["result"] for step in steps.values()} == {"succeeded"}
    assert project.outputs(steps) == undisturbed.digests


def descendants(pid):
    """Every process below `pid`, supervisors that moved away included."""
    found, queue = [], [pid]
    while queue:
        parent = queue.pop()
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    if int(file.read().rsplit(")", 1)[1].split()[1]) == parent:
                        found.append(int(entry))
                        queue.append(int(entry))
            except (FileNotFoundError, ProcessLookupError, IndexError):
                continue
    return found


def processes_of(folder):
    """Attempts of this project, wherever they hang in the process tree."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                if os.fsencode(str(folder)) in file.read():
                    found.append(int(entry))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_kill_9_at_random_moments(undisturbed, tmp_path):
    """Of the runner or of any of its processes; then the next runs finish the work with the same digests."""
    seed = int(os.environ.get("SLUICE_TEST_SEED", random.randrange(1 << 30)))
    print(f"SLUICE_TEST_SEED={seed}")
    rng = random.Random(seed)
    project = make(tmp_path / "project-0")
    kills = 0
    attempts = 0
    while kills < KILLS:
        attempts += 1
        process = project.start("run", "--quiet", *ROWS)
        time.sleep(rng.random() * undisturbed.seconds * 0.9)
        if process.poll() is None:
            victims = [process.pid] if rng.random() < 0.5 else (
                descendants(process.pid) + processes_of(project.folder / ".sluice")) or [process.pid]
            try:
                os.kill(rng.choice(victims), signal.SIGKILL)
                kills += 1
            except ProcessLookupError:
                pass
        process.communicate(timeout=300)
        if attempts % 2 == 0:  # so that every other kill hits a run that goes on after one
            assert project.outputs(project.run(*ROWS)) == undisturbed.digests
            project = make(tmp_path / f"project-{attempts}")
    steps = project.run(*ROWS)
    assert project.outputs(steps) == undisturbed.digests
    assert project.sluice("fsck").returncode == 0
    print(f"{kills} kills in {attempts} runs")
    version = project.read_json(steps["version"]["outputs"]["version"])
    assert version["model_version"] == 1  # a repeated step does not number the same model twice


def test_ctrl_c_leaves_a_resumable_state(undisturbed, tmp_path):
    project = make(tmp_path / "project")
    process = project.start("run", *ROWS, start_new_session=True)
    time.sleep(undisturbed.seconds * 0.5)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    if process.returncode != 0:
        assert process.returncode == 130
        assert not processes_of(project.folder / ".sluice")
    assert project.outputs(project.run(*ROWS)) == undisturbed.digests
