//! Check digits of register and tax numbers whose introducing words also introduce other numbers.

/// An Estonian registry code: eight digits, the last of which is computed from the others.
pub(super) fn estonia(number: &str) -> bool {
    let digits = digits(number);
    let [first @ .., check] = digits.as_slice() else {
        return false;
    };
    let rest = |weights: [u32; 7]| sum(first, &weights) % 11;
    let expected = match rest([1, 2, 3, 4, 5, 6, 7]) {
        // Ten is not a digit: then other weights are used. If these give ten too, the digit is zero.
        10 => rest([3, 4, 5, 6, 7, 8, 9]) % 10,
        rest => rest,
    };
    digits.len() == 8 && *check == expected
}

/// A Latvian registration number: eleven digits.
pub(super) fn latvia(number: &str) -> bool {
    let digits = digits(number);
    let [first @ .., check] = digits.as_slice() else {
        return false;
    };
    let rest = sum(first, &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6]) % 11;
    digits.len() == 11 && *check == (14 - rest) % 11
}

/// A British VAT number without the country prefix: nine digits, the last two of which make the sum a multiple of 97,
/// in one of two ways.
pub(super) fn britain(number: &str) -> bool {
    let digits = digits(number);
    let [first @ .., tens, ones] = digits.as_slice() else {
        return false;
    };
    let total = sum(first, &[8, 7, 6, 5, 4, 3, 2]) + 10 * tens + ones;
    digits.len() == 9 && [0, 42].contains(&(total % 97))
}

fn digits(number: &str) -> Vec<u32> {
    number.chars().filter_map(|sign| sign.to_digit(10)).collect()
}

fn sum(digits: &[u32], weights: &[u32]) -> u32 {
    digits
        .iter()
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_a_number_fit_one_another() {
        assert!(estonia("10060701") && estonia("10137319"));
        assert!(!estonia("10060702") && !estonia("1006070") && !estonia(""));
        assert!(latvia("40003032949") && latvia("40003245752"));
        assert!(!latvia("40003032948") && !latvia("40003"));
        assert!(britain("220 4302 31") && britain("980 7806 84"));
        assert!(!britain("220 4302 32") && !britain("123"));
    }
}
