//! The wire: messages of all packages, and with the feature `grpc` their services.
//!
//! The comments of the `.proto` files are the reference; nothing is decided here.

#![allow(clippy::all, missing_docs)]

/// Plaintext carried inside MLS messages.
pub mod alert {
    /// Version 1.
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/raccordo.alert.v1.rs"));
        include!(concat!(env!("OUT_DIR"), "/raccordo.alert.v1.serde.rs"));
    }
}

/// Cards, statements, pacts.
pub mod trust {
    /// Version 1.
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/raccordo.trust.v1.rs"));
    }
}

/// Node to hub.
pub mod hub {
    /// Version 1.
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/raccordo.hub.v1.rs"));
    }
}

/// Operators' systems.
pub mod casework {
    /// Version 1.
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/raccordo.casework.v1.rs"));
        include!(concat!(env!("OUT_DIR"), "/raccordo.casework.v1.serde.rs"));

        macro_rules! redacted {
            ($($Message:ident)*) => {$(
                impl std::fmt::Debug for $Message {
                    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!(stringify!($Message), "([secret])"))
                    }
                }
            )*};
        }

        redacted!(PersonName IdentityDocument Address Person Company);
    }
}

/// Administrators.
pub mod admin {
    /// Version 1.
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/raccordo.admin.v1.rs"));
    }
}

/// Encoded `FileDescriptorSet` of all packages, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
