"""Describe an object by its class and arguments, and build it again from that description.

A description has the form that the command line's YAML files have, so that a run that was started
from Python can be evaluated, resumed and repeated from the shell:

    {"class_path": "disvae.losses.FactorVAELoss", "init_args": {"latent_dim": 10, "gamma": 35.0}}
"""

import dataclasses
import importlib
import inspect
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np

T = TypeVar("T")

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Describable:
    """A class whose objects remember the arguments they were made with.

    They are recorded before ``__init__`` runs, so that a subclass has nothing to call or to keep in
    step.
    """

    __signature__: ClassVar[inspect.Signature]
    _init_args: dict[str, Any]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Show ``__init__``'s arguments to ``help`` and to editors, not those of ``__new__``."""
        super().__init_subclass__(**kwargs)
        signature = inspect.signature(cls.__init__)
        arguments = list(signature.parameters.values())[1:]
        cls.__signature__ = inspect.Signature(arguments)

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make the object and record the arguments that its ``__init__`` is about to get."""
        self = super().__new__(cls)
        signature = inspect.signature(cls.__init__)
        try:
            bound = signature.bind(self, *args, **kwargs)
        except TypeError:
            return self  # __init__ is about to say what is wrong; copying and unpickling pass none
        bound.apply_defaults()
        named = {
            name: value
            for name, value in list(bound.arguments.items())[1:]
            if signature.parameters[name].kind not in _VARIADIC
        }
        # object.__setattr__ because torch modules refuse attributes before their own __init__
        object.__setattr__(self, "_init_args", named)
        return self


def describe(obj: object) -> dict[str, Any]:
    """The class path and the arguments that would make ``obj`` again, as plain JSON values.

    Args:
        obj: a ``Describable`` (every model, loss and data set here is one) or a frozen dataclass.

    Returns:
        ``{"class_path": str, "init_args": {name: value}}``.

    Raises:
        ValueError: an argument (a module, a tensor) has no description in plain values.

    Example:
        >>> from disvae.likelihoods import DiscretizedLogistic
        >>> describe(DiscretizedLogistic(scale=0.1))["init_args"]
        {'scale': 0.1, 'levels': 256}
    """
    if dataclasses.is_dataclass(obj) and not isinstance(obj, type):
        arguments = {field.name: getattr(obj, field.name) for field in dataclasses.fields(obj)}
    elif hasattr(obj, "_init_args"):
        arguments = obj._init_args
    else:
        raise ValueError(
            f"cannot describe a {type(obj).__name__} by plain values; "
            "expected a number, a string, a list, a frozen dataclass or a Describable"
        )
    init_args = {name: plain(value) for name, value in arguments.items()}
    return {"class_path": class_path(type(obj)), "init_args": init_args}


def build(spec: Mapping[str, Any], base: type[T], trust: Sequence[str] | None = None) -> T:
    """Make the object that ``spec`` describes.

    Args:
        spec: what :func:`describe` returned, perhaps read from a file.
        base: the class that the object must be an instance of. It is checked before anything is
            called, so that a run directory from elsewhere cannot name an arbitrary function.
        trust: the packages, modules or classes, by import path, that alone may be named, which is
            checked before any is imported: importing a module runs it. None for any.

    Raises:
        ValueError: ``spec`` has no class path, or it names no subclass of ``base``, or what is not
            trusted.
    """
    if trust is not None:
        check_trusted(spec, trust)
    cls = find_class(spec)
    if not issubclass(cls, base):
        expected = f"{base.__module__}.{base.__name__}"
        raise ValueError(f"{spec['class_path']} is not a subclass of {expected}")
    return _construct(cls, spec)


def find_class(spec: Mapping[str, Any]) -> type:
    """Return the class that a description names, without making its object.

    Raises:
        ValueError: if the description has no class path, or none that can be imported.
    """
    path = spec.get("class_path")
    if not isinstance(path, str) or "." not in path:
        raise ValueError(f"expected a mapping with a dotted 'class_path', got {dict(spec)!r}")
    module, _, name = path.rpartition(".")
    try:
        cls = getattr(_imported(module), name, None)
    except ImportError as error:
        raise ValueError(f"cannot import {path}: {error}") from error
    if not isinstance(cls, type):
        raise ValueError(f"{module} has no class {name}")
    return cls


def _imported(module: str) -> Any:
    """A module, which may lie in the current folder as a user's own do."""
    if module.partition(".")[0] in ("disvae", "torchvision"):
        return importlib.import_module(module)
    here = str(Path.cwd())
    sys.path.append(here)
    try:
        return importlib.import_module(module)
    finally:
        sys.path.remove(here)


def is_trusted(spec: Mapping[str, Any], trust: Sequence[str]) -> bool:
    """Whether the class that a description names is one of, or lies in, what is trusted."""
    return any(f"{spec.get('class_path')}.".startswith(f"{known}.") for known in trust)


def check_trusted(value: Any, trust: Sequence[str]) -> None:
    """Refuse a class path outside of ``trust``, however deep in a description it stands."""
    if isinstance(value, Mapping):
        if value.get("class_path") and not is_trusted(value, trust):
            path = value["class_path"]
            raise ValueError(
                f"it names {path!r}, which is none of {', '.join(trust)}: importing it would run "
                f"code that need not be yours. If you know that code, say so by trust=[{path!r}] "
                f"(--trust {path})"
            )
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            check_trusted(item, trust)


def _construct(cls: type, spec: Mapping[str, Any]) -> Any:
    arguments = spec.get("init_args") or {}
    return cls(**{name: _object(value) for name, value in arguments.items()})


def class_path(cls: type) -> str:
    """The shortest public path: ``disvae.losses.VAELoss``, not the file that it stands in."""
    package = cls.__module__.rpartition(".")[0]
    if package and getattr(importlib.import_module(package), cls.__name__, None) is cls:
        return f"{package}.{cls.__name__}"
    return f"{cls.__module__}.{cls.__qualname__}"


def plain(value: Any) -> Any:
    """The value as JSON has it: numbers of NumPy as Python's, objects as their description."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return describe(value)


def _object(value: Any) -> Any:
    if isinstance(value, Mapping) and "class_path" in value:
        cls = find_class(value)
        if not (dataclasses.is_dataclass(cls) or issubclass(cls, Describable)):
            raise ValueError(f"{value['class_path']} cannot be part of a description")
        return _construct(cls, value)
    if isinstance(value, list):
        return tuple(_object(item) for item in value)
    return value
