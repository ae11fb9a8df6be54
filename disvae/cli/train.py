"""``disvae train``: the options are the arguments of the classes, their help the docstrings."""

import inspect
import json
import sys
import warnings
from argparse import ArgumentError
from argparse import ArgumentParser as PlainParser
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import yaml
from jsonargparse import ArgumentParser, Namespace
from torch import distributed

from disvae.cli.nearest import nearest
from disvae.cli.parsing import make_parser, parse
from disvae.cli.parts import DATA, LOSS, MODEL, PARTS, SOURCE
from disvae.cli.recipe import find_recipe
from disvae.cli.tables import print_json
from disvae.data import ImageDataset, random_subset, store
from disvae.schedules import Schedule
from disvae.spec import build, class_path, plain
from disvae.training import Trainer, read_log, train_ensemble
from disvae.training.run import read_config

Classes = dict[str, type[Any]]

USAGE = """disvae train --run_dir FOLDER [--config FILE | --recipe NAME] [--model CLASS]
                    [--loss CLASS] [--data CLASS] [--source CLASS] [options]"""

DESCRIPTION = """Train a model into a run directory. The same command goes on with a run that was
stopped, and does nothing to one that is complete. Below are the options of the classes chosen;
choose others to see theirs: disvae train --loss BetaTCVAELoss --help"""


def run(arguments: Sequence[str]) -> None:
    """Run the command."""
    arguments, classes, print_config = _choose(arguments)
    options = parse(_parser(classes), arguments)
    if print_config:
        if options.json:
            raise ValueError("--print_config prints YAML, which --config takes: leave out --json")
        print(
            yaml.safe_dump(_config(classes, options), sort_keys=False, allow_unicode=True), end=""
        )
        return
    if options.run_dir is None:
        raise ValueError("--run_dir is missing: give the folder to write the run into")
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        _train(classes, options)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"disvae: warning: {message}", file=sys.stderr)


def _choose(arguments: Sequence[str]) -> tuple[list[str], Classes, bool]:
    """The arguments that remain, a file's before the shell's; the classes; whether to print only.

    jsonargparse has another meaning for ``--print_config``, so that it must not get it.
    """
    chooser = PlainParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for name in ("config", "recipe", *(part.name for part in PARTS)):
        chooser.add_argument(f"--{name}")
    chooser.add_argument("--print_config", action="store_true")
    try:
        chosen, rest = chooser.parse_known_args(list(arguments))
    except ArgumentError as error:
        raise ValueError(str(error)) from error
    config = _read_config(chosen.config, chosen.recipe)
    classes: Classes = {}
    from_file = []
    for part in PARTS:
        if part.name in config and not (config[part.name] or getattr(chosen, part.name)):
            raise ValueError(
                f"{chosen.config} does not say how to build its {part.name}, which was made of "
                f"objects that plain values cannot describe: give --{part.name}"
            )
        spec = config.pop(part.name, None) or {"class_path": part.default}
        in_file = part.find(spec["class_path"]) if spec["class_path"] else None
        in_shell = getattr(chosen, part.name)
        chosen_class = part.find(in_shell) if in_shell else in_file
        if chosen_class is None:
            continue
        classes[part.name] = chosen_class
        if classes[part.name] is in_file:  # another class has other arguments
            init_args = spec.get("init_args") or {}
            from_file += [f"--{part.name}.{key}={_text(v)}" for key, v in init_args.items()]
    from_file += [f"--{key}={_text(value)}" for key, value in config.items()]
    return from_file + rest, classes, chosen.print_config


def _read_config(file: str | None, recipe: str | None) -> dict[str, Any]:
    """What a file or a recipe says, to which the shell's options add."""
    if file and recipe:
        raise ValueError("give either --config or --recipe, of which each is a file of options")
    if recipe:
        return find_recipe(recipe).config
    if not file:
        return {}
    config = read_config(Path(file))
    _check_keys(file, "options", config, _options())
    for part in PARTS:
        spec = config.get(part.name)
        if spec is None:
            continue
        if not (isinstance(spec, Mapping) and "class_path" in spec):
            raise ValueError(f"{file}: {part.name} must have a class_path, and perhaps init_args")
        _check_keys(file, part.name, spec, ("class_path", "init_args"))
    return {key: value for key, value in config.items() if key != "provenance"}


def _check_keys(file: str, what: str, found: Iterable[str], known: Iterable[str]) -> None:
    for key in found:
        if key not in known:
            raise ValueError(f"{file}: unknown key {key!r} of {what}{nearest(str(key), known)}")


def _options() -> set[str]:
    """What a file may say."""
    methods = (Trainer.__init__, Trainer.fit)
    arguments = {name for method in methods for name in inspect.signature(method).parameters}
    own = {"n_images", "seeds", "store", "provenance", *(part.name for part in PARTS)}
    return (arguments | own) - {"self", "criterion", "loggers"}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _parser(classes: Classes) -> ArgumentParser:
    parser = make_parser("train", DESCRIPTION, USAGE)
    parser.add_argument("--config", help="YAML file of options, such as a run's config.yaml")
    parser.add_argument(
        "--recipe", help="experiment to start from, of those that disvae recipe list has"
    )
    parser.add_argument(
        "--print_config",
        action="store_true",
        help="print the options that would be used, as --config takes them, and train nothing",
    )
    parser.add_class_arguments(Trainer, as_group=False, skip={"model", "criterion", "loggers"})
    parser.add_method_arguments(Trainer, "fit", as_group=False, skip={"data"})
    parser.add_argument(
        "--n_images",
        type=int | None,
        default=None,
        help="train on so many images, drawn with the seed and kept in memory; all if not given",
    )
    parser.add_argument(
        "--seeds",
        type=list[int] | None,
        default=None,
        help="train a run with each of these seeds, such as [0,1,2], all at once, in folders of "
        "run_dir; --seed is then that of --n_images alone",
    )
    parser.add_argument(
        "--store",
        type=str | None,
        default=None,
        help="keep all images in this file (.npy), written once and mapped into memory from then "
        "on: no step waits for an image to be drawn or read",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the run directory, the steps taken and the last line of the log, as JSON",
    )
    for part in PARTS:
        if part.name in classes:
            part.add_options(parser, classes[part.name])
        else:
            part.mention(parser)
    return parser


def _config(classes: Classes, options: Namespace) -> dict[str, Any]:
    """The options as a file; what follows from the data is left to follow from it."""
    values = options.as_dict()
    for name in ("config", "recipe", "print_config", "run_dir", "progress", "json"):
        del values[name]
    parts = {}
    for part in PARTS:
        given = values.pop(part.name, {})
        if part.name not in classes:
            continue
        for fact in part.facts:
            given.pop(fact, None)
        parts[part.name] = {"class_path": class_path(classes[part.name]), "init_args": given}
    return plain({**parts, **values})


def _train(classes: Classes, options: Namespace) -> None:
    values = options.as_dict()
    given = {part.name: values.pop(part.name, {}) for part in PARTS}
    names = ("n_images", "steps", "store", "seeds")
    n_images, steps, file, seeds = (values.pop(name) for name in names)
    for name in ("config", "recipe", "print_config", "json"):
        del values[name]
    if isinstance(values["lr_factor"], dict):
        schedule: Any = Schedule
        values["lr_factor"] = build(values["lr_factor"], schedule)
    data = DATA.construct(classes["data"], given["data"], {})
    if n_images is not None:
        data = random_subset(data, n_images, seed=options.seed)
    if file is not None:
        data = store(data, file, progress=options.progress)
    batches: Any = data
    if "source" in classes:
        facts = {"dataset": data, "batch_size": options.batch_size}
        batches = SOURCE.construct(classes["source"], given["source"], facts)
    if seeds is None:
        _trainer(classes, given, data, values).fit(batches, steps)
        _say_complete(options, [options.run_dir])
        return
    trainers = []
    for seed in seeds:
        run = {"seed": seed, "run_dir": str(Path(options.run_dir) / f"seed-{seed}")}
        trainers.append(_trainer(classes, given, data, {**values, **run}))
    try:
        train_ensemble(trainers, batches, steps, progress=options.progress)
    except RuntimeError as error:  # some runs failed, as was said of each
        print(f"disvae: error: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    _say_complete(options, [str(trainer.run_dir) for trainer in trainers])


def _say_complete(options: Namespace, folders: Sequence[str]) -> None:
    """Say what is complete: once, even if several processes have trained it."""
    if distributed.is_available() and distributed.is_initialized() and distributed.get_rank() > 0:
        return
    what = f"{folders[0]} is" if options.seeds is None else f"the runs in {options.run_dir} are"
    if not options.json:
        print(f"{what} complete; see: disvae evaluate {folders[0]}")
        return
    last = {folder: read_log(folder)[-1] for folder in folders}
    runs = [{"run": run, "steps": line["step"], "log": line} for run, line in last.items()]
    print_json(runs[0] if options.seeds is None else {"runs": runs})


def _trainer(
    classes: Classes, given: Mapping[str, Any], data: ImageDataset, values: Mapping[str, Any]
) -> Trainer:
    with torch.random.fork_rng():
        torch.manual_seed(values["seed"])  # the same command draws the same initial weights
        facts: dict[str, Any] = {"image_shape": tuple(data.image_shape)}
        model = MODEL.construct(classes["model"], given["model"], facts)
        facts = {"latent_dim": model.columns, "dataset_size": len(data)}
        criterion = LOSS.construct(classes["loss"], given["loss"], facts)
    return Trainer(model, criterion, **values)
