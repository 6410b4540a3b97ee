//! libFuzzer over what a member's message holds.

#![no_main]

use raccordo_fuzz::{begin, pack};

libfuzzer_sys::fuzz_target!(init: begin(pack::examples), |data: &[u8]| {
    pack::run(data);
});
