//! The forms that create a monitor and change its settings: their fields, and how these are read.

use maud::{Markup, html};

use crate::aggregates::ScanStatus;
use crate::api::problem::{Problem, ProblemCode, sentence};
use crate::dashboard::form::Form;
use crate::dashboard::parts::{choice, request_key};
use crate::dashboard::refused::Entered;
use crate::values::change_words::field_words;
use crate::values::domain_change::field_names;
use crate::values::monitor::{DomainSelection, MonitorChange};

/// Schedules that the form offers; others can be typed.
const RHYTHMS: [&str; 6] = [
    "hourly",
    "daily",
    "daily at 6",
    "weekly on monday",
    "monthly",
    "30 6 * * 1-5",
];

/// Name, schedule, time zone and fields, as both forms have them.
pub(super) fn settings(form: &Form) -> Result<MonitorChange, Problem> {
    let refused = |field: &str, error: &dyn std::error::Error| {
        Problem::of(ProblemCode::InvalidField, sentence(error)).with("field", field)
    };
    let fields = form.text("fields").split([',', '\n', ' ', '\r']);
    let fields = fields.filter(|word| !word.is_empty()).map(str::to_owned);
    Ok(MonitorChange {
        name: Some(form.text("name").to_owned()),
        rhythm: Some(
            form.text("rhythm")
                .parse()
                .map_err(|error| refused("rhythm", &error))?,
        ),
        time_zone: Some(
            form.text("time_zone")
                .parse()
                .map_err(|error| refused("time_zone", &error))?,
        ),
        fields: Some(fields.collect()),
        ..MonitorChange::default()
    })
}

pub(super) fn selection(form: &Form) -> DomainSelection {
    let given = |name: &str| Some(form.text(name).to_owned()).filter(|text| !text.is_empty());
    DomainSelection {
        contains: given("contains"),
        technology: given("technology"),
        language: given("language"),
        status: given("status"),
        ..DomainSelection::default()
    }
}

/// The fields of both forms; `known` are name, schedule, time zone and reported fields as they are.
pub(super) fn fields(entered: Entered<'_>, known: [&str; 4]) -> Markup {
    let [name, rhythm, zone, reported] = known;
    html! {
        div.fields {
            p { label for="name" { "Name" }
                input #name name="name" required maxlength="200" value=(entered.value("name", name)) aria-invalid=[entered.invalid("name")];
                (entered.error("name")) }
            p { label for="rhythm" { "Schedule" }
                input #rhythm name="rhythm" required list="rhythms" value=(entered.value("rhythm", rhythm)) aria-describedby="rhythm-help" aria-invalid=[entered.invalid("rhythm")];
                (entered.error("rhythm"))
                span.small.muted #rhythm-help { "hourly, daily, weekly on monday or monthly, optionally with an hour (daily at 6), or a cron expression (30 6 * * 1-5)" } }
            p { label for="time_zone" { "Time zone" }
                input #time_zone name="time_zone" required value=(entered.value("time_zone", zone)) placeholder="Europe/Berlin" aria-invalid=[entered.invalid("time_zone")];
                (entered.error("time_zone")) }
            (reported_fields(entered, reported))
        }
        datalist #rhythms { @for rhythm in RHYTHMS { option value=(rhythm) {} } }
    }
}

/// Which changes are reported, by the names of their fields.
pub(in crate::dashboard) fn reported_fields(entered: Entered<'_>, known: &str) -> Markup {
    html! {
        p { label for="fields" { "Reported fields" }
            input #fields name="fields" list="field-names" value=(entered.value("fields", known)) placeholder="all" aria-describedby="fields-help" aria-invalid=[entered.invalid("fields")];
            (entered.error("fields"))
            span.small.muted #fields-help { "Report only changes to these fields, separated by commas: title, phone_numbers" }
            datalist #field-names { @for name in field_names() { option value=(name) { (field_words(name)) } } }
        }
    }
}

pub(super) fn new_form(entered: Entered<'_>) -> Markup {
    let value = |name: &str| entered.value(name, "");
    html! {
        form.panel method="post" action="/monitors" enctype="multipart/form-data" {
            h2 { "New monitor" }
            (request_key())
            (fields(entered, ["", "weekly on monday", "UTC", ""]))
            div.columns {
                div {
                    div.drop { p { label for="file" { strong { "Drop a file here" } ", or choose one" } }
                        input #file type="file" name="file" accept=".csv,.txt,.tsv,.ndjson,.jsonl,.xlsx,text/csv,text/plain"; }
                }
                div {
                    label for="list" { "or paste a list, one domain per line" }
                    textarea #list name="list" rows="4" spellcheck="false" placeholder="example.com" { "\n" (value("list")) }
                }
            }
            fieldset.fields {
                legend { "Or all known domains that match this filter, evaluated at each run" }
                p { label for="contains" { "Name or title contains" } input #contains name="contains" value=(value("contains")); }
                p { label for="technology" { "Technology" } input #technology name="technology" placeholder="Shopify" value=(value("technology")); }
                p { label for="language" { "Language" } input #language name="language" placeholder="de" value=(value("language")); }
                p { label for="status" { "Last scan" }
                    select #status name="status" {
                        (choice("", "all", &value("status")))
                        @for status in ScanStatus::ALL { (choice(status.as_str(), status.as_str(), &value("status"))) }
                    } }
            }
            div.fields {
                p { label for="max_pages" { "Pages per domain" } input #max_pages name="max_pages" type="number" min="1" max="100" placeholder="4" value=(value("max_pages"));
                    (entered.error("max_pages")) }
                p { label for="max_concurrent" { "Concurrent scans" } input #max_concurrent name="max_concurrent" type="number" min="1" max="1000" placeholder="50" value=(value("max_concurrent"));
                    (entered.error("max_concurrent")) }
            }
            button.primary type="submit" { "Create monitor" }
        }
    }
}
