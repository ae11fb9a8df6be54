"""``disvae data``: what data sets there are, and getting, checking and looking at them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jsonargparse import Namespace

from disvae.cli.parsing import choose_below, parse
from disvae.cli.pictures import picture_file
from disvae.cli.tables import print_json
from disvae.data.catalogue import Entry, catalogue, entry
from disvae.data.download import RemoteFile, checksum, download
from disvae.data.files import data_root
from disvae.files import replacing

DESCRIPTION = {
    "list": "List the data sets: size, factors or labels, licence, and whether files are there.",
    "download": "Download the files of a data set, going on with what an earlier call has left.",
    "check": "Check the files of a data set, then read some of its images.",
    "show": "Draw random images of a data set, and each factor varied alone.",
}


def run(arguments: Sequence[str]) -> None:
    """Run the command."""
    verb, parser = choose_below("data", arguments, DESCRIPTION)
    if verb == "list":
        parser.add_argument("--json", action="store_true", help="print JSON, with the addresses")
    else:
        parser.add_argument("name", metavar="NAME", help="of the data set, as in the list")
    if verb == "show":
        parser.add_argument("--output", default=None, help="the picture; NAME.png if not given")
        parser.add_argument("--seed", type=int, default=0, help="chooses the images")
    parser.add_argument(
        "--root", default=None, help="folder of the files; $DISVAE_DATA or ~/.disvae/data"
    )
    options = parse(parser, arguments[1:])
    VERBS[verb](options, data_root(options.root))


def _list(options: Namespace, root: Path) -> None:
    rows = {name: _facts(known, root) for name, known in catalogue().items()}
    if options.json:
        print_json(rows)
        return
    for name, facts in rows.items():
        print(f"{name} ({'present' if facts['present'] else 'missing'})")
        print(f"    {facts['images']}; {facts['known']}")
        print(f"    {facts['citation']}; licence: {facts['licence']}")
    print(f"files are looked for in {root}")


def _facts(known: Entry, root: Path) -> dict[str, Any]:
    texts = ("images", "known", "licence", "citation", "by_hand")
    facts: dict[str, Any] = {text: getattr(known, text) for text in texts}
    urls = [url for file in known.files for url in file.urls]
    return {**facts, "present": known.is_present(root), "urls": urls}


def _download(options: Namespace, root: Path) -> None:
    known = entry(options.name)
    if not known.present:
        print(f"{options.name} is rendered, and needs no file")
        return
    if not known.files:
        raise ValueError(f"no program can download {options.name}: {known.by_hand}")
    for file in known.files:
        print(f"{download(file, root)} is there")


def _check(options: Namespace, root: Path) -> None:
    known = entry(options.name)
    for file in known.files:
        _check_file(root / file.path, file)
    data = known.open(options.root)
    some = torch.linspace(0, len(data) - 1, 16).long().unique()
    images = data.images(some)
    channels, height, width = images.shape[1:]
    print(f"{options.name} has {len(data):,} images of {channels}×{height}×{width}; some were read")


def _check_file(path: Path, file: RemoteFile) -> None:
    if not path.exists():
        print(f"{path} is not there; the data set may lie elsewhere below the folder")
    elif file.md5 is None:
        print(f"{path} is there; no checksum of it is published")
    elif (found := checksum(path)) != file.md5:
        raise ValueError(
            f"{path} has the checksum {found}, not {file.md5}: delete it, and get it again"
        )
    else:
        print(f"{path} has the published checksum")


def _show(options: Namespace, root: Path) -> None:
    from disvae.plots import dataset_figure

    data = entry(options.name).open(options.root)
    output = picture_file(options.output, Path(f"{options.name.lower()}.png"))
    figure = dataset_figure(data, seed=options.seed)
    with replacing(output) as file:
        figure.savefig(file, format=output.suffix[1:] or "png")
    print(f"wrote {output}")


VERBS = {"list": _list, "download": _download, "check": _check, "show": _show}
