"""Python processes that start in milliseconds, for tests of what happens between processes.

A server imports what is slow to import once, and forks itself for each of them.
"""

import multiprocessing
import os
import runpy
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["pytest", "lightning_fabric", "disvae.cli.train", "disvae.losses", "disvae.metrics"]
)


@contextmanager
def running(
    program: Path | str, *arguments: object, output: Path | None = None, **environment: str
) -> Iterator[ForkServerProcess]:
    """Run a script, or a module by its name, with one thread; kill what is left of it at the end.

    Args:
        program: path of the script, or name of the module.
        arguments: its command line.
        output: file for what is printed, errors included.
        environment: additional variables.
    """
    command = (program, [str(argument) for argument in arguments], output, environment)
    process = FORKS.Process(target=_run, args=command)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def run(
    program: Path | str, *arguments: object, output: Path | None = None, **environment: str
) -> int | None:
    """Run it to its end, for ten minutes at most, and return its exit status."""
    with running(program, *arguments, output=output, **environment) as process:
        process.join(600)
        return process.exitcode


def _run(
    program: Path | str, arguments: list[str], output: Path | None, environment: Mapping[str, str]
) -> None:
    import torch

    if output is not None:
        with output.open("wb") as file:
            for stream in (1, 2):
                os.dup2(file.fileno(), stream)
    os.environ.update({"OMP_NUM_THREADS": "1", **environment})
    torch.set_num_threads(1)
    sys.argv = [str(program), *arguments]
    if isinstance(program, Path):
        runpy.run_path(str(program), run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)
