"""Sends a file with the stock client, fetches it again and compares. Run in an MLflow environment of its own:

    upload_and_download.py SIZE_BYTES FOLDER

Prints one JSON line: the run, where its artifacts are, the seconds it took both ways. The environment says how: the
tracking server, the size from which uploads go in parts, and the parts' size."""

import filecmp
import json
import os
import pathlib
import sys
import time

import mlflow


def write(path, size_bytes):
    """Blocks that all differ, so that a misplaced one shows."""
    with path.open("wb") as file:
        for i in range(0, size_bytes, 1 << 20):
            file.write((i.to_bytes(8, "big") * (1 << 17))[: min(1 << 20, size_bytes - i)])


def main(size_bytes, folder):
    source = folder / "large file.bin"
    write(source, size_bytes)
    mlflow.set_experiment("uploads")
    with mlflow.start_run() as run:
        begin = time.monotonic()
        mlflow.log_artifact(str(source), "some folder")
        up_s = time.monotonic() - begin
        mlflow.log_text("small", "small.txt")
    begin = time.monotonic()
    got = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="some folder/large file.bin",
                                              dst_path=str(folder / "down"))
    down_s = time.monotonic() - begin
    assert filecmp.cmp(source, got, shallow=False), "what came back is not what was sent"
    assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/small.txt") == "small"
    files = mlflow.MlflowClient().list_artifacts(run.info.run_id, "some folder")
    assert [(f.path, f.file_size) for f in files] == [("some folder/large file.bin", size_bytes)]
    os.unlink(source)
    os.unlink(got)
    print(json.dumps({"run_id": run.info.run_id, "artifact_uri": run.info.artifact_uri, "up_s": up_s, "down_s": down_s}))


if __name__ == "__main__":
    main(int(sys.argv[1]), pathlib.Path(sys.argv[2]))
