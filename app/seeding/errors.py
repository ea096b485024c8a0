"""Why a database cannot be seeded."""

from app.core.errors import AppError, ErrorCode


class SeedTaken(AppError):
    """The seed was used in this tenant before, for a world of another shape."""

    code = ErrorCode.ALREADY_EXISTS

    def __init__(self, seed: int, before: str) -> None:
        super().__init__(
            f"seed {seed} was used here before, with {before}: repeat these to complete it, or choose another --seed",
            field="seed",
        )
