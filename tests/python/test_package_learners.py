#!/usr/bin/env python3
"""penstock.xgboost and penstock.torch: what learners get of batches is what they would get of arrays."""

import inspect
from pathlib import Path

import numpy as np
from _package import PackageTest, csv, libsvm, main, module_or_skip, penstock


def ranked(queries):
    """Queries 0, 1, ... of 1 to 5 records, with a weight for each record."""
    rows = [(query, record) for query in range(queries) for record in range(query % 5 + 1)]
    return "w,q,a,y\n" + "".join(f"{query + 1},{query},{i},{record % 2}\n" for i, (query, record) in enumerate(rows))


class XGBoost(PackageTest):
    def setUp(self):
        super().setUp()
        self.xgboost = module_or_skip(self, "xgboost")
        self.module = module_or_skip(self, "penstock.xgboost")

    def passes(self, iterator, count=2):
        """What each of some passes gives, as lists of dicts."""
        seen = []
        for _ in range(count):
            iterator.reset()
            batches, keep = [], []

            def input_data(**fields):
                batches.append({name: value for name, value in fields.items() if value is not None})
                keep.append(fields["data"])

            while iterator.next(input_data):
                pass
            self.assertEqual(len({id(data) for data in keep}), len(keep))
            seen.append(batches)
        return seen

    def train(self, matrix, **parameters):
        parameters = {"tree_method": "hist", "max_depth": 3, "nthread": 1, "seed": 1, "verbosity": 0, **parameters}
        return self.xgboost.train(parameters, matrix, num_boost_round=5)

    def test_dense(self):
        self.write("in.csv", csv(1000))
        iterator = self.module.DataIter("in.csv", label="y", batch_size=300, device="cpu", index="none")
        matrix = self.xgboost.QuantileDMatrix(iterator)
        self.assertEqual((matrix.num_row(), matrix.num_col(), matrix.feature_names), (1000, 2, ["a", "b"]))
        features = np.stack([np.arange(1000), np.arange(1000) / 4], axis=1).astype(np.float32)
        label = np.arange(1000) % 2
        plain = self.xgboost.QuantileDMatrix(features, label, feature_names=["a", "b"])
        self.assertTrue((matrix.get_label() == label).all())
        predicted, expected = self.train(matrix).predict(matrix), self.train(plain).predict(plain)
        np.testing.assert_allclose(predicted, expected, atol=1e-6)

    def test_every_pass_is_the_same(self):
        loader = self.numbers(100, batch_size=30, shuffle=True)
        loader.set_epoch(3)
        iterator = self.module.DataIter(loader)
        first, second, third = self.passes(iterator, 3)
        self.assertEqual(len(first), 4)
        for one, other in zip(first, second):
            np.testing.assert_equal(one, other)
        np.testing.assert_equal(first, third)
        rows = np.concatenate([batch["data"] for batch in first])[:, 0]
        self.assertEqual(sorted(rows), list(range(100)))
        self.assertNotEqual(list(rows), list(range(100)))

    def test_sparse(self):
        self.write("in.libsvm", libsvm(500))
        options = {"batch_size": 200, "index_base": 0, "num_features": 7, "device": "cpu", "index": "none"}
        iterator = self.module.DataIter("in.libsvm", **options)
        matrix = self.xgboost.QuantileDMatrix(iterator)
        whole = penstock.read("in.libsvm", index_base=0, num_features=7)
        plain = self.xgboost.QuantileDMatrix(whole["features"].to_scipy(), whole["label"].numpy())
        self.assertEqual((matrix.num_row(), matrix.num_col()), (500, 7))
        predicted, expected = self.train(matrix).predict(matrix), self.train(plain).predict(plain)
        np.testing.assert_allclose(predicted, expected, atol=1e-6)

    def test_padding_is_left_out(self):
        iterator = self.module.DataIter(self.numbers(10, batch_size=4, remainder="pad"))
        for batches in self.passes(iterator):
            self.assertEqual([len(batch["data"]) for batch in batches], [4, 4, 2])
            self.assertEqual([len(batch["label"]) for batch in batches], [4, 4, 2])

    def test_queries_stay_whole(self):
        self.write("in.csv", ranked(20))
        for batch_size in (1, 2, 3, 7, 1000):
            with self.subTest(batch_size):
                loader = self.loader("in.csv", label="y", qid="q", weight="w", batch_size=batch_size)
                iterator = self.module.DataIter(loader)
                for batches in self.passes(iterator):
                    queries = [set(batch["qid"]) for batch in batches]
                    self.assertEqual(sum(len(query) for query in queries), 20)
                    rows = np.concatenate([batch["data"] for batch in batches])[:, 0]
                    self.assertEqual(list(rows), list(range(60)))
                    weights = np.concatenate([batch["weight"] for batch in batches])
                    self.assertEqual(list(weights), list(range(1, 21)))
                matrix = self.xgboost.QuantileDMatrix(self.module.DataIter(loader))
                self.train(matrix, objective="rank:pairwise")
                sizes = np.diff(matrix.get_uint_info("group_ptr"))
                self.assertEqual(list(sizes), [query % 5 + 1 for query in range(20)])

    def test_queries_of_a_rank_that_has_padding_alone(self):
        self.write("in.csv", "w,q,a,y\n1,0,1,0\n2,0,2,1\n")
        options = {"label": "y", "qid": "q", "weight": "w", "batch_size": 4, "remainder": "pad", "world_size": 2}
        sizes = []
        for rank in range(2):
            iterator = self.module.DataIter(self.loader("in.csv", rank=rank, **options))
            for batches in self.passes(iterator):
                sizes.append([len(batch["data"]) for batch in batches])
                self.assertTrue(all(len(batch["weight"]) <= 1 for batch in batches))
        self.assertEqual([sum(size) for size in sizes], [2, 2, 0, 0])

    def test_names_of_features(self):
        self.write("in.csv", "a[0],b,y\n" + csv(20, "")[1:])
        options = {"label": "y", "device": "cpu", "index": "none"}
        with self.assertRaisesRegex(penstock.ConfigurationError, r"'a\[0\]'(.|\n)*feature_names"):
            self.module.DataIter("in.csv", **options)
        for names, found in ((["a", "b"], ["a", "b"]), ([], None)):
            matrix = self.xgboost.QuantileDMatrix(self.module.DataIter("in.csv", feature_names=names, **options))
            self.assertEqual(matrix.feature_names, found)

    def test_options_of_a_newer_release(self):
        self.write("in.csv", csv(20))
        parameters = inspect.signature(self.xgboost.DataIter.__init__).parameters
        options = {"label": "y", "device": "cpu", "index": "none"}
        for name in ("release_data", "on_host"):
            with self.subTest(name):
                if name in parameters:
                    self.module.DataIter("in.csv", **{name: True}, **options)
                    continue
                with self.assertRaisesRegex(penstock.ConfigurationError, f"has no {name}(.|\n)*pip install"):
                    self.module.DataIter("in.csv", **{name: True}, **options)

    def test_what_it_cannot_take(self):
        self.write("ranked.csv", ranked(20))
        iterator = self.module.DataIter(self.loader("ranked.csv", label="y", qid="q", shuffle=True))
        with self.assertRaisesRegex(penstock.ConfigurationError, "query ids descend"):
            self.passes(iterator)
        line = '{"start": "2020-01-01 00:00:00", "target": [1]}\n'
        iterator = self.module.DataIter(self.loader(self.write("in.deepar.jsonl", line)))
        with self.assertRaisesRegex(penstock.ConfigurationError, "features"):
            self.passes(iterator)
        with self.assertRaisesRegex(penstock.ConfigurationError, "options of a loader"):
            self.module.DataIter(self.numbers(), batch_size=3)

    def test_errors_of_the_input_reach_the_caller(self):
        self.write("bad.csv", "a,y\n1,0\n2,1\nx,1\n")
        iterator = self.module.DataIter("bad.csv", label="y", batch_size=1, device="cpu", index="none")
        with self.assertRaises(penstock.DataError) as raised:
            self.xgboost.QuantileDMatrix(iterator)
        self.assertEqual(raised.exception.line, 4)


class PyTorch(PackageTest):
    def setUp(self):
        super().setUp()
        self.torch = module_or_skip(self, "torch")
        self.module = module_or_skip(self, "penstock.torch")
        self.data = module_or_skip(self, "torch.utils.data")

    def dataset(self, rows=20, **options):
        path = self.write("numbers.csv", csv(rows))
        return self.module.IterableDataset(path, **{"label": "y", "device": "cpu", "index": "none", **options})

    def rows(self, batches):
        return [int(value) for batch in batches for value in batch["features"][:, 0]]

    def test_tensors_share_the_memory(self):
        batch = next(iter(self.numbers()))
        made = batch.to_torch()
        self.assertEqual(made["features"].data_ptr(), batch["features"].data_ptr)
        self.assertEqual((made["features"].shape, made["features"].dtype), ((10, 2), self.torch.float32))
        self.assertEqual(made["label"].tolist(), [0, 1] * 5)

    def test_sparse_and_ragged(self):
        made = next(iter(self.pairs())).to_torch()
        self.assertEqual(made["features"].to_dense()[:, 0].tolist(), list(range(10)))
        self.write("in.object2vec.jsonl", '{"label": 1, "in0": [1, 2], "in1": [3]}\n')
        values, offsets = next(iter(self.loader("in.object2vec.jsonl"))).to_torch()["in0"]
        self.assertEqual((values.tolist(), offsets.tolist()), ([1, 2], [0, 2]))

    def test_data_loader(self):
        dataset = self.dataset(batch_size=6)
        batches = self.data.DataLoader(dataset, batch_size=None)
        self.assertEqual(len(batches), 4)
        for _ in range(2):
            self.assertEqual(self.rows(batches), list(range(20)))

    def test_padding_is_marked(self):
        batches = list(self.dataset(10, batch_size=4, remainder="pad"))
        self.assertEqual([batch["valid"].tolist() for batch in batches], [[True] * 4, [True] * 4, [True, True, False, False]])
        self.assertNotIn("valid", next(iter(self.dataset(10, batch_size=4))))

    def test_workers_share_the_rank(self):
        for context in ("fork", "spawn"):
            with self.subTest(context):
                dataset = self.dataset(batch_size=5, shuffle=True)
                batches = self.data.DataLoader(dataset, batch_size=None, num_workers=2, multiprocessing_context=context)
                orders = []
                for epoch in range(2):
                    dataset.set_epoch(epoch)
                    orders.append(self.rows(batches))
                    self.assertEqual(sorted(orders[-1]), list(range(20)))
                self.assertNotEqual(*orders)
                self.assertEqual(orders[0], self.rows(self.dataset(batch_size=5, shuffle=True)))

    def test_states(self):
        dataset = self.dataset(batch_size=5, shuffle=True)
        iterator = iter(dataset)
        before = self.rows([next(iterator), next(iterator)])
        other = self.dataset(batch_size=5, shuffle=True)
        other.load_state_dict(dataset.state_dict())
        self.assertEqual(sorted(before + self.rows(other)), list(range(20)))

    def test_stateful_data_loader(self):
        stateful = module_or_skip(self, "torchdata.stateful_dataloader")
        batches = stateful.StatefulDataLoader(self.dataset(batch_size=5, shuffle=True), batch_size=None)
        iterator = iter(batches)
        before = self.rows([next(iterator), next(iterator)])
        state = batches.state_dict()
        other = stateful.StatefulDataLoader(self.dataset(batch_size=5, shuffle=True), batch_size=None)
        other.load_state_dict(state)
        self.assertEqual(sorted(before + self.rows(other)), list(range(20)))

    def test_training(self):
        torch = self.torch
        Path("line.csv").write_text("x,y\n" + "".join(f"{i / 100},{3 * i / 100 + 1}\n" for i in range(100)))
        options = {"label": "y", "batch_size": 10, "shuffle": True, "device": "cpu", "index": "none"}
        model = torch.nn.Linear(1, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
        dataset = self.module.IterableDataset("line.csv", **options)
        for _ in range(60):
            for batch in dataset:
                optimizer.zero_grad()
                torch.nn.functional.mse_loss(model(batch["features"])[:, 0], batch["label"]).backward()
                optimizer.step()
        self.assertAlmostEqual(model.weight.item(), 3, places=2)
        self.assertAlmostEqual(model.bias.item(), 1, places=2)


if __name__ == "__main__":
    main()
