"""The templates that the stages have where nobody made others."""

import re

import pytest

from app.prompts.rendering import check_text, render
from app.prompts.values import Stage
from app.workflow.defaults import DEFAULTS
from app.workflow.stories import STORIES

SECTIONS = {
    Stage.REQUIREMENTS_ANALYSIS: [
        "Summary", "Stakeholders and users", "Functional requirements", "Non-functional requirements", "Constraints",
        "Open questions",
    ],
    Stage.PROJECT_PLANNING: ["Goals", "Architecture", "Milestones", "Risks", "Open questions"],
    Stage.STORY_GENERATION: [],
    Stage.PROMPT_GENERATION: ["Task", "Context", "Acceptance criteria", "Constraints"],
}  # fmt: skip


def rendered(stage: Stage, project: str = "Spokes") -> str:
    text = DEFAULTS[stage]
    return render(text.content, text.variables, {"project_name": project}, at_most=20_000)


@pytest.mark.parametrize("stage", Stage)
def test_template_can_be_stored_and_rendered(stage: Stage) -> None:
    text = DEFAULTS[stage]

    text.check()
    check_text(text)

    assert 'the project "Spokes"' in rendered(stage)
    assert "{{" not in rendered(stage)
    assert len({text.name for text in DEFAULTS.values()}) == len(Stage)


@pytest.mark.parametrize("stage", Stage)
def test_template_asks_for_sections_each_with_one_line_of_what_belongs_there(stage: Stage) -> None:
    lines = rendered(stage).splitlines()
    headings = [number for number, line in enumerate(lines) if line.startswith("## ")]

    assert [lines[number].removeprefix("## ") for number in headings] == SECTIONS[stage]
    for number in headings:
        assert lines[number + 1].endswith(".")
        assert lines[number + 2 : number + 3] in ([""], [])


def test_stories_are_asked_for_by_the_names_of_the_schema() -> None:
    names = list(STORIES.schema["properties"]["stories"]["items"]["properties"])

    assert re.findall(r"^- `(\w+)`:", rendered(Stage.STORY_GENERATION), re.MULTILINE) == names
