#!/usr/bin/env python3
"""`inspect --save-schema`, and `--schema` of `convert`, `head` and `inspect`. Standard library only."""

import json
import struct
import zipfile

from _cli import CliTest, gzipped, main, parse_recordio, read_npz

TRAIN = "id,y,a,b\n7,1,2,3\n8,0,5,\n9,1,-1,4\n"


class Schemas(CliTest):
    def save(self, *words, name="s.json"):
        """The schema of an input, as a file and as JSON."""
        self.ok("inspect", *words, "--save-schema", name, "--force")
        return json.loads(self.read(name))

    def head(self, *words, **options):
        return [json.loads(line) for line in self.ok("head", *words, "--json", **options).stdout.splitlines()]

    def refused(self, status, *words, **options):
        """What is said when it ends with `status`, from every verb that reads by a schema."""
        err = self.expect(status, "head", *words, **options).err
        self.assertEqual(self.expect(status, "inspect", *words, **options).err, err)
        self.assertEqual(self.expect(status, "convert", *words, "-o", "refused.npz", **options).err, err)
        self.assertFalse((self.folder / "refused.npz").exists())
        return err


class Saving(Schemas):
    def setUp(self):
        super().setUp()
        self.write("train.csv", TRAIN)

    def test_csv(self):
        schema = self.save("train.csv", "--label", "1", "--ignore", "id")
        self.assertEqual((schema["schema_version"], schema["format"]), (1, "csv"))
        roles = [(column["name"], column["role"]) for column in schema["columns"]]
        self.assertEqual(roles, [("id", "ignored"), ("y", "label"), ("a", "feature"), ("b", "feature")])
        self.assertEqual(schema["features"], ["a", "b"])
        self.assertEqual((schema["layout"]["features"], schema["layout"]["labels"], schema["layout"]["sparse"]), (2, 1, False))
        options = schema["options"]
        self.assertEqual((options["label"], options["header"], options["delimiter"]), ("y", "yes", "comma"))
        self.assertEqual((options["null"], options["dtype"], options["quote"]), (",nan,NA,null", "float32", "double"))
        self.assertNotIn("label-map", options)
        self.assertNotIn("trim", options)

    def test_csv_as_it_was_asked_for(self):
        self.write("t.tsv", "a\tb\ty\n 1\t?\tyes\n2\t3\tno\n")
        words = ("--label", "y", "--label-map", "yes=1,no=0", "--trim", "--null", '?,"a,b"', "--dtype", "float64")
        schema = self.save("t.tsv", *words, "--columns", "b,a", "--quotes", "strict", "--comment", "#")
        options = schema["options"]
        self.assertEqual((options["delimiter"], options["trim"], options["null"]), ("tab", "true", '?,"a,b"'))
        self.assertEqual((options["label-map"], options["dtype"]), ("yes=1,no=0", "float64"))
        self.assertEqual((options["quotes"], options["comment"]), ("strict", "hash"))
        self.assertEqual(schema["features"], ["b", "a"])
        self.assertEqual(self.head("t.tsv", "--schema", "s.json"), self.head("t.tsv", *words, "--columns", "b,a"))

    def test_text_columns_are_left_out(self):
        self.write("t.csv", "a,name\n1,x\n2,y\n")
        self.assertEqual(self.save("t.csv")["features"], ["a"])
        self.assertEqual(self.head("t.csv", "--schema", "s.json"), [{"features": [1]}, {"features": [2]}])

    def test_libsvm(self):
        self.write("a.libsvm", "1:2 qid:3 1:1 5:2\n0:1 qid:4 2:1\n")
        schema = self.save("a.libsvm")
        self.assertEqual(schema["options"], {"index-base": "1", "num-features": "5", "dtype": "float32"})
        layout = schema["layout"]
        self.assertEqual((layout["features"], layout["sparse"], layout["weight"], layout["qid"]), (5, True, True, True))

    def test_libsvm_that_is_read_once(self):
        self.ok(
            "inspect", "-", "--from", "libsvm", "--index-base", "1", "--save-schema", "s.json", stdin=b"1 1:1 9:1\n0 2:1\n"
        )
        self.assertEqual(json.loads(self.read("s.json"))["options"]["num-features"], "9")

    def test_recordio(self):
        self.write("a.libsvm", "1 1:1 5:2\n0 2:1\n")
        self.ok("convert", "a.libsvm", "-o", "a.rec")
        schema = self.save("a.rec", "--padding", "lenient")
        self.assertEqual((schema["format"], schema["options"], schema["layout"]["features"]), ("recordio", {}, 5))
        self.ok("convert", "train.csv", "--label", "y", "-o", "d.rec")
        self.assertEqual(self.save("d.rec")["layout"]["features"], 3)

    def test_standard_output(self):
        self.save("train.csv", "--label", "y")
        self.assertEqual(self.ok("inspect", "train.csv", "--label", "y", "--save-schema", "-").stdout, self.read("s.json"))

    def test_files_are_not_replaced_unasked(self):
        self.write("mine", "mine")
        self.expect(4, "inspect", "train.csv", "--save-schema", "mine")
        self.assertEqual(self.read("mine"), b"mine")

    def test_usage(self):
        self.save("train.csv")
        self.expect(2, "inspect", "train.csv", "--schema", "s.json", "--save-schema", "t.json")
        self.refused(2, "train.csv", "--unlabeled")
        self.refused(3, "train.csv", "--schema", "absent.json")


class CsvBySchema(Schemas):
    def setUp(self):
        super().setUp()
        self.write("train.csv", TRAIN)
        self.save("train.csv", "--label", "y", "--ignore", "id")

    def test_the_same_file_again(self):
        self.ok("convert", "train.csv", "--label", "y", "--ignore", "id", "-o", "plain.rec")
        self.ok("convert", "train.csv", "--schema", "s.json", "-o", "guided.rec")
        self.assertEqual(self.read("plain.rec"), self.read("guided.rec"))

    def test_columns_go_by_name(self):
        self.write("test.csv", "b,new,a,y,id\n3,word,2,1,7\n4,word,5,0,8\n")
        result = self.ok("convert", "test.csv", "--schema", "s.json", "-o", "test.rec")
        self.assertEqual(parse_recordio(self.read("test.rec")), [([2, 3], [1]), ([5, 4], [0])])
        self.assertIn("test.csv: 1 unexpected column: 'new'", result.err)
        wanted = [{"features": [2, 3], "label": [1]}, {"features": [5, 4], "label": [0]}]
        content = self.read("test.csv")
        self.assertEqual(self.head("test.csv", "--schema", "s.json"), wanted)
        self.assertEqual(self.head("-", "--schema", "s.json", stdin=content), wanted)
        self.write("test.csv.gz", gzipped(content))
        self.assertEqual(self.head("test.csv.gz", "--schema", "s.json"), wanted)
        facts = json.loads(self.ok("inspect", "test.csv", "--schema", "s.json", "--json").stdout)
        self.assertEqual([column["role"] for column in facts["columns"]], ["feature", "ignored", "feature", "label", "ignored"])

    def test_ignored_columns_may_be_missing(self):
        self.write("test.csv", "y,a,b\n1,2,3\n")
        self.assertEqual(self.head("test.csv", "--schema", "s.json"), [{"features": [2, 3], "label": [1]}])

    def test_missing_features(self):
        self.write("test.csv", "y,a,id\n1,2,3\n")
        err = self.refused(5, "test.csv", "--schema", "s.json")
        self.assertIn("1 feature column is missing: 'b'", err)
        self.assertIn("s.json", err)
        self.assertNotIn("--unlabeled", err)
        self.assertIn("missing: 'b'", self.refused(5, "test.csv", "--schema", "s.json", "--unlabeled"))

    def test_without_labels(self):
        self.write("test.csv", "b,a\n3,2\n")
        err = self.refused(5, "test.csv", "--schema", "s.json")
        self.assertIn("1 label column is missing: 'y'", err)
        self.assertIn("--unlabeled", err)
        self.assertEqual(self.head("test.csv", "--schema", "s.json", "--unlabeled"), [{"features": [2, 3]}])
        self.ok("convert", "test.csv", "--schema", "s.json", "--unlabeled", "-o", "test.npz")
        self.assertEqual(read_npz(self.folder / "test.npz"), {"features": ("<f4", (1, 2), [2, 3])})

    def test_class_names(self):
        self.write("train.csv", "y,a,b\nno,2,3\nyes,5,\n")
        self.save("train.csv", "--label", "y", "--label-map", "no=0,yes=1")
        self.write("test.csv", "b,a,y\n3,2,yes\n")
        self.assertEqual(self.head("test.csv", "--schema", "s.json"), [{"features": [2, 3], "label": [1]}])
        self.write("test.csv", "b,a\n3,2\n")
        self.assertEqual(self.head("test.csv", "--schema", "s.json", "--unlabeled"), [{"features": [2, 3]}])

    def test_several_files_in_orders_of_their_own(self):
        self.write("t/1.csv", "b,a,y\n3,2,1\n")
        self.write("t/2.csv", "y,a,b\n0,5,6\n")
        wanted = [{"features": [2, 3], "label": [1]}, {"features": [5, 6], "label": [0]}]
        self.assertEqual(self.head("t", "--schema", "s.json"), wanted)

    def test_nothing_is_found_out_again(self):
        self.write("test.csv", "a,b,y,id\n1;5,2,1,7\n3;5,4,0,8\n")  # on its own, semicolons might be delimiters
        self.assertIn('such as "1;5"', self.expect(2, "convert", "test.csv", "--schema", "s.json", "-o", "t.rec").err)
        self.write("words.csv", "id,y,a,b\n,,,\n")  # on its own, it cannot be told whether this is a header
        self.assertIn("label", self.expect(1, "convert", "words.csv", "--schema", "s.json", "-o", "t.rec").err)
        self.write("numbers.csv", "1,2,3,4\n5,6,7,8\n")  # on its own, no header
        self.assertIn("2 feature columns are missing", self.refused(5, "numbers.csv", "--schema", "s.json"))

    def test_options_that_mean_the_same(self):
        self.write("test.csv", "b,a,y\n3,2,1\n")
        wanted = [{"features": [2, 3], "label": [1]}]
        for words in (
            ("--label", "y"),
            ("--label", "2"),
            ("--delimiter", ","),
            ("--quote", '"'),
            ("--null", "null,NA,,nan"),
            ("--columns", "a,b"),
            ("--columns", "#1,#0"),
            ("--header", "yes"),
            ("--trim=false",),
            ("--on-error", "skip"),
        ):
            self.assertEqual(self.head("test.csv", "--schema", "s.json", *words), wanted, words)

    def test_options_that_mean_something_else(self):
        self.write("test.csv", "b,a,y,new\n3,2,1,0\n")
        for words, text in (
            (("--label", "a"), 'the schema s.json says "y"'),
            (("--weight", "new"), "the schema s.json says no --weight"),
            (("--columns", "b,a"), 'the schema s.json says "a" and 1 more in their order'),
            (("--ignore", "a"), 'the schema s.json says "a" is used'),
            (("--delimiter", ";"), "the schema s.json says comma"),
            (("--header", "no"), "the schema s.json says yes"),
            (("--null", "?"), "the schema s.json says ,nan,NA,null"),
            (("--dtype", "float64"), "the schema s.json says float32"),
            (("--trim",), "the schema s.json says nothing of it"),
            (("--label-map", "a=1"), "the schema s.json says nothing of it"),
        ):
            err = self.refused(2, "test.csv", "--schema", "s.json", *words)
            self.assertIn(text, err)
            self.assertIn(words[0], err)
        self.assertEqual(len(self.head("test.csv", "--schema", "s.json", "--ignore", "new")), 1)

    def test_several_labels_keep_their_order(self):
        self.save("train.csv", "--label", "y,id")
        wanted = [{"features": [3, 2], "label": [1, 9]}]
        self.save("train.csv", "--label", "y,id", "--columns", "b,a")
        self.write("test.csv", "id,a,b,y\n9,2,3,1\n")
        self.assertEqual(self.head("test.csv", "--schema", "s.json"), wanted)

    def test_names_that_need_quotes(self):
        self.write("odd.csv", '"a,b","c""d",7,x:y\n1,2,3,4\n5,6,7,8\n')
        self.save("odd.csv", "--header", "yes", "--label", '"x:y"')
        self.write("test.csv", 'x:y,7,"c""d","a,b"\n4,3,2,1\n')
        self.assertEqual(self.head("test.csv", "--schema", "s.json"), [{"features": [1, 2, 3], "label": [4]}])

    def test_without_header_columns_go_by_place(self):
        self.write("n.csv", "1,2,3\n4,5,6\n")
        schema = self.save("n.csv", "--header", "no", "--label", "2", "--columns", "1,0")
        self.assertEqual(schema["features"], ["1", "0"])
        self.assertEqual(self.head("n.csv", "--schema", "s.json")[0], {"features": [2, 1], "label": [3]})
        self.write("two.csv", "8,9\n")
        self.assertEqual(self.head("two.csv", "--schema", "s.json", "--unlabeled"), [{"features": [9, 8]}])
        for content in ("1,2\n", "1,2,3,4\n"):
            self.write("other.csv", content)
            self.assertIn("their number must be the same", self.refused(5, "other.csv", "--schema", "s.json"))

    def test_empty_inputs(self):
        self.write("empty.csv", "")
        self.assertIn("no records", self.refused(1, "empty.csv", "--schema", "s.json"))


class OtherFormatsBySchema(Schemas):
    def setUp(self):
        super().setUp()
        self.write("train.libsvm", "1 1:1 7:2\n0 2:1\n")
        self.write("test.libsvm", "1 2:3\n0\n")
        self.save("train.libsvm")

    def test_width_and_index_base_are_the_schemas(self):
        self.ok("convert", "test.libsvm", "--schema", "s.json", "-o", "test.npz")
        arrays = read_npz_shape(self.folder / "test.npz")
        self.assertEqual(arrays["shape"], [2, 7])
        self.assertEqual(arrays["indices"], [1])
        facts = json.loads(self.ok("inspect", "test.libsvm", "--schema", "s.json", "--json").stdout)
        self.assertEqual((facts["features"], facts["notes"]), (7, []))
        content = self.read("test.libsvm")
        self.assertEqual(self.head("-", "--schema", "s.json", stdin=content), self.head("test.libsvm", "--schema", "s.json"))

    def test_an_index_beyond_is_a_fault(self):
        self.write("far.libsvm", "1 1:1\n0 8:1\n")
        self.assertIn("far.libsvm:2:3", self.expect(1, "convert", "far.libsvm", "--schema", "s.json", "-o", "x.npz").err)
        facts = json.loads(self.ok("inspect", "far.libsvm", "--schema", "s.json", "--json").stdout)
        self.assertEqual(facts["rejected_kinds"], {"index_out_of_range": 1})

    def test_index_zero_is_a_fault_where_the_base_is_one(self):
        self.write("zero.libsvm", "1 0:1\n")
        self.assertIn("zero.libsvm:1:3", self.expect(1, "convert", "zero.libsvm", "--schema", "s.json", "-o", "x.npz").err)

    def test_options(self):
        for words, text in (
            (("--index-base", "0"), "says 1"),
            (("--index-base", "auto"), "says 1"),
            (("--num-features", "8"), "says 7"),
            (("--multilabel",), "says nothing of it"),
        ):
            self.assertIn(text, self.refused(2, "test.libsvm", "--schema", "s.json", *words))
        self.ok("head", "test.libsvm", "--schema", "s.json", "--index-base", "1", "--num-features", "7")

    def test_layouts_are_compared_across_formats(self):
        for name in ("t.rec", "t.npz"):
            self.ok("convert", "train.libsvm", "-o", name)
            self.assertEqual(self.head(name, "--schema", "s.json"), self.head("train.libsvm"), name)
        self.ok("convert", "test.libsvm", "--schema", "s.json", "-o", "narrow.rec")
        facts = json.loads(self.ok("inspect", "narrow.rec", "--schema", "s.json", "--json").stdout)
        self.assertEqual((facts["features"], facts["pairs"]["columns"]), (7, 7))
        self.write("wide.libsvm", "1 1:1 9:1\n")
        self.ok("convert", "wide.libsvm", "-o", "wide.npz")
        self.assertIn("features: 7 in the schema, 9 here", self.refused(5, "wide.npz", "--schema", "s.json"))
        self.ok("convert", "train.libsvm", "--dtype", "float64", "-o", "double.npz")
        self.assertIn("float32 in the schema, float64 here", self.refused(5, "double.npz", "--schema", "s.json"))
        self.write("q.libsvm", "1 qid:1 1:1\n")
        self.assertIn("qid: none in the schema, one here", self.refused(5, "q.libsvm", "--schema", "s.json"))

    def test_records_of_a_schema_made_from_csv(self):
        self.write("train.csv", TRAIN)
        self.save("train.csv", "--label", "y", "--ignore", "id")
        self.ok("convert", "train.csv", "--label", "y", "--ignore", "id", "-o", "t.rec")
        self.assertEqual(self.head("t.rec", "--schema", "s.json"), self.head("train.csv", "--schema", "s.json"))
        self.ok("convert", "train.csv", "--ignore", "id", "-o", "three.rec")
        self.assertIn("features: 2 in the schema, 3 here", self.refused(5, "three.rec", "--schema", "s.json"))
        self.ok("convert", "train.csv", "--columns", "a,b", "-o", "f.npy")
        self.assertIn("--unlabeled", self.refused(5, "f.npy", "--schema", "s.json"))
        self.assertEqual(self.head("f.npy", "--schema", "s.json", "--unlabeled", "-n1"), [{"features": [2, 3]}])
        self.assertIn("--index-base", self.refused(2, "test.libsvm", "--schema", "s.json"))
        err = self.refused(5, "test.libsvm", "--schema", "s.json", "--index-base", "1")
        self.assertIn("kind of features: dense in the schema, sparse here", err)

    def test_csv_of_a_schema_made_from_records(self):
        self.write("train.csv", TRAIN)
        self.ok("convert", "train.csv", "--label", "y", "--ignore", "id", "--dtype", "float64", "-o", "t.rec")
        self.save("t.rec")
        self.assertIn("features: 2 in the schema, 4 here", self.refused(5, "train.csv", "--schema", "s.json"))
        guided = ("train.csv", "--schema", "s.json", "--label", "y", "--ignore", "id")
        self.ok("convert", *guided, "-o", "again.rec")
        self.assertEqual(self.read("again.rec"), self.read("t.rec"))

    def test_real_data(self):
        train, test = self.shared("libsvm/agaricus.train.libsvm"), self.shared("libsvm/agaricus.test.libsvm")
        options = self.save(train)["options"]
        self.assertEqual((options["index-base"], options["num-features"]), ("1", "126"))
        self.ok("convert", test, "--schema", "s.json", "-o", "test.npz")
        self.assertEqual(read_npz_shape(self.folder / "test.npz")["shape"], [1611, 126])
        self.ok("convert", test, "--schema", "s.json", "-o", "test.rec")
        words = ("--schema", "s.json", "-n", "2000")
        self.assertEqual(self.head("test.rec", *words), self.head(test, *words))


class Files(Schemas):
    """Schema files that people wrote."""

    def setUp(self):
        super().setUp()
        self.write("train.csv", TRAIN)
        self.schema = self.save("train.csv", "--label", "y", "--ignore", "id")

    def refuse(self, text):
        self.write("s.json", json.dumps(self.schema))
        self.assertIn(text, self.refused(5, "train.csv", "--schema", "s.json"))

    def test_unknown_formats_and_options(self):
        self.schema["options"]["index-base"] = "1"
        self.refuse("$.options: CSV has no option 'index-base'")
        self.schema["format"] = "parquet"
        self.refuse("$.format: no format that is read is called 'parquet'")

    def test_contradictions(self):
        self.schema["options"]["label"] = "a"
        self.refuse("$.options.label does not name the columns of that role")
        self.schema["options"]["label"] = "y"
        self.schema["features"] = ["a", "c"]
        self.refuse("$.features")
        self.schema["features"] = ["a", "a"]
        self.refuse("$.features")

    def test_options_may_be_left_out(self):
        self.schema["options"] = {}
        self.write("s.json", json.dumps(self.schema))
        self.write("test.csv", "b,a,y\n3,2,1\n")
        self.assertEqual(self.head("test.csv", "--schema", "s.json"), [{"features": [2, 3], "label": [1]}])

    def test_a_file_that_is_no_schema(self):
        self.write("s.json", "{")
        self.assertIn("this is no JSON", self.refused(5, "train.csv", "--schema", "s.json"))


def read_npz_shape(path):
    """The shape and the indices of a CSR matrix."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for name in ("shape", "indices"):
            content = archive.read(f"{name}.npy")
            (length,) = struct.unpack("<H", content[8:10])
            header, data = content[10 : 10 + length].decode(), content[10 + length :]
            code, size = ("i", 4) if "'<i4'" in header else ("q", 8)
            arrays[name] = list(struct.unpack(f"<{len(data) // size}{code}", data))
    return arrays


if __name__ == "__main__":
    main()
