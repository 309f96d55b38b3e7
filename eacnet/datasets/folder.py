"""A user's own frames, with a class table of their own."""

from eacnet.datasets.record import Dataset, Reading

DATASET = Dataset(
    title="a user's own frames",
    how_to_get="put images/, labels/ and classes.csv there; see data/raw/README.md",
    images=r"images/(?P<split>train|val|test)/(?P<id>.+)",
    readings={
        "own": Reading(
            "the folder's own class table", r"labels/(?P<split>train|val|test)/(?P<id>.+)"
        )
    },
    others=r"README\.md|classes\.csv",
    available="no",
    access="the frames are the user's own; where they can be had, and under which licence, only the"
    " user can say",
    links={"layout": "data/raw/README.md"},
    collected="only the user who collected the frames can say",
)
