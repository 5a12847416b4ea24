"""Images -> features and logits of an extractor."""
