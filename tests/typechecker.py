"""The checker of annotations at run time: beartype, with int where float is asked for."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from beartype import BeartypeConf, beartype

CONF = BeartypeConf(is_pep484_tower=True)


def check(function: Callable[..., Any]) -> Callable[..., Any]:
    """Check the arguments of a function from its first call on.

    Checks are code that beartype writes and compiles: of all functions of the package 10 s, of
    which a test calls few.
    """
    checked: Callable[..., Any] | None = None

    @wraps(function)
    def check_call(*args: Any, **kwargs: Any) -> Any:
        nonlocal checked
        if checked is None:
            checked = beartype(conf=CONF)(function)
        return checked(*args, **kwargs)

    return check_call
