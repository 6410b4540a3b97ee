//! libFuzzer over what people type.

#![no_main]

use raccordo_fuzz::{begin, words};

libfuzzer_sys::fuzz_target!(init: begin(words::examples), |data: &[u8]| {
    words::run(data);
});
