//! Cipher suites of TLS 1.2, in OpenSSL's notation.
//!
//! Lists that were written for OpenSSL name classes and suites that the library does not have, such
//! as `EDH`. It would leave them out, but mistakes as well. Here is told what is which.

use boring::error::ErrorStack;
use boring::ssl::{SslContextBuilder, SslMethod};

use super::certificates::{RejectReason, TlsError, detail};

/// Words of OpenSSL's notation, of classes and of parts of suites' names, that the library has no use
/// for: what they name is not served.
const ABSENT: &[&str] = &[
    "3DES",
    "ADH",
    "AECDH",
    "AES",
    "AES128",
    "AES256",
    "AESCCM",
    "AESCCM8",
    "ARIA",
    "ARIA128",
    "ARIA256",
    "CAMELLIA",
    "CAMELLIA128",
    "CAMELLIA256",
    "CBC",
    "CBC3",
    "CCM",
    "CCM8",
    "CHACHA20",
    "COMPLEMENTOFALL",
    "COMPLEMENTOFDEFAULT",
    "DEFAULT",
    "DES",
    "DH",
    "DHE",
    "DSS",
    "ECDH",
    "ECDHE",
    "ECDSA",
    "EDE",
    "EDH",
    "EXP",
    "EXPORT",
    "GCM",
    "IDEA",
    "KRB5",
    "LOW",
    "MD5",
    "MEDIUM",
    "NULL",
    "POLY1305",
    "PSK",
    "RC2",
    "RC4",
    "RSA",
    "SEED",
    "SHA",
    "SHA256",
    "SHA384",
    "SRP",
    "SSLv2",
    "aDH",
    "aDSS",
    "aECDH",
    "aNULL",
    "aSRP",
    "eNULL",
    "kDHE",
    "kDHEPSK",
    "kDHd",
    "kDHr",
    "kECDH",
    "kECDHEPSK",
    "kEDH",
    "kRSAPSK",
    "kSRP",
];

/// Suites of TLS 1.3 are not chosen by the list, but may be in it.
const OF_1_3: &str = "TLS_";

/// Sets the suites of this list that are served; none is a mistake, and so is what names none.
pub(crate) fn set(to: &mut SslContextBuilder, list: &str) -> Result<(), TlsError> {
    let refused = |reason| TlsError::new("ssl_ciphers", None, reason);
    let failed = |error: ErrorStack| refused(RejectReason::Refused(detail(&error)));
    let mut known = SslContextBuilder::new(SslMethod::tls()).map_err(failed)?;
    for rule in list.split([':', ',', ';', ' ', '[', '|', ']']) {
        let classes = rule.trim_start_matches(['!', '-', '+']);
        if classes.is_empty() || classes.starts_with('@') {
            continue;
        }
        for word in classes.split('+') {
            if !is_absent(word) && known.set_strict_cipher_list(word).is_err() {
                return Err(refused(RejectReason::Cipher(word.to_owned())));
            }
        }
    }
    to.set_cipher_list(list).map_err(|_| refused(RejectReason::NoCipher))
}

fn is_absent(word: &str) -> bool {
    word.starts_with(OF_1_3) || word.split('-').all(|part| ABSENT.contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suites(list: &str) -> Result<Vec<String>, String> {
        let mut builder = SslContextBuilder::new(SslMethod::tls()).unwrap();
        set(&mut builder, list).map_err(|error| error.to_string())?;
        let context = builder.build();
        let suites = context.ciphers().into_iter().flatten();
        Ok(suites.map(|suite| suite.name().to_owned()).collect())
    }

    #[test]
    fn lists_for_openssl_are_taken() {
        let gcm = [
            "ECDHE-ECDSA-AES128-GCM-SHA256",
            "ECDHE-RSA-AES128-GCM-SHA256",
            "ECDHE-ECDSA-AES256-GCM-SHA384",
            "ECDHE-RSA-AES256-GCM-SHA384",
        ];
        let sorted = |list| {
            suites(list).map(|mut suites| {
                suites.sort();
                suites
            })
        };
        let mut wanted = gcm.map(str::to_owned);
        wanted.sort();
        assert_eq!(sorted("EECDH+AESGCM:EDH+AESGCM"), Ok(wanted.to_vec()));
        // Swoole's default, nginx's, and Mozilla's for "intermediate".
        for list in [
            "EECDH+AESGCM:EDH+AESGCM:AES256+EECDH:AES256+EDH",
            "HIGH:!aNULL:!MD5",
            "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
             ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
             ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:\
             DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305",
            "TLS_AES_128_GCM_SHA256:ECDHE+CHACHA20 ECDHE-RSA-CAMELLIA256-SHA384",
            "DEFAULT:!kRSA:@STRENGTH",
            super::super::CIPHERS_DEFAULT,
        ] {
            let got = suites(list).unwrap_or_else(|error| panic!("{list}: {error}"));
            assert!(got.iter().any(|suite| suite.starts_with("ECDHE-RSA")), "{list}: {got:?}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (list, word) in [
            ("EECDH+AESGCM:ECDHE-RSA-AES128-GMC-SHA256", "ECDHE-RSA-AES128-GMC-SHA256"),
            ("EECDH+AESGMC", "AESGMC"),
            ("HIGH:!aNUL", "aNUL"),
            ("NOTHING", "NOTHING"),
        ] {
            let error = suites(list).unwrap_err();
            assert!(error.contains(&format!("'{word}'")), "{error}");
        }
        assert!(suites("EDH+AESGCM:RC4").unwrap_err().contains("serves none of them"));
    }
}
