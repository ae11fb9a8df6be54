"""The file of a picture that a verb is asked to draw."""

from pathlib import Path


def picture_file(given: str | None, usual: Path) -> Path:
    """Where to write a picture, in a folder that is made if it does not exist.

    Args:
        given: what ``--output`` says.
        usual: the file if it says nothing.

    Raises:
        ValueError: the name has no ending, which says the format.
    """
    file = Path(given) if given else usual
    if not file.suffix:
        raise ValueError(f"--output {file} has no ending, which says the format: {file}.png, say")
    file.parent.mkdir(parents=True, exist_ok=True)
    return file
