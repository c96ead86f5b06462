"""Networks of other tools: files in, integer networks out, with all that had to be decided."""
