"""What `compare` is made of; see README.md beside it."""
