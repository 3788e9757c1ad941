"""The other ends, written from the two specifications alone: a wearable and a platform that share no code with ours."""
