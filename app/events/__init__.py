"""The event log: a numbered line for all that happened to a session or a project, audit trail and live feed in one."""
