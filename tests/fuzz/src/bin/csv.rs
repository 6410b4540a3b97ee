//! libFuzzer over files of people and companies.

#![no_main]

use raccordo_fuzz::{begin, csv};

libfuzzer_sys::fuzz_target!(init: begin(csv::examples), |data: &[u8]| {
    csv::run(data);
});
