"""Each option has one role, by the first row that fits."""

from creased.training.options.roles import ROLES, role_of


def test_a_group_is_told_from_an_option_of_a_longer_name() -> None:
    assert role_of("model.width").is_fixed
    assert not role_of("model").is_fixed
    assert role_of("paths.output").is_file
    assert not role_of("paths.found_in").is_file
    assert role_of("trainer.max_epochs") == role_of("x")._replace(name="trainer.max_epochs")
    assert role_of("training").is_kept


def test_no_row_hides_another() -> None:
    for i, role in enumerate(ROLES):
        assert not any(role.name.startswith(other.name) for other in ROLES[:i])
