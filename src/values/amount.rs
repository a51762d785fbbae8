//! Amounts as people read them: `1 line`, `2 lines`, `100,000 domains`.

/// A whole number with its thousands set apart.
pub fn number(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0 { format!("-{text}") } else { text }
}

/// `1 domain`, `2 domains`, `3 bodies`: a count with the right form of its noun.
pub fn counted(count: impl TryInto<i64>, one: &str) -> String {
    let count = count.try_into().unwrap_or(i64::MAX);
    let shown = number(count);
    if count == 1 {
        return format!("{shown} {one}");
    }
    match one.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{shown} {stem}ies"),
        _ if one.ends_with('s') => format!("{shown} {one}es"),
        _ => format!("{shown} {one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_agrees_with_its_noun() {
        assert_eq!(
            [0, 999, 1000, 1_234_567, -1234].map(number),
            ["0", "999", "1,000", "1,234,567", "-1,234"]
        );
        assert_eq!(
            [
                counted(1, "domain"),
                counted(0_usize, "domain"),
                counted(2_u64, "body")
            ],
            ["1 domain", "0 domains", "2 bodies"]
        );
        assert_eq!(counted(2, "day"), "2 days");
    }
}
