//! What the tests of several suites share.

pub mod browser;
pub mod canary;
pub mod chromium;
pub mod desk;
pub mod email_server;
pub mod federation;
pub mod identity_provider;
pub mod linkage;
pub mod lying_hub;
pub mod postgres;
pub mod programs;
pub mod sim;
pub mod stolen;
