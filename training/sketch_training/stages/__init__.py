"""The stages of a training run, in their order; each is one command and goes on where it was stopped."""
