"""Published weights of other frameworks -> this project's networks."""
