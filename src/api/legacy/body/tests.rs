//! The words were taken from `FastAPI` 0.115.8 with pydantic 2.10.6.

use super::*;

fn parsed(bytes: &[u8]) -> Result<Body, LegacyError> {
    Body::parse("application/json", bytes)
}

fn scan_error(bytes: &[u8]) -> Value {
    let refused = parsed(bytes).and_then(|mut body| {
        body.text("base_url");
        body.optional_tenant("tenant_id");
        body.optional_integer("max_pages");
        body.check()
    });
    let refused = refused.unwrap_err();
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.content["error"], "Validation Error");
    refused.content
}

#[test]
fn no_body_and_null_are_a_missing_body() {
    for bytes in [&b""[..], b"null"] {
        let content = scan_error(bytes);
        let missing = json!({"type": "missing", "loc": ["body"], "msg": "Field required", "input": null});
        assert_eq!(
            content,
            json!({"error": "Validation Error", "detail": [missing], "body": null})
        );
    }
}

#[test]
fn what_is_no_object_is_named_so() {
    let detail = &scan_error(b"[]")["detail"][0];
    let message = "Input should be a valid dictionary or object to extract fields from";
    assert_eq!(
        *detail,
        json!({"type": "model_attributes_type", "loc": ["body"], "msg": message, "input": []})
    );
}

#[test]
fn a_missing_field_shows_the_object_it_is_missing_from() {
    let content = scan_error(br#"{"x": 1}"#);
    let missing =
        json!({"type": "missing", "loc": ["body", "base_url"], "msg": "Field required", "input": {"x": 1}});
    assert_eq!(
        (&content["detail"], &content["body"]),
        (&json!([missing]), &json!({"x": 1}))
    );
}

#[test]
fn all_errors_are_told_at_once_in_the_order_of_the_fields() {
    let content = scan_error(br#"{"max_pages": "abc", "tenant_id": 7, "base_url": ["a"]}"#);
    let kinds: Vec<_> = content["detail"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["type"].as_str().unwrap(), error["loc"][1].as_str().unwrap()))
        .collect();
    let expected = [
        ("string_type", "base_url"),
        ("string_type", "tenant_id"),
        ("int_parsing", "max_pages"),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn items_of_a_list_are_named_by_their_place() {
    let mut body = parsed(br#"{"domains": ["a", 5, null]}"#).unwrap();
    body.texts("domains");
    let content = body.check().unwrap_err().content;
    let error = json!({"type": "string_type", "loc": ["body", "domains", 1], "msg": "Input should be a valid string", "input": 5});
    assert_eq!(
        (&content["detail"][0], &content["detail"][1]["loc"][2]),
        (&error, &json!(2))
    );
}

#[test]
fn a_list_of_rubbish_is_not_answered_with_more_rubbish_than_helps() {
    let list = format!(r#"{{"domains": [{}1]}}"#, "1,".repeat(10_000));
    let mut body = parsed(list.as_bytes()).unwrap();
    assert_eq!(body.texts("domains"), [""; 0]);
    let refused = body.check().unwrap_err();
    assert_eq!(refused.content["detail"].as_array().unwrap().len(), MAX_ERRORS);
}

#[test]
fn a_tenant_must_be_a_uuid() {
    let content = scan_error(br#"{"base_url": "a.com", "tenant_id": "acme"}"#);
    let error = &content["detail"][0];
    assert_eq!(
        (&error["type"], &error["loc"]),
        (&json!("uuid_parsing"), &json!(["body", "tenant_id"]))
    );
    assert!(
        error["msg"]
            .as_str()
            .unwrap()
            .starts_with("Input should be a valid UUID, ")
    );
}

#[test]
fn integers_are_read_as_lax_as_ever() {
    let good = [
        (json!(5), 5),
        (json!("5"), 5),
        (json!(" 5 "), 5),
        (json!("+5"), 5),
        (json!("-3"), -3),
        (json!("007"), 7),
        (json!("1_000"), 1000),
        (json!("5.000"), 5),
        (json!(5.0), 5),
        (json!(true), 1),
        (json!("99999999999999999999999"), i64::MAX),
    ];
    for (value, number) in good {
        assert_eq!(lax_integer(&value), Ok(number), "{value}");
    }
    for text in ["", "abc", "5.5", "5.", "0x10", "1__0", "_5", "5_", "- 5", ".0"] {
        assert_eq!(lax_integer(&json!(text)), Err(NO_DIGITS), "{text}");
    }
    assert_eq!(lax_integer(&json!(5.5)), Err(FRACTION));
    assert_eq!(lax_integer(&Value::Null), Err(NOT_AN_INTEGER));
    assert_eq!(lax_integer(&json!([1])), Err(NOT_AN_INTEGER));
}

#[test]
fn broken_json_is_told_in_pythons_words() {
    let cases: [(&str, u64, &str); 11] = [
        ("{", 1, "Expecting property name enclosed in double quotes"),
        ("nope", 0, "Expecting value"),
        (r#"{"base_url":"#, 12, "Expecting value"),
        (
            "{base_url:1}",
            1,
            "Expecting property name enclosed in double quotes",
        ),
        (r#"{"a":1} x"#, 8, "Extra data"),
        (r#"{"base_url" "a"}"#, 12, "Expecting ':' delimiter"),
        (r#"["a" "b"]"#, 5, "Expecting ',' delimiter"),
        (r#"{"a":"ü" x}"#, 9, "Expecting ',' delimiter"),
        ("{\"a\":1,\n\n \"b\" 2}", 14, "Expecting ':' delimiter"),
        (
            r#"{"base_url":"a",}"#,
            16,
            "Expecting property name enclosed in double quotes",
        ),
        ("{\"base_url\":\"a\nb\"}", 14, "Invalid control character at"),
    ];
    for (text, place, words) in cases {
        let content = scan_error(text.as_bytes());
        let error = json!({
            "type": "json_invalid", "loc": ["body", place], "msg": "JSON decode error", "input": {},
            "ctx": {"error": words}
        });
        assert_eq!((&content["detail"][0], &content["body"]), (&error, &json!(text)));
    }
}

#[test]
fn what_is_not_utf8_is_refused_without_details() {
    let refused = parsed(b"\xff").unwrap_err();
    assert_eq!(
        (refused.status, refused.content),
        (
            StatusCode::BAD_REQUEST,
            json!({"detail": "There was an error parsing the body"})
        )
    );
}

#[test]
fn a_body_without_a_type_or_with_any_json_type_is_json() {
    for media_type in ["", "application/json", "application/vnd.api+json"] {
        assert!(Body::parse(media_type, b"\xef\xbb\xbf{}").is_ok(), "{media_type}");
    }
    let refused = Body::parse("text/plain", b"{}").unwrap_err();
    assert_eq!(refused.content["detail"][0]["type"], "model_attributes_type");
    assert_eq!(refused.content["body"], "{}");
}
