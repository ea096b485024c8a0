"""The GraphQL playground, at /graphiql."""

from pathlib import Path

from app.pages.single_page import BUILT, SinglePage, policy

# 'unsafe-inline' for styles alone: Monaco 0.52 writes its themes and the position of every line into style elements
# and style attributes as it runs, and takes no nonce. Scripts get no such leave, and every worker is a file of ours.
# A socket to this origin is 'self' too (CSP 3), so that subscriptions need no ws: or wss: here.
_POLICY = policy(worker_src="'self'", style_src="'self' 'unsafe-inline'", font_src="'self'", img_src="'self' data:")


def playground(folder: Path = BUILT / "playground") -> SinglePage:
    """The playground as `web/playground` was built."""
    return SinglePage("playground", folder, _POLICY, ("/graphiql",), "/graphiql/assets")
