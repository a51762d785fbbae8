//! The sample programs of `docs/snippets`; a test runs each.

use maud::{Markup, html};

use super::code_block;

/// A journey in each language.
struct Journey {
    /// The name of its files.
    name: &'static str,
    heading: &'static str,
    /// The arguments of the program.
    arguments: &'static str,
    shell: &'static str,
    python: &'static str,
    javascript: &'static str,
}

macro_rules! journeys {
    ($($name:literal $heading:literal $arguments:literal;)+) => {
        const JOURNEYS: &[Journey] = &[$(Journey {
            name: $name,
            heading: $heading,
            arguments: $arguments,
            shell: include_str!(concat!("../../../docs/snippets/", $name, ".sh")),
            python: include_str!(concat!("../../../docs/snippets/", $name, ".py")),
            javascript: include_str!(concat!("../../../docs/snippets/", $name, ".mjs")),
        },)+];
    };
}

journeys! {
    "scan" "Scan a domain and wait for the result" "example.com";
    "batch" "Send a list and watch it until it ends" "list.csv";
    "emails" "Find the email addresses" "";
    "export" "Export results as CSV" "BATCH results.csv";
    "failures" "See why scans failed" "BATCH";
    "history" "See what changed on a domain" "example.com";
}

/// All of them.
pub(super) fn all() -> Markup {
    html! {
        p {
            "The programs read the address of the service and a key from the environment. The shell programs need curl and "
            "jq, the Python programs only the standard library, the JavaScript programs Node 18 or later; "
            code { "fetch" } " also works in a browser."
        }
        (code_block("export SITELOG_URL=http://127.0.0.1:8080\nexport SITELOG_KEY=…"))
        @for journey in JOURNEYS {
            section id={ "example-" (journey.name) } {
                h3 { (journey.heading) }
                (program("Shell", "sh", "sh", journey.shell, journey))
                (program("Python", "python3", "py", journey.python, journey))
                (program("JavaScript", "node", "mjs", journey.javascript, journey))
            }
        }
    }
}

fn program(language: &str, runs: &str, ending: &str, text: &str, journey: &Journey) -> Markup {
    html! {
        details {
            summary { (language) ": " code { (runs) " " (journey.name) "." (ending) " " (journey.arguments) } }
            (code_block(text))
        }
    }
}
