//! libFuzzer over alerts, proofs and audit lines.

#![no_main]

use raccordo_fuzz::{alert, begin};

libfuzzer_sys::fuzz_target!(init: begin(alert::examples), |data: &[u8]| {
    alert::run(data);
});
