//! libFuzzer over the file of a backup.

#![no_main]

use raccordo_fuzz::{backup, begin};

libfuzzer_sys::fuzz_target!(init: begin(backup::examples), |data: &[u8]| {
    backup::run(data);
});
