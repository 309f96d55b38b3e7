"""Draw the street scenes of the generated dataset, in the layout of Cityscapes."""

from eacnet.config.params import load_params
from eacnet.errors import exit_on_error
from eacnet.files import replacing_folder
from eacnet.layout import RAW


def main() -> None:
    """Read params.yaml, write data/raw/synthetic."""
    how = load_params().datasets.synthetic
    from eacnet.scenes import write_dataset

    ours = ("leftImg8bit/*", "gtFine/*")
    with replacing_folder(RAW / "synthetic", ours) as folder:
        write_dataset(folder, how.scenes.model_dump(), *how.size, how.seed)


if __name__ == "__main__":
    exit_on_error(main)
