//! The `sitelog` binary; all code is in the library.

fn main() -> std::process::ExitCode {
    sitelog::cli::run()
}
