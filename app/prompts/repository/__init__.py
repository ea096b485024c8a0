"""The statements of prompts that write, and those that a change begins with."""

from app.prompts.repository.choose import (
    chosen_by_name,
    chosen_enabled,
    find_template,
    labelled_version,
    numbered_version,
)
from app.prompts.repository.labels import label_in, move_label, remove_label
from app.prompts.repository.locks import hold_template, lock_enabled, lock_slot, lock_template
from app.prompts.repository.states import delete_template, set_enabled
from app.prompts.repository.texts import ONE_ENABLED, ONE_NAME, add_version, create, create_unless_named

__all__ = [
    "ONE_ENABLED",
    "ONE_NAME",
    "add_version",
    "chosen_by_name",
    "chosen_enabled",
    "create",
    "create_unless_named",
    "delete_template",
    "find_template",
    "hold_template",
    "label_in",
    "labelled_version",
    "lock_enabled",
    "lock_slot",
    "lock_template",
    "move_label",
    "numbered_version",
    "remove_label",
    "set_enabled",
]
