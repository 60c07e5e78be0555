//! Object in, verdict out.
