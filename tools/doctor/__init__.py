"""`pingan doctor`: what is wrong with this gateway, in order of harm, each with its remedy."""
