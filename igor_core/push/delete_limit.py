"""When a push would delete so much that it asks first."""

MANY = 50
LARGE_SHARE = 0.3
FEW = 5


def too_many(count: int, of: int) -> bool:
    """Whether `count` deletes of the `of` files that igor wrote are to be asked about."""
    return count > MANY or (count > FEW and count > LARGE_SHARE * of)
