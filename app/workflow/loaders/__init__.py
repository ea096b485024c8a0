"""Batched reads of the workflow. All of a tenant read its projects, and what hangs on them."""

from app.workflow.loaders.lists import PromptsOfStory, StagesBuiltOn, StagesOfProject
from app.workflow.loaders.progress import ProgressOfProject
from app.workflow.loaders.projects import PROJECT_COLUMNS, ProjectById, ProjectOfRow, page_of_projects, project_named
from app.workflow.loaders.reviews import (
    DecisionsOfReview,
    ReviewById,
    ReviewsOfProject,
    page_of_pending_reviews,
    read_pending,
    still_pending,
)
from app.workflow.loaders.stages import (
    STAGE_COLUMNS,
    ProjectPlanningById,
    PromptGenerationById,
    RequirementsAnalysisById,
    StageOfReview,
    StageOfRow,
    StoryGenerationById,
)
from app.workflow.loaders.stories import STORY_COLUMNS, StoriesOfGeneration, StoryByKey, StoryOfRow

__all__ = [
    "PROJECT_COLUMNS",
    "STAGE_COLUMNS",
    "STORY_COLUMNS",
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
    "project_named",
    "read_pending",
    "still_pending",
]
