"""The console, at / and under the paths of its pages."""

from pathlib import Path

from app.pages.single_page import BUILT, SinglePage, policy

# Trusted types: no text of anybody becomes markup or a script, whatever a library does. Pictures come from the server
# alone, those of messages as blobs, for the header that lets a caller in goes with no <img>.
_POLICY = policy(
    style_src="'self'",
    font_src="'self'",
    img_src="'self' blob:",
    require_trusted_types_for="'script'",
    trusted_types="'none'",
)

PAGES = ("chat", "approvals", "workflow", "prompts", "figures", "keys", "audit", "sign-in")
"""What the console's router knows as the first part of a path: any other is not found, with its status."""


def console(folder: Path = BUILT / "console") -> SinglePage:
    """The console as `web/console` was built; a link to any of its pages leads there."""
    paths = ("/", *(path for page in PAGES for path in (f"/{page}", f"/{page}/{{rest:path}}")))
    return SinglePage("console", folder, _POLICY, paths, "/assets")
