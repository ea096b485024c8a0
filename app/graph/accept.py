"""What a client wants its answer to be: the header Accept, as far as it matters here."""

from dataclasses import dataclass

JSON = "application/json"
EVENTS = "text/event-stream"
MULTIPART = "multipart/mixed"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The kinds of answers that a client takes."""

    json: bool
    events: bool
    multipart: bool

    @property
    def only_events(self) -> bool:
        """Whether any answer has to be a stream of events, even that of a query, or a refusal."""
        return self.events and not self.json


def accepted_by(header: str | None) -> Accepted:
    """What the header names. Without one, or where it names nothing that we have, the answer is JSON.

    `multipart/mixed` counts with `subscriptionSpec=1.0` only: other clients mean deferred parts of queries by it.
    """
    names, multipart = set(), False
    for part in (header or "").lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        given = {key.strip(): value.strip(' "') for key, _, value in (text.partition("=") for text in parameters)}
        if given.get("q", "1").strip("0.") == "":
            continue
        names.add(name)
        multipart = multipart or (name == MULTIPART and given.get("subscriptionspec", "").startswith("1"))
    is_json = any(name.endswith(("json", "/*")) for name in names)
    return Accepted(json=is_json, events=EVENTS in names, multipart=multipart)
