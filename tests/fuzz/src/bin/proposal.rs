//! libFuzzer over proposals of pacts.

#![no_main]

use raccordo_fuzz::{begin, proposal};

libfuzzer_sys::fuzz_target!(init: begin(proposal::examples), |data: &[u8]| {
    proposal::run(data);
});
