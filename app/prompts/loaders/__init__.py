"""Batched reads of prompts. All of a tenant read its prompts, deleted ones too where something names them."""

from app.prompts.loaders.history import ChangesOfTemplate, LabelsOfTemplate, SaverOfVersion
from app.prompts.loaders.lists import TemplateCount, enabled_template, numbered_page, page_of_templates, template_named
from app.prompts.loaders.templates import TEMPLATE_COLUMNS, TemplateById, TemplateOfRow
from app.prompts.loaders.versions import (
    VERSION_COLUMNS,
    VersionById,
    VersionNumbered,
    VersionOfRow,
    VersionsOfTemplate,
)

__all__ = [
    "TEMPLATE_COLUMNS",
    "VERSION_COLUMNS",
    "ChangesOfTemplate",
    "LabelsOfTemplate",
    "SaverOfVersion",
    "TemplateById",
    "TemplateCount",
    "TemplateOfRow",
    "VersionById",
    "VersionNumbered",
    "VersionOfRow",
    "VersionsOfTemplate",
    "enabled_template",
    "numbered_page",
    "page_of_templates",
    "template_named",
]
