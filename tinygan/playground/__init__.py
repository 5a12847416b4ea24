"""The playground: a static page in which a student draws in the browser."""
