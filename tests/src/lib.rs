//! What the tests of several suites share.

pub mod postgres;
