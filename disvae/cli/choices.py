"""What each option offers, as its help says it: values, or classes."""

import re

# An option at the head of its paragraph in a help text, and its choices: values or classes.
PARAGRAPH = re.compile(r"^  (?:-h, )?(--[\w.]+)(.*(?:\n {4,}.*)*)", re.MULTILINE)
CHOICES = re.compile(r" \{([^}]*)\}")
CLASSES = re.compile(r"known subclasses: ([\w., ]*)")


def choices(text: str) -> dict[str, list[str]]:
    """The options in a help text, and what each of them offers, if it says so.

    Example:
        >>> choices("  --seed SEED  chooses images\\n  --format {onnx,pretrained}  what to write")
        {'--seed': [], '--format': ['onnx', 'pretrained']}
    """
    return {option: _offered(paragraph) for option, paragraph in PARAGRAPH.findall(text)}


def _offered(paragraph: str) -> list[str]:
    if given := CHOICES.match(paragraph):
        return given[1].split(",")
    if classes := CLASSES.search(" ".join(paragraph.split())):
        return [path.rpartition(".")[2] for path in classes[1].split(", ")]
    return []
