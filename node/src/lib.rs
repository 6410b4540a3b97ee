//! The node: the daemon `raccordod` as a library, so that tests can use its parts.
//!
//! - where it lives: [`home`], [`config`], [`key_file`], [`private_file`]
//! - what it does and whom it answers: [`app`], [`api`]
//! - what the core is handed: [`clock`], [`entropy`]
//! - how it reaches others and is reached: [`transport`]
//! - what it keeps: [`store`]
//! - what it does: [`app`], and who carries it to the hubs and back: [`courier`]
//! - how it is made and started: [`setup`], [`run`]
//! - what its administrators see of it: [`telemetry`]

pub mod api;
pub mod app;
pub mod clock;
pub mod config;
pub mod courier;
mod desk;
pub mod entropy;
pub mod home;
pub mod key_file;
pub mod private_file;
pub mod run;
pub mod setup;
pub mod store;
pub mod telemetry;
pub mod transport;
