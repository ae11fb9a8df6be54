"""The right name for a wrong one."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of an error message: what the user may have meant, and a short list of what there is.

    Example:
        >>> nearest("trian", ["train", "evaluate"])
        "; did you mean 'train'? (known: evaluate, train)"
    """
    names = sorted(known)
    folded = {_fold(name): name for name in names}
    close = get_close_matches(_fold(word), folded, n=1, cutoff=0.4)
    guess = f"; did you mean {folded[close[0]]!r}?" if close else ""
    return guess + (f" (known: {', '.join(names)})" if len(names) <= 12 else "")


def _fold(name: str) -> str:
    return name.lower().replace("-", "_")
