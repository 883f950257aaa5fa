"""Building what is run: the preset `cuda` in build/gpu, for the device's own architecture."""

import shutil
from pathlib import Path

from .steps import JOBS, ROOT, errors_in, run_logged

FOLDER = ROOT / "build" / "gpu"
INCLUDE_FOLDERS = (Path("/usr/include"), Path("/usr/local/include"), ROOT / "third_party" / "include")
GTEST_SOURCES = (ROOT / "third_party" / "googletest", Path("/usr/src/googletest"))


def has_header(name):
    return any((folder / name).exists() for folder in INCLUDE_FOLDERS)


def has_gpu_tests():
    """Whether the tree has that program and what it needs."""
    lists = (ROOT / "tests").rglob("CMakeLists.txt")
    return has_googletest() and any("add_executable(gpu_tests" in path.read_text() for path in lists)


def has_googletest():
    return has_header("gtest/gtest.h") or any((f / "googletest/src/gtest-all.cc").exists() for f in GTEST_SOURCES)


def missing():
    """What a build cannot do without and is not here, in words."""
    tools = [tool for tool in ("cmake",) if shutil.which(tool) is None]
    if shutil.which("ninja") is None and shutil.which("make") is None:
        tools.append("ninja or make")
    headers = [header for header in ("cxxopts.hpp", "rapidjson/reader.h") if not has_header(header)]
    if headers:
        headers.append("(scripts/vendor on a machine with a network gathers them in third_party/)")
    return tools + headers


def configure(nvcc, architecture, limit):
    command = ["cmake", "--preset", "cuda", "-B", FOLDER, f"-DCMAKE_CUDA_COMPILER={nvcc}"]
    command += [f"-DCMAKE_CUDA_ARCHITECTURES={architecture}", "-DPENSTOCK_BENCH=ON"]
    command += ["-DPENSTOCK_TESTS=" + ("ON" if has_googletest() else "OFF")]
    command += ["-DPENSTOCK_ZLIB=OFF", "-DPENSTOCK_ISAL=OFF"]  # of no use here, and not on every machine
    if shutil.which("ninja") and not (FOLDER / "CMakeCache.txt").exists():
        command += ["-G", "Ninja"]
    return run_logged("gpu-configure.log", command, limit)


def build(limit):
    targets = ["penstock", "gpu_bench"] + (["gpu_tests"] if has_gpu_tests() else [])
    return run_logged("gpu-build.log", ["cmake", "--build", FOLDER, "-j", JOBS, "--target", *targets], limit)


def program(name):
    """The path of a program of the build, or None."""
    found = [path for path in FOLDER.rglob(name) if path.is_file()]
    return found[0] if found else None


def build_all(steps, budget, nvcc, architecture):
    """Configures and builds; False if that did not come off."""
    for name, run, seconds_max in (
        (f"configure for {architecture}", lambda limit: configure(nvcc, architecture, limit), 90),
        ("build", build, 330),
    ):
        steps.begin(name)
        limit = budget.limit(seconds_max, keep=30)
        ended = run(limit)
        if not ended.is_ok:
            return steps.end("failed", [ended.words(limit), *errors_in(ended.output)])
        steps.end()
    return True
