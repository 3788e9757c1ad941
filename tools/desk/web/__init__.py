"""The operator's page, its JSON API and its live stream. Start reading at app.py."""
