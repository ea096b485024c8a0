"""The table of attachments, and what of it is read."""

from app.attachments.models import MessageAttachment
from app.db.base import table_of

attachments = table_of(MessageAttachment)

described = tuple(column for column in attachments.c if column.name != "data")
"""All columns but the content, which may be 10 MiB of each row."""
