//! What the tests of several suites share.

pub mod browser;
pub mod canary;
pub mod federation;
pub mod linkage;
pub mod lying_hub;
pub mod postgres;
pub mod programs;
pub mod sim;
