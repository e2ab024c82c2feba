"""Laws, one file a family of forms."""
