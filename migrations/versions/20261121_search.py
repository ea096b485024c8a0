"""Find messages and sessions by their text: an index of it, kept by triggers; what is there is entered in batches."""

from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "20261121_search"
down_revision = "20261121_statistics"
branch_labels = None
depends_on = None

_PER_BATCH = 1_000
"""Rows entered by one transaction: their messages are locked so long, for about half a second."""

_EXTENSIONS = ("pg_trgm", "btree_gin")

# Both are "trusted" and come with PostgreSQL: who may create tables in a database of their own may create them.
_CREATE_EXTENSION = """
DO $do$ BEGIN
  CREATE EXTENSION IF NOT EXISTS {name};
EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_file THEN
  RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE =
    'the search needs the extension {name} (of postgresql-contrib), which this user cannot create: have an '
    'administrator run CREATE EXTENSION {name} in this database, then migrate again';
END $do$
"""
# Somebody else's columns may use it by now: then it stays.
_DROP_EXTENSION = """
DO $do$ BEGIN
  DROP EXTENSION IF EXISTS {name};
EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN
  RAISE NOTICE 'the extension {name} stays: %', SQLERRM;
END $do$
"""

_SEPARATORS = (
    r"\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7"
    r"\u2000-\u206f\u2190-\u25ff\u2b00-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\u3030\u303d-\u303f\u30fb"
    r"\ufe00-\ufe4f\ufff0-\uffff"
)
_SPACELESS = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2600-\u27bf\u2e80-\u9fff\ua000-\ua4cf\uac00-\ud7af\uf900-\ufaff"
    r"\U0001f000-\U0003ffff"
)

# Lower case, words between single blanks, a blank before the first and behind the last. Of scripts without spaces
# every pair of neighbours is a word, and the last character: 中国人 is " 中国 国人 人 ", which has 国人 in it as
# " 国人 人", and gives the trigrams of pg_trgm whole pairs. Single blanks are left as they are, which halves the time;
# the patterns have no alternatives where they look back, for these take a time that grows with the text's square.
_SEARCH_TEXT = rf"""
CREATE FUNCTION search_text(content text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $do$
DECLARE found text := left(content, 50000);
BEGIN
  found := regexp_replace(
    left(lower(normalize(found, NFKC)), 50000),
    '[\u0001-\u001f\u0021-\u002f{_SEPARATORS}][\u0001-\u002f{_SEPARATORS}]*| [\u0001-\u002f{_SEPARATORS}]+', ' ', 'g'
  );
  IF found ~ '[{_SPACELESS}]' THEN
    found := regexp_replace(found, '([{_SPACELESS}]+)', ' \1 ', 'g');
    found := regexp_replace(found, '(?<=[{_SPACELESS}])([{_SPACELESS}])', '\1 \1', 'g');
    found := regexp_replace(found, '  +', ' ', 'g');
  END IF;
  RETURN ' ' || btrim(found) || ' ';
END $do$
"""

# Exact: whole words alone. Else inside of words too, unless it is a word of one or two letters. Null, which nothing is
# LIKE, for what has no word in it.
_SEARCH_PATTERN = rf"""
CREATE FUNCTION search_pattern(term text, exact boolean) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $do$
DECLARE found text := search_text(term);
BEGIN
  IF btrim(found) = '' THEN
    RETURN NULL;
  END IF;
  IF found ~ '[{_SPACELESS}] $' THEN
    found := rtrim(found);
  END IF;
  IF NOT exact AND char_length(btrim(found)) > 2 THEN
    -- Pairs begin after a blank, wherever in a run of characters they are.
    found := CASE WHEN found ~ '^ [{_SPACELESS}]' THEN rtrim(found) ELSE btrim(found) END;
  END IF;
  RETURN '%' || found || '%';
END $do$
"""

_ENTER_MESSAGE = """
CREATE FUNCTION enter_message() RETURNS trigger LANGUAGE plpgsql AS $do$
BEGIN
  IF NEW.content = '' THEN
    DELETE FROM search_entries WHERE tenant_id = NEW.tenant_id AND id = NEW.id;
  ELSE
    INSERT INTO search_entries (tenant_id, id, session_id, user_id, role, at, body)
    SELECT NEW.tenant_id, NEW.id, NEW.session_id, s.user_id, NEW.role, NEW.created_at, search_text(NEW.content)
    FROM chat_sessions s WHERE s.tenant_id = NEW.tenant_id AND s.id = NEW.session_id
    ON CONFLICT (tenant_id, id) DO UPDATE SET body = excluded.body;
  END IF;
  RETURN NULL;
END $do$
"""
# A bar is in no word, so that no phrase reaches from one text into the next.
_ENTRY_OF_SESSION = """
    SELECT s.tenant_id, s.id, s.id, s.user_id, s.created_at,
           search_text(s.title) || '|' || coalesce(search_text(s.description), '') || '|'
           || coalesce((SELECT string_agg(search_text(tag), '|') FROM unnest(m.tags) AS tag), '') || '|'
           || coalesce(search_text(m.summary), '')
    FROM chat_sessions s LEFT JOIN session_metadata m ON m.tenant_id = s.tenant_id AND m.session_id = s.id
"""
_ENTER_SESSION = f"""
CREATE FUNCTION enter_session() RETURNS trigger LANGUAGE plpgsql AS $do$
DECLARE entered uuid;
BEGIN
  IF TG_TABLE_NAME = 'chat_sessions' THEN
    entered := NEW.id;
  ELSE
    entered := NEW.session_id;
  END IF;
  INSERT INTO search_entries (tenant_id, id, session_id, user_id, at, body) {_ENTRY_OF_SESSION}
  WHERE s.tenant_id = NEW.tenant_id AND s.id = entered
  ON CONFLICT (tenant_id, id) DO UPDATE SET body = excluded.body;
  RETURN NULL;
END $do$
"""
_FORGET = """
CREATE FUNCTION forget_search_entries() RETURNS trigger LANGUAGE plpgsql AS $do$
BEGIN
  DELETE FROM search_entries e USING gone WHERE e.tenant_id = gone.tenant_id AND e.id = gone.id;
  RETURN NULL;
END $do$
"""
_TRIGGERS = {
    "enter_new_message ON chat_messages": """
        AFTER INSERT ON chat_messages FOR EACH ROW WHEN (NEW.content <> '') EXECUTE FUNCTION enter_message()""",
    "enter_changed_message ON chat_messages": """
        AFTER UPDATE OF content ON chat_messages FOR EACH ROW WHEN (OLD.content <> NEW.content)
        EXECUTE FUNCTION enter_message()""",
    "forget_deleted_messages ON chat_messages": """
        AFTER DELETE ON chat_messages REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT EXECUTE FUNCTION forget_search_entries()""",
    "enter_new_session ON chat_sessions": """
        AFTER INSERT ON chat_sessions FOR EACH ROW EXECUTE FUNCTION enter_session()""",
    "enter_changed_session ON chat_sessions": """
        AFTER UPDATE OF title, description ON chat_sessions FOR EACH ROW
        WHEN ((OLD.title, OLD.description) IS DISTINCT FROM (NEW.title, NEW.description))
        EXECUTE FUNCTION enter_session()""",
    "forget_deleted_sessions ON chat_sessions": """
        AFTER DELETE ON chat_sessions REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT EXECUTE FUNCTION forget_search_entries()""",
    # What comes with the session in one statement is there when the session is entered.
    "enter_new_metadata ON session_metadata": """
        AFTER INSERT ON session_metadata FOR EACH ROW WHEN (NEW.tags <> '{}' OR NEW.summary IS NOT NULL)
        EXECUTE FUNCTION enter_session()""",
    "enter_changed_metadata ON session_metadata": """
        AFTER UPDATE OF tags, summary ON session_metadata FOR EACH ROW
        WHEN ((OLD.tags, OLD.summary) IS DISTINCT FROM (NEW.tags, NEW.summary))
        EXECUTE FUNCTION enter_session()""",
}
_FUNCTIONS = {
    "search_text(text)": _SEARCH_TEXT,
    "search_pattern(text, boolean)": _SEARCH_PATTERN,
    "enter_message()": _ENTER_MESSAGE,
    "enter_session()": _ENTER_SESSION,
    "forget_search_entries()": _FORGET,
}

# Locked, so that nobody clears a text between its reading and its entry; who changes one enters it, and that one stays.
_ENTER_MESSAGES = """
WITH batch AS (
  SELECT tenant_id, id, session_id, role, created_at, content FROM chat_messages
  WHERE (tenant_id, id) > (:tenant_id, :id) AND content <> '' ORDER BY tenant_id, id LIMIT :most FOR SHARE
), entered AS (
  INSERT INTO search_entries (tenant_id, id, session_id, user_id, role, at, body)
  SELECT m.tenant_id, m.id, m.session_id, s.user_id, m.role, m.created_at, search_text(m.content)
  FROM batch m JOIN chat_sessions s ON s.tenant_id = m.tenant_id AND s.id = m.session_id
  ON CONFLICT (tenant_id, id) DO NOTHING
)
SELECT tenant_id, id FROM batch ORDER BY tenant_id DESC, id DESC LIMIT 1
"""
_ENTER_SESSIONS = """
WITH batch AS (
  SELECT tenant_id, id FROM chat_sessions
  WHERE (tenant_id, id) > (:tenant_id, :id) ORDER BY tenant_id, id LIMIT :most FOR SHARE
), entered AS (
  INSERT INTO search_entries (tenant_id, id, session_id, user_id, at, body) {entry_of_session}
  JOIN batch ON batch.tenant_id = s.tenant_id AND batch.id = s.id
  ON CONFLICT (tenant_id, id) DO NOTHING
)
SELECT tenant_id, id FROM batch ORDER BY tenant_id DESC, id DESC LIMIT 1
"""


def upgrade() -> None:
    # The batches commit: what an attempt that was broken off has left is taken away first.
    _take_away()
    for name in _EXTENSIONS:
        op.execute(_CREATE_EXTENSION.format(name=name))
    for function in _FUNCTIONS.values():
        # As it stands: SQLAlchemy would take the colons of a regular expression for parameters.
        op.get_bind().exec_driver_sql(function)
    _create_table()
    for name, trigger in _TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name.split()[0]} {trigger}")
    with op.get_context().autocommit_block():
        _enter(_ENTER_MESSAGES)
        _enter(_ENTER_SESSIONS.format(entry_of_session=_ENTRY_OF_SESSION))


def _create_table() -> None:
    op.create_table(
        "search_entries",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.CheckConstraint("role in ('system', 'user', 'assistant', 'tool')", name=op.f("ck_search_entries_role")),
        sa.CheckConstraint("char_length(body) <= 200000", name=op.f("ck_search_entries_body_length")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_search_entries")),
    )
    op.create_index(
        op.f("ix_search_entries_tenant_id_user_id_id"), "search_entries", ["tenant_id", "user_id", "id"], unique=False
    )
    op.create_index(
        "ix_search_entries_sessions",
        "search_entries",
        ["tenant_id", "user_id", "id"],
        unique=False,
        postgresql_where=sa.text("role is null"),
    )
    # Made on the empty table, and filled with it: made afterwards it would shut writers out until it is done, and
    # CONCURRENTLY would wait for the other processes that wait for their turn to migrate.
    op.create_index(
        "ix_search_entries_body",
        "search_entries",
        ["tenant_id", "user_id", "session_id", "body"],
        postgresql_using="gin",
        postgresql_ops={"body": "gin_trgm_ops"},
        postgresql_with={"gin_pending_list_limit": 1024},
    )


def _enter(batch: str) -> None:
    """Enter what is there, so many rows a transaction: writers wait for no more than their own message's."""
    connection = op.get_bind()
    position = {"tenant_id": "", "id": UUID(int=0)}
    statement = sa.text(batch).bindparams(
        sa.bindparam("tenant_id", type_=sa.Text()), sa.bindparam("id", type_=sa.Uuid())
    )
    while last := connection.execute(statement, {**position, "most": _PER_BATCH}).first():
        position = {"tenant_id": last.tenant_id, "id": last.id}


def downgrade() -> None:
    _take_away()
    for name in _EXTENSIONS:
        op.execute(_DROP_EXTENSION.format(name=name))


def _take_away() -> None:
    for name in _TRIGGERS:
        op.execute(f"DROP TRIGGER IF EXISTS {name}")
    op.execute("DROP TABLE IF EXISTS search_entries")
    for name in _FUNCTIONS:
        op.execute(f"DROP FUNCTION IF EXISTS {name}")
