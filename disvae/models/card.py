"""The model card: what the page of a shared model says of it."""

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from disvae.spec import describe
from disvae.version import __version__

if TYPE_CHECKING:
    from disvae.models.latent import LatentModel

TAGS = ["disentanglement", "variational-autoencoder", "representation-learning"]

# Of a run's configuration: about the machine, not about the model.
_LEFT_OUT = {
    *("model", "provenance", "accelerator", "devices", "fast", "progress"),
    *("log_every", "checkpoint_every", "decompose_every", "estimator"),
}

_CITATION = """@software{{disvae,
  title  = {{disvae: disentangled representation learning in PyTorch}},
  author = {{{{The disvae developers}}}},
  year   = {{2026}},
  note   = {{Version {version}}}
}}"""


def model_card(
    model: "LatentModel",
    source: str,
    *,
    title: str | None = None,
    evaluation: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    picture: str | None = None,
    cites: Sequence[type] = (),
    loading: str | None = None,
) -> str:
    """The text of a model's ``README.md``, as the Hugging Face hub reads it.

    Args:
        model: the model.
        source: where it will be loaded from: the repository's name, or the folder's.
        title: of the card; the last part of ``source`` if None.
        evaluation: what a run's ``evaluation.json`` holds: the scores.
        settings: what a run's ``config.yaml`` holds: how it was trained. Paths of the machine and
            its name are left out.
        picture: file name of a traversal beside the card.
        cites: classes, such as that of the loss, whose references stand beside the model's.
        loading: Python lines that make ``model``, in place of ``LatentModel.from_pretrained``.

    Returns:
        Markdown, after a block of YAML that the hub's search reads.

    Example:
        >>> from disvae import BurgessVAE
        >>> print(model_card(BurgessVAE((1, 32, 32)), "me/sprites").split("\\n\\n")[1])
        # sprites
    """
    title = title or source.rpartition("/")[2]
    sections = [
        _front_matter(title, evaluation, settings),
        f"# {title}",
        _what(model),
        f"![What each dimension of the code does to one image]({picture})" if picture else "",
        _loading(model, loading or _from_pretrained(model, source)),
        _scores(evaluation) if evaluation else "",
        _training(settings) if settings else "",
        _citation([type(model), *cites]),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _front_matter(
    title: str, evaluation: Mapping[str, Any] | None, settings: Mapping[str, Any] | None
) -> str:
    import yaml

    content: dict[str, Any] = {"library_name": "disvae", "tags": TAGS}
    scores = {key: score["value"] for key, score in _measured(evaluation).items()}
    if scores and settings and settings.get("data"):
        data = _class_name(_innermost(settings["data"]))
        result = {
            "task": {"type": "disentanglement"},
            "dataset": {"type": data.lower(), "name": data},
            "metrics": [
                {"type": key.lower().replace(" ", "-"), "name": key, "value": round(value, 4)}
                for key, value in scores.items()
                if value is not None
            ],
        }
        content["model-index"] = [{"name": title, "results": [result]}]
    return f"---\n{yaml.safe_dump(content, sort_keys=False)}---"


def _what(model: "LatentModel") -> str:
    spec = describe(model)["init_args"]
    shape = spec.get("image_shape")
    images = f", for images of shape ({', '.join(map(str, shape))})" if shape else ""
    n_parameters = sum(p.numel() for p in model.parameters())
    return (
        f"A model with latent codes{images}: `{type(model).__name__}` of the library disvae, with "
        f"{model.latent_dim} latent dimensions{_categorical(model)}, {n_parameters:,} parameters "
        f"and the likelihood `{type(model.likelihood).__name__}`. Images are floats in [0, 1], of "
        "shape (batch, channels, height, width)."
    )


def _categorical(model: "LatentModel") -> str:
    numbers = ", ".join(f"{j} ({model.sizes[j]} categories)" for j in model.discrete)
    return f", of which these hold the number of a category: {numbers}" if numbers else ""


def _from_pretrained(model: "LatentModel", source: str) -> str:
    root = type(model).__module__.partition(".")[0]
    trust = "" if root == "disvae" else f', trust=["{type(model).__module__}"]'
    return f"""from disvae.models import LatentModel

model = LatentModel.from_pretrained("{source}"{trust})"""


def _loading(model: "LatentModel", loading: str) -> str:
    return f"""## Loading it

```python
{loading}
codes = model.represent(images)  # posterior means, (batch, {model.latent_dim})
decoded = model.likelihood.mean(model.decode(codes))  # images again
```"""


def _scores(evaluation: Mapping[str, Any]) -> str:
    rows = [
        f"| {name} | {_number(score['value'])} | {_interval(score)} |"
        for name, score in _measured(evaluation).items()
    ]
    if not rows:
        return ""
    points, preset = evaluation.get("points"), evaluation.get("preset")
    return "\n".join(
        [
            "## Scores",
            "",
            f"Of the posterior means of {points:,} images; metrics as disvae's preset "
            f"`{preset}` has them.",
            "",
            "| metric | score | 95 % interval |",
            "|---|---|---|",
            *rows,
        ]
    )


def _measured(evaluation: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return (evaluation or {}).get("trained", {})


def _number(value: float | None) -> str:
    return "not a number" if value is None else f"{value:.3f}"


def _interval(score: Mapping[str, Any]) -> str:
    value, error = score["value"], score["standard_error"]
    if value is None or error is None:
        return "not measured"
    return f"{value - 1.96 * error:.3f} to {value + 1.96 * error:.3f}"


def _training(settings: Mapping[str, Any]) -> str:
    import yaml

    kept = {key: value for key, value in settings.items() if key not in _LEFT_OUT}
    versions = settings.get("provenance", {}).get("versions", {})
    made_by = ", ".join(f"{name} {version}" for name, version in versions.items())
    text = yaml.safe_dump(_without_paths(kept), sort_keys=False, default_flow_style=None)
    said = f"\n\nTrained with {made_by}." if made_by else ""
    return f"## Training\n\n```yaml\n{text}```{said}"


def _without_paths(value: Any) -> Any:
    """Without what is not set, and without paths, which are a machine's own business."""
    if isinstance(value, Mapping):
        cleaned = {key: _without_paths(item) for key, item in value.items()}
        return {key: item for key, item in cleaned.items() if item not in (None, {})}
    if isinstance(value, (list, tuple)):
        return [_without_paths(item) for item in value]
    if isinstance(value, str) and ("/" in value or "\\" in value):
        return None
    return value


def _citation(classes: Sequence[type]) -> str:
    references = list(dict.fromkeys(filter(None, map(_reference, classes))))
    bibtex = _CITATION.format(version=__version__)
    parts = ["## Citation", f"```bibtex\n{bibtex}\n```"]
    if references:
        parts += ["The network and the loss:", "\n".join(f"- {text}" for text in references)]
    return "\n\n".join(parts)


def _reference(cls: type) -> str:
    """The section ``Reference:`` of a docstring, as one line."""
    _, _, after = (inspect.getdoc(cls) or "").partition("\nReference:\n")
    lines = after.split("\n\n")[0].splitlines()
    return " ".join(line.strip() for line in lines)


def _innermost(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The data set inside of parts and copies of it."""
    for value in (spec.get("init_args") or {}).values():
        if isinstance(value, Mapping) and "class_path" in value:
            return _innermost(value)
    return spec


def _class_name(spec: Mapping[str, Any]) -> str:
    return spec["class_path"].rpartition(".")[2]
