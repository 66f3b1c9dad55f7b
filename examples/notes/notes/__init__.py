"""The app: notes that belong to users."""
