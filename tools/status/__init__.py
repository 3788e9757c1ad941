"""`pingan status`: one screen of how a gateway is, live."""
