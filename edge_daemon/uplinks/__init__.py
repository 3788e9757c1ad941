"""Ways out to the platform. mqtt.py is the connection, payload.py what is said, answers.py what comes back."""
