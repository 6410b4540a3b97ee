//! What the tests of several suites share.

pub mod postgres;
pub mod sim;
