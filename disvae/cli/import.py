"""``disvae import``: a run directory of a model that another program has trained."""

import json
from collections.abc import Sequence
from pathlib import Path

from disvae.cli.parsing import make_parser, parse
from disvae.cli.tables import print_json
from disvae.data import ImageDataset, load
from disvae.models import load_disentangling_vae
from disvae.spec import build, describe
from disvae.training import import_model

DESCRIPTION = """Make a run directory of a results folder of disentangling-vae, so that its model
can be evaluated, drawn, explored, reported and exported like one that was trained here."""


def run(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = make_parser("import", DESCRIPTION)
    parser.add_argument("folder", metavar="FOLDER", help="with model.pt and specs.json")
    parser.add_argument("run", metavar="RUN", help="run directory to write")
    parser.add_argument(
        "--data",
        type=str | None,
        default=None,
        metavar="NAME",
        help="data set to measure it on, as `disvae data list` has it; if not given, the run can "
        "only do what needs no images",
    )
    parser.add_argument(
        "--root",
        type=str | None,
        default=None,
        help="folder of the data set's files; $DISVAE_DATA or ~/.disvae/data",
    )
    parser.add_argument("--json", action="store_true", help="print what was written, as JSON")
    options = parse(parser, arguments)
    model = load_disentangling_vae(options.folder)
    specs = json.loads((Path(options.folder) / "specs.json").read_text(encoding="utf-8"))
    data = _load(options.data, options.root, specs["img_size"][1]) if options.data else None
    imported = import_model(model, options.run, data, {"program": "disentangling-vae", **specs})
    if options.json:
        print_json({"run": str(imported.path), "data": options.data, "specs": specs})
    else:
        print(f"wrote {imported.path}")


def _load(name: str, root: str | None, side: int) -> ImageDataset:
    """The data set, its images of the model's size if they come in several."""
    data = load(name, root)
    spec = describe(data)
    arguments = spec["init_args"]
    if arguments.get("size", side) == side:
        return data
    return build({**spec, "init_args": {**arguments, "size": side}}, type(data))
