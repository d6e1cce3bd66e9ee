"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TextType = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
KeyType = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:  # noqa: PLR0915 - a list of all tables
    op.create_table(
        "blob",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("blob_id", TextType, nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", TextType, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_blob")),
        sa.UniqueConstraint("blob_id", name=op.f("uq_blob_blob_id")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "loose_blob",
        sa.Column("blob_id", TextType, nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("blob_id", name=op.f("pk_loose_blob")),
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_loose_blob_due_ms", "loose_blob", ["due_ms"], unique=False)
    op.create_table(
        "command",
        sa.Column("command_id", TextType, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("command_id", name=op.f("pk_command")),
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_command_created_ms", "command", ["created_ms"], unique=False)
    op.create_table(
        "group",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("group_id", TextType, nullable=False),
        sa.Column("name", TextType, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_group")),
        sa.UniqueConstraint("group_id", name=op.f("uq_group_group_id")),
        sa.UniqueConstraint("name", name=op.f("uq_group_name")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "item",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("item_id", TextType, nullable=False),
        sa.Column("org_id", TextType, nullable=False),
        sa.Column("name", TextType, nullable=False),
        sa.Column("access_version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("owner", TextType, nullable=True),
        sa.Column("going", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_item")),
        sa.UniqueConstraint("item_id", name=op.f("uq_item_item_id")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "meta",
        sa.Column("name", TextType, nullable=False),
        sa.Column("value", TextType, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "node",
        sa.Column("node_id", TextType, nullable=False),
        sa.Column("lease_until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_node")),
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "signing_key",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("key_id", TextType, nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("retired_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_signing_key")),
        sa.UniqueConstraint("key_id", name=op.f("uq_signing_key_key_id")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "user",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("username", TextType, nullable=False),
        sa.Column("username_folded", TextType, nullable=False),
        sa.Column("password_hash", TextType, nullable=True),
        sa.Column("full_name", TextType, nullable=True),
        sa.Column("email", TextType, nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("portal_role", TextType, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_user")),
        sa.UniqueConstraint("username", name=op.f("uq_user_username")),
        sa.UniqueConstraint("username_folded", name=op.f("uq_user_username_folded")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "blob_chunk",
        sa.Column("blob_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["blob_key"], ["blob.key"], name=op.f("fk_blob_chunk_blob_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("blob_key", "number", name=op.f("pk_blob_chunk")),
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "diagram",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("diagram_id", TextType, nullable=False),
        sa.Column("name", TextType, nullable=False),
        sa.Column("description", TextType, nullable=True),
        sa.ForeignKeyConstraint(["item_key"], ["item.key"], name=op.f("fk_diagram_item_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_diagram")),
        sa.UniqueConstraint("item_key", "diagram_id", name=op.f("uq_diagram_item_key_diagram_id")),
        sa.UniqueConstraint("item_key", "name", name=op.f("uq_diagram_item_key_name")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "job_identity",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("job_id", TextType, nullable=False),
        sa.Column("deleted_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["item_key"], ["item.key"], name=op.f("fk_job_identity_item_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_job_identity")),
        sa.UniqueConstraint("item_key", "job_id", name=op.f("uq_job_identity_item_key_job_id")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "item_task",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("task_id", TextType, nullable=False),
        sa.Column("kind", TextType, nullable=False),
        sa.Column("username", TextType, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("node_id", TextType, nullable=True),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("problem", TextType, nullable=True),
        sa.Column("mapping", sa.LargeBinary(), nullable=True),
        sa.Column("blob_id", TextType, nullable=True),
        sa.Column("file_name", TextType, nullable=True),
        sa.Column("media_type", TextType, nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", TextType, nullable=True),
        sa.ForeignKeyConstraint(["item_key"], ["item.key"], name=op.f("fk_item_task_item_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_item_task")),
        sa.UniqueConstraint("item_key", "task_id", name=op.f("uq_item_task_item_key_task_id")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_index(
        "ix_item_task_open",
        "item_task",
        ["key"],
        unique=False,
        postgresql_where=sa.text("ended_ms IS NULL"),
        sqlite_where=sa.text("ended_ms IS NULL"),
    )
    op.create_index("ix_item_task_ended_ms", "item_task", ["ended_ms"], unique=False)
    op.create_table(
        "item_log",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("level", TextType, nullable=False),
        sa.Column("message", TextType, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("username", TextType, nullable=False),
        sa.Column("job_id", TextType, nullable=True),
        sa.Column("step_id", TextType, nullable=True),
        sa.ForeignKeyConstraint(["item_key"], ["item.key"], name=op.f("fk_item_log_item_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_item_log")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_index("ix_item_log_item_key", "item_log", ["item_key", "key"], unique=False)
    op.create_table(
        "job_number",
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("next_number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_key"], ["item.key"], name=op.f("fk_job_number_item_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item_key", name=op.f("pk_job_number")),
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "job_template",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("template_id", TextType, nullable=False),
        sa.Column("name", TextType, nullable=False),
        sa.Column("state", TextType, nullable=False),
        sa.Column("diagram_id", TextType, nullable=False),
        sa.Column("category", TextType, nullable=True),
        sa.Column("description", TextType, nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("updated_by", TextType, nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("shared_with", TextType, nullable=False),
        sa.ForeignKeyConstraint(["item_key"], ["item.key"], name=op.f("fk_job_template_item_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_job_template")),
        sa.UniqueConstraint("item_key", "name", name=op.f("uq_job_template_item_key_name")),
        sa.UniqueConstraint("item_key", "template_id", name=op.f("uq_job_template_item_key_template_id")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "automation",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("job_template_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("automation_id", TextType, nullable=False),
        sa.Column("name", TextType, nullable=False),
        sa.Column("automation_type", TextType, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("details", TextType, nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("created_by", TextType, nullable=False),
        sa.Column("set_ms", sa.BigInteger(), nullable=False),
        sa.Column("next_ms", sa.BigInteger(), nullable=True),
        sa.Column("occurrences", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_error", TextType, nullable=True),
        sa.Column("last_error_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["item_key"], ["item.key"], name=op.f("fk_automation_item_key"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["job_template_key"], ["job_template.key"], name=op.f("fk_automation_job_template_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_automation")),
        sa.UniqueConstraint("item_key", "automation_id", name=op.f("uq_automation_item_key_automation_id")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_index("ix_automation_job_template_key", "automation", ["job_template_key"], unique=False)
    op.create_index(
        "ix_automation_next_ms",
        "automation",
        ["next_ms"],
        unique=False,
        postgresql_where=sa.text("next_ms IS NOT NULL"),
        sqlite_where=sa.text("next_ms IS NOT NULL"),
    )
    op.create_table(
        "lookup",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("lookup_type", TextType, nullable=False),
        sa.Column("name", TextType, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_key"], ["item.key"], name=op.f("fk_lookup_item_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_lookup")),
        sa.UniqueConstraint("item_key", "lookup_type", "name", name=op.f("uq_lookup_item_key_lookup_type_name")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "setting",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("name", TextType, nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("encrypted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["item_key"], ["item.key"], name=op.f("fk_setting_item_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_setting")),
        sa.UniqueConstraint("item_key", "name", name=op.f("uq_setting_item_key_name")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "project",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("name", TextType, nullable=False),
        sa.ForeignKeyConstraint(["item_key"], ["item.key"], name=op.f("fk_project_item_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_project")),
        sa.UniqueConstraint("item_key", "name", name=op.f("uq_project_item_key_name")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "api_client",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("client_id", TextType, nullable=False),
        sa.Column("name", TextType, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_key", KeyType, autoincrement=False, nullable=True),
        sa.Column("scopes", TextType, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_key"], ["user.key"], name=op.f("fk_api_client_user_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_api_client")),
        sa.UniqueConstraint("client_id", name=op.f("uq_api_client_client_id")),
        sa.UniqueConstraint("name", name=op.f("uq_api_client_name")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_index("ix_api_client_user_key", "api_client", ["user_key"], unique=False)
    op.create_table(
        "stored_template",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("template_type", TextType, nullable=False),
        sa.Column("template_id", TextType, nullable=False),
        sa.Column("name", TextType, nullable=False),
        sa.Column("details", TextType, nullable=False),
        sa.ForeignKeyConstraint(
            ["item_key"], ["item.key"], name=op.f("fk_stored_template_item_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_stored_template")),
        sa.UniqueConstraint(
            "item_key",
            "template_type",
            "template_id",
            name=op.f("uq_stored_template_item_key_template_type_template_id"),
        ),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "dispatch",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("job_id", TextType, nullable=False),
        sa.Column("step_id", TextType, nullable=True),
        sa.Column("kind", TextType, nullable=False),
        sa.Column("title", TextType, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("begun", sa.Boolean(), nullable=False),
        sa.Column("node_id", TextType, nullable=True),
        sa.ForeignKeyConstraint(["item_key"], ["item.key"], name=op.f("fk_dispatch_item_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_dispatch")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_index("ix_dispatch_kind", "dispatch", ["kind", "due_ms"], unique=False)
    op.create_table(
        "kept_answer",
        sa.Column("slot", TextType, nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("request", TextType, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_key"], ["item.key"], name=op.f("fk_kept_answer_item_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("slot", name=op.f("pk_kept_answer")),
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_kept_answer_at_ms", "kept_answer", ["at_ms"], unique=False)
    op.create_table(
        "webhook_connection",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("connection_id", TextType, nullable=False),
        sa.Column("name", TextType, nullable=False),
        sa.Column("service", TextType, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("username", TextType, nullable=True),
        sa.Column("fallback_username", TextType, nullable=True),
        sa.Column("managed", sa.Boolean(), nullable=False),
        sa.Column("change_types", TextType, nullable=False),
        sa.Column("webhook_id", TextType, nullable=True),
        sa.Column("webhook_active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_key"], ["item.key"], name=op.f("fk_webhook_connection_item_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_webhook_connection")),
        sa.UniqueConstraint("item_key", "connection_id", name=op.f("uq_webhook_connection_item_key_connection_id")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "webhook_account",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("user_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_key"], ["item.key"], name=op.f("fk_webhook_account_item_key"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_key"], ["user.key"], name=op.f("fk_webhook_account_user_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_webhook_account")),
        sa.UniqueConstraint("item_key", "user_key", name=op.f("uq_webhook_account_item_key_user_key")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "membership",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("user_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("group_key", KeyType, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["group_key"], ["group.key"], name=op.f("fk_membership_group_key"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_key"], ["user.key"], name=op.f("fk_membership_user_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_membership")),
        sa.UniqueConstraint("user_key", "group_key", name=op.f("uq_membership_user_key_group_key")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_index("ix_membership_group_key", "membership", ["group_key"], unique=False)
    op.create_table(
        "role",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("name", TextType, nullable=False),
        sa.Column("description", TextType, nullable=False),
        sa.Column("privileges", TextType, nullable=False),
        sa.ForeignKeyConstraint(["item_key"], ["item.key"], name=op.f("fk_role_item_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_role")),
        sa.UniqueConstraint("item_key", "name", name=op.f("uq_role_item_key_name")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "search",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("search_id", TextType, nullable=False),
        sa.Column("name", TextType, nullable=False),
        sa.Column("search_type", TextType, nullable=False),
        sa.Column("folder", TextType, nullable=True),
        sa.Column("definition", sa.LargeBinary(), nullable=True),
        sa.Column("color_ramp", TextType, nullable=True),
        sa.Column("sort_index", sa.BigInteger(), nullable=True),
        sa.Column("shared_with", TextType, nullable=False),
        sa.ForeignKeyConstraint(["item_key"], ["item.key"], name=op.f("fk_search_item_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_search")),
        sa.UniqueConstraint("item_key", "search_id", name=op.f("uq_search_item_key_search_id")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "diagram_version",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("diagram_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("description", TextType, nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", TextType, nullable=False),
        sa.ForeignKeyConstraint(
            ["diagram_key"], ["diagram.key"], name=op.f("fk_diagram_version_diagram_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_diagram_version")),
        sa.UniqueConstraint("diagram_key", "version", name=op.f("uq_diagram_version_diagram_key_version")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "feed",
        sa.Column("id", KeyType, sa.Identity(), nullable=False),
        sa.Column("job_key", KeyType, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("msg_type", TextType, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("short", sa.LargeBinary(), nullable=True),
        sa.Column("audience_type", TextType, nullable=True),
        sa.Column("audience_to", TextType, nullable=True),
        sa.Column("command_id", TextType, nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job_key"], ["job_identity.key"], name=op.f("fk_feed_job_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
        sa.UniqueConstraint("job_key", "seq", name=op.f("uq_feed_job_key_seq")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "job",
        sa.Column("key", KeyType, autoincrement=False, nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("job_id", TextType, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("feed_hash", sa.LargeBinary(), nullable=False),
        sa.Column("details", TextType, nullable=False),
        sa.Column("flow", TextType, nullable=False),
        sa.Column("name", TextType, nullable=False),
        sa.Column("template_id", TextType, nullable=False),
        sa.Column("template_name", TextType, nullable=False),
        sa.Column("diagram_id", TextType, nullable=False),
        sa.Column("diagram_name", TextType, nullable=False),
        sa.Column("diagram_version", sa.BigInteger(), nullable=False),
        sa.Column("owned_by", TextType, nullable=False),
        sa.Column("created_by", TextType, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("status", TextType, nullable=False),
        sa.Column("priority", TextType, nullable=False),
        sa.Column("percent_complete", sa.Float(), nullable=False),
        sa.Column("description", TextType, nullable=True),
        sa.Column("notes", TextType, nullable=True),
        sa.Column("parent_job", TextType, nullable=True),
        sa.Column("start_ms", sa.BigInteger(), nullable=True),
        sa.Column("started_ms", sa.BigInteger(), nullable=True),
        sa.Column("due_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("closed_by", TextType, nullable=True),
        sa.Column("geometry_type", TextType, nullable=True),
        sa.Column("geometry", TextType, nullable=True),
        sa.Column("versions", TextType, nullable=True),
        sa.Column("may_create", sa.BigInteger(), nullable=False),
        sa.Column("automation_id", TextType, nullable=True),
        sa.Column("automation_type", TextType, nullable=True),
        sa.Column("ticket", TextType, nullable=True),
        sa.Column("document_key", TextType, nullable=True),
        sa.Column("phase", TextType, nullable=False),
        sa.Column("phase_ms", sa.BigInteger(), nullable=False),
        sa.Column("west", sa.Float(), nullable=True),
        sa.Column("south", sa.Float(), nullable=True),
        sa.Column("east", sa.Float(), nullable=True),
        sa.Column("north", sa.Float(), nullable=True),
        sa.Column("job_id_folded", TextType, nullable=True),
        sa.Column("name_folded", TextType, nullable=True),
        sa.Column("template_id_folded", TextType, nullable=True),
        sa.Column("template_name_folded", TextType, nullable=True),
        sa.Column("diagram_id_folded", TextType, nullable=True),
        sa.Column("diagram_name_folded", TextType, nullable=True),
        sa.Column("owned_by_folded", TextType, nullable=True),
        sa.Column("created_by_folded", TextType, nullable=True),
        sa.Column("status_folded", TextType, nullable=True),
        sa.Column("priority_folded", TextType, nullable=True),
        sa.Column("description_folded", TextType, nullable=True),
        sa.Column("notes_folded", TextType, nullable=True),
        sa.Column("parent_job_folded", TextType, nullable=True),
        sa.Column("closed_by_folded", TextType, nullable=True),
        sa.ForeignKeyConstraint(["item_key"], ["item.key"], name=op.f("fk_job_item_key"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["key"], ["job_identity.key"], name=op.f("fk_job_key")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_job")),
        sa.UniqueConstraint("item_key", "job_id", name=op.f("uq_job_item_key_job_id")),
        sqlite_autoincrement=False,
        sqlite_with_rowid=True,
    )
    op.create_index(
        "ix_job_document_key",
        "job",
        ["item_key", "document_key"],
        unique=True,
        postgresql_where=sa.text("document_key IS NOT NULL"),
        sqlite_where=sa.text("document_key IS NOT NULL"),
    )
    op.create_index(
        "ix_job_closed_created_ms",
        "job",
        ["item_key", "closed", "created_ms", "key", "name", "priority", "due_ms", "status"],
        unique=False,
    )
    op.create_index(
        "ix_job_closed_due_ms",
        "job",
        ["item_key", "closed", "due_ms", "key", "name", "priority", "created_ms", "status"],
        unique=False,
    )
    op.create_index("ix_job_closed_name", "job", ["item_key", "closed", "name", "key"], unique=False)
    op.create_index("ix_job_closed_priority", "job", ["item_key", "closed", "priority", "key"], unique=False)
    op.create_index(
        "ix_job_created_by",
        "job",
        ["item_key", "created_by", "key", "name", "priority", "due_ms", "created_ms", "closed", "status"],
        unique=False,
    )
    op.create_index(
        "ix_job_created_ms",
        "job",
        ["item_key", "created_ms", "key", "name", "priority", "due_ms", "closed", "status"],
        unique=False,
    )
    op.create_index("ix_job_diagram", "job", ["item_key", "diagram_id", "diagram_version"], unique=False)
    op.create_index(
        "ix_job_due_ms",
        "job",
        ["item_key", "due_ms", "key", "name", "priority", "created_ms", "closed", "status"],
        unique=False,
    )
    op.create_index(
        "ix_job_ended_ms",
        "job",
        ["item_key", "ended_ms", "key", "name", "priority", "due_ms", "created_ms", "closed", "status"],
        unique=False,
    )
    op.create_index(
        "ix_job_name",
        "job",
        ["item_key", "name", "key", "priority", "due_ms", "created_ms", "closed", "status"],
        unique=False,
    )
    op.create_index(
        "ix_job_owned_by",
        "job",
        ["item_key", "owned_by", "key", "name", "priority", "due_ms", "created_ms", "closed", "status"],
        unique=False,
    )
    op.create_index("ix_job_parent_job", "job", ["item_key", "parent_job"], unique=False)
    op.create_index(
        "ix_job_percent_complete",
        "job",
        ["item_key", "percent_complete", "key", "name", "priority", "due_ms", "created_ms", "closed", "status"],
        unique=False,
    )
    op.create_index(
        "ix_job_priority",
        "job",
        ["item_key", "priority", "key", "name", "due_ms", "created_ms", "closed", "status"],
        unique=False,
    )
    op.create_index(
        "ix_job_start_ms",
        "job",
        ["item_key", "start_ms", "key", "name", "priority", "due_ms", "created_ms", "closed", "status"],
        unique=False,
    )
    op.create_index(
        "ix_job_status_created_ms",
        "job",
        ["item_key", "status", "created_ms", "key", "name", "priority", "due_ms", "closed"],
        unique=False,
    )
    op.create_index(
        "ix_job_status_due_ms",
        "job",
        ["item_key", "status", "due_ms", "key", "name", "priority", "created_ms", "closed"],
        unique=False,
    )
    op.create_index("ix_job_status_name", "job", ["item_key", "status", "name", "key"], unique=False)
    op.create_index("ix_job_status_priority", "job", ["item_key", "status", "priority", "key"], unique=False)
    op.create_index(
        "ix_job_template_id",
        "job",
        ["item_key", "template_id", "key", "name", "priority", "due_ms", "created_ms", "closed", "status"],
        unique=False,
    )
    op.create_table(
        "role_group",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("role_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("group_key", KeyType, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["group_key"], ["group.key"], name=op.f("fk_role_group_group_key"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["role_key"], ["role.key"], name=op.f("fk_role_group_role_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_role_group")),
        sa.UniqueConstraint("role_key", "group_key", name=op.f("uq_role_group_role_key_group_key")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_index("ix_role_group_group_key", "role_group", ["group_key"], unique=False)
    op.create_table(
        "answer",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("job_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("step_id", TextType, nullable=False),
        sa.Column("run_id", TextType, nullable=False),
        sa.Column("prompt_id", TextType, nullable=False),
        sa.Column("request_id", TextType, nullable=True),
        sa.Column("username", TextType, nullable=False),
        sa.Column("answer", TextType, nullable=False),
        sa.Column("stage", TextType, nullable=False),
        sa.Column("reason", TextType, nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("stage IN ('stored', 'applied', 'rejected')", name=op.f("ck_answer_stage")),
        sa.ForeignKeyConstraint(["job_key"], ["job.key"], name=op.f("fk_answer_job_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_answer")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_index("ix_answer_job_key_step_id", "answer", ["job_key", "step_id"], unique=False)
    op.create_index(
        "ix_answer_stored",
        "answer",
        ["run_id"],
        unique=False,
        postgresql_where=sa.text("stage = 'stored'"),
        sqlite_where=sa.text("stage = 'stored'"),
    )
    op.create_index(
        "uq_answer_prompt",
        "answer",
        ["job_key", "prompt_id"],
        unique=True,
        postgresql_where=sa.text("stage <> 'rejected'"),
        sqlite_where=sa.text("stage <> 'rejected'"),
    )
    op.create_index(
        "uq_answer_request",
        "answer",
        ["job_key", "username", "request_id"],
        unique=True,
        postgresql_where=sa.text("request_id IS NOT NULL"),
        sqlite_where=sa.text("request_id IS NOT NULL"),
    )
    op.create_table(
        "attachment",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("job_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("attachment_id", TextType, nullable=False),
        sa.Column("alias", TextType, nullable=False),
        sa.Column("folder", TextType, nullable=False),
        sa.Column("username", TextType, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("step_id", TextType, nullable=True),
        sa.Column("link", TextType, nullable=True),
        sa.Column("blob_id", TextType, nullable=True),
        sa.Column("file_name", TextType, nullable=True),
        sa.Column("media_type", TextType, nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", TextType, nullable=True),
        sa.CheckConstraint("(link IS NULL) <> (blob_id IS NULL)", name=op.f("ck_attachment_link_or_blob")),
        sa.ForeignKeyConstraint(["job_key"], ["job.key"], name=op.f("fk_attachment_job_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_attachment")),
        sa.UniqueConstraint("job_key", "attachment_id", name=op.f("uq_attachment_job_key_attachment_id")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "comment",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("job_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("comment_id", TextType, nullable=False),
        sa.Column("comment", TextType, nullable=False),
        sa.Column("username", TextType, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["job_key"], ["job.key"], name=op.f("fk_comment_job_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_comment")),
        sa.UniqueConstraint("job_key", "comment_id", name=op.f("uq_comment_job_key_comment_id")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "current_step",
        sa.Column("job_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("step_id", TextType, nullable=False),
        sa.Column("step_name", TextType, nullable=False),
        sa.Column("assigned_type", TextType, nullable=False),
        sa.Column("assigned_to", TextType, nullable=True),
        sa.Column("step_id_folded", TextType, nullable=True),
        sa.Column("step_name_folded", TextType, nullable=True),
        sa.Column("assigned_type_folded", TextType, nullable=True),
        sa.Column("assigned_to_folded", TextType, nullable=True),
        sa.ForeignKeyConstraint(["job_key"], ["job.key"], name=op.f("fk_current_step_job_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_key", "step_id", name=op.f("pk_current_step")),
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_current_step_assigned_to", "current_step", ["assigned_to", "assigned_type", "job_key"], unique=False
    )
    op.create_table(
        "ext_property",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("job_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("table_name", TextType, nullable=False),
        sa.Column("name", TextType, nullable=False),
        sa.Column("value", TextType, nullable=True),
        sa.Column("value_folded", TextType, nullable=True),
        sa.Column("integer", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["job_key"], ["job.key"], name=op.f("fk_ext_property_job_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_ext_property")),
        sa.UniqueConstraint("job_key", "table_name", "name", name=op.f("uq_ext_property_job_key_table_name_name")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "related_row",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("job_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("row_id", TextType, nullable=False),
        sa.Column("table_name", TextType, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["job_key"], ["job.key"], name=op.f("fk_related_row_job_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_related_row")),
        sa.UniqueConstraint("job_key", "row_id", name=op.f("uq_related_row_job_key_row_id")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "related_value",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("related_row_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("name", TextType, nullable=False),
        sa.Column("value", TextType, nullable=True),
        sa.Column("value_folded", TextType, nullable=True),
        sa.Column("integer", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["related_row_key"],
            ["related_row.key"],
            name=op.f("fk_related_value_related_row_key"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_related_value")),
        sa.UniqueConstraint("related_row_key", "name", name=op.f("uq_related_value_related_row_key_name")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "history",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("job_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("action", TextType, nullable=False),
        sa.Column("username", TextType, nullable=False),
        sa.Column("date_ms", sa.BigInteger(), nullable=False),
        sa.Column("step_id", TextType, nullable=True),
        sa.Column("result", TextType, nullable=True),
        sa.Column("start_ms", sa.BigInteger(), nullable=True),
        sa.Column("end_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["job_key"], ["job.key"], name=op.f("fk_history_job_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_history")),
        sqlite_autoincrement=False,
        sqlite_with_rowid=True,
    )
    op.create_index("ix_history_job_key", "history", ["job_key"], unique=False)
    op.create_table(
        "hold",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("job_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("item_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("hold_id", TextType, nullable=False),
        sa.Column("step_id", TextType, nullable=False),
        sa.Column("set_by", TextType, nullable=False),
        sa.Column("set_ms", sa.BigInteger(), nullable=False),
        sa.Column("scheduled_release_ms", sa.BigInteger(), nullable=True),
        sa.Column("dependent_job_id", TextType, nullable=True),
        sa.Column("dependent_step_id", TextType, nullable=True),
        sa.Column("webhook_connection_id", TextType, nullable=True),
        sa.Column("webhook_condition", TextType, nullable=True),
        sa.Column("webhook_layer_id", sa.BigInteger(), nullable=True),
        sa.Column("webhook_object_id", sa.BigInteger(), nullable=True),
        sa.Column("released_by", TextType, nullable=True),
        sa.Column("released_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["item_key"], ["item.key"], name=op.f("fk_hold_item_key"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["job_key"], ["job.key"], name=op.f("fk_hold_job_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_hold")),
        sa.UniqueConstraint("job_key", "hold_id", name=op.f("uq_hold_job_key_hold_id")),
        sqlite_autoincrement=False,
        sqlite_with_rowid=True,
    )
    op.create_index(
        "ix_hold_waits",
        "hold",
        ["item_key", "dependent_job_id"],
        unique=False,
        postgresql_where=sa.text("released_ms IS NULL AND dependent_job_id IS NOT NULL"),
        sqlite_where=sa.text("released_ms IS NULL AND dependent_job_id IS NOT NULL"),
    )
    op.create_index(
        "ix_hold_watches",
        "hold",
        ["item_key", "webhook_connection_id"],
        unique=False,
        postgresql_where=sa.text("released_ms IS NULL AND webhook_connection_id IS NOT NULL"),
        sqlite_where=sa.text("released_ms IS NULL AND webhook_connection_id IS NOT NULL"),
    )
    op.create_table(
        "step_output",
        sa.Column("job_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("step_id", TextType, nullable=False),
        sa.Column("output", TextType, nullable=False),
        sa.ForeignKeyConstraint(["job_key"], ["job.key"], name=op.f("fk_step_output_job_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_key", "step_id", name=op.f("pk_step_output")),
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("job_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("run_id", TextType, nullable=False),
        sa.Column("step_id", TextType, nullable=False),
        sa.Column("node_id", TextType, nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("note", TextType, nullable=True),
        sa.Column("stopping", sa.Boolean(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["job_key"], ["job.key"], name=op.f("fk_run_job_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_run")),
        sa.UniqueConstraint("run_id", name=op.f("uq_run_run_id")),
        sqlite_autoincrement=False,
        sqlite_with_rowid=True,
    )
    op.create_index("ix_run_job_key", "run", ["job_key"], unique=False)
    op.create_index(
        "ix_run_live",
        "run",
        ["node_id", "key"],
        unique=False,
        postgresql_where=sa.text("ended IS false"),
        sqlite_where=sa.text("ended IS 0"),
    )
    op.create_index(
        "ix_run_stopping",
        "run",
        ["node_id"],
        unique=False,
        postgresql_where=sa.text("ended IS false AND stopping"),
        sqlite_where=sa.text("ended IS 0 AND stopping = 1"),
    )
    op.create_table(
        "timer",
        sa.Column("key", KeyType, sa.Identity(), nullable=False),
        sa.Column("hold_key", KeyType, autoincrement=False, nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("node_id", TextType, nullable=True),
        sa.ForeignKeyConstraint(["hold_key"], ["hold.key"], name=op.f("fk_timer_hold_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_timer")),
        sa.UniqueConstraint("hold_key", name=op.f("uq_timer_hold_key")),
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    op.create_index("ix_timer_due_ms", "timer", ["due_ms"], unique=False)
