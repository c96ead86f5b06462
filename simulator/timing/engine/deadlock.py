"""Who waits for whom, when nothing can happen any more."""
def circle(state, plan):
    return "todo"
