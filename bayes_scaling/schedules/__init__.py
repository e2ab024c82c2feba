"""Learning-rate schedules: the rate of every step, and the numbers that laws take of it."""
