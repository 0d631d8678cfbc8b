"""What only the machine of an instance can say or do: its logs, its models, its programs. Its supervisor answers for it."""
