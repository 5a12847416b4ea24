"""How the shipped teacher was trained, exported and described."""
