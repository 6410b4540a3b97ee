//! libFuzzer over MLS messages before any group.

#![no_main]

use raccordo_fuzz::{begin, mls};

libfuzzer_sys::fuzz_target!(init: begin(mls::examples), |data: &[u8]| {
    mls::run(data);
});
