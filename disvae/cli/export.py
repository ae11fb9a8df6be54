"""``disvae export``: the model of a finished run as files for other programs, or for the hub."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from disvae.cli.parsing import RUN, make_parser, parse
from disvae.cli.tables import print_json
from disvae.files import replacing
from disvae.models import Exported, LatentModel, export_onnx, export_program, model_card
from disvae.models.pretrained import upload
from disvae.plots.image_kinds import traversal_of
from disvae.spec import find_class
from disvae.training import Run, load_run

DESCRIPTION = """Write the model of a finished run as files for other programs: its encoder and its
decoder as ONNX or as programs of torch.export, each run and compared with the model; or as a
folder that from_pretrained reads, with a model card, and upload that to the Hugging Face hub."""

PRETRAINED = "pretrained"
CHECKED = {"onnx": export_onnx, "torch-export": export_program}

PICTURE = "traversal.png"


def run(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = make_parser("export", DESCRIPTION)
    parser.add_argument("run", metavar="RUN", help=RUN)
    parser.add_argument(
        "--format", default="onnx", choices=[*CHECKED, PRETRAINED], help="what to write"
    )
    parser.add_argument(
        "--output",
        type=str | None,
        default=None,
        metavar="FOLDER",
        help="where to write it; RUN/FORMAT if not given",
    )
    parser.add_argument(
        "--best", action="store_true", help="the weights that --monitor found best, not the last"
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        default=1e-4,
        help="largest difference from the model that onnx and torch-export may have",
    )
    parser.add_argument(
        "--no_picture",
        action="store_true",
        help="draw no traversal for the card of a pretrained model: the data set is not needed",
    )
    parser.add_argument(
        "--push_to",
        type=str | None,
        default=None,
        metavar="REPO",
        help="also upload the pretrained model to this repository of the hub, such as me/sprites",
    )
    parser.add_argument(
        "--private", action="store_true", help="make that repository a private one, if it is new"
    )
    parser.add_argument("--json", action="store_true", help="print what was written, as JSON")
    options = parse(parser, arguments)
    if options.push_to and options.format != PRETRAINED:
        raise ValueError(
            f"--push_to uploads pretrained models: give --format {PRETRAINED} with it, not "
            f"{options.format}"
        )
    finished = load_run(options.run)
    model = finished.model(best=options.best)
    folder = Path(options.output or finished.path / options.format)
    report: dict[str, Any] = {"format": options.format, "folder": str(folder)}
    if options.format == PRETRAINED:
        pictures = [] if options.no_picture else [PICTURE]
        card = _card(finished, model, options.push_to or folder.name, options.best, pictures)
        model.save_pretrained(folder, card)
        for name in pictures:
            with replacing(folder / name) as file:
                traversal_of(finished, model).savefig(file, dpi=120)
        if options.push_to:
            report["url"] = upload(folder, options.push_to, options.private, pictures=pictures)
    else:
        files = CHECKED[options.format](model, folder, options.tolerance)
        report["files"] = [_as_json(file) for file in files]
    if options.json:
        print_json(report)
    else:
        print(_text(report))


def _card(
    finished: Run, model: LatentModel, source: str, best: bool, pictures: Sequence[str]
) -> str:
    evaluation, settings = finished.path / "evaluation.json", finished.config
    if best:
        step = json.loads((finished.path / "best.json").read_text("utf-8"))["step"]
        settings = {**settings, "weights": f"of step {step}, the best by {settings['monitor']}"}
    # What evaluate measures are the last weights.
    measured = evaluation.exists() and not best
    return model_card(
        model,
        source,
        title=None if "/" in source else finished.path.resolve().name,
        evaluation=json.loads(evaluation.read_text("utf-8")) if measured else None,
        settings=settings,
        picture=next(iter(pictures), None),
        cites=[find_class(settings["loss"])] if settings["loss"] else [],
    )


def _as_json(file: Exported) -> dict[str, Any]:
    return {
        "path": str(file.path),
        "inputs": file.inputs,
        "outputs": file.outputs,
        "largest_difference": file.largest_difference,
    }


def _text(report: dict[str, Any]) -> str:
    lines = [
        f"wrote {file['path']} (differs from the model by {file['largest_difference']:.1e} at most)"
        for file in report.get("files", [])
    ]
    lines = lines or [f"wrote {report['folder']}"]
    return "\n".join([*lines, *([f"uploaded as {report['url']}"] if "url" in report else [])])
