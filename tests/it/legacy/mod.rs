//! The predecessor's paths, field by field, as its clients read them.

mod batch;
mod errors;
mod scan;
