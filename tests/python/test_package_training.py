#!/usr/bin/env python3
"""Training for real: XGBoost and logistic regression over batches learn what they learn over arrays; a run that is killed
and goes on ends where it would have ended; several ranks together see the data set once."""

import json
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

import numpy as np
from _package import PackageTest, main, module_or_skip, penstock

DATA = Path(os.environ.get("PENSTOCK_SHARED_DATA") or "/nowhere")
HIGGS = DATA / "csv" / "higgs_subset.tsv"
AGARICUS = DATA / "libsvm" / "agaricus.train.libsvm"

needs_data = unittest.skipUnless(HIGGS.is_file() and AGARICUS.is_file(), "SKIPPED: no shared data here")
try:
    import xgboost
except ImportError:
    xgboost = None


class LogisticRegression:
    """By stochastic gradient descent in float64, a step a batch."""

    def __init__(self, columns):
        self.weights = np.zeros(columns + 1)

    def step(self, features, label, rate=0.05):
        inputs = np.hstack([np.asarray(features, np.float64), np.ones((len(features), 1))])
        wrong = 1 / (1 + np.exp(-inputs @ self.weights)) - label
        self.weights -= rate * (inputs.T @ wrong) / len(inputs)

    def accuracy(self, features, label):
        inputs = np.hstack([features, np.ones((len(features), 1))])
        return np.mean((inputs @ self.weights > 0) == (label > 0.5))


def majority(label):
    """The accuracy of who always says the more frequent class."""
    return max(np.mean(label), 1 - np.mean(label))


def higgs_arrays():
    table = np.loadtxt(HIGGS, delimiter="\t", dtype=np.float64)
    return table[:, 1:].astype(np.float32), table[:, 0].astype(np.float32)


@needs_data
class Training(PackageTest):
    def test_logistic_regression_over_batches_is_that_over_arrays(self):
        features, label = higgs_arrays()
        over_batches, over_arrays = LogisticRegression(28), LogisticRegression(28)
        loader = penstock.Loader(HIGGS, label=0, batch_size=256)
        for _ in range(20):
            for i, batch in enumerate(loader):
                rows = slice(256 * i, 256 * (i + 1))
                np.testing.assert_array_equal(batch["features"], features[rows])
                np.testing.assert_array_equal(batch["label"], label[rows])
                over_batches.step(batch["features"], np.asarray(batch["label"]))
                over_arrays.step(features[rows], label[rows])
        np.testing.assert_array_equal(over_batches.weights, over_arrays.weights)
        self.assertGreater(over_batches.accuracy(features, label), majority(label) + 0.05)

    def test_shuffled_epochs_have_the_data_set_and_learn_it(self):
        features, label = higgs_arrays()
        everything = np.sort(np.hstack([features, label[:, None]]).view("V116").ravel())
        model = LogisticRegression(28)
        for shuffle in ("window", "exact"):
            loader = penstock.Loader(HIGGS, label=0, batch_size=256, shuffle=shuffle, window=2000, seed=1, index="none")
            for _ in range(5):
                rows = []
                for batch in loader:
                    model.step(batch["features"], np.asarray(batch["label"]))
                    rows.append(np.hstack([batch["features"], np.asarray(batch["label"])[:, None]]))
                got = np.sort(np.vstack(rows).view("V116").ravel())
                self.assertTrue(np.array_equal(got, everything))
        self.assertGreater(model.accuracy(features, label), majority(label) + 0.05)

    def test_one_two_and_three_ranks_see_the_data_set_once(self):
        features, label = higgs_arrays()
        for shuffle in (False, "window", "exact"):
            seen = []
            for world_size in (1, 2, 3):
                options = {"label": 0, "batch_size": 100, "shuffle": shuffle, "seed": 3, "index": "none"}
                ranks = [
                    list(penstock.Loader(HIGGS, rank=rank, world_size=world_size, **options))
                    for rank in range(world_size)
                ]
                self.assertEqual(len({len(batches) for batches in ranks}), 1)
                steps = [np.asarray(batch["features"]) for step in zip(*ranks) for batch in step]
                seen.append(np.vstack(steps))
            self.assertEqual(seen[0].shape, features.shape)
            np.testing.assert_array_equal(seen[1], seen[0])
            np.testing.assert_array_equal(seen[2], seen[0])
            np.testing.assert_array_equal(np.sort(seen[0].view("V112").ravel()), np.sort(features.view("V112").ravel()))

    def test_killed_and_resumed_training_ends_with_the_same_weights(self):
        whole = self.trained("whole.json", kills=[])
        for shuffle_seed, kills in ((1, [0.3]), (2, [0.1, 0.2, 0.25])):
            resumed = self.trained(f"resumed{shuffle_seed}.json", kills)
            self.assertEqual(resumed["weights"], whole["weights"])
            self.assertEqual(resumed["step"], whole["step"])

    def trained(self, name, kills):
        """The checkpoint at the end of a run that is killed after these numbers of seconds and started again each time."""
        checkpoint = self.folder / name
        command = [sys.executable, "-B", __file__, "--train", str(checkpoint), "0.01" if kills else "0"]
        for seconds in kills:
            with subprocess.Popen(command, env=os.environ) as run:
                before = checkpoint.read_text() if checkpoint.exists() else ""
                deadline = time.monotonic() + 60
                while (not checkpoint.exists() or checkpoint.read_text() == before) and time.monotonic() < deadline:
                    time.sleep(0.01)
                time.sleep(seconds)
                run.send_signal(signal.SIGKILL)
            self.assertEqual(run.returncode, -signal.SIGKILL)
            self.assertFalse(json.loads(checkpoint.read_text())["is_done"])
        subprocess.run([*command[:-1], "0"], check=True, timeout=100, env=os.environ)
        return json.loads(checkpoint.read_text())


def train(checkpoint, pause):
    """Three shuffled epochs, with a checkpoint after every step; goes on where the last one stands."""
    loader = penstock.Loader(HIGGS, label=0, batch_size=64, shuffle="exact", seed=11, index=str(checkpoint) + ".index")
    model, step = LogisticRegression(28), 0
    if checkpoint.exists():
        kept = json.loads(checkpoint.read_text())
        model.weights, step = np.array([float.fromhex(w) for w in kept["weights"]]), kept["step"]
        loader.load_state_dict(kept["loader"])
    while loader.epoch < 3:
        for batch in loader:
            model.step(batch["features"], np.asarray(batch["label"]))
            step += 1
            keep(checkpoint, model, step, loader, False)
            time.sleep(pause)
    keep(checkpoint, model, step, loader, True)


def keep(checkpoint, model, step, loader, is_done):
    new = checkpoint.with_suffix(".new")
    weights = [float(w).hex() for w in model.weights]
    state = {"weights": weights, "step": step, "loader": loader.state_dict(), "is_done": is_done}
    new.write_text(json.dumps(state))
    new.rename(checkpoint)


@needs_data
class TorchTraining(PackageTest):
    """The same regression by PyTorch."""

    def test_logistic_regression_over_batches_is_that_over_arrays(self):
        torch = module_or_skip(self, "torch")
        import penstock.torch

        features, label = (torch.from_numpy(array) for array in higgs_arrays())
        batches = penstock.torch.IterableDataset(HIGGS, label=0, batch_size=256, device="cpu")
        over_batches, over_arrays = (self.model(torch) for _ in range(2))
        for _ in range(20):
            for i, batch in enumerate(torch.utils.data.DataLoader(batches, batch_size=None)):
                rows = slice(256 * i, 256 * (i + 1))
                self.assertTrue(torch.equal(batch["features"], features[rows]))
                self.assertTrue(torch.equal(batch["label"], label[rows]))
                self.step(torch, over_batches, batch["features"], batch["label"])
                self.step(torch, over_arrays, features[rows], label[rows])
        self.assertTrue(torch.equal(over_batches.weight, over_arrays.weight))
        right = ((over_batches(features)[:, 0] > 0) == (label > 0.5)).float().mean().item()
        self.assertGreater(right, majority(label.numpy()) + 0.05)

    def model(self, torch):
        torch.manual_seed(0)
        return torch.nn.Linear(28, 1)

    def step(self, torch, model, features, label):
        model.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(model(features)[:, 0], label).backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 0.05 * parameter.grad


@needs_data
@unittest.skipIf(xgboost is None, "SKIPPED: xgboost is not installed")
class Trees(PackageTest):
    parameters = {"objective": "binary:logistic", "tree_method": "hist", "max_depth": 4, "eta": 0.5, "nthread": 1}

    def test_agaricus_is_learned_as_from_scikit_learns_reader(self):
        import penstock.xgboost

        load_svmlight_file = module_or_skip(self, "sklearn.datasets").load_svmlight_file
        test_path = AGARICUS.with_name("agaricus.test.libsvm")
        options = {"num_features": 127, "index_base": 1}
        batches = penstock.xgboost.DataIter(AGARICUS, batch_size=1000, **options)
        matrix = xgboost.QuantileDMatrix(batches)
        model = xgboost.train(self.parameters, matrix, num_boost_round=5)
        test = penstock.read(test_path, **options)
        ours = model.predict(xgboost.DMatrix(test["features"].to_scipy()))
        error = np.mean((ours > 0.5) != np.asarray(test["label"]))
        self.assertLess(error, 0.02)
        features, label = load_svmlight_file(str(AGARICUS), n_features=127, dtype=np.float32, zero_based=False)
        test_features, _ = load_svmlight_file(str(test_path), n_features=127, dtype=np.float32, zero_based=False)
        theirs = xgboost.train(self.parameters, xgboost.QuantileDMatrix(features, label), num_boost_round=5)
        np.testing.assert_array_equal(ours, theirs.predict(xgboost.DMatrix(test_features)))

    def test_dense_rows_are_learned_as_from_arrays(self):
        import penstock.xgboost

        features, label = higgs_arrays()
        weight = np.loadtxt(HIGGS.with_name("higgs_subset.weight"), dtype=np.float32)
        batches = penstock.xgboost.DataIter(
            HIGGS, label=0, batch_size=1000, weight_file=str(HIGGS.with_name("higgs_subset.weight"))
        )
        ours = xgboost.train(self.parameters, xgboost.QuantileDMatrix(batches), num_boost_round=5)
        theirs = xgboost.train(self.parameters, xgboost.QuantileDMatrix(features, label, weight=weight), num_boost_round=5)
        every = xgboost.DMatrix(features)
        np.testing.assert_allclose(ours.predict(every), theirs.predict(every), atol=0.05)
        self.assertGreater(np.mean((ours.predict(every) > 0.5) == label), 0.7)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--train"]:
        train(Path(sys.argv[2]), float(sys.argv[3]))
    else:
        main()
