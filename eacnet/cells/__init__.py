"""All trainings of an experiment at once: on this machine's GPUs and cores, or as SLURM's jobs."""
