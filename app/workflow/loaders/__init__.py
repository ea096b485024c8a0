"""Batched reads of the workflow. All of a tenant read its projects, and what hangs on them."""

from app.workflow.loaders.lists import PromptsOfStory, StagesBuiltOn, StagesOfProject
from app.workflow.loaders.progress import ProgressOfProject
from app.workflow.loaders.projects import ProjectById, ProjectOfRow, page_of_projects, project_columns, project_named
from app.workflow.loaders.reviews import DecisionsOfReview, ReviewById, ReviewsOfProject, page_of_pending_reviews
from app.workflow.loaders.stages import (
    CONTENT,
    ProjectPlanningById,
    PromptGenerationById,
    RequirementsAnalysisById,
    StageOfReview,
    StageOfRow,
    StoryGenerationById,
    stage_columns,
)
from app.workflow.loaders.stories import StoriesOfGeneration, StoryByKey, StoryOfRow, story_columns

__all__ = [
    "CONTENT",
    "DecisionsOfReview",
    "ProgressOfProject",
    "ProjectById",
    "ProjectOfRow",
    "ProjectPlanningById",
    "PromptGenerationById",
    "PromptsOfStory",
    "RequirementsAnalysisById",
    "ReviewById",
    "ReviewsOfProject",
    "StageOfReview",
    "StageOfRow",
    "StagesBuiltOn",
    "StagesOfProject",
    "StoriesOfGeneration",
    "StoryByKey",
    "StoryGenerationById",
    "StoryOfRow",
    "page_of_pending_reviews",
    "page_of_projects",
    "project_columns",
    "project_named",
    "stage_columns",
    "story_columns",
]
