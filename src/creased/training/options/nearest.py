"""Name the option that was meant by one that there is not.

What is nearest in spelling is searched beside it, then among all full names, then among their last words.
Options of choices that were not made, such as those of ``logger=wandb``, are found in the files of
`configs/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from omegaconf import DictConfig, OmegaConf

from creased.training.options.names import CONFIGS, SIMILAR, arguments_of
from creased.training.runs.commands import train_command

ALIKE = 0.9  # of the last words of options of two groups
HABITS = {  # words of other programs
    "checkpoint": "ckpt_path",
    "ckpt": "ckpt_path",
    "epochs": "trainer.max_epochs",
    "file": "shape.path",
    "hidden": "model.width",
    "hidden_dim": "model.width",
    "layers": "model.depth",
    "learning_rate": "optimizer.lr",
    "mesh": "shape.path",
    "n_layers": "model.depth",
    "out": "paths.output",
    "output_dir": "paths.output",
    "precision": "+trainer.precision",
    "resume": "ckpt_path",
    "start": "start_from",
}
OF_PARTS = ("experiment", "debug")  # groups whose files hold options of other groups
OF_NONE = ("hydra", "hparams_search", "quality", "sweep")  # whose files are no options


def format_unknown(wrong: str, config: DictConfig | None) -> str:
    """Say that there is no option of a name, and which there is.

    Args:
        wrong: its full name.
        config: as far as it is composed; None: known by its files alone.
    """
    by_choice = _names_by_choice()
    names = list(by_choice) if config is None else list(_names(config))
    if choice := by_choice.get(wrong, "") if wrong not in names else "":
        return f"there is no option {wrong} without {choice}"
    if found := _nearest(wrong, names, config) or _nearest(wrong, list(by_choice), None):
        return f"there is no option {wrong}: did you mean {found}?"
    prefix, _, others = _beside(wrong, names, config)
    if prefix and (others := [other for other in others if not other.startswith("+")] or others):
        return f"there is no option {wrong}: choose from {', '.join(others)}"
    return f"there is no option {wrong}: {train_command('--cfg', 'job')} shows all"


def _nearest(wrong: str, names: Sequence[str], config: DictConfig | None) -> str | None:
    prefix, part, others = _beside(wrong, names, config)
    word, others = wrong.rpartition(".")[2], [other for other in others if other != part]
    meant = HABITS.get(word, "")
    if meant and (not prefix or meant.lstrip("+").startswith(prefix)):
        return meant
    if near := get_close_matches(part, [other.lstrip("+") for other in others], 1, SIMILAR):
        plus = "" if near[0] in others else "+"
        longer = f"{prefix}{near[0]}{wrong[len(prefix) + len(part) :]}"
        return plus + (longer if longer in names else f"{prefix}{near[0]}")
    own = [name for name in names if not name.startswith(("hydra.", "quality."))]
    own = [*names] if wrong.startswith("hydra.") else own
    if near := get_close_matches(wrong, own, 1, SIMILAR):
        return near[0]
    group = wrong.partition(".")[0] + "."
    for among, least in ((group, SIMILAR), ("", ALIKE if prefix else SIMILAR)):
        by_last = {name.rpartition(".")[2]: name for name in reversed(own) if name.startswith(among)}
        if near := get_close_matches(word, by_last, 1, least):
            return by_last[near[0]]
    return None


def _beside(wrong: str, names: Sequence[str], config: DictConfig | None) -> tuple[str, str, list[str]]:
    """Split a name into the part that there is, with its dot, and the next; list the words beside this one.

    Arguments that would have to be added begin with ``+``.
    """
    parts = wrong.split(".")
    known = set(names)
    depth = next((i for i in range(len(parts) - 1, 0, -1) if ".".join(parts[:i]) in known), 0)
    prefix = "".join(f"{part}." for part in parts[:depth])
    others = dict.fromkeys(name[len(prefix) :].partition(".")[0] for name in names if name.startswith(prefix))
    node = OmegaConf.select(config, prefix[:-1]) if config is not None and prefix else None
    added = arguments_of(node) if isinstance(node, DictConfig) else []
    words = [other for other in others if not other.startswith("_")]
    return prefix, parts[depth], words + [f"+{name}" for name in added if name not in others]


def _names_by_choice() -> dict[str, str]:
    """List the full names of all options in the files of `configs/`, with the words that choose the file."""
    names = dict.fromkeys(_names(OmegaConf.load(CONFIGS / "train.yaml")), "")
    files = sorted(CONFIGS.glob("*/*.yaml"), key=lambda path: (path.parent.name in OF_PARTS, path))
    for file in files:
        group = file.parent.name
        if group not in OF_NONE:
            prefix = "" if group in OF_PARTS else "shape." if group == "repair" else f"{group}."
            for name in _names(OmegaConf.load(file), prefix):
                names.setdefault(name, f"{group}={file.stem}")
        names.setdefault(group, "")
    return names


def _names(config: Any, prefix: str = "") -> Iterator[str]:
    """List the full names of all options, nested ones too."""
    for key in config:
        if key == "defaults" or " " in str(key):
            continue
        yield f"{prefix}{key}"
        value = config._get_node(key)
        if isinstance(value, DictConfig) and not (value._is_none() or value._is_interpolation()):
            yield from _names(value, f"{prefix}{key}.")
