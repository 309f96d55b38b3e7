"""What a value of a result file may be, whichever file it stands in."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Number = Annotated[float, Field(strict=True, ge=-1e12, le=1e12)]
Percent = Annotated[float, Field(strict=True, ge=0, le=100)]
Count = Annotated[int, Field(strict=True, ge=0, lt=2**53)]
Text = Annotated[str, Field(strict=True, min_length=1)]
Pair = Annotated[list[Number], Field(min_length=2, max_length=2)]
Size = Annotated[list[Annotated[int, Field(strict=True, gt=0)]], Field(min_length=2, max_length=2)]
ByClass = Annotated[dict[str, Percent | None], Field(min_length=1)]


class Part(BaseModel):
    """Part of a file: known keys are checked, others let through."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)
