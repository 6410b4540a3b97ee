//! The shell of a Raccordo node: what reads, writes, listens and sends, around the pure
//! decisions of `raccordo_core`.

pub mod store;
