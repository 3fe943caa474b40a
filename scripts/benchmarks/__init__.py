"""Time and memory of extractions, regions, parts and topology, beside other systems where there are any."""
