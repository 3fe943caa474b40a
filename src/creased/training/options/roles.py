"""The roles of options: which name files, and what a resumed run does with those that it was begun with."""

from __future__ import annotations

from typing import NamedTuple


class Role(NamedTuple):
    """An option, or with a dot at its end a group of them; the defaults are the role of all others."""

    name: str
    is_file: bool = False  # taken as it is typed; relative to where the run was begun
    is_kept: bool = True  # a resumed run goes on with the value that it was begun with
    is_compared: bool = True  # a change is said
    is_fixed: bool = False  # a change is refused


ROLES = (  # the first that fits counts
    Role("ckpt_path", is_file=True, is_kept=False, is_compared=False),
    Role("start_from", is_file=True, is_kept=False, is_compared=False),
    Role("train", is_kept=False, is_compared=False),
    Role("paths.output", is_file=True, is_kept=False, is_compared=False),
    Role("paths.root", is_file=True, is_compared=False),
    Role("paths.runs", is_file=True, is_compared=False),
    Role("paths.meshes", is_file=True, is_compared=False),
    Role("paths.", is_compared=False),
    Role("logger.wandb.id", is_kept=False, is_compared=False),
    Role("logger.", is_compared=False),
    Role("quality.", is_compared=False),  # copies of what the options of a recipe say
    Role("recipe.", is_compared=False),
    Role("shape.path", is_file=True, is_compared=False),  # a run is known by what is read
    Role("shape.units", is_fixed=True),
    Role("shape.source.", is_fixed=True),
    Role("model.", is_fixed=True),
    Role("domain.", is_fixed=True),
    Role("optimizer._target_", is_fixed=True),
)


def role_of(name: str) -> Role:
    """Look up the role of an option by its full name."""
    return next((role for role in ROLES if _fits(role, name)), Role(name))


def _fits(role: Role, name: str) -> bool:
    return name.startswith(role.name) if role.name.endswith(".") else name == role.name
