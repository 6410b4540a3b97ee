//! libFuzzer over the text of a pact.

#![no_main]

use raccordo_fuzz::{begin, pact};

libfuzzer_sys::fuzz_target!(init: begin(pact::examples), |data: &[u8]| {
    pact::run(data);
});
