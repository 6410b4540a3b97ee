//! Configurations that somebody has damaged. The parser stands in the node, beside all that a
//! coverage build of it would take, so the changes are drawn blindly from what breaks parsers.

use std::path::Path;

use raccordo_core::entropy::{Entropy, SeededEntropy, draw};
use raccordo_node::config::Config;

use super::fuzz;

/// What stands where a number, a text or a list should.
const VALUES: [&str; 20] = [
    "0",
    "-1",
    "1e400",
    "nan",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "0.0000001",
    "true",
    "\"\"",
    "\"\\u0000\"",
    "\"::\"",
    "\"[::1]:65536\"",
    "\"host:0\"",
    "\"postgres://\"",
    "\"sqlite://../../x\"",
    "[]",
    "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
    "{ a = { a = { a = {} } } }",
    "1979-05-27T07:32:00Z",
];

fn below(entropy: &dyn Entropy, end: usize) -> usize {
    usize::try_from(u64::from_be_bytes(draw(entropy)) % end.max(1) as u64).unwrap()
}

/// One change of a text.
fn changed(entropy: &dyn Entropy, text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = below(entropy, lines.len());
    match below(entropy, 6) {
        0 => drop(lines.remove(at)),
        1 => lines.push(lines[at].clone()),
        2 | 3 => {
            let line = lines[at].trim_start_matches('#').to_owned();
            let key = line.split_once('=').map_or(line.as_str(), |(key, _)| key);
            lines[at] = format!("{key}= {}", VALUES[below(entropy, VALUES.len())]);
        }
        4 => {
            let other = below(entropy, lines.len());
            lines.swap(at, other);
        }
        _ => {
            let letters: Vec<char> = lines[at].chars().collect();
            let cut = below(entropy, letters.len() + 1);
            let odd = ['\u{feff}', '"', '[', '\\', '\u{0}', 'é'][below(entropy, 6)];
            lines[at] = letters[..cut].iter().chain([&odd]).chain(&letters[cut..]).collect();
        }
    }
    lines.join("\n")
}

#[test]
fn no_text_breaks_the_configuration() {
    let samples = fuzz().join("../../deploy/config");
    let mut refused = 0;
    for name in ["member.toml", "hub.toml"] {
        let text = std::fs::read_to_string(samples.join(name)).unwrap();
        let entropy = SeededEntropy::labelled(name);
        for _ in 0..4_000 {
            let mut changed_text = changed(&entropy, &text);
            for _ in 0..below(&entropy, 4) {
                changed_text = changed(&entropy, &changed_text);
            }
            if let Err(error) = Config::parse(&changed_text, Path::new(name)) {
                refused += 1;
                assert!(!error.to_string().is_empty());
            }
        }
    }
    assert!(refused > 1_000, "only {refused} of 8000 are refused");
}
