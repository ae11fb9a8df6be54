"""The tests marked ``gpu``."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from gpu_stages.bench import Bench

ROOT = Path(__file__).parents[2]


def checks(bench: Bench) -> Iterator[dict[str, Any]]:
    """Run the tests marked ``gpu`` in a process of their own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tests.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", f"--junitxml={file}"]
        command += [
            "-p",
            "no:cacheprovider",
            "-p",
            "no:benchmark",
            "tests/losses",
            "tests/training/test_gpu.py",
        ]
        limit = max(4 * bench.seconds, 60.0)  # it is the stage that must not be cut
        done = subprocess.run(
            command, cwd=ROOT, timeout=limit, capture_output=True, text=True, check=False
        )
        if not file.exists():
            yield {"error": (done.stdout + done.stderr)[-2000:]}
            return
        yield summary_of_tests(ElementTree.parse(file).getroot())


def summary_of_tests(root: ElementTree.Element) -> dict[str, Any]:
    """How many passed, and why others did not."""
    cases = list(root.iter("testcase"))
    failed = {
        case.get("name", ""): (problem.get("message") or "")[:300]
        for case in cases
        for problem in (case.find("failure"), case.find("error"))
        if problem is not None
    }
    skipped = sum(case.find("skipped") is not None for case in cases)
    return {"passed": len(cases) - len(failed) - skipped, "skipped": skipped, "failed": failed}
