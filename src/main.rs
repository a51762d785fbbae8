//! The `sitelog` binary; everything lives in the library.

fn main() -> std::process::ExitCode {
    sitelog::cli::run()
}
