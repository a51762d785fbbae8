//! Batches and scans through their whole life in the real service: cancel, retry, two servers, a full disk.

mod full_disk;
mod life;
mod two_servers;
mod watched;
