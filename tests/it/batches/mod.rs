//! Batches and scans through their whole life, over the real service: cancel, retry, two servers, a full disk.

mod full_disk;
mod life;
mod two_servers;
mod watched;
