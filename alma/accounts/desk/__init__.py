"""Where keys, members and rules are managed. It stands above the event log, which it tells of everything it does."""
