"""What a posterior is for: how to spend a budget, what a target costs, which recipe is ahead."""
