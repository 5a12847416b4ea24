"""Load published weights of other code and frameworks into this project's networks."""
