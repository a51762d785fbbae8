//! The headers of Standard Webhooks (<https://www.standardwebhooks.com>): id, time, and a signature with each valid
//! secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::Secret;

/// The headers of one attempt; `seconds` is its time since 1970.
pub(super) fn headers(id: &str, seconds: i64, body: &str, secrets: &[Secret]) -> [(&'static str, String); 3] {
    let signatures: Vec<String> = secrets
        .iter()
        .map(|secret| signature(id, seconds, body, secret))
        .collect();
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signatures.join(" ")),
    ]
}

fn signature(id: &str, seconds: i64, body: &str, secret: &Secret) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn the_signature_is_that_of_the_published_example() {
        let secret = Secret::stored(STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap());
        let [id, time, signature] = headers(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            "{\"test\": 2432232314}",
            &[secret.clone(), secret],
        );
        assert_eq!(
            (id.0, time.0, signature.0),
            ("webhook-id", "webhook-timestamp", "webhook-signature")
        );
        let one = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signature.1, format!("{one} {one}"));
    }
}
