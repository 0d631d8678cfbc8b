"""What people ask of one machine directly: each is a job with journaled steps, and ends with what was read back."""
