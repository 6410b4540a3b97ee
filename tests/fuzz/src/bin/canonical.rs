//! libFuzzer over canonical bytes of every type.

#![no_main]

use raccordo_fuzz::{begin, canonical};

libfuzzer_sys::fuzz_target!(init: begin(canonical::examples), |data: &[u8]| {
    canonical::run(data);
});
