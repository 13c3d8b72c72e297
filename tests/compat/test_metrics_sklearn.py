"""Every metric of src/evaluate against scikit-learn on the same predictions, to 1e-9.

Needs the program evaluate_metrics: `ninja -C build/release evaluate_metrics`. SLUICE_BUILD_DIR names
another build folder. SLUICE_METRICS_SEED repeats or varies the random cases.
"""
import json
import math
import os
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SLUICE_BUILD_DIR", ROOT / "build" / "release"))
PROGRAM = (BUILD if BUILD.is_absolute() else ROOT / BUILD) / "src" / "evaluate" / "evaluate_metrics"
SEED = int(os.environ.get("SLUICE_METRICS_SEED", "1"))
TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def program():
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built: ninja -C {BUILD} evaluate_metrics")
    process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(case):
        process.stdin.write(json.dumps(case) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield ask
    process.stdin.close()
    assert process.wait(timeout=30) == 0


def number(value):
    return float(value) if isinstance(value, (int, float, str)) else value


def check(name, got, want):
    got = np.atleast_1d(np.array([number(x) for x in np.atleast_1d(np.array(got, dtype=object))]))
    want = np.atleast_1d(np.asarray(want, dtype=float))
    assert got.shape == want.shape, f"{name}: {got.shape} values, scikit-learn has {want.shape}"
    for g, w in zip(got, want):
        same = (math.isnan(g) and math.isnan(w)) or g == w
        assert same or abs(g - w) <= TOLERANCE * max(1.0, abs(w)), f"{name}: {g!r}, scikit-learn {w!r}"


def reference(function, *args, **kwargs):
    """The value, or NaN where scikit-learn warns and gives NaN."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


AVERAGES = ("binary", "macro", "micro", "weighted")


def check_predicted_classes(answer, y, p, w, is_binary):
    m = answer["metrics"]
    check("accuracy", m["accuracy"], sk.accuracy_score(y, p, sample_weight=w))
    check("balanced_accuracy", m["balanced_accuracy"], reference(sk.balanced_accuracy_score, y, p, sample_weight=w))
    check("matthews_corrcoef", m["matthews_corrcoef"], sk.matthews_corrcoef(y, p, sample_weight=w))
    check("cohen_kappa", m["cohen_kappa"], reference(sk.cohen_kappa_score, y, p, sample_weight=w))
    for average in AVERAGES:
        if average == "binary" and not is_binary:
            continue
        for zero, suffix in ((0.0, "0"), (1.0, "1"), (np.nan, "nan")):
            want = reference(sk.precision_recall_fscore_support, y, p, average=average, sample_weight=w,
                             zero_division=zero)[:3]
            check(f"precision_recall_fscore_support {average} {suffix}", answer["averages"][f"{average}/{suffix}"], want)
        names = ("precision", "recall", "f1") if average == "binary" else [f"{n}_{average}" for n in
                                                                          ("precision", "recall", "f1")]
        want = reference(sk.precision_recall_fscore_support, y, p, average=average, sample_weight=w,
                         zero_division=0)[:3]
        check(f"report {average}", [m[n] for n in names], want)


def calibration_error(hits, confidence, w):
    total, error = w.sum(), 0.0
    bins = np.searchsorted(np.arange(1, 10) / 10, confidence)
    for b in range(10):
        inside = bins == b
        error += abs((w[inside] * (hits[inside] - confidence[inside])).sum()) / total
    return error


def check_binary(program, y, s, w=None, threshold=0.5):
    y, s = np.asarray(y), np.asarray(s, dtype=float)
    case = {"task": "binary", "labels": y.tolist(), "predictions": s.tolist(), "threshold": threshold}
    if w is not None:
        w = np.asarray(w, dtype=float)
        case["weights"] = w.tolist()
    answer = program(case)
    assert "error" not in answer, answer
    m, f = answer["metrics"], answer["functions"]
    check_predicted_classes(answer, y, (s >= threshold).astype(int), w, True)
    precision, recall, _ = reference(sk.precision_recall_curve, y, s, pos_label=1, sample_weight=w)
    fpr, tpr, _ = reference(sk.roc_curve, y, s, pos_label=1, sample_weight=w, drop_intermediate=False)
    two = np.column_stack([1 - s, s])
    ones = np.ones(len(y)) if w is None else w
    want = {
        "roc_auc": reference(sk.roc_auc_score, y, s, sample_weight=w),
        "average_precision": reference(sk.average_precision_score, y, s, sample_weight=w),
        "pr_auc": sk.auc(recall, precision),
        "log_loss": sk.log_loss(y, two, sample_weight=w, labels=[0, 1]),
        "brier_score": np.average((y - s) ** 2, weights=ones),
        "expected_calibration_error": calibration_error(y, s, ones),
        "ks_statistic": np.max(tpr - fpr),
    }
    if len(set(y.tolist())) == 2:
        check("brier", want["brier_score"], sk.brier_score_loss(y, s, sample_weight=w))
    for name, value in want.items():
        check(name, m[name], value)
        check(name + " (function)", f[name], value)
    check("roc_curve fpr", f["roc"]["fpr"], fpr)
    check("roc_curve tpr", f["roc"]["tpr"], tpr)
    check("pr precision", f["pr"]["precision"], precision[::-1])
    check("pr recall", f["pr"]["recall"], recall[::-1])
    if w is None:
        for strategy in ("uniform", "quantile"):
            true, pred = calibration_curve(y, s, n_bins=10, strategy=strategy, pos_label=1)
            check(f"calibration {strategy} true", f[f"calibration_{strategy}"]["true"], true)
            check(f"calibration {strategy} pred", f[f"calibration_{strategy}"]["pred"], pred)


def check_multiclass(program, y, p, w=None):
    y, p = np.asarray(y), np.asarray(p, dtype=float)
    k = p.shape[1]
    case = {"task": "multiclass", "class_count": k, "labels": y.tolist(), "predictions": p.ravel().tolist()}
    if w is not None:
        w = np.asarray(w, dtype=float)
        case["weights"] = w.tolist()
    answer = program(case)
    assert "error" not in answer, answer
    m, f = answer["metrics"], answer["functions"]
    check_predicted_classes(answer, y, p.argmax(axis=1), w, False)
    labels = list(range(k))
    ones = np.ones(len(y)) if w is None else w

    def auc(multi_class, average):
        return reference(sk.roc_auc_score, y, p, multi_class=multi_class, average=average, labels=labels,
                         sample_weight=None if multi_class == "ovo" else w)

    for average in ("macro", "weighted", "micro"):
        check(f"ovr {average}", f[f"roc_auc_ovr_{average}"], auc("ovr", average))
    check("roc_auc_ovr", m["roc_auc_ovr"], auc("ovr", "macro"))
    check("roc_auc_ovr_weighted", m["roc_auc_ovr_weighted"], auc("ovr", "weighted"))
    if w is None:
        for average in ("macro", "weighted"):
            check(f"ovo {average}", f[f"roc_auc_ovo_{average}"], auc("ovo", average))
        check("roc_auc_ovo", m["roc_auc_ovo"], auc("ovo", "macro"))
        check("roc_auc_ovo_weighted", m["roc_auc_ovo_weighted"], auc("ovo", "weighted"))
    one_hot = np.eye(k)[y]
    for average in ("macro", "micro", "weighted"):
        check(f"average_precision {average}", f[f"average_precision_{average}"],
              reference(sk.average_precision_score, one_hot, p, average=average, sample_weight=w))
    check("average_precision", m["average_precision"], f["average_precision_macro"])
    want = {
        "log_loss": reference(sk.log_loss, y, p, sample_weight=w, labels=labels),
        "brier_score": reference(sk.brier_score_loss, y, p, sample_weight=w, labels=labels),
        "expected_calibration_error": calibration_error((p.argmax(axis=1) == y).astype(float), p.max(axis=1), ones),
    }
    for name, value in want.items():
        check(name, m[name], value)
        check(name + " (function)", f[name], value)


def check_regression(program, y, p, w=None):
    y, p = np.asarray(y, dtype=float), np.asarray(p, dtype=float)
    case = {"task": "regression", "labels": y.tolist(), "predictions": p.tolist()}
    if w is not None:
        w = np.asarray(w, dtype=float)
        case["weights"] = w.tolist()
    answer = program(case)
    assert "error" not in answer, answer
    m = answer["metrics"]
    keep = np.ones(len(y), dtype=bool) if w is None else w > 0
    want = {
        "mae": sk.mean_absolute_error(y, p, sample_weight=w),
        "mse": sk.mean_squared_error(y, p, sample_weight=w),
        "rmse": sk.root_mean_squared_error(y, p, sample_weight=w),
        "r2": reference(sk.r2_score, y, p, sample_weight=w),
        "explained_variance": sk.explained_variance_score(y, p, sample_weight=w),
        "mape": sk.mean_absolute_percentage_error(y, p, sample_weight=w),
        "median_absolute_error": sk.median_absolute_error(y, p, sample_weight=w),
        "max_error": sk.max_error(y[keep], p[keep]),
        "mean_error": np.average(p - y, weights=w),
    }
    for name, value in want.items():
        check(name, m[name], value)


def weights_for(kind, n, rng):
    if kind == "none":
        return None
    if kind == "uniform":
        return rng.uniform(0.1, 3, n)
    if kind == "integers":
        return rng.integers(1, 5, n).astype(float)
    w = rng.uniform(0, 2, n)  # some rows weigh nothing, but two of them always do
    w[rng.random(n) < 0.3] = 0
    w[:2] = 1
    return w


WEIGHTS = ("none", "uniform", "integers", "zeros")


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("ties", ["distinct", "tenths", "extremes"])
@pytest.mark.parametrize("share", [0.5, 0.02, 0.98])
def test_binary_random(program, weights, ties, share):
    rng = np.random.default_rng([SEED, len(weights), len(ties), int(share * 100)])
    for n in (2, 7, 60, 1500):
        y = (rng.random(n) < share).astype(int)
        y[:2] = (0, 1)
        s = np.clip(rng.normal(0.35 + 0.25 * y, 0.2), 0, 1)
        if ties == "tenths":
            s = np.round(s, 1)
        elif ties == "extremes":
            s = np.where(rng.random(n) < 0.4, rng.integers(0, 2, n), s)
        check_binary(program, y, s, weights_for(weights, n, rng), threshold=float(rng.choice([0.5, 0.3, 0.9])))


@pytest.mark.parametrize("y,s", [
    ([1, 1, 1], [0.2, 0.6, 0.9]),
    ([0, 0, 0], [0.2, 0.6, 0.9]),
    ([1], [0.3]),
    ([0, 1], [0.5, 0.5]),
    ([0, 1, 0, 1], [0.0, 1.0, 0.0, 1.0]),
    ([1, 0, 1, 0], [0.0, 1.0, 0.0, 1.0]),
    ([0, 1] * 50, [0.25] * 100),
    ([0, 1, 1], [1e-300, 1e-17, 1 - 1e-17]),
    ([0, 1, 1, 0], [0.1, 0.2, 0.3, np.nextafter(0.3, 1)]),
    ([0] * 99 + [1], np.linspace(0, 1, 100)),
    ([1] + [0] * 99, np.linspace(0, 1, 100)),
], ids=["only positives", "only negatives", "one row", "one tie", "perfect", "inverted", "constant score", "tiny",
        "neighbouring doubles", "rare top", "rare bottom"])
def test_binary_edges(program, y, s):
    check_binary(program, y, s)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("k", [3, 5, 12])
@pytest.mark.parametrize("ties", [False, True])
def test_multiclass_random(program, weights, k, ties):
    rng = np.random.default_rng([SEED, len(weights), k, ties])
    for n in (k + 2, 80, 1200):
        y = np.minimum(rng.geometric(0.4, n) - 1, k - 1)
        y[:k] = np.arange(k)
        logits = rng.normal(0, 1, (n, k)) + 1.3 * np.eye(k)[y]
        if ties:
            logits = np.round(logits)
        p = np.exp(logits)
        p /= p.sum(axis=1, keepdims=True)
        w = weights_for(weights, n, rng)
        if w is not None:
            w[:k] = np.maximum(w[:k], 0.5)
        check_multiclass(program, y, p, w)


def test_multiclass_absent_class(program):
    rng = np.random.default_rng(SEED)
    p = rng.dirichlet(np.ones(4), 200)
    y = rng.choice([0, 2, 3], 200)
    check_multiclass(program, y, p)
    p[:, 1] = 0  # never predicted either
    check_multiclass(program, y, p / p.sum(axis=1, keepdims=True))


def test_multiclass_without_weight_on_one_class(program):
    rng = np.random.default_rng(SEED)
    p = rng.dirichlet(np.ones(3), 60)
    y = np.arange(60) % 3
    answer = program({"task": "multiclass", "class_count": 3, "labels": y.tolist(), "predictions": p.ravel().tolist(),
                      "weights": (y != 1).astype(float).tolist()})
    want = reference(sk.f1_score, y, p.argmax(axis=1), average="macro", sample_weight=(y != 1).astype(float))
    check("f1_macro", answer["metrics"]["f1_macro"], want)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("scale", [1, 1e-6, 1e9])
def test_regression_random(program, weights, scale):
    rng = np.random.default_rng([SEED, len(weights), int(math.log10(scale)) + 10])
    for n in (2, 3, 50, 51, 2000):
        y = scale * rng.normal(3, 2, n)
        check_regression(program, y, y + scale * rng.normal(0.1, 1, n), weights_for(weights, n, rng))
        counts = rng.integers(0, 6, n).astype(float)  # many equal errors, labels of 0
        check_regression(program, counts, rng.integers(0, 6, n), weights_for(weights, n, rng))


@pytest.mark.parametrize("y,p", [
    ([2, 2, 2], [2, 2, 2]), ([2, 2, 2], [1, 2, 3]), ([2], [3]), ([0, 0], [0, 1]), ([1, 2, 3], [2, 3, 4]),
    ([1e15, 1e15 + 2], [1e15, 1e15 + 1]), ([-1, 1], [1, -1]),
], ids=["constant and hit", "constant", "one row", "zeros", "constant offset", "large", "inverted"])
def test_regression_edges(program, y, p):
    check_regression(program, y, p)


@pytest.mark.parametrize("case,message", [
    ({"task": "binary", "labels": [0, 1], "predictions": ["NaN", 0.5]}, "the prediction of row 0 is nan"),
    ({"task": "binary", "labels": [0, 2], "predictions": [0.1, 0.5]}, "the label of row 1 is 2"),
    ({"task": "binary", "labels": [0, 1], "predictions": [0.1, 1.5]}, "the prediction of row 1 is 1.5"),
    ({"task": "binary", "labels": [], "predictions": []}, "no rows with a label"),
    ({"task": "binary", "labels": [0, 1], "predictions": [0.1]}, "1 predictions for 2 rows"),
    ({"task": "binary", "labels": [0, 1], "predictions": [0.1, 0.2], "weights": [1, -1]}, "the weight of row 1 is -1"),
    ({"task": "binary", "labels": [0, 1], "predictions": [0.1, 0.2], "weights": [0, 0]}, "every row has weight 0"),
    ({"task": "regression", "labels": [1, 2], "predictions": [1, "Infinity"]}, "the prediction of row 1 is inf"),
])
def test_bad_input_is_an_error(program, case, message):
    assert message in program(case).get("error", "no error")
