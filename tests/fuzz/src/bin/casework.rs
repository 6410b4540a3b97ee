//! libFuzzer over what operators' systems send.

#![no_main]

use raccordo_fuzz::{begin, casework};

libfuzzer_sys::fuzz_target!(init: begin(casework::examples), |data: &[u8]| {
    casework::run(data);
});
