"""Headers found by their names are what Starlette's own are."""

from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from app.graph.headers import IndexedHeaders

_NAMES = ("accept", "content-type", "content-encoding", "x-colloquy-user")
_raw = st.lists(st.tuples(st.sampled_from([name.encode() for name in _NAMES]), st.binary(max_size=6)), max_size=8)


@given(_raw, st.sampled_from([*_NAMES, "Accept", "CONTENT-TYPE", "authorization"]))
def test_each_header_is_found_as_if_all_were_looked_at(raw: list[tuple[bytes, bytes]], name: str) -> None:
    indexed, walked = IndexedHeaders({"headers": raw}), Headers(raw=raw)

    assert indexed.getlist(name) == walked.getlist(name)
    assert indexed.get(name) == walked.get(name)
    assert (name in indexed) == (name in walked)
    assert indexed == walked
