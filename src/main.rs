//! The `sitelog` binary; everything lives in the library.

/// Scans allocate much and briefly, on all threads; the system's allocator fragments and contends there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    sitelog::cli::run()
}
