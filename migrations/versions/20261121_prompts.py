"""The prompt library: templates, their versions which nothing can change, labels and the history of both."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261121_prompts"
down_revision = "20261121_turns"
branch_labels = None
depends_on = None

_TYPES = (
    "type in ('question-answering', 'summarization', 'entity-extraction', 'text-generation', 'translation', "
    "'classification', 'custom')"
)
_TOUCH = """
CREATE FUNCTION touch_prompt_template() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Never earlier than it was: a writer that waited for the row would else be before the one it waited for.
  NEW.updated_at := greatest(OLD.updated_at, statement_timestamp());
  RETURN NEW;
END $$
"""
_ON_UPDATE = """
CREATE TRIGGER touch_prompt_template BEFORE UPDATE ON prompt_templates
  FOR EACH ROW EXECUTE FUNCTION touch_prompt_template()
"""
_KEEP = """
CREATE FUNCTION keep_prompt_template_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'versions of prompt templates are never changed or deleted' USING ERRCODE = 'restrict_violation';
END $$
"""
_ON_VERSIONS = """
CREATE TRIGGER keep_prompt_template_versions BEFORE UPDATE OR DELETE OR TRUNCATE ON prompt_template_versions
  FOR EACH STATEMENT EXECUTE FUNCTION keep_prompt_template_versions()
"""


def upgrade() -> None:
    op.create_table(
        "prompt_templates",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=50), nullable=False),
        sa.Column(
            "variables", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("project_id", sa.String(length=255), nullable=True),
        sa.Column("organization_id", sa.String(length=255), nullable=True),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            _TYPES,
            name=op.f("ck_prompt_templates_type"),
        ),
        sa.CheckConstraint("char_length(content) between 1 and 10000", name=op.f("ck_prompt_templates_content_length")),
        sa.CheckConstraint("char_length(description) <= 4000", name=op.f("ck_prompt_templates_description_length")),
        sa.CheckConstraint("char_length(name) between 1 and 255", name=op.f("ck_prompt_templates_name_length")),
        sa.CheckConstraint("not enabled or deleted_at is null", name=op.f("ck_prompt_templates_enabled")),
        sa.CheckConstraint("pg_column_size(variables) <= 1048576", name=op.f("ck_prompt_templates_variables_size")),
        sa.CheckConstraint("version >= 1 and revision >= version", name=op.f("ck_prompt_templates_version")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_prompt_templates")),
    )
    op.create_index(
        op.f("ix_prompt_templates_tenant_id_created_at_id"),
        "prompt_templates",
        ["tenant_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_prompt_templates_tenant_id_enabled"), "prompt_templates", ["tenant_id", "enabled"], unique=False
    )
    op.create_index(
        op.f("ix_prompt_templates_tenant_id_name_id"), "prompt_templates", ["tenant_id", "name", "id"], unique=False
    )
    op.create_index(
        op.f("ix_prompt_templates_tenant_id_organization_id"),
        "prompt_templates",
        ["tenant_id", "organization_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_prompt_templates_tenant_id_project_id_enabled"),
        "prompt_templates",
        ["tenant_id", "project_id", "enabled"],
        unique=False,
    )
    op.create_index(op.f("ix_prompt_templates_tenant_id_type"), "prompt_templates", ["tenant_id", "type"], unique=False)
    op.create_index(
        op.f("ix_prompt_templates_tenant_id_updated_at_id"),
        "prompt_templates",
        ["tenant_id", "updated_at", "id"],
        unique=False,
    )
    op.create_index(
        "uq_prompt_templates_enabled",
        "prompt_templates",
        ["tenant_id", "organization_id", "project_id"],
        unique=True,
        postgresql_where=sa.text("enabled"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(
        "uq_prompt_templates_name",
        "prompt_templates",
        ["tenant_id", "organization_id", "project_id", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at is null"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "prompt_template_changes",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("from_version", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind in ('created', 'updated', 'enabled', 'disabled', 'labelled', 'unlabelled', 'deleted')",
            name=op.f("ck_prompt_template_changes_kind"),
        ),
        sa.CheckConstraint(
            "char_length(correlation_id) <= 255", name=op.f("ck_prompt_template_changes_correlation_id_length")
        ),
        sa.CheckConstraint("char_length(label) <= 64", name=op.f("ck_prompt_template_changes_label_length")),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_prompt_template_changes_revision")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "template_id"],
            ["prompt_templates.tenant_id", "prompt_templates.id"],
            name=op.f("fk_prompt_template_changes_tenant_id_template_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "template_id", "revision", name=op.f("pk_prompt_template_changes")),
    )
    op.create_index(
        op.f("ix_prompt_template_changes_tenant_id_template_id_label_revision"),
        "prompt_template_changes",
        ["tenant_id", "template_id", "label", "revision"],
        unique=False,
    )
    op.create_index(
        "uq_prompt_template_changes_saved",
        "prompt_template_changes",
        ["tenant_id", "template_id", "version"],
        unique=True,
        postgresql_where=sa.text("kind in ('created', 'updated')"),
    )
    op.create_table(
        "prompt_template_versions",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=50), nullable=False),
        sa.Column(
            "variables", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            _TYPES,
            name=op.f("ck_prompt_template_versions_type"),
        ),
        sa.CheckConstraint(
            "char_length(content) between 1 and 10000", name=op.f("ck_prompt_template_versions_content_length")
        ),
        sa.CheckConstraint(
            "char_length(description) <= 4000", name=op.f("ck_prompt_template_versions_description_length")
        ),
        sa.CheckConstraint("char_length(name) between 1 and 255", name=op.f("ck_prompt_template_versions_name_length")),
        sa.CheckConstraint(
            "pg_column_size(variables) <= 1048576", name=op.f("ck_prompt_template_versions_variables_size")
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_prompt_template_versions_version")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "template_id"],
            ["prompt_templates.tenant_id", "prompt_templates.id"],
            name=op.f("fk_prompt_template_versions_tenant_id_template_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_prompt_template_versions")),
        sa.UniqueConstraint("tenant_id", "template_id", "version", name="uq_prompt_template_versions_number"),
    )
    op.create_table(
        "prompt_labels",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("moved_by", sa.Text(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("char_length(label) between 1 and 64", name=op.f("ck_prompt_labels_label_length")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "template_id", "version"],
            [
                "prompt_template_versions.tenant_id",
                "prompt_template_versions.template_id",
                "prompt_template_versions.version",
            ],
            name="fk_prompt_labels_version",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "template_id"],
            ["prompt_templates.tenant_id", "prompt_templates.id"],
            name=op.f("fk_prompt_labels_tenant_id_template_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "template_id", "label", name=op.f("pk_prompt_labels")),
    )
    for statement in (_TOUCH, _ON_UPDATE, _KEEP, _ON_VERSIONS):
        op.execute(statement)


def downgrade() -> None:
    for table in ("prompt_labels", "prompt_template_versions", "prompt_template_changes", "prompt_templates"):
        op.drop_table(table)
    op.execute("DROP FUNCTION keep_prompt_template_versions()")
    op.execute("DROP FUNCTION touch_prompt_template()")
