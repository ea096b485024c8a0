"""Entering sessions for the search also where their tables are in parts.

Revision ID: 20261121_search_in_parts
Revises: 20261121_api_keys
"""

from alembic import op

revision = "20261121_search_in_parts"
down_revision = "20261121_api_keys"
branch_labels = None
depends_on = None

# A trigger on a row is told the name of the part that holds it, which begins with that of the table.
_OF_SESSION = "starts_with(TG_TABLE_NAME::text, 'chat_sessions')"
_OF_WHOLE_TABLE = "TG_TABLE_NAME = 'chat_sessions'"
_ENTER_SESSION = """
CREATE OR REPLACE FUNCTION enter_session() RETURNS trigger LANGUAGE plpgsql AS $do$
DECLARE entered uuid;
BEGIN
  IF {of_session} THEN
    entered := NEW.id;
  ELSE
    entered := NEW.session_id;
  END IF;
  INSERT INTO search_entries (tenant_id, id, session_id, user_id, at, body)
    SELECT s.tenant_id, s.id, s.id, s.user_id, s.created_at,
           search_text(s.title) || '|' || coalesce(search_text(s.description), '') || '|'
           || coalesce((SELECT string_agg(search_text(tag), '|') FROM unnest(m.tags) AS tag), '') || '|'
           || coalesce(search_text(m.summary), '')
    FROM chat_sessions s LEFT JOIN session_metadata m ON m.tenant_id = s.tenant_id AND m.session_id = s.id
  WHERE s.tenant_id = NEW.tenant_id AND s.id = entered
  ON CONFLICT (tenant_id, id) DO UPDATE SET body = excluded.body;
  RETURN NULL;
END $do$
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(_ENTER_SESSION.format(of_session=_OF_SESSION))


def downgrade() -> None:
    op.get_bind().exec_driver_sql(_ENTER_SESSION.format(of_session=_OF_WHOLE_TABLE))
