//! Pages of a node in memory, as a browser without scripts gets them.

mod lab;
mod pages;
mod register;
mod sign_in;
mod today;

pub(super) use lab::Lab;
