"""Models as people share them: a card in the format of the Hugging Face Hub, and its folder."""
