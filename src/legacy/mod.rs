//! The predecessor's data: our data in its tables (`tables`, `domains`), the import of its data (`import`), and the
//! comparison of both (`compare`). Its HTTP paths are in `api/legacy`.

pub mod compare;
pub mod domains;
pub mod import;
mod row;
pub mod source;
pub mod tables;
