//! libFuzzer over statements before the validator.

#![no_main]

use raccordo_fuzz::{begin, statement};

libfuzzer_sys::fuzz_target!(init: begin(statement::examples), |data: &[u8]| {
    statement::run(data);
});
