"""What a front end can choose from."""
