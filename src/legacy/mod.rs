//! The predecessor's data: how it shows what is here (`tables`, `domains`), and how its own comes here (`import`) and
//! is compared with ours (`compare`). Its HTTP paths are in `api/legacy`.

pub mod compare;
pub mod domains;
pub mod import;
mod row;
pub mod source;
pub mod tables;
