"""The event log: one numbered line for everything that happened to a session, audit trail and live feed in one."""
