"""Batched reads of prompts. All of a tenant read its prompts, deleted ones too where something names them."""

from app.prompts.loaders.history import ChangesOfTemplate, LabelsOfTemplate, SaverOfVersion
from app.prompts.loaders.lists import TemplateCount, enabled_template, numbered_page, page_of_templates, template_named
from app.prompts.loaders.templates import TemplateById, TemplateOfRow, template_columns, template_columns_with
from app.prompts.loaders.versions import (
    VersionById,
    VersionNumbered,
    VersionOfRow,
    VersionsOfTemplate,
    version_columns,
    version_columns_with,
)

__all__ = [
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
    "template_columns",
    "template_columns_with",
    "template_named",
    "version_columns",
    "version_columns_with",
]
