#!/usr/bin/env python3
"""Checks the order and fits the levels from the features that `duijie eval --features FILE` writes.

    train_ranker.py FEATURES.tsv [--json calibration.json] [--name NAME]

FEATURES.tsv: tab-separated, with this heading, one judged pair a line (a pair that was graded twice once, with its
highest level):

    demand_id  achievement_id  level  score  base  cosine  cosine_feedback  bm25  context  best  rank

    level            1 to 4, as people graded it
    score            final score: dense * clamp(cosine_feedback, 0, 1) + (1 - dense) * bm25 / (bm25 + half)
    base             the same of the first pass, with `cosine`
    cosine           of the centred vectors of query and record
    cosine_feedback  of the query after feedback and the record
    bm25             unbounded score of the engine
    context          mean `base` of the feedback records; the same for all pairs of a demand
    best             highest `base` of the whole catalogue; the same for all pairs of a demand
    rank             place in the whole order, from 1

Prints: nDCG@10, recall@20, Spearman, AUC of `score`; what a pairwise fit of the dense weight would say, out of fold;
MAE, 1/(1+MAE), log loss and reliability of the levels, out of fold by demand. Needs numpy only. Nothing random but the
folds, which have fixed seeds.
"""
import argparse, datetime, hashlib, json
import numpy as np

COLUMNS = "demand_id achievement_id level score base cosine cosine_feedback bm25 context best rank".split()
FEATURES = ("score", "context")
L2 = 1.0          # on the slopes of standardised features, against the sum of log-likelihoods
STEPS = 50        # most Newton steps
SMALLEST = 10     # pairs on each side of each cut, else the cut cannot be fitted
REPEATS, FOLDS = 5, 6
GATE = 0.05       # share of the demands of the calibration below whose context and best score nothing is good enough
HALF = 25.0       # as in ranker.toml


def read(path):
    lines = open(path, encoding="utf-8").read().splitlines()
    if lines[0].split("\t") != COLUMNS:
        raise SystemExit(f"{path}: heading is not {COLUMNS}")
    rows = [line.split("\t") for line in lines[1:] if line]
    data = {name: np.array([float(row[i]) for row in rows]) for i, name in enumerate(COLUMNS) if i >= 2}
    data["level"] = data["level"].astype(int)
    data["demand"] = np.array([row[0] for row in rows])
    return data


# ---------------------------------------------------------------- levels: three logits, Newton

def sigmoid(z):
    return np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))


def objective(beta, design, target):
    z = design @ beta
    # log(1 + e^z) - y z without overflow
    return float((np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) - target * z).sum() + L2 / 2 * (beta[1:] ** 2).sum())


def newton(design, target):
    """Intercept (not penalised) and slopes that minimise the objective; from zeros, whole steps halved until it falls."""
    beta = np.zeros(design.shape[1])
    ridge = np.diag([0.0] + [L2] * (design.shape[1] - 1))
    now = objective(beta, design, target)
    for _ in range(STEPS):
        p = sigmoid(design @ beta)
        gradient = design.T @ (p - target) + ridge @ beta
        hessian = (design * (p * (1 - p))[:, None]).T @ design + ridge
        step = np.linalg.solve(hessian, gradient)
        for halving in range(31):
            if objective(beta - step / 2 ** halving, design, target) <= now:
                break
        beta = beta - step / 2 ** halving
        now = objective(beta, design, target)
        if np.abs(step).max() < 1e-10:
            break
    return beta


def clamped(features, limits):
    """The context is kept within what the calibration saw: a small catalogue has a low one and would seem better."""
    return np.c_[features[:, 0], np.clip(features[:, 1], *limits)]


def fit(features, levels):
    """`limits` of the context (quantiles over pairs, linear), `mean`, `deviation` (population) of the clamped features and
    three rows of intercept, slopes: level >= 2, 3, 4."""
    for cut in (2, 3, 4):
        side = min((levels >= cut).sum(), (levels < cut).sum())
        if side < SMALLEST:
            raise SystemExit(f"only {side} pairs on one side of level {cut}: not enough to calibrate")
    limits = np.quantile(features[:, 1], [GATE, 1 - GATE])
    features = clamped(features, limits)
    mean, deviation = features.mean(0), features.std(0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    design = np.c_[np.ones(len(levels)), (features - mean) / deviation]
    return limits, mean, deviation, np.array([newton(design, (levels >= cut).astype(float)) for cut in (2, 3, 4)])


def tails(model, features):
    """P(level >= 2), P(>= 3), P(>= 4), made to fall by a running minimum."""
    limits, mean, deviation, logits = model
    p = sigmoid(np.c_[np.ones(len(features)), (clamped(features, limits) - mean) / deviation] @ logits.T)
    return np.minimum.accumulate(p, axis=1)


def probabilities(tail):
    whole = np.c_[np.ones(len(tail)), tail, np.zeros(len(tail))]
    return whole[:, :-1] - whole[:, 1:]


def announced(tail):
    """The median of the distribution, which has the least expected absolute error."""
    return 1 + (tail > 0.5).sum(1)


# ---------------------------------------------------------------- measures

def by_demand(data):
    return [np.where(data["demand"] == d)[0] for d in dict.fromkeys(data["demand"])]


def ndcg(score, level, depth=10):
    gain, discount = 2.0 ** (level - 1) - 1, 1 / np.log2(np.arange(2, depth + 2))
    order, ideal = gain[np.argsort(-score, kind="stable")][:depth], np.sort(gain)[::-1][:depth]
    best = (ideal * discount[: len(ideal)]).sum()
    return (order * discount[: len(order)]).sum() / best if best > 0 else np.nan


def ranks(x):
    order = np.argsort(x, kind="stable"); r = np.empty(len(x)); r[order] = np.arange(1, len(x) + 1)
    for v in np.unique(x): r[x == v] = r[x == v].mean()
    return r


def auc(score, level):
    y = level >= 3
    if y.all() or not y.any(): return np.nan
    return (ranks(score)[y].sum() - y.sum() * (y.sum() + 1) / 2) / y.sum() / (~y).sum()


def spearman(score, level):
    if len(set(level)) < 2 or len(set(score)) < 2: return np.nan
    return np.corrcoef(ranks(score), ranks(level))[0, 1]


def recall(rank, level):
    return (rank[level >= 3] <= 20).mean() if (level >= 3).any() else np.nan


def folds(count, seed):
    order = np.random.default_rng(seed).permutation(count)
    return [order[i::FOLDS] for i in range(FOLDS)]


def bootstrap(values, count=4000):
    values = values[~np.isnan(values)]; r = np.random.default_rng(0)
    return values[r.integers(0, len(values), (count, len(values)))].mean(1).std()


# ---------------------------------------------------------------- order

def pairwise_weight(x, data, groups):
    """Weights of the columns of x by logistic regression on pairs of one demand, weighted by their difference of gain."""
    rows, weights = [], []
    for g in groups:
        level = data["level"][g]; i, k = np.where(level[:, None] > level[None])
        if len(i):
            w = 2.0 ** level[i] - 2.0 ** level[k]; rows.append(x[g][i] - x[g][k]); weights.append(w / w.sum())
    rows, w = np.concatenate(rows), np.concatenate(weights); w /= w.sum()
    scale = rows.std(0); rows = rows / scale; b = np.zeros(x.shape[1])
    for _ in range(100):
        p = sigmoid(-(rows @ b)); g = -(rows * (w * p)[:, None]).sum(0) + 0.01 * b
        b -= np.linalg.solve((rows * (w * p * (1 - p))[:, None]).T @ rows + 0.01 * np.eye(len(b)), g)
        if np.abs(g).max() < 1e-10: break
    b = np.maximum(b, 0) / scale
    return b / b.sum()


def order_report(data, groups):
    for name, f in (("nDCG@10", lambda g: ndcg(data["score"][g], data["level"][g])), ("recall@20", lambda g: recall(data["rank"][g], data["level"][g])),
                    ("Spearman", lambda g: spearman(data["score"][g], data["level"][g])), ("AUC", lambda g: auc(data["score"][g], data["level"][g]))):
        v = np.array([f(g) for g in groups]); print(f"  {name:10s} {np.nanmean(v):.4f} ± {bootstrap(v):.4f} (demands {np.isfinite(v).sum()})")
    x = np.c_[np.clip(data["cosine_feedback"], 0, 1), data["bm25"] / (data["bm25"] + HALF)]
    found, out = [], []
    for seed in range(REPEATS):
        v = np.full(len(groups), np.nan)
        for test in folds(len(groups), seed):
            w = pairwise_weight(x, data, [g for i, g in enumerate(groups) if i not in set(test)]); found.append(w[0])
            for i in test: v[i] = ndcg(x[groups[i]] @ w, data["level"][groups[i]])
        out.append(np.nanmean(v))
    print(f"  dense weight by pairwise fit {np.mean(found):.3f} ± {np.std(found):.3f}; nDCG@10 with it, out of fold {np.mean(out):.4f} ± {np.std(out):.4f}")


def level_report(data, groups, features):
    level, repeats = data["level"], []
    for seed in range(REPEATS):
        tail = np.zeros((len(level), 3))
        for test in folds(len(groups), seed):
            t = np.concatenate([groups[i] for i in test]); train = np.setdiff1d(np.arange(len(level)), t)
            tail[t] = tails(fit(features[train], level[train]), features[t])
        repeats.append(tail)
    error = np.mean([np.abs(announced(t) - level) for t in repeats], 0)
    loss = np.mean([-np.log(np.maximum(probabilities(t)[np.arange(len(level)), level - 1], 1e-9)) for t in repeats], 0)
    counts = np.array([len(g) for g in groups]); sums = np.array([error[g].sum() for g in groups])
    k = np.random.default_rng(0).integers(0, len(groups), (4000, len(groups))); spread = 1 / (1 + sums[k].sum(1) / counts[k].sum(1))
    low, high = np.quantile(spread, [0.025, 0.975])
    print(f"  MAE {error.mean():.4f}, 1/(1+MAE) {1 / (1 + error.mean()):.4f} (95 % by demands {low:.3f} to {high:.3f}), log loss {loss.mean():.4f}; always 2: {1 / (1 + np.abs(level - 2).mean()):.4f}")
    tail = np.mean(repeats, 0)
    print("  reliability by decile, said/seen:")
    for k, cut in enumerate((2, 3, 4)):
        parts = np.array_split(np.argsort(tail[:, k], kind="stable"), 10)
        cells = [(tail[p, k].mean(), (level[p] >= cut).mean()) for p in parts]
        print(f"    P(>={cut}) " + " ".join(f"{a:.2f}/{b:.2f}" for a, b in cells) + f"  mean gap {np.mean([abs(a - b) for a, b in cells]):.3f}")
    said = announced(tail); print("  graded (rows) by announced (columns):"); print("   ", "\n    ".join(" ".join(f"{((level == i) & (said == j)).sum():5d}" for j in (1, 2, 3, 4)) for i in (1, 2, 3, 4)))
    return float(error.mean()), float(loss.mean()), [float(low), float(high)]


def main():
    parser = argparse.ArgumentParser(); parser.add_argument("features"); parser.add_argument("--json"); parser.add_argument("--name", default="")
    args = parser.parse_args(); data = read(args.features); groups = by_demand(data)
    features = np.stack([data[name] for name in FEATURES], 1)
    print(f"{len(groups)} demands, {len(data['level'])} pairs\norder"); order_report(data, groups)
    print("levels"); mae, loss, interval = level_report(data, groups, features)
    limits, mean, deviation, logits = fit(features, data["level"])
    if (logits[:, 1] <= 0).any(): raise SystemExit("a higher score does not mean a higher level in these judgements: not usable")
    gate = {"context": float(np.quantile([data["context"][g[0]] for g in groups], GATE)), "best": float(np.quantile([data["best"][g[0]] for g in groups], GATE))}
    body = {"kind": "three_logits", "features": list(FEATURES), "context_limits": limits.tolist(), "mean": mean.tolist(), "deviation": deviation.tolist(), "l2": L2,
            "logits": [{"level_at_least": k, "intercept": row[0], "slopes": row[1:]} for k, row in zip((2, 3, 4), logits.tolist())],
            "nothing_good_enough_below": gate,
            "data": {"name": args.name, "demands": len(groups), "pairs": len(data["level"]), "levels": np.bincount(data["level"], minlength=5)[1:].tolist()},
            "expected": {"mae": mae, "score": 1 / (1 + mae), "score_95": interval, "log_loss": loss, "how": f"{REPEATS}x{FOLDS}-fold cross-validation by demand"}}
    body["version"] = "levels-1-" + hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:12]
    if args.json: open(args.json, "w").write(json.dumps(body, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(body["logits"]))


if __name__ == "__main__":
    main()
