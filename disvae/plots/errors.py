"""What a kind of picture says when there is nothing to draw."""


class NotApplicableError(ValueError):
    """A run lacks what a kind of picture needs: factors, weights kept over time.

    ``disvae plot RUN all`` skips such a kind and says why; asked for by name it is an error.
    """
