"""A forest of scikit-learn and Python's shap on it: the peers of tree-shapley.js in this folder.

Reads JSON lines, each a question, answered by one line.
"""

import json
import sys
import time

import numpy as np
from sklearn.ensemble import RandomForestRegressor

forest = rows = background = None


def train(q):
    global forest, rows, background
    columns = q["columns"]
    x = np.array(q["x"]).reshape(-1, columns)
    rows = np.array(q["rows"]).reshape(-1, columns)
    background = np.array(q["background"]).reshape(-1, columns)
    forest = RandomForestRegressor(q["trees"], max_depth=q["depth"], max_features=0.4, random_state=7, n_jobs=1)
    forest.fit(x, np.array(q["y"]))
    trees = {name: [] for name in ("roots", "feature", "threshold", "left", "right", "value", "cover")}
    for estimator in forest.estimators_:
        tree = estimator.tree_
        at = len(trees["feature"])
        leaf = tree.children_left < 0
        trees["roots"].append(at)
        trees["feature"] += np.where(leaf, -1, tree.feature).tolist()
        trees["threshold"] += tree.threshold.tolist()
        trees["left"] += np.where(leaf, -1, tree.children_left + at).tolist()
        trees["right"] += np.where(leaf, -1, tree.children_right + at).tolist()
        trees["value"] += (tree.value[:, 0, 0] / len(forest.estimators_)).tolist()
        trees["cover"] += tree.weighted_n_node_samples.tolist()
    return trees


def predict(_):
    start = time.perf_counter()
    forest.predict(rows)
    return {"seconds": time.perf_counter() - start}


def explain(explainer, **options):
    start = time.perf_counter()
    values = explainer.shap_values(rows, check_additivity=False, **options)
    return {"seconds": time.perf_counter() - start, "values": np.asarray(values).ravel().tolist()}


explainers = {}


def shap_values(q):
    import shap

    if q["ask"] not in explainers:
        explainers[q["ask"]] = (
            shap.TreeExplainer(forest, feature_perturbation="tree_path_dependent")
            if q["ask"] == "shap"
            else shap.TreeExplainer(forest, background, feature_perturbation="interventional")
        )
    return explain(explainers[q["ask"]])


questions = {"train": train, "predict": predict, "shap": shap_values, "shap against": shap_values}
for line in sys.stdin:
    question = json.loads(line)
    print(json.dumps(questions[question["ask"]](question)), flush=True)
