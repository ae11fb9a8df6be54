"""The model, the loss and the data as options: classes by name, their arguments as ``--loss.x``."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, get_args, get_type_hints

from jsonargparse import ArgumentParser
from torch import nn

import disvae.data
import disvae.losses
import disvae.models
from disvae.cli.parsing import find_class
from disvae.data import ImageDataset, TupleSource
from disvae.losses import Loss
from disvae.models import LatentModel
from disvae.spec import build
from disvae.training.run import SETTLED


@dataclass(frozen=True)
class Part:
    """One of the objects that the command line builds.

    Attributes:
        name: its option.
        base: what its class derives from.
        known: the classes that go by their bare names.
        default: the one taken if none is named; None for none at all.
        facts: constructor arguments that follow from the other objects, and what they are.
        networks: constructor arguments that are networks, and the class that an option can spell.
        settled: constructor arguments that are the other options'.
    """

    name: str
    base: type
    known: dict[str, type]
    default: str | None
    facts: dict[str, str] = field(default_factory=dict)
    networks: dict[str, type] = field(default_factory=dict)
    settled: tuple[str, ...] = ()

    def find(self, name: str) -> type[Any]:
        """The class of that name or import path."""
        return find_class(self.name, name, self.known, self.base)

    def add_options(self, parser: ArgumentParser, cls: type[Any]) -> None:
        """Add the arguments of ``cls`` to ``parser``, with their help from its docstring."""
        others = ", ".join(sorted(self.known.keys() - {cls.__name__}))
        group = parser.add_argument_group(
            f"--{self.name} CLASS: {cls.__name__} here; or {others}, or an import path"
        )
        facts = self.facts.keys() & _parameters(cls).keys()
        skip = {*facts, *_arguments_of(cls, nn.Module)}  # no option can spell just any network
        skip |= set(self.settled) & _parameters(cls).keys()
        group.add_class_arguments(cls, self.name, as_group=False, skip=skip, instantiate=False)
        for fact in sorted(facts):
            hint = get_type_hints(cls.__init__).get(fact, Any) | None
            text = f"{self.facts[fact]}; need not be given"
            group.add_argument(f"--{self.name}.{fact}", type=hint, default=None, help=text)
        for name in sorted(self.networks.keys() & _parameters(cls).keys()):
            network = self.networks[name]
            text = f"a {network.__name__} and its arguments; that of the paper if not given"
            group.add_argument(
                f"--{self.name}.{name}", type=network | None, default=None, help=text
            )
        if not group._group_actions:  # what has neither options nor a description is not shown
            group.description = f"{cls.__name__} has no options"

    def mention(self, parser: ArgumentParser) -> None:
        """Say in the help of ``parser`` which classes there are, where none is chosen."""
        known = ", ".join(sorted(self.known))
        parser.add_argument_group(f"--{self.name} CLASS: none here", f"one of {known}, or a path")

    def construct(self, cls: type[Any], given: Mapping[str, Any], facts: Mapping[str, Any]) -> Any:
        """Build the object.

        Args:
            cls: its class.
            given: the arguments that were parsed.
            facts: those that follow from the other objects.

        Raises:
            ValueError: a given argument contradicts a fact.
        """
        arguments = dict(given)
        for name in facts.keys() & _parameters(cls).keys():
            if arguments.get(name) is not None and arguments[name] != facts[name]:
                raise ValueError(
                    f"--{self.name}.{name} is {arguments[name]}, but by the other options it is "
                    f"{facts[name]}: leave it out, or write null over a file's"
                )
            arguments[name] = facts[name]
        path = f"{cls.__module__}.{cls.__qualname__}"
        return build({"class_path": path, "init_args": arguments}, self.base)


def _concrete(package: Any, base: type) -> dict[str, type]:
    """The concrete classes of a package."""
    return {
        name: cls
        for name, cls in vars(package).items()
        if name in package.__all__
        and isinstance(cls, type)
        and issubclass(cls, base)
        and not inspect.isabstract(cls)
    }


def _public(package: Any, base: type) -> dict[str, type]:
    """The concrete classes of a package, except those that must be given other objects."""
    return {
        name: cls
        for name, cls in _concrete(package, base).items()
        if all(
            _parameters(cls)[argument].default is not inspect.Parameter.empty
            for argument in _arguments_of(cls, nn.Module, ImageDataset)
        )
    }


def _parameters(cls: type[Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(cls.__init__).parameters


def _arguments_of(cls: type[Any], *bases: type) -> set[str]:
    """The arguments that can only be such objects, or arrays (which are any object)."""

    def is_such(kind: Any) -> bool:
        return kind is object or (isinstance(kind, type) and issubclass(kind, bases))

    hints = get_type_hints(cls.__init__)
    kinds = {name: set(get_args(hint) or (hint,)) - {NoneType} for name, hint in hints.items()}
    return {name for name, some in kinds.items() if some and all(map(is_such, some))}


MODEL = Part(
    "model",
    LatentModel,
    _public(disvae.models, LatentModel),
    "BurgessVAE",
    {"image_shape": "that of the data"},
)
LOSS = Part(
    "loss",
    Loss,
    _public(disvae.losses, Loss),
    "FactorVAELoss",
    {"latent_dim": "that of the model", "dataset_size": "the number of training images"},
    {"discriminator": disvae.models.Discriminator, "criterion": Loss},
)
DATA = Part("data", ImageDataset, _public(disvae.data, ImageDataset), "Sprites")
SOURCE = Part("source", TupleSource, _concrete(disvae.data, TupleSource), None, settled=SETTLED)
PARTS = (MODEL, LOSS, DATA, SOURCE)
