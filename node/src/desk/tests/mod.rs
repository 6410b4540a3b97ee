//! Pages of a node in memory, as a browser without scripts gets them.

mod lab;
mod pages;
mod register;
mod today;

pub(super) use lab::Lab;
