//! The whole way from files to a score, over files that are as other people write them.

use std::fs;
use std::path::{Path, PathBuf};

use raccordo_core::codes::CodeLists;
use raccordo_core::matching::grade::Grade;
use raccordo_core::normal::comune::Comuni;

use super::bits;
use super::generate::{self, Set};
use super::link::Score;
use super::record::{Record, read, truth};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("linkage/sample").join(name)
}

fn records(path: &Path) -> anyhow::Result<Vec<Record>> {
    read(path, &[], &Comuni::new(&CodeLists::builtin()))
}

#[test]
fn two_files_of_other_people_are_linked_and_scored() {
    let left = records(&sample("toscana.csv")).unwrap();
    let right = records(&sample("umbria.csv")).unwrap();
    let truth = truth(&sample("truth.csv"), &left, Some(&right)).unwrap();
    let found = bits::grades(&bits::weigh(&left, Some(&right)));
    let score = |least| Score::of(&found, least, &truth);
    assert_eq!(score(Grade::A), Score { accepted: 3, precision: 1.0, recall: 0.75 });
    // A phone with a name is found, and so is somebody of the same first name, born on the same
    // 1 January in the same comune: of so few records nobody knows how many such there are.
    assert_eq!(score(Grade::B), Score { accepted: 5, precision: 0.8, recall: 1.0 });
}

#[test]
fn a_file_is_linked_with_itself_each_pair_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("one.csv");
    let lines: Vec<String> =
        (0..6).map(|at| format!("r{at},Rossi,Mario,1985-12-1{at},AB1234567")).collect();
    fs::write(&path, format!("id,family,given,birth,number\n{}\n", lines.join("\n"))).unwrap();
    let records = records(&path).unwrap();
    // Six of one person: each is beside five others, which is not too many.
    assert_eq!(bits::weigh(&records, None).len(), 15);
    let pairs = directory.path().join("truth.csv");
    fs::write(&pairs, "left,right\nr1,r0\n").unwrap();
    assert_eq!(truth(&pairs, &records, None).unwrap(), [("r0".into(), "r1".into())].into());
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wrong.csv");
    let check = |text: &str, expected: &str| {
        fs::write(&path, text).unwrap();
        let told = format!("{:#}", records(&path).unwrap_err());
        assert!(told.contains("wrong.csv") && told.contains(expected), "{told}");
    };
    check("", "empty");
    check("id,name\n", "no records");
    check("name,birth\nRossi,1985\n", "no column `id`");
    check("id,name\n1,Rossi\n1,Bianchi\n", "record 3: the id 1 stands twice");
    check("id,name\n,Rossi\n", "record 2: no id");
    check("id,name\n1,Rossi,x\n", "line");
    let missing = format!("{:#}", records(Path::new("nowhere.csv")).unwrap_err());
    assert!(missing.contains("nowhere.csv"), "{missing}");
    let left = records(&sample("toscana.csv")).unwrap();
    fs::write(&path, "left,right\nt1,u1\n").unwrap();
    let told = format!("{:#}", truth(&path, &left, None).unwrap_err());
    assert!(told.contains("pair 2: no such records"), "{told}");
}

#[test]
fn generated_people_are_the_same_again_and_bits_find_them() {
    for set in Set::ALL {
        let files = generate::generate(set, 1, 300, 30).unwrap();
        assert_eq!(files, generate::generate(set, 1, 300, 30).unwrap());
        assert_ne!(files, generate::generate(set, 2, 300, 30).unwrap());
        let directory = tempfile::tempdir().unwrap();
        generate::write(directory.path(), set, 1, 300, 30).unwrap();
        let of = |name: &str| directory.path().join(name);
        let (left, right) = (records(&of("left.csv")).unwrap(), records(&of("right.csv")).unwrap());
        let truth = truth(&of("truth.csv"), &left, Some(&right)).unwrap();
        assert_eq!(truth.len(), 90);
        let found = bits::grades(&bits::weigh(&left, Some(&right)));
        let score = Score::of(&found, Grade::B, &truth);
        // Of companies two thirds have no number at one of the offices.
        let least = if set == Set::Works { 0.4 } else { 0.7 };
        assert!(score.precision > 0.85 && score.recall > least, "{set:?} {score:?}");
    }
}
