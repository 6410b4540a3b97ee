//! libFuzzer over messages between node and hub.

#![no_main]

use raccordo_fuzz::{begin, hub};

libfuzzer_sys::fuzz_target!(init: begin(hub::examples), |data: &[u8]| {
    hub::run(data);
});
