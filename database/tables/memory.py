"""What is remembered: conversations, long-term memory, answers and model replies given before.

Whatever somebody said or was told is sealed by the tenant's key (`sealed`); in the clear stand only
ids, times, sizes and keyed fingerprints.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, Integer, LargeBinary, String

from database.tables.base import ms, tenant_table

chat_sessions = tenant_table(
    "chat_sessions",
    Column("actor", String(80), nullable=False),
    Column("title", LargeBinary, nullable=False),  # sealed: the first question
    Column("seq", Integer, nullable=False),  # of the last message
    ms("created_ms", nullable=False),
    ms("updated_ms", nullable=False),
    ms("due_ms", nullable=False),  # when it is over, to be summed up; then when it is forgotten
    ms("forget_ms", nullable=False),  # from then on nobody can read it
    ms("summed_up_ms"),
    Index("ix_chat_sessions_updated", "tenant_id", "actor", "updated_ms", "id"),
    Index("ix_chat_sessions_due_ms", "due_ms"),
    key=("actor", "id"),
)

chat_messages = tenant_table(
    "chat_messages",
    Column("actor", String(80), nullable=False),
    Column("session_id", String(64), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("role", String(16), nullable=False),  # user | assistant
    Column("sealed", LargeBinary, nullable=False),
    ms("created_ms", nullable=False),
    ForeignKeyConstraint(
        ["tenant_id", "actor", "session_id"],
        ["chat_sessions.tenant_id", "chat_sessions.actor", "chat_sessions.id"],
        ondelete="CASCADE",
    ),
    key=("actor", "session_id", "seq"),
)

# `/summaries/{actor}/{name}`, `/preferences/{actor}`, `/facts/{actor}`: one row a path.
memories = tenant_table(
    "memories",
    Column("actor", String(80), nullable=False),
    Column("kind", String(16), nullable=False),  # summaries | preferences | facts
    Column("name", String(64), nullable=False),  # a summary's session, else empty
    Column("sealed", LargeBinary, nullable=False),
    ms("created_ms", nullable=False),
    ms("updated_ms", nullable=False),
    key=("actor", "kind", "name"),
)

kept_answers = tenant_table(
    "kept_answers",
    Column("scope", String(64), nullable=False),  # all that must be equal; keyed fingerprint
    Column("asked", String(64), nullable=False),  # the very words; keyed fingerprint
    Column("content", BigInteger, nullable=False),  # version of the shelf's content
    Column("actor", String(80), nullable=False),  # who asked: goes with that person
    Column("sealed", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    ms("created_ms", nullable=False),
    ms("used_ms", nullable=False),
    Index("ix_kept_answers_scope", "tenant_id", "scope", "used_ms"),
)

kept_replies = tenant_table(
    "kept_replies",
    Column("actor", String(80), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    ms("created_ms", nullable=False),
    ms("used_ms", nullable=False),
    Index("ix_kept_replies_used", "tenant_id", "used_ms"),
)

# What somebody searched for, where the tenant keeps it: to compare index generations with.
searches = tenant_table(
    "searches",
    Column("actor", String(80), nullable=False),  # who searched: goes with that person
    Column("sealed", LargeBinary, nullable=False),
    ms("searched_ms", nullable=False),
    ms("forget_ms", nullable=False),  # from then on nobody can read it
    Index("ix_searches_searched", "tenant_id", "searched_ms"),
    Index("ix_searches_forget_ms", "forget_ms"),
)
