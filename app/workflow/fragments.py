"""Pieces of statements about the workflow."""

from typing import Any

from sqlalchemy import ColumnElement, Text, literal_column

from app.db.base import table_of
from app.prompts.values import Stage
from app.workflow.models import Project, Review, ReviewDecision, Story, WorkflowStage
from app.workflow.values import ReviewStatus, StageStatus

projects = table_of(Project)
stages = table_of(WorkflowStage)
reviews = table_of(Review)
decisions = table_of(ReviewDecision)
stories = table_of(Story)


def one_of(column: ColumnElement[Any], *words: Stage | StageStatus | ReviewStatus) -> ColumnElement[bool]:
    """Whether a column has one of these words, written out as the conditions of the indexes are.

    As parameters they would keep PostgreSQL from using those once it has one plan for all values.
    """
    written: list[ColumnElement[Any]] = [literal_column(f"'{word.value}'", Text) for word in words]
    return column == written[0] if len(written) == 1 else column.in_(written)
