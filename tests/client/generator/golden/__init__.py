"""What the generator writes for sample.json, committed so that a change of it is reviewed."""
