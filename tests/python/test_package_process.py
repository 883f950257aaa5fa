#!/usr/bin/env python3
"""The package in its process: Ctrl-C, threads, fork, and what is left behind."""

import os
import signal
import threading
import time
from pathlib import Path

from _package import PackageTest, collect, csv, files_of_process, main, penstock, threads_of_process

INTERRUPTED = """if True:
    import os, signal, sys, threading, time, penstock
    def interrupted(act):
        threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        try:
            act()
        except KeyboardInterrupt:
            print("interrupted")
    def made(**options):
        return penstock.Loader("pipe", format="csv", header=False, label=0, device="cpu", index="none", **options)
"""
ROWS = b"1,2\n" * (1 << 20)  # more than a head, less than a batch


class Interrupts(PackageTest):
    def setUp(self):
        super().setUp()
        os.mkfifo("pipe")
        # Somebody has it open and writes nothing.
        self.end = os.open("pipe", os.O_RDWR)
        self.addCleanup(lambda: os.close(self.end))

    def fill_pipe(self):
        """Writes ROWS as fast as somebody reads them, and then nothing."""
        thread = threading.Thread(target=lambda: Path("pipe").write_bytes(ROWS), daemon=True)
        thread.start()
        self.addCleanup(thread.join, 10)

    def test_ctrl_c_while_a_loader_is_made(self):
        run = self.run_python(INTERRUPTED + "\ninterrupted(made)\n")
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "interrupted\n", ""))

    def test_ctrl_c_while_a_batch_is_made(self):
        self.fill_pipe()
        act = """
loader = made(batch_size=1 << 24, memory="1GiB")
batches = iter(loader)
interrupted(lambda: next(batches))
loader.close()
"""
        run = self.run_python(INTERRUPTED + act)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "interrupted\n", ""))

    def test_other_handlers_run_while_it_waits(self):
        calls, called_before_data = [], []
        self.addCleanup(signal.signal, signal.SIGUSR1, signal.signal(signal.SIGUSR1, lambda *_: calls.append(1)))

        def wake():
            time.sleep(0.3)
            os.kill(os.getpid(), signal.SIGUSR1)
            limit = time.monotonic() + 5
            while not calls and time.monotonic() < limit:
                time.sleep(0.01)
            called_before_data.append(bool(calls))
            os.write(self.end, b"1,2\n")
            os.close(self.end)  # the loader has it open too, to read
            self.end = os.open(os.devnull, os.O_RDONLY)

        thread = threading.Thread(target=wake)
        thread.start()
        loader = self.loader("pipe", format="csv", header=False, label=0)
        batch = next(iter(loader))
        thread.join()
        self.assertEqual((batch["features"].tolist(), called_before_data), ([[2]], [True]))

    def test_used_again_by_a_handler(self):
        self.fill_pipe()
        loader = self.loader("pipe", format="csv", header=False, label=0, batch_size=1 << 24, memory="1GiB")

        def use_again(*_):
            loader.state_dict()

        self.addCleanup(signal.signal, signal.SIGUSR1, signal.signal(signal.SIGUSR1, use_again))
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
        with self.assertRaisesRegex(penstock.ConfigurationError, "used again while it waits"):
            next(iter(loader))

    def test_waiting_daemon_threads_do_not_keep_the_process(self):
        self.fill_pipe()
        source = """if True:
            import os, threading, time, penstock
            options = dict(format="csv", header=False, label=0, device="cpu", index="none")
            os.mkfifo("silent")
            end = os.open("silent", os.O_RDWR)
            loader = penstock.Loader("pipe", batch_size=1 << 24, memory="1GiB", **options)
            threading.Thread(target=lambda: next(iter(loader)), daemon=True).start()
            threading.Thread(target=lambda: penstock.Loader("silent", **options), daemon=True).start()
            threading.Thread(target=lambda: penstock.convert("silent", "out.rec", header=False), daemon=True).start()
            time.sleep(0.5)
            print("end")
        """
        run = self.run_python(source)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "end\n", ""))


    def test_working_daemon_threads_do_not_end_badly(self):
        """Python ends them wherever they ask for its lock; of frames of C++ below them that would end the process."""
        self.write("in.csv", csv(40))
        work = {
            "tensors": "tensor.numpy(), batch.to_numpy(), tensor.tolist(), tensor.__dlpack__()",
            "loaders": "list(penstock.Loader('in.csv', label='y', batch_size=8, device='cpu', index='none'))",
            "commands": "penstock.head('in.csv')",
            "errors": "attempt()",
        }
        for name, act in work.items():
            source = f"""if True:
                import sys, threading, time, penstock
                batch = penstock.read("in.csv", label="y")
                tensor = batch["features"]
                def attempt():
                    try:
                        penstock.read("in.csv", label="z")
                    except penstock.Error:
                        pass
                def work():
                    while True:
                        {act}
                for _ in range(3):
                    threading.Thread(target=work, daemon=True).start()
                time.sleep(0.05)
                print("end", sum(range(100000)))
            """
            for _ in range(5):
                run = self.run_python(source)
                self.assertEqual((name, run.returncode, run.stdout, run.stderr), (name, 0, "end 4999950000\n", ""))

    def test_a_wait_is_ended_by_closing(self):
        self.fill_pipe()
        loader = self.loader("pipe", format="csv", header=False, label=0, batch_size=1 << 24, memory="1GiB")
        errors = []

        def take():
            try:
                next(iter(loader))
            except penstock.ConfigurationError as error:
                errors.append(str(error))

        thread = threading.Thread(target=take)
        thread.start()
        self.eventually(lambda: loader.metrics().waited_seconds > 0.2, "nobody waits")  # and metrics do not
        self.assertIn("waited", loader.summary())
        loader.close()
        thread.join(10)
        self.assertEqual(errors, ["the loader was closed while a thread waited for it"])

    def test_a_handler_cannot_close_what_waits_below_it(self):
        self.fill_pipe()
        loader = self.loader("pipe", format="csv", header=False, label=0, batch_size=1 << 24, memory="1GiB")
        errors = []

        def close(*_):
            try:
                loader.close()
            except penstock.ConfigurationError as error:
                errors.append(str(error))
                raise KeyboardInterrupt from error

        self.addCleanup(signal.signal, signal.SIGUSR1, signal.signal(signal.SIGUSR1, close))
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
        batches = iter(loader)
        with self.assertRaises(KeyboardInterrupt):
            next(batches)
        self.assertEqual(errors, ["the loader is used again while it waits in the same thread"])
        self.assertEqual(loader.state_dict()["step"], 0)  # it is open

    def test_other_interpreters_of_the_process(self):
        source = """if True:
            import threading
            try:
                import _xxsubinterpreters as interpreters
            except ImportError:
                import _interpreters as interpreters
            try:
                other = interpreters.create(isolated=False)
            except TypeError:
                other = interpreters.create("legacy")
            interpreters.run_string(other, "try:\\n import penstock\\nexcept ImportError as e:\\n print(e, flush=True)")
            import penstock
            try:
                penstock.read("in.csv", label="z")
            except penstock.Error:
                print("an error of this interpreter")
            interpreters.destroy(other)
            thread = threading.Thread(target=lambda: print(penstock.read("in.csv", label="y").rows))
            thread.start()
            thread.join()
        """
        self.write("in.csv", csv(40))
        run = self.run_python(source)
        if "No module named" in run.stderr:
            self.skipTest(run.stderr.splitlines()[-1])
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertRegex(run.stdout, r"\Apenstock works in the main interpreter alone, .*\nan error of this interpreter\n40\n\Z")


class Threads(PackageTest):
    def test_two_threads_share_an_iteration(self):
        loader = self.numbers(2000, batch_size=5)
        iterator, rows, errors = iter(loader), [], []

        def take():
            try:
                for batch in iterator:
                    rows.extend(int(row[0]) for row in batch["features"].tolist())
            except BaseException as error:
                errors.append(error)
                raise

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((sorted(rows), errors), (list(range(2000)), []))

    def test_others_run_while_one_waits(self):
        os.mkfifo("pipe")
        got = []

        def take():
            got.extend(iter(self.loader("pipe", format="csv", header=False, label=0)))

        thread = threading.Thread(target=take)
        thread.start()
        count = 0
        for count in range(1000):  # this thread goes on
            pass
        Path("pipe").write_text("1,2\n3,4\n")
        thread.join()
        self.assertEqual((count, got[0]["features"].tolist()), (999, [[2], [4]]))

    def test_metrics_while_another_thread_iterates(self):
        loader = self.numbers(500, batch_size=5)
        thread = threading.Thread(target=lambda: list(loader))
        thread.start()
        while thread.is_alive():
            loader.metrics()
        thread.join()
        self.assertEqual(loader.metrics().records, 500)


class Fork(PackageTest):
    def test_a_loader_does_not_go_along(self):
        loader = self.numbers(100, batch_size=10)
        next(iter(loader))
        child = os.fork()
        if child == 0:
            status = 1
            try:
                next(iter(loader))
            except penstock.ConfigurationError as error:
                status = 0 if "fork" in str(error) and "spawn" in str(error) else 2
            del loader
            collect()
            os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(len(list(loader)), 10)

    def test_a_child_makes_its_own(self):
        loader = self.numbers(100, batch_size=10)
        next(iter(loader))
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            own = penstock.Loader("numbers.csv", label="y", batch_size=10, device="cpu", index="none")
            os.write(write, str(len(list(own))).encode())
            own.close()
            os._exit(0)
        os.close(write)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(os.read(read, 10), b"10")
        os.close(read)

    def test_a_child_that_ends_as_usual(self):
        source = """if True:
            import os, sys, penstock
            loader = penstock.Loader(sys.argv[1], label="y", device="cpu", index="none", batch_size=10)
            kept = next(iter(loader))["features"].__dlpack__()
            child = os.fork()
            if child == 0:
                sys.exit(7)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(list(loader)))
        """
        run = self.run_python(source, self.write("in.csv", csv(100)))
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "7 10\n", ""))


    def test_children_end_while_other_threads_of_the_parent_work(self):
        """A child does not wait for threads that it has not got: it would for seconds, forty times."""
        source = """if True:
            import os, sys, threading, warnings, penstock
            warnings.simplefilter("ignore")  # from 3.12 on Python warns of forks beside threads
            def work():
                while True:
                    for batch in penstock.Loader(sys.argv[1], label="y", device="cpu", index="none", batch_size=10):
                        batch.to_numpy()
            for _ in range(3):
                threading.Thread(target=work, daemon=True).start()
            sys.setswitchinterval(10)
            statuses = set()
            for _ in range(40):
                sum(range(500000))  # meanwhile the others come to where they ask for the lock
                child = os.fork()
                if child == 0:
                    sys.exit(7)
                statuses.add(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            print(statuses)
        """
        run = self.run_python(source, self.write("in.csv", csv(100)))
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "{7}\n", ""))


class NothingLeft(PackageTest):
    def test_threads_and_files(self):
        self.numbers(10).close()  # whatever is made once in a process
        threads, files = threads_of_process(), files_of_process()
        ends = {
            "close": lambda loader: loader.close(),
            "del": lambda loader: None,
            "iterated": lambda loader: list(loader),
            "abandoned": lambda loader: next(iter(loader)),
        }
        for shuffle in (False, "window", "exact"):
            for name, end in ends.items():
                with self.subTest(name, shuffle=shuffle):
                    loader = penstock.Loader(
                        self.write("in.csv", csv(1000)), label="y", batch_size=10, device="cpu", index="none", shuffle=shuffle
                    )
                    end(loader)
                    del loader
                    collect()
                    self.eventually(lambda: threads_of_process() == threads, "threads are left")
                    self.assertEqual(files_of_process(), files)
        self.assertEqual(sorted(os.listdir()), ["in.csv", "numbers.csv"])

    def test_after_an_error(self):
        threads, files = threads_of_process(), files_of_process()
        path = self.write("bad.csv", "a,y\n1,2\nx,1\n")
        for _ in range(3):
            with self.assertRaises(penstock.DataError):
                list(penstock.Loader(path, label="y", device="cpu", index="none"))
            with self.assertRaises(penstock.ConfigurationError):
                penstock.Loader(path, lable="y")
        collect()
        self.eventually(lambda: threads_of_process() == threads, "threads are left")
        self.assertEqual(files_of_process(), files)

    def test_memory_does_not_grow(self):
        loader = self.numbers(5000, batch_size=10)

        def resident():
            return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

        def growth():
            before = resident()
            for _ in range(10):
                for batch in loader:
                    batch.to_numpy(), batch["label"].__dlpack__(), batch.__arrow_c_array__()
            return resident() - before

        # Allocators take their time to settle; a leak of 64 bytes a batch would show in every round.
        self.assertLess(min(growth() for _ in range(6)), 5000 * 64)
        self.assertEqual(loader.metrics().held_bytes, 0)


if __name__ == "__main__":
    main()
