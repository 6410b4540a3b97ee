//! libFuzzer over cards.

#![no_main]

use raccordo_fuzz::{begin, card};

libfuzzer_sys::fuzz_target!(init: begin(card::examples), |data: &[u8]| {
    card::run(data);
});
