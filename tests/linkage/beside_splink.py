"""Links left.csv and right.csv of a directory with Splink, on clear text, and scores it.

    python3 -m venv /tmp/splink && /tmp/splink/bin/pip install splink==5.0.0 pandas
    /tmp/splink/bin/python tests/linkage/beside_splink.py DIRECTORY

What a tool that sees everything reaches on the same files: the threshold is the best there is for
these very files (an oracle's), which nobody has in practice. Parameters are estimated on them
without the truth, as its manual says: u by random sampling, m by expectation maximisation.
"""

import pathlib
import sys

import pandas as pd
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

COLUMNS = ["id", "family", "given", "birth", "sex", "citizenship", "fiscal_code", "passport", "phone", "place"]


def read(path):
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame = frame[[name for name in COLUMNS if name in frame.columns]]
    frame = frame.map(lambda value: value.strip().lower())
    frame = frame.rename(columns={"id": "unique_id"})
    # Names in either order, as offices write them.
    names = frame.apply(lambda row: sorted(filter(None, [row["family"], row["given"]])), axis=1)
    frame = frame.astype(object).where(frame != "", None)
    frame["first"] = names.map(lambda parts: parts[0] if parts else None)
    frame["second"] = names.map(lambda parts: parts[-1] if len(parts) > 1 else None)
    frame["year"] = frame["birth"].map(lambda birth: birth[:4] if birth else None)
    return frame


def linker(left, right, database):
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[
            # Knows that given and family name are exchanged.
            cl.ForenameSurnameComparison("given", "family", jaro_winkler_thresholds=[0.92, 0.8]),
            cl.DateOfBirthComparison("birth", input_is_string=True),
            cl.ExactMatch("sex"),
            cl.ExactMatch("citizenship").configure(term_frequency_adjustments=True),
            cl.ExactMatch("fiscal_code"),
            cl.ExactMatch("passport"),
            cl.ExactMatch("phone"),
            cl.ExactMatch("place").configure(term_frequency_adjustments=True),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("birth"),
            block_on("given"),
            block_on("family"),
            block_on("phone"),
            block_on("fiscal_code"),
            block_on("passport"),
            block_on("first", "second"),
            block_on("substr(given, 1, 2)", "year"),
            block_on("substr(family, 1, 2)", "year"),
        ],
        max_iterations=20,
    )
    tables = [database.register(left, table_name="a_left"), database.register(right, table_name="b_right")]
    return Linker(tables, settings)


def train(linked):
    linked.training.estimate_u_using_random_sampling(max_pairs=2e6)
    linked.training.estimate_probability_two_random_records_match(
        [block_on("fiscal_code"), block_on("passport"), block_on("birth", "first", "second")],
        recall=0.7,
    )
    for rule in [block_on("birth"), block_on("given", "year"), block_on("family", "place")]:
        linked.training.estimate_parameters_using_expectation_maximisation(rule)


def main():
    directory = pathlib.Path(sys.argv[1])
    left, right = read(directory / "left.csv"), read(directory / "right.csv")
    truth = pd.read_csv(directory / "truth.csv", dtype=str)
    truth = set(zip(truth["left"], truth["right"]))
    linked = linker(left, right, DuckDBAPI())
    train(linked)
    found = linked.inference.predict(threshold_match_probability=0.0001).as_pandas_dataframe()
    found = found.sort_values("match_weight", ascending=False)
    pairs = zip(found["unique_id_l"], found["unique_id_r"])
    true, best = 0, {0.99: 0.0, 0.97: 0.0, 0.95: 0.0, 0.90: 0.0}
    for count, (one, other) in enumerate(pairs, 1):
        true += (one, other) in truth or (other, one) in truth
        for precision in best:
            if true / count >= precision:
                best[precision] = true / len(truth)
    print(", ".join(f"recall {best[at]:.3f} at precision {at:.2f}" for at in best))


if __name__ == "__main__":
    main()
