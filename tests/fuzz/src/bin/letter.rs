//! libFuzzer over letters to one node.

#![no_main]

use raccordo_fuzz::{begin, letter};

libfuzzer_sys::fuzz_target!(init: begin(letter::examples), |data: &[u8]| {
    letter::run(data);
});
