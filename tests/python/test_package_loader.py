#!/usr/bin/env python3
"""The package's loader: epochs and iterations, plans and states, options as Python spells them, errors."""

import json
import pickle
import pickletools
from pathlib import Path

import numpy as np
from _package import PackageTest, collect, csv, main, penstock


def seen(batches):
    """The first feature of every row: the record's number."""
    return [int(row[0]) for batch in batches for row in batch["features"].tolist()]


class Iterations(PackageTest):
    def test_an_iteration_is_an_epoch(self):
        loader = self.numbers(10, batch_size=4)
        for epoch in range(3):
            self.assertEqual(loader.epoch, epoch)
            batches = list(loader)
            self.assertEqual([(batch.epoch, batch.step, batch.rows) for batch in batches], [(epoch, s, r) for s, r in
                                                                                         ((0, 4), (1, 4), (2, 2))])
            self.assertEqual(seen(batches), list(range(10)))
        self.assertEqual(len(loader), 3)
        self.assertTrue(loader)

    def test_an_abandoned_epoch_is_followed_by_the_next(self):
        loader = self.numbers(10, batch_size=4)
        for batch in loader:
            break
        self.assertEqual(next(iter(loader)).epoch, 1)
        iterator = iter(loader)  # again epoch 1 was left
        self.assertEqual([(batch.epoch, batch.step) for batch in iterator], [(2, 0), (2, 1), (2, 2)])
        self.assertIsNone(next(iterator, None))
        iterator = iter(loader)
        del iterator  # nothing was taken of it
        self.assertEqual(next(iter(loader)).epoch, 3)

    def test_set_epoch(self):
        loader = self.numbers(10, batch_size=4, shuffle=True, seed=3)
        orders = [seen(loader) for _ in range(3)]
        self.assertEqual([sorted(order) for order in orders], [list(range(10))] * 3)
        self.assertNotEqual(orders[0], orders[1])
        loader.set_epoch(1)
        self.assertEqual(seen(loader), orders[1])
        next(iter(loader))
        loader.set_epoch(2)
        self.assertEqual(loader.epoch, 2)
        self.assertEqual(seen(loader), orders[2])
        loader.set_epoch(np.int64(1))
        self.assertEqual(seen(loader), orders[1])
        for bad, kind in ((-1, penstock.ConfigurationError), (1 << 64, penstock.ConfigurationError), ("1", TypeError),
                          (1.5, TypeError)):
            with self.subTest(bad), self.assertRaisesRegex(kind, "epoch"):
                loader.set_epoch(bad)

    def test_one_iteration_at_a_time(self):
        loader = self.numbers(10, batch_size=4)
        for end in (lambda: iter(loader), lambda: loader.set_epoch(5), lambda: loader.load_state_dict(loader.state_dict())):
            older = iter(loader)
            next(older)
            end()
            with self.assertRaisesRegex(penstock.ConfigurationError, "this iterator is over"):
                next(older)
        older = iter(loader)
        loader.close()
        with self.assertRaisesRegex(penstock.ConfigurationError, "the loader is closed"):
            next(older)

    def test_length_of_a_pipe(self):
        import os
        import threading

        os.mkfifo("pipe")
        writer = threading.Thread(target=lambda: Path("pipe").write_text(csv(10)))
        writer.start()
        loader = self.loader("pipe", format="csv", label="y", batch_size=4)
        try:
            self.assertEqual(seen(loader), list(range(10)))  # list() asks for a length and does without
        finally:
            writer.join()


class States(PackageTest):
    def test_goes_on_behind_a_state(self):
        for shuffle in (False, "window", "exact"):
            with self.subTest(shuffle):
                loader = self.numbers(40, batch_size=4, shuffle=shuffle, seed=5)
                iterator = iter(loader)
                before = seen([next(iterator), next(iterator), next(iterator)])
                state = loader.state_dict()
                after = seen(iterator)
                self.assertIsInstance(state, dict)
                self.assertLess(len(json.dumps(state)), 4096)
                other = self.numbers(40, batch_size=4, shuffle=shuffle, seed=5)
                other.load_state_dict(json.loads(json.dumps(state)))
                self.assertEqual(seen(other), after)
                self.assertEqual(sorted(before + after), list(range(40)))
                self.assertEqual(other.epoch, 1)
                self.assertEqual(seen(other), seen(loader))

    def test_with_other_ranks_and_batch_sizes(self):
        loader = self.numbers(40, batch_size=4, shuffle=True)
        iterator = iter(loader)
        before = seen([next(iterator), next(iterator)])
        state = loader.state_dict()
        ranks = [self.numbers(40, batch_size=2, shuffle=True, rank=rank, world_size=2) for rank in range(2)]
        rest = []
        for rank in ranks:
            rank.load_state_dict(state)
            rest += seen(rank)
        self.assertEqual(sorted(before + rest), list(range(40)))

    def test_of_something_else(self):
        state = self.numbers(10).state_dict()
        with self.assertRaises(penstock.ConfigurationError):
            self.numbers(10, shuffle=True).load_state_dict(state)
        with self.assertRaises(penstock.SourceError):
            self.loader(self.write("other.csv", csv(11)), label="y").load_state_dict(state)
        with self.assertRaises(penstock.ConfigurationError):
            self.numbers(10).load_state_dict({"nothing": 1})


class Plans(PackageTest):
    def test_plan(self):
        plan = self.numbers(10, batch_size=3, rank=1, world_size=2, remainder="drop").plan()
        self.assertIsInstance(plan, penstock.EpochPlan)
        self.assertEqual((plan.records, plan.steps, plan.dropped, plan.rank, plan.world_size), (10, 1, 4, 1, 2))
        self.assertEqual((plan.batch_size, plan.last_rows, plan.padded, plan.rejected), (3, 3, 0, 0))

    def test_ranks_share_an_epoch(self):
        rows = []
        for rank in range(3):
            loader = self.numbers(32, batch_size=4, rank=rank, world_size=3, remainder="pad", shuffle="window")
            batches = list(loader)
            self.assertEqual(len(batches), len(loader))
            rows += [int(row[0]) for batch in batches for row in batch["features"].tolist()[: batch.valid_rows]]
        self.assertEqual(sorted(rows), list(range(32)))

    def test_metrics(self):
        loader = self.numbers(10, batch_size=4)
        batches = list(loader)
        metrics = loader.metrics()
        self.assertIsInstance(metrics, penstock.Metrics)
        self.assertEqual((metrics.batches, metrics.records), (3, 10))
        self.assertGreater(metrics.held_bytes, 0)
        self.assertIn("penstock", loader.metrics_text())
        self.assertTrue(loader.summary())
        del batches

    def test_names_and_notes(self):
        loader = self.numbers(3)
        self.assertEqual((loader.feature_names, loader.label_names, loader.num_features), (("a", "b"), ("y",), 2))
        self.assertEqual(loader.tensor_names, ("features", "label"))
        self.assertTrue(any("delimiter" in note for note in loader.notes), loader.notes)


class Options(PackageTest):
    def features(self, content, **options):
        options.setdefault("format", "csv")
        return [row for batch in self.loader(self.write("in.csv", content), **options) for row in batch["features"].tolist()]

    def test_spellings(self):
        self.assertEqual(self.features("1,2\n3,4\n", header=False), [[1, 2], [3, 4]])
        self.assertEqual(self.features("1,2\n3,4\n", header=True), [[3, 4]])
        self.assertEqual(self.features("1;2\n3;4\n", header="no", delimiter=";"), [[1, 2], [3, 4]])
        self.assertEqual(self.features('"x,1",y,z\n1,2,3\n', columns=["z", "x,1"]), [[3, 1]])
        self.assertEqual(self.features("1,2,3\n", header=False, columns=[2, 0]), [[3, 1]])
        self.assertEqual(self.features("1,2\n", header=False, label=0, trim=False, quotes=None), [[2]])
        self.assertEqual(self.features(" 1 , 2 \n", header=False, trim=True), [[1, 2]])
        [row] = self.features('1,"?,"\n', header=False, null=["?,", "x"])
        self.assertNotEqual(row[1], row[1])

    def test_label_maps(self):
        for given in ({"no,": 0, "yes": 1}, '"no,"=0,yes=1'):
            path = self.write("words.csv", 'a,y\n1,yes\n2,"no,"\n')
            batch = next(iter(self.loader(path, label="y", label_map=given)))
            self.assertEqual(batch["label"].tolist(), [1, 0])

    def test_sizes(self):
        self.assertEqual(seen(self.numbers(10, memory="64MiB", prefetch=1 << 20, slot_size="64KiB", threads=2)), list(range(10)))
        with self.assertRaisesRegex(penstock.ConfigurationError, "memory: not a size.*hint"):
            try:
                self.numbers(memory="lots")
            except penstock.ConfigurationError as error:
                raise penstock.ConfigurationError(str(error).replace("\n", " ")) from error

    def test_paths(self):
        folder = self.folder / "parts"
        folder.mkdir()
        (folder / "b.csv").write_text("a,b,y\n2,2,2\n")
        (folder / "a.csv").write_text("a,b,y\n1,1,1\n")
        for paths in (folder, str(folder), [folder], ["parts/a.csv", b"parts/b.csv"], "parts/*.csv"):
            self.assertEqual(seen(self.loader(paths, label="y")), [1, 2])
        odd = self.folder / "\udcff.csv"  # a name that is not UTF-8
        odd.write_text("a,y\n5,1\n")
        batch = next(iter(self.loader(odd, label="y")))
        self.assertEqual((batch.file, seen([batch])), (str(odd), [5]))

    def test_normalizer(self):
        loader = self.numbers(10, normalize="a=min-max(0,1); b=none")
        self.assertEqual([row[0] for row in next(iter(loader))["features"].tolist()][9], 1)

    def test_unknown(self):
        with self.assertRaisesRegex(penstock.ConfigurationError, "delimter(.|\n)*delimiter"):
            self.numbers(delimter=",")
        for options in ({"shuffle": "some"}, {"remainder": "none"}, {"batch_size": 0}, {"batch_size": -1}, {"rank": 1},
                        {"seed": 1 << 64}, {"device": "tpu"}, {"format": "xml"}, {"on_error": "quarantine"}):
            with self.subTest(options), self.assertRaises(penstock.ConfigurationError):
                self.numbers(**options)
        for options in ({"batch_size": "many"}, {"batch_size": 1.5}, {"threads": []}):
            with self.subTest(options), self.assertRaisesRegex(TypeError, next(iter(options)) + ": expected an integer"):
                self.numbers(**options)
        with self.assertRaisesRegex(TypeError, "remainder: expected a str, not 5"):
            self.numbers(remainder=5)
        with self.assertRaisesRegex(penstock.ConfigurationError, "shuffle: there is no 2"):
            self.numbers(shuffle=2)

    def test_unknown_names(self):
        """Whatever their values are."""
        for name, near in (("shufle", "shuffle"), ("batchsize", "batch_size"), ("worldsize", "world_size")):
            for value in (None, False, True, 5):
                with self.subTest(name, value=value):
                    with self.assertRaises(penstock.ConfigurationError) as raised:
                        self.numbers(**{name: value})
                    self.assertEqual(str(raised.exception), f"there is no option {name}\nhint: Did you mean {near}?")
        with self.assertRaisesRegex(penstock.ConfigurationError, "there is no option drop_last(.|\n)*docs/cli.md"):
            self.numbers(drop_last=False)
        with self.assertRaisesRegex(penstock.ConfigurationError, "there is no option index"):
            penstock.read(self.write("in.csv", csv(3)), index="none")

    def test_values_of_numpy_and_of_other_containers(self):
        self.write("wide.csv", "a,b,c,y\n1,2,3,0\n")
        ordered = {"a": 1, "b": 2}
        for columns in ([0, 1], (0, 1), range(2), {0, 1}, np.array([0, 1]), np.array(["a", "b"]), "a,b", ordered.keys()):
            with self.subTest(columns):
                batch = next(iter(self.loader("wide.csv", label="y", columns=columns)))
                self.assertEqual(batch["features"].tolist(), [[1, 2]])
        for columns in (np.int64(1), np.array("b"), 1, "b"):
            with self.subTest(columns):
                self.assertEqual(next(iter(self.loader("wide.csv", label="y", columns=columns)))["features"].tolist(), [[2]])
        batch = next(iter(self.loader("wide.csv", label="y", columns={"b": 1, "a": 2}.keys())))
        self.assertEqual(batch["features"].tolist(), [[2, 1]])
        with self.assertRaisesRegex(penstock.ConfigurationError, "columns: the list is empty"):
            self.loader("wide.csv", label="y", columns=[])
        self.assertEqual(seen(self.numbers(5, shuffle=np.False_, header=np.True_)), list(range(5)))
        self.assertEqual(sorted(seen(self.numbers(5, shuffle=np.True_, batch_size=np.uint8(2)))), list(range(5)))

    def test_nul_bytes(self):
        path = self.write("in.csv", csv(3))
        for act in (lambda: self.loader(f"{path}\0junk"), lambda: self.loader(path, label="y\0"),
                    lambda: penstock.convert(path, "out.rec\0.npz")):
            with self.assertRaisesRegex(penstock.ConfigurationError, "a NUL byte in"):
                act()
        self.assertEqual(sorted(child.name for child in Path().iterdir()), ["in.csv"])

    def test_not_paths(self):
        with self.assertRaises(TypeError):
            penstock.Loader(3)
        with self.assertRaises(penstock.ConfigurationError):
            penstock.Loader([])


class Errors(PackageTest):
    def test_data(self):
        loader = self.loader(self.write("bad.csv", "a,b,y\n1,2,0\n3,oops,1\n"), label="y", batch_size=1)
        rows = []
        with self.assertRaises(penstock.DataError) as raised:
            for batch in loader:
                rows += batch["features"].tolist()
        self.assertEqual(rows, [[1, 2]])
        error = raised.exception
        self.assertIsInstance(error, ValueError)
        self.assertEqual((Path(error.file).name, error.line, error.column, error.offset), ("bad.csv", 3, 3, 14))
        self.assertIn("oops", str(error))
        self.assertEqual(str(error).splitlines()[-1], f"hint: {error.hint.splitlines()[-1]}")
        self.assertEqual(error.place, penstock.Place(error.file, 3, 3, 14))

    def test_sources(self):
        with self.assertRaises(OSError) as raised:
            self.loader("absent.csv")
        error = raised.exception
        self.assertIsInstance(error, penstock.SourceError)
        self.assertIsInstance(error, penstock.Error)
        self.assertIn("absent.csv", str(error))
        self.assertNotIn("Errno", str(error))

    def test_schemas(self):
        self.write("a.csv", "a,y\n1,0\n")
        self.write("b.csv", "b,y\n1,0\n")
        with self.assertRaises(penstock.SchemaError):
            list(self.loader(["a.csv", "b.csv"], label="y"))

    def test_devices(self):
        with self.assertRaises(penstock.DeviceError) as raised:
            self.numbers(device="cuda:77")
        self.assertIsInstance(raised.exception, RuntimeError)

    def test_classes(self):
        for name, base in (("ConfigurationError", ValueError), ("SourceError", OSError), ("SinkError", OSError),
                           ("SchemaError", ValueError), ("DeviceError", RuntimeError), ("DataError", ValueError),
                           ("InternalError", Exception)):
            kind = getattr(penstock, name)
            error = kind("what", "do this\nor that")
            self.assertIsInstance(error, base)
            self.assertIsInstance(error, penstock.Error)
            self.assertEqual(str(error), "what\nhint: do this\nhint: or that")
            again = pickle.loads(pickle.dumps(error))
            self.assertEqual((type(again), str(again), again.hint), (kind, str(error), error.hint))
        error = penstock.DataError("x", place=("f", 1, 2, 3))
        again = pickle.loads(pickletools.optimize(pickle.dumps(error)))
        self.assertEqual((again.file, again.line, again.column, again.offset), ("f", 1, 2, 3))
        self.assertIsNone(penstock.DataError("x").line)


class Closing(PackageTest):
    def test_what_cannot_be_pickled(self):
        loader = self.numbers(10, batch_size=4)
        batch = next(iter(loader))
        for value in (loader, batch, batch["features"]):
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                with self.subTest(type(value), protocol=protocol), self.assertRaisesRegex(TypeError, "cannot be pickled"):
                    pickle.dumps(value, protocol)

    def test_close(self):
        with self.numbers(10, batch_size=4) as loader:
            batch = next(iter(loader))
        self.assertEqual(seen([batch]), [0, 1, 2, 3])
        loader.close()
        for act in (lambda: iter(loader), lambda: loader.epoch, loader.plan, loader.metrics, loader.state_dict):
            with self.assertRaisesRegex(penstock.ConfigurationError, "the loader is closed"):
                act()
        collect()


if __name__ == "__main__":
    main()
