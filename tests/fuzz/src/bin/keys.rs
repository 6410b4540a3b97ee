//! libFuzzer over what members post of keys and tokens.

#![no_main]

use raccordo_fuzz::{begin, keys};

libfuzzer_sys::fuzz_target!(init: begin(keys::examples), |data: &[u8]| {
    keys::run(data);
});
