"""A house that is lived in for hours while things go wrong: the troubles, the watch over its processes, its growth."""
