//! libFuzzer over entries, commits and Welcomes of a group.

#![no_main]

use raccordo_fuzz::{begin, group};

libfuzzer_sys::fuzz_target!(init: begin(group::examples), |data: &[u8]| {
    group::run(data);
});
