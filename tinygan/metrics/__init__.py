"""Images to features, features to Inception score, FID and intra-FID (section 5.2)."""
