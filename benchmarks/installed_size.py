"""Disk space of what is installed: the base, its largest packages, and what each extra adds.

python benchmarks/installed_size.py

It adds up the files that the packages of this environment list, which must have `disvae[all]`;
compiled Python is part of them. Packages of less than a megabyte are in the sum only.
"""

from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from disvae.extras import EXTRAS

CUDA = ("nvidia-", "cuda-", "triton")

Node = tuple[str, str]  # a package, and one of its extras or ""


def requirements(name: str, extra: str = "") -> dict[str, Distribution]:
    """Return the installed packages that a package needs, itself included."""
    found: dict[str, Distribution] = {}
    seen: set[Node] = set()
    waiting = [(name, ""), (name, extra)]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        try:
            found[node[0]] = distribution(node[0])
        except PackageNotFoundError:  # for another system
            continue
        waiting += _needs(found[node[0]], node[1])
    return found


def _needs(package: Distribution, extra: str) -> Iterable[Node]:
    for line in package.requires or []:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            name = canonicalize_name(requirement.name)
            yield from ((name, each) for each in ("", *requirement.extras))


def megabytes(packages: Iterable[Distribution]) -> float:
    """Return the size of all files of some packages, each counted once."""
    listed = (file for package in packages for file in package.files or [])
    paths = {Path(str(file.locate())) for file in listed}
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def main() -> dict[str, float]:
    """Print the table, and return it."""
    base = requirements("disvae")
    cuda = {name: package for name, package in base.items() if name.startswith(CUDA)}
    sizes = {"base": megabytes(base.values()), "  CUDA and Triton": megabytes(cuda.values())}
    single = {name: megabytes([base[name]]) for name in base.keys() - cuda.keys()}
    for name in sorted(single, key=lambda name: -single[name]):
        if single[name] >= 1:
            sizes[f"  {name}"] = single[name]
    for extra in EXTRAS:
        more = requirements("disvae", extra)
        sizes[f"[{extra}]"] = megabytes(more[name] for name in more.keys() - base.keys())
    for row, size in sizes.items():
        print(f"{row:<28}{size:9.1f} MB")
    return sizes


if __name__ == "__main__":
    main()
