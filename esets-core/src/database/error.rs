//! Why a file is not taken as a database.

/// Why a file is not taken as a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// It is damaged; the text says where that shows.
    #[error("damaged database: {0}")]
    Damaged(&'static str),
    /// It is something else.
    #[error("not a compiled signature database")]
    Foreign,
    /// It ends too early.
    #[error("truncated database")]
    Truncated,
    /// It was compiled for another version of this software.
    #[error("database format {found}, but this version reads format {supported}")]
    Version {
        /// The version of its format.
        found: u32,
        /// The version that can be read.
        supported: u32,
    },
}
