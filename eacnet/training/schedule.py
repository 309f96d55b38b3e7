"""The learning rate as a pure function of the iteration: nothing to save, nothing to resume."""

from eacnet.config.recipe import Schedule


def learning_rate(
    schedule: Schedule, base: float, iteration: int, epochs: int, steps: int
) -> float:
    """Return the learning rate of one iteration.

    Linear warm-up from `warmup_start` x base, then base x (1 - progress) ** power, where progress
    runs from 0 to 1 over the iterations after the warm-up. With `step: epoch` the progress stands
    still within an epoch.

    Args:
        schedule: warm-up and decay.
        base: the recipe's learning rate.
        iteration: counted from 0 over the whole training.
        epochs: epochs of the whole training.
        steps: iterations in an epoch.
    """
    warmup = schedule.warmup_iterations
    if iteration < warmup:
        return base * (schedule.warmup_start + (1 - schedule.warmup_start) * iteration / warmup)
    if schedule.step == "epoch":
        iteration = max(iteration // steps * steps, warmup)
    # A training shorter than its warm-up never gets here, but for the epoch that follows it.
    progress = (iteration - warmup) / max(epochs * steps - warmup, 1)
    return base * max(1 - progress, 0.0) ** schedule.power
