"""Three hosts that exist already, reached by SSH and nothing else."""
