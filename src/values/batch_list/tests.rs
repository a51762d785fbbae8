//! Refused lists, the choice of the column, carried columns, and limits.

use super::*;

fn read(content: impl AsRef<[u8]>, form: Form) -> Result<BatchList, UnreadableList> {
    let source = Source {
        content: content.as_ref(),
        form,
        ..Source::default()
    };
    source.read()
}

fn table(content: impl AsRef<[u8]>) -> BatchList {
    read(content, Form::Table).unwrap()
}

fn column(content: &str, column: &str) -> Result<BatchList, UnreadableList> {
    let source = Source {
        content: content.as_bytes(),
        column: Some(column),
        ..Source::default()
    };
    source.read()
}

fn names(list: &BatchList) -> Vec<(u32, &str)> {
    let accepted = list.accepted.iter();
    accepted.map(|(line, domain)| (*line, domain.as_str())).collect()
}

fn cells(list: &BatchList) -> Vec<&str> {
    let cells = list.cells.iter();
    cells
        .map(|cells| cells.as_ref().map_or("", CarriedCells::as_json))
        .collect()
}

#[test]
fn a_quote_that_swallows_rows_is_named_with_the_line_it_opens_on() {
    for (content, line) in [
        ("a.com,\"Anna\nb.com,Bob\nc.com,Cy\n", 1),
        ("domain,name\na.com,Anna\nb.com,\"Bob\nc.com,Cy\n", 3),
        ("\"a.com,Anna\nb.com,Bob\n", 1),
        ("a.com,\"Anna\nb.com,\"Bob\"\nc.com,Cy\n", 1),
        ("a.com;\"Anna\rb.com;Bob\r", 1),
        ("a.com,\"Anna\"\"\nb.com,Bob\n", 1),
        ("domain,name\r\n\r\na.com,\"Anna\" Smith\r\n", 3),
        ("a.com\n\"b.com\nc.com\n", 2),
        ("\"a\nb\",x\nc.com,\"d\n", 3),
    ] {
        let error = read(content, Form::Table).unwrap_err();
        assert_eq!(
            (error.kind().as_str(), error.line()),
            ("Quote", Some(line)),
            "{content:?}: {error}"
        );
    }
}

#[test]
fn a_quote_far_down_is_found_as_well() {
    let rows = "d.com,x\n".repeat(5000);
    let error = read(format!("{rows}e.com,\"open\n{rows}"), Form::Table).unwrap_err();
    assert_eq!(error.line(), Some(5001));
}

#[test]
fn another_kind_of_file_is_named_as_what_it_is() {
    for (content, kind) in [
        (&b"%PDF-1.7\n"[..], "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xls"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"<!DOCTYPE html><p>a.com", "HTML"),
        (b"\xef\xbb\xbf\n<?xml version='1.0'?>", "XML"),
        (b"{\\rtf1 a.com}", "rtf"),
    ] {
        let error = read(content, Form::Unknown).unwrap_err();
        assert_eq!(error.kind(), "AnotherKind");
        assert!(error.to_string().contains(kind), "{error}");
    }
    let broken = read(b"PK\x03\x04 and nothing more", Form::Table).unwrap_err();
    assert_eq!(broken.kind(), "Workbook");
}

#[test]
fn an_encoding_is_declared_marked_or_guessed() {
    let declared = |content: &'static [u8], charset| {
        Source {
            content,
            charset: Some(charset),
            ..Source::default()
        }
        .read()
    };
    let german = b"m\xfcnchen.de\n";
    assert_eq!(
        names(&declared(german, "ISO-8859-1").unwrap()),
        [(1, "xn--mnchen-3ya.de")]
    );
    // Windows-1251 has another letter there.
    assert_eq!(
        names(&declared(german, "windows-1251").unwrap()),
        [(1, "xn--mnchen-ptf.de")]
    );
    let error = declared(b"a.com\rb.com\r\nm\xfcnchen.de\n", "utf-8").unwrap_err();
    assert_eq!((error.kind().as_str(), error.line()), ("NotText", Some(3)));
    assert_eq!(declared(german, "klingon").unwrap_err().kind(), "UnknownEncoding");
    // A mark says it of the bytes themselves.
    assert_eq!(
        names(&declared(b"\xef\xbb\xbfa.com\n", "utf-16").unwrap()),
        [(1, "a.com")]
    );
    let guessed = read(german, Form::Table).unwrap();
    assert!(guessed.notes[0].contains("windows-1252"), "{:?}", guessed.notes);
    // A file that is UTF-8 but for a few bytes is broken, and not in another encoding, wherever the bytes are.
    for (list, line) in [
        (&b"m\xc3\xbcnchen.de\nb\xff.com\n"[..], 2),
        (b"b\xff.com\nm\xc3\xbcnchen.de\n", 1),
        (b"b\xff.com\n\xe6\x9d\xb1\xe4\xba\xac.jp\n\xfe.com\n", 1),
    ] {
        let error = read(list, Form::Table).unwrap_err();
        assert_eq!((error.kind().as_str(), error.line()), ("NotText", Some(line)));
    }
    // Two letters of another encoding may look like one of UTF-8 by chance.
    let chance = read(
        b"m\xfcnchen.de\nk\xf6ln.de\n\xc3\xbc.de\nd\xfcsseldorf.de\n",
        Form::Table,
    )
    .unwrap();
    assert!(chance.notes[0].contains("windows-125"), "{:?}", chance.notes);
    let odd = read(b"\xff\xfea\0.\0c\0o\0m\0\n\0x", Form::Table).unwrap_err();
    assert_eq!((odd.kind().as_str(), odd.line()), ("NotText", Some(2)));
}

#[test]
fn the_sender_may_choose_the_column_by_name_or_number() {
    let list = "Name,Url,Website\nAnna,https://linkedin.com/in/anna,a.com\n";
    for wanted in ["Url", "url", "2", "column_2"] {
        let read = column(list, wanted).unwrap();
        assert_eq!(names(&read), [(2, "linkedin.com")], "{wanted}");
        let chosen = read.column.unwrap();
        assert_eq!(
            (chosen.number, chosen.name.as_str(), chosen.chosen_by),
            (Some(2), "Url", ChosenBy::Request)
        );
    }
    let error = column(list, "Homepage").unwrap_err();
    assert_eq!(error.kind(), "UnknownColumn");
    assert!(
        error.to_string().contains("'Homepage'") && error.to_string().contains("'Website'"),
        "{error}"
    );
    assert_eq!(column(list, "4").unwrap_err().kind(), "UnknownColumn");
    assert_eq!(names(&column("a.com,b.com\n", "2").unwrap()), [(1, "b.com")]);
    assert_eq!(
        names(&column("Name,Email\nAnna,anna@a.com\n", "Email").unwrap()),
        [(2, "a.com")]
    );
    assert_eq!(
        names(&column("Title\n\nFirma,Netz\nA,a.com\n", "netz").unwrap()),
        [(4, "a.com")]
    );
    let objects = "{\"a\":\"a.com\",\"b\":\"b.com\"}\n";
    assert_eq!(names(&column(objects, "b").unwrap()), [(1, "b.com")]);
    assert_eq!(column(objects, "c").unwrap_err().kind(), "UnknownColumn");
    assert_eq!(column("\"a.com\"\n", "c").unwrap_err().kind(), "UnknownColumn");
}

#[test]
fn what_was_passed_over_or_left_out_is_said() {
    let list = table("Export\nof 2026\nName,Email\nAnna,anna@gmail.com\nBob,bob@b.com\n");
    assert_eq!(list.notes.len(), 2, "{:?}", list.notes);
    assert!(
        list.notes[0].contains("Lines 1 to 2") && list.notes[1].contains(": 1."),
        "{:?}",
        list.notes
    );
}

#[test]
fn columns_beside_the_domains_are_carried_with_the_first_line_of_each() {
    let list = table(
        "name,domain,,city\nAnna,a.com,x,\nBob,A.com,y,Bonn\nCy,bad domain,,\nDee,d.com,,K\"\"oln,more\n",
    );
    assert_eq!(list.columns, ["name", "domain", "column_3", "city", "column_5"]);
    let wanted = [
        r#"["Anna","a.com","x"]"#,
        r#"["Dee","d.com","","K\"\"oln","more"]"#,
    ];
    assert_eq!(cells(&list), wanted);
}

#[test]
fn domains_of_one_row_have_the_same_beside_them() {
    let list = table("name,website\nAnna,\"a.com, b.com\"\nBob,c.com\n");
    let anna = r#"["Anna","a.com, b.com"]"#;
    assert_eq!(cells(&list), [anna, anna, r#"["Bob","c.com"]"#]);
}

#[test]
fn without_a_header_columns_are_called_by_their_numbers() {
    let list = table("a.com\nb.com;Bob\nc.com;Cy\n");
    assert_eq!(list.columns, ["column_1", "column_2"]);
    assert_eq!(cells(&list), ["", r#"["b.com","Bob"]"#, r#"["c.com","Cy"]"#]);
}

#[test]
fn a_list_of_domains_alone_carries_nothing() {
    for list in [
        table("domain\na.com\nb.com\n"),
        table("a.com\nb.com\n"),
        table("a.com,b.com\n"),
        read("\"a.com\"\n{\"domain\": \"b.com\"}\n", Form::Ndjson).unwrap(),
    ] {
        assert_eq!((list.accepted.len(), list.cells.len()), (2, 0));
    }
}

#[test]
fn fields_of_objects_are_carried_as_they_are() {
    let content = "\"a.com\"\n{\"url\":\"b.com\",\"age\":5}\n{\"url\":\"c.com\",\"tags\":[1]}\n";
    let list = read(content, Form::Ndjson).unwrap();
    let mut columns = list.columns.clone();
    columns.sort();
    assert_eq!(columns, ["age", "tags", "url"]);
    assert_eq!((list.cells.len(), &list.cells[0]), (3, &None));
    let fields: serde_json::Value = serde_json::from_str(cells(&list)[1]).unwrap();
    assert_eq!(fields, serde_json::json!({ "url": "b.com", "age": 5 }));
}

#[test]
fn a_list_with_too_many_columns_says_so() {
    let wide = "x,".repeat(MAX_COLUMNS - 1);
    let fits = table(format!("domain,{}\na.com\n", wide.trim_end_matches(',')));
    assert!(!fits.is_too_wide() && fits.accepted.len() == 1);
    assert!(table(format!("domain,{wide}x\na.com\n")).is_too_wide());
    assert!(table(format!("domain\n{}\n", "a.com,".repeat(MAX_COLUMNS + 1))).is_too_wide());
    let empty = table(format!("domain{}\na.com\n", ",".repeat(5 * MAX_COLUMNS)));
    assert!(!empty.is_too_wide() && empty.accepted.len() == 1);
    let keys: Vec<String> = (0..=MAX_COLUMNS)
        .map(|n| format!("{{\"domain\":\"d{n}.com\",\"k{n}\":1}}"))
        .collect();
    assert!(read(keys.join("\n"), Form::Ndjson).unwrap().is_too_wide());
}

#[test]
fn a_column_whose_name_is_too_long_is_named() {
    let long = "n".repeat(MAX_COLUMN_NAME + 1);
    for (content, form, column) in [
        (
            format!("domain,name,{long}\na.com,x,y\n"),
            Form::Table,
            "column 3",
        ),
        (
            format!("{{\"domain\":\"a.com\",\"{long}\":1}}\n"),
            Form::Ndjson,
            "'nnn",
        ),
    ] {
        let error = read(content, form).unwrap_err();
        assert_eq!(error.kind(), "ColumnName");
        assert!(error.to_string().contains(column), "{error}");
    }
    let fits = &long[..MAX_COLUMN_NAME];
    assert_eq!(table(format!("domain,{fits}\na.com,x\n")).columns[1], fits);
    let many = vec![fits; MAX_COLUMN_NAMES / MAX_COLUMN_NAME + 1].join(",");
    let error = read(format!("domain,{many}\na.com\n"), Form::Table).unwrap_err();
    assert!(error.to_string().contains("all columns"), "{error}");
}

#[test]
fn copies_of_what_stands_beside_stay_within_bounds() {
    let domains: Vec<String> = (0..1000).map(|n| format!("d{n}.com")).collect();
    let row = format!("\"{}\",{}\n", domains.join(" "), "x".repeat(1_000_000));
    let list = table(format!("domain,name\n{row}"));
    let kept: usize = cells(&list).iter().map(|cells| cells.len()).sum();
    assert_eq!(list.accepted.len(), 1000);
    assert!(kept < MAX_REPEATED_CELLS + 2_000_000, "{kept}");
}

#[test]
fn a_list_that_is_too_long_is_not_read_on() {
    let lines: Vec<String> = (0..=MAX_DOMAINS).map(|n| format!("d{n}.com")).collect();
    assert!(table(lines.join("\n")).is_too_long());
    assert!(!table(lines[1..].join("\n")).is_too_long());
    assert!(table("x y\n".repeat(MAX_DOMAINS + 1)).is_too_long());
}

mod workbooks {
    use super::*;
    use rust_xlsxwriter::{DocProperties, Workbook};

    fn workbook(sheets: &[(&str, &[&[&str]])]) -> Vec<u8> {
        let mut book = Workbook::new();
        book.set_properties(&DocProperties::new());
        for (name, rows) in sheets {
            let sheet = book.add_worksheet().set_name(*name).unwrap();
            for (row, cells) in (0..).zip(*rows) {
                for (column, cell) in (0..).zip(*cells).filter(|(_, cell)| !cell.is_empty()) {
                    match cell.parse::<f64>() {
                        Ok(number) => sheet.write_number(row, column, number).unwrap(),
                        Err(_) => sheet.write_string(row, column, *cell).unwrap(),
                    };
                }
            }
        }
        book.save_to_buffer().unwrap()
    }

    #[test]
    fn the_sheet_with_the_domains_is_read_row_by_row() {
        let list: &[&[&str]] = &[
            &["Name", "Size", "Website"],
            &["Smith, \"Anna\"", "5", "https://www.a.com/"],
            &[],
            &["two\nlines", "", "bad one"],
            &["", "7.5", "münchen.de"],
        ];
        let content = workbook(&[
            ("About", &[&["Made in 2026"]]),
            ("List", list),
            ("More", &[&["x.com"]]),
        ]);
        let read = read(&content, Form::Unknown).unwrap();
        assert_eq!(names(&read), [(2, "a.com"), (5, "xn--mnchen-3ya.de")]);
        assert_eq!((read.rejected[0].line, read.rejected.len()), (4, 1));
        assert_eq!(read.columns, ["Name", "Size", "Website"]);
        assert_eq!(cells(&read)[0], r#"["Smith, \"Anna\"","5","https://www.a.com/"]"#);
        assert!(read.notes[0].contains("'List'"), "{:?}", read.notes);
    }

    #[test]
    fn an_empty_workbook_is_an_empty_list() {
        let list = read(workbook(&[("Sheet1", &[])]), Form::Table).unwrap();
        assert_eq!((list.accepted.len(), list.rejected.len()), (0, 0));
    }
}
