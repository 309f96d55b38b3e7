"""A dataset's entry in params.yaml."""

from typing import Annotated

from pydantic import Field, field_validator

from eacnet.config.names import Split, Strict


class DatasetParams(Strict):
    """Which splits are trained on, watched and scored; a dataset's file may ask for more keys.

    `reading` names a way of reading the labels where a dataset has several. Unless `allow_overlap`,
    a frame that is scored must not be trained on, under another name either.
    """

    train: Annotated[list[Split], Field(min_length=1)]
    validate_split: Split | None = Field(alias="validate")
    evaluate: Split
    reading: str | None = None
    allow_overlap: Annotated[bool, Field(strict=True)] = False

    @field_validator("train")
    @classmethod
    def _every_split_once(cls, value: list[str]) -> list[str]:
        if twice := [name for name in value if value.count(name) > 1]:
            raise ValueError(f"every split once, but {twice[0]} is there twice")
        return value

    @property
    def splits(self) -> list[Split]:
        """All splits in use, each once."""
        return list(
            dict.fromkeys([*self.train, self.validate_split or self.evaluate, self.evaluate])
        )
